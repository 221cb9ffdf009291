/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_NET_NET_H
#define RILL_NET_NET_H

/*
 * The IP layer of one lane and port: addresses, routes, the neighbour cache, ICMP's rate limits.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rill/lane.h>

#include "arp.h"
#include "gateways.h"
#include "ndp.h"
#include "neighbor.h"
#include "outbox.h"
#include "segment.h"
#include "siphash.h"
#include "token.h"

/* ICMP errors, and echo replies: so many at once, then one each so many µs [1812 4.3.2.8]. */
#define ICMP_ERROR_BURST 50
#define ICMP_ERROR_EVERY_US 10000
#define ICMP_ECHO_BURST 1000
#define ICMP_ECHO_EVERY_US 100
/* Of the echo replies, those in fragments, so that no ID comes twice within its lifetime [6864 4.3]. */
#define ICMP_SPLIT_BURST 100
#define ICMP_SPLIT_EVERY_US 2500
/* ICMP errors that are looked at. */
#define ICMP_HINT_BURST 1000
#define ICMP_HINT_EVERY_US 100

struct net; /* addresses, routes (rte_rib, rte_rib6), neighbours */

/* What a net is made from; netif, with its pools, and the wheel stay the caller's and outlive it. */
struct net_setup {
	struct netif *netif; /* whose groups follow the addresses */
	struct wheel *wheel;
	uint8_t neighbor_kind, announce_kind, fragments_kind; /* of this layer's nodes on the wheel */
	const uint8_t *secret;                                /* of 32 bytes */
	const char *name;
	int numa_node;
	ustime now;
};

/* NULL without memory. */
struct net *net_create(const struct net_setup *setup);
void net_destroy(struct net *net);
struct neighbors *net_neighbors(const struct net *net);

/* How IPv4 is to be done. */
struct net_ip4 {
	bool probe; /* addresses are asked for before they are used, for 4 s to 7 s [5227 2.1.1] */
	bool yield; /* one that another host claims again within 10 s is given up [5227 2.4 (b)] */
};

/* Before the first address. */
void net_set_ip4(struct net *net, const struct net_ip4 *setup);

/* How IPv6 is to be done. */
struct net_ip6 {
	bool unprobed; /* addresses are used without asking whether somebody has them [4862 5.4] */
	bool mld;      /* the groups in which they are asked for are reported (mld.h) */
	bool autoconf; /* routers are listened to [4861 6.3, 4862 5.5] (autoconf.h) */
	struct siphash_key key; /* of what is to be random */
};

/* Before the first address. Starts autoconfiguration if that is asked for. 0; -EINVAL, -ENOMEM. */
int net_set_ip6(struct net *net, const struct net_ip6 *setup, ustime now);

/* The MACs of the groups that we joined, at least one may be listed; returns how many there are, or
 * most + 1 if there are more. Whenever netif->groups.changes has moved they may be others. */
unsigned int net_groups(const struct net *net, struct rte_ether_addr *macs, unsigned int most);

/* Is one of our addresses still being asked for? */
bool net_is_settling(const struct net *net);

/*
 * As rill_lane_addr_add and its kin: 0 or a negative errno. A new address makes its network
 * connected (-EEXIST if there is a route for exactly that) and is announced [5227 2.3], first when
 * the wheel is next expired; or it is asked for before (net_ip4). A route whose gateway is on a connected network no more rests until it
 * is again. Of those for one prefix the lowest metric is taken whose gateway does not keep silent
 * (gateways.h); gateway NULL deletes them all. The first IPv6 address gives the interface a link-local one too (-EINVAL on links of less
 * than 1280 bytes [8200 5], -ENOMEM); a gateway may be link-local. On Ethernet an IPv6 address is asked
 * for, for 1 s to 2 s, before it is ours, and never is if somebody else has it: which is counted.
 */
int net_addr_add(struct net *net, const struct rill_prefix *prefix, ustime now);
int net_addr_del(struct net *net, const struct rill_addr *addr);
int net_route_add(struct net *net, const struct rill_prefix *dst, const struct rill_addr *gateway,
	uint32_t metric);
int net_route_del(
	struct net *net, const struct rill_prefix *dst, const struct rill_addr *gateway);

/* What somebody else's use of an address of ours came to. */
enum net_trouble_kind {
	NET_TROUBLE_NONE,
	NET_TROUBLE_TAKEN,     /* it was asked for, and is not used */
	NET_TROUBLE_CONTESTED, /* it is in use here too, and defended */
	NET_TROUBLE_LOST,      /* it was in use, and was given up */
};

struct net_trouble {
	enum net_trouble_kind kind;
	struct rill_addr addr;
	struct rte_ether_addr mac; /* whose */
	uint32_t number;           /* each has another */
};

/* The last one: netif->groups.changes has moved since the one before. */
const struct net_trouble *net_trouble(const struct net *net);

/*
 * Another host, at mac, uses an IPv4 address that is ours or is being asked for, or asks for it too
 * (arp.h). Returns true if the address was given up: its connections are to be ended.
 */
bool net_addr_claimed(struct net *net, const struct rill_addr *which,
	const struct rte_ether_addr *mac, ustime now, struct outbox *outbox);

/* What we have to do with an IPv4 address. */
enum arp_whose net_addr_whose(const struct net *net, const struct rill_addr *addr);

bool net_addr_is_ours(const struct net *net, const struct rill_addr *addr);

/*
 * May addr be that of one host? Not broadcast (limited, or of a network of ours in its forms of all
 * ones and all zeros [1122 3.3.6]; a /31 or /32 has none [3021]), multicast, loopback, 0/8, 240/4; of
 * IPv6 not multicast, nor of ::/64.
 */
bool net_addr_is_unicast(const struct net *net, const struct rill_addr *addr);

/*
 * The way to dst. On return 0: *next_hop is the address to resolve (dst itself or a gateway),
 * *source the address of ours to send from [6724 for IPv6]. -ENETUNREACH: no route, or dst is ours (nothing loops
 * back here); -EAGAIN: our address is still being asked for; -EINVAL: dst is no unicast address.
 */
int net_route(const struct net *net, const struct rill_addr *dst, struct rill_addr *next_hop,
	struct rill_addr *source);

/* Announces all addresses once more: the link was down, the port was restarted, or the MAC is another.
 * However often, each goes out once in a second. */
void net_announce_all(struct net *net, ustime now);

/*
 * Nobody answers at this next hop. Returns true if it is a router, or the gateway of a route, and there
 * is another: whoever uses it will hear that it is abandoned.
 */
bool net_neighbor_failed(struct net *net, uint32_t index, ustime now);

/* What neighbour discovery tells, in pieces: what other lanes of the port have to hear of too. */
enum nd_fact_kind {
	ND_FACT_HINT,   /* a neighbour asked us, or is a router: addr, mac */
	ND_FACT_ADVERT, /* a neighbour advertises itself */
	ND_FACT_CLAIM,  /* somebody claims an address of ours: addr */
	ND_FACT_SETTLED, /* nobody does: addr, which the lane that asked begins to use */
	ND_FACT_ROUTER,
	ND_FACT_PREFIX,
	ND_FACT_QUERY, /* which groups do we listen to? */
};

/* Of multicast listener discovery. */
struct mld_query {
	uint8_t version;   /* of the querier: 1 or 2 */
	uint32_t delay_ms; /* that an answer may take */
};

struct nd_fact {
	enum nd_fact_kind kind;
	union {
		struct neighbor_advert advert;
		struct ndp_router router;
		struct ndp_prefix prefix;
		struct mld_query query;
	} u;
};

#define NET_FACTS_MAX (NDP_PREFIXES_MAX + 2) /* of one message */

/* Those of the message that was received last, or of the timer that fired last, once; the array is the
 * net's. */
unsigned int net_take_facts(struct net *net, const struct nd_fact **facts);

/* Acts on one that another lane was told. */
void net_hear_fact(
	struct net *net, const struct nd_fact *fact, ustime now, struct outbox *outbox);

/* A node of announce_kind fired. */
void net_announce_timer(
	struct net *net, struct wheel_node *node, ustime now, struct outbox *outbox);

/* The node of fragments_kind fired: tells the senders of datagrams that did not become whole. */
void net_fragments_timer(struct net *net, ustime now, struct outbox *outbox);

/* ---- received packets (ip4_plain.c, ip4_input.c, icmp4.c, and those of IPv6) */

enum ip_verdict {
	IP_CONSUMED, /* answered, or dropped and counted; the mbuf is gone */
	IP_TCP, /* segment holds mbuf, l2_len, l3_len, family, addresses; headers contiguous; the
		   NIC did not call its checksum wrong (see netif_rx_tcp_cksum) */
	IP_TCP_JOINED, /* the same, put together from fragments: it may belong to another lane */
	IP_ICMP_ERROR, /* error is filled in; the mbuf is gone */
};

/* An ICMP error about a TCP segment that we sent. */
struct icmp_error {
	struct tuple tuple; /* of the quoted segment, from our side */
	seq_t seq;          /* its sequence number */
	uint8_t type, code;
	uint16_t mtu; /* next-hop MTU of "fragmentation needed" or "packet too big" */
	int err;      /* as an errno value: ENETUNREACH, EHOSTUNREACH, ENOPROTOOPT, ECONNREFUSED,
			 EMSGSIZE, EPROTO */
};

/*
 * A frame as it came from the wire, if it is as most are: ether_input and ip4_input would make of it
 * just the segment that this call does, as IP_TCP. False: nothing was done, ask them.
 */
bool ip4_take_plain(struct net *net, struct rte_mbuf *mbuf, struct segment *segment);
bool ip6_take_plain(struct net *net, struct rte_mbuf *mbuf, struct segment *segment);

/*
 * An IPv4 packet at l2_len. Verifies version, lengths, checksum, options, source and destination;
 * trims the mbuf to the IP total length; keeps fragments, and goes on with the datagram that one
 * completes as if it had come whole; answers ICMP echo; answers UDP and unknown protocols by ICMP
 * unreachable, within a rate limit; never answers what was sent to a group [1122 3.2.2].
 * Answers go back to the MAC that the packet came from. Headers may be cut into mbufs anywhere.
 */
enum ip_verdict ip4_input(struct net *net, struct rte_mbuf *mbuf, uint16_t l2_len, bool group,
	ustime now, struct outbox *outbox, struct segment *segment, struct icmp_error *error);

/*
 * An IPv6 packet at l2_len, likewise: verifies version, length, source and destination; trims the mbuf
 * to the payload's end; goes through extension headers (ip6_ext.h), which count as part of the IP
 * header; answers ICMPv6 echo and neighbour solicitations, and learns from advertisements; complains of
 * UDP, unknown protocols and bad extension headers, within a rate limit.
 */
enum ip_verdict ip6_input(struct net *net, struct rte_mbuf *mbuf, uint16_t l2_len, bool group,
	ustime now, struct outbox *outbox, struct segment *segment, struct icmp_error *error);

#endif
