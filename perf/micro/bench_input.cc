/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a received segment costs in the lane's turn, all in all: parsed, its checksum verified,
 * looked up, delivered, and the ACKs that it calls for written. Data in order for 1, 64 and 1000
 * connections; the same with holes that are filled within the turn; and the ACKs of a peer that
 * misses segments and says so by SACK.
 */
#include <algorithm>

#include "bench.h"
#include "bench_lane.h"

namespace
{

uint64_t sunk;

void
sink_data(struct rill_conn *conn, struct rte_mbuf *mbuf)
{
	sunk += mbuf->pkt_len;
	rte_pktmbuf_free(mbuf);
}

struct rill_handler
sink()
{
	struct rill_handler handler = {};

	handler.on_data = sink_data;
	return handler;
}

const struct rill_handler kSink = sink();

/* Every peer gets an ACK, which offers more than the 64 KiB that a SYN,ACK can. */
void
offer_windows(BenchLane &w)
{
	for (struct flow &flow : w.flows) {
		w.say(flow, ACK, kSegmentBytes);
		w.say(flow, ACK, kSegmentBytes);
		w.turn();
	}
	sunk = 0;
}

/* Full bursts, each frame on the next connection. */
void
in_order(benchmark::State &state)
{
	BenchLane w(&kSink, static_cast<unsigned int>(state.range(0)));
	uint32_t bytes = static_cast<uint32_t>(state.range(1));
	uint64_t cycles = 0, segments = 0;

	offer_windows(w);
	for (auto _ : state) {
		uint64_t now;

		for (unsigned int i = 0; i < RILL_BURST_MAX; i++)
			w.say(w.flows[segments++ % w.flows.size()], ACK | PSH, bytes);
		now = w.turn();
		bench_iteration(state, now);
		cycles += now;
	}
	if (sunk != segments * bytes)
		state.SkipWithError("not every byte arrived");
	bench_items(state, segments, cycles);
}

/* On one connection: the first of each `run` segments arrives as the last of them. */
void
hole_filled(benchmark::State &state)
{
	BenchLane w(&kSink, 1);
	struct flow &flow = w.flows[0];
	uint32_t run = static_cast<uint32_t>(state.range(0));
	uint64_t cycles = 0, segments = 0;

	offer_windows(w);
	for (auto _ : state) {
		uint64_t now;

		while (w.said() + run <= RILL_BURST_MAX) {
			uint32_t hole = flow.next.seq, end = hole + run * kSegmentBytes;

			flow.next.seq += kSegmentBytes;
			while (flow.next.seq != end)
				w.say(flow, ACK, kSegmentBytes);
			flow.next.seq = hole;
			w.say(flow, ACK, kSegmentBytes);
			flow.next.seq = end;
			segments += run;
		}
		now = w.turn();
		bench_iteration(state, now);
		cycles += now;
	}
	if (sunk != segments * kSegmentBytes)
		state.SkipWithError("not every byte arrived");
	bench_items(state, segments, cycles);
}

/* ---- the lane sends, and the peer misses some */

struct rill_conn *sender;

/* Keeps the send queue full. */
void
fill(struct rill_conn *conn, uint32_t acked)
{
	static const uint8_t data[kSegmentBytes] = {};

	while (rill_send_room(conn) >= sizeof(data))
		if (rill_write(conn, data, sizeof(data)) <= 0)
			bench_die("rill_write refused though there is room");
}

void
fill_first(struct rill_conn *conn)
{
	sender = conn;
	fill(conn, 0);
}

struct rill_handler
source()
{
	struct rill_handler handler = {};

	handler.on_open = fill_first;
	handler.on_sent = fill;
	return handler;
}

const struct rill_handler kSource = source();

uint32_t
outstanding(const struct flow &flow)
{
	return (flow.lane_nxt - flow.next.ack) / kSegmentBytes;
}

/* Everything that is out arrives, and the lane sends as much as it may. */
void
repair(BenchLane &w, struct flow &flow)
{
	flow.next.ack = flow.lane_nxt;
	w.say(flow, ACK, 0);
	w.turn();
}

/* An ACK of segment number i beyond the hole at next.ack, of which every step-th arrived, up to it.
 */
void
say_sack(BenchLane &w, struct flow &flow, uint32_t i, uint32_t step)
{
	constexpr uint32_t kBlocksMost = 3; /* beside timestamps */
	uint32_t first = flow.next.ack;

	if (step == 1) {
		flow.next.sack[0] = {first + kSegmentBytes, first + (i + 1) * kSegmentBytes};
		flow.next.sack_count = 1;
	} else {
		uint32_t blocks = std::min(kBlocksMost, 1 + (i - 1) / step);

		for (uint32_t block = 0; block < blocks; block++) { /* the newest first */
			uint32_t at = first + (i - block * step) * kSegmentBytes;

			flow.next.sack[block] = {at, at + kSegmentBytes};
		}
		flow.next.sack_count = static_cast<uint8_t>(blocks);
	}
	w.say(flow, ACK, 0);
	flow.next.sack_count = 0;
}

/*
 * 64 segments are out. Of them the first is missing (step 1), or every second one (step 2): each
 * other is told of by an ACK of its own, all of them in one turn, in which the lane also begins to
 * send again. What then repairs the rest is not counted.
 */
void
sack(benchmark::State &state)
{
	BenchLane w(&kSource, 1);
	struct flow &flow = w.flows[0];
	uint32_t step = static_cast<uint32_t>(state.range(0));
	uint64_t cycles = 0, acks = 0;

	for (unsigned int i = 0; outstanding(flow) < kWindowSegments; i++) {
		if (i == 64)
			bench_die("the window does not open");
		w.acknowledge(flow);
		w.turn();
	}
	/* It stays as wide: losses shall not change what is measured. */
	if (rill_set(sender, RILL_OPT_congestion_control, RILL_CC_NONE) != 0)
		bench_die("rill_set refused");
	for (auto _ : state) {
		uint64_t before = flow.segments, now;

		for (uint32_t i = 1; i < kWindowSegments; i += step) {
			say_sack(w, flow, i, step);
			acks++;
		}
		now = w.turn();
		bench_iteration(state, now);
		cycles += now;
		if (flow.segments == before) {
			state.SkipWithError("nothing is sent again");
			break;
		}
		for (unsigned int i = 0; i < 4; i++)
			repair(w, flow);
		if (outstanding(flow) != kWindowSegments) {
			state.SkipWithError("the window is not full");
			break;
		}
	}
	bench_items(state, acks, cycles);
}

BENCHMARK(in_order)
	->ArgNames({"connections", "bytes"})
	->ArgsProduct({{1, 64, 1000}, {64, kSegmentBytes}})
	->UseManualTime();
BENCHMARK(hole_filled)->ArgName("run")->Arg(2)->Arg(8)->Arg(64)->UseManualTime();
BENCHMARK(sack)->ArgName("step")->Arg(1)->Arg(2)->UseManualTime();

} /* namespace */

BENCHMARK_MAIN();
