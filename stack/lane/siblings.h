/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_LANE_SIBLINGS_H
#define RILL_LANE_SIBLINGS_H

/*
 * The lanes that share a port. A segment reaches the lane of its connection; what else arrives
 * reaches any of them, which passes on what concerns the others: where a host is (each lane has its
 * own neighbour cache) to all, and an ICMP error to the lane of the connection that it quotes. Only
 * the first fragment of a datagram says whose it is: a segment that was put together where its
 * fragments arrived is kept until the turn is over, for the port to hand over (port.h).
 *
 * Each lane has a ring of news, apart from its mailbox, so that strangers who make news do not
 * displace what the application posts. Senders that are interrupted hold nobody up (RTS mode); a
 * full ring refuses, which is counted, and nobody waits.
 */

#include <stdbool.h>

#include "arp.h"
#include "net.h"
#include "steer.h"

#define NEWS_SIZE 1024 /* a power of two */
#define NEWS_PER_TURN 64

struct rill_lane;
struct rte_ring;

/* Segments that arrived in fragments, and are of other lanes. */
struct joined {
	unsigned int count;
	struct rte_mbuf *frames[RILL_BURST_MAX]; /* one frame that arrives completes one at most */
	uint8_t lanes[RILL_BURST_MAX];           /* whose they are */
};

struct siblings {
	unsigned int count;             /* of the port's lanes, this one included; 0: it is alone */
	unsigned int self;              /* the number of this one */
	struct rill_lane *const *lanes; /* by number; owned by whoever joined them */
	const struct steer *steer;
	struct rte_ring *news;
	struct joined joined; /* in this turn: who drives the lane takes them after it */
};

/*
 * Makes the lanes siblings, before any of them runs; lanes and steer stay the caller's and outlive
 * them. Returns 0 or -ENOMEM; lanes that were joined leave when they are destroyed.
 */
int siblings_join(struct rill_lane *const lanes[], unsigned int count, const struct steer *steer);
void siblings_leave(struct rill_lane *lane);

/* What an ARP packet told; nothing if its address has no family. */
void siblings_tell_claim(struct rill_lane *lane, const struct arp_claim *claim);

/* What neighbour discovery told in the packet that was received last, or found out by itself. */
void siblings_tell_facts(struct rill_lane *lane);

/* Returns false if the error concerns this lane itself; else it has been passed on or dropped. */
bool siblings_tell_error(struct rill_lane *lane, const struct icmp_error *error);

/*
 * A segment that was put together, its headers contiguous and not looked at yet. Returns false if it
 * is this lane's own; else its frame stands in joined.
 */
bool siblings_keep_joined(struct rill_lane *lane, const struct segment *segment);

/* Acts on up to NEWS_PER_TURN news; returns how many. On the lane's thread, in its turn. */
unsigned int siblings_hear(struct rill_lane *lane);

bool siblings_have_news(const struct rill_lane *lane);

#endif
