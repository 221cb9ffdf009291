/* SPDX-License-Identifier: BSD-3-Clause */
#include "ring_pair_wire.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <rill/lane.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#define BURST 32

struct parcel {
	struct rte_mbuf *frames[BURST];
	unsigned int count;
};

static void
free_parcel(struct rill_lane *lane, void *arg)
{
	struct parcel *parcel = arg;

	rte_pktmbuf_free_bulk(parcel->frames, parcel->count);
	free(parcel);
}

/* Until the lane takes it, or has ended: then it is freed here. */
static void
give_back(struct wire *wire, struct rill_lane *lane, struct rte_mbuf **frames, unsigned int n)
{
	struct parcel *parcel = malloc(sizeof(*parcel));

	if (parcel == NULL)
		abort();
	memcpy(parcel->frames, frames, n * sizeof(*frames));
	parcel->count = n;
	while (rill_lane_post(lane, free_parcel, parcel) != 0) {
		if (atomic_load(&wire->stop)) {
			free_parcel(NULL, parcel);
			return;
		}
		sched_yield();
	}
}

/* What does not fit is lost, as on any wire. */
static unsigned int
carry(struct wire *wire, const struct wire_way *way)
{
	struct rte_mbuf *frames[BURST];
	unsigned int n = rte_ring_dequeue_burst(way->from, (void **)frames, BURST, NULL);

	for (unsigned int i = 0; i < n; i++) {
		struct rte_mbuf *copy = rte_pktmbuf_copy(frames[i], wire->pool, 0, UINT32_MAX);

		if (copy != NULL && rte_ring_enqueue(way->to, copy) != 0)
			rte_pktmbuf_free(copy);
	}
	if (n > 0)
		give_back(wire, way->sender, frames, n);
	return n;
}

static void *
run(void *arg)
{
	struct wire *wire = arg;

	while (!atomic_load(&wire->stop)) {
		unsigned int moved = 0;

		for (unsigned int i = 0; i < wire->count; i++)
			moved += carry(wire, &wire->ways[i]);
		if (moved == 0)
			sched_yield();
	}
	return NULL;
}

int
wire_start(struct wire *wire)
{
	atomic_store(&wire->stop, false);
	return pthread_create(&wire->thread, NULL, run, wire) == 0 ? 0 : -1;
}

void
wire_stop(struct wire *wire)
{
	atomic_store(&wire->stop, true);
	pthread_join(wire->thread, NULL);
}

void
wire_empty(struct wire *wire)
{
	struct rte_mbuf *frame;

	for (unsigned int i = 0; i < wire->count; i++) {
		while (rte_ring_dequeue(wire->ways[i].from, (void **)&frame) == 0)
			rte_pktmbuf_free(frame);
		while (rte_ring_dequeue(wire->ways[i].to, (void **)&frame) == 0)
			rte_pktmbuf_free(frame);
	}
}
