/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TESTS_UNIT_CC_FLOW_H
#define RILL_TESTS_UNIT_CC_FLOW_H

/*
 * A flow for tests of window-based congestion control: windows are sent, their ACKs come back
 * spread over the round trip, losses are repaired at once.
 */

#include <rill/options.h>

#include "cc.h"

#define MSS 1000u
#define SEGMENTS(n) ((n)*MSS)

struct flow {
	struct cc cc;
	ustime now;
	uint32_t rtt_us, mss, per_ack; /* per_ack: bytes that one ACK acknowledges */
	seq_t una, nxt;
};

static inline void
flow_start(struct flow *flow, enum rill_cc algorithm, uint32_t cwnd, uint32_t rtt_us)
{
	*flow = (struct flow){.rtt_us = rtt_us, .mss = MSS, .per_ack = 2 * MSS, .now = 5000000};
	cc_init(&flow->cc, algorithm, MSS, cwnd);
}

static inline const struct cc_ops *
ops_of(const struct flow *flow)
{
	return cc_ops(flow->cc.algorithm);
}

static inline void
flow_ack(struct flow *flow, uint32_t bytes, bool limited, bool in_recovery)
{
	struct cc_ack ack = {
		.now = flow->now,
		.acked = bytes,
		.delivered = bytes,
		.flight = flow->cc.cwnd,
		.mss = flow->mss,
		.rtt_us = flow->rtt_us,
		.srtt_us = flow->rtt_us,
		.min_rtt_us = flow->rtt_us,
		.in_recovery = in_recovery,
		.cwnd_limited = limited,
	};

	flow->una = seq_add(flow->una, bytes);
	flow->nxt = seq_max(flow->nxt, flow->una);
	ack.snd_una = flow->una;
	ack.snd_nxt = flow->nxt;
	ops_of(flow)->on_ack(&flow->cc, &ack);
}

/* A window is sent, and its ACKs come spread over the round trip. */
static inline void
flow_round(struct flow *flow, bool limited)
{
	uint32_t left = flow->cc.cwnd, sent = left;
	ustime begin = flow->now;

	flow->nxt = seq_add(flow->una, sent);
	while (left > 0) {
		uint32_t bytes = left < flow->per_ack ? left : flow->per_ack;

		left -= bytes;
		flow->now = begin + (uint64_t)flow->rtt_us * (sent - left) / sent;
		flow_ack(flow, bytes, limited, false);
	}
}

static inline void
flow_run(struct flow *flow, ustime duration, bool limited)
{
	for (ustime end = flow->now + duration; flow->now < end;)
		flow_round(flow, limited);
}

static inline struct cc_event
event_now(const struct flow *flow, uint32_t flight)
{
	return (struct cc_event){
		.now = flow->now, .flight = flight, .mss = flow->mss, .first = true};
}

/* A loss with that much in flight, repaired at once: cwnd is ssthresh, and time begins. */
static inline void
flow_lose(struct flow *flow, uint32_t flight)
{
	struct cc_event event = event_now(flow, flight);

	ops_of(flow)->on_loss(&flow->cc, &event);
	flow_ack(flow, MSS, true, true);
	ops_of(flow)->on_recovered(&flow->cc, &event);
}

#endif
