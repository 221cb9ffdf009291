/* SPDX-License-Identifier: BSD-3-Clause */
/* Receiving: in order, out of order, overlapping, acknowledged when and how, and the window [9293 3.8.6, 3.10.7.4]. */
#include "fixtures.h"

#include <string.h>

#include <rte_mbuf.h>

static void
up_with(uint32_t rcvbuf)
{
	struct peer_setup setup = {.options = default_options()};

	setup.options.rcvbuf = (int32_t)rcvbuf;
	peer_restart(&setup);
}

static void
test_a_single_segment_is_acknowledged_late(void **state)
{
	/* [SHLD-18, MUST-40, RFC5681-19] */
	in_established();
	peer_sends(ACK, 1, 1, .len = 100);
	expect_received(100);
	expect_silence();
	advance(30);
	expect_silence();
	expect_within(20, ACK, 1, 101);
	check_equal(stats().delayed_acks, 1);
}

static void
test_every_second_full_segment_is_acknowledged_at_once(void **state)
{
	/* [SHLD-19] */
	in_established();
	peer_sends(ACK, 1, 1, .len = 1460);
	expect_silence();
	peer_sends(ACK, 1461, 1, .len = 1460);
	expect(ACK, 1, 2921);
	peer_sends(ACK, 2921, 1, .len = 1460);
	expect_silence();
	expect_within(50, ACK, 1, 4381);
	expect_silence();
}

static void
test_a_burst_is_acknowledged_once(void **state)
{
	/* [MUST-58, MUST-59, RFC5681-20] */
	in_established();
	burst_begin();
	for (unsigned int i = 0; i < 32; i++)
		peer_sends(ACK, 1 + i * 1000, 1, .len = 1000);
	burst_end();
	expect(ACK, 1, 32001);
	expect_silence();
	expect_received(32000);
}

static void
test_the_ack_rides_on_data(void **state)
{
	in_established();
	apps[0].echo = true;
	peer_sends(ACK, 1, 1, .len = 50);
	expect(ACK, 1, 51, .len = 50);
	expect_silence();
	advance(100);
	expect_silence();
}

static void
test_a_hole_is_reported_at_once_and_filled_at_once(void **state)
{
	/* [SHLD-31, MAY-13, RFC5681-11, RFC5681-12, RFC1122-7] */
	in_established();
	peer_sends(ACK, 101, 1, .len = 100);
	expect(ACK, 1, 1);
	check_equal(info().out_of_order, 100);
	peer_sends(ACK, 201, 1, .len = 100);
	expect(ACK, 1, 1);
	expect_received(0);
	peer_sends(ACK, 1, 1, .len = 100);
	expect(ACK, 1, 301);
	expect_received(300);
	check_equal(info().out_of_order, 0);
	check_equal(stats().out_of_order_in, 2);
}

static void
test_part_of_a_hole_is_filled_at_once(void **state)
{
	/* [RFC5681-12] */
	in_established();
	peer_sends(ACK, 301, 1, .len = 100);
	expect(ACK, 1, 1);
	peer_sends(ACK, 1, 1, .len = 100);
	expect(ACK, 1, 101);
	peer_sends(ACK, 101, 1, .len = 200);
	expect(ACK, 1, 401);
	expect_received(400);
}

static void
test_overlaps_are_trimmed_on_both_sides(void **state)
{
	/* [RFC9293-E16] every byte is delivered once, whichever copy it comes from */
	in_established();
	peer_sends(ACK, 51, 1, .len = 50);
	peer_sends(ACK, 151, 1, .len = 50);
	peer_sends(ACK, 81, 1, .len = 100);
	peer_sends(ACK, 21, 1, .len = 300);
	hears_all();
	expect_received(0);
	peer_sends(ACK, 1, 1, .len = 60);
	hears_all();
	/* What a segment holds on both sides of an island may have to come again. */
	check(app->received >= 200);
	peer_sends(ACK, 21, 1, .len = 300);
	expect_within(50, ACK, 1, 321);
	expect_received(320);
	peer_sends(ACK, 301, 1, .len = 40);
	expect_received(340);
}

static void
test_random_pieces_in_random_order(void **state)
{
	/* [SHLD-31] against the pattern: the recorder checks each byte */
	uint32_t seed = 12345, rounds = 0;

	in_established();
	while (app->received < 20000 && rounds++ < 20000) {
		uint32_t at, len;

		seed = seed * 1664525 + 1013904223;
		at = 1 + (app->received / 4000 * 4000) + (seed >> 8) % 4000;
		len = 1 + (seed >> 20) % 300;
		peer_sends(ACK, at, 1, .len = len);
		hears_all();
	}
	check(app->received >= 20000);
	expect_alive();
}

static void
test_data_beyond_the_window_is_cut_with_its_fin(void **state)
{
	/* [RFC9293-E16] */
	up_with(4096);
	in_established();
	pauses();
	peer_sends(ACK, 1, 1, .len = 1460);
	peer_sends(ACK, 1461, 1, .len = 1460);
	hears_all();
	peer_sends(FIN | ACK, 2921, 1, .len = 1460);
	check(hears());
	check(peer.got.ack <= 4097 && peer.got.ack >= 2921);
	check_equal(peer.got.ack + peer.got.wnd, 4097);
	expect_state(RILL_ESTABLISHED);
	resumes();
	expect_no_eof();
	hears_all();
	peer_sends(FIN | ACK, 2921, 1, .len = 1460);
	expect(ACK, 1, 4382);
	expect_received(4380);
	expect_eof();
}

static void
test_a_fin_beyond_a_hole_waits(void **state)
{
	/* [RFC9293-E23] */
	in_established();
	peer_sends(FIN | ACK, 101, 1, .len = 50);
	expect(ACK, 1, 1);
	expect_no_eof();
	expect_state(RILL_ESTABLISHED);
	peer_sends(ACK, 1, 1, .len = 100);
	expect(ACK, 1, 152);
	expect_received(150);
	expect_eof();
	expect_state(RILL_CLOSE_WAIT);
}

static void
test_a_lonely_fin_beyond_a_hole_waits(void **state)
{
	/* [RFC9293-E23] */
	in_established();
	peer_sends(FIN | ACK, 101, 1);
	expect(ACK, 1, 1);
	expect_no_eof();
	peer_sends(ACK, 1, 1, .len = 100);
	expect(ACK, 1, 102);
	expect_eof();
}

static void
test_damaged_segments_are_dropped(void **state)
{
	/*
	 * [MUST-3, RFC8200-15] one bit flipped anywhere in the TCP segment or the addresses; in IPv6 the
	 * lane's own has no other sum to protect it, but is then another's.
	 */
	uint8_t packet[WIRE_HEADERS_MAX + 64];
	unsigned int first = peer.flow->ip6 ? 8 : 12, bits = 0;
	size_t len = WIRE_HEADERS_MAX;

	in_established();
	for (unsigned int bit = first * 8; bit < len * 8; bit++, bits++) {
		len = peer_packet(packet, &(struct say){.flags = ACK, .seq = 1, .ack = 1, .len = 11});
		packet[bit / 8] ^= (uint8_t)(1u << bit % 8);
		peer_sends_raw(packet, len);
		expect_silence();
	}
	expect_received(0);
	check_equal(bits, (len - first) * 8);
	check_equal(stats().drops[RILL_DROP_tcp_checksum] + stats().drops[RILL_DROP_ip_checksum] +
			    stats().drops[RILL_DROP_ip_not_ours] + stats().drops[RILL_DROP_ip_broadcast] +
			    stats().drops[RILL_DROP_tcp_data_offset],
		bits);
}

static void
test_lengths_that_lie_are_dropped(void **state)
{
	/* [RFC9293-E40, ATK-13] data offset 0..4, and beyond the segment */
	uint8_t packet[WIRE_HEADERS_MAX + 64];

	in_established();
	for (unsigned int offset = 0; offset < 16; offset++) {
		size_t len = peer_packet(packet, &(struct say){.flags = ACK, .seq = 1, .ack = 1, .len = 8});

		if (offset >= 5 && offset <= 7)
			continue;
		packet[wire_ip_len(packet) + 12] = (uint8_t)(offset << 4);
		wire_fix_checksums(packet, len);
		peer_sends_raw(packet, len);
		expect_silence();
		expect_drop(tcp_data_offset);
	}
	expect_received(0);
}

static void
test_padding_behind_the_packet_is_not_data(void **state)
{
	/* [RFC9293-E40] */
	uint8_t packet[WIRE_HEADERS_MAX + 64] = {0};
	size_t len;

	in_established();
	len = peer_packet(packet, &(struct say){.flags = ACK, .seq = 1, .ack = 1, .len = 4});
	peer_sends_raw(packet, len + 16);
	expect_received(4);
	expect_within(50, ACK, 1, 5);
}

static void
test_reserved_bits_are_ignored(void **state)
{
	/* [RFC9293-E41] */
	in_established();
	peer_sends(ACK, 1, 1, .len = 10, .reserved = 15);
	expect_received(10);
	expect_within(50, ACK, 1, 11);
}

static void
test_the_window_closes_and_opens_by_pause(void **state)
{
	/* [SHLD-14, MAY-8, RFC1122-6, MUST-39] and probes of a closed window are answered */
	up_with(8000);
	in_established();
	pauses();
	for (uint32_t at = 1; at < 8001; at += 1000)
		peer_sends(ACK, at, 1, .len = 1000);
	while (hears())
		check_equal(peer.got.ack + peer.got.wnd, 8001);
	advance(50);
	hears_all();
	check_equal(peer.got.ack, 8001);
	check_equal(peer.got.wnd, 0);
	peer_sends(ACK, 8001, 1, .len = 1);
	expect(ACK, 1, 8001, .wnd = WND_ZERO);
	expect_received(0);
	check_equal(info().rcv_queued, 8000);
	resumes();
	expect_received(8000);
	expect(ACK, 1, 8001, .wnd = 8000);
	peer_sends(ACK, 8001, 1, .len = 1);
	expect_received(8001);
}

static void
test_a_closed_window_still_takes_rst_and_ack(void **state)
{
	/* [MUST-66, RFC5961-13] */
	up_with(4000);
	in_established();
	pauses();
	writes(10);
	expect(ACK, 1, 1, .len = 10);
	for (uint32_t at = 1; at < 4001; at += 1000)
		peer_sends(ACK, at, 1, .len = 1000);
	hears_all();
	peer_sends(ACK, 4001, 11);
	check_equal(info().snd_queued, 0);
	hears_all();
	peer_sends(RST, 4002, 0);
	hears_all();
	expect_alive();
	peer_sends(RST, 4001, 0);
	expect_closed(RESET);
}

static void
test_manual_consume_opens_the_window_in_steps(void **state)
{
	/* [MUST-39, RFC1122-8] no update before min(rcvbuf / 2, MSS) is free */
	struct peer_setup setup = {.options = default_options()};

	setup.options.manual_consume = 1;
	setup.options.rcvbuf = 8000;
	peer_restart(&setup);
	in_established();
	for (uint32_t at = 1; at < 8001; at += 1000)
		peer_sends(ACK, at, 1, .len = 1000);
	advance(50);
	hears_all();
	check_equal(peer.got.wnd, 0);
	expect_received(8000);
	check_equal(info().rcv_unread, 8000);
	for (unsigned int i = 0; i < 1459; i++) {
		check_equal(rill_consume(app->conn, 1), 0);
		turn();
	}
	expect_silence();
	peer_sends(ACK, 8001, 1, .len = 1);
	expect(ACK, 1, 8001, .wnd = WND_ZERO);
	check_equal(rill_consume(app->conn, 1), 0);
	turn();
	expect(ACK, 1, 8001, .wnd = 1460);
	check(rill_consume(app->conn, 8000) < 0);
}

static void
test_pause_keeps_eof_back(void **state)
{
	in_established();
	pauses();
	peer_sends(FIN | ACK, 1, 1, .len = 10);
	hears_all();
	expect_received(0);
	expect_no_eof();
	resumes();
	expect_received(10);
	expect_eof();
}

static void
test_reassembly_is_bounded(void **state)
{
	/* [ATK-1] one-byte islands at every second place: memory stays bounded, the stream comes right */
	uint32_t before = stats().mbufs, most = 0;

	in_established();
	for (unsigned int i = 0; i < 3000; i++) {
		peer_sends(ACK, 2 + 2 * i, 1, .len = 1);
		most = RTE_MAX(most, stats().mbufs);
	}
	hears_all();
	peer_note("at most %u buffers", most - before);
	check(most - before <= 256);
	check(stats().drops[RILL_DROP_tcp_reassembly_full] > 0);
	for (uint32_t at = 1; at < 6001; at += 1000)
		peer_sends(ACK, at, 1, .len = 1000);
	expect_received(6000);
}

static void
test_duplicates_are_acknowledged_and_dropped(void **state)
{
	/* [RFC9293-E13] */
	in_established();
	peer_sends(ACK, 1, 1, .len = 100);
	advance(50);
	expect(ACK, 1, 101);
	peer_sends(ACK, 1, 1, .len = 100);
	expect(ACK, 1, 101);
	expect_drop(tcp_out_of_window);
	expect_received(100);
	peer_sends(ACK, 201, 1, .len = 100);
	expect(ACK, 1, 101);
	peer_sends(ACK, 201, 1, .len = 100);
	expect(ACK, 1, 101);
	expect_drop(tcp_duplicate);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		dialogue(test_a_single_segment_is_acknowledged_late),
		dialogue(test_every_second_full_segment_is_acknowledged_at_once),
		dialogue(test_a_burst_is_acknowledged_once),
		dialogue(test_the_ack_rides_on_data),
		dialogue(test_a_hole_is_reported_at_once_and_filled_at_once),
		dialogue(test_part_of_a_hole_is_filled_at_once),
		dialogue(test_overlaps_are_trimmed_on_both_sides),
		dialogue(test_random_pieces_in_random_order),
		dialogue(test_data_beyond_the_window_is_cut_with_its_fin),
		dialogue(test_a_fin_beyond_a_hole_waits),
		dialogue(test_a_lonely_fin_beyond_a_hole_waits),
		dialogue(test_damaged_segments_are_dropped),
		dialogue(test_lengths_that_lie_are_dropped),
		dialogue(test_padding_behind_the_packet_is_not_data),
		dialogue(test_reserved_bits_are_ignored),
		dialogue(test_the_window_closes_and_opens_by_pause),
		dialogue(test_a_closed_window_still_takes_rst_and_ack),
		dialogue(test_manual_consume_opens_the_window_in_steps),
		dialogue(test_pause_keeps_eof_back),
		dialogue(test_reassembly_is_bounded),
		dialogue(test_duplicates_are_acknowledged_and_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
