/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_LINK_NEIGHBOR_H
#define RILL_LINK_NEIGHBOR_H

/*
 * The neighbour cache: next hops of both families, their MAC addresses, and how ARP [826, 1122
 * 2.3.2] and neighbour discovery [4861 7] find and keep them.
 *
 * A connection holds the index of a next hop, never an Ethernet header: the header stands here,
 * ready to be copied. An entry that somebody uses (users > 0) is not removed; it can become
 * unresolved again.
 *
 *   INCOMPLETE  asked for by broadcast or to its group each second, NEIGHBOR_TRIES times; a few
 *               packets wait
 *   REACHABLE   confirmed within NEIGHBOR_REACHABLE_US. When that is over: PROBE if it was used in
 *               that time; forgotten if nobody holds it; else looked at again after the same time
 *   PROBE       still used for sending, but in doubt (old, suspected, or claimed by another MAC):
 *               asked by unicast each second. No answer to NEIGHBOR_TRIES: INCOMPLETE again if it
 *               is held or was used meanwhile, else forgotten
 *   FAILED      nobody answers: packets for it are dropped, users hear EHOSTUNREACH. If it was
 *               wanted meanwhile it is asked for again after NEIGHBOR_FAILED_US, else with its
 *               next use
 *
 * IPv6 knows three more [4861 7.3.2], since what is sent may itself show that the neighbour is there:
 *
 *   STALE       its MAC is known, but nothing has confirmed it lately (REACHABLE is over, or it was
 *               told unasked): used for sending. Forgotten after NEIGHBOR_STALE_US if nobody holds it
 *   ABANDONED   was a router, and is not any more: whoever holds it has to look for another next hop
 *   DELAY       it was STALE when something was sent to it: if the upper layer does not see it
 *               arrive within NEIGHBOR_DELAY_US, PROBE
 *
 * What others claim unasked neither makes an entry for ARP nor overrides one: another MAC for a
 * REACHABLE address is a reason to probe the old one, and is believed when that keeps silent
 * [RFC826-9]. In IPv6 a neighbour that says "override" is believed [4861 7.2.5]; what was told
 * unasked makes an entry STALE, so that it is probed when it is used.
 *
 * On a bare-IP interface one REACHABLE entry with an empty header serves every address.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <rte_branch_prediction.h>

#include <rill/types.h>

#include "netif.h"
#include "outbox.h"
#include "siphash.h"
#include "slab.h"
#include "wheel.h"

#define NEIGHBORS_MAX 4096
#define NEIGHBOR_TRIES 3
#define NEIGHBOR_RETRY_US (1 * USEC_PER_SEC) /* at most one request a second [1122 2.3.2.1] */
#define NEIGHBOR_REACHABLE_US (60ull * USEC_PER_SEC) /* then it is asked again, by unicast */
#define NEIGHBOR_FAILED_US (3ull * USEC_PER_SEC)
/* Neighbour discovery's [4861 10], where a router says nothing else. */
#define NEIGHBOR6_REACHABLE_US (30ull * USEC_PER_SEC)
#define NEIGHBOR_DELAY_US (5ull * USEC_PER_SEC)
#define NEIGHBOR_STALE_US (60ull * USEC_PER_SEC)
#define NEIGHBOR_QUEUE 4 /* packets that wait for one address; the oldest makes room */
#define NEIGHBOR_HEADER_MAX 18

enum neighbor_state {
	NEIGHBOR_FREE,
	NEIGHBOR_INCOMPLETE,
	NEIGHBOR_FAILED,
	NEIGHBOR_ABANDONED,
	/* Frames can be sent to it, */
	NEIGHBOR_STALE,
	/* and need not be announced. */
	NEIGHBOR_REACHABLE,
	NEIGHBOR_DELAY,
	NEIGHBOR_PROBE,
};

struct neighbor {
	/* Read by every segment that is sent. */
	uint8_t header[NEIGHBOR_HEADER_MAX]; /* Ethernet header, EtherType included */
	uint8_t header_len;                  /* 0 (bare IP), 14, or 18 with a tag */
	uint8_t state;                       /* enum neighbor_state */
	uint16_t mtu;
	bool used;      /* was sent to, or wanted, since the state began: set by whoever sends */
	bool confirmed; /* something that was sent to it arrived, since the state began (IPv6) */
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
	NEIGHBOR_EVENT_ABANDONED, /* let it go, and look for another */
};

/*
 * Makes a cache. netif, wheel stay the caller's and must outlive it. timer_kind is the kind of this
 * cache's nodes on the wheel: whoever expires the wheel hands them to neighbor_timer. key, of addresses,
 * is a secret: else hosts of the link could all be found in one place. Returns NULL without memory.
 */
struct neighbors *neighbors_create(const struct netif *netif, struct wheel *wheel,
	uint8_t timer_kind, const struct siphash_key *key, int numa_node);
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

/* Can frames be sent to it now? */
static inline bool
neighbor_is_usable(const struct neighbor *neighbor)
{
	return neighbor->state >= NEIGHBOR_STALE;
}

/* Something is about to be sent to a STALE one. */
void neighbor_use_stale(struct neighbors *neighbors, struct neighbor *neighbor, ustime now);

/* Can frames be sent to it now? The caller is about to. */
static inline bool
neighbor_is_ready(struct neighbors *neighbors, struct neighbor *neighbor, ustime now)
{
	if (likely(neighbor->state >= NEIGHBOR_REACHABLE))
		return true;
	if (neighbor->state != NEIGHBOR_STALE)
		return false;
	neighbor_use_stale(neighbors, neighbor, now);
	return true;
}

/*
 * The peer acknowledged something new that was sent through this next hop: it is there [4861
 * 7.3.1]. Looked at when the state's time is over, so that REACHABLE lasts up to twice as long as
 * since the last confirmation.
 */
static inline void
neighbor_confirm(struct neighbor *neighbor)
{
	neighbor->confirmed = true;
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

/* What a neighbour advertisement says [4861 4.4]. */
struct neighbor_advert {
	struct rill_addr addr;     /* the target */
	bool has_mac;
	struct rte_ether_addr mac; /* where it is */
	bool router, solicited, override;
};

/*
 * Acts on it as [4861 7.2.5] says; that it was solicited counts only where it was asked for. Returns
 * false if the address is not in the cache.
 */
bool neighbor_advertised(struct neighbors *neighbors, const struct neighbor_advert *advert,
	ustime now, struct outbox *outbox);

/*
 * A solicitation or an advertisement of a router gave its sender's MAC by the way: an entry is made,
 * or changed, STALE [4861 7.2.3, 6.3.4]. An entry made so is the first to make room. Returns false if
 * there was no room.
 */
bool neighbor_hinted(struct neighbors *neighbors, const struct rill_addr *addr,
	const struct rte_ether_addr *mac, ustime now, struct outbox *outbox);

/* How long REACHABLE lasts in IPv6, and the time between two solicitations: as a router says, or as
 * above. */
void neighbors_set_times(struct neighbors *neighbors, ustime reachable_us, ustime retry_us);

/* Asks a neighbour that has answered before whether it still does, unless one is being asked. Returns
 * false if there is none. */
bool neighbors_ask_known(struct neighbors *neighbors, ustime now, struct outbox *outbox);

/* The interface has another MAC: all that is sent from now on comes from that. */
void neighbors_follow_mac(struct neighbors *neighbors);

/* This router is no next hop any more, if it was one: it is not found again, and its users hear of it. */
void neighbors_abandon(struct neighbors *neighbors, const struct rill_addr *addr);

/* Of the entry for this address; NEIGHBOR_FREE if there is none. */
enum neighbor_state neighbors_state(struct neighbors *neighbors, const struct rill_addr *addr);

/* addr, and so many of IPv4 after it, are no longer ours: no request is sent from them any more. */
void neighbors_forget_source(
	struct neighbors *neighbors, const struct rill_addr *addr, uint32_t more);

uint32_t neighbors_count(const struct neighbors *neighbors);

#endif
