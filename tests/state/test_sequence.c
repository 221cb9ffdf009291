/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The checks that every synchronized state makes before anything else: sequence number, RST, SYN, ACK
 * [9293 3.10.7.4, first to fifth], with the defences of RFC 5961. Each rule is tried in each state.
 */
#include "fixtures.h"

/* Window that the lane offers in these states, from the last segment of the fixture. */
static uint32_t
window(void)
{
	return peer.flow->edge - (peer.flow->irs + peer.got.ack);
}

static void
still(const struct synchronized *s)
{
	expect_silence();
	expect_state(s->state);
	expect_alive();
}

static void
old_segment(const struct synchronized *s)
{
	/* [RFC9293-E12, RFC9293-E13, RFC1122-11] below the window, with and without data */
	peer_sends(ACK, s->rcv_nxt - 1, s->snd_una);
	expect(ACK, s->snd_nxt, s->rcv_nxt);
	peer_sends(ACK, s->rcv_nxt - 1, s->snd_una, .len = 1);
	expect(ACK, s->snd_nxt, s->rcv_nxt);
	still(s);
	expect_received(0);
}

static void
test_old_segments_are_acknowledged(void **state)
{
	each_synchronized(old_segment);
}

static void
beyond_the_window(const struct synchronized *s)
{
	/* [RFC9293-E12, RFC9293-E13] first beyond, and far beyond */
	uint32_t beyond = s->rcv_nxt + window();

	peer_sends(ACK, beyond, s->snd_una, .len = 1);
	expect(ACK, s->snd_nxt, s->rcv_nxt);
	peer_sends(FIN | ACK, beyond + 1, s->snd_una);
	expect(ACK, s->snd_nxt, s->rcv_nxt);
	peer_sends(ACK, s->rcv_nxt + 0x7fffffff, s->snd_una, .len = 100);
	expect(ACK, s->snd_nxt, s->rcv_nxt);
	still(s);
	expect_received(0);
	expect_drops(tcp_out_of_window, 3);
}

static void
test_segments_beyond_the_window_are_acknowledged(void **state)
{
	each_synchronized(beyond_the_window);
}

static void
exact_rst(const struct synchronized *s)
{
	/* [RFC5961-1, MUST-12] */
	peer_sends(RST, s->rcv_nxt, 0);
	expect_silence();
	check_equal(app->closed, 1);
	if (s->state != RILL_CLOSING && s->state != RILL_LAST_ACK)
		expect_closed(RESET);
	expect_state(RILL_CLOSED);
	peer_sends(ACK, s->rcv_nxt, s->snd_nxt);
	expect(RST, s->snd_nxt, 0);
}

static void
test_rst_at_rcv_nxt_resets(void **state)
{
	each_synchronized(exact_rst);
}

static void
rst_with_data(const struct synchronized *s)
{
	/* [SHLD-2, RFC1122-2] and nothing is delivered */
	peer_sends(RST | ACK, s->rcv_nxt, s->snd_una, .len = 20);
	expect_silence();
	check_equal(app->closed, 1);
	expect_received(0);
}

static void
test_rst_may_carry_data(void **state)
{
	each_synchronized(rst_with_data);
}

static void
rst_in_window(const struct synchronized *s)
{
	/* [RFC5961-2, ATK-16] the challenge has our numbers, not those of the RST */
	const uint32_t offsets[] = {1, 2, 1000, window() - 1};

	for (unsigned int i = 0; i < RTE_DIM(offsets); i++) {
		peer_sends(RST | ACK, s->rcv_nxt + offsets[i], s->snd_una - 7);
		expect(ACK, s->snd_nxt, s->rcv_nxt);
		still(s);
	}
	expect_drops(tcp_rst_challenged, RTE_DIM(offsets));
	check_equal(stats().challenge_acks, RTE_DIM(offsets));
}

static void
test_rst_elsewhere_in_the_window_is_challenged(void **state)
{
	each_synchronized(rst_in_window);
}

static void
rst_outside(const struct synchronized *s)
{
	/* [RFC5961-3, RFC9293-E14] */
	peer_sends(RST, s->rcv_nxt - 1, 0);
	peer_sends(RST, s->rcv_nxt + window(), 0);
	peer_sends(RST, s->rcv_nxt + 0x60000000, 0);
	still(s);
	expect_drops(tcp_rst_out_of_window, 3);
}

static void
test_rst_outside_the_window_is_ignored(void **state)
{
	each_synchronized(rst_outside);
}

static void
any_syn(const struct synchronized *s)
{
	/* [RFC5961-5, RFC9293-E38] whatever its number, with ACK or without, with data or FIN */
	peer_sends(SYN, s->rcv_nxt, 0);
	expect(ACK, s->snd_nxt, s->rcv_nxt);
	peer_sends(SYN, 0, 0);
	expect(ACK, s->snd_nxt, s->rcv_nxt);
	peer_sends(SYN | ACK, s->rcv_nxt + 100, s->snd_una);
	expect(ACK, s->snd_nxt, s->rcv_nxt);
	peer_sends(SYN, s->rcv_nxt + 0x50000000, 0, .len = 10);
	expect(ACK, s->snd_nxt, s->rcv_nxt);
	peer_sends(SYN | FIN | ACK, s->rcv_nxt, s->snd_una);
	expect(ACK, s->snd_nxt, s->rcv_nxt);
	still(s);
	expect_drops(tcp_syn_challenged, 5);
}

static void
test_syn_is_challenged(void **state)
{
	each_synchronized(any_syn);
}

static void
rst_before_syn(const struct synchronized *s)
{
	/* [RFC9293-E15] the order of the checks: RST first, then SYN */
	peer_sends(RST | SYN | FIN, s->rcv_nxt, 0);
	expect_silence();
	check_equal(app->closed, 1);
	check_equal(app->eofs, s->state == RILL_CLOSE_WAIT || s->state == RILL_LAST_ACK ||
				       s->state == RILL_CLOSING);
}

static void
test_rst_is_looked_at_before_syn_and_fin(void **state)
{
	each_synchronized(rst_before_syn);
}

static void
restarted_peer(const struct synchronized *s)
{
	/* [RFC5961-6, RFC9293-E36] it answers the challenge by RST, from the ACK field, and starts anew */
	peer_sends(SYN, 0x30000000, 0);
	expect(ACK, s->snd_nxt, s->rcv_nxt);
	peer_sends(RST, peer.got.ack, 0);
	expect_silence();
	check_equal(app->closed, 1);
	expect_state(RILL_CLOSED);
	if (s->enter == in_established_active)
		return;
	peer_forgets(0x30000000);
	peer_sends(SYN, 0, 0);
	expect(SYN | ACK, 0, 1);
}

static void
test_a_restarted_peer_gets_through(void **state)
{
	each_synchronized(restarted_peer);
}

static void
no_ack(const struct synchronized *s)
{
	/* [RFC9293-E17] */
	peer_sends(0, s->rcv_nxt, 0, .len = 10);
	peer_sends(FIN, s->rcv_nxt, 0);
	peer_sends(PSH | URG, s->rcv_nxt, 0, .len = 1, .urg = 1);
	still(s);
	expect_drops(tcp_no_ack, 3);
	expect_received(0);
}

static void
test_without_ack_a_segment_is_dropped(void **state)
{
	each_synchronized(no_ack);
}

static void
ack_of_the_unsent(const struct synchronized *s)
{
	/* [RFC9293-E19, ATK-26] ACK back, payload not taken, snd_una where it was */
	peer_sends(ACK, s->rcv_nxt, s->snd_nxt + 1, .len = 10);
	expect(ACK, s->snd_nxt, s->rcv_nxt);
	peer_sends(ACK, s->rcv_nxt, s->snd_nxt + 0x10000000);
	expect(ACK, s->snd_nxt, s->rcv_nxt);
	still(s);
	expect_drops(tcp_ack_unsent, 2);
	expect_received(0);
}

static void
test_an_ack_of_the_unsent_is_answered_and_dropped(void **state)
{
	each_synchronized(ack_of_the_unsent);
}

static void
ack_too_old(const struct synchronized *s)
{
	/* [RFC5961-7, MAY-12] below snd_una by more than the largest window: 65535 */
	peer_sends(ACK, s->rcv_nxt, s->snd_una - 65536, .len = 10);
	expect(ACK, s->snd_nxt, s->rcv_nxt);
	still(s);
	expect_drop(tcp_ack_too_old);
	expect_received(0);
}

static void
test_an_ack_older_than_any_window_is_refused(void **state)
{
	each_synchronized(ack_too_old);
}

static void
old_ack(const struct synchronized *s)
{
	/* [RFC9293-E20, RFC5961-7] at the bound it is still good, and its payload with it */
	peer_sends(ACK, s->rcv_nxt, s->snd_una - 65535, .len = 10);
	peer_sends(ACK, s->rcv_nxt + 10, s->snd_una - 1, .len = 10);
	expect_received(s->reads ? 20 : 0);
	expect_state(s->state);
	expect_alive();
}

static void
test_an_old_ack_does_not_block_its_payload(void **state)
{
	each_synchronized(old_ack);
}

static void
data_for_the_reader(const struct synchronized *s)
{
	/* [RFC9293-E24, RFC9293-E28] text is taken where the peer's FIN did not come yet */
	peer_sends(ACK, s->rcv_nxt, s->snd_una, .len = 100);
	expect_received(s->reads ? 100 : 0);
	if (s->reads)
		expect_within(500, ACK, s->snd_nxt, s->rcv_nxt + 100);
	expect_alive();
	expect_state(s->state);
}

static void
test_text_is_taken_before_the_peers_fin_only(void **state)
{
	each_synchronized(data_for_the_reader);
}

static void
test_text_beyond_the_fin_is_dropped_and_counted(void **state)
{
	/* [RFC9293-E24] */
	in_close_wait();
	peer_sends(ACK, 2, 1, .len = 10);
	expect_received(0);
	expect_drop(tcp_after_fin);
}

static void
test_challenges_have_a_budget(void **state)
{
	/* [RFC5961-9, RFC5961-11] ten in a second, as the option says; ACKs of data are not part of it. */
	in_established();
	for (unsigned int i = 0; i < 1000; i++)
		peer_sends(RST, 2 + i, 0);
	check_equal(hears_all(), 10);
	check_equal(stats().challenge_acks, 10);
	check_equal(stats().drops[RILL_DROP_tcp_challenge_rate], 990);
	peer_sends(ACK, 0, 1, .len = 1);
	expect(ACK, 1, 1);
	advance(1049); /* a slot is 2^20 us */
	peer_sends(RST, 2, 0);
	expect(ACK, 1, 1);
	sets(RILL_OPT_challenge_acks, 2);
	advance(1049);
	for (unsigned int i = 0; i < 10; i++)
		peer_sends(SYN, 0, 0);
	check_equal(hears_all(), 2);
}

static void
test_a_budget_tells_nothing_of_others(void **state)
{
	/* [RFC5961-10, ATK-17] what an attacker's own connection gets, whether he guesses at another or not */
	for (unsigned int guesses = 0; guesses <= 3000; guesses += 1000) {
		peer_restart(&(struct peer_setup){.mss = 0});
		in_established();
		peer_uses_flow(1);
		peer_sends(SYN, 0, 0);
		expect(SYN | ACK, 0, 1);
		peer_sends(ACK, 1, 1);
		peer_uses_flow(0); /* the victim's, in his name */
		for (unsigned int i = 0; i < guesses; i++) {
			peer_sends(i % 2 ? RST : SYN, 2 + i, 0);
			hears_all();
		}
		peer_uses_flow(1);
		for (unsigned int i = 0; i < 100; i++)
			peer_sends(RST, 2 + i, 0);
		check_equal(hears_all(), 10);
	}
}

static void
test_two_desynchronised_ends_fall_silent(void **state)
{
	/* [RFC5961-12, ATK-35] our ACKs, sent back as they are, do not keep a storm going */
	unsigned int answers = 0;

	in_established();
	peer_sends(ACK, 0x10000000, 1);
	for (unsigned int i = 0; i < 5000 && hears(); i++, answers++)
		peer_sends(ACK, 0x10000000, 1);
	check_equal(answers, 10); /* what the budget of a second allows */
	expect_alive();
	expect_state(RILL_ESTABLISHED);
}

static void
test_half_open_is_found_out_by_our_data(void **state)
{
	/* [RFC9293-E36] the peer lost its state: it answers our data by RST */
	in_established();
	writes(10);
	expect(ACK, 1, 1, .len = 10);
	peer_sends(RST, 1, 0);
	expect_closed(RESET);
	expect_silence();
}

static void
test_every_flag_combination_in_every_state(void **state)
{
	/* [ATK-48, RFC9293-E15] 64 flag combinations at 5 places and 4 ACKs: nothing crashes or answers
	 * a RST, and whatever remains is one of the eleven states. */
	static const uint32_t places[] = {0xffffff00, 0, 1, 1000, 0x10000000};

	for (unsigned int s = 0; s < synchronized_count; s++) {
		for (unsigned int n = 0; n < 64 * RTE_DIM(places); n++) {
			const struct synchronized *sync = &synchronized_states[s];
			uint8_t flags = n % 64;
			unsigned int said;

			if (n % 64 == 0 || apps[0].closed || rill_lane_deadline(peer.lane) == 0) {
				peer_restart(&(struct peer_setup){.mss = 0});
				sync->enter();
			}
			peer_sends(flags, sync->rcv_nxt + places[n / 64], sync->snd_una, .len = n % 3, .urg = 1);
			said = hears_all();
			check(said <= 2);
			check(!(flags & RST) || said == 0 || peer.got.flags == ACK);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		dialogue(test_old_segments_are_acknowledged),
		dialogue(test_segments_beyond_the_window_are_acknowledged),
		dialogue(test_rst_at_rcv_nxt_resets),
		dialogue(test_rst_may_carry_data),
		dialogue(test_rst_elsewhere_in_the_window_is_challenged),
		dialogue(test_rst_outside_the_window_is_ignored),
		dialogue(test_syn_is_challenged),
		dialogue(test_rst_is_looked_at_before_syn_and_fin),
		dialogue(test_a_restarted_peer_gets_through),
		dialogue(test_without_ack_a_segment_is_dropped),
		dialogue(test_an_ack_of_the_unsent_is_answered_and_dropped),
		dialogue(test_an_ack_older_than_any_window_is_refused),
		dialogue(test_an_old_ack_does_not_block_its_payload),
		dialogue(test_text_is_taken_before_the_peers_fin_only),
		dialogue(test_text_beyond_the_fin_is_dropped_and_counted),
		dialogue(test_challenges_have_a_budget),
		dialogue(test_a_budget_tells_nothing_of_others),
		dialogue(test_two_desynchronised_ends_fall_silent),
		dialogue(test_half_open_is_found_out_by_our_data),
		dialogue(test_every_flag_combination_in_every_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
