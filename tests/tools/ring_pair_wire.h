/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RING_PAIR_WIRE_H
#define RING_PAIR_WIRE_H

/*
 * The wire between two net_ring devices of two stacks.
 *
 * net_ring hands over the very buffers that it is given, and what Rill sends it still refers to: so the
 * wire copies each frame into a buffer of its own pool, and posts the sender's back to the lane that sent
 * it, which frees it, as a NIC's driver would.
 */

#include <pthread.h>
#include <stdatomic.h>

struct rill_lane;
struct rte_mempool;
struct rte_ring;

/* One way of one queue. */
struct wire_way {
	struct rte_ring *from, *to;
	struct rill_lane *sender;
};

#define WIRE_WAYS_MAX 16

struct wire {
	struct rte_mempool *pool;
	struct wire_way ways[WIRE_WAYS_MAX];
	unsigned int count;
	atomic_bool stop;
	pthread_t thread;
};

/* Returns 0, or -1. Between start and stop the lanes run. */
int wire_start(struct wire *wire);
void wire_stop(struct wire *wire);

/* Frees what is left in the rings. No lane runs any more. */
void wire_empty(struct wire *wire);

#endif
