/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_NET_NET_STATE_H
#define RILL_NET_NET_STATE_H

/* What struct net holds; for this layer's own files. */

#include <rte_byteorder.h>

#include "net.h"

struct rte_rib;

/* An address of ours. A slot stays where it is, for the sake of its timer. */
struct net_addr {
	uint32_t ip, mask; /* host order; ip is 0 in a free slot */
	uint8_t announced; /* times */
	struct wheel_node timer;
};

struct net {
	/* Read by every packet. */
	const struct netif *netif;
	unsigned int slots; /* all used ones are below */
	struct net_addr addrs[RILL_ADDRS_MAX];
	/* The rest is for the start of connections, and strangers. */
	struct rte_rib *rib; /* prefix to NET_CONNECTED or gateway */
	struct neighbors *neighbors;
	struct wheel *wheel;
	unsigned int routes;
	uint8_t announce_kind;
	struct token_bucket icmp_errors, icmp_echoes, icmp_hints;
};

static inline bool
net_ip_is_ours(const struct net *net, uint32_t ip)
{
	for (unsigned int i = 0; i < net->slots; i++) {
		if (net->addrs[i].ip == ip)
			return ip != 0;
	}
	return false;
}

/* The last address, or the first, of a network of ours. */
static inline bool
net_ip_is_directed_broadcast(const struct net *net, uint32_t ip)
{
	for (unsigned int i = 0; i < net->slots; i++) {
		uint32_t host = ~net->addrs[i].mask;

		if (net->addrs[i].ip != 0 && ((ip ^ net->addrs[i].ip) & ~host) == 0 && host > 1 &&
			((ip & host) == 0 || (ip & host) == host))
			return true;
	}
	return false;
}

/* 0/8, 127/8, and from 224/4 on are no hosts. */
static inline bool
net_ip_is_unicast(const struct net *net, uint32_t ip)
{
	uint32_t first = ip >> 24;

	return first != 0 && first != 127 && first < 224 && !net_ip_is_directed_broadcast(net, ip);
}

#endif
