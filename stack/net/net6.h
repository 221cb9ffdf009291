/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_NET_NET6_H
#define RILL_NET_NET6_H

/*
 * IPv6 addresses and routes, for this layer's own files: net.h's calls do this for AF_INET6.
 *
 * IPv6 is off, and costs nothing, until the first address is added or autoconfiguration asked for.
 * Then the interface also has a link-local one, made from its MAC [4291 appendix A]: a stable one
 * that hides the MAC [7217] needs a secret that outlives the process, which there is not, and
 * whoever sees a link-local address sees the MAC as well.
 *
 * An address begins as TENTATIVE: it is asked for, and is used once nobody has answered [4862 5.4].
 * If somebody has it, it is a DUPLICATE, and stays that until it is taken away.
 *
 * All that happens by itself has its deadline in a field, and one timer for all of them, which
 * looks at everything: there is little of it, and seldom.
 */

#include <assert.h>

#include "ip6.h"
#include "ip6_split.h"
#include "net.h"
#include "rng.h"

struct rte_rib6;

enum net6_addr_state {
	NET6_ADDR_FREE,
	NET6_ADDR_TENTATIVE,
	NET6_ADDR_DUPLICATE,
	/* From here on it is one of ours. */
	NET6_ADDR_DEPRECATED, /* no new connections are made from it, while there is another */
	NET6_ADDR_PREFERRED,
};

struct net6_addr {
	uint8_t ip[IP6_ADDR_LEN];
	uint8_t len;         /* bits of its network */
	uint8_t state;       /* enum net6_addr_state */
	bool automatic;      /* a router's prefix made it: its network may not be connected */
	uint8_t probes_left; /* TENTATIVE: so many questions are still to be asked, */
	ustime probe_at;     /* the next one, or the end of waiting, then */
	ustime preferred_until, valid_until; /* USTIME_NEVER: for ever */
};

/* A router that offers itself as the default one [4861 6.3.4]. */
struct net6_router {
	uint8_t ip[IP6_ADDR_LEN];
	ustime until; /* 0: a free slot */
};

/* A network that a router says is on the link. */
struct net6_prefix {
	uint8_t ip[IP6_ADDR_LEN];
	uint8_t len;
	ustime until; /* 0: a free slot; USTIME_NEVER */
};

#define NET6_AUTO_MAX 16 /* addresses that routers can make us have */
#define NET6_ADDRS_MAX (RILL_ADDRS_MAX + NET6_AUTO_MAX + 1) /* and the link-local one */
#define NET6_ROUTERS_MAX 8
#define NET6_PREFIXES_MAX 16
#define NET6_SET_BITS 10
#define NET6_SET_SIZE (1u << NET6_SET_BITS)
static_assert(NET6_SET_SIZE > NET6_ADDRS_MAX + NET6_ADDRS_MAX / 2,
	"a third of the set stays empty, so that misses are short");

#define NET6_NAME_LEN 32

/* Of multicast listener discovery (mld.h). */
struct mld {
	uint8_t changes_left;          /* reports of a change still to be sent, */
	ustime change_at;              /* the next one then */
	bool asked;                    /* a query is to be answered, */
	ustime answer_at;              /* then */
	ustime v1_until;               /* there is a querier of version 1 */
	ustime said_at;                /* the last report; 0: none */
};

struct net6 {
	/* Read by every packet. */
	uint16_t set[NET6_SET_SIZE]; /* slot + 1 of each address, open addressing by net6_index; 0:
					empty */
	struct net6_addr addrs[NET6_ADDRS_MAX];
	/* The rest is for the start of connections, and for what happens by itself. */
	unsigned int slots; /* all used ones are below */
	struct rte_rib6
		*rib; /* prefix to NET_CONNECTED or gateways; NULL while IPv6 is off */
	struct gateways gateways;
	struct net6_router routers[NET6_ROUTERS_MAX];
	struct net6_prefix prefixes[NET6_PREFIXES_MAX];
	struct net_ip6 setup;
	struct rng rng;
	struct ip6_ids ids; /* of what is sent in fragments */
	struct wheel_node timer;
	uint8_t announces_left;              /* of all addresses [4861 7.2.6], */
	ustime announce_at, announced_at;    /* the next one then; 0: there was none */
	uint8_t hop_limit;                   /* of what is not a connection's */
	uint8_t solicits_left;               /* of routers [4861 6.3.7], */
	ustime solicit_at;                   /* the next one then */
	ustime reachable_base_us, retry_us;  /* neighbour discovery's times, as a router said */
	ustime times_at;                     /* when the first is made random anew */
	struct nd_fact facts[NET_FACTS_MAX]; /* what the last messages told */
	unsigned int facts_count;
	struct mld mld;
	int numa_node;
	char name[NET6_NAME_LEN];
};

/* Addresses are chosen by their owner and seldom by a stranger, and then much of the set is empty.
 */
static inline uint32_t
net6_index(const uint8_t *ip)
{
	uint64_t half[2];

	memcpy(half, ip, sizeof(half));
	return (uint32_t)(((half[0] ^ half[1] * 0x9e3779b97f4a7c15u) * 0xff51afd7ed558ccdu) >>
			  (64 - NET6_SET_BITS));
}

/* The address of ours with these bytes, whatever its state; NULL if there is none. */
static inline const struct net6_addr *
net6_find(const struct net6 *ip6, const uint8_t *ip)
{
	uint32_t i = net6_index(ip);

	for (; ip6->set[i] != 0; i = (i + 1) % NET6_SET_SIZE)
		if (ip6_is_same(ip6->addrs[ip6->set[i] - 1].ip, ip))
			return &ip6->addrs[ip6->set[i] - 1];
	return NULL;
}

static inline bool
net6_ip_is_ours(const struct net6 *ip6, const uint8_t *ip)
{
	const struct net6_addr *addr = net6_find(ip6, ip);

	return addr != NULL && addr->state >= NET6_ADDR_DEPRECATED;
}

void net6_init(struct net *net, const char *name, int numa_node);
void net6_fini(struct net *net);

/* IPv6 is on from now on, if it was not. 0; -EINVAL, -ENOMEM. */
int net6_start(struct net *net, ustime now);

/* As the calls of net.h. */
int net6_addr_add(struct net *net, const struct rill_prefix *prefix, ustime now);
int net6_addr_del(struct net *net, const struct rill_addr *addr);
int net6_route_add(struct net *net, const struct rill_prefix *dst, const struct rill_addr *gateway,
	uint32_t metric);
int net6_route_del(
	struct net *net, const struct rill_prefix *dst, const struct rill_addr *gateway);
int net6_route(const struct net *net, const struct rill_addr *dst, struct rill_addr *next_hop,
	struct rill_addr *source);

/* Is it a group that we joined: all nodes, or one in which an address of ours is asked for? */
bool net6_is_joined(const struct net *net, const uint8_t *group);

/* The address of ours to send from to dst [6724 5]; NULL: none will do. */
const struct net6_addr *net6_source(const struct net *net, const uint8_t *dst);

/* ---- for autoconf.c */

/* A network of routers' making is connected, or not any more: the routes follow. 0; -ENOBUFS. */
int net6_connect(struct net *net, const uint8_t *network, uint8_t len);
void net6_disconnect(struct net *net, const uint8_t *network, uint8_t len);

/* An address that a router's prefix makes: TENTATIVE. NULL if there is no room. */
struct net6_addr *net6_addr_make(struct net *net, const uint8_t *ip, uint8_t len, ustime now);
void net6_addr_drop(struct net *net, struct net6_addr *addr);

/* The interface identifier that the MAC gives, into the last 8 bytes of ip. */
void net6_identifier(uint8_t *ip, const struct rte_ether_addr *mac);

/* ---- what happens by itself (net6_timer.c) */

/* Arms the timer for the earliest of all deadlines. After each change of one. */
void net6_rearm(struct net *net, ustime now);
bool net6_is_settling(const struct net *net); /* is one still TENTATIVE? */

/* Announces all addresses that are ours, a few times, the retransmission time of neighbour discovery
 * apart, however often it is called [4861 7.2.6]. */
void net6_announce_all(struct net *net, ustime now);
void net6_timer(struct net *net, ustime now, struct outbox *outbox);

/* Makes neighbour discovery's times what routers said, more or less, if that is due. */
void net6_spread_times(struct net *net, ustime now);

/* Somebody else has, or is about to take, an address that is ours: DAD's answer if it is TENTATIVE
 * [4862 5.4.3], else a conflict, which is counted [4862 5.4.4]. */
void net6_claimed(struct net *net, const uint8_t *ip, ustime now);

/* The lane that asked for it had no answer: the port's lanes begin to use it together. */
void net6_settled(struct net *net, const uint8_t *ip, ustime now);

#endif
