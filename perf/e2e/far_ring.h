/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_PERF_FAR_RING_H
#define RILL_PERF_FAR_RING_H

/* The far end of a ring wire, for the player. */

#include "far.h"
#include "ring_wire.h"

struct far_ring {
	struct far_wire far;
	struct ring_wire *wire;
	struct ring_frame taken[FAR_BURST];
};

void far_ring_init(struct far_ring *ring, struct ring_wire *wire);

#endif
