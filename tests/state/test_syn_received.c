/* SPDX-License-Identifier: BSD-3-Clause */
/* SYN-RECEIVED by passive open: half-open connections, which the application does not know yet. */
#include "fixtures.h"

#include <string.h>

static void
test_the_syn_ack_offers_what_was_offered(void **state)
{
	/* [MUST-14, RFC7323-1, RFC7323-9] */
	peer_restart(&(struct peer_setup){.ts = true, .sack = true, .ws = true, .wscale = 3});
	in_listen();
	peer_sends(SYN, 0, 0, .has = HAS_MSS | HAS_TS | HAS_WSCALE | HAS_SACK_OK, .mss = 1400, .tsval = 4711,
		.wscale = 3);
	expect(SYN | ACK, 0, 1, .mss = 1460, .has = HAS_MSS | HAS_WSCALE | HAS_SACK_OK | HAS_TS);
	check_equal(peer.got.tsecr, 4711);
}

static void
test_the_syn_ack_offers_nothing_else(void **state)
{
	/* [RFC7323-1, RFC7323-9, RFC2018-2] */
	in_syn_received();
	check_equal(peer.got.has, HAS_MSS);
}

static void
test_the_application_hears_of_it_after_the_ack(void **state)
{
	in_syn_received();
	check_equal(apps_count, 0);
	check_equal(stats().syn_received, 1);
	check_equal(stats().conns, 0);
	peer_sends(ACK, 1, 1);
	expect_opened();
	check_equal(stats().syn_received, 0);
	check_equal(stats().conns, 1);
	check_equal(stats().passive_opens, 1);
}

static void
test_an_unacceptable_ack_gets_rst(void **state)
{
	/* [RFC9293-E18, RFC9293-E37] and the half-open connection survives. */
	in_syn_received();
	peer_sends(ACK, 1, 0);
	expect(RST, 0, 0);
	expect_drop(tcp_syn_received_ack);
	peer_sends(ACK, 1, 2);
	expect(RST, 2, 0);
	expect_drop(tcp_syn_received_ack);
	check_equal(apps_count, 0);
	peer_sends(ACK, 1, 1);
	expect_opened();
}

static void
test_a_repeated_syn_gets_the_same_syn_ack(void **state)
{
	/* [RFC9293-E39] same ISS (the peer insists on it), a single child. */
	in_syn_received();
	peer_sends(SYN, 0, 0);
	expect(SYN | ACK, 0, 1);
	expect_silence();
	check_equal(stats().syn_received, 1);
	peer_sends(ACK, 1, 1);
	check_equal(apps_count, 1);
}

static void
test_the_syn_ack_is_repeated_a_bounded_number_of_times(void **state)
{
	/* [RFC4987-6, ATK-41, RFC6298-14] 1, 2, 4, 8, 16 s, and then it is forgotten. */
	in_syn_received();
	for (unsigned int i = 0; i < 5; i++) {
		uint64_t last = peer.now;

		expect_within(61000, SYN | ACK, 0, 1);
		check((peer.got_at - last) / 1000 >= 1000u << i);
		check((peer.got_at - last) / 1000 <= (1000u << i) + 10);
	}
	advance(64000);
	expect_silence();
	expect_state(RILL_CLOSED);
	check_equal(stats().syn_received, 0);
	check_equal(apps_count, 0);
}

static void
test_rst_makes_a_passive_one_vanish(void **state)
{
	/* [MUST-11, RFC4987-8] The listener goes on. */
	in_syn_received();
	peer_sends(RST, 1, 0);
	expect_silence();
	expect_state(RILL_CLOSED);
	check_equal(apps_count, 0);
	check_equal(stats().syn_received, 0);
	peer_uses_flow(1);
	peer_sends(SYN, 0, 0);
	expect(SYN | ACK, 0, 1);
}

static void
test_rst_outside_the_window_is_ignored(void **state)
{
	/* [RFC9293-E14, RFC5961-3] */
	in_syn_received();
	peer_sends(RST, 0, 0);
	peer_sends(RST, 0x20000000, 0);
	expect_silence();
	expect_state(RILL_SYN_RECEIVED);
	peer_sends(ACK, 1, 1);
	expect_opened();
}

static void
test_segments_without_ack_are_dropped(void **state)
{
	/* [RFC9293-E17] */
	in_syn_received();
	peer_sends(0, 1, 0, .len = 5);
	peer_sends(FIN, 1, 0);
	expect_silence();
	expect_drops(tcp_no_ack, 2);
	expect_state(RILL_SYN_RECEIVED);
}

static void
test_the_ack_may_bring_data_and_fin(void **state)
{
	in_syn_received();
	peer_sends(FIN | ACK, 1, 1, .len = 30);
	expect(ACK, 1, 32);
	expect_opened();
	expect_received(30);
	expect_eof();
	expect_state(RILL_CLOSE_WAIT);
}

static void
test_data_may_come_after_a_lost_ack(void **state)
{
	/* The third segment was lost; data that follows it opens just as well, once the hole is filled. */
	in_syn_received();
	peer_sends(ACK, 101, 1, .len = 50);
	hears_all();
	expect_opened();
	expect_received(0);
	peer_sends(ACK, 1, 1, .len = 100);
	expect(ACK, 1, 151);
	expect_received(150);
}

static void
test_an_old_segment_is_acknowledged(void **state)
{
	/* [RFC9293-E13] not acceptable: ACK, and no opening. */
	in_syn_received();
	peer_sends(ACK, 0x40000000, 1, .len = 5);
	expect(ACK, 1, 1);
	expect_drop(tcp_out_of_window);
	check_equal(apps_count, 0);
	expect_state(RILL_SYN_RECEIVED);
}

static void
test_rtt_of_the_handshake_is_taken(void **state)
{
	/* [RFC6298-2] unless the SYN-ACK was sent twice [RFC6298-6]. */
	in_syn_received();
	advance(100);
	peer_sends(ACK, 1, 1);
	check(info().srtt_us >= 100000 && info().srtt_us <= 101000);
	check(info().rttvar_us >= 50000 && info().rttvar_us <= 50500);
	check(info().rto_us >= 300000 && info().rto_us <= 303000);
}

static void
test_no_rtt_sample_from_a_repeated_syn_ack(void **state)
{
	/* [RFC6298-6, RFC6298-15, RFC6928-3] */
	in_syn_received();
	expect_within(1100, SYN | ACK, 0, 1);
	advance(10);
	peer_sends(ACK, 1, 1);
	check_equal(info().srtt_us, 0);
	check_equal(info().rto_us, 3000000);
}

static void
test_the_first_window_after_lost_syn_acks(void **state)
{
	/* [RFC5681-4, RFC6928-3, RFC6928-5] one lost: as ever, by RFC 6928; two: one segment */
	in_syn_received();
	expect_within(1100, SYN | ACK, 0, 1);
	peer_sends(ACK, 1, 1);
	writes(20 * 1460);
	check_equal(hears_all(), 10);
	peer_restart(&(struct peer_setup){.mss = 0});
	in_syn_received();
	expect_within(1100, SYN | ACK, 0, 1);
	expect_within(2100, SYN | ACK, 0, 1);
	peer_sends(ACK, 1, 1);
	writes(20 * 1460);
	check_equal(hears_all(), 1);
}

static void
test_peers_mss_binds(void **state)
{
	/* [MUST-14, MUST-4] */
	static const uint8_t options[] = {1, 1, 2, 4, 700 >> 8, 700 & 255, 0, 0};

	in_listen();
	peer_sends(SYN, 0, 0, .options = options, .options_len = sizeof(options));
	expect(SYN | ACK, 0, 1);
	peer_sends(ACK, 1, 1);
	writes(2000);
	expect(ACK, 1, 1, .len = 700);
	expect(ACK, 701, 1, .len = 700);
}

static void
test_without_an_mss_it_is_the_least_that_all_take(void **state)
{
	/* [MUST-15] */
	peer_restart(&(struct peer_setup){.mss = 1});
	in_established();
	writes(2000);
	expect(ACK, 1, 1, .len = peer.flow->ip6 ? 1220 : 536);
}

static void
test_tiny_mss_is_clamped(void **state)
{
	/* [ATK-5, RFC6691-2] No mean segment of a byte or eight: mss_floor, less 12 with timestamps. */
	static const uint16_t sizes[] = {0, 1, 7, 8, 12, 13, 48, 88, 215, 216};

	for (unsigned int i = 0; i < RTE_DIM(sizes) * 2; i++) {
		const uint8_t options[] = {2, 4, (uint8_t)(sizes[i / 2] >> 8), (uint8_t)sizes[i / 2], 1, 1, 8, 10,
			0, 0, 0, 1, 0, 0, 0, 0};
		uint32_t segments = 0;

		peer_restart(&(struct peer_setup){.ts = i % 2});
		in_listen();
		peer_sends(SYN, 0, 0, .options = options, .options_len = i % 2 ? 16 : 4);
		peer.flow->peer_ts = i % 2;
		expect(SYN | ACK, 0, 1);
		peer_sends(ACK, 1, 1);
		writes(2160);
		for (uint32_t una = 1; una < 2161; segments += hears_all(), una += peer.got.len)
			peer_sends(ACK, 1, una);
		check(segments >= 10 && segments <= 12);
	}
}

static void
test_the_floor_is_an_option_and_our_own_mtu_counts(void **state)
{
	/* [ATK-5, MUST-16] */
	struct rill_options options = default_options();

	options.mss_floor = 88;
	options.mss = 150;
	peer_restart(&(struct peer_setup){.options = options, .mss = 40});
	in_established();
	writes(88);
	expect(ACK, 1, 1, .len = 88);
	peer_restart(&(struct peer_setup){.options = options});
	in_established();
	writes(300);
	expect(ACK, 1, 1, .len = 150);
}

static void
test_under_pressure_the_syn_ack_is_repeated_less(void **state)
{
	/* [RFC4987-6, ATK-41] five times; once while more than half of the backlog waits */
	struct rill_options options = default_options();

	options.backlog = 8;
	for (unsigned int n = 4; n <= 8; n += 4) {
		peer_restart(&(struct peer_setup){.options = options});
		in_listen();
		for (unsigned int i = 0; i < n; i++) {
			peer_uses_flow(i);
			peer_sends(SYN, 0, 0);
		}
		check_equal(hears_all(), n);
		advance(100000);
		/* Of eight, four are given up after one; then there is room for the others' five. */
		check_equal(hears_all(), n == 4 ? 4 * 5 : 4 * 1 + 4 * 5);
		check_equal(stats().syn_received, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		dialogue(test_the_syn_ack_offers_what_was_offered),
		dialogue(test_the_syn_ack_offers_nothing_else),
		dialogue(test_the_application_hears_of_it_after_the_ack),
		dialogue(test_an_unacceptable_ack_gets_rst),
		dialogue(test_a_repeated_syn_gets_the_same_syn_ack),
		dialogue(test_the_syn_ack_is_repeated_a_bounded_number_of_times),
		dialogue(test_rst_makes_a_passive_one_vanish),
		dialogue(test_rst_outside_the_window_is_ignored),
		dialogue(test_segments_without_ack_are_dropped),
		dialogue(test_the_ack_may_bring_data_and_fin),
		dialogue(test_data_may_come_after_a_lost_ack),
		dialogue(test_an_old_segment_is_acknowledged),
		dialogue(test_rtt_of_the_handshake_is_taken),
		dialogue(test_no_rtt_sample_from_a_repeated_syn_ack),
		dialogue(test_the_first_window_after_lost_syn_acks),
		dialogue(test_peers_mss_binds),
		dialogue(test_without_an_mss_it_is_the_least_that_all_take),
		dialogue(test_tiny_mss_is_clamped),
		dialogue(test_the_floor_is_an_option_and_our_own_mtu_counts),
		dialogue(test_under_pressure_the_syn_ack_is_repeated_less),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
