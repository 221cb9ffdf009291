/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The histogram of the applications: every value falls into a bucket that is 1/128 of it wide at most,
 * buckets follow one another without a gap, quantiles are those of the sorted values to that error,
 * and the difference of two readings is what was added between them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "histogram.h"

static uint64_t rng = 12345;

/* Of every magnitude alike. */
static uint64_t
random_value(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng >> (rng & 63);
}

static void
test_buckets(void **state)
{
	for (uint32_t i = 0; i + 1 < HISTOGRAM_BUCKETS; i++) {
		uint64_t top = histogram_bucket_top(i);

		assert_int_equal(histogram_bucket(top), i);
		assert_int_equal(histogram_bucket(top + 1), i + 1);
	}
	assert_true(histogram_bucket_top(HISTOGRAM_BUCKETS - 1) == UINT64_MAX);
	for (int i = 0; i < 100000; i++) {
		uint64_t value = random_value();
		uint64_t top = histogram_bucket_top(histogram_bucket(value));

		assert_true(top >= value && top - value <= value / HISTOGRAM_STEPS);
	}
}

static int
compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void
test_quantiles(void **state)
{
	static struct histogram h;
	static uint64_t values[1000];
	static const double shares[] = {0, 0.001, 0.5, 0.9, 0.99, 0.999, 1};
	static const int at[] = {0, 0, 499, 899, 989, 998, 999};

	assert_int_equal(histogram_quantile(&h, 0.5), 0);
	for (int i = 0; i < 1000; i++)
		histogram_add(&h, values[i] = random_value() >> 16);
	qsort(values, 1000, sizeof(values[0]), compare);
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		uint64_t exact = values[at[i]], got = histogram_quantile(&h, shares[i]);

		assert_true(got >= exact && got - exact <= exact / HISTOGRAM_STEPS);
	}
	assert_true(histogram_quantile(&h, 1) == values[999]);
}

/* Of 99 fast and one slow, p99 is fast and p99.9 is slow. */
static void
test_tail(void **state)
{
	static struct histogram h;

	histogram_add_n(&h, 10, 99);
	histogram_add(&h, 100000);
	assert_int_equal(histogram_quantile(&h, 0.99), 10);
	assert_int_equal(histogram_quantile(&h, 0.999), 100000);
	assert_true(histogram_mean(&h) == (99 * 10 + 100000) / 100.0);
	histogram_add_n(&h, 1u << 30, 0);
	assert_int_equal(h.max, 100000);
}

static void
test_merge_and_since(void **state)
{
	static struct histogram a, b, sum, later, since;

	histogram_add_n(&a, 5, 10);
	histogram_add_n(&b, 5000, 10);
	histogram_merge(&sum, &a);
	histogram_merge(&sum, &b);
	assert_int_equal(sum.count, 20);
	assert_int_equal(sum.max, 5000);
	assert_int_equal(histogram_quantile(&sum, 0.5), 5);
	assert_int_equal(histogram_quantile(&sum, 0.51), 5000);

	later = sum;
	histogram_add_n(&later, 70, 3);
	histogram_since(&since, &later, &sum);
	assert_int_equal(since.count, 3);
	assert_int_equal(since.sum, 210);
	assert_int_equal(histogram_quantile(&since, 0.5), 70);
	assert_int_equal(since.max, 70);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buckets),
		cmocka_unit_test(test_quantiles),
		cmocka_unit_test(test_tail),
		cmocka_unit_test(test_merge_and_since),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
