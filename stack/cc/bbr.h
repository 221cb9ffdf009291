/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_CC_BBR_H
#define RILL_CC_BBR_H

/*
 * BBR, version 3 [draft-ietf-ccwg-bbr]: a model of the path instead of an answer to losses.
 *
 * The model is the most bandwidth and the least round trip that were seen lately; their product is
 * what the path holds without a queue. Data is paced at the bandwidth, cwnd is about twice the
 * product, and the gains of a state go above and below that to find out more:
 *
 *   STARTUP    2.77  doubles each round, until three rounds bring less than a quarter more
 *   DRAIN      0.5   until the queue that this made is gone
 *   DOWN       0.9   below the bandwidth, until there is room for others
 *   CRUISE     1     most of the time
 *   REFILL     1     a round, so that what follows does not only fill an empty pipe
 *   UP         1.25  until a queue, or losses, show that there is no more
 *   PROBE_RTT  1     every 5 s, half of the product for 200 ms: what is the round trip?
 *
 * Losses count only as a sign that too much is in flight: 2 % of a round and more. inflight_hi is
 * what the path bore without; bw_lo and inflight_lo what it bears now.
 *
 * About 300 bytes, which whoever owns the connection provides; cc points there.
 */

#include "cc.h"
#include "pacer.h"
#include "rate.h"

enum bbr_state {
	BBR_STARTUP,
	BBR_DRAIN,
	BBR_DOWN,
	BBR_CRUISE,
	BBR_REFILL,
	BBR_UP,
	BBR_PROBE_RTT,
};

/* What the ACKs of a moment tell of [5.3.3.6]. */
enum bbr_ack_phase {
	BBR_ACKS_INIT,
	BBR_ACKS_REFILLING,
	BBR_ACKS_PROBE_STARTING,
	BBR_ACKS_PROBE_FEEDBACK,
	BBR_ACKS_PROBE_STOPPING,
};

struct bbr {
	struct rate rate;
	struct rate_sample sample; /* of the ACK that is being looked at */
	struct pacer pacer;
	/* Bandwidths, bytes a second. */
	uint64_t bw_max[2]; /* of the probing cycle before, and of this one */
	uint64_t bw_lo;     /* UINT64_MAX: no bound */
	uint64_t bw;        /* what is believed now */
	uint64_t bw_latest; /* of this round of losses */
	uint64_t full_bw;   /* when startup last found clearly more */
	/* Times, lane time in µs. */
	ustime min_rtt_at, probe_rtt_min_at, probe_rtt_done_at, phase_at, extra_acked_at;
	uint32_t phase_wait_us;
	uint32_t min_rtt_us, probe_rtt_min_us; /* UINT32_MAX: not known */
	/* Bytes. */
	uint32_t inflight_hi, inflight_lo; /* UINT32_MAX: no bound */
	uint32_t inflight_latest;
	uint32_t prior_cwnd, initial_window;
	uint32_t extra_acked_delivered;
	uint32_t extra_acked[2]; /* most of ten rounds: five that are over, up to five that run */
	uint32_t up_acked, up_every; /* inflight_hi grows by a segment for so many bytes */
	/* Marks of rate.delivered: a round is over when what was sent after the mark is delivered.
	 */
	uint32_t round_delivered, loss_round_delivered;
	uint32_t random;
	uint32_t link; /* in the slab's free list */
	uint16_t rounds_since_probe;
	uint16_t pacing_gain, cwnd_gain; /* of 256 */
	uint8_t state, ack_phase;
	uint8_t full_bw_rounds, loss_events, up_rounds, extra_acked_rounds;
	uint8_t round_start : 1, loss_round_start : 1, loss_in_round : 1;
	uint8_t full_bw_now : 1, full_bw_reached : 1;
	uint8_t probing_samples : 1; /* losses are those of probing: they may lower inflight_hi */
	uint8_t probe_rtt_round_done : 1, idle_restart : 1;
	uint8_t sampled : 1; /* there was a round trip: the first pacing rate is no guess */
};

/*
 * Makes BBR the algorithm of cc, which has cwnd already. srtt_us: 0 if not known. seed: so that
 * flows do not probe all at the same moment.
 */
void bbr_start(
	struct cc *cc, struct bbr *bbr, uint32_t mss, uint32_t srtt_us, uint32_t seed, ustime now);

/* NULL: cc is of another algorithm. */
struct bbr *bbr_of(const struct cc *cc);

/* A segment that is held for lost now. */
struct bbr_loss {
	ustime now;
	const struct rate_stamp *stamp; /* of when it was sent last */
	uint32_t len;                   /* bytes */
	bool begins;                    /* a hole: it does not follow another lost one */
};

/* To be told of each, before the ACK that shows it, if one does [5.5.10.2]. */
void bbr_lost(struct cc *cc, const struct bbr_loss *loss);

/* ---- the model (bbr_model.c) */

#define BBR_UNIT 256u /* a gain of 1 */
#define BBR_NONE UINT32_MAX

/* Segments below which cwnd never is. */
#define BBR_MIN_PIPE 4u

/* What has been told of an ACK, once. */
struct bbr_ack {
	const struct cc_ack *ack;
	const struct rate_sample *rate;
	uint32_t flight; /* after it */
};

/* Bandwidth times round trip times gain, in bytes; and the same with room for bursts. */
uint32_t bbr_bdp(const struct bbr *bbr, uint64_t bw, uint32_t gain);
uint32_t bbr_inflight(const struct bbr *bbr, uint64_t bw, uint32_t gain, uint32_t mss);

uint64_t bbr_max_bw(const struct bbr *bbr);

/* Bandwidth, rounds, short-term bounds, aggregation of ACKs: before the state is looked at. */
void bbr_model_update(struct cc *cc, struct bbr *bbr, const struct bbr_ack *ack);

/* The least round trip. Returns whether it was not seen for so long that it must be looked for. */
bool bbr_model_rtt(struct bbr *bbr, const struct bbr_ack *ack);

/* After the state: what the next ACK starts from. */
void bbr_model_advance(struct bbr *bbr, const struct bbr_ack *ack);

/* A loss, or a mark, in this round. */
void bbr_note_loss(struct bbr *bbr);

/* Short-term bounds are off; the bandwidth of a new cycle begins. */
void bbr_reset_lower_bounds(struct bbr *bbr);
void bbr_advance_max_bw(struct bbr *bbr);

#endif
