/* SPDX-License-Identifier: BSD-3-Clause */
/* Pacing: gaps as computed, no burst beyond two quanta and a segment, no time lost [BBR-8]. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pacer.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* All that may leave now, in segments of len. */
static uint32_t
burst(struct pacer *pacer, uint32_t len, ustime now)
{
	uint32_t sent = 0;

	while (pacer_allows(pacer, now)) {
		pacer_sent(pacer, len, now);
		sent += len;
	}
	return sent;
}

/* 1 MB/s, a quantum of 3000 bytes: 7000 at once, then 4000 whenever it wakes. */
static void
check_gaps(ustime now)
{
	struct pacer pacer = {0};

	pacer_set(&pacer, 1000000, 3000);
	assert_int_equal(burst(&pacer, 1000, now), 7000);
	assert_false(pacer_allows(&pacer, now));
	assert_int_equal(pacer_wake(&pacer), now + 1000 + 3000 + 1);
	assert_false(pacer_allows(&pacer, now + 999));
	assert_true(pacer_allows(&pacer, now + 1000));
	for (unsigned int i = 0; i < 100; i++) {
		ustime last = now;

		now = pacer_wake(&pacer);
		if (i > 0)
			assert_in_range(now - last, 3999, 4001);
		assert_int_equal(burst(&pacer, 1000, now), 4000);
	}
}

/* Whatever the clock counts from: the start, the year 1970, anything. */
static void
test_gaps_are_as_computed(void **state)
{
	static const ustime starts[] = {
		1000000, (1ull << 48) - 100000, 1800000000000000, 1ull << 63};

	for (size_t i = 0; i < COUNT(starts); i++)
		check_gaps(starts[i]);
}

/* At any rate, waking late by up to a quantum's time, what leaves is the rate, to two quanta. */
static void
test_the_rate_is_kept(void **state)
{
	static const uint64_t rates[] = {1000, 125000, 12500000, 1250000000, 12500000000};

	for (size_t i = 0; i < COUNT(rates); i++) {
		uint32_t quantum = rates[i] / 1000 > 65536 ? 65536 : (uint32_t)(rates[i] / 1000);
		struct pacer pacer = {0};
		ustime start = 7777777, now = start;
		uint64_t sent = 0, due;

		quantum = quantum > 2920 ? quantum : 2920;
		pacer_set(&pacer, rates[i], quantum);
		for (unsigned int turn = 0; turn < 1000; turn++) {
			sent += burst(&pacer, 1460, now);
			due = rates[i] * (now - start) / 1000000;
			assert_true(sent <= due + 2 * quantum + 2 * 1460 + due / 5000);
			now = pacer_wake(&pacer) + turn % 3;
		}
		due = rates[i] * (now - start) / 1000000;
		assert_true(sent + 2 * quantum + 1460 + rates[i] / 100000 >= due);
	}
}

/* Silence earns two quanta, not more. */
static void
test_silence_earns_no_burst(void **state)
{
	struct pacer pacer = {0};

	pacer_set(&pacer, 1000000, 5000);
	burst(&pacer, 1000, 1000000);
	assert_int_equal(burst(&pacer, 1000, 100000000), 11000);
}

/* A rate of nothing does not stop for ever: it is a byte a second. */
static void
test_no_rate_is_a_little(void **state)
{
	struct pacer pacer = {0};

	pacer_set(&pacer, 0, 1000);
	assert_int_equal(pacer.rate, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gaps_are_as_computed),
		cmocka_unit_test(test_the_rate_is_kept),
		cmocka_unit_test(test_silence_earns_no_burst),
		cmocka_unit_test(test_no_rate_is_a_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
