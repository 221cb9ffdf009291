/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What segment_parse_options costs: without options, with timestamps only, with those of a SYN, and
 * with timestamps and one to three SACK blocks. What has nothing but timestamps in the usual layout
 * does not even get here in the stack; here it takes the way of all options.
 */
#include <cstring>

#include "bench.h"

extern "C" {
#include "segment.h"
}

namespace
{

struct segment_options
timestamps()
{
	struct segment_options options = {};

	options.has = SEG_HAS_TS;
	options.tsval = 123456789;
	options.tsecr = 987654321;
	return options;
}

void
parse(benchmark::State &state, const struct segment_options &options, uint8_t flags)
{
	uint8_t bytes[TCP_OPTIONS_MAX];
	unsigned int len = segment_write_options(bytes, &options);
	struct segment segment = {};
	uint64_t begin;

	segment.flags = flags;
	begin = rte_rdtsc();
	for (auto _ : state) {
		segment.has = 0;
		segment.sack_count = 0;
		benchmark::DoNotOptimize(len);
		if (!segment_parse_options(&segment, bytes, len)) {
			state.SkipWithError("refused");
			break;
		}
		benchmark::ClobberMemory();
	}
	bench_items(state, static_cast<uint64_t>(state.iterations()), rte_rdtsc() - begin);
	if (segment.has != options.has || segment.sack_count != options.sack_count)
		state.SkipWithError("parsed wrongly");
}

void
none(benchmark::State &state)
{
	parse(state, segment_options(), TCP_ACK);
}

void
timestamps_only(benchmark::State &state)
{
	parse(state, timestamps(), TCP_ACK);
}

void
syn(benchmark::State &state)
{
	struct segment_options options = timestamps();

	options.has |= SEG_HAS_MSS | SEG_HAS_WSCALE | SEG_HAS_SACK_OK;
	options.mss = 1460;
	options.wscale = 7;
	parse(state, options, TCP_SYN);
}

void
sack(benchmark::State &state)
{
	struct segment_options options = timestamps();

	options.sack_count = static_cast<uint8_t>(state.range(0));
	for (uint32_t i = 0; i < options.sack_count; i++) {
		options.sack[i].left.n = 10000 * i;
		options.sack[i].right.n = 10000 * i + 1448;
	}
	parse(state, options, TCP_ACK);
}

BENCHMARK(none);
BENCHMARK(timestamps_only);
BENCHMARK(syn);
BENCHMARK(sack)->ArgName("blocks")->DenseRange(1, 3);

} /* namespace */

BENCHMARK_MAIN();
