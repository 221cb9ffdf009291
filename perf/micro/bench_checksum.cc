/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the TCP checksum of a segment costs by its length, where no NIC computes it: in one buffer,
 * in a chain of two (a header and its payload; cut at an odd place, so that the second sum is
 * turned round), of an odd length. The bytes are in the cache.
 */
#include <cstring>
#include <vector>

#include <rte_mbuf.h>

#include "bench.h"

extern "C" {
#include "checksum.h"
}

namespace
{

constexpr uint32_t kPseudo = 0x12345;

/* An mbuf of no pool over the bytes. */
struct rte_mbuf
over(uint8_t *bytes, uint32_t len)
{
	struct rte_mbuf mbuf;

	memset(&mbuf, 0, sizeof(mbuf));
	mbuf.buf_addr = bytes;
	mbuf.data_len = static_cast<uint16_t>(len);
	mbuf.pkt_len = len;
	mbuf.nb_segs = 1;
	return mbuf;
}

void
sum(benchmark::State &state, uint32_t len, uint32_t cut)
{
	std::vector<uint8_t> bytes(len);
	struct rte_mbuf head = over(bytes.data(), len), tail;
	uint64_t begin;

	for (uint32_t i = 0; i < len; i++)
		bytes[i] = static_cast<uint8_t>(i * 7 + (i >> 8));
	if (cut < len) {
		head.data_len = static_cast<uint16_t>(cut);
		tail = over(bytes.data() + cut, len - cut);
		head.next = &tail;
		head.nb_segs = 2;
	}
	begin = rte_rdtsc();
	for (auto _ : state) {
		benchmark::DoNotOptimize(checksum_tcp(&head, 0, kPseudo));
		benchmark::ClobberMemory();
	}
	bench_items(state, static_cast<uint64_t>(state.iterations()), rte_rdtsc() - begin);
	state.SetBytesProcessed(state.iterations() * len);
}

void
one_buffer(benchmark::State &state)
{
	sum(state, static_cast<uint32_t>(state.range(0)), UINT32_MAX);
}

void
chain_of_two(benchmark::State &state)
{
	sum(state, static_cast<uint32_t>(state.range(0)), static_cast<uint32_t>(state.range(1)));
}

BENCHMARK(one_buffer)->ArgName("bytes")->Arg(64)->Arg(576)->Arg(1460)->Arg(65)->Arg(577)->Arg(1459);
BENCHMARK(chain_of_two)
	->ArgNames({"bytes", "cut"})
	->Args({64, 32})
	->Args({576, 32})
	->Args({1460, 32})
	->Args({1460, 33});

} /* namespace */

BENCHMARK_MAIN();
