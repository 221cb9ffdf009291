/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_PERF_BENCH_H
#define RILL_PERF_BENCH_H

#include <cstdint>

#include <benchmark/benchmark.h>
#include <rte_cycles.h>

/*
 * The time of one item, beside the time of one iteration, which may do several, and its cycles, as
 * the processor's time stamp counter counts them: those of all iterations are told.
 */
inline void
bench_items(benchmark::State &state, uint64_t items, uint64_t cycles)
{
	state.SetItemsProcessed(static_cast<int64_t>(items));
	state.counters["per_item"] = benchmark::Counter(static_cast<double>(items),
		benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
	state.counters["cycles_per_item"] =
		static_cast<double>(cycles) / static_cast<double>(items == 0 ? 1 : items);
}

/* Under UseManualTime: so many cycles of this iteration count, the rest was preparation. EAL runs.
 */
inline void
bench_iteration(benchmark::State &state, uint64_t cycles)
{
	state.SetIterationTime(static_cast<double>(cycles) / static_cast<double>(rte_get_tsc_hz()));
}

#endif
