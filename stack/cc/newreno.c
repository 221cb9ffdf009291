/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * NewReno [5681, 6582], in bytes.
 *
 * Slow start (cwnd < ssthresh): every ACK adds what it acknowledges, one segment at most, so that
 * an ACK split into many gains nothing. Congestion avoidance: one segment for each cwnd of
 * acknowledged bytes, counted, not divided. A loss halves what is in flight; a timeout starts again
 * from one segment.
 *
 * During recovery the window is not inflated by duplicate ACKs: who sends then counts the bytes in
 * the pipe against cwnd = ssthresh [6675 5], which lets out as much.
 */

#include "bounds.h"
#include "cc.h"

static void
newreno_grow(struct cc *cc, uint32_t bytes)
{
	uint32_t room = cc->cwnd < CC_CWND_MAX ? CC_CWND_MAX - cc->cwnd : 0;

	cc->cwnd += least(bytes, room);
}

static uint32_t
newreno_halved(uint32_t flight, uint32_t mss)
{
	return most(flight / 2, 2 * mss); /* FlightSize, not cwnd [5681 3.1 (4)] */
}

static void
newreno_init(struct cc *cc, uint32_t mss)
{
	cc->u.newreno.acked = 0;
}

static void
newreno_on_ack(struct cc *cc, const struct cc_ack *ack)
{
	struct cc_newreno *reno = &cc->u.newreno;
	uint32_t window = cc->cwnd;

	if (ack->in_recovery || !ack->cwnd_limited)
		return;
	if (window < cc->ssthresh) {
		newreno_grow(cc, least(ack->acked, ack->mss)); /* [5681 3.1 (2)] */
		return;
	}
	/* One ACK counts for one window at most: acked stays below cwnd, and growth within a
	 * segment per round trip, whatever the ACK covers. */
	reno->acked += least(ack->acked, window);
	if (reno->acked >= window) {
		reno->acked -= window;
		newreno_grow(cc, ack->mss);
	}
}

static void
newreno_on_loss(struct cc *cc, const struct cc_event *event)
{
	cc->ssthresh = newreno_halved(event->flight, event->mss);
	cc->cwnd = cc->ssthresh;
	cc->u.newreno.acked = 0;
}

static void
newreno_on_recovered(struct cc *cc, const struct cc_event *event)
{
	cc->cwnd = least(cc->ssthresh, CC_CWND_MAX); /* [9937 6.4] */
}

static void
newreno_on_rto(struct cc *cc, const struct cc_event *event)
{
	if (event->first)
		cc->ssthresh = newreno_halved(event->flight, event->mss);
	cc->cwnd = event->mss; /* the loss window [5681 3.1] */
	cc->u.newreno.acked = 0;
}

const struct cc_ops cc_newreno_ops = {
	.name = "newreno",
	.init = newreno_init,
	.on_ack = newreno_on_ack,
	.on_loss = newreno_on_loss,
	.on_recovered = newreno_on_recovered,
	.on_rto = newreno_on_rto,
};
