/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_NET_PMTU_H
#define RILL_NET_PMTU_H

/*
 * Path MTUs that are lower than the link's, by destination: what one connection learns all others
 * to the same destination know [1191 6.3, 4821 5.2].
 *
 * An estimate is only ever lowered by news. After 10 min without any it is old: connections start
 * from the link's MTU again [1191 6.3]. After another 10 min it is forgotten.
 *
 * Bounds: PMTU_PATHS_MAX destinations, the one that changed longest ago makes room and is counted.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rill/types.h>

#include "counters.h"
#include "siphash.h"
#include "ustime.h"

#define PMTU_PATHS_MAX 512
#define PMTU_LEAST 68                        /* every IPv4 link carries it [791 3.2] */
#define PMTU_BASE 1024                       /* where a search begins [4821 7.2] */
#define PMTU_OLD_US (600ull * USEC_PER_SEC)  /* after a decrease [1191 3] */
#define PMTU_KEPT_US (300ull * USEC_PER_SEC) /* when it is not known how old it is [1191 3] */
#define PMTU_FORGET_US (600ull * USEC_PER_SEC)

struct pmtu_path {
	struct rill_addr dst;
	uint16_t mtu;          /* bytes of an IP packet that get through; 0: a free slot */
	ustime raise_at;       /* until then the estimate holds */
	uint16_t chain;        /* next of the same bucket, PMTU_PATHS_MAX: none */
	uint16_t older, newer; /* by the time of the last change */
};

struct pmtu {
	uint32_t count;
	uint16_t oldest, newest, vacant;
	struct siphash_key key;
	struct counters *counters;
	uint16_t buckets[PMTU_PATHS_MAX];
	struct pmtu_path paths[PMTU_PATHS_MAX];
};

void pmtu_init(struct pmtu *pmtu, const struct siphash_key *key, struct counters *counters);

/* What is known of the way to dst; NULL: nothing. Good until the next call. Forgets what is too
 * old. */
const struct pmtu_path *pmtu_find(struct pmtu *pmtu, const struct rill_addr *dst, ustime now);

/* May the estimate not be raised yet? */
static inline bool
pmtu_is_fresh(const struct pmtu_path *path, ustime now)
{
	return now < path->raise_at;
}

/* A router cannot pass on more than mtu bytes, or more than that seems to vanish. */
void pmtu_lower(struct pmtu *pmtu, const struct rill_addr *dst, uint16_t mtu, ustime now);

/* Somebody remembers mtu, of a path that is not known here any more: for 5 min more [1191 3]. */
void pmtu_keep(struct pmtu *pmtu, const struct rill_addr *dst, uint16_t mtu, ustime now);

/* The next common MTU below size, for routers that do not tell theirs [1191 5, 7.1]; at least
 * PMTU_LEAST. */
uint16_t pmtu_plateau_below(uint16_t size);

#endif
