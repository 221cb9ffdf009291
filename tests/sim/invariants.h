/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_INVARIANTS_H
#define SIM_INVARIANTS_H

/*
 * What must hold after every turn of a lane, beside what monitor.h reads off the wire and what the
 * sessions see of their streams:
 *
 * - tcp_check: connections, deadlines, table, wheel, slabs and lists;
 * - of each pool: size = free + posted + received and not read + queued by connections and for
 * neighbours
 *   + waiting for the NIC + at the NIC + held by the application: nothing leaks and nothing is
 * freed twice;
 * - who has just sent new data has no more in flight than the congestion window allows.
 */

#include "world.h"

/* Calls fn(arg, mbuf) for each chain that applications hold of buffers of a lane. */
typedef void (*held_fn)(void *arg, struct rte_mbuf *mbuf);
typedef void (*each_held_fn)(void *holders, const struct sim_lane *lane, held_fn fn, void *arg);

/* holders: what each_held is called with. Begins a run. */
void invariants_reset(each_held_fn each_held, void *holders);

/* For world_watch. */
void invariants_turned(struct world *world, struct sim_lane *lane);

#endif
