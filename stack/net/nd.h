/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_NET_ND_H
#define RILL_NET_ND_H

/* Neighbour discovery's messages, acted on [4861 7.2]. */

#include "ip6_packet.h"

/* A message whose checksum is right. Always IP_CONSUMED. */
enum ip_verdict nd_input(
	struct net *net, struct ip6_packet *packet, ustime now, struct outbox *outbox);

/* Notes what the port's other lanes have to hear of; of many at once, the first NET_FACTS_MAX. */
void nd_note(struct net *net, const struct nd_fact *fact);

#endif
