/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The connection table with 1 thousand to 1 million connections of 256 bytes: what one lookup
 * costs, singly and in a burst as the turn does it. Queries are random; they themselves come from
 * hot memory, as the tuples of received segments do.
 */
#include <random>
#include <vector>

#include "table_world.h"

namespace
{

constexpr uint32_t kQueries = 1 << 16; /* read in order, again and again */
constexpr uint32_t kBurst = 32;

/* Queries in random order. */
class World : public TableWorld
{
      public:
	World(uint32_t n, uint8_t family) : TableWorld(n, family)
	{
		std::mt19937 random(n);

		for (uint32_t i = 0; i < kQueries; i++) {
			handles.push_back(random() % n);
			queries.push_back(tuple_number(handles.back(), family));
		}
	}

	std::vector<uint32_t> handles; /* of the queries */
	std::vector<struct tuple> queries;
};

void
lookup_single(benchmark::State &state, uint8_t family)
{
	World w(static_cast<uint32_t>(state.range(0)), family);
	uint32_t q = 0;
	uint64_t begin = rte_rdtsc();

	for (auto _ : state) {
		uint32_t handle = table_lookup(w.table, &w.queries[q]);

		if (handle != w.handles[q]) {
			state.SkipWithError("not found");
			break;
		}
		q = (q + 1) % kQueries;
	}
	bench_items(state, static_cast<uint64_t>(state.iterations()), rte_rdtsc() - begin);
}

void
lookup_burst(benchmark::State &state, uint8_t family)
{
	World w(static_cast<uint32_t>(state.range(0)), family);
	uint32_t q = 0;
	uint64_t begin = rte_rdtsc();

	for (auto _ : state) {
		const struct tuple *tuples[kBurst];
		uint32_t handles[kBurst];

		for (uint32_t i = 0; i < kBurst; i++)
			tuples[i] = &w.queries[q + i];
		table_lookup_burst(w.table, tuples, kBurst, handles);
		if (memcmp(handles, &w.handles[q], sizeof(handles)) != 0) {
			state.SkipWithError("not found");
			break;
		}
		q = (q + kBurst) % kQueries;
	}
	bench_items(state, static_cast<uint64_t>(state.iterations()) * kBurst, rte_rdtsc() - begin);
}

/* Connections that do not exist: SYNs of strangers. */
void
lookup_miss(benchmark::State &state)
{
	World w(static_cast<uint32_t>(state.range(0)), AF_INET);
	uint32_t q = 0;

	for (struct tuple &tuple : w.queries)
		tuple.head.lport = 81;
	uint64_t begin = rte_rdtsc();

	for (auto _ : state) {
		const struct tuple *tuples[kBurst];
		uint32_t handles[kBurst];

		for (uint32_t i = 0; i < kBurst; i++)
			tuples[i] = &w.queries[q + i];
		table_lookup_burst(w.table, tuples, kBurst, handles);
		benchmark::DoNotOptimize(handles);
		q = (q + kBurst) % kQueries;
	}
	bench_items(state, static_cast<uint64_t>(state.iterations()) * kBurst, rte_rdtsc() - begin);
}

void
sizes(benchmark::internal::Benchmark *bench)
{
	bench->RangeMultiplier(10)->Range(1000, 1000000);
}

BENCHMARK_CAPTURE(lookup_single, ip4, uint8_t{AF_INET})->Apply(sizes);
BENCHMARK_CAPTURE(lookup_single, ip6, uint8_t{AF_INET6})->Apply(sizes);
BENCHMARK_CAPTURE(lookup_burst, ip4, uint8_t{AF_INET})->Apply(sizes);
BENCHMARK_CAPTURE(lookup_burst, ip6, uint8_t{AF_INET6})->Apply(sizes);
BENCHMARK(lookup_miss)->Apply(sizes);

} /* namespace */

int
main(int argc, char **argv)
{
	return table_world_main(argc, argv);
}
