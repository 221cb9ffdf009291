/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_NET_MLD_H
#define RILL_NET_MLD_H

/*
 * Multicast listener discovery, the listener's side [3810, 2710]: the groups in which our addresses are
 * asked for are reported, so that switches that look on do not keep solicitations from us.
 *
 * Reported when an address begins, and twice when the link is back [3810 6.1]; and when a querier asks, a
 * random time later, up to the one that it gives [3810 6.2]. A report names all groups, whatever group
 * was asked about: there are few, and whoever asks for one will ask for others. No report follows another
 * within MLD_AGAIN_US, whatever is asked how often. While there is a querier of version 1, reports are
 * of that [3810 8.2.1]. Not done: that a group is left is not told, it times out; and reports of others
 * do not make ours superfluous, since a switch wants to know each port.
 */

#include "ip6_packet.h"

#define MLD_ROBUSTNESS 2                         /* reports of a change [3810 9.1] */
#define MLD_UNSOLICITED_US USEC_PER_SEC          /* up to that between them [3810 9.11] */
#define MLD_AGAIN_US USEC_PER_SEC
#define MLD_V1_PRESENT_US (260ull * USEC_PER_SEC) /* [3810 9.12], with the default intervals */
#define MLD_DELAY_MOST_MS 8387584u               /* that a code can say [3810 5.1.3] */

enum mld_type {
	MLD_QUERY = 130,
	MLD_REPORT1 = 131,
	MLD_REPORT2 = 143,
};

/* An ICMPv6 message of type MLD_QUERY whose checksum is right. */
enum ip_verdict mld_input(struct net *net, struct ip6_packet *packet, ustime now);

/* A querier asked, here or on another lane of the port. */
void mld_queried(struct net *net, const struct mld_query *query, ustime now);

/* There are other groups than before, or nobody may know of them any more: reported from then on. */
void mld_changed(struct net *net, ustime at, ustime now);

void mld_timer(struct net *net, ustime now, struct outbox *outbox);
ustime mld_deadline(const struct net6 *ip6);

#endif
