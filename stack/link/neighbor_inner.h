/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_LINK_NEIGHBOR_INNER_H
#define RILL_LINK_NEIGHBOR_INNER_H

/* What the neighbour cache's own files share: neighbor.c keeps it, neighbor_learn.c is told. */

#include "neighbor.h"

#define NEIGHBOR_BUCKETS (2 * NEIGHBORS_MAX)

TAILQ_HEAD(neighbor_list, neighbor);

struct neighbors {
	const struct netif *netif;
	struct wheel *wheel;
	uint8_t timer_kind;
	struct siphash_key key; /* of the buckets */
	ustime reachable6_us, retry6_us; /* of IPv6 */
	struct slab slab;
	struct neighbor_list idle;   /* nobody holds them; the longest unused first */
	struct neighbor_list events; /* something to tell about, oldest first */
	struct neighbor *last;       /* found: mostly a gateway, time and again; or NULL */
	uint32_t buckets[NEIGHBOR_BUCKETS];
	struct neighbor entries[NEIGHBORS_MAX];
};

/* NULL if the address is not in the cache. */
struct neighbor *neighbors_find(struct neighbors *neighbors, const struct rill_addr *addr);

/* A new entry, in no state yet; the one unused longest makes room. NULL if all are held. */
struct neighbor *neighbors_make(struct neighbors *neighbors, const struct rill_addr *addr);

/* addr is at mac, in this state: what waited for that goes out, and users hear of it. */
void neighbor_found(struct neighbors *neighbors, struct neighbor *neighbor,
	const struct rte_ether_addr *mac, enum neighbor_state state, ustime now,
	struct outbox *outbox);

/* Does a request to the MAC of a usable entry, unless one is out or has just been. */
void neighbor_probe(
	struct neighbors *neighbors, struct neighbor *neighbor, ustime now, struct outbox *outbox);

/* A state in which it is not asked for begins. */
void neighbor_enter(struct neighbors *neighbors, struct neighbor *neighbor,
	enum neighbor_state state, ustime now);

#endif
