/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_NET_PMTU_H
#define RILL_NET_PMTU_H

/*
 * Path MTUs that are lower than the link's, by destination: what one connection learns all others
 * to the same destination know [1191 6.3, 4821 5.2].
 *
 * An estimate is only ever lowered by news. After 10 min without any it is old: who cannot probe
 * starts from the link's MTU again [1191 6.3]. After another 10 min it is forgotten.
 *
 * The way up is a search [4821 7]: its lower end is the estimate, what is known to get through; its
 * upper end what is known to vanish. Whoever has data for it asks whether a probe is due and how
 * long, and tells what became of it; there is one at a time for a destination. The first one is as
 * long as the sender can make it, so that a false alarm or a path that has become wider costs one
 * round trip; the next ones halve what is left of the common MTUs, then of the bytes between. A
 * probe that gets through is followed by the next at once. After one that does not the search waits
 * for a second, and twice as long after each further one. Once the ends have met it rests for
 * 10 min; after what a router said it begins as late as that.
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
#define PMTU_PROBE_NEAR 8 /* ends of the search so near to each other have met [4821 7.3] */
#define PMTU_PROBE_WAIT_US (1ull * USEC_PER_SEC) /* after a lost probe, doubled with each */
#define PMTU_PROBE_DOUBLINGS 9
#define PMTU_PROBE_LEASE_US (60ull * USEC_PER_SEC) /* for who sent one and never tells */

struct pmtu_path {
	struct rill_addr dst;
	uint16_t mtu;          /* bytes of an IP packet that get through; 0: a free slot */
	uint16_t high;         /* the least size that a probe was lost at, bytes; 0: not known */
	uint8_t failures;      /* probes in a row that did not get through */
	ustime raise_at;       /* until then the estimate holds */
	ustime probe_at;       /* no probe before */
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

/* A router cannot pass on more than mtu bytes. */
void pmtu_lower(struct pmtu *pmtu, const struct rill_addr *dst, uint16_t mtu, ustime now);

/* More than mtu bytes seem to vanish: as above, but the search begins at once. */
void pmtu_black_hole(struct pmtu *pmtu, const struct rill_addr *dst, uint16_t mtu, ustime now);

/* Somebody remembers mtu, of a path that is not known here any more: for 5 min more [1191 3]. */
void pmtu_keep(struct pmtu *pmtu, const struct rill_addr *dst, uint16_t mtu, ustime now);

/* ---- the search; of a destination that is not known here any more there is none */

/* The size of the probe that is due, above the estimate and at most `most` bytes; 0: none is. */
uint16_t pmtu_probe_due(struct pmtu *pmtu, const struct rill_addr *dst, uint16_t most, ustime now);

/* A probe has left; one of the three calls below follows. */
void pmtu_probe_sent(struct pmtu *pmtu, const struct rill_addr *dst, ustime now);

/* So many bytes got through: that is the estimate now. */
void pmtu_probe_passed(struct pmtu *pmtu, const struct rill_addr *dst, uint16_t size, ustime now);

/* So many bytes did not get through, and that seems to be due to their number. */
void pmtu_probe_failed(struct pmtu *pmtu, const struct rill_addr *dst, uint16_t size, ustime now);

/* It was lost with others, or nobody knows: the same size again, later [4821 7.6.4]. */
void pmtu_probe_unsure(struct pmtu *pmtu, const struct rill_addr *dst, ustime now);

/* The next common MTU below size, for routers that do not tell theirs [1191 5, 7.1]; at least
 * PMTU_LEAST. */
uint16_t pmtu_plateau_below(uint16_t size);

#endif
