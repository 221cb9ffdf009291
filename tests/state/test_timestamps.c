/* SPDX-License-Identifier: BSD-3-Clause */
/* Timestamps and PAWS [7323]. The peer's clock is the virtual one, in ms. */
#include "fixtures.h"

static int
up(void **state)
{
	peer_restart(&(struct peer_setup){.ts = true});
	return 0;
}

#define with_timestamps(test_) cmocka_unit_test_setup_teardown(test_, up, peer_down)

static uint32_t
clock_now(void)
{
	return (uint32_t)(peer.now / 1000);
}

static void
test_every_segment_has_one(void **state)
{
	/* [RFC7323-10] the peer checks each segment; here is one of each kind */
	in_established();
	writes(10);
	expect(ACK, 1, 1, .len = 10, .has = HAS_TS);
	peer_sends(ACK, 1, 11, .len = 5);
	expect_within(50, ACK, 11, 6, .has = HAS_TS);
	check_equal(peer.got.tsecr, clock_now() - 40);
	shuts_down();
	expect(FIN | ACK, 11, 6, .has = HAS_TS);
}

static void
test_the_payload_makes_room_for_it(void **state)
{
	/* [MUST-16] 1460 - 12 */
	in_established();
	writes(3000);
	expect(ACK, 1, 1, .len = 1448);
}

static void
test_without_negotiation_it_is_ignored(void **state)
{
	/* [RFC7323-12] */
	peer_restart(&(struct peer_setup){.ts = false});
	in_established();
	peer_sends(ACK, 1, 1, .len = 10, .has = HAS_TS, .tsval = 1);
	expect_received(10);
	expect_within(50, ACK, 1, 11);
	check_equal(peer.got.has, 0);
}

static void
test_a_segment_that_lacks_it_is_dropped(void **state)
{
	/* [RFC7323-11] silently, and the connection lives */
	in_established();
	peer_sends(ACK, 1, 1, .len = 10, .bare = true);
	expect_silence();
	expect_drop(tcp_ts_missing);
	expect_received(0);
	peer_sends(ACK, 1, 1, .len = 10);
	expect_received(10);
}

static void
test_paws_drops_and_acknowledges(void **state)
{
	/* [RFC7323-16] */
	in_established();
	peer_sends(ACK, 1, 1, .len = 10, .has = HAS_TS, .tsval = clock_now() - 1, .tsecr = peer.flow->lane_tsval);
	expect(ACK, 1, 1);
	expect_drop(tcp_paws);
	expect_received(0);
	peer_sends(ACK, 1, 1, .len = 10, .has = HAS_TS, .tsval = clock_now(), .tsecr = peer.flow->lane_tsval);
	expect_received(10);
}

static void
test_paws_precedes_the_sequence_check(void **state)
{
	/* [RFC7323-18] */
	in_established();
	peer_sends(ACK, 0x30000000, 1, .len = 10, .has = HAS_TS, .tsval = clock_now() - 1);
	expect(ACK, 1, 1);
	expect_drop(tcp_paws);
}

static void
test_rst_is_not_subject_to_paws(void **state)
{
	/* [RFC7323-17] */
	in_established();
	peer_sends(RST, 1, 0, .has = HAS_TS, .tsval = clock_now() - 100000);
	expect_closed(RESET);
}

static void
test_rst_without_it_is_good(void **state)
{
	/* [RFC7323-11] */
	in_established();
	peer_sends(RST, 1, 0);
	expect_closed(RESET);
}

static void
test_the_peers_clock_may_wrap(void **state)
{
	/* [RFC7323-16, RFC7323-23] modulo 2^32 */
	in_listen();
	peer_sends(SYN, 0, 0, .has = HAS_MSS | HAS_TS, .tsval = 0xfffffff0);
	expect(SYN | ACK, 0, 1);
	peer_sends(ACK, 1, 1, .has = HAS_TS, .tsval = 0xfffffffe, .tsecr = peer.flow->lane_tsval);
	peer_sends(ACK, 1, 1, .len = 10, .has = HAS_TS, .tsval = 5, .tsecr = peer.flow->lane_tsval);
	expect_received(10);
	peer_sends(ACK, 11, 1, .len = 10, .has = HAS_TS, .tsval = 0xffffffff, .tsecr = peer.flow->lane_tsval);
	expect_received(10);
}

static void
test_after_24_days_the_last_one_is_void(void **state)
{
	/* [RFC7323-19] */
	uint32_t then;

	in_established();
	then = clock_now();
	for (unsigned int i = 0; i < 25; i++)
		advance(24u * 3600 * 1000);
	peer_sends(ACK, 1, 1, .len = 10, .has = HAS_TS, .tsval = then - 1000000, .tsecr = peer.flow->lane_tsval);
	expect_received(10);
}

static void
test_what_is_echoed(void **state)
{
	/* [RFC7323-15] delayed ACK: the earlier; a hole: the last in order; filled: the filler */
	uint32_t base, t;

	in_established();
	base = clock_now();
	t = peer.flow->lane_tsval;
	peer_sends(ACK, 1, 1, .len = 10, .has = HAS_TS, .tsval = base + 1, .tsecr = t);
	peer_sends(ACK, 11, 1, .len = 10, .has = HAS_TS, .tsval = base + 2, .tsecr = t);
	expect_within(50, ACK, 1, 21);
	check_equal(peer.got.tsecr, base + 1);
	peer_sends(ACK, 31, 1, .len = 10, .has = HAS_TS, .tsval = base + 50, .tsecr = t);
	expect(ACK, 1, 21);
	check_equal(peer.got.tsecr, base + 1);
	peer_sends(ACK, 21, 1, .len = 10, .has = HAS_TS, .tsval = base + 51, .tsecr = t);
	expect(ACK, 1, 41);
	check_equal(peer.got.tsecr, base + 51);
}

static void
test_the_handshakes_last_ack_is_echoed(void **state)
{
	/* Where we speak first, it is the newest that the peer has sent. */
	in_syn_received();
	advance(7);
	peer_sends(ACK, 1, 1);
	expect_opened();
	writes(10);
	expect(ACK, 1, 1, .len = 10);
	check_equal(peer.got.tsecr, clock_now());
}

static void
test_poison_beyond_the_window_is_not_remembered(void **state)
{
	/* [ATK-37, RFC7323-15] a future timestamp with a wrong number */
	uint32_t t;

	in_established();
	t = peer.flow->lane_tsval;
	peer_sends(ACK, 0x20000000, 1, .len = 10, .has = HAS_TS, .tsval = clock_now() + 1000000, .tsecr = t);
	peer_sends(ACK, 500, 1, .len = 10, .has = HAS_TS, .tsval = clock_now() + 1000000, .tsecr = t);
	hears_all();
	peer_sends(ACK, 1, 1, .len = 10, .has = HAS_TS, .tsval = clock_now(), .tsecr = t);
	expect_received(10);
}

static void
test_rtt_is_taken_from_retransmissions_too(void **state)
{
	/* [RFC7323-14] the echo tells which one was acknowledged */
	uint32_t second;

	in_established();
	writes(10);
	expect(ACK, 1, 1, .len = 10);
	expect_within(3100, ACK, 1, 1, .len = 10);
	second = peer.got.tsval;
	advance(80);
	peer_sends(ACK, 1, 11, .has = HAS_TS, .tsval = clock_now(), .tsecr = second);
	check(info().srtt_us >= 10000 && info().srtt_us <= 90000);
}

static void
test_an_insane_echo_gives_no_sample(void **state)
{
	/* [RFC7323-14] */
	in_established();
	writes(10);
	expect(ACK, 1, 1, .len = 10);
	advance(10);
	peer_sends(ACK, 1, 11, .has = HAS_TS, .tsval = clock_now(), .tsecr = peer.flow->lane_tsval + 100000);
	check(info().srtt_us <= 20000);
}

static void
test_our_clock_ticks_in_ms_and_never_back(void **state)
{
	/* [RFC7323-20, RFC7323-23] */
	uint32_t last;

	in_established();
	sets(RILL_OPT_nodelay, 1);
	writes(1);
	expect(ACK, 1, 1, .len = 1);
	last = peer.got.tsval;
	advance(100);
	writes(1);
	expect(ACK, 2, 1, .len = 1);
	check_equal(peer.got.tsval - last, 100);
}

static void
test_connections_have_different_offsets(void **state)
{
	/* [RFC7323-22] */
	uint32_t first;

	in_syn_received();
	first = peer.got.tsval;
	peer_uses_flow(1);
	peer_sends(SYN, 0, 0);
	expect(SYN | ACK, 0, 1);
	check(peer.got.tsval - first > 100000 && first - peer.got.tsval > 100000);
}

static void
test_a_tuples_timestamps_go_on(void **state)
{
	/* [RFC6191-8] from one incarnation to the next */
	uint32_t last;

	in_listen();
	peer_sends(SYN, 0, 0);
	expect(SYN | ACK, 0, 1);
	last = peer.got.tsval;
	peer_sends(RST, 1, 0);
	advance(5);
	peer_forgets(100);
	peer_sends(SYN, 0, 0);
	expect(SYN | ACK, 0, 1);
	check_equal(peer.got.tsval - last, 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		with_timestamps(test_every_segment_has_one),
		with_timestamps(test_the_payload_makes_room_for_it),
		with_timestamps(test_without_negotiation_it_is_ignored),
		with_timestamps(test_a_segment_that_lacks_it_is_dropped),
		with_timestamps(test_paws_drops_and_acknowledges),
		with_timestamps(test_paws_precedes_the_sequence_check),
		with_timestamps(test_rst_is_not_subject_to_paws),
		with_timestamps(test_rst_without_it_is_good),
		with_timestamps(test_the_peers_clock_may_wrap),
		with_timestamps(test_after_24_days_the_last_one_is_void),
		with_timestamps(test_what_is_echoed),
		with_timestamps(test_the_handshakes_last_ack_is_echoed),
		with_timestamps(test_poison_beyond_the_window_is_not_remembered),
		with_timestamps(test_rtt_is_taken_from_retransmissions_too),
		with_timestamps(test_an_insane_echo_gives_no_sample),
		with_timestamps(test_our_clock_ticks_in_ms_and_never_back),
		with_timestamps(test_connections_have_different_offsets),
		with_timestamps(test_a_tuples_timestamps_go_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
