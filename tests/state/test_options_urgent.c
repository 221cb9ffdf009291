/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP options as strangers write them [9293 3.1, 3.2], and urgent data both ways [9293 3.8.5]. */
#include "fixtures.h"

static void
test_options_in_any_order_and_alignment(void **state)
{
	/* [MUST-64, MUST-4] without a single NOP */
	static const uint8_t options[] = {4, 2, 3, 3, 5, 8, 10, 0, 0, 1, 0, 0, 0, 0, 0, 2, 4, 2, 188, 0};

	in_listen();
	peer_sends(SYN, 0, 0, .options = options, .options_len = sizeof(options));
	expect(SYN | ACK, 0, 1, .has = HAS_MSS | HAS_SACK_OK | HAS_TS | HAS_WSCALE);
	check_equal(peer.got.tsecr, 256);
}

static void
test_unknown_options_are_skipped(void **state)
{
	/* [MUST-5, MUST-6] before the known ones, on SYN and data */
	static const uint8_t syn[] = {253, 5, 1, 2, 3, 1, 2, 4, 2, 188, 254, 2};
	static const uint8_t data[] = {253, 4, 9, 9, 1, 1, 34, 2};

	in_listen();
	peer_sends(SYN, 0, 0, .options = syn, .options_len = sizeof(syn));
	expect(SYN | ACK, 0, 1);
	peer_sends(ACK, 1, 1, .len = 10, .options = data, .options_len = sizeof(data));
	expect_received(10);
	writes(1000);
	expect(ACK, 1, 11, .len = 700);
	peer_sends(RST, 11, 0, .options = data, .options_len = sizeof(data));
	expect_closed(RESET);
}

static void
test_illegal_lengths_drop_the_segment(void **state)
{
	/* [MUST-7, ATK-7, ATK-15] every kind with lengths that cannot be; nothing hangs */
	in_established();
	for (unsigned int kind = 2; kind < 256; kind++) {
		static const uint8_t lengths[] = {0, 1, 13, 255};

		for (unsigned int i = 0; i < RTE_DIM(lengths); i++) {
			uint8_t options[12] = {(uint8_t)kind, lengths[i]};

			peer_sends(ACK, 1, 1, .len = 1, .options = options, .options_len = 12);
			expect_silence();
			expect_drop(tcp_options);
		}
	}
	expect_received(0);
	peer_sends(ACK, 1, 1, .len = 1);
	expect_received(1);
}

static void
test_a_kind_without_length_at_the_end(void **state)
{
	/* [MUST-7] */
	static const uint8_t options[] = {1, 1, 1, 8};

	in_established();
	peer_sends(ACK, 1, 1, .len = 1, .options = options, .options_len = sizeof(options));
	expect_silence();
	expect_drop(tcp_options);
}

static void
test_garbage_behind_the_end_of_options_is_harmless(void **state)
{
	/* [MUST-69] */
	static const uint8_t options[] = {1, 0, 2, 99};

	in_established();
	peer_sends(ACK, 1, 1, .len = 10, .options = options, .options_len = sizeof(options));
	expect_received(10);
}

static void
test_syn_options_elsewhere_have_no_effect(void **state)
{
	/* [MUST-65, RFC7323-3, RFC2018-1] MSS 1, scale 14, SACK-permitted in a data segment */
	static const uint8_t options[] = {2, 4, 0, 1, 3, 3, 14, 1, 4, 2, 1, 1};

	in_established();
	peer_sends(ACK, 1, 1, .len = 10, .wnd = 4000, .options = options, .options_len = sizeof(options));
	expect_received(10);
	check_equal(info().snd_wnd, 4000);
	writes(2000);
	expect(ACK, 1, 11, .len = 1460);
	peer_sends(ACK, 111, 1, .len = 10);
	hears_all();
	check_equal(peer.got.sack_count, 0);
}

static void
test_urgent_data_is_announced_and_counted_down(void **state)
{
	/* [MUST-30, MUST-32, MUST-33, MUST-62] the pointer names the byte after the last urgent one */
	in_established();
	peer_sends(ACK | URG, 1, 1, .len = 10, .urg = 30);
	check_equal(app->urgents, 1);
	check(app->urgent_left == 30 || app->urgent_left == 20);
	expect_received(10);
	check_equal(rill_urgent_left(app->conn), 20);
	peer_sends(ACK, 11, 1, .len = 15);
	check_equal(rill_urgent_left(app->conn), 5);
	check_equal(app->urgents, 1);
	peer_sends(ACK | URG, 26, 1, .len = 5, .urg = 40);
	check_equal(app->urgents, 2);
	check_equal(rill_urgent_left(app->conn), 35);
	peer_sends(ACK, 31, 1, .len = 60);
	check_equal(rill_urgent_left(app->conn), 0);
	expect_received(90);
}

static void
test_any_urgent_pointer_is_harmless(void **state)
{
	/* [MUST-31, ATK-8, ATK-13, ATK-14] */
	static const uint16_t pointers[] = {0, 1, 9, 10, 11, 60000, 65535};
	uint32_t next = 1;

	in_established();
	for (unsigned int i = 0; i < RTE_DIM(pointers); i++, next += 10) {
		peer_sends(ACK | URG, next, 1, .len = 10, .urg = pointers[i]);
		expect_received(next + 9);
		peer_sends(ACK | URG, next + 10, 1, .urg = pointers[i]);
	}
	expect_alive();
}

static void
test_urgent_is_noticed_in_a_closed_window(void **state)
{
	/* [MUST-66] */
	struct peer_setup setup = {.options = default_options()};

	setup.options.rcvbuf = 2048;
	peer_restart(&setup);
	in_established();
	pauses();
	peer_sends(ACK, 1, 1, .len = 1024);
	peer_sends(ACK, 1025, 1, .len = 1024);
	hears_all();
	peer_sends(ACK | URG, 2049, 1, .urg = 100);
	check_equal(app->urgents, 1);
}

static void
test_urgent_is_sent_with_its_pointer(void **state)
{
	/* [MUST-30, MUST-62] ten urgent bytes: pointer 10 */
	in_established();
	writes_urgent(10);
	expect(ACK | URG, 1, 1, .len = 10, .urg = 10);
	peer_sends(ACK, 1, 11);
	writes(10);
	expect(ACK, 11, 1, .len = 10);
}

static void
test_urgent_far_ahead_is_announced_at_once(void **state)
{
	/* [MUST-31] in every segment until the mark */
	in_established();
	writes(3000);
	hears_all();
	writes_urgent(1);
	hears_all();
	peer_sends(ACK, 1, 3001);
	peer_sends(ACK, 1, 3002);
	hears_all();
	check_equal(info().snd_queued, 0);
	expect_alive();
}

static void
test_urgent_data_in_tiny_segments_is_all_or_nothing(void **state)
{
	/* [MUST-31] a peer that imposes 64-byte segments: many buffers, taken whole or refused. */
	struct peer_setup setup = peer.setup;

	setup.mss = 64;
	peer_restart(&setup);
	in_established();
	writes_urgent(100000);
	hears_all();
	check_equal(info().snd_queued, 100000);
	expect_alive();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		dialogue(test_options_in_any_order_and_alignment),
		dialogue(test_unknown_options_are_skipped),
		dialogue(test_illegal_lengths_drop_the_segment),
		dialogue(test_a_kind_without_length_at_the_end),
		dialogue(test_garbage_behind_the_end_of_options_is_harmless),
		dialogue(test_syn_options_elsewhere_have_no_effect),
		dialogue(test_urgent_data_is_announced_and_counted_down),
		dialogue(test_any_urgent_pointer_is_harmless),
		dialogue(test_urgent_is_noticed_in_a_closed_window),
		dialogue(test_urgent_is_sent_with_its_pointer),
		dialogue(test_urgent_far_ahead_is_announced_at_once),
		dialogue(test_urgent_data_in_tiny_segments_is_all_or_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
