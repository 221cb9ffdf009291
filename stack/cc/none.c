/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * No congestion control: cwnd stays what it was made. For links that somebody else polices, for
 * tests that want the window out of the way, and as the template of an algorithm.
 */

#include "cc.h"

static void
none_init(struct cc *cc, uint32_t mss)
{
}

static void
none_on_ack(struct cc *cc, const struct cc_ack *ack)
{
}

static void
none_on_loss(struct cc *cc, const struct cc_event *event)
{
}

static void
none_on_recovered(struct cc *cc, const struct cc_event *event)
{
}

static void
none_on_rto(struct cc *cc, const struct cc_event *event)
{
}

const struct cc_ops cc_none_ops = {
	.name = "none",
	.init = none_init,
	.on_ack = none_on_ack,
	.on_loss = none_on_loss,
	.on_recovered = none_on_recovered,
	.on_rto = none_on_rto,
};
