/* SPDX-License-Identifier: BSD-3-Clause */
/* BBR's states, and what follows for pacing and cwnd. Section numbers are those of
 * draft-ietf-ccwg-bbr. */
#include "bbr.h"

#include <string.h>

#include "bounds.h"

#define STARTUP_GAIN 710u /* 4 ln 2 = 2.77 [2.4] */
#define DRAIN_GAIN 128u
#define DOWN_GAIN 230u
#define UP_GAIN 320u
#define CWND_GAIN 512u
#define UP_CWND_GAIN 576u
#define PROBE_RTT_CWND_GAIN 128u
#define PACING_NUM 99u /* 1 % below the bandwidth, so that queues drain [2.5] */
#define PACING_DEN 100u
#define LOSS_SHIFT 50u        /* too much is in flight when 1/50 of a round is lost [2.7] */
#define STARTUP_LOSS_EVENTS 6 /* and so often in a round, in startup [5.3.1.3] */
#define FULL_BW_ROUNDS 3
#define PROBE_WAIT_US 2000000u /* and up to 1 s more [5.3.3.5.3] */
#define PROBE_ROUNDS_MAX 63u   /* as soon as Reno would have grown by one BDP [5.3.3.5.1] */
#define PROBE_RTT_US 200000u   /* [2.13.2] */
#define UP_ROUNDS_MAX 30
#define FIRST_RTT_US 1000u /* for the first pacing rate, without a sample [5.6.2] */
#define QUANTUM_MAX 65536u /* [5.6.3] */

struct bbr *
bbr_of(const struct cc *cc)
{
	struct bbr *bbr = NULL;

	if (cc_ops(cc->algorithm) == &cc_bbr_ops)
		memcpy(&bbr, cc->u.bbr.state, sizeof(bbr));
	return bbr;
}

static uint32_t
draw(struct bbr *bbr, uint32_t below)
{
	bbr->random = bbr->random * 1664525u + 1013904223u;
	return (uint32_t)((uint64_t)bbr->random * below >> 32);
}

/* ---- volumes that depend on the state */

static uint32_t
min_pipe(uint32_t mss)
{
	return BBR_MIN_PIPE * mss;
}

/* What leaves room for other flows [5.6.4.7]: 0.15 of inflight_hi. */
static uint32_t
inflight_with_headroom(const struct bbr *bbr, uint32_t mss)
{
	uint32_t headroom;

	if (bbr->inflight_hi == BBR_NONE)
		return BBR_NONE;
	headroom = most(mss, (uint32_t)((uint64_t)bbr->inflight_hi * 15 / 100));
	return most(bbr->inflight_hi > headroom ? bbr->inflight_hi - headroom : 0, min_pipe(mss));
}

static uint32_t
probe_rtt_cwnd(const struct bbr *bbr, uint32_t mss)
{
	return most(bbr_bdp(bbr, bbr->bw, PROBE_RTT_CWND_GAIN), min_pipe(mss));
}

static bool
is_probing_bw(const struct bbr *bbr)
{
	return bbr->state >= BBR_DOWN && bbr->state <= BBR_UP;
}

/* ---- states */

static void
begin_round(struct bbr *bbr)
{
	bbr->round_delivered = bbr->rate.delivered;
}

static void
enter(struct bbr *bbr, enum bbr_state state, uint32_t pacing_gain, uint32_t cwnd_gain)
{
	bbr->state = (uint8_t)state;
	bbr->pacing_gain = (uint16_t)pacing_gain;
	bbr->cwnd_gain = (uint16_t)cwnd_gain;
}

static void
reset_full_bw(struct bbr *bbr, uint64_t bw)
{
	bbr->full_bw = bw;
	bbr->full_bw_rounds = 0;
	bbr->full_bw_now = false;
}

static void
start_down(struct bbr *bbr, ustime now)
{
	bbr->loss_in_round = false;
	bbr->bw_latest = 0;
	bbr->inflight_latest = 0;
	bbr->up_every = BBR_NONE;
	bbr->rounds_since_probe = (uint16_t)draw(bbr, 2);
	bbr->phase_wait_us = PROBE_WAIT_US + draw(bbr, USEC_PER_SEC);
	bbr->phase_at = now;
	bbr->ack_phase = BBR_ACKS_PROBE_STOPPING;
	begin_round(bbr);
	enter(bbr, BBR_DOWN, DOWN_GAIN, CWND_GAIN);
}

static void
start_refill(struct bbr *bbr)
{
	bbr_reset_lower_bounds(bbr);
	bbr->up_rounds = 0;
	bbr->up_acked = 0;
	bbr->ack_phase = BBR_ACKS_REFILLING;
	begin_round(bbr);
	enter(bbr, BBR_REFILL, BBR_UNIT, CWND_GAIN);
}

/* inflight_hi grows by 1, 2, 4 ... segments a round [5.3.3.6]. */
static void
raise_slope(const struct cc *cc, struct bbr *bbr)
{
	bbr->up_every = most(cc->cwnd >> bbr->up_rounds, 1);
	if (bbr->up_rounds < UP_ROUNDS_MAX)
		bbr->up_rounds++;
}

static void
start_up(const struct cc *cc, struct bbr *bbr, const struct bbr_ack *ack)
{
	bbr->ack_phase = BBR_ACKS_PROBE_STARTING;
	begin_round(bbr);
	reset_full_bw(bbr, ack->rate->rate);
	bbr->phase_at = ack->ack->now;
	enter(bbr, BBR_UP, UP_GAIN, UP_CWND_GAIN);
	raise_slope(cc, bbr);
}

/* ---- startup [5.3.1] */

static bool
is_inflight_too_high(const struct rate_sample *rate)
{
	return rate->valid && rate->lost > rate->in_flight / LOSS_SHIFT;
}

static void
check_full_bw(struct bbr *bbr, const struct rate_sample *rate)
{
	if (bbr->full_bw_now || rate->limited || rate->rate == 0)
		return;
	if (rate->rate >= bbr->full_bw + bbr->full_bw / 4) {
		reset_full_bw(bbr, rate->rate);
		return;
	}
	if (!bbr->round_start)
		return;
	bbr->full_bw_rounds++;
	bbr->full_bw_now = bbr->full_bw_rounds >= FULL_BW_ROUNDS;
	if (bbr->full_bw_now)
		bbr->full_bw_reached = true;
}

static void
check_startup_losses(struct bbr *bbr, const struct bbr_ack *ack)
{
	if (bbr->full_bw_reached || !ack->ack->in_recovery || !bbr->loss_round_start ||
		bbr->loss_events < STARTUP_LOSS_EVENTS || !is_inflight_too_high(ack->rate))
		return;
	bbr->full_bw_reached = true;
	bbr->inflight_hi = most(bbr_bdp(bbr, bbr_max_bw(bbr), BBR_UNIT), bbr->inflight_latest);
}

static void
check_startup_and_drain(struct bbr *bbr, const struct bbr_ack *ack)
{
	if (bbr->state == BBR_STARTUP) {
		check_startup_losses(bbr, ack);
		if (bbr->full_bw_reached)
			enter(bbr, BBR_DRAIN, DRAIN_GAIN, CWND_GAIN);
	}
	if (bbr->state == BBR_DRAIN &&
		ack->flight <= bbr_inflight(bbr, bbr_max_bw(bbr), BBR_UNIT, ack->ack->mss))
		start_down(bbr, ack->ack->now);
}

/* ---- probing for bandwidth [5.3.3] */

/* Losses of a probe: this much is too much. */
static void
handle_inflight_too_high(
	const struct cc *cc, struct bbr *bbr, uint32_t in_flight, bool limited, ustime now)
{
	uint32_t target = least(bbr_bdp(bbr, bbr->bw, BBR_UNIT), cc->cwnd);

	bbr->probing_samples = false;
	if (!limited)
		bbr->inflight_hi = most(in_flight, (uint32_t)((uint64_t)target * 7 / 10));
	if (bbr->state == BBR_UP)
		start_down(bbr, now);
}

/* How much was in flight when 1/50 of it had been lost: some byte of this segment was the one too
 * much. lost: since it was sent, itself included. */
static uint32_t
inflight_at_loss(const struct bbr_loss *loss, uint32_t lost)
{
	uint32_t before = loss->stamp->in_flight - least(loss->len, loss->stamp->in_flight);
	uint32_t budget = before / LOSS_SHIFT, lost_before = lost - loss->len;

	if (lost_before >= budget)
		return before;
	return before + (budget - lost_before) * LOSS_SHIFT / (LOSS_SHIFT - 1);
}

void
bbr_lost(struct cc *cc, const struct bbr_loss *loss)
{
	struct bbr *bbr = bbr_of(cc);
	uint32_t lost = rate_lost(&bbr->rate, loss->stamp, loss->len);

	bbr_note_loss(bbr);
	if (loss->begins && bbr->loss_events < UINT8_MAX)
		bbr->loss_events++;
	if (bbr->probing_samples && lost > loss->stamp->in_flight / LOSS_SHIFT)
		handle_inflight_too_high(cc, bbr, inflight_at_loss(loss, lost),
			loss->stamp->limited, loss->now);
}

static void
probe_upward(const struct cc *cc, struct bbr *bbr, const struct bbr_ack *ack)
{
	uint32_t segments;

	if (!ack->ack->cwnd_limited || cc->cwnd < bbr->inflight_hi)
		return;
	bbr->up_acked += ack->ack->delivered;
	if (bbr->up_acked >= bbr->up_every) {
		segments = bbr->up_acked / bbr->up_every;
		bbr->up_acked -= segments * bbr->up_every;
		bbr->inflight_hi = (uint32_t)least(
			CC_CWND_MAX, (uint32_t)((uint64_t)bbr->inflight_hi +
						least(segments, CC_CWND_MAX / ack->ack->mss) *
							(uint64_t)ack->ack->mss));
	}
	if (bbr->round_start)
		raise_slope(cc, bbr);
}

static void
adapt_upper_bounds(const struct cc *cc, struct bbr *bbr, const struct bbr_ack *ack)
{
	if (bbr->ack_phase == BBR_ACKS_PROBE_STARTING && bbr->round_start)
		bbr->ack_phase = BBR_ACKS_PROBE_FEEDBACK;
	if (bbr->ack_phase == BBR_ACKS_PROBE_STOPPING && bbr->round_start) {
		bbr->probing_samples = false;
		bbr->ack_phase = BBR_ACKS_INIT;
		if (is_probing_bw(bbr) && !ack->rate->limited)
			bbr_advance_max_bw(bbr);
	}
	if (is_inflight_too_high(ack->rate)) {
		if (bbr->probing_samples)
			handle_inflight_too_high(cc, bbr, ack->rate->in_flight,
				ack->rate->limited, ack->ack->now);
		return;
	}
	if (bbr->inflight_hi == BBR_NONE)
		return;
	if (ack->rate->valid && ack->rate->in_flight > bbr->inflight_hi)
		bbr->inflight_hi = ack->rate->in_flight;
	if (bbr->state == BBR_UP)
		probe_upward(cc, bbr, ack);
}

/* After 2 to 3 s, or as many rounds as Reno needs to fill the path once more. */
static bool
is_time_to_probe(const struct cc *cc, const struct bbr *bbr, const struct bbr_ack *ack)
{
	uint32_t target = least(bbr_bdp(bbr, bbr->bw, BBR_UNIT), cc->cwnd);
	uint64_t rounds = bbr->rounds_since_probe;

	return ack->ack->now > bbr->phase_at + bbr->phase_wait_us || rounds >= PROBE_ROUNDS_MAX ||
	       rounds * ack->ack->mss >= target;
}

static bool
is_time_to_cruise(const struct bbr *bbr, const struct bbr_ack *ack)
{
	return ack->flight <= inflight_with_headroom(bbr, ack->ack->mss) &&
	       ack->flight <= bbr_inflight(bbr, bbr_max_bw(bbr), BBR_UNIT, ack->ack->mss);
}

static bool
is_time_to_go_down(const struct cc *cc, struct bbr *bbr, const struct bbr_ack *ack)
{
	if (ack->ack->cwnd_limited && cc->cwnd >= bbr->inflight_hi) {
		/* inflight_hi holds us back: no wonder that there is not more. */
		reset_full_bw(bbr, ack->rate->rate);
		return false;
	}
	return bbr->full_bw_now;
}

static void
update_probe_phase(const struct cc *cc, struct bbr *bbr, const struct bbr_ack *ack)
{
	if (!bbr->full_bw_reached)
		return;
	adapt_upper_bounds(cc, bbr, ack);
	switch (bbr->state) {
	case BBR_DOWN:
		if (is_time_to_probe(cc, bbr, ack))
			start_refill(bbr);
		else if (is_time_to_cruise(bbr, ack))
			enter(bbr, BBR_CRUISE, BBR_UNIT, CWND_GAIN);
		break;
	case BBR_CRUISE:
		if (is_time_to_probe(cc, bbr, ack))
			start_refill(bbr);
		break;
	case BBR_REFILL:
		if (bbr->round_start) {
			bbr->probing_samples = true;
			start_up(cc, bbr, ack);
		}
		break;
	case BBR_UP:
		if (is_time_to_go_down(cc, bbr, ack))
			start_down(bbr, ack->ack->now);
		break;
	default:
		break;
	}
}

/* ---- probing for the round trip [5.3.4] */

static void
save_cwnd(const struct cc *cc, struct bbr *bbr, bool in_recovery)
{
	if (!in_recovery && bbr->state != BBR_PROBE_RTT)
		bbr->prior_cwnd = cc->cwnd;
	else
		bbr->prior_cwnd = most(bbr->prior_cwnd, cc->cwnd);
}

static void
leave_probe_rtt(struct cc *cc, struct bbr *bbr, ustime now)
{
	bbr->probe_rtt_min_at = now;
	cc->cwnd = most(cc->cwnd, bbr->prior_cwnd);
	bbr_reset_lower_bounds(bbr);
	if (bbr->full_bw_reached) {
		start_down(bbr, now);
		enter(bbr, BBR_CRUISE, BBR_UNIT, CWND_GAIN);
	} else {
		enter(bbr, BBR_STARTUP, STARTUP_GAIN, CWND_GAIN);
	}
}

static void
hold_probe_rtt(struct cc *cc, struct bbr *bbr, const struct bbr_ack *ack)
{
	ustime now = ack->ack->now;

	/* What is measured now is no bandwidth. */
	rate_limited(&bbr->rate, ack->flight);
	if (bbr->probe_rtt_done_at == 0) {
		if (ack->flight > probe_rtt_cwnd(bbr, ack->ack->mss))
			return;
		bbr->probe_rtt_done_at = now + PROBE_RTT_US;
		bbr->probe_rtt_round_done = false;
		begin_round(bbr);
		return;
	}
	if (bbr->round_start)
		bbr->probe_rtt_round_done = true;
	if (bbr->probe_rtt_round_done && now > bbr->probe_rtt_done_at)
		leave_probe_rtt(cc, bbr, now);
}

static void
check_probe_rtt(struct cc *cc, struct bbr *bbr, const struct bbr_ack *ack, bool expired)
{
	if (bbr->state != BBR_PROBE_RTT && expired && !bbr->idle_restart) {
		save_cwnd(cc, bbr, ack->ack->in_recovery);
		enter(bbr, BBR_PROBE_RTT, BBR_UNIT, PROBE_RTT_CWND_GAIN);
		bbr->probe_rtt_done_at = 0;
		bbr->ack_phase = BBR_ACKS_PROBE_STOPPING;
		begin_round(bbr);
	}
	if (bbr->state == BBR_PROBE_RTT)
		hold_probe_rtt(cc, bbr, ack);
	if (ack->rate->valid)
		bbr->idle_restart = false;
}

/* ---- what follows [5.6] */

static void
set_pacing(struct bbr *bbr, uint32_t gain, uint32_t mss)
{
	uint64_t rate = bbr->bw * gain / BBR_UNIT * PACING_NUM / PACING_DEN;
	uint64_t quantum;

	/* Until the path is known, a rate below the last one is only a slow start. */
	if (rate == 0 || (!bbr->full_bw_reached && rate <= bbr->pacer.rate))
		rate = bbr->pacer.rate;
	quantum = rate / 1000; /* of a millisecond [5.6.3] */
	if (quantum > QUANTUM_MAX)
		quantum = QUANTUM_MAX;
	pacer_set(&bbr->pacer, rate, most((uint32_t)quantum, 2 * mss));
}

static uint32_t
bound_for_model(const struct bbr *bbr, uint32_t cwnd, uint32_t mss)
{
	uint32_t cap = BBR_NONE;

	if (bbr->state == BBR_PROBE_RTT)
		cwnd = least(cwnd, probe_rtt_cwnd(bbr, mss));
	if (is_probing_bw(bbr) && bbr->state != BBR_CRUISE)
		cap = bbr->inflight_hi;
	else if (bbr->state == BBR_CRUISE || bbr->state == BBR_PROBE_RTT)
		cap = inflight_with_headroom(bbr, mss);
	cap = most(least(cap, bbr->inflight_lo), min_pipe(mss));
	return least(cwnd, cap);
}

static void
set_cwnd(struct cc *cc, struct bbr *bbr, const struct bbr_ack *ack)
{
	uint32_t mss = ack->ack->mss, cwnd = cc->cwnd, target;

	target = bbr_inflight(bbr, bbr->bw, bbr->cwnd_gain, mss);
	target = least(CC_CWND_MAX, target + most(bbr->extra_acked[0], bbr->extra_acked[1]));
	if (bbr->full_bw_reached)
		cwnd = least(cwnd + ack->ack->delivered, target);
	else if (cwnd < target || bbr->rate.delivered < bbr->initial_window)
		cwnd += ack->ack->delivered;
	cwnd = most(least(cwnd, CC_CWND_MAX), min_pipe(mss));
	cc->cwnd = bound_for_model(bbr, cwnd, mss);
}

/* ---- events */

static void
bbr_init(struct cc *cc, uint32_t mss)
{
	memset(&cc->u, 0, sizeof(cc->u)); /* bbr_start follows */
	cc->watches_unused = true;
}

void
bbr_start(struct cc *cc, struct bbr *bbr, uint32_t mss, uint32_t srtt_us, uint32_t seed, ustime now)
{
	uint64_t rate = (uint64_t)cc->cwnd * USEC_PER_SEC / (srtt_us > 0 ? srtt_us : FIRST_RTT_US);

	*bbr = (struct bbr){
		.bw_lo = UINT64_MAX,
		.min_rtt_us = srtt_us > 0 ? srtt_us : BBR_NONE,
		.probe_rtt_min_us = srtt_us > 0 ? srtt_us : BBR_NONE,
		.min_rtt_at = now,
		.probe_rtt_min_at = now,
		.extra_acked_at = now,
		.phase_at = now,
		.inflight_hi = BBR_NONE,
		.inflight_lo = BBR_NONE,
		.prior_cwnd = cc->cwnd,
		.initial_window = cc->cwnd,
		.random = seed,
		.sampled = srtt_us > 0,
	};
	rate_init(&bbr->rate, now);
	bbr->pacer.rate = rate * STARTUP_GAIN / BBR_UNIT;
	pacer_set(&bbr->pacer, bbr->pacer.rate, 2 * mss);
	enter(bbr, BBR_STARTUP, STARTUP_GAIN, CWND_GAIN);
	memcpy(cc->u.bbr.state, &bbr, sizeof(bbr));
}

/* The first round trip: until then the pacing rate was a guess. */
static void
first_sample(struct bbr *bbr, const struct cc_ack *ack)
{
	uint64_t rate;

	if (bbr->sampled || ack->srtt_us == 0)
		return;
	bbr->sampled = true;
	rate = (uint64_t)bbr->initial_window * USEC_PER_SEC / ack->srtt_us;
	pacer_set(&bbr->pacer, rate * STARTUP_GAIN / BBR_UNIT, 2 * ack->mss);
}

static void
bbr_on_ack(struct cc *cc, const struct cc_ack *facts)
{
	uint32_t gone = facts->delivered + facts->lost;
	struct bbr_ack ack = {
		.ack = facts,
		.rate = facts->rate,
		.flight = facts->flight > gone ? facts->flight - gone : 0,
	};
	struct bbr *bbr = bbr_of(cc);
	bool expired;

	if (facts->rate == NULL)
		return;
	first_sample(bbr, facts);
	bbr_model_update(cc, bbr, &ack);
	check_full_bw(bbr, ack.rate);
	check_startup_and_drain(bbr, &ack);
	update_probe_phase(cc, bbr, &ack);
	expired = bbr_model_rtt(bbr, &ack);
	check_probe_rtt(cc, bbr, &ack, expired);
	bbr_model_advance(bbr, &ack);
	set_pacing(bbr, bbr->pacing_gain, facts->mss);
	set_cwnd(cc, bbr, &ack);
}

static void
bbr_on_loss(struct cc *cc, const struct cc_event *event)
{
	struct bbr *bbr = bbr_of(cc);

	save_cwnd(cc, bbr, false);
	cc->ssthresh = CC_SSTHRESH_MAX;
}

/* Marks count as a round with losses [3168 5]: the short-term bounds come down. */
static void
bbr_on_ecn(struct cc *cc, const struct cc_event *event)
{
	bbr_note_loss(bbr_of(cc));
}

static void
bbr_on_recovered(struct cc *cc, const struct cc_event *event)
{
	struct bbr *bbr = bbr_of(cc);

	cc->cwnd = bound_for_model(bbr, most(cc->cwnd, bbr->prior_cwnd), event->mss);
}

static void
bbr_on_rto(struct cc *cc, const struct cc_event *event)
{
	struct bbr *bbr = bbr_of(cc);

	save_cwnd(cc, bbr, !event->first);
	cc->cwnd = event->mss;
}

static void
bbr_on_idle(struct cc *cc, ustime now, ustime idle_us)
{
	struct bbr *bbr = bbr_of(cc);

	if (!bbr->rate.limited)
		return;
	bbr->idle_restart = true;
	bbr->extra_acked_at = now;
	bbr->extra_acked_delivered = 0;
	if (is_probing_bw(bbr))
		set_pacing(bbr, BBR_UNIT, bbr->pacer.quantum / 2);
	else if (bbr->state == BBR_PROBE_RTT && bbr->probe_rtt_done_at != 0 &&
		 now > bbr->probe_rtt_done_at)
		leave_probe_rtt(cc, bbr, now);
}

const struct cc_ops cc_bbr_ops = {
	.name = "bbr",
	.paces = true,
	.init = bbr_init,
	.on_ack = bbr_on_ack,
	.on_loss = bbr_on_loss,
	.on_ecn = bbr_on_ecn,
	.on_recovered = bbr_on_recovered,
	.on_rto = bbr_on_rto,
	.on_idle = bbr_on_idle,
};
