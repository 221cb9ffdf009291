/* SPDX-License-Identifier: BSD-3-Clause */
#include "far_ring.h"

#include <rte_common.h>

static struct far_ring *
ring_of(struct far_wire *far)
{
	return RTE_PTR_SUB(far, offsetof(struct far_ring, far));
}

void
far_ring_init(struct far_ring *ring, struct ring_wire *wire)
{
	ring->far = (struct far_wire){.server_mac = wire->port.mac, .vouches = wire->vouches};
	ring->wire = wire;
}

uint8_t *
far_slot(struct far_wire *far)
{
	return ring_far_slot(ring_of(far)->wire);
}

void
far_filled(struct far_wire *far, uint16_t len)
{
	ring_far_filled(ring_of(far)->wire, len);
}

void
far_flush(struct far_wire *far)
{
	ring_far_flush(ring_of(far)->wire);
}

unsigned int
far_take(struct far_wire *far, struct far_frame frames[FAR_BURST])
{
	struct far_ring *ring = ring_of(far);
	unsigned int n = ring_far_take(ring->wire, ring->taken, FAR_BURST);

	for (unsigned int i = 0; i < n; i++)
		frames[i] = (struct far_frame){
			.data = ring->taken[i].data, .len = ring->taken[i].len};
	return n;
}

void
far_report(struct far_wire *far)
{
	ring_far_report(ring_of(far)->wire);
}
