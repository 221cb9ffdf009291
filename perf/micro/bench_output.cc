/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a sent segment costs: rill_send of a message on established connections, the turn that sends
 * it, checksums included, and the turn that takes the peer's ACKs, one for two segments of a
 * connection. Messages of 64 and of 1448 bytes on 1, 64 and 1000 connections, 32 of them in a turn;
 * and chains of 45 segments, the most that a NIC with TSO would be given at once, which Rill cuts
 * itself. Counters tell the two turns apart.
 */
#include <algorithm>

#include "bench.h"
#include "bench_lane.h"

namespace
{

constexpr uint32_t kChainSegments = 45;
constexpr unsigned int kBatch = 32;

std::vector<struct rill_conn *> opened; /* in the order of flows */

void
note_open(struct rill_conn *conn)
{
	opened.push_back(conn);
}

struct rill_handler
quiet()
{
	struct rill_handler handler = {};

	handler.on_open = note_open;
	return handler;
}

const struct rill_handler kQuiet = quiet();

/* The whole message, in as many buffers as segments. */
struct rte_mbuf *
message(struct rill_lane *lane, uint32_t bytes)
{
	struct rte_mbuf *head = nullptr, *last = nullptr;

	while (bytes > 0) {
		uint32_t piece = std::min(bytes, kSegmentBytes);
		struct rte_mbuf *mbuf;

		if (rill_buf_alloc(lane, piece, &mbuf) != 0)
			bench_die("no buffer");
		bytes -= piece;
		if (head == nullptr) {
			head = mbuf;
		} else {
			last->next = mbuf;
			head->nb_segs++;
			head->pkt_len += piece;
		}
		last = mbuf;
	}
	return head;
}

struct Cycles {
	uint64_t sending = 0, acks = 0;
};

/* Messages on the connections from number `first` on, and their ACKs. */
void
exchange(BenchLane &w, size_t first, unsigned int messages, uint32_t bytes, Cycles &cycles)
{
	struct rte_mbuf *mbufs[kBatch];
	uint64_t begin;
	bool all;

	for (unsigned int i = 0; i < messages; i++)
		mbufs[i] = message(w.lane, bytes);
	begin = rte_rdtsc();
	for (unsigned int i = 0; i < messages; i++)
		if (rill_send(opened[(first + i) % opened.size()], mbufs[i]) != 0)
			bench_die("rill_send refused");
	cycles.sending += rte_rdtsc() - begin;
	cycles.sending += w.turn();
	do { /* once, but for the first chains, which the initial window cuts */
		for (unsigned int i = 0; i < messages; i++)
			w.acknowledge(w.flows[(first + i) % w.flows.size()]);
		cycles.acks += w.turn();
		all = true;
		for (unsigned int i = 0; i < messages; i++) {
			const struct flow &flow = w.flows[(first + i) % w.flows.size()];

			all = all && flow.lane_nxt == flow.next.ack;
		}
	} while (!all);
}

void
measure(benchmark::State &state, unsigned int connections, unsigned int messages, uint32_t bytes)
{
	opened.clear();

	BenchLane w(&kQuiet, connections);
	Cycles total, warm;
	uint64_t rounds = 0, segments = 0;

	for (unsigned int i = 0; i < 16; i++) /* the window opens */
		exchange(w, 0, messages, bytes, warm);
	for (auto &flow : w.flows)
		flow.segments = 0;
	for (auto _ : state) {
		Cycles now;

		exchange(w, rounds++ * messages % connections, messages, bytes, now);
		bench_iteration(state, now.sending + now.acks);
		total.sending += now.sending;
		total.acks += now.acks;
	}
	for (const auto &flow : w.flows)
		segments += flow.segments;
	bench_items(state, segments, total.sending + total.acks);
	state.counters["cycles_sending"] =
		static_cast<double>(total.sending) / static_cast<double>(segments);
	state.counters["cycles_acks"] =
		static_cast<double>(total.acks) / static_cast<double>(segments);
}

void
messages(benchmark::State &state)
{
	unsigned int connections = static_cast<unsigned int>(state.range(0));

	measure(state, connections, std::min(connections, kBatch),
		static_cast<uint32_t>(state.range(1)));
}

void
chain(benchmark::State &state)
{
	measure(state, 1, 1, kChainSegments * kSegmentBytes);
}

BENCHMARK(messages)
	->ArgNames({"connections", "bytes"})
	->ArgsProduct({{1, 64, 1000}, {64, kSegmentBytes}})
	->UseManualTime();
BENCHMARK(chain)->UseManualTime();

} /* namespace */

BENCHMARK_MAIN();
