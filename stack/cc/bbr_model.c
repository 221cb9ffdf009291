/* SPDX-License-Identifier: BSD-3-Clause */
/* What BBR believes of the path. Section numbers are those of draft-ietf-ccwg-bbr. */
#include "bbr.h"

#define BETA_NUM 7u /* 0.7 [2.8] */
#define BETA_DEN 10u
#define MIN_RTT_WINDOW_US 10000000u    /* [2.13.1] */
#define PROBE_RTT_INTERVAL_US 5000000u /* [2.13.2] */
#define EXTRA_ACKED_HALF_ROUNDS 5      /* of a window of ten [2.11] */

static uint64_t
larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint32_t
clamped(uint64_t bytes)
{
	return bytes < CC_CWND_MAX ? (uint32_t)bytes : CC_CWND_MAX;
}

/* ---- volumes */

uint64_t
bbr_max_bw(const struct bbr *bbr)
{
	return larger(bbr->bw_max[0], bbr->bw_max[1]);
}

uint32_t
bbr_bdp(const struct bbr *bbr, uint64_t bw, uint32_t gain)
{
	const uint64_t bw_most = 1ull << 36; /* 550 Gbit/s: then nothing overflows up to 2^27 µs */
	const uint32_t rtt_most = 1u << 27;

	if (bbr->min_rtt_us == BBR_NONE)
		return bbr->initial_window;
	bw = bw < bw_most ? bw : bw_most;
	bw = bw * (bbr->min_rtt_us < rtt_most ? bbr->min_rtt_us : rtt_most) / USEC_PER_SEC;
	return clamped(bw * gain / BBR_UNIT);
}

uint32_t
bbr_inflight(const struct bbr *bbr, uint64_t bw, uint32_t gain, uint32_t mss)
{
	uint64_t bytes = bbr_bdp(bbr, bw, gain);

	/* Room for the quanta at the sender, on the way and at the receiver [5.6.4.2]. */
	bytes = larger(bytes, 3ull * bbr->pacer.quantum);
	bytes = larger(bytes, (uint64_t)BBR_MIN_PIPE * mss);
	if (bbr->state == BBR_UP)
		bytes += 2ull * mss;
	return clamped(bytes);
}

/* ---- bandwidth [5.5] */

/* Marks wrap: is a behind or at b? */
static bool
reached(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) >= 0;
}

static void
update_round(struct bbr *bbr, const struct rate_sample *rate)
{
	bbr->round_start = rate->valid && reached(rate->prior_delivered, bbr->round_delivered);
	if (!bbr->round_start)
		return;
	bbr->round_delivered = bbr->rate.delivered;
	if (bbr->rounds_since_probe < UINT16_MAX)
		bbr->rounds_since_probe++;
}

/* A sample that the application limited is a lower bound only. */
static void
update_max_bw(struct bbr *bbr, const struct rate_sample *rate)
{
	if (rate->rate > 0 && (rate->rate >= bbr_max_bw(bbr) || !rate->limited))
		bbr->bw_max[1] = larger(bbr->bw_max[1], rate->rate);
}

void
bbr_advance_max_bw(struct bbr *bbr)
{
	bbr->bw_max[0] = bbr->bw_max[1];
	bbr->bw_max[1] = 0;
}

void
bbr_reset_lower_bounds(struct bbr *bbr)
{
	bbr->bw_lo = UINT64_MAX;
	bbr->inflight_lo = BBR_NONE;
}

/* Once a round with losses, except while probing for more [5.5.10.3]. */
static void
adapt_lower_bounds(const struct cc *cc, struct bbr *bbr)
{
	uint64_t inflight;

	if (bbr->state == BBR_STARTUP || bbr->state == BBR_REFILL || bbr->state == BBR_UP ||
		!bbr->loss_in_round)
		return;
	if (bbr->bw_lo == UINT64_MAX)
		bbr->bw_lo = bbr_max_bw(bbr);
	if (bbr->inflight_lo == BBR_NONE)
		bbr->inflight_lo = cc->cwnd;
	bbr->bw_lo = larger(bbr->bw_latest, bbr->bw_lo * BETA_NUM / BETA_DEN);
	inflight = (uint64_t)bbr->inflight_lo * BETA_NUM / BETA_DEN;
	bbr->inflight_lo = clamped(larger(bbr->inflight_latest, inflight));
}

/* The bounds follow a round trip after the first sign: the path's best shows until then. */
void
bbr_note_loss(struct bbr *bbr)
{
	if (!bbr->loss_in_round)
		bbr->loss_round_delivered = bbr->rate.delivered;
	bbr->loss_in_round = true;
}

static void
update_losses(const struct cc *cc, struct bbr *bbr, const struct bbr_ack *ack)
{
	const struct rate_sample *rate = ack->rate;

	bbr->loss_round_start = false;
	bbr->bw_latest = larger(bbr->bw_latest, rate->rate);
	if (rate->valid && rate->delivered > bbr->inflight_latest)
		bbr->inflight_latest = rate->delivered;
	if (rate->valid && reached(rate->prior_delivered, bbr->loss_round_delivered)) {
		bbr->loss_round_delivered = bbr->rate.delivered;
		bbr->loss_round_start = true;
	}
	update_max_bw(bbr, rate);
	if (bbr->loss_round_start)
		adapt_lower_bounds(cc, bbr);
}

/* ---- ACKs in bunches [5.5.9] */

static void
update_extra_acked(const struct cc *cc, struct bbr *bbr, const struct bbr_ack *ack)
{
	ustime interval = ack->ack->now - bbr->extra_acked_at;
	uint64_t expected, extra;

	if (interval > USEC_PER_SEC)
		interval = USEC_PER_SEC;
	expected = bbr->bw * interval / USEC_PER_SEC;
	if (bbr->extra_acked_delivered <= expected) {
		bbr->extra_acked_delivered = 0;
		bbr->extra_acked_at = ack->ack->now;
		expected = 0;
	}
	bbr->extra_acked_delivered += ack->ack->delivered;
	extra = bbr->extra_acked_delivered > expected ? bbr->extra_acked_delivered - expected : 0;
	if (extra > cc->cwnd)
		extra = cc->cwnd;
	/* In startup only the last round counts. */
	if (bbr->round_start &&
		++bbr->extra_acked_rounds >= (bbr->full_bw_reached ? EXTRA_ACKED_HALF_ROUNDS : 1)) {
		bbr->extra_acked_rounds = 0;
		bbr->extra_acked[0] = bbr->full_bw_reached ? bbr->extra_acked[1] : 0;
		bbr->extra_acked[1] = 0;
	}
	if (extra > bbr->extra_acked[1])
		bbr->extra_acked[1] = (uint32_t)extra;
}

/* ---- the least round trip [5.3.4.3] */

bool
bbr_model_rtt(struct bbr *bbr, const struct bbr_ack *ack)
{
	ustime now = ack->ack->now;
	bool expired = now > bbr->probe_rtt_min_at + PROBE_RTT_INTERVAL_US;
	uint32_t rtt_us = ack->ack->rtt_us;

	if (rtt_us > 0 && (rtt_us < bbr->probe_rtt_min_us || expired)) {
		bbr->probe_rtt_min_us = rtt_us;
		bbr->probe_rtt_min_at = now;
	}
	if (bbr->probe_rtt_min_us < bbr->min_rtt_us || now > bbr->min_rtt_at + MIN_RTT_WINDOW_US) {
		bbr->min_rtt_us = bbr->probe_rtt_min_us;
		bbr->min_rtt_at = bbr->probe_rtt_min_at;
	}
	return expired;
}

void
bbr_model_update(struct cc *cc, struct bbr *bbr, const struct bbr_ack *ack)
{
	update_round(bbr, ack->rate);
	update_losses(cc, bbr, ack);
	update_extra_acked(cc, bbr, ack);
}

void
bbr_model_advance(struct bbr *bbr, const struct bbr_ack *ack)
{
	uint64_t most = bbr_max_bw(bbr);

	if (bbr->loss_round_start) {
		bbr->loss_in_round = false;
		bbr->loss_events = 0;
		bbr->bw_latest = ack->rate->rate;
		bbr->inflight_latest = ack->rate->valid ? ack->rate->delivered : 0;
	}
	bbr->bw = most < bbr->bw_lo ? most : bbr->bw_lo;
}
