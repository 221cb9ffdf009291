/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_PERF_TABLE_WORLD_H
#define RILL_PERF_TABLE_WORLD_H

/* A connection table full of connections of 256 bytes, and the EAL that it lives in. */

#include <cstdlib>
#include <memory>

#include <rte_eal.h>

#include "bench.h"

extern "C" {
#include "table.h"
}

struct connection {
	struct tuple_head head;
	char state[240]; /* IPv6 addresses at 128, as a line of their own */
};

constexpr uint32_t kAddrs6Off = 128;

inline struct tuple
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

class TableWorld
{
      public:
	/* Connections number 0 to n - 1; the number is the handle. */
	TableWorld(uint32_t n, uint8_t family)
	{
		static const struct siphash_key key = {1, 2};
		static const uint32_t addrs6_off[TABLE_KINDS] = {kAddrs6Off, 0, 0};
		const struct slab *const slabs[TABLE_KINDS] = {&slab_, nullptr, nullptr};
		size_t bytes = sizeof(connection) * n;

		memory_.reset(static_cast<char *>(aligned_alloc(64, bytes)));
		slab_init(&slab_, memory_.get(), sizeof(connection), n, 16, true);
		table = table_create(n, &key, slabs, addrs6_off, -1);
		if (memory_ == nullptr || table == nullptr)
			abort();
		for (uint32_t i = 0; i < n; i++)
			add(tuple_number(i, family));
	}

	~TableWorld()
	{
		table_destroy(table);
	}

	struct table *table = nullptr;

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

inline int
table_world_main(int argc, char **argv)
{
	const char *eal[] = {argv[0], "--no-huge", "--no-pci", "--no-shconf", "--no-telemetry",
		"--iova-mode=va", "-m", "512", "-l", "0", "--log-level=error"};

	benchmark::Initialize(&argc, argv);
	if (benchmark::ReportUnrecognizedArguments(argc, argv))
		return 2;
	if (rte_eal_init(sizeof(eal) / sizeof(eal[0]), const_cast<char **>(eal)) < 0)
		return 1;
	benchmark::RunSpecifiedBenchmarks();
	return 0;
}

#endif
