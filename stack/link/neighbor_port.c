/* SPDX-License-Identifier: BSD-3-Clause */
/* What becomes of the port, for the neighbour cache. */
#include <string.h>

#include <rte_ether.h>

#include "neighbor_inner.h"

/* Has it answered, or has somebody held it for as long as it could have? */
static bool
is_known(const struct neighbor *neighbor)
{
	return neighbor_is_usable(neighbor) &&
		(neighbor->state != NEIGHBOR_STALE || neighbor->users > 0);
}

/* One that connections use, if there is any: another may have left long ago. */
bool
neighbors_ask_known(struct neighbors *neighbors, ustime now, struct outbox *outbox)
{
	struct neighbor *known = NULL;

	for (uint32_t i = 0; i < neighbors->slab.fresh; i++) {
		struct neighbor *neighbor = &neighbors->entries[i];

		if (neighbor->state == NEIGHBOR_PROBE)
			return true;
		if (is_known(neighbor) && (known == NULL || neighbor->users > known->users))
			known = neighbor;
	}
	if (known == NULL || !neighbors->netif->ethernet)
		return false;
	neighbor_probe(neighbors, known, now, outbox);
	return true;
}

void
neighbors_follow_mac(struct neighbors *neighbors)
{
	const struct netif *netif = neighbors->netif;

	for (uint32_t i = 0; i < neighbors->slab.fresh; i++) {
		struct neighbor *neighbor = &neighbors->entries[i];
		struct rte_ether_hdr *header = (struct rte_ether_hdr *)neighbor->header;

		if (netif->ethernet && neighbor_is_usable(neighbor))
			header->src_addr = netif->mac;
	}
}
