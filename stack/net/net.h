/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_NET_NET_H
#define RILL_NET_NET_H

/*
 * The IP layer of one lane and port: addresses, routes, the neighbour cache, ICMP's rate limits.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rill/lane.h>

#include "neighbor.h"
#include "outbox.h"
#include "segment.h"
#include "token.h"

#define ROUTES_MAX 256 /* beside the connected ones */
/* ICMP errors, and echo replies: so many at once, then one each so many µs [1812 4.3.2.8]. */
#define ICMP_ERROR_BURST 50
#define ICMP_ERROR_EVERY_US 10000
#define ICMP_ECHO_BURST 1000
#define ICMP_ECHO_EVERY_US 100
/* ICMP errors that are looked at. */
#define ICMP_HINT_BURST 1000
#define ICMP_HINT_EVERY_US 100

struct net; /* addresses, routes (rte_rib), neighbours */

/* neighbor_kind and announce_kind name this layer's nodes on the wheel. NULL without memory. */
struct net *net_create(const struct netif *netif, struct wheel *wheel, uint8_t neighbor_kind,
	uint8_t announce_kind, const char *name, int numa_node, ustime now);
void net_destroy(struct net *net);
struct neighbors *net_neighbors(const struct net *net);

/*
 * As rill_lane_addr_add and its kin: 0 or a negative errno. A new address makes its network
 * connected (-EEXIST if there is a route for exactly that) and is announced [5227 2.3], first when
 * the wheel is next expired. A route whose gateway is on a connected network no more rests until it
 * is again.
 */
int net_addr_add(struct net *net, const struct rill_prefix *prefix, ustime now);
int net_addr_del(struct net *net, const struct rill_addr *addr);
int net_route_add(struct net *net, const struct rill_prefix *dst, const struct rill_addr *gateway);
int net_route_del(struct net *net, const struct rill_prefix *dst);

bool net_addr_is_ours(const struct net *net, const struct rill_addr *addr);

/*
 * May addr be that of one host? Not broadcast (limited, or of a network of ours in its forms of all
 * ones and all zeros [1122 3.3.6]; a /31 or /32 has none [3021]), multicast, loopback, 0/8, 240/4.
 */
bool net_addr_is_unicast(const struct net *net, const struct rill_addr *addr);

/*
 * The way to dst. On return 0: *next_hop is the address to resolve (dst itself or a gateway),
 * *source the address of ours to send from. -ENETUNREACH: no route, or dst is ours (nothing loops
 * back here); -EINVAL: dst is no unicast address.
 */
int net_route(const struct net *net, const struct rill_addr *dst, struct rill_addr *next_hop,
	struct rill_addr *source);

/* A node of announce_kind fired. */
void net_announce_timer(
	struct net *net, struct wheel_node *node, ustime now, struct outbox *outbox);

/* ---- received packets (ip4_plain.c, ip4_input.c, icmp4.c) */

enum ip_verdict {
	IP_CONSUMED, /* answered, or dropped and counted; the mbuf is gone */
	IP_TCP, /* segment holds mbuf, l2_len, l3_len, family, addresses; headers contiguous; the
		   NIC did not call its checksum wrong (see netif_rx_tcp_cksum) */
	IP_ICMP_ERROR, /* error is filled in; the mbuf is gone */
};

/* An ICMP error about a TCP segment that we sent. */
struct icmp_error {
	struct tuple tuple; /* of the quoted segment, from our side */
	seq_t seq;          /* its sequence number */
	uint8_t type, code;
	uint16_t mtu; /* next-hop MTU of "fragmentation needed" */
	int err;      /* as an errno value: ENETUNREACH, EHOSTUNREACH, ENOPROTOOPT, ECONNREFUSED,
			 EMSGSIZE, EPROTO */
};

/*
 * A frame as it came from the wire, if it is as most are: ether_input and ip4_input would make of it
 * just the segment that this call does, as IP_TCP. False: nothing was done, ask them.
 */
bool ip4_take_plain(struct net *net, struct rte_mbuf *mbuf, struct segment *segment);

/*
 * An IPv4 packet at l2_len. Verifies version, lengths, checksum, options, source and destination;
 * trims the mbuf to the IP total length; answers ICMP echo; answers UDP and unknown protocols by
 * ICMP unreachable, within a rate limit; never answers what was sent to a group [1122 3.2.2].
 * Answers go back to the MAC that the packet came from. Headers may be cut into mbufs anywhere.
 */
enum ip_verdict ip4_input(struct net *net, struct rte_mbuf *mbuf, uint16_t l2_len, bool group,
	ustime now, struct outbox *outbox, struct segment *segment, struct icmp_error *error);

#endif
