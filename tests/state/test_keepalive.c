/* SPDX-License-Identifier: BSD-3-Clause */
/* Keepalive [9293 3.8.4] and the user timeout. */
#include "fixtures.h"

static void
keep_alive(int32_t idle_ms, int32_t interval_ms, int32_t count)
{
	sets(RILL_OPT_keepalive_interval_ms, interval_ms);
	sets(RILL_OPT_keepalive_count, count);
	sets(RILL_OPT_keepalive_idle_ms, idle_ms);
}

static void
test_it_is_off_by_default(void **state)
{
	/* [MUST-25] and an idle connection has no timer */
	in_established();
	advance(24u * 3600 * 1000);
	expect_silence();
	check_equal(rill_lane_deadline(peer.lane), RILL_NEVER);
	expect_alive();
}

static void
test_probes_when_idle(void **state)
{
	/* [MUST-24, MUST-27, SHLD-12] SEQ is snd_nxt - 1, and no data */
	in_established();
	keep_alive(10000, 1000, 3);
	advance(9990);
	expect_silence();
	expect_within(20, ACK, 0, 1);
	check_equal(stats().keepalive_probes, 1);
	peer_sends(ACK, 1, 1);
	advance(9990);
	expect_silence();
	expect_within(20, ACK, 0, 1);
}

static void
test_unanswered_probes_end_it(void **state)
{
	/* [MUST-29] three, not one */
	in_established();
	keep_alive(10000, 1000, 3);
	expect_within(10100, ACK, 0, 1);
	expect_within(1100, ACK, 0, 1);
	expect_within(1100, ACK, 0, 1);
	expect_alive();
	advance(1100);
	expect_closed(TIMEOUT);
	check_equal(stats().conns_timed_out, 1);
}

static void
test_a_late_answer_saves_it(void **state)
{
	/* [MUST-29] and the count starts over */
	in_established();
	keep_alive(10000, 1000, 3);
	for (unsigned int i = 0; i < 5; i++) {
		expect_within(10100, ACK, 0, 1);
		expect_within(1100, ACK, 0, 1);
		peer_sends(ACK, 1, 1);
	}
	expect_alive();
}

static void
test_traffic_puts_it_off(void **state)
{
	/* [MUST-26] */
	in_established();
	keep_alive(10000, 1000, 3);
	for (unsigned int i = 0; i < 10; i++) {
		advance(9000);
		peer_sends(ACK, 1 + i, 1, .len = 1);
	}
	advance(100);
	while (hears())
		check_equal(peer.got.seq, 1);
	check_equal(stats().keepalive_probes, 0);
}

static void
test_no_probe_while_data_is_outstanding(void **state)
{
	/* [MUST-26] retransmissions instead */
	in_established();
	keep_alive(1000, 1000, 3);
	writes(10);
	expect(ACK, 1, 1, .len = 10);
	for (unsigned int i = 0; i < 100; i++) {
		advance(100);
		while (hears())
			check(peer.got.flags & RST || peer.got.len == 10);
	}
	check_equal(stats().keepalive_probes, 0);
}

static void
test_one_connection_only(void **state)
{
	/* [MUST-24] */
	in_established();
	keep_alive(10000, 1000, 3);
	peer_uses_flow(1);
	peer_sends(SYN, 0, 0);
	expect(SYN | ACK, 0, 1);
	peer_sends(ACK, 1, 1);
	advance(10100);
	peer_uses_flow(0);
	expect(ACK, 0, 1);
	expect_silence();
}

static void
test_it_can_be_turned_off_again(void **state)
{
	/* [MUST-24] */
	in_established();
	keep_alive(10000, 1000, 3);
	advance(5000);
	sets(RILL_OPT_keepalive_idle_ms, 0);
	advance(60000);
	expect_silence();
}

static void
test_a_peers_probe_is_answered(void **state)
{
	/* [RFC1122-11, MAY-6] with a byte or without */
	in_established();
	peer_sends(ACK, 0, 1);
	expect(ACK, 1, 1);
	peer_sends(ACK, 0, 1, .len = 1);
	expect(ACK, 1, 1);
	expect_received(0);
}

static void
test_it_probes_in_close_wait_and_fin_wait_2(void **state)
{
	/* 9293 3.8.4 speaks of any idle connection: a half-closed one is as likely to be dead */
	in_close_wait();
	keep_alive(10000, 1000, 2);
	expect_within(10100, ACK, 0, 2);
	advance(3000);
	expect_closed(TIMEOUT);
	peer_restart(&peer.setup);
	in_fin_wait_2();
	keep_alive(10000, 1000, 2);
	expect_within(10100, ACK, 1, 1);
	advance(3000);
	expect_closed(TIMEOUT);
}

static void
test_user_timeout_ends_one_of_two(void **state)
{
	/* [MUST-21, RFC9293-E33] */
	in_established();
	peer_uses_flow(1);
	peer_sends(SYN, 0, 0);
	expect(SYN | ACK, 0, 1);
	peer_sends(ACK, 1, 1);
	sets(RILL_OPT_user_timeout_ms, 5000);
	writes(10);
	app = &apps[1];
	writes(10);
	advance(4900);
	check_equal(apps[0].closed, 0);
	advance(300);
	check_equal(apps[0].closed, 1);
	check_equal(apps[0].why, RILL_CLOSE_TIMEOUT);
	check_equal(apps[1].closed, 0);
	hears_all();
}

static void
test_progress_puts_the_user_timeout_off(void **state)
{
	in_established();
	sets(RILL_OPT_user_timeout_ms, 5000);
	sets(RILL_OPT_nodelay, 1);
	for (unsigned int i = 0; i < 20; i++) {
		writes(10);
		advance(3000);
		hears_all();
		peer_sends(ACK, 1, 1 + 10 * (i + 1));
	}
	expect_alive();
	advance(100000);
	expect_alive();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		dialogue(test_it_is_off_by_default),
		dialogue(test_probes_when_idle),
		dialogue(test_unanswered_probes_end_it),
		dialogue(test_a_late_answer_saves_it),
		dialogue(test_traffic_puts_it_off),
		dialogue(test_no_probe_while_data_is_outstanding),
		dialogue(test_one_connection_only),
		dialogue(test_it_can_be_turned_off_again),
		dialogue(test_a_peers_probe_is_answered),
		dialogue(test_it_probes_in_close_wait_and_fin_wait_2),
		dialogue(test_user_timeout_ends_one_of_two),
		dialogue(test_progress_puts_the_user_timeout_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
