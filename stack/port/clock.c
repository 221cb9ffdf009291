/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Microseconds = (TSC - base) * multiplier / 2^48. The multiplier has 28 bits or more for a TSC below
 * 1 THz, so that its rounding is below 4 ns in a second; the product is taken in 128 bits.
 */
#include <rte_cycles.h>

#include "port.h"

#define CLOCK_SHIFT 48
#define CLOCK_UNITS 1000000u /* a second has this many */

static uint64_t base;
static uint64_t multiplier;

void
clock_init(void)
{
	uint64_t hz = rte_get_tsc_hz();

	if (multiplier != 0)
		return; /* time already runs: lanes exist that have seen it */
	base = rte_rdtsc();
	multiplier = (uint64_t)(((unsigned __int128)CLOCK_UNITS << CLOCK_SHIFT) / hz);
}

uint64_t
clock_now_us(void)
{
	/* TSCs of cores may differ by a little: time must not wrap below the base. */
	int64_t ticks = (int64_t)(rte_rdtsc() - base);

	return ticks < 0 ? 0 : (uint64_t)((unsigned __int128)(uint64_t)ticks * multiplier >> CLOCK_SHIFT);
}
