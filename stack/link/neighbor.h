/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_LINK_NEIGHBOR_H
#define RILL_LINK_NEIGHBOR_H

/*
 * The neighbour cache: next hops, their MAC addresses, and how ARP finds and keeps them [826, 1122
 * 2.3.2].
 *
 * A connection holds the index of a next hop, never an Ethernet header: the header stands here,
 * ready to be copied. An entry that somebody uses (users > 0) is not removed; it can become
 * unresolved again.
 *
 *   INCOMPLETE  a request is broadcast each second, NEIGHBOR_TRIES times; a few packets wait
 *   REACHABLE   confirmed within NEIGHBOR_REACHABLE_US. When that is over: PROBE if it was used in
 *               that time; forgotten if nobody holds it; else looked at again after the same time
 *   PROBE       still used for sending, but in doubt (old, suspected, or claimed by another MAC):
 *               asked by unicast each second. No answer to NEIGHBOR_TRIES: INCOMPLETE again if it
 *               is held or was used meanwhile, else forgotten
 *   FAILED      nobody answers: packets for it are dropped, users hear EHOSTUNREACH. If it was
 *               wanted meanwhile it is asked for again after NEIGHBOR_FAILED_US, else with its
 *               next use
 *
 * What others claim unasked neither makes an entry nor overrides one: another MAC for a REACHABLE
 * address is a reason to probe the old one, and is believed when that keeps silent [RFC826-9].
 *
 * On a bare-IP interface one REACHABLE entry with an empty header serves every address.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <rill/types.h>

#include "netif.h"
#include "outbox.h"
#include "slab.h"
#include "wheel.h"

#define NEIGHBORS_MAX 4096
#define NEIGHBOR_TRIES 3
#define NEIGHBOR_RETRY_US (1 * USEC_PER_SEC) /* at most one request a second [1122 2.3.2.1] */
#define NEIGHBOR_REACHABLE_US (60ull * USEC_PER_SEC) /* then it is asked again, by unicast */
#define NEIGHBOR_FAILED_US (3ull * USEC_PER_SEC)
#define NEIGHBOR_QUEUE 4 /* packets that wait for one address; the oldest makes room */
#define NEIGHBOR_HEADER_MAX 18

enum neighbor_state {
	NEIGHBOR_FREE,
	NEIGHBOR_INCOMPLETE,
	NEIGHBOR_REACHABLE,
	NEIGHBOR_PROBE,
	NEIGHBOR_FAILED,
};

struct neighbor {
	/* Read by every segment that is sent. */
	uint8_t header[NEIGHBOR_HEADER_MAX]; /* Ethernet header, EtherType included */
	uint8_t header_len;                  /* 0 (bare IP) or 14 */
	uint8_t state;                       /* enum neighbor_state */
	uint16_t mtu;
	bool used;     /* was sent to, or wanted, since the state began: set by whoever sends */
	uint8_t tries; /* requests without an answer */
	/* The rest belongs to this file. */
	struct rill_addr addr;
	struct rill_addr source; /* of ours, that requests are sent from; family 0: not known yet */
	ustime ask_again_at;     /* not earlier than this */
	TAILQ_ENTRY(neighbor) idle;   /* while users is 0, the longest unused first */
	TAILQ_ENTRY(neighbor) events; /* while event_queued */
	uint32_t users;               /* connections that hold its index */
	uint32_t next;                /* in the address hash, or in the slab's free list */
	bool event_queued;
	uint8_t queue_len;
	struct rte_mbuf *queue[NEIGHBOR_QUEUE]; /* IP packets without a link header */
	struct wheel_node timer;
};

struct neighbors; /* the cache; one per lane and port */

enum neighbor_event {
	NEIGHBOR_EVENT_NONE,
	NEIGHBOR_EVENT_RESOLVED, /* header is valid */
	NEIGHBOR_EVENT_FAILED,   /* nobody answers */
};

/*
 * Makes a cache. netif, wheel stay the caller's and must outlive it. timer_kind is the kind of this
 * cache's nodes on the wheel: whoever expires the wheel hands them to neighbor_timer.
 * Returns NULL without memory.
 */
struct neighbors *neighbors_create(
	const struct netif *netif, struct wheel *wheel, uint8_t timer_kind, int numa_node);
void neighbors_destroy(struct neighbors *neighbors);

/*
 * The index of the next hop addr, which is made (INCOMPLETE, first request sent) if unknown. source
 * is the address that requests are sent from. A full cache forgets the entry that nobody holds and
 * that was unused longest; if all are held this returns SLAB_NONE (drop reason neighbor_full).
 * hold: users is raised; neighbor_release lowers it.
 */
uint32_t neighbor_get(struct neighbors *neighbors, const struct rill_addr *addr,
	const struct rill_addr *source, bool hold, ustime now, struct outbox *outbox);
void neighbor_release(struct neighbors *neighbors, uint32_t index);

struct neighbor *neighbor_at(const struct neighbors *neighbors, uint32_t index);

/* Can frames be sent to it now? (REACHABLE or PROBE) */
static inline bool
neighbor_is_usable(const struct neighbor *neighbor)
{
	return neighbor->state == NEIGHBOR_REACHABLE || neighbor->state == NEIGHBOR_PROBE;
}

/*
 * Sends an IP packet (no link header, writable headroom for one) to a next hop: at once if usable,
 * else it waits, or is dropped and counted. Sets l2_len. Takes ownership.
 */
void neighbor_output(struct neighbors *neighbors, uint32_t index, struct rte_mbuf *packet,
	ustime now, struct outbox *outbox);

/*
 * Negative advice [9293 MUST-20]: whoever uses this next hop sees no progress; it is asked again by
 * unicast, at most once a second. Of a FAILED one: it is wanted.
 */
void neighbor_suspect(
	struct neighbors *neighbors, uint32_t index, ustime now, struct outbox *outbox);

/*
 * A node of this cache was taken off the wheel. It may have been armed or freed again by what was
 * handled since, in the same turn.
 */
void neighbor_timer(
	struct neighbors *neighbors, struct wheel_node *node, ustime now, struct outbox *outbox);

/*
 * Events since the last call, one at a time: the index and what happened, or NEIGHBOR_EVENT_NONE
 * when there is no more.
 */
enum neighbor_event neighbors_next_event(struct neighbors *neighbors, uint32_t *index);

/*
 * What ARP learned: addr is at mac. create: also if the address is not in the cache yet. Returns
 * false if it was not and is not.
 */
bool neighbor_learn(struct neighbors *neighbors, const struct rill_addr *addr,
	const struct rte_ether_addr *mac, bool create, ustime now, struct outbox *outbox);

/* addr is no longer ours: no request is sent from it any more. */
void neighbors_forget_source(struct neighbors *neighbors, const struct rill_addr *addr);

uint32_t neighbors_count(const struct neighbors *neighbors);

#endif
