/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The connection table changing: what one insertion and one removal cost in a table of 1 thousand
 * to 10 million connections, in random order. An eighth of them is away; those that have been away
 * for the longest come back first, so that a bucket is as cold as a table of this size makes it. A
 * table of 10 million takes 3 GB of memory and some seconds to fill, and so runs only where it is
 * asked for: --benchmark_filter=/10000000/
 */
#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

#include "table_world.h"

namespace
{

constexpr uint32_t kAtOnceMost = 4096;

/* The one world there is: filled once for all that is measured in it, one after the other. */
struct World : TableWorld {
	explicit World(uint32_t size)
	    : TableWorld(size, AF_INET), n(size), away(size / 8),
	      at_once(std::min(size / 8, kAtOnceMost)), order(size), tuples(at_once)
	{
		std::iota(order.begin(), order.end(), 0u);
		std::shuffle(order.begin(), order.end(), std::mt19937(n));
		for (uint32_t i = 0; i < away; i++) {
			struct tuple tuple = tuple_number(order[i], AF_INET);

			table_remove(table, &tuple, order[i]);
		}
	}

	/* Those of a place in the order and behind it are the next ones. */
	void turn_to(uint32_t place)
	{
		handles.clear();
		for (uint32_t i = 0; i < at_once; i++) {
			handles.push_back(order[(place + i) % n]);
			tuples[i] = tuple_number(handles[i], AF_INET);
		}
	}

	/* Some come back. Returns cycles. */
	uint64_t insert_some()
	{
		uint64_t begin;

		turn_to(first_away);
		begin = rte_rdtsc();
		for (uint32_t i = 0; i < at_once; i++)
			if (table_insert(table, &tuples[i], handles[i]) != 0)
				abort();
		return rte_rdtsc() - begin;
	}

	/* As many others leave. Returns cycles. */
	uint64_t remove_some()
	{
		uint64_t begin, cycles;

		turn_to(first_away + away);
		begin = rte_rdtsc();
		for (uint32_t i = 0; i < at_once; i++)
			table_remove(table, &tuples[i], handles[i]);
		cycles = rte_rdtsc() - begin;
		first_away = (first_away + at_once) % n;
		return cycles;
	}

	uint32_t n, away, at_once;
	uint32_t first_away = 0; /* place in the order */
	std::vector<uint32_t> order, handles;
	std::vector<struct tuple> tuples; /* of the handles */
};

std::unique_ptr<World> only;

World &
world_of(uint32_t n)
{
	if (only == nullptr || only->n != n) {
		only.reset();
		only = std::make_unique<World>(n);
	}
	return *only;
}

enum class Change { kInsert, kRemove };

void
change(benchmark::State &state, Change counted)
{
	World &w = world_of(static_cast<uint32_t>(state.range(0)));
	uint64_t cycles = 0;

	for (auto _ : state) {
		uint64_t inserting = w.insert_some(), removing = w.remove_some();
		uint64_t now = counted == Change::kInsert ? inserting : removing;

		bench_iteration(state, now);
		cycles += now;
	}
	if (table_count(w.table) != w.n - w.away)
		state.SkipWithError("more or fewer than an eighth are away");
	bench_items(state, static_cast<uint64_t>(state.iterations()) * w.at_once, cycles);
}

} /* namespace */

int
main(int argc, char **argv)
{
	int status;

	/* By size: each is filled once. */
	for (int64_t n = 1000; n <= 10000000; n *= 10) {
		benchmark::RegisterBenchmark("insert", change, Change::kInsert)
			->Arg(n)
			->UseManualTime();
		benchmark::RegisterBenchmark("remove", change, Change::kRemove)
			->Arg(n)
			->UseManualTime();
	}
	status = table_world_main(argc, argv);
	only.reset();
	return status;
}
