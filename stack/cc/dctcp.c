/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * DCTCP [8257]: NewReno that answers marks by how many there are.
 *
 *   alpha = alpha * (1 - g) + g * (bytes marked / bytes acknowledged)      once per window
 *   cwnd  = cwnd * (1 - alpha / 2)                                         when told of marks
 *
 * It needs a path that marks early and a peer that echoes each mark, as Rill does for connections
 * under DCTCP (tcp/ecn.c), so it is for data centres, and only where it is asked for. Without ECN, or
 * after losses, it is NewReno.
 */

#include "cc.h"

#define G_SHIFT 4 /* g = 1/16 [8257 4.2] */

static void
dctcp_init(struct cc *cc, uint32_t mss)
{
	cc->u.dctcp =
		(struct cc_dctcp){.alpha = DCTCP_ALPHA_ONE}; /* cautious at first [8257 4.2] */
	cc->watches_unused = true;
}

static void
window_begin(struct cc_dctcp *dctcp, seq_t snd_nxt)
{
	dctcp->watching = true;
	dctcp->window_end = snd_nxt;
	dctcp->acked = 0;
	dctcp->marked = 0;
}

/* An end beyond snd_nxt was passed 2^31 bytes ago or more. */
static bool
window_is_over(const struct cc_dctcp *dctcp, const struct cc_ack *ack)
{
	return seq_gt(ack->snd_una, dctcp->window_end) || seq_gt(dctcp->window_end, ack->snd_nxt);
}

/* What part of a window was marked [8257 3.3]. */
static void
watch_marks(struct cc_dctcp *dctcp, const struct cc_ack *ack)
{
	uint64_t fraction;

	if (!dctcp->watching)
		window_begin(dctcp, ack->snd_nxt);
	dctcp->acked += ack->acked; /* a window is less than 2^30, so neither wraps */
	if (ack->ece)
		dctcp->marked += ack->acked;
	if (!window_is_over(dctcp, ack))
		return;
	fraction = (uint64_t)dctcp->marked * DCTCP_ALPHA_ONE / dctcp->acked;
	dctcp->alpha -= dctcp->alpha >> G_SHIFT;
	dctcp->alpha += (uint32_t)(fraction >> G_SHIFT);
	window_begin(dctcp, ack->snd_nxt);
}

static void
dctcp_on_ack(struct cc *cc, const struct cc_ack *ack)
{
	if (ack->acked > 0)
		watch_marks(&cc->u.dctcp, ack);
	cc_newreno_ops.on_ack(cc, ack); /* marks or not [8257 3.4] */
}

static void
dctcp_on_loss(struct cc *cc, const struct cc_event *event)
{
	cc_newreno_ops.on_loss(cc, event); /* [8257 3.5] */
}

static void
dctcp_on_ecn(struct cc *cc, const struct cc_event *event)
{
	uint64_t less = (uint64_t)cc->cwnd * cc->u.dctcp.alpha / (2 * DCTCP_ALPHA_ONE);
	uint32_t window = cc->cwnd - (uint32_t)less, floor = 2 * event->mss;

	cc->cwnd = cc->ssthresh = window > floor ? window : floor;
	cc->u.dctcp.reno.acked = 0;
}

static void
dctcp_on_recovered(struct cc *cc, const struct cc_event *event)
{
	cc_newreno_ops.on_recovered(cc, event);
}

static void
dctcp_on_rto(struct cc *cc, const struct cc_event *event)
{
	cc_newreno_ops.on_rto(cc, event);
}

const struct cc_ops cc_dctcp_ops = {
	.name = "dctcp",
	.exact_ece = true,
	.init = dctcp_init,
	.on_ack = dctcp_on_ack,
	.on_loss = dctcp_on_loss,
	.on_ecn = dctcp_on_ecn,
	.on_recovered = dctcp_on_recovered,
	.on_rto = dctcp_on_rto,
};
