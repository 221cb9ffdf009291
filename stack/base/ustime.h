/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_BASE_USTIME_H
#define RILL_BASE_USTIME_H

/*
 * Lane time: 64-bit microseconds, monotonic, given to each turn from outside.
 *
 * Short deadlines are kept as the low 32 bits of it (us32), long ones as 32-bit milliseconds
 * (ms32); both are compared modulo 2^32, so a deadline must lie less than 2^31 units away when it
 * is looked at: 35 minutes for us32, 24 days for ms32. The lane steps through longer jumps of time.
 */

#include <stdbool.h>
#include <stdint.h>

typedef uint64_t ustime;

#define USTIME_NEVER UINT64_MAX
#define USEC_PER_MSEC 1000u
#define USEC_PER_SEC 1000000u

static inline uint32_t
us32(ustime now)
{
	return (uint32_t)now;
}

static inline uint32_t
ms32(ustime now)
{
	return (uint32_t)(now / USEC_PER_MSEC);
}

/* Is the 32-bit deadline reached? For us32 and ms32 alike. */
static inline bool
time32_due(uint32_t deadline, uint32_t now)
{
	return (int32_t)(now - deadline) >= 0;
}

/* A 32-bit µs deadline back to lane time, given a now less than 2^31 µs away from it. */
static inline ustime
us32_expand(uint32_t deadline, ustime now)
{
	return now + (ustime)(int64_t)(int32_t)(deadline - us32(now));
}

#endif
