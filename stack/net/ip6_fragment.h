/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_NET_IP6_FRAGMENT_H
#define RILL_NET_IP6_FRAGMENT_H

/*
 * IPv6 packets that are one of several fragments [8200 4.5], for ip6_input: what is wrong with them is
 * told, the rest is fragments.h's. Headers in front of the Fragment header have been gone through when
 * they arrive, and are left out of what is put together.
 */

#include "ip6_ext.h"
#include "ip6_packet.h"

/*
 * Takes the packet, whose chain ends with the Fragment header. True: it is now the whole datagram, whose
 * extension headers, if any, have still to be gone through. False: it is gone.
 */
bool ip6_take_fragment(struct net *net, struct ip6_packet *packet, const struct ip6_chain *chain,
	ustime now, struct outbox *outbox);

/* Drops the first fragment of a datagram that did not become whole, and tells its sender. */
void ip6_reassembly_exceeded(struct net *net, struct rte_mbuf *first, uint16_t l2_len, ustime now,
	struct outbox *outbox);

#endif
