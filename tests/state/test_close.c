/* SPDX-License-Identifier: BSD-3-Clause */
/* How connections end: FIN in every order, half-close, close with data about, TIME-WAIT [9293 3.6, 3.10.7.4]. */
#include "fixtures.h"

#define MSL_MS 30000

static void
test_fin_wait_1_to_fin_wait_2_to_time_wait(void **state)
{
	/* [RFC9293-E22, MUST-12] */
	in_time_wait();
	expect_eof();
	check_equal(stats().conns, 0);
	check_equal(stats().time_wait, 1);
	advance(2 * MSL_MS - 10);
	expect_state(RILL_TIME_WAIT);
	advance(20);
	expect_state(RILL_CLOSED);
	check_equal(stats().time_wait, 0);
	expect_silence();
}

static void
test_closing_to_time_wait(void **state)
{
	/* [RFC9293-E22] */
	in_closing();
	peer_sends(ACK, 2, 2);
	expect_silence();
	expect_state(RILL_TIME_WAIT);
	expect_closed(DONE);
}

static void
test_fin_with_the_ack_of_ours_to_time_wait(void **state)
{
	/* [RFC9293-E22] */
	in_fin_wait_1();
	peer_sends(FIN | ACK, 1, 2);
	expect(ACK, 2, 2);
	expect_state(RILL_TIME_WAIT);
	expect_closed(DONE);
	expect_eof();
}

static void
test_last_ack_deletes(void **state)
{
	/* [RFC9293-E25] */
	in_last_ack();
	peer_sends(ACK, 2, 2);
	expect_silence();
	expect_closed(DONE);
	expect_state(RILL_CLOSED);
	peer_sends(ACK, 2, 2);
	expect(RST, 2, 0);
}

static void
test_fin_is_repeated_with_its_number(void **state)
{
	/* [RFC9293-E30] in FIN-WAIT-1, CLOSING and LAST-ACK */
	static void (*const enter[])(void) = {in_fin_wait_1, in_closing, in_last_ack};

	for (unsigned int i = 0; i < RTE_DIM(enter); i++) {
		peer_restart(&peer.setup);
		enter[i]();
		expect_within(1100, FIN | ACK, 1, i == 0 ? 1 : 2);
		expect_within(2100, FIN | ACK, 1, i == 0 ? 1 : 2);
		peer_sends(ACK, i == 0 ? 1 : 2, 2);
		advance(50000);
		expect_silence();
	}
}

static void
test_a_repeated_fin_of_the_peer_is_acknowledged(void **state)
{
	/* [RFC9293-E27] in CLOSE-WAIT, CLOSING and LAST-ACK; alone or with its data; no second EOF */
	static void (*const enter[])(void) = {in_close_wait, in_closing, in_last_ack};

	for (unsigned int i = 0; i < RTE_DIM(enter); i++) {
		peer_restart(&peer.setup);
		enter[i]();
		peer_sends(FIN | ACK, 1, 1);
		expect(ACK, i == 0 ? 1 : 2, 2);
		check_equal(app->eofs, 1);
		expect_alive();
	}
}

static void
test_fin_in_fin_wait_1_with_data_that_was_seen(void **state)
{
	/* [RFC9293-E27] */
	in_established();
	peer_sends(ACK, 1, 1, .len = 20);
	peer_sends(FIN | ACK, 1, 1, .len = 20);
	expect(ACK, 1, 22);
	expect_received(20);
	expect_eof();
}

static void
test_half_close_goes_on_receiving(void **state)
{
	/* [RFC9293-E28] in FIN-WAIT-2; the data is acknowledged and delivered */
	in_fin_wait_2();
	for (unsigned int i = 0; i < 100; i++)
		peer_sends(ACK, 1 + i * 1000, 2, .len = 1000);
	expect_received(100000);
	expect_no_eof();
	hears_all();
	advance(600000);
	hears_all();
	expect_state(RILL_FIN_WAIT_2);
	peer_sends(FIN | ACK, 100001, 2);
	expect(ACK, 2, 100002);
	expect_eof();
	expect_closed(DONE);
	expect_state(RILL_TIME_WAIT);
}

static void
test_half_close_goes_on_sending(void **state)
{
	/* [RFC9293-E28] in CLOSE-WAIT */
	in_close_wait();
	writes(500);
	expect(ACK, 1, 2, .len = 500);
	shuts_down();
	expect(FIN | ACK, 501, 2);
	peer_sends(ACK, 2, 502);
	expect_closed(DONE);
	check_equal(app->acked, 500);
}

static void
test_fin_follows_the_data(void **state)
{
	/* [RFC9293-E29] and may ride on the last of it */
	in_established();
	peer.flow->limit_known = false;
	writes(3000);
	hears_all();
	closes();
	check(hears() && peer.got.flags & FIN);
	check_equal(peer.got.seq + peer.got.len, 3001);
	peer_sends(ACK, 1, 3002);
	expect_state(RILL_FIN_WAIT_2);
	peer_sends(FIN | ACK, 1, 3002);
	expect(ACK, 3002, 2);
	expect_closed(DONE);
	check_equal(app->acked, 3000);
}

static void
test_close_delivers_through_loss(void **state)
{
	/* [RFC9293-E29] first flight lost altogether */
	in_established();
	writes(100);
	closes();
	hears_all();
	expect_within(1100, FIN | ACK, 1, 1, .len = 100);
	peer_sends(ACK, 1, 102);
	expect_state(RILL_FIN_WAIT_2);
}

static void
test_close_in_a_closed_window_waits(void **state)
{
	in_established();
	peer_sends(ACK, 1, 1, .wnd = WND_ZERO);
	writes(10);
	closes();
	hears_all();
	peer_sends(ACK, 1, 1, .wnd = 100);
	expect(FIN | ACK, 1, 1, .len = 10);
}

static void
test_data_after_rill_close_is_answered_by_rst(void **state)
{
	/* [SHLD-3, RFC1122-3] in FIN-WAIT-1 and FIN-WAIT-2 */
	in_established();
	closes();
	expect(FIN | ACK, 1, 1);
	peer_sends(ACK, 1, 2);
	expect_state(RILL_FIN_WAIT_2);
	peer_sends(ACK, 1, 2, .len = 10);
	check(hears() && peer.got.flags & RST);
	check_equal(peer.got.seq, 2);
	expect_drop(tcp_after_close);
	check_equal(app->closed, 1);
	expect_received(0);
	expect_state(RILL_CLOSED);
}

static void
test_close_with_unread_data_is_a_reset(void **state)
{
	/* [SHLD-3] */
	in_established();
	pauses();
	peer_sends(ACK, 1, 1, .len = 10);
	hears_all();
	closes();
	check(hears() && peer.got.flags & RST);
	check_equal(peer.got.seq, 1);
	expect_closed(ABORTED);
	expect_state(RILL_CLOSED);
}

static void
test_an_orphan_in_fin_wait_2_ends(void **state)
{
	/* [RFC1122-4, ATK-25] after rill_close: 60 s */
	in_established();
	closes();
	expect(FIN | ACK, 1, 1);
	peer_sends(ACK, 1, 2);
	advance(59900);
	expect_state(RILL_FIN_WAIT_2);
	advance(200);
	check_equal(app->closed, 1);
	expect_state(RILL_CLOSED);
	check_equal(stats().conns, 0);
}

static void
test_linger_zero_resets(void **state)
{
	struct peer_setup setup = {.options = default_options()};

	setup.options.linger_ms = 0;
	peer_restart(&setup);
	in_established();
	writes(10);
	expect(ACK, 1, 1, .len = 10);
	closes();
	check(hears() && peer.got.flags & RST);
	check_equal(peer.got.seq, 11);
	expect_closed(ABORTED);
}

static void
test_linger_resets_what_is_left(void **state)
{
	struct peer_setup setup = {.options = default_options()};

	setup.options.linger_ms = 500;
	peer_restart(&setup);
	in_established();
	writes(10);
	expect(ACK, 1, 1, .len = 10);
	closes();
	expect(FIN | ACK, 11, 1);
	advance(490);
	hears_all();
	expect_alive();
	expect_within(20, RST | ACK, 12, 1);
	expect_closed(ABORTED);
}

static void
test_time_wait_acknowledges_a_repeated_fin_and_starts_over(void **state)
{
	/* [RFC9293-E26, MUST-13] */
	in_time_wait();
	advance(2 * MSL_MS - 1000);
	peer_sends(FIN | ACK, 1, 2);
	expect(ACK, 2, 2);
	advance(2 * MSL_MS - 1000);
	expect_state(RILL_TIME_WAIT);
	advance(1100);
	expect_state(RILL_CLOSED);
	peer_sends(FIN | ACK, 1, 2);
	expect(RST, 2, 0);
}

static void
test_time_wait_is_not_assassinated(void **state)
{
	/* [RFC6191-9, ATK-30] old data is acknowledged; the RST that the ACK may cause changes nothing */
	in_time_wait();
	peer_sends(ACK, 1, 1, .len = 10);
	expect(ACK, 2, 2);
	peer_sends(RST, 2, 0);
	expect_silence();
	expect_state(RILL_TIME_WAIT);
}

static void
test_time_wait_ignores_new_text(void **state)
{
	/* [RFC9293-E24] */
	in_time_wait();
	peer_sends(ACK, 2, 2, .len = 10);
	hears_all();
	expect_received(0);
	expect_state(RILL_TIME_WAIT);
}

static void
test_a_new_syn_reopens_time_wait(void **state)
{
	/* [MAY-2, RFC6191-7, RFC5961-14] above the old numbers: a new connection, whose ISS is above the old one */
	uint32_t old_iss;

	in_time_wait();
	old_iss = peer.flow->iss;
	advance(10);
	peer_forgets(1000);
	peer_sends(SYN, 0, 0);
	expect(SYN | ACK, 0, 1);
	check((int32_t)(peer.flow->iss - (old_iss + 2)) > 0);
	check_equal(stats().timewait_reused, 1);
	peer_sends(ACK, 1, 1, .len = 5);
	check_equal(apps[1].received, 5);
	check_equal(stats().time_wait, 0);
}

static void
test_an_old_syn_does_not_reopen_time_wait(void **state)
{
	/* [MAY-2, MUST-13, RFC6191-7, RFC5961-14] without timestamps it is challenged */
	in_time_wait();
	peer_sends(SYN, 1, 0);
	expect(ACK, 2, 2);
	peer_sends(SYN, 2, 0);
	expect(ACK, 2, 2);
	expect_silence();
	expect_state(RILL_TIME_WAIT);
	check_equal(stats().timewait_reused, 0);
}

static void
test_time_wait_with_timestamps_is_reopened_by_a_newer_one(void **state)
{
	/* [RFC6191-1, RFC6191-4, SHLD-4] lower number, but newer timestamp; an older one is dropped */
	uint32_t last;

	peer_restart(&(struct peer_setup){.ts = true});
	in_time_wait();
	last = peer.flow->iss + 2;
	advance(10);
	peer_sends(SYN, (uint32_t)-5000, 0, .has = HAS_MSS | HAS_TS, .tsval = (uint32_t)(START_US / 1000) - 1000);
	expect_silence();
	expect_drop(tcp_time_wait);
	check_equal(stats().timewait_reused, 0);
	expect_state(RILL_TIME_WAIT);
	peer_forgets((uint32_t)-5000);
	peer_sends(SYN, 0, 0, .has = HAS_MSS | HAS_TS, .tsval = (uint32_t)(peer.now / 1000) + 1);
	expect(SYN | ACK, 0, 1);
	check((int32_t)(peer.flow->iss - last) > 0);
	check_equal(stats().timewait_reused, 1);
}

static void
test_timestamps_count_only_if_the_listener_takes_them(void **state)
{
	/* [RFC6191-5] "would be enabled for the new incarnation": not with a listener that refuses them */
	struct rill_options options = default_options();

	options.timestamps = 0;
	peer_restart(&(struct peer_setup){.options = options});
	in_time_wait();
	peer_forgets(1);
	peer_sends(SYN, 0, 0, .has = HAS_MSS | HAS_TS, .tsval = 77);
	check_equal(hears_all(), 1);
	check_equal(peer.got.flags, ACK);
	expect_state(RILL_TIME_WAIT);
}

static void
test_time_waits_are_bounded(void **state)
{
	/* [RFC6191-10, ATK-31] the oldest goes */
	peer_restart(&(struct peer_setup){.limits = {.timewait_max = 4}});
	listens();
	for (unsigned int i = 0; i < 6; i++) {
		peer_uses_flow(i);
		peer_sends(SYN, 0, 0);
		peer_sends(ACK, 1, 1);
		app = &apps[i];
		shuts_down();
		peer_sends(FIN | ACK, 1, 2);
		expect_state(RILL_TIME_WAIT);
	}
	hears_all();
	check_equal(stats().time_wait, 4);
	check_equal(stats().timewait_dropped, 2);
	peer_uses_flow(0);
	expect_state(RILL_CLOSED);
	peer_uses_flow(5);
	expect_state(RILL_TIME_WAIT);
}

static void
test_the_application_hears_the_same_end_once_whatever_the_order(void **state)
{
	/* [RFC9293-E22, RFC9293-E30] FIN, ACK of ours, data, in one burst each way around */
	in_established();
	shuts_down();
	expect(FIN | ACK, 1, 1);
	burst_begin();
	peer_sends(FIN | ACK, 11, 2);
	peer_sends(ACK, 1, 2, .len = 10);
	peer_sends(FIN | ACK, 11, 2);
	burst_end();
	expect_received(10);
	expect_eof();
	expect_closed(DONE);
	while (hears())
		check(peer.got.flags == ACK);
	check_equal(peer.got.ack, 12);
	expect_state(RILL_TIME_WAIT);
}

static void
close_when_finished(struct app *one, enum app_event event)
{
	if (event == APP_DATA)
		rill_close(one->conn);
}

static void
test_close_from_the_last_delivery_ends(void **state)
{
	/* Both FINs are done while the application is paused: rill_close is then all that is missing. */
	in_fin_wait_2();
	pauses();
	peer_sends(FIN | ACK, 1, 2, .len = 30);
	expect(ACK, 2, 32);
	expect_alive();
	app->hook = close_when_finished;
	resumes();
	turn();
	expect_received(30);
	expect_closed(DONE);
	check_equal(stats().conns, 0);
}

static void
pause_and_resume(struct app *one, enum app_event event)
{
	if (event != APP_DATA)
		return;
	rill_pause(one->conn);
	rill_resume(one->conn);
}

static void
test_eof_after_a_pause_that_ended_at_once(void **state)
{
	/* [MUST-12] EOF is told although the application paused and resumed while it got the rest. */
	in_fin_wait_2();
	pauses();
	peer_sends(FIN | ACK, 1, 2, .len = 30);
	expect(ACK, 2, 32);
	app->hook = pause_and_resume;
	resumes();
	turn();
	turn();
	expect_eof();
	expect_closed(DONE);
}

static void
test_a_repeated_fin_delays_no_other_time_wait(void **state)
{
	/* [RFC9293-E26, ATK-31] two tuples wait; the older one's FIN comes again and again. */
	in_time_wait();
	advance(MSL_MS);
	peer_sends(FIN | ACK, 1, 2);
	expect(ACK, 2, 2);
	peer_uses_flow(1);
	peer_sends(SYN, 0, 0);
	expect(SYN | ACK, 0, 1);
	peer_sends(ACK, 1, 1);
	app = &apps[1];
	shuts_down();
	expect(FIN | ACK, 1, 1);
	peer_sends(ACK, 1, 2);
	peer_sends(FIN | ACK, 1, 2);
	expect(ACK, 2, 2);
	check_equal(stats().time_wait, 2);
	peer_uses_flow(0);
	for (int i = 0; i < 3; i++) {
		advance(MSL_MS);
		peer_sends(FIN | ACK, 1, 2);
		expect(ACK, 2, 2);
	}
	check_equal(stats().time_wait, 1);
	expect_state(RILL_TIME_WAIT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		dialogue(test_fin_wait_1_to_fin_wait_2_to_time_wait),
		dialogue(test_close_from_the_last_delivery_ends),
		dialogue(test_eof_after_a_pause_that_ended_at_once),
		dialogue(test_a_repeated_fin_delays_no_other_time_wait),
		dialogue(test_closing_to_time_wait),
		dialogue(test_fin_with_the_ack_of_ours_to_time_wait),
		dialogue(test_last_ack_deletes),
		dialogue(test_fin_is_repeated_with_its_number),
		dialogue(test_a_repeated_fin_of_the_peer_is_acknowledged),
		dialogue(test_fin_in_fin_wait_1_with_data_that_was_seen),
		dialogue(test_half_close_goes_on_receiving),
		dialogue(test_half_close_goes_on_sending),
		dialogue(test_fin_follows_the_data),
		dialogue(test_close_delivers_through_loss),
		dialogue(test_close_in_a_closed_window_waits),
		dialogue(test_data_after_rill_close_is_answered_by_rst),
		dialogue(test_close_with_unread_data_is_a_reset),
		dialogue(test_an_orphan_in_fin_wait_2_ends),
		dialogue(test_linger_zero_resets),
		dialogue(test_linger_resets_what_is_left),
		dialogue(test_time_wait_acknowledges_a_repeated_fin_and_starts_over),
		dialogue(test_time_wait_is_not_assassinated),
		dialogue(test_time_wait_ignores_new_text),
		dialogue(test_a_new_syn_reopens_time_wait),
		dialogue(test_an_old_syn_does_not_reopen_time_wait),
		dialogue(test_time_wait_with_timestamps_is_reopened_by_a_newer_one),
		dialogue(test_timestamps_count_only_if_the_listener_takes_them),
		dialogue(test_time_waits_are_bounded),
		dialogue(test_the_application_hears_the_same_end_once_whatever_the_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
