/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_NET_ACD_H
#define RILL_NET_ACD_H

/*
 * Address conflict detection for IPv4 [5227]: what becomes of an address from the moment that it is
 * given to the interface. IPv6 has duplicate address detection (net6_timer.c).
 *
 *   PROBED  asked for, if that is wanted (net_ip4): three times, by nobody, 1 s to 2 s apart; ours when
 *           nobody has answered 2 s later. After many conflicts one address a minute is tried
 *   TAKEN   somebody else has it: not used, until it is taken away and given again
 *   OURS    announced twice, 2 s apart, and again when the link or the MAC is another
 *
 * When somebody claims an address that is in use, it is defended by one announcement in ten seconds, and
 * kept: the operator gave it to a server, which others find there and nowhere else, and two packets of
 * a stranger must not end its connections [5227 2.4 (c)]. A host that has others (net_ip4) gives it up
 * at the second claim within that time [5227 2.4 (b)].
 */

#include "net_state.h"

/* [5227 1.1] */
#define ACD_PROBE_WAIT_US USEC_PER_SEC /* up to that, before the first one */
#define ACD_PROBE_NUM 3
#define ACD_PROBE_MIN_US USEC_PER_SEC
#define ACD_PROBE_MAX_US (2 * USEC_PER_SEC)
#define ACD_ANNOUNCE_WAIT_US (2 * USEC_PER_SEC)
#define ACD_MAX_CONFLICTS 10
#define ACD_RATE_LIMIT_US (60ull * USEC_PER_SEC)
#define ACD_DEFEND_US (10ull * USEC_PER_SEC)
/* All of it, at the longest. */
#define ACD_LONGEST_US                                                                             \
	(ACD_PROBE_WAIT_US + (ACD_PROBE_NUM - 1) * ACD_PROBE_MAX_US + ACD_ANNOUNCE_WAIT_US)

/* Of a range, so many addresses are announced at a time, so far apart; they are not asked for, since
 * that would take longer than anybody waits, and not given up, since they are one. */
#define ACD_RANGE_STEP 16
#define ACD_RANGE_STEP_US (16 * USEC_PER_MSEC)

/* A new address begins. What packets look at is still to be made from its state. */
void acd_begin(struct net *net, struct net_addr *addr, ustime now);

/* Announces all that are ours, no sooner than ACD_AGAIN_US after they were last announced. */
#define ACD_AGAIN_US USEC_PER_SEC
void acd_announce_all(struct net *net, ustime now);

/* The lane that asked for it had no answer: the port's lanes begin to use it together. */
void acd_settled(struct net *net, const struct rill_addr *which);

/* The node of an address fired. */
void acd_timer(struct net *net, struct net_addr *addr, ustime now, struct outbox *outbox);

#endif
