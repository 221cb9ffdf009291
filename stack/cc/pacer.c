/* SPDX-License-Identifier: BSD-3-Clause */
#include "pacer.h"

static uint64_t
duration(const struct pacer *pacer, uint32_t bytes)
{
	return ((uint64_t)bytes * USEC_PER_SEC << PACER_FRACTION_BITS) / pacer->rate;
}

void
pacer_set(struct pacer *pacer, uint64_t rate, uint32_t quantum)
{
	pacer->rate = rate > 0 ? rate : 1;
	pacer->quantum = quantum;
}

void
pacer_sent(struct pacer *pacer, uint32_t bytes, ustime now)
{
	uint64_t present = now << PACER_FRACTION_BITS;
	uint64_t credit = duration(pacer, 2 * pacer->quantum);

	/* Time that was not used is worth two quanta at most. */
	if (present > credit && pacer->free_at < present - credit)
		pacer->free_at = present - credit;
	pacer->free_at += duration(pacer, bytes);
}

ustime
pacer_wake(const struct pacer *pacer)
{
	return ((pacer->free_at + duration(pacer, pacer->quantum)) >> PACER_FRACTION_BITS) + 1;
}
