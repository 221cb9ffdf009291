/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The schedule of rill-load: the k-th is due after k / rate seconds for any rate, without drift; when
 * it is taken does not matter to when it was due; random arrivals are those of a Poisson process.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "schedule.h"

#define START_US 123456789ull
#define SECOND_US 1000000ull

/* Rounded up to whole microseconds, from a time that is exact to the nanosecond. */
static uint64_t
expected_us(uint32_t rate, uint64_t k)
{
	uint64_t ns = k * 1000000000ull / rate;

	return START_US + (ns + 999) / 1000;
}

static void
test_even(void **state)
{
	static const uint32_t rates[] = {1, 2, 3, 7, 999, 1000, 1001, 33333, 999983, 1000000, 7654321};

	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct schedule s;

		schedule_begin(&s, rates[i], false, 1, START_US);
		for (uint64_t k = 0; k < 2000; k++) {
			assert_int_equal(schedule_next_us(&s), expected_us(rates[i], k));
			assert_int_equal(schedule_take(&s), expected_us(rates[i], k));
		}
	}
}

/* In ten hours not one too many or too few. */
static void
test_no_drift(void **state)
{
	struct schedule s;
	uint64_t end = START_US + 36000 * SECOND_US, n = 0;

	schedule_begin(&s, 37, false, 1, START_US);
	while (schedule_next_us(&s) < end) {
		schedule_take(&s);
		n++;
	}
	assert_int_equal(n, 36000 * 37);
}

/* 10^9 a second: a thousand in each microsecond. */
static void
test_fastest(void **state)
{
	struct schedule s;

	schedule_begin(&s, 1000000000, false, 1, START_US);
	assert_int_equal(schedule_take(&s), START_US);
	for (uint64_t us = 1; us <= 100; us++)
		for (int i = 0; i < 1000; i++)
			assert_int_equal(schedule_take(&s), START_US + us);
}

static void
test_never(void **state)
{
	struct schedule s;

	schedule_begin(&s, 0, false, 1, START_US);
	assert_true(schedule_next_us(&s) == SCHEDULE_NEVER);
}

/* Mean, variance, and the share of gaps below the mean: 1 - 1/e. */
static void
test_random(void **state)
{
	const int n = 200000, rate = 1000;
	double sum = 0, squares = 0, mean, below = 0, last = 0;
	struct schedule s, same, other;

	schedule_begin(&s, rate, true, 5, START_US);
	schedule_begin(&same, rate, true, 5, START_US);
	schedule_begin(&other, rate, true, 6, START_US);
	assert_true(schedule_next_us(&same) == schedule_next_us(&s));
	assert_true(schedule_next_us(&other) != schedule_next_us(&s));
	for (int i = 0; i < n; i++) {
		double at = (double)(schedule_take(&s) - START_US), gap = at - last;

		sum += gap;
		squares += gap * gap;
		below += gap < 1000;
		last = at;
	}
	mean = sum / n;
	assert_true(mean > 980 && mean < 1020);
	assert_true(below / n > 0.622 && below / n < 0.642);
	/* The standard deviation of an exponential is its mean. */
	assert_true(squares / n - mean * mean > 0.95e6 && squares / n - mean * mean < 1.05e6);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_even),
		cmocka_unit_test(test_no_drift),
		cmocka_unit_test(test_fastest),
		cmocka_unit_test(test_never),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
