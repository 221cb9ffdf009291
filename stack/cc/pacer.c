/* SPDX-License-Identifier: BSD-3-Clause */
#include "pacer.h"

#define PART_MASK ((1u << PACER_FRACTION_BITS) - 1)

/* In 2^-16 µs. */
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

/* Time that was not used is worth two quanta at most. */
static void
forget_unused(struct pacer *pacer, ustime now)
{
	uint64_t credit = duration(pacer, 2 * pacer->quantum);
	ustime credit_us = (credit + PART_MASK) >> PACER_FRACTION_BITS;
	uint32_t part = (uint32_t)((credit_us << PACER_FRACTION_BITS) - credit);

	if (now < credit_us || pacer->free_us > now - credit_us ||
		(pacer->free_us == now - credit_us && pacer->free_part >= part))
		return;
	pacer->free_us = now - credit_us;
	pacer->free_part = part;
}

void
pacer_sent(struct pacer *pacer, uint32_t bytes, ustime now)
{
	uint64_t parts;

	forget_unused(pacer, now);
	parts = pacer->free_part + duration(pacer, bytes);
	pacer->free_us += parts >> PACER_FRACTION_BITS;
	pacer->free_part = parts & PART_MASK;
}

ustime
pacer_wake(const struct pacer *pacer)
{
	uint64_t parts = pacer->free_part + duration(pacer, pacer->quantum);

	return pacer->free_us + (parts >> PACER_FRACTION_BITS) + 1;
}
