/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The connection table changing: what one insertion and one removal cost in a table of 1 thousand
 * to 10 million connections, of which at most an eighth come and go, in random order. A table of 10
 * million takes 3 GB of memory and some seconds to fill, and so runs only where it is asked for:
 * --benchmark_filter=/10000000/
 */
#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

#include "table_world.h"

namespace
{

constexpr uint32_t kChangingMost = 1 << 15; /* connections that come and go */

/* The one world there is: filled once for all that is measured in it, one after the other. */
struct World : TableWorld {
	explicit World(uint32_t size) : TableWorld(size, AF_INET), n(size), handles(size)
	{
		std::iota(handles.begin(), handles.end(), 0u);
		std::shuffle(handles.begin(), handles.end(), std::mt19937(n));
		handles.resize(std::min(n / 8, kChangingMost));
		for (uint32_t handle : handles)
			tuples.push_back(tuple_number(handle, AF_INET));
	}

	/* Returns cycles. */
	uint64_t remove_all()
	{
		uint64_t begin = rte_rdtsc();

		for (size_t i = 0; i < handles.size(); i++)
			table_remove(table, &tuples[i], handles[i]);
		return rte_rdtsc() - begin;
	}

	/* Returns cycles. */
	uint64_t insert_all()
	{
		uint64_t begin = rte_rdtsc();

		for (size_t i = 0; i < handles.size(); i++)
			if (table_insert(table, &tuples[i], handles[i]) != 0)
				abort();
		return rte_rdtsc() - begin;
	}

	uint32_t n;
	std::vector<uint32_t> handles; /* of those that come and go */
	std::vector<struct tuple> tuples;
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
		uint64_t removing = w.remove_all(), inserting = w.insert_all();
		uint64_t now = counted == Change::kInsert ? inserting : removing;

		bench_iteration(state, now);
		cycles += now;
	}
	if (table_count(w.table) != w.n)
		state.SkipWithError("not all are back");
	bench_items(state, static_cast<uint64_t>(state.iterations()) * w.handles.size(), cycles);
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
