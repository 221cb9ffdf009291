/* SPDX-License-Identifier: BSD-3-Clause */
#include "prr.h"

#include "bounds.h"

/* a - b, or 0. */
static uint32_t
excess(uint32_t a, uint32_t b)
{
	return a > b ? a - b : 0;
}

void
prr_begin(struct prr *prr, uint32_t flight)
{
	*prr = (struct prr){.recover_fs = flight > 0 ? flight : 1};
}

/* More is in flight than shall be: send ssthresh / recover_fs of what is delivered. */
static uint32_t
prr_proportional(const struct prr *prr, uint32_t ssthresh)
{
	uint64_t due =
		((uint64_t)prr->delivered * ssthresh + prr->recover_fs - 1) / prr->recover_fs;

	return due > prr->out ? (uint32_t)(due - prr->out) : 0;
}

/* Losses took the flight below ssthresh: as much as is delivered, and one segment more when that is
 * safe. */
static uint32_t
prr_conservative(const struct prr *prr, const struct prr_ack *ack)
{
	uint32_t count = excess(prr->delivered, prr->out);

	if (count < ack->delivered)
		count = ack->delivered;
	if (ack->safe)
		count += ack->mss;
	return least(count, excess(ack->ssthresh, ack->flight));
}

uint32_t
prr_cwnd(struct prr *prr, const struct prr_ack *ack)
{
	uint32_t count;

	prr->delivered += ack->delivered;
	if (ack->flight > ack->ssthresh)
		count = prr_proportional(prr, ack->ssthresh);
	else
		count = prr_conservative(prr, ack);
	if (prr->out == 0 && count < ack->mss)
		count = ack->mss; /* the first retransmission is not to wait [9937 6.2] */
	return ack->flight + count;
}
