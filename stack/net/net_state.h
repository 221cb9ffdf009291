/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_NET_NET_STATE_H
#define RILL_NET_NET_STATE_H

/* What struct net holds; for this layer's own files. */

#include <assert.h>

#include <rte_byteorder.h>
#include <rte_ip.h>

#include "fragments.h"
#include "ip4_split.h"
#include "net.h"
#include "net6.h"

struct rte_rib;

enum net_addr_state {
	NET_ADDR_PROBED, /* not ours yet */
	NET_ADDR_TAKEN,  /* nor ever */
	NET_ADDR_OURS,
};

/* An address that we were given, or a range of them. A slot stays where it is, for the sake of its timer. */
struct net_addr {
	uint32_t ip, mask; /* host order; ip is 0 in a free slot */
	uint32_t more;     /* addresses of a range after ip */
	uint32_t at;       /* of a range: the next to be announced, as its distance from ip */
	uint8_t state;     /* enum net_addr_state (acd.h) */
	uint8_t left;      /* questions or announcements still to be sent, */
	uint8_t told;      /* enum net_trouble_kind: what people have heard of it */
	ustime next_at;    /* the next one, or the end of waiting, then */
	ustime announced_at, defended_at; /* 0: not yet */
	struct wheel_node timer;
};

#define NET_CONNECTED (1ull << 32) /* a next hop of a rib: else the first of its gateways */

#define IP4_HEADER_LEN ((uint16_t)sizeof(struct rte_ipv4_hdr)) /* without options */
#define IP4_FRAGMENT (RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK)

/* A network that is connected: one for all addresses of ours in it. */
struct net_connected {
	uint32_t ip, mask;   /* host order; ip has no host bits */
	unsigned int source; /* the first slot of its addresses */
};

/* Addresses that follow one another: one comparison for all of them. */
struct net_range {
	uint32_t first, more; /* host order */
};

#define NET_SET_BITS 9
#define NET_SET_SIZE (1u << NET_SET_BITS)
static_assert(IP4_ID_LIFETIME_US / ICMP_SPLIT_EVERY_US + ICMP_SPLIT_BURST < IP4_IDS_DISTINCT,
	"no ID comes twice while its datagram may live");
static_assert(NET_SET_SIZE >= 2 * RILL_ADDRS_MAX, "half of the set stays empty, so that misses are short");

struct net {
	/* Read by every packet, and made anew from addrs when they change. */
	struct netif *netif;
	unsigned int connected_count;
	unsigned int broadcast_count; /* so many of them, the first, have room for broadcast addresses */
	struct net_connected connected[RILL_ADDRS_MAX];
	uint32_t ours[NET_SET_SIZE]; /* our addresses, open addressing by net_set_index; 0: empty */
	unsigned int ranges_count;
	struct net_range ranges[RILL_RANGES_MAX]; /* of ours */
	uint32_t passed[NET_SET_SIZE]; /* sources seen last that may send to us, by net_set_index */
	/* The rest is for the start of connections, and strangers. */
	unsigned int slots; /* all used ones are below */
	unsigned int probing; /* of them, those that are asked for */
	struct net_addr addrs[RILL_ADDRS_MAX];
	struct rte_rib *rib; /* prefix to NET_CONNECTED or gateways */
	struct neighbors *neighbors;
	struct fragments *fragments;
	struct wheel *wheel;
	struct gateways gateways;
	struct wheel_node gateways_timer; /* while one of a route, of either family, is in doubt */
	uint8_t announce_kind;
	struct net_ip4 ip4;
	uint32_t conflicts; /* with others, about addresses of IPv4 */
	ustime probe_after; /* no sooner is a new address asked for */
	struct net_trouble trouble;
	struct rng rng;
	struct token_bucket icmp_errors, icmp_echoes, icmp_hints, splits;
	struct ip4_ids ids;
	struct net6 ip6;
};

/* Addresses that follow one another, as many do, fall far apart: Fibonacci hashing. */
static inline uint32_t
net_set_index(uint32_t ip)
{
	return (ip * 0x9e3779b1u) >> (32 - NET_SET_BITS);
}

/* Where there are ranges. */
bool net_ip_is_in_range(const struct net *net, uint32_t ip);

static __rte_always_inline bool
net_ip_is_ours(const struct net *net, uint32_t ip)
{
	uint32_t i = net_set_index(ip);

	while (net->ours[i] != ip && net->ours[i] != 0)
		i = (i + 1) % NET_SET_SIZE;
	return net->ours[i] != 0 || unlikely(net->ranges_count > 0 && net_ip_is_in_range(net, ip));
}

/* The slot of an IPv4 address, whatever its state; NULL if there is none. */
struct net_addr *net_addr_find(const struct net *net, const struct rill_addr *which);

/* An address was added, went, or is in another state: what packets look at follows. */
void net_addrs_changed(struct net *net);

/* The last address, or the first, of a network of ours. */
static inline bool
net_ip_is_directed_broadcast(const struct net *net, uint32_t ip)
{
	for (unsigned int i = 0; i < net->broadcast_count; i++) {
		uint32_t host = ~net->connected[i].mask, at = ip ^ net->connected[i].ip;

		if (at == 0 || at == host)
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
