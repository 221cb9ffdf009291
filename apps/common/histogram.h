/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef APPS_HISTOGRAM_H
#define APPS_HISTOGRAM_H

/*
 * A histogram of any 64-bit values with a relative error of 1/128 at most: 128 linear steps in every
 * power of two. What it takes does not depend on how many values it has seen.
 *
 * One thread adds; others may read (histogram_merge) at the same time, and see each value at some
 * moment after it was added.
 */

#include <stdint.h>

#define HISTOGRAM_STEP_BITS 7
#define HISTOGRAM_STEPS (1u << HISTOGRAM_STEP_BITS)
#define HISTOGRAM_BUCKETS ((64 - HISTOGRAM_STEP_BITS + 1) * HISTOGRAM_STEPS)

/* All zero: empty. */
struct histogram {
	uint64_t count, sum, max;
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

static inline uint32_t
histogram_bucket(uint64_t value)
{
	int shift;

	if (value < HISTOGRAM_STEPS)
		return (uint32_t)value;
	shift = 63 - __builtin_clzll(value) - HISTOGRAM_STEP_BITS;
	return (uint32_t)(shift + 1) * HISTOGRAM_STEPS + (uint32_t)(value >> shift) - HISTOGRAM_STEPS;
}

/* Adds n times the same value. */
static inline void
histogram_add_n(struct histogram *h, uint64_t value, uint64_t n)
{
	uint64_t *bucket = &h->buckets[histogram_bucket(value)];

	__atomic_store_n(bucket, *bucket + n, __ATOMIC_RELAXED);
	__atomic_store_n(&h->count, h->count + n, __ATOMIC_RELAXED);
	__atomic_store_n(&h->sum, h->sum + value * n, __ATOMIC_RELAXED);
	if (n > 0 && value > h->max)
		__atomic_store_n(&h->max, value, __ATOMIC_RELAXED);
}

static inline void
histogram_add(struct histogram *h, uint64_t value)
{
	histogram_add_n(h, value, 1);
}

/* The largest value that falls into the bucket. */
uint64_t histogram_bucket_top(uint32_t bucket);

/* Adds all that one has to sum. */
void histogram_merge(struct histogram *sum, const struct histogram *one);

/* What was added between two readings of one histogram. The largest value is known to its bucket. */
void histogram_since(struct histogram *since, const struct histogram *now,
	const struct histogram *before);

/* The least value, to its bucket's top, that `share` (0 to 1) of all values do not exceed; 0: empty. */
uint64_t histogram_quantile(const struct histogram *h, double share);

double histogram_mean(const struct histogram *h);

#endif
