/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Initial sequence numbers are a 4 µs clock plus a keyed hash of the tuple [RFC6528-1, RFC6528-4],
 * and so are timestamp offsets without the clock [RFC7323-22, RFC6191-8]; neither has a pattern
 * that an outsider could extend [RFC6528-2, ATK-12].
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "isn.h"

#define MANY 100000u

static const struct siphash_key key = {0x0123456789abcdefull, 0xfedcba9876543210ull};
static const struct siphash_key other_key = {0x0123456789abcdefull, 0xfedcba9876543211ull};

static struct tuple
tuple4(uint32_t laddr, uint16_t lport, uint32_t raddr, uint16_t rport)
{
	return (struct tuple){.head = {
		.laddr4 = rte_cpu_to_be_32(laddr),
		.raddr4 = rte_cpu_to_be_32(raddr),
		.lport = rte_cpu_to_be_16(lport),
		.rport = rte_cpu_to_be_16(rport),
		.family = AF_INET,
	}};
}

static struct tuple
tuple6(uint8_t last, uint16_t lport)
{
	struct tuple tuple = {
		.head = {.lport = rte_cpu_to_be_16(lport), .rport = 7, .family = AF_INET6}};

	tuple.addrs6.laddr[0] = tuple.addrs6.raddr[0] = 0x20;
	tuple.addrs6.raddr[15] = last;
	return tuple;
}

static void
test_clock_ticks_every_four_microseconds(void **state)
{
	static const struct {
		ustime at;
		uint32_t expect; /* ticks since time 0 */
	} cases[] = {
		{3, 0},
		{4, 1},
		{7, 1},
		{1000000, 250000},
		{(1ull << 34) - 1, UINT32_MAX},
		{1ull << 34, 0}, /* a round of the sequence space: 4.77 hours */
		{(1ull << 63) + 8, 2},
	};
	struct tuple tuples[] = {tuple4(0x0a000001, 7000, 0x0a000002, 40000), tuple6(2, 7000)};

	for (size_t t = 0; t < 2; t++) {
		seq_t base = isn_choose(&key, &tuples[t], 0);

		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
			assert_int_equal((uint32_t)seq_diff(
				isn_choose(&key, &tuples[t], cases[i].at), base), cases[i].expect);
	}
}

/* ISN = M + F(tuple, key), and the offset is made of the bits that F leaves [RFC6528-1]. */
static void
test_hash_is_split_between_the_two(void **state)
{
	struct tuple tuple = tuple4(0x0a000001, 7000, 0x0a000002, 40000);
	uint64_t hash = siphash_tuple(&key, &tuple);

	assert_int_equal(isn_choose(&key, &tuple, 4000).n, (uint32_t)(hash + 1000));
	assert_int_equal(ts_offset(&key, &tuple), hash >> 32);
}

static void
test_same_tuple_never_goes_back(void **state)
{
	struct tuple tuple = tuple4(0x0a000001, 7000, 0x0a000002, 40000);
	uint32_t offset = ts_offset(&key, &tuple);
	seq_t before = isn_choose(&key, &tuple, 0);
	ustime last = 0;

	/* Ever longer pauses, each shorter than half a round of the sequence space. */
	for (ustime at = 4; at < 1ull << 35; at = at * 9 / 8 + 4) {
		seq_t now = isn_choose(&key, &tuple, at);

		assert_true(at - last < 1ull << 33);
		assert_true(seq_gt(now, before));
		assert_int_equal(ts_offset(&key, &tuple), offset);
		before = now;
		last = at;
	}
}

/* Each field of the key counts, and so does the secret; what is no part of the key does not. */
static void
test_depends_on_the_whole_tuple_and_the_secret(void **state)
{
	struct tuple base = tuple4(0x0a000001, 7000, 0x0a000002, 40000);
	struct tuple others[] = {
		tuple4(0x0a000003, 7000, 0x0a000002, 40000),
		tuple4(0x0a000001, 7001, 0x0a000002, 40000),
		tuple4(0x0a000001, 7000, 0x0a000003, 40000),
		tuple4(0x0a000001, 7000, 0x0a000002, 40001),
		tuple4(0x0a000002, 40000, 0x0a000001, 7000), /* seen from the other side */
		tuple6(2, 7000),
		tuple6(3, 7000),
		tuple6(2, 7001),
	};
	struct tuple owned = base;

	owned.head.owner[1] = 0xff;
	assert_true(seq_eq(isn_choose(&key, &owned, 8), isn_choose(&key, &base, 8)));
	assert_int_equal(ts_offset(&key, &owned), ts_offset(&key, &base));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_false(seq_eq(isn_choose(&key, &others[i], 8), isn_choose(&key, &base, 8)));
		assert_int_not_equal(ts_offset(&key, &others[i]), ts_offset(&key, &base));
	}
	assert_false(seq_eq(isn_choose(&key, &base, 8), isn_choose(&other_key, &base, 8)));
	assert_int_not_equal(ts_offset(&key, &base), ts_offset(&other_key, &base));
}

static int
compare_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Values that occur again, and how far from half any one bit is set. */
static void
assert_looks_random(uint32_t *values)
{
	uint32_t repeated = 0;

	for (unsigned int bit = 0; bit < 32; bit++) {
		uint32_t ones = 0;

		for (uint32_t i = 0; i < MANY; i++)
			ones += values[i] >> bit & 1;
		assert_in_range(ones, MANY / 2 - 1000, MANY / 2 + 1000); /* six sigma */
	}
	qsort(values, MANY, sizeof(values[0]), compare_u32);
	for (uint32_t i = 1; i < MANY; i++)
		repeated += values[i] == values[i - 1];
	assert_true(repeated < 12); /* 1.2 are expected */
}

static void
test_successive_connections_show_no_pattern(void **state)
{
	static uint32_t isns[MANY], deltas[MANY], offsets[MANY], mixed[MANY];
	seq_t before = seq(0);

	for (uint32_t i = 0; i < MANY; i++) {
		struct tuple tuple = tuple4(
			0x0a000001 + i / 50000, (uint16_t)(1024 + i % 50000), 0x0a000002, 80);
		ustime now = 5000000 + (ustime)i * 40; /* a busy client */
		seq_t isn = isn_choose(&key, &tuple, now);

		isns[i] = isn.n;
		deltas[i] = (uint32_t)seq_diff(isn, before);
		offsets[i] = ts_offset(&key, &tuple);
		/* One does not give the other away, though the key be the same. */
		mixed[i] = isn_choose(&key, &tuple, 0).n ^ offsets[i];
		before = isn;
	}
	assert_looks_random(isns);
	assert_looks_random(deltas);
	assert_looks_random(offsets);
	assert_looks_random(mixed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clock_ticks_every_four_microseconds),
		cmocka_unit_test(test_hash_is_split_between_the_two),
		cmocka_unit_test(test_same_tuple_never_goes_back),
		cmocka_unit_test(test_depends_on_the_whole_tuple_and_the_secret),
		cmocka_unit_test(test_successive_connections_show_no_pattern),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
