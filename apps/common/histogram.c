/* SPDX-License-Identifier: BSD-3-Clause */
#include "histogram.h"

uint64_t
histogram_bucket_top(uint32_t bucket)
{
	uint32_t shift;

	if (bucket < HISTOGRAM_STEPS)
		return bucket;
	shift = bucket / HISTOGRAM_STEPS - 1;
	/* In the last bucket of all the shift carries out, and the top is 2^64 - 1. */
	return ((uint64_t)(bucket % HISTOGRAM_STEPS + HISTOGRAM_STEPS + 1) << shift) - 1;
}

void
histogram_merge(struct histogram *sum, const struct histogram *one)
{
	uint64_t max = __atomic_load_n(&one->max, __ATOMIC_RELAXED);

	/* The count is that of the buckets as they were read. */
	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		uint64_t n = __atomic_load_n(&one->buckets[i], __ATOMIC_RELAXED);

		sum->buckets[i] += n;
		sum->count += n;
	}
	sum->sum += __atomic_load_n(&one->sum, __ATOMIC_RELAXED);
	if (max > sum->max)
		sum->max = max;
}

void
histogram_since(struct histogram *since, const struct histogram *now, const struct histogram *before)
{
	since->count = now->count - before->count;
	since->sum = now->sum - before->sum;
	since->max = 0;
	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		since->buckets[i] = now->buckets[i] - before->buckets[i];
		if (since->buckets[i] > 0)
			since->max = histogram_bucket_top(i);
	}
	if (since->max > now->max)
		since->max = now->max;
}

uint64_t
histogram_quantile(const struct histogram *h, double share)
{
	double wanted = (double)h->count * share;
	uint64_t seen = 0;

	if (h->count == 0)
		return 0;
	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += h->buckets[i];
		if (seen > 0 && (double)seen >= wanted) {
			uint64_t top = histogram_bucket_top(i);

			return top < h->max ? top : h->max;
		}
	}
	return h->max;
}

double
histogram_mean(const struct histogram *h)
{
	return h->count == 0 ? 0 : (double)h->sum / (double)h->count;
}
