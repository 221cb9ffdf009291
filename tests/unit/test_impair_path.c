/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One direction of the impairment box: a packet's fate depends on the seed and on how many of its kind
 * came before it, and on nothing else; the shares are those that were asked; rate, queue and delay are
 * exact; a reordered packet is late by no more than was allowed; ARP passes untouched.
 */
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../tools/impair_path.h"

#define HEADERS (14 + 20 + 20)
#define MS 1000000ull
#define MANY 100000

static uint8_t frame[PATH_FRAME_MAX + 1];

/* A frame with this much TCP payload. Returns its length. */
static uint32_t
tcp_frame(uint32_t payload)
{
	uint32_t total = 40 + payload;

	memset(frame, 0, sizeof(frame));
	frame[12] = 0x08;
	frame[14] = 0x45;
	frame[16] = (uint8_t)(total >> 8);
	frame[17] = (uint8_t)total;
	frame[14 + 9] = 6;
	frame[14 + 20 + 12] = 0x50;
	return HEADERS + payload;
}

static void
start(struct path *p, struct path_setup setup)
{
	assert_int_equal(path_init(p, &setup), 0);
}

static void
test_frames_are_told_apart(void **state)
{
	assert_int_equal(path_classify(frame, tcp_frame(1)), PATH_DATA);
	assert_int_equal(path_classify(frame, tcp_frame(0)), PATH_BARE);
	assert_int_equal(path_classify(frame, tcp_frame(0) + 6), PATH_BARE); /* padded by Ethernet */
	frame[14 + 20 + 12] = 0x60; /* what follows 20 bytes are options */
	frame[17] = 44;
	assert_int_equal(path_classify(frame, 14 + 44), PATH_BARE);
	assert_int_equal(path_classify(frame, 14 + 43), PATH_FOREIGN);
	assert_int_equal(path_classify(frame, 13), PATH_FOREIGN);
	frame[14 + 9] = 17;
	assert_int_equal(path_classify(frame, 14 + 44), PATH_FOREIGN);
	frame[13] = 0x06;
	assert_int_equal(path_classify(frame, 42), PATH_ARP);
}

/* ACKs between them, other payloads and other times do not change what happens to data packets. */
static void
test_a_seed_fixes_the_fates(void **state)
{
	struct path_setup setup = { .seed = 7, .loss = 0.05, .reorder = 0.1, .reorder_ns = MS };
	struct path plain, mixed, other;

	start(&plain, setup);
	start(&mixed, setup);
	setup.seed = 8;
	start(&other, setup);
	for (uint64_t n = 0; n < 1000; n++) {
		bool passed = path_enter(&plain, frame, tcp_frame(1000), n);

		assert_int_equal(path_enter(&mixed, frame, tcp_frame((uint32_t)n + 1), n * MS), passed);
		path_enter(&mixed, frame, tcp_frame(0), n * MS);
		path_enter(&other, frame, tcp_frame(1000), n);
	}
	assert_in_range(plain.counts.lost_data, 1, 200);
	assert_int_equal(plain.counts.lost_data, mixed.counts.lost_data);
	assert_memory_equal(plain.lost, mixed.lost, sizeof(plain.lost));
	assert_memory_not_equal(plain.lost, other.lost, sizeof(plain.lost));
	path_free(&plain);
	path_free(&mixed);
	path_free(&other);
}

static void
test_directions_and_kinds_have_fates_of_their_own(void **state)
{
	struct path_setup here = { .seed = 7, .loss = 0.5 }, back = here;
	unsigned int by_direction = 0, by_kind = 0;

	back.number = 1;
	for (uint64_t n = 0; n < 1000; n++) {
		by_direction += path_loses(&here, PATH_DATA, n) == path_loses(&back, PATH_DATA, n);
		by_kind += path_loses(&here, PATH_DATA, n) == path_loses(&here, PATH_BARE, n);
	}
	assert_in_range(by_direction, 400, 600);
	assert_in_range(by_kind, 400, 600);
}

static void
test_shares_are_those_asked(void **state)
{
	struct path_setup setup = { .seed = 3, .loss = 0.03, .reorder = 0.02, .reorder_ns = MS };
	unsigned int lost = 0, late = 0;
	uint64_t most = 0;

	for (uint64_t n = 0; n < MANY; n++) {
		uint64_t extra = path_extra_ns(&setup, PATH_DATA, n);

		lost += path_loses(&setup, PATH_DATA, n);
		late += extra > 0;
		most = extra > most ? extra : most;
	}
	assert_in_range(lost, MANY * 3 / 100 - 250, MANY * 3 / 100 + 250);
	assert_in_range(late, MANY * 2 / 100 - 200, MANY * 2 / 100 + 200);
	assert_in_range(most, MS * 99 / 100, MS);
	setup.loss = setup.reorder = 0;
	for (uint64_t n = 0; n < MANY; n++)
		assert_false(path_loses(&setup, PATH_DATA, n) || path_extra_ns(&setup, PATH_DATA, n) > 0);
}

/* 1000-byte frames at 8 Mbit/s take 1 ms each; 3000 bytes may wait, and then the delay. */
static void
test_rate_queue_and_delay(void **state)
{
	struct path_setup setup = { .rate_bps = 8000000, .queue_bytes = 3000, .delay_ns = 10 * MS };
	uint32_t len = tcp_frame(1000 - HEADERS);
	struct path p;

	start(&p, setup);
	for (int i = 0; i < 3; i++)
		assert_true(path_enter(&p, frame, len, 100 * MS));
	assert_false(path_enter(&p, frame, len, 100 * MS));
	assert_int_equal(p.counts.queue_dropped, 1);
	assert_true(path_enter(&p, frame, len, 101 * MS));
	assert_int_equal(p.counts.queue_most_bytes, 3000);
	for (uint64_t i = 1; i <= 4; i++) {
		assert_int_equal(path_next_ns(&p), (110 + i) * MS);
		assert_null(path_leave(&p, (110 + i) * MS - 1));
		assert_non_null(path_leave(&p, (110 + i) * MS));
	}
	assert_int_equal(path_next_ns(&p), UINT64_MAX);
	assert_int_equal(p.counts.forwarded_bytes, 4000);
	path_free(&p);
}

static void
test_late_packets_are_overtaken(void **state)
{
	struct path_setup setup = { .seed = 5, .reorder = 0.1, .reorder_ns = 5 * MS, .delay_ns = MS };
	const struct path_frame *out;
	unsigned int overtaken = 0;
	uint64_t newest = 0;
	struct path p;

	start(&p, setup);
	for (uint64_t i = 0; i < 1000; i++)
		assert_true(path_enter(&p, frame, tcp_frame(1), i * MS / 10));
	while ((out = path_leave(&p, UINT64_MAX)) != NULL) {
		assert_in_range(out->due_ns - out->order * MS / 10, MS, 6 * MS);
		overtaken += out->order < newest;
		newest = out->order > newest ? out->order : newest;
	}
	assert_in_range(overtaken, p.counts.reordered * 9 / 10, p.counts.reordered);
	assert_int_equal(p.counts.forwarded, 1000);
	path_free(&p);
}

static void
test_arp_is_untouched_and_strangers_do_not_pass(void **state)
{
	struct path_setup setup = { .loss = 1, .delay_ns = 10 * MS, .rate_bps = 1000 };
	struct path p;

	start(&p, setup);
	tcp_frame(0);
	frame[13] = 0x06;
	assert_true(path_enter(&p, frame, 42, MS));
	assert_int_equal(path_next_ns(&p), MS);
	frame[12] = 0x86;
	assert_false(path_enter(&p, frame, 42, MS));
	assert_false(path_enter(&p, frame, tcp_frame(1), MS));
	assert_false(path_enter(&p, frame, PATH_FRAME_MAX + 1, MS));
	assert_int_equal(p.counts.arp, 1);
	assert_int_equal(p.counts.foreign, 1);
	assert_int_equal(p.counts.lost_data, 1);
	assert_int_equal(p.counts.oversize, 1);
	path_free(&p);
}

/* What is due at the same time leaves in the order of arrival. */
/* The sum of the IP header's words: all ones where its checksum is right. */
static uint32_t
ip_sum(const uint8_t *ip)
{
	uint32_t sum = 0;
	int i;

	for (i = 0; i < 20; i += 2)
		sum += (uint32_t)ip[i] << 8 | ip[i + 1];
	return (sum & 0xffff) + (sum >> 16);
}

static void
test_only_ect_is_marked(void **state)
{
	struct path p;
	uint8_t tos;

	start(&p, (struct path_setup){.seed = 1, .mark = 1});
	for (tos = 0; tos < 16; tos++) {
		uint32_t len = tcp_frame(1), sum;
		const struct path_frame *out;

		frame[15] = tos;
		sum = 0xffff - ip_sum(frame + 14);
		frame[24] = (uint8_t)(sum >> 8);
		frame[25] = (uint8_t)sum;
		assert_true(path_enter(&p, frame, len, 0));
		out = path_leave(&p, 0);
		assert_non_null(out);
		assert_int_equal(out->data[15], (tos & 3) == 0 ? tos : tos | 3);
		assert_int_equal(ip_sum(out->data + 14), 0xffff);
	}
	assert_int_equal(p.counts.marked, 12);
	path_free(&p);
}

static void
test_slots_are_bounded(void **state)
{
	struct path_setup setup = { .delay_ns = MS };
	struct path p;

	start(&p, setup);
	for (int i = 0; i < PATH_SLOTS + 3; i++)
		path_enter(&p, frame, tcp_frame(1), 0);
	assert_int_equal(p.counts.queue_dropped, 3);
	for (uint64_t i = 0; i < PATH_SLOTS; i++) {
		const struct path_frame *out = path_leave(&p, MS);

		assert_non_null(out);
		assert_int_equal(out->order, i);
	}
	assert_null(path_leave(&p, UINT64_MAX));
	path_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames_are_told_apart),
		cmocka_unit_test(test_a_seed_fixes_the_fates),
		cmocka_unit_test(test_directions_and_kinds_have_fates_of_their_own),
		cmocka_unit_test(test_shares_are_those_asked),
		cmocka_unit_test(test_rate_queue_and_delay),
		cmocka_unit_test(test_late_packets_are_overtaken),
		cmocka_unit_test(test_arp_is_untouched_and_strangers_do_not_pass),
		cmocka_unit_test(test_only_ect_is_marked),
		cmocka_unit_test(test_slots_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
