/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_FLOWS_H
#define SIM_FLOWS_H

/*
 * Bulk flows from host 0 to host 1 of a world that has no others, one lane each: what they reach is
 * measured. Who sends has always something to send.
 */

#include "world.h"

#define FLOWS_MAX 10
#define FLOWS_STAGGER_US (100 * MS) /* between the beginnings of flows */

struct flows_setup {
	uint64_t seed;
	struct link_setup there, back; /* of host 0 to the router; of host 1 */
	struct rill_options options;   /* of both ends */
	unsigned int count;            /* <= FLOWS_MAX */
};

/* EAL for a program whose name this is; ends it if that fails. Once. */
void flows_start_eal(char *name);

/* Makes the world; its flows begin one after the other. world_down ends it. */
void flows_begin(struct world *world, const struct flows_setup *setup);

/* Goes on until the virtual time end_us, or the first failure. */
void flows_run_until(struct world *world, uint64_t end_us);

/* Bytes that the flow's receiver has been given. */
uint64_t flows_received(unsigned int flow);

#endif
