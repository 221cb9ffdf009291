/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_CC_PACER_H
#define RILL_CC_PACER_H

/*
 * Spreads what is sent over time: over any interval of T µs no more leaves than
 *
 *   rate * T / 1,000,000 + 2 * quantum + one segment     [bytes]
 *
 * and a sender who always has data and comes when pacer_wake says, or less than a quantum's time
 * later, sends at the rate. A quantum leaves at once, so that a turn has something to do, and
 * timers need not be finer than one.
 */

#include <stdbool.h>
#include <stdint.h>

#include "ustime.h"

#define PACER_FRACTION_BITS 16 /* of a µs: a segment at 100 Gbit/s takes 0.12 µs */

struct pacer {
	ustime free_us;     /* lane time when what was sent has passed at the rate, */
	uint32_t free_part; /* and so many 2^-16 µs more, less than one µs */
	uint32_t quantum;   /* bytes */
	uint64_t rate;      /* bytes a second, > 0 */
};

/* The rate from now on. */
void pacer_set(struct pacer *pacer, uint64_t rate, uint32_t quantum);

/* May a segment leave? */
static inline bool
pacer_allows(const struct pacer *pacer, ustime now)
{
	return pacer->free_us < now || (pacer->free_us == now && pacer->free_part == 0);
}

/* So many bytes leave. */
void pacer_sent(struct pacer *pacer, uint32_t bytes, ustime now);

/* When to come again after pacer_allows said no: a quantum may leave then. */
ustime pacer_wake(const struct pacer *pacer);

#endif
