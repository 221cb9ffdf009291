/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_BASE_COUNTERS_H
#define RILL_BASE_COUNTERS_H

/*
 * A lane's counters. Written by the lane only; read from anywhere, each value on its own, without a
 * lock: an aligned 64-bit load and store do not tear on the machines that DPDK runs on.
 */

#include <rill/stats.h>
#include <stdint.h>

struct rte_mbuf;

struct counters {
#define X(name, text) uint64_t name;
	RILL_COUNTER_LIST(X)
#undef X
	uint64_t drops[RILL_DROP_COUNT];
};

static inline void
count_drop(struct counters *counters, enum rill_drop reason)
{
	counters->drops[reason]++;
}

/* Frees the packet and counts why. */
void drop_packet(struct counters *counters, struct rte_mbuf *mbuf, enum rill_drop reason);

#endif
