/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The options parser takes every kind with every length at every place, cut off anywhere, without
 * reading beyond the end (each case lies at the end of an allocation of its own, for the sanitizer)
 * [MUST-4, MUST-5, MUST-6, MUST-7, MUST-64, MUST-65, MUST-68, MUST-69, RFC7323-3, RFC7323-6,
 * RFC2018-10]; a user timeout of another length or of zero is passed over [RFC5482-7], the others are
 * seconds or minutes, in any segment [RFC5482-5]; what the writer writes, the parser reads.
 */
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "segment.h"

static struct segment seen;

/* Parses a copy that ends where its allocation ends. */
static bool
parse(uint8_t flags, const uint8_t *options, unsigned int len)
{
	uint8_t *exact = malloc(len > 0 ? len : 1);
	bool good;

	if (len > 0)
		memcpy(exact, options, len);
	memset(&seen, 0xee, sizeof(seen));
	seen.flags = flags;
	good = segment_parse_options(&seen, exact, len);
	free(exact);
	return good;
}

static unsigned int
legal_len(unsigned int kind)
{
	static const unsigned int lens[] = {[2] = 4, [3] = 3, [4] = 2, [8] = 10};

	return kind < sizeof(lens) / sizeof(lens[0]) ? lens[kind] : 0;
}

/* By the RFCs alone: is one option of this kind and length byte, with `room` bytes left, legal? */
static bool
model_good(unsigned int kind, unsigned int len, unsigned int room)
{
	if (kind == 0 || kind == 1)
		return true;
	return room >= 2 && len >= 2 && len <= room &&
	       (legal_len(kind) == 0 || legal_len(kind) == len);
}

static void
test_every_kind_length_and_truncation(void **state)
{
	for (unsigned int kind = 0; kind < 256; kind++) {
		for (unsigned int len = 0; len <= 41; len++) {
			for (unsigned int room = 1; room <= TCP_OPTIONS_MAX; room++) {
				uint8_t options[TCP_OPTIONS_MAX];
				bool good = model_good(kind, len, room);

				memset(options, 1, sizeof(options)); /* NOPs behind it */
				options[0] = (uint8_t)kind;
				if (room > 1 && kind > 1)
					options[1] = (uint8_t)(len == 41 ? 255 : len);
				assert_int_equal(parse(TCP_SYN, options, room), good);
				assert_int_equal(parse(TCP_ACK, options, room), good);
				if (good && legal_len(kind) == 0)
					assert_int_equal(seen.has,
						kind == 28 && len == 4 ? SEG_HAS_UTO : 0);
			}
		}
	}
	assert_true(parse(TCP_SYN, NULL, 0) && seen.has == 0 && seen.sack_count == 0);
}

/* All options of a SYN, each order of the four, shifted by 0..3 NOPs, unknown ones between. */
static void
test_any_order_and_alignment(void **state)
{
	static const uint8_t pieces[5][10] = {{2, 4, 0x02, 0xbc}, {3, 3, 7}, {4, 2},
		{8, 10, 1, 2, 3, 4, 5, 6, 7, 8}, {253, 5, 9, 9, 9}};
	unsigned int orders = 0;

	for (unsigned int order = 0; order < 5 * 5 * 5 * 5 * 5; order++) {
		unsigned int used = 0;

		for (unsigned int i = 0, n = order; i < 5; i++, n /= 5)
			used |= 1u << n % 5;
		if (used != 31)
			continue;
		orders++;
		for (unsigned int nops = 0; nops <= 3; nops++) {
			uint8_t options[TCP_OPTIONS_MAX];
			unsigned int at = nops;

			memset(options, 1, sizeof(options));
			for (unsigned int i = 0, n = order; i < 5; i++, n /= 5) {
				memcpy(options + at, pieces[n % 5], pieces[n % 5][1]);
				at += pieces[n % 5][1];
			}
			assert_true(parse(TCP_SYN, options, at));
			assert_int_equal(seen.has,
				SEG_HAS_MSS | SEG_HAS_WSCALE | SEG_HAS_SACK_OK | SEG_HAS_TS);
			assert_int_equal(seen.mss, 700);
			assert_int_equal(seen.wscale, 7);
			assert_int_equal(seen.tsval, 0x01020304);
			assert_int_equal(seen.tsecr, 0x05060708);
			/* Outside a SYN only timestamps count. */
			assert_true(parse(TCP_ACK, options, at));
			assert_int_equal(seen.has, SEG_HAS_TS);
			for (unsigned int cut = 0; cut < at; cut++)
				parse(TCP_SYN, options, cut);
		}
	}
	assert_int_equal(orders, 120);
}

static void
test_what_follows_the_end_is_ignored(void **state)
{
	static const uint8_t options[] = {1, 1, 2, 4, 2, 188, 0, 2, 0, 8, 1, 0xff};

	assert_true(parse(TCP_SYN, options, sizeof(options)));
	assert_int_equal(seen.has, SEG_HAS_MSS);
	assert_int_equal(seen.mss, 700);
}

static void
test_window_shift_is_at_most_14(void **state)
{
	for (unsigned int shift = 0; shift < 256; shift++) {
		uint8_t options[] = {3, 3, (uint8_t)shift};

		assert_true(parse(TCP_SYN, options, sizeof(options)));
		assert_int_equal(seen.wscale, shift < 14 ? shift : 14);
	}
}

/* Whole blocks are read, from one option or several; another length is passed over, unharmed. */
static void
test_sack_of_every_length(void **state)
{
	uint8_t options[TCP_OPTIONS_MAX];

	for (unsigned int len = 2; len <= TCP_OPTIONS_MAX; len++) {
		unsigned int blocks = (len - 2) % 8 == 0 ? (len - 2) / 8 : 0;

		for (unsigned int i = 0; i < sizeof(options); i++)
			options[i] = (uint8_t)(i - 1);
		options[0] = 5;
		options[1] = (uint8_t)len;
		assert_true(parse(TCP_ACK, options, len));
		assert_int_equal(seen.sack_count, blocks);
		for (unsigned int i = 0; i < blocks; i++) {
			uint32_t first = (1 + i * 8) * 0x01010101 + 0x00010203;

			assert_int_equal(seen.sack[i].left.n, first);
			assert_int_equal(seen.sack[i].right.n, first + 0x04040404);
		}
		assert_true(parse(TCP_SYN, options, len) && seen.sack_count == 0);
	}
	for (unsigned int i = 0; i < 4; i++) {
		memset(options + i * 10, (int)i, 10);
		options[i * 10] = 5;
		options[i * 10 + 1] = 10;
	}
	assert_true(parse(TCP_ACK, options, sizeof(options)));
	assert_int_equal(seen.sack_count, 4);
	assert_int_equal(seen.sack[3].right.n, 0x03030303);
}

/* [RFC5482-5, RFC5482-7] */
static void
test_user_timeout(void **state)
{
	static const struct {
		uint8_t options[6];
		unsigned int len;
		uint32_t seconds; /* 0: none */
	} cases[] = {
		{{28, 4, 0x00, 0x01}, 4, 1},
		{{28, 4, 0x7f, 0xff}, 4, 32767},
		{{28, 4, 0x80, 0x01}, 4, 60},
		{{28, 4, 0xff, 0xff}, 4, 32767 * 60},
		{{28, 4, 0x00, 0x00}, 4, 0},
		{{28, 4, 0x80, 0x00}, 4, 0},
		{{28, 2, 1, 1}, 4, 0},
		{{28, 3, 0x01, 1}, 4, 0},
		{{28, 5, 0x00, 0x01, 0x01}, 5, 0},
		{{28, 6, 0x00, 0x01, 0x01, 0x01}, 6, 0},
	};
	static const uint8_t flags[] = {TCP_SYN, TCP_SYN | TCP_ACK, TCP_ACK};

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (unsigned int f = 0; f < sizeof(flags); f++) {
			assert_true(parse(flags[f], cases[i].options, cases[i].len));
			assert_int_equal(seen.has, cases[i].seconds > 0 ? SEG_HAS_UTO : 0);
			if (cases[i].seconds > 0)
				assert_int_equal(seen.uto_s, cases[i].seconds);
		}
}

/* Seconds as far as they reach, then minutes, rounded up, as far as they reach. */
static void
test_written_user_timeout(void **state)
{
	static const uint32_t cases[][2] = {{1, 1}, {32767, 32767}, {32768, 0x8000 + 547},
		{32820, 0x8000 + 547}, {32821, 0x8000 + 548}, {1966020, 0xffff},
		{2147484, 0xffff}};

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct segment_options options = {.has = SEG_HAS_UTO, .uto_s = cases[i][0]};
		const uint8_t want[] = {
			28, 4, (uint8_t)(cases[i][1] >> 8), (uint8_t)cases[i][1]};
		uint8_t out[TCP_OPTIONS_MAX];

		assert_int_equal(segment_write_options(out, &options), sizeof(want));
		assert_memory_equal(out, want, sizeof(want));
	}
}

static void
test_random_bytes_end(void **state)
{
	unsigned int seed = 1, good = 0;

	for (unsigned int run = 0; run < 100000; run++) {
		uint8_t options[TCP_OPTIONS_MAX];

		for (unsigned int i = 0; i < sizeof(options); i++) {
			seed = seed * 1103515245u + 12345u;
			options[i] = (seed >> 16) % 3 == 0 ? (uint8_t)(seed >> 24)
							   : (uint8_t)(seed >> 24) % 12;
		}
		good += parse((uint8_t)(seed >> 8), options, run % (TCP_OPTIONS_MAX + 1));
		assert_in_range(seen.sack_count, 0, SEG_SACK_MAX);
		if (seen.has & SEG_HAS_WSCALE)
			assert_in_range(seen.wscale, 0, TCP_WSCALE_MAX);
	}
	assert_in_range(good, 1000, 99000);
}

/* Every combination is aligned, fits, has the promised length and order, and is read back. */
static void
test_written_options_are_read_back(void **state)
{
	for (unsigned int has = 0; has < 32; has++) {
		for (uint8_t sacks = 0; sacks <= SEG_SACK_MAX; sacks++) {
			struct segment_options options = {.has = (uint8_t)has,
				.wscale = 9,
				.mss = 1460,
				.tsval = 0xfffefdfc,
				.tsecr = 0x80000001,
				.uto_s = 300,
				.sack_count = sacks,
				.sack = {{{1}, {2}}, {{3}, {4}}, {{5}, {6}}, {{0xfffffff0}, {8}}}};
			uint8_t out[TCP_OPTIONS_MAX + 8];
			unsigned int len;

			memset(out, 0xcc, sizeof(out));
			len = segment_write_options(out, &options);
			assert_int_equal(len, segment_options_len(&options));
			assert_true(len % 4 == 0 && len <= TCP_OPTIONS_MAX);
			assert_int_equal(out[len], 0xcc);
			assert_true(parse(TCP_SYN, out, len));
			assert_int_equal(seen.has, has);
			if (has & SEG_HAS_MSS)
				assert_int_equal(seen.mss, 1460);
			if (has & SEG_HAS_WSCALE)
				assert_int_equal(seen.wscale, 9);
			if (has & SEG_HAS_TS)
				assert_true(seen.tsval == 0xfffefdfc && seen.tsecr == 0x80000001);
			if (has & SEG_HAS_UTO)
				assert_int_equal(seen.uto_s, 300);
			assert_true(parse(TCP_ACK, out, len));
			assert_true(seen.sack_count == sacks ||
				    (seen.sack_count < sacks && len + 8 > TCP_OPTIONS_MAX));
			assert_memory_equal(seen.sack, options.sack,
				seen.sack_count * sizeof(seen.sack[0]));
		}
	}
}

static void
test_the_usual_layouts(void **state)
{
	static const uint8_t syn[] = {
		2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7};
	static const uint8_t ts[] = {1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0};
	struct segment_options options = {.mss = 1460, .tsval = 1, .wscale = 7,
		.has = SEG_HAS_MSS | SEG_HAS_SACK_OK | SEG_HAS_TS | SEG_HAS_WSCALE};
	uint8_t out[TCP_OPTIONS_MAX];

	assert_int_equal(segment_write_options(out, &options), sizeof(syn));
	assert_memory_equal(out, syn, sizeof(syn));
	options.has = SEG_HAS_TS;
	assert_int_equal(segment_write_options(out, &options), sizeof(ts));
	assert_memory_equal(out, ts, sizeof(ts));
	options.has = 0;
	assert_int_equal(segment_write_options(out, &options), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_kind_length_and_truncation),
		cmocka_unit_test(test_any_order_and_alignment),
		cmocka_unit_test(test_what_follows_the_end_is_ignored),
		cmocka_unit_test(test_window_shift_is_at_most_14),
		cmocka_unit_test(test_sack_of_every_length),
		cmocka_unit_test(test_user_timeout),
		cmocka_unit_test(test_written_user_timeout),
		cmocka_unit_test(test_random_bytes_end),
		cmocka_unit_test(test_written_options_are_read_back),
		cmocka_unit_test(test_the_usual_layouts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
