/* SPDX-License-Identifier: BSD-3-Clause */
/* What the neighbour cache is told, by ARP and by neighbour discovery, and what it believes. */
#include <string.h>

#include "neighbor_inner.h"

static bool
mac_is_other(const struct neighbor *neighbor, const struct rte_ether_addr *mac)
{
	return memcmp(neighbor->header, mac, sizeof(*mac)) != 0;
}

bool
neighbor_learn(struct neighbors *neighbors, const struct rill_addr *addr,
	const struct rte_ether_addr *mac, bool create, ustime now, struct outbox *outbox)
{
	struct neighbor *neighbor;

	if (!neighbors->netif->ethernet)
		return false;
	neighbor = neighbors_find(neighbors, addr);
	if (neighbor == NULL && create)
		neighbor = neighbors_make(neighbors, addr);
	if (neighbor == NULL)
		return false;
	if (neighbor_is_usable(neighbor) && mac_is_other(neighbor, mac))
		neighbor_probe(neighbors, neighbor, now, outbox);
	else
		neighbor_found(neighbors, neighbor, mac, NEIGHBOR_REACHABLE, now, outbox);
	return true;
}

/* Is there, or was there just now, a question that an advertisement may be the answer to? */
static bool
is_asked(const struct neighbor *neighbor, ustime now)
{
	return neighbor->tries > 0 || now < neighbor->ask_again_at;
}

/* Of one whose MAC is known [4861 7.2.5]. */
static void
advertised_again(struct neighbors *neighbors, struct neighbor *neighbor,
	const struct neighbor_advert *advert, bool solicited, ustime now, struct outbox *outbox)
{
	bool moves = advert->has_mac && mac_is_other(neighbor, &advert->mac);
	struct rte_ether_addr mac = ((struct rte_ether_hdr *)neighbor->header)->dst_addr;

	if (moves && !advert->override) { /* I. */
		if (neighbor->state == NEIGHBOR_REACHABLE)
			neighbor_enter(neighbors, neighbor, NEIGHBOR_STALE, now);
		return;
	}
	if (moves) /* II. */
		mac = advert->mac;
	if (solicited)
		neighbor_found(neighbors, neighbor, &mac, NEIGHBOR_REACHABLE, now, outbox);
	else if (moves)
		neighbor_found(neighbors, neighbor, &mac, NEIGHBOR_STALE, now, outbox);
}

bool
neighbor_advertised(struct neighbors *neighbors, const struct neighbor_advert *advert, ustime now,
	struct outbox *outbox)
{
	struct neighbor *neighbor;
	bool solicited;

	if (!neighbors->netif->ethernet)
		return false;
	neighbor = neighbors_find(neighbors, &advert->addr);
	if (neighbor == NULL)
		return false;
	solicited = advert->solicited && is_asked(neighbor, now);
	if (neighbor_is_usable(neighbor)) {
		advertised_again(neighbors, neighbor, advert, solicited, now, outbox);
	} else if (advert->has_mac) {
		neighbor_found(neighbors, neighbor, &advert->mac,
			solicited ? NEIGHBOR_REACHABLE : NEIGHBOR_STALE, now, outbox);
	}
	return true;
}

bool
neighbor_hinted(struct neighbors *neighbors, const struct rill_addr *addr,
	const struct rte_ether_addr *mac, ustime now, struct outbox *outbox)
{
	struct neighbor *neighbor;

	if (!neighbors->netif->ethernet)
		return false;
	neighbor = neighbors_find(neighbors, addr);
	if (neighbor == NULL) {
		neighbor = neighbors_make(neighbors, addr);
		if (neighbor == NULL)
			return false;
		/* Whoever sends many of them displaces what he sent, and nothing that was used. */
		TAILQ_REMOVE(&neighbors->idle, neighbor, idle);
		TAILQ_INSERT_HEAD(&neighbors->idle, neighbor, idle);
	}
	if (!neighbor_is_usable(neighbor) || mac_is_other(neighbor, mac))
		neighbor_found(neighbors, neighbor, mac, NEIGHBOR_STALE, now, outbox);
	return true;
}
