/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_PERF_BENCH_LANE_H
#define RILL_PERF_BENCH_LANE_H

/*
 * A lane with one listener, and the peers of its connections, who craft frames and read what the
 * lane says. Only the turn is timed. No NIC helps: the lane computes all checksums itself.
 */

#include <cstdint>
#include <vector>

#include <rill/rill.h>
#include <rte_mbuf.h>

extern "C" {
#include "frames.h"
#include "wire.h"
}

constexpr uint32_t kSegmentBytes = 1448; /* with timestamps, of 1500 */
constexpr uint32_t kWindowSegments = 64; /* that the peer offers room for: */
constexpr uint8_t kWindowScale = 3;      /* a whole number of units on the wire */

/* The peer's side of a connection. */
struct flow {
	struct wire next;  /* the segment that it sends next; ack is what it has acknowledged */
	uint32_t lane_nxt; /* the end of what the lane has sent */
	uint64_t segments; /* with data, that the lane has sent */
};

class BenchLane
{
      public:
	/* The handshakes are done. Ends the program on failure. */
	BenchLane(const struct rill_handler *handler, unsigned int connections);
	~BenchLane();
	BenchLane(const BenchLane &) = delete;
	BenchLane &operator=(const BenchLane &) = delete;

	/* A frame of the next turn, RILL_BURST_MAX at most. What it takes is added to next.seq. */
	void say(struct flow &flow, uint8_t flags, uint32_t len);

	/* ACKs everything that the lane has sent on this connection, two segments by each. */
	void acknowledge(struct flow &flow);

	/* One turn with the frames that were said; the answers are read. Returns its cycles. */
	uint64_t turn();

	unsigned int said() const
	{
		return burst_count_;
	}

	struct rill_lane *lane = nullptr;
	std::vector<struct flow> flows;

      private:
	void open(struct flow &flow, uint16_t port);
	void hear(struct rte_mbuf *frame);

	uint64_t now_ = 1000000;
	struct rte_mbuf *burst_[RILL_BURST_MAX];
	unsigned int burst_count_ = 0;
};

/* Says why, and ends the program. */
[[noreturn]] void bench_die(const char *what);

#endif
