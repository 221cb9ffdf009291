/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * CUBIC [9438] with HyStart++ [9406], in bytes and integers.
 *
 *   W_cubic(t) = C (t - K)^3 + W_max       K = cbrt((W_max - cwnd at t = 0) / C)
 *
 * The window runs along a cubic curve of the time since congestion avoidance began: fast towards
 * W_max, where the last congestion was, flat around it, then fast away from it. It depends on time,
 * not on round trips. W_est is the window that Reno would have with CUBIC's decrease of 0.7; where
 * it is larger (short round trips, small windows) cwnd follows it.
 *
 * Time is that in which the window was used up: while the application sends less, t stands still,
 * so that the curve does not run away from what was ever tried [9438 5.8].
 *
 *   phase              u holds     ends with
 *   CUBIC_FIRST        hystart     HyStart++'s verdict, or the first congestion
 *   CUBIC_WAITING      cubic       the first ACK with cwnd >= ssthresh outside recovery: t = 0
 *   CUBIC_GROWING      cubic       congestion, or an ACK that found the window not used up
 *   CUBIC_STANDING     cubic       congestion, or an ACK that found the window used up
 */

#include "bounds.h"
#include "cc.h"

/* beta_cubic = 0.7 and C = 0.4 [9438 4.6, 5] and what follows from them. */
#define BETA_NUM 7u
#define BETA_DEN 10u
#define C_NUM 2u
#define C_DEN 5u
#define ALPHA_NUM 9u /* 3 (1 - beta) / (1 + beta) [9438 4.3] */
#define ALPHA_DEN 17u
#define CONVERGENCE_NUM 17u /* (1 + beta) / 2 [9438 4.7] */
#define CONVERGENCE_DEN 20u

/* The curve's time goes in ticks of 2^-10 s. */
#define TICK_BITS 10
#define TICKS(us) ((uint64_t)(us)*16 / 15625) /* 1024 / 1,000,000 */

/* Time stops here, 36 minutes: the curve is beyond every window by then, and us32 does not wrap. */
#define TIME_MAX_US 0x7fffffffu

enum { CUBIC_FIRST, CUBIC_WAITING, CUBIC_GROWING, CUBIC_STANDING };

/* Bits of count: where cwnd_prior, the window of the last congestion, is found. */
enum {
	PRIOR_CONVERGED = 1, /* W_max is 0.85 of it */
	PRIOR_SSTHRESH = 2,  /* ssthresh is 0.7 of it: after a timeout W_max begins anew */
};

static uint32_t
scaled(uint32_t bytes, uint32_t num, uint32_t den)
{
	uint64_t product = (uint64_t)bytes * num / den;

	return product < CC_CWND_MAX ? (uint32_t)product : CC_CWND_MAX;
}

/* ---- the curve */

/* The cube root, rounded down: bit by bit, since it is needed once per congestion only. */
static uint32_t
cube_root(uint64_t x)
{
	uint64_t root = 0;

	for (int shift = 63; shift >= 0; shift -= 3) {
		uint64_t step;

		root <<= 1;
		step = 3 * root * (root + 1) + 1;
		if ((x >> shift) >= step) {
			x -= step << shift;
			root++;
		}
	}
	return (uint32_t)root;
}

/* K in ticks, for a window that is `below` bytes under W_max: (below / mss / C) in ticks^3 is less
 * than 2^31 * 5/2 * 2^30, which fits. */
static uint32_t
cubic_k(uint32_t below, uint32_t mss)
{
	return cube_root(((uint64_t)below * C_DEN << (3 * TICK_BITS)) / ((uint64_t)mss * C_NUM));
}

/* C d^3 in bytes. d is less than 2^21.1 ticks, so d^3 fits; mss is less than 2^16, so that what
 * is made of it fits after a first shift by 20 of the 30 bits of fraction. */
static uint64_t
cubic_rise(uint64_t d, uint32_t mss)
{
	return ((d * d * d >> 2 * TICK_BITS) * mss * C_NUM / C_DEN) >> TICK_BITS;
}

/* W_cubic(t), t in µs. */
static uint32_t
cubic_window(const struct cc_cubic *cubic, uint64_t t_us, uint32_t mss)
{
	uint64_t t = TICKS(t_us < TIME_MAX_US ? t_us : TIME_MAX_US), rise;

	if (t < cubic->k) {
		rise = cubic_rise(cubic->k - t, mss);
		return rise < cubic->w_max ? cubic->w_max - (uint32_t)rise : 0;
	}
	rise = cubic->w_max + cubic_rise(t - cubic->k, mss);
	return rise < CC_CWND_MAX ? (uint32_t)rise : CC_CWND_MAX;
}

/* ---- growth */

static void
cubic_grow(struct cc *cc, uint32_t bytes, uint32_t limit)
{
	limit = least(limit, CC_CWND_MAX);
	if (cc->cwnd < limit)
		cc->cwnd += least(bytes, limit - cc->cwnd);
}

/* After the first slow start: congestion avoidance begins where the window stands [9438 4.10]. */
static void
leave_first(struct cc *cc)
{
	cc->phase = CUBIC_WAITING;
	cc->count = 0;
	cc->u.cubic = (struct cc_cubic){0};
}

/*
 * L segments per ACK at most [9406 4.2], in later slow starts too: receivers that answer a whole
 * burst with one ACK are common, and would be starved by a limit of one or two [3465 2.3].
 */
static void
slow_start(struct cc *cc, const struct cc_ack *ack)
{
	uint32_t bytes = least(ack->acked, HYSTART_GROWTH_LIMIT * ack->mss);

	if (cc->phase == CUBIC_FIRST && cc->ssthresh != CC_SSTHRESH_MAX)
		leave_first(cc); /* it is not the first: another algorithm was at work before */
	if (cc->phase != CUBIC_FIRST) {
		cc->phase = CUBIC_WAITING; /* also after idling: the next epoch is a new one */
	} else {
		switch (hystart_on_ack(&cc->u.hystart, ack->snd_una, ack->snd_nxt, ack->rtt_us)) {
		case HYSTART_SLOW_START:
			break;
		case HYSTART_CONSERVATIVE:
			bytes >>= HYSTART_CSS_GROWTH_SHIFT;
			break;
		case HYSTART_EXIT:
			cc->ssthresh = cc->cwnd;
			leave_first(cc);
			return;
		}
	}
	cubic_grow(cc, bytes, cc->ssthresh);
}

/* t = 0. */
static void
epoch_begin(struct cc *cc, const struct cc_ack *ack)
{
	struct cc_cubic *cubic = &cc->u.cubic;

	if (cubic->w_max <= cc->cwnd) { /* also after a timeout and HyStart++ [9438 4.8, 4.10] */
		cubic->w_max = cc->cwnd;
		cubic->k = 0;
	} else {
		cubic->k = cubic_k(cubic->w_max - cc->cwnd, ack->mss);
	}
	cubic->w_est = cc->cwnd;
	cubic->acked = 0;
	cubic->since_us = us32(ack->now);
	cc->phase = CUBIC_GROWING;
	cc->watches_unused = true;
}

/* t in µs. Called with the window used up. */
static uint32_t
epoch_time(struct cc *cc, ustime now)
{
	struct cc_cubic *cubic = &cc->u.cubic;

	if (cc->phase == CUBIC_STANDING) {
		cubic->since_us = us32(now) - cubic->since_us;
		cc->phase = CUBIC_GROWING;
		cc->watches_unused = true;
	}
	if (us32(now) - cubic->since_us > TIME_MAX_US)
		cubic->since_us = us32(now) - TIME_MAX_US;
	return us32(now) - cubic->since_us;
}

/* The window is not used up: t stands still. */
static void
epoch_stand(struct cc *cc, ustime now)
{
	if (cc->phase != CUBIC_GROWING)
		return;
	cc->u.cubic.since_us = epoch_time(cc, now);
	cc->phase = CUBIC_STANDING;
	cc->watches_unused = false;
}

/* The window at the last congestion, before it was reduced [9438 4.1.2]. */
static uint32_t
cwnd_prior(const struct cc *cc)
{
	if (cc->count & PRIOR_SSTHRESH)
		return scaled(cc->ssthresh, BETA_DEN, BETA_NUM);
	if (cc->count & PRIOR_CONVERGED)
		return scaled(cc->u.cubic.w_max, CONVERGENCE_DEN, CONVERGENCE_NUM);
	return cc->u.cubic.w_max;
}

/* W_est grows by alpha segments per window of acknowledged bytes, by one from cwnd_prior on [9438
 * 4.3]. Bytes are counted, not divided. */
static void
estimate_reno(struct cc *cc, const struct cc_ack *ack)
{
	struct cc_cubic *cubic = &cc->u.cubic;
	uint64_t acked = (uint64_t)cubic->acked + least(ack->acked, cc->cwnd);
	uint64_t window = cc->cwnd;

	if (cubic->w_est < cwnd_prior(cc))
		window = window * ALPHA_DEN / ALPHA_NUM;
	if (acked >= window) {
		acked -= window;
		cubic->w_est = least(cubic->w_est + ack->mss, CC_CWND_MAX);
	}
	cubic->acked = acked < UINT32_MAX ? (uint32_t)acked : UINT32_MAX;
}

static void
avoid_congestion(struct cc *cc, const struct cc_ack *ack)
{
	struct cc_cubic *cubic = &cc->u.cubic;
	uint32_t t_us, target, window = cc->cwnd;

	if (cc->phase == CUBIC_WAITING)
		epoch_begin(cc, ack);
	t_us = epoch_time(cc, ack->now);
	estimate_reno(cc, ack);
	if (cubic_window(cubic, t_us, ack->mss) < cubic->w_est) {
		cubic_grow(cc, cubic->w_est, cubic->w_est); /* [9438 4.3] */
		return;
	}
	/* Concave and convex alike: within a round trip to where the curve will be then [9438 4.4,
	 * 4.5]. What is lost by rounding is made up for once the target is far enough away. */
	target = cubic_window(cubic, (uint64_t)t_us + ack->srtt_us, ack->mss);
	target = least(target, window + window / 2); /* [9438 4.2] */
	if (target > window)
		cubic_grow(cc,
			(uint32_t)((uint64_t)(target - window) * least(ack->acked, window) /
				   window),
			CC_CWND_MAX);
}

/* ---- events */

static void
cubic_init(struct cc *cc, uint32_t mss)
{
	cc->phase = CUBIC_FIRST;
	hystart_init(&cc->u.hystart);
}

static void
cubic_on_ack(struct cc *cc, const struct cc_ack *ack)
{
	if (ack->in_recovery || ack->acked == 0)
		return;
	if (!ack->cwnd_limited) {
		epoch_stand(cc, ack->now);
		return;
	}
	if (cc->cwnd < cc->ssthresh) {
		slow_start(cc, ack);
		return;
	}
	if (cc->phase == CUBIC_FIRST)
		leave_first(cc);
	avoid_congestion(cc, ack);
}

/* W_max: where the window was, or less if it is falling from event to event, to make room for new
 * flows [9438 4.7]. */
static void
remember_max(struct cc *cc)
{
	bool falling;

	if (cc->phase == CUBIC_FIRST)
		leave_first(cc);
	falling = cc->cwnd < cc->u.cubic.w_max;
	cc->u.cubic.w_max = falling ? scaled(cc->cwnd, CONVERGENCE_NUM, CONVERGENCE_DEN) : cc->cwnd;
	cc->count = falling ? PRIOR_CONVERGED : 0;
	cc->phase = CUBIC_WAITING;
}

/*
 * 0.7 of the flight, not of cwnd [9438 4.6], in whole segments, the nearest number of them: as no
 * part of a segment is sent, what is left over would be lost until the next congestion, and of
 * small windows more than 0.3 with it.
 */
static uint32_t
decreased(const struct cc_event *event)
{
	uint32_t window = scaled(event->flight, BETA_NUM, BETA_DEN);

	return least((window + event->mss / 2) / event->mss * event->mss, CC_CWND_MAX);
}

/* cwnd goes down: to so many bytes at least; ssthresh to two segments. */
static void
reduce(struct cc *cc, const struct cc_event *event, uint32_t floor)
{
	uint32_t window = decreased(event);

	remember_max(cc);
	cc->ssthresh = most(window, 2 * event->mss);
	cc->cwnd = most(window, floor);
}

static void
cubic_on_loss(struct cc *cc, const struct cc_event *event)
{
	reduce(cc, event, 2 * event->mss);
}

static void
cubic_on_ecn(struct cc *cc, const struct cc_event *event)
{
	reduce(cc, event, event->mss); /* nothing was lost: one segment is enough [9438 4.6] */
}

static void
cubic_on_recovered(struct cc *cc, const struct cc_event *event)
{
	cc->cwnd = least(cc->ssthresh, CC_CWND_MAX); /* [9937 6.4] */
}

static void
cubic_on_rto(struct cc *cc, const struct cc_event *event)
{
	if (cc->phase == CUBIC_FIRST)
		leave_first(cc);
	if (event->first) {
		cc->ssthresh = most(decreased(event), 2 * event->mss);
		cc->count = PRIOR_SSTHRESH;
	}
	cc->cwnd = event->mss; /* the loss window, as Reno [9438 4.8] */
	cc->u.cubic.w_max = 0; /* K is 0 when congestion avoidance begins */
	cc->phase = CUBIC_WAITING;
}

/* t stood still. Idling is known to a millisecond: t must not become less than 0. */
static void
cubic_on_idle(struct cc *cc, ustime now, ustime idle_us)
{
	struct cc_cubic *cubic = &cc->u.cubic;

	if (cc->phase != CUBIC_GROWING)
		return;
	cubic->since_us += us32(idle_us);
	if (us32(now) - cubic->since_us > TIME_MAX_US)
		cubic->since_us = us32(now);
}

const struct cc_ops cc_cubic_ops = {
	.name = "cubic",
	.init = cubic_init,
	.on_ack = cubic_on_ack,
	.on_loss = cubic_on_loss,
	.on_ecn = cubic_on_ecn,
	.on_recovered = cubic_on_recovered,
	.on_rto = cubic_on_rto,
	.on_idle = cubic_on_idle,
};
