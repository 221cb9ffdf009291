/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The connection table with 1 thousand to 1 million connections of 256 bytes: what one lookup
 * costs, singly and in a burst as the turn does it, and what one removal and insertion cost
 * together. Queries are random; they themselves come from hot memory, as the tuples of received
 * segments do.
 */
#include <cstdlib>
#include <memory>
#include <random>
#include <vector>

#include <rte_eal.h>

#include "bench.h"

extern "C" {
#include "table.h"
}

namespace
{

constexpr uint32_t kQueries = 1 << 16; /* read in order, again and again */
constexpr uint32_t kBurst = 32;

struct connection {
	struct tuple_head head;
	char state[240]; /* IPv6 addresses at 128, as a line of their own */
};

constexpr uint32_t kAddrs6Off = 128;

struct tuple
tuple_number(uint32_t i, uint8_t family)
{
	struct tuple tuple = {};

	tuple.head.lport = 80;
	tuple.head.rport = static_cast<uint16_t>(i);
	tuple.head.family = family;
	if (family == AF_INET) {
		tuple.head.laddr4 = 0x0100000a;
		tuple.head.raddr4 = i >> 16;
	} else {
		memcpy(tuple.addrs6.raddr, &i, sizeof(i));
	}
	return tuple;
}

class World
{
      public:
	World(uint32_t n, uint8_t family)
	{
		static const struct siphash_key key = {1, 2};
		static const uint32_t addrs6_off[TABLE_KINDS] = {kAddrs6Off, 0, 0};
		const struct slab *const slabs[TABLE_KINDS] = {&slab_, nullptr, nullptr};
		std::mt19937 random(n);

		memory_.reset(static_cast<char *>(aligned_alloc(64, sizeof(connection) * n)));
		slab_init(&slab_, memory_.get(), sizeof(connection), n, 16, true);
		table = table_create(n, &key, slabs, addrs6_off, -1);
		for (uint32_t i = 0; table != nullptr && i < n; i++)
			add(tuple_number(i, family));
		for (uint32_t i = 0; i < kQueries; i++) {
			handles.push_back(random() % n);
			queries.push_back(tuple_number(handles.back(), family));
		}
	}

	~World()
	{
		table_destroy(table);
	}

	struct table *table = nullptr;
	std::vector<uint32_t> handles; /* of the queries */
	std::vector<struct tuple> queries;

      private:
	struct Free {
		void operator()(char *memory) const
		{
			free(memory);
		}
	};

	void add(const struct tuple &tuple)
	{
		uint32_t index = slab_alloc(&slab_);
		char *object = static_cast<char *>(slab_at(&slab_, index));

		memcpy(object, &tuple.head, sizeof(tuple.head));
		memcpy(object + kAddrs6Off, &tuple.addrs6, sizeof(tuple.addrs6));
		if (table_insert(table, &tuple, table_handle(TABLE_CONN, index)) != 0)
			abort();
	}

	std::unique_ptr<char, Free> memory_;
	struct slab slab_;
};

void
lookup_single(benchmark::State &state, uint8_t family)
{
	World w(static_cast<uint32_t>(state.range(0)), family);
	uint32_t q = 0;

	for (auto _ : state) {
		uint32_t handle = table_lookup(w.table, &w.queries[q]);

		if (handle != w.handles[q]) {
			state.SkipWithError("not found");
			break;
		}
		q = (q + 1) % kQueries;
	}
	bench_items(state, static_cast<uint64_t>(state.iterations()));
}

void
lookup_burst(benchmark::State &state, uint8_t family)
{
	World w(static_cast<uint32_t>(state.range(0)), family);
	uint32_t q = 0;

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
	bench_items(state, static_cast<uint64_t>(state.iterations()) * kBurst);
}

/* Connections that do not exist: SYNs of strangers. */
void
lookup_miss(benchmark::State &state)
{
	World w(static_cast<uint32_t>(state.range(0)), AF_INET);
	uint32_t q = 0;

	for (struct tuple &tuple : w.queries)
		tuple.head.lport = 81;
	for (auto _ : state) {
		const struct tuple *tuples[kBurst];
		uint32_t handles[kBurst];

		for (uint32_t i = 0; i < kBurst; i++)
			tuples[i] = &w.queries[q + i];
		table_lookup_burst(w.table, tuples, kBurst, handles);
		benchmark::DoNotOptimize(handles);
		q = (q + kBurst) % kQueries;
	}
	bench_items(state, static_cast<uint64_t>(state.iterations()) * kBurst);
}

void
insert_remove(benchmark::State &state)
{
	World w(static_cast<uint32_t>(state.range(0)), AF_INET);
	uint32_t q = 0;

	for (auto _ : state) {
		table_remove(w.table, &w.queries[q], w.handles[q]);
		if (table_insert(w.table, &w.queries[q], w.handles[q]) != 0) {
			state.SkipWithError("full");
			break;
		}
		q = (q + 1) % kQueries;
	}
	bench_items(state, static_cast<uint64_t>(state.iterations()));
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
BENCHMARK(insert_remove)->Apply(sizes);

} /* namespace */

int
main(int argc, char **argv)
{
	const char *eal[] = {"bench_table", "--no-huge", "--no-pci", "--no-shconf",
		"--no-telemetry", "--iova-mode=va", "-m", "64", "-l", "0", "--log-level=error"};

	benchmark::Initialize(&argc, argv);
	if (benchmark::ReportUnrecognizedArguments(argc, argv))
		return 2;
	if (rte_eal_init(sizeof(eal) / sizeof(eal[0]), const_cast<char **>(eal)) < 0)
		return 1;
	benchmark::RunSpecifiedBenchmarks();
	return 0;
}
