/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench_lane.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <rte_cycles.h>

namespace
{

constexpr uint16_t kPort = 7000;
constexpr uint16_t kFirstPort = 1024;
constexpr int32_t kSndbuf = 262144;
constexpr uint64_t kStepUs = 20;
constexpr unsigned int kOutMost = 256;

const uint8_t kData[kSegmentBytes] = {};

/* One for the whole program: EAL frees no pool's name. */
struct rte_mempool *
frames()
{
	static struct rte_mempool *pool = frames_pool("bench_in", 4096);

	return pool;
}

void
listen_on(struct rill_lane *lane, const struct rill_handler *handler)
{
	struct rill_listener *listener;
	struct rill_options options;

	rill_options_default(&options);
	options.sndbuf = kSndbuf;
	if (rill_lane_listen(lane, nullptr, kPort, &options, handler, nullptr, &listener) != 0)
		bench_die("no listener");
}

} /* namespace */

void
bench_die(const char *what)
{
	fprintf(stderr, "%s\n", what);
	exit(1);
}

BenchLane::BenchLane(const struct rill_handler *handler, unsigned int connections)
    : flows(connections)
{
	static const uint8_t secret[RILL_SECRET_LEN] = {'t', 'h', 'e', ' ', 's', 'a', 'm', 'e'};
	struct rill_lane_config config;

	rill_lane_config_default(&config);
	config.ethernet = false;
	rill_prefix_parse("192.0.2.1/24", &config.addrs[0]);
	config.addrs_count = 1;
	config.limits.max_conns = 2048;
	config.limits.buffers = 4096;
	config.secret = secret;
	config.name = "bench";
	config.numa_node = -1;
	if (rill_lane_create(&config, &lane) != 0)
		bench_die(rill_error());
	listen_on(lane, handler);
	for (unsigned int i = 0; i < connections; i++)
		open(flows[i], static_cast<uint16_t>(kFirstPort + i));
}

BenchLane::~BenchLane()
{
	rill_lane_destroy(lane);
}

void
BenchLane::open(struct flow &flow, uint16_t port)
{
	flow.next.saddr = 0xc0000202;
	flow.next.daddr = 0xc0000201;
	flow.next.sport = port;
	flow.next.dport = kPort;
	flow.next.seq = 1000u * port;
	flow.next.wnd = 65535;
	flow.next.mss = 1460;
	flow.next.wscale = kWindowScale;
	flow.next.has = HAS_MSS | HAS_SACK_OK | HAS_TS | HAS_WSCALE;
	say(flow, SYN, 0);
	turn();
	if (flow.lane_nxt == 0)
		bench_die("no SYN,ACK");
	flow.next.has = HAS_TS;
	flow.next.ack = flow.lane_nxt;
	flow.next.wnd = kWindowSegments * kSegmentBytes >> kWindowScale;
	say(flow, ACK, 0);
	turn();
}

void
BenchLane::say(struct flow &flow, uint8_t flags, uint32_t len)
{
	uint8_t bytes[WIRE_HEADERS_MAX + kSegmentBytes];

	if (burst_count_ == RILL_BURST_MAX)
		bench_die("more frames than a turn takes");
	flow.next.flags = flags;
	flow.next.tsval = static_cast<uint32_t>(now_ / 1000);
	flow.next.data = kData;
	flow.next.len = len;
	burst_[burst_count_++] = frame_from_bytes(frames(), bytes, wire_write(bytes, &flow.next));
	flow.next.seq += len + ((flags & SYN) != 0);
}

void
BenchLane::acknowledge(struct flow &flow)
{
	while (flow.next.ack != flow.lane_nxt) {
		uint32_t left = flow.lane_nxt - flow.next.ack;

		flow.next.ack += left < 2 * kSegmentBytes ? left : 2 * kSegmentBytes;
		say(flow, ACK, 0);
	}
}

uint64_t
BenchLane::turn()
{
	struct rte_mbuf *out[kOutMost];
	unsigned int n;
	uint64_t begin, cycles;

	now_ += kStepUs;
	begin = rte_rdtsc();
	rill_lane_turn(lane, now_, burst_, burst_count_);
	n = rill_lane_take(lane, out, kOutMost);
	cycles = rte_rdtsc() - begin;
	burst_count_ = 0;
	for (unsigned int i = 0; i < n; i++)
		hear(out[i]);
	return cycles;
}

void
BenchLane::hear(struct rte_mbuf *frame)
{
	static uint8_t bytes[FRAME_MAX];
	size_t len = frame_bytes(frame, bytes);
	struct wire wire;
	uint32_t end;

	rte_pktmbuf_free(frame);
	if (wire_read(bytes, len, &wire) != nullptr)
		bench_die("the lane sent nonsense");

	struct flow &flow = flows.at(static_cast<size_t>(wire.dport - kFirstPort));

	if (wire.flags & (RST | FIN))
		bench_die("the lane ended a connection");
	end = wire.seq + wire.len + ((wire.flags & SYN) != 0);
	if ((wire.flags & SYN) || static_cast<int32_t>(end - flow.lane_nxt) > 0)
		flow.lane_nxt = end;
	flow.segments += wire.len > 0;
	flow.next.tsecr = wire.tsval;
}
