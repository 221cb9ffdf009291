/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_PERF_BENCH_H
#define RILL_PERF_BENCH_H

#include <cstdint>

#include <benchmark/benchmark.h>

/* The time of one item, beside the time of one iteration, which may do several. */
inline void
bench_items(benchmark::State &state, uint64_t items)
{
	state.SetItemsProcessed(static_cast<int64_t>(items));
	state.counters["per_item"] = benchmark::Counter(static_cast<double>(items),
		benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

#endif
