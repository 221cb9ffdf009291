/* SPDX-License-Identifier: BSD-3-Clause */
/* SYN cookies: what a listener does whose backlog is full [4987 3.6]. */
#include "fixtures.h"

#include <string.h>

#define LIFE_MS 135000 /* no cookie lives longer */

/* A listener with room for one, which is taken by flow 0; flow 1 speaks from now on. */
static void
in_full_backlog(struct rill_options options)
{
	options.backlog = 1;
	listens_with(&options);
	peer_sends(SYN, 0, 0);
	hears_all();
	peer_uses_flow(1);
	check_equal(stats().syn_cookies_sent, 0);
}

static void
in_cookie(void)
{
	in_full_backlog(default_options());
	peer_sends(SYN, 0, 0);
	expect(SYN | ACK, 0, 1);
	check_equal(stats().syn_cookies_sent, 1);
}

static void
test_only_a_full_backlog_sends_them(void **state)
{
	/* [RFC4987-1, RFC4987-2] nothing is kept, and the client gets in */
	in_cookie();
	check_equal(stats().syn_received, 1);
	expect_state(RILL_CLOSED);
	peer_sends(ACK, 1, 1);
	expect_opened();
	expect_state(RILL_ESTABLISHED);
	check_equal(stats().syn_cookies_good, 1);
	check_equal(stats().passive_opens, 1);
	writes(2920);
	expect(ACK, 1, 1, .len = 1460);
	expect(ACK, 1461, 1, .len = 1460);
	peer_sends(ACK, 1, 2921, .len = 100);
	expect_received(100);
	/* The one before has not noticed; and once it leaves there is room without a cookie. */
	peer_uses_flow(0);
	peer_sends(RST, 1, 0);
	hears_all();
	peer_uses_flow(2);
	peer_sends(SYN, 0, 0);
	expect(SYN | ACK, 0, 1);
	expect_state(RILL_SYN_RECEIVED);
	check_equal(stats().syn_cookies_sent, 1);
}

static void
test_the_lanes_room_for_half_open_ones_counts_too(void **state)
{
	/* [RFC4987-1, RFC4987-2] syn_max */
	peer_restart(&(struct peer_setup){.limits = {.syn_max = 3}});
	listens();
	for (unsigned int i = 0; i < 5; i++) {
		peer_uses_flow(i);
		peer_sends(SYN, 0, 0);
		expect(SYN | ACK, 0, 1);
	}
	check_equal(stats().syn_received, 3);
	check_equal(stats().syn_cookies_sent, 2);
	peer_sends(ACK, 1, 1);
	expect_opened();
}

static void
test_with_timestamps_all_options_survive(void **state)
{
	/* [RFC4987-4] window scale, SACK, timestamps; MSS rounded down: 1452 becomes 1440 */
	peer_restart(&(struct peer_setup){.ts = true, .sack = true, .ws = true, .wscale = 5, .mss = 1452});
	in_cookie();
	check_equal(peer.got.has, HAS_MSS | HAS_TS | HAS_SACK_OK | HAS_WSCALE);
	check((uint32_t)(peer.now / 1000) - peer.got.tsecr == 0);
	peer_sends(ACK, 1, 1, .wnd = 100);
	expect_opened();
	check_equal(info().snd_wnd, 100 << 5);
	writes(2 * 1428);
	expect(ACK, 1, 1, .len = 1440 - 12, .has = HAS_TS);
	hears_all();
	peer_sends(ACK, 101, 2857, .len = 50);
	expect(ACK, 2857, 1);
	check(peer.got.sack_count == 1 && peer.got.sack[0].left == 101 && peer.got.sack[0].right == 151);
	check(peer.got.wnd << peer.flow->lane_wscale > 65535);
}

static void
test_without_timestamps_they_are_all_off(void **state)
{
	/* [RFC4987-4] offered or not: the SYN,ACK says what will be so */
	peer_restart(&(struct peer_setup){.sack = true, .ws = true, .wscale = 5});
	in_cookie();
	check_equal(peer.got.has, HAS_MSS);
	peer_sends(ACK, 1, 1, .wnd = 3000);
	expect_opened();
	check_equal(info().snd_wnd, 3000);
	peer_sends(ACK, 101, 1, .len = 50);
	expect(ACK, 1, 1);
	check_equal(peer.got.sack_count, 0);
}

static void
test_what_our_options_refuse_a_cookie_cannot_claim(void **state)
{
	/* [RFC4987-4] TSval says SACK and window scale; the listener never offered them */
	struct rill_options options = default_options();

	peer_restart(&(struct peer_setup){.ts = true, .sack = true, .ws = true, .wscale = 5});
	options.sack = options.window_scale = 0;
	in_full_backlog(options);
	peer_sends(SYN, 0, 0);
	expect(SYN | ACK, 0, 1);
	check_equal(peer.got.has, HAS_MSS | HAS_TS);
	peer_sends(ACK, 1, 1, .has = HAS_TS, .tsval = (uint32_t)(peer.now / 1000),
		.tsecr = (peer.flow->lane_tsval & ~63u) | 16 | 5, .wnd = 3000);
	expect_opened();
	check_equal(info().snd_wnd, 3000);
}

static void
test_data_with_the_third_segment_is_delivered_once(void **state)
{
	/* [RFC4987-10] */
	in_cookie();
	peer_sends(ACK, 1, 1, .len = 30);
	expect_received(30);
	peer_sends(ACK, 1, 1, .len = 30);
	expect(ACK, 1, 31);
	expect_received(30);
	check_equal(apps_count, 1);
	check_equal(stats().syn_cookies_good, 1);
}

static void
test_fin_with_the_third_segment(void **state)
{
	in_cookie();
	peer_sends(FIN | ACK, 1, 1, .len = 30);
	expect(ACK, 1, 32);
	expect_received(30);
	expect_eof();
	expect_state(RILL_CLOSE_WAIT);
}

static void
test_data_that_comes_before_it_waits_outside(void **state)
{
	/* The ACK and the first data were lost or overtaken: no RST, the peer says it all again. */
	in_cookie();
	peer_sends(ACK, 101, 1, .len = 100);
	expect_silence();
	expect_drop(tcp_cookie_data);
	check_equal(apps_count, 0);
	peer_sends(ACK, 1, 1, .len = 100);
	peer_sends(ACK, 101, 1, .len = 100);
	expect_received(200);
}

static void
test_a_forged_one_gets_rst(void **state)
{
	/* [RFC4987-3] each number once changed, at another place of the sequence space, from another */
	in_cookie();
	for (unsigned int bit = 0; bit < 32; bit++) {
		peer_sends(ACK, 1, 1 + (1u << bit));
		expect(RST, 1 + (1u << bit), 0);
	}
	peer_sends(ACK, 2, 1);
	expect(RST, 1, 0);
	peer.flows[2].iss = peer.flows[1].iss;
	peer_uses_flow(2);
	peer_sends(ACK, 1, 1);
	expect(RST, 1, 0);
	expect_drops(tcp_listen_ack, 34);
	check_equal(stats().syn_cookies_bad, 34);
	check_equal(apps_count, 0);
	peer_uses_flow(1);
	peer_sends(ACK, 1, 1);
	expect_opened();
}

static void
test_random_acks_open_nothing(void **state)
{
	/* [RFC4987-3, ATK-23] and the RSTs that they get have their rate: so many at once */
	uint32_t n = 1;
	uint64_t resets;

	in_cookie();
	for (unsigned int i = 0; i < 20000; i++) {
		n = n * 1664525 + 1013904223;
		peer_uses_flow(1 + i % (PEER_FLOWS - 1));
		peer_sends(ACK, 1, n);
		hears_all();
	}
	check_equal(apps_count, 0);
	check_equal(stats().syn_cookies_bad, 20000);
	resets = stats().resets_sent;
	check(resets > 0 && resets <= 1000);
	check_equal(stats().drops[RILL_DROP_tcp_rst_rate], 20000 - resets);
}

static void
test_an_expired_one_gets_rst(void **state)
{
	/* [RFC4987-3] even while the listener goes on to use them */
	in_cookie();
	for (unsigned int i = 0; i < 3; i++) {
		advance(LIFE_MS / 3);
		hears_all();
		for (unsigned int k = 2; k < 5; k++) {
			peer_uses_flow(10 * i + k);
			peer_sends(SYN, 0, 0);
			hears_all();
		}
	}
	check(stats().syn_cookies_sent > 1);
	peer_uses_flow(1);
	peer_sends(ACK, 1, 1);
	expect(RST, 1, 0);
	expect_drop(tcp_listen_ack);
	check_equal(stats().syn_cookies_bad, 1);
}

static void
test_who_sent_none_lately_takes_none(void **state)
{
	/* [RFC4987-5] a good cookie, but for a listener that is new and idle; or for none at all */
	struct rill_listener *listener;
	struct rill_options options = default_options();

	options.backlog = 1;
	listener = listens_with(&options);
	peer_sends(SYN, 0, 0);
	peer_uses_flow(1);
	peer_sends(SYN, 0, 0);
	peer_uses_flow(2);
	peer_sends(SYN, 0, 0);
	hears_all();
	check_equal(stats().syn_cookies_sent, 2);
	check_equal(rill_unlisten(listener), 0);
	turn();
	hears_all();
	peer_sends(ACK, 1, 1);
	expect(RST, 1, 0);
	listens();
	peer_uses_flow(1);
	peer_sends(ACK, 1, 1);
	expect(RST, 1, 0);
	check_equal(apps_count, 0);
	check_equal(stats().syn_cookies_bad, 0);
}

static void
test_nothing_is_said_again(void **state)
{
	/* [ATK-41] one answer for one SYN */
	in_cookie();
	peer_uses_flow(0);
	peer_sends(RST, 1, 0);
	advance(LIFE_MS);
	expect_silence();
}

/*
 * A cookie's client that is ESTABLISHED, and a SYN of its tuple, `ahead` of its own, that got a slot
 * and another sequence number after it: an old duplicate, or a stranger's. Returns what is to be
 * added to the lane's numbers until the connection is open.
 */
static uint32_t
in_shadowed_cookie(uint32_t ahead)
{
	bool ts = peer.setup.ts;
	uint32_t cookie, tsval;

	in_cookie();
	cookie = peer.flow->iss;
	tsval = peer.flow->lane_tsval;
	peer_uses_flow(0);
	peer_sends(RST, 1, 0);
	peer_uses_flow(1);
	peer.flow->iss_known = false; /* it is no fault that the two are different */
	peer.flow->edge_known = false;
	advance(1);
	peer_sends(SYN, ahead, 0, .has = ts ? HAS_MSS | HAS_TS : 0, .mss = 1460,
		.tsval = (uint32_t)(peer.now / 1000) + 100000);
	check_equal(hears_all(), 1);
	check_equal(stats().syn_received, 1);
	check(peer.flow->iss != cookie);
	peer.flow->edge_known = false;
	peer.flow->lane_tsval = tsval;
	return cookie - peer.flow->iss;
}

static void
test_a_syn_that_comes_again_does_not_shadow_it(void **state)
{
	/* [RFC4987-2] data that overtook the ACK waits outside, as it does without the slot */
	uint32_t cookie = in_shadowed_cookie(0);

	peer_sends(ACK, 11, cookie + 1, .len = 10);
	expect_silence();
	expect_drop(tcp_cookie_data);
	peer_sends(ACK, 1, cookie + 1, .len = 10);
	peer.flow->iss += cookie;
	expect_received(10);
	check_equal(stats().syn_received, 0);
	check_equal(stats().syn_cookies_good, 1);
	writes(100);
	expect(ACK, 1, 11, .len = 100);
}

static void
test_its_challenge_of_another_syn_ack_does_not_end_it(void **state)
{
	/* [RFC4987-2] Its ACK and its first data were lost; the slot's SYN,ACK makes no sense to it. */
	uint32_t cookie = in_shadowed_cookie(0);

	peer_sends(ACK, 11, cookie + 1);
	expect_silence();
	expect_drop(tcp_cookie_data);
	peer_sends(ACK, 1, cookie + 1, .len = 10);
	peer.flow->iss += cookie;
	expect_received(10);
	/* The ACK at the place of the first byte is the cookie's or nobody's. [RFC4987-3] */
	peer_uses_flow(2);
	peer_sends(SYN, 0, 0);
	hears_all();
	peer_sends(ACK, 1, 1000);
	expect(RST, 1000, 0);
}

static void
test_a_strangers_syn_does_not_shadow_it(void **state)
{
	/* [RFC4987-2] wherever its number lies, and whatever it says of timestamps */
	for (unsigned int i = 0; i < 4; i++) {
		uint32_t cookie;

		peer_restart(&(struct peer_setup){.ts = i & 1});
		cookie = in_shadowed_cookie(i & 2 ? 1u << 30 : 3u << 30);
		peer_sends(ACK, 1, cookie + 1, .len = 10);
		peer.flow->iss += cookie;
		check_equal(stats().syn_cookies_good, 1);
		expect_received(10);
		expect_no_drop();
	}
}

static void
test_without_room_for_a_connection_the_peer_tries_again(void **state)
{
	/* [RFC4987-9] */
	struct rill_options options = default_options();

	peer_restart(&(struct peer_setup){.limits = {.max_conns = 1}});
	options.backlog = 1;
	listens_with(&options);
	peer_sends(SYN, 0, 0);
	hears_all();
	for (unsigned int i = 1; i < 3; i++) {
		peer_uses_flow(i);
		peer_sends(SYN, 0, 0);
		expect(SYN | ACK, 0, 1);
		peer_sends(ACK, 1, 1, .len = 10);
	}
	hears_all();
	check_equal(apps_count, 1);
	expect_drops(tcp_conns_full, 1);
	aborts();
	hears_all();
	peer_sends(ACK, 1, 1, .len = 10);
	check_equal(apps_count, 2);
	check_equal(apps[1].received, 10);
}

static void
test_an_old_duplicate_does_not_open_it_again(void **state)
{
	/*
	 * [RFC4987-10] The segment with the cookie and a request comes again when the connection has
	 * ended, by whatever end: the request is not heard twice, and the tuple is free after 2 MSL.
	 */
	for (unsigned int end = 0; end < 4; end++) {
		peer_restart(&(struct peer_setup){0});
		in_cookie();
		peer_sends(ACK, 1, 1, .len = 30);
		expect_received(30);
		if (end == 0) {
			peer_sends(FIN | ACK, 31, 1);
			closes();
			hears_all();
			peer_sends(ACK, 32, 2);
		} else if (end == 1) {
			peer_sends(RST, 31, 0);
		} else if (end == 2) {
			aborts();
		} else {
			closes();
			peer_sends(FIN | ACK, 31, 2);
		}
		hears_all();
		check_equal(stats().conns, 0);
		peer_sends(ACK, 1, 1, .len = 30);
		check_equal(apps_count, 1);
		check_equal(stats().syn_cookies_good, 1);
		expect_state(RILL_TIME_WAIT);
		hears_all();
		advance(60001);
		expect_state(RILL_CLOSED);
		check_equal(stats().time_wait, 0);
	}
}

static void
test_a_peer_that_does_not_know_of_the_end_learns_it(void **state)
{
	/* [RFC4987-10] The RST was lost: what the peer says next is answered as if nothing were held. */
	for (unsigned int fin = 0; fin < 2; fin++) {
		peer_restart(&(struct peer_setup){0});
		in_cookie();
		peer_sends(ACK, 1, 1, .len = 30);
		aborts();
		hears_all();
		peer_sends(fin ? FIN | ACK : ACK, 31, 1, .len = fin ? 0 : 100);
		expect(RST, 1, 0);
		expect_drop(tcp_time_wait);
		peer_sends(RST, 31, 0);
		expect_silence();
		expect_state(RILL_TIME_WAIT);
	}
}

static void
test_cookies_do_not_end_a_time_wait(void **state)
{
	/* There is room for one, and TIME-WAIT proper keeps it. */
	struct peer_setup setup = {.options = default_options(), .limits = {.timewait_max = 1}};

	setup.options.backlog = 1;
	peer_restart(&setup);
	in_time_wait();
	for (unsigned int i = 1; i < 3; i++) {
		peer_uses_flow(i);
		peer_sends(SYN, 0, 0);
		expect(SYN | ACK, 0, 1);
	}
	check_equal(stats().syn_cookies_sent, 1);
	peer_sends(ACK, 1, 1);
	peer_sends(RST, 1, 0);
	expect_state(RILL_CLOSED);
	check_equal(stats().timewait_dropped, 1);
	peer_uses_flow(0);
	expect_state(RILL_TIME_WAIT);
}

static void
test_a_tuple_in_time_wait(void **state)
{
	/* [MAY-2] A cookie cannot be chosen above the old numbers: it needs timestamps to be safe. */
	for (unsigned int ts = 0; ts < 2; ts++) {
		struct rill_options options = default_options();

		options.backlog = 1;
		peer_restart(&(struct peer_setup){.ts = ts, .options = options});
		in_time_wait();
		peer_uses_flow(1);
		peer_sends(SYN, 0, 0);
		expect(SYN | ACK, 0, 1);
		peer_uses_flow(0);
		advance(2);
		peer_forgets(100);
		peer_sends(SYN, 0, 0);
		check_equal(hears_all(), ts);
		check_equal(stats().syn_cookies_sent, ts);
		check_equal(stats().drops[RILL_DROP_tcp_backlog_full], !ts);
		expect_state(ts ? RILL_CLOSED : RILL_TIME_WAIT);
	}
}

static void
test_it_is_an_option(void **state)
{
	struct rill_options options = default_options();

	options.syn_cookies = 0;
	in_full_backlog(options);
	peer_sends(SYN, 0, 0);
	expect_silence();
	expect_drop(tcp_backlog_full);
}

static void
test_a_peer_that_takes_next_to_nothing_gets_none(void **state)
{
	struct rill_options options = default_options();

	options.mss_floor = 48;
	in_full_backlog(options);
	peer_sends(SYN, 0, 0, .mss = 215);
	expect_silence();
	expect_drop(tcp_backlog_full);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		dialogue(test_only_a_full_backlog_sends_them),
		dialogue(test_the_lanes_room_for_half_open_ones_counts_too),
		dialogue(test_with_timestamps_all_options_survive),
		dialogue(test_without_timestamps_they_are_all_off),
		dialogue(test_what_our_options_refuse_a_cookie_cannot_claim),
		dialogue(test_data_with_the_third_segment_is_delivered_once),
		dialogue(test_fin_with_the_third_segment),
		dialogue(test_data_that_comes_before_it_waits_outside),
		dialogue(test_a_forged_one_gets_rst),
		dialogue(test_random_acks_open_nothing),
		dialogue(test_an_expired_one_gets_rst),
		dialogue(test_who_sent_none_lately_takes_none),
		dialogue(test_nothing_is_said_again),
		dialogue(test_a_syn_that_comes_again_does_not_shadow_it),
		dialogue(test_its_challenge_of_another_syn_ack_does_not_end_it),
		dialogue(test_a_strangers_syn_does_not_shadow_it),
		dialogue(test_without_room_for_a_connection_the_peer_tries_again),
		dialogue(test_an_old_duplicate_does_not_open_it_again),
		dialogue(test_a_peer_that_does_not_know_of_the_end_learns_it),
		dialogue(test_cookies_do_not_end_a_time_wait),
		dialogue(test_a_tuple_in_time_wait),
		dialogue(test_it_is_an_option),
		dialogue(test_a_peer_that_takes_next_to_nothing_gets_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
