/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TOOLS_LATENCY_H
#define RILL_TOOLS_LATENCY_H

/*
 * A histogram of times in microseconds with a relative error of 1/32 at most: 32 linear steps in
 * every power of two.
 */

#include <stdint.h>

#define LATENCY_STEP_BITS 5
#define LATENCY_STEPS (1u << LATENCY_STEP_BITS)
#define LATENCY_BUCKETS ((64 - LATENCY_STEP_BITS + 1) * LATENCY_STEPS)

struct latency {
	uint64_t count, max_us;
	uint64_t buckets[LATENCY_BUCKETS];
};

static inline uint32_t
latency_bucket(uint64_t us)
{
	int shift;

	if (us < LATENCY_STEPS)
		return (uint32_t)us;
	shift = 63 - __builtin_clzll(us) - LATENCY_STEP_BITS;
	return (uint32_t)(shift + 1) * LATENCY_STEPS + (uint32_t)(us >> shift) - LATENCY_STEPS;
}

/* The largest time that falls into the bucket. */
static inline uint64_t
latency_bucket_top(uint32_t bucket)
{
	uint32_t shift;

	if (bucket < LATENCY_STEPS)
		return bucket;
	shift = bucket / LATENCY_STEPS - 1;
	return ((uint64_t)(bucket % LATENCY_STEPS + LATENCY_STEPS + 1) << shift) - 1;
}

static inline void
latency_add(struct latency *l, uint64_t us)
{
	l->count++;
	l->buckets[latency_bucket(us)]++;
	if (us > l->max_us)
		l->max_us = us;
}

/* The time that `share` (0 to 1) of the samples do not exceed. */
static inline uint64_t
latency_quantile(const struct latency *l, double share)
{
	uint64_t seen = 0, rank = (uint64_t)((double)l->count * share);
	uint64_t top;
	uint32_t i;

	for (i = 0; i < LATENCY_BUCKETS; i++) {
		seen += l->buckets[i];
		if (seen > rank) {
			top = latency_bucket_top(i);
			return top < l->max_us ? top : l->max_us;
		}
	}
	return l->max_us;
}

#endif
