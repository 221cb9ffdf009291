/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_LINK_NDP_H
#define RILL_LINK_NDP_H

/*
 * The messages of neighbour discovery [4861 4], over Ethernet: read from bytes into what they say,
 * after the checks that a message has to pass before anybody looks at it, and built. What is done
 * about them is net's (nd.h), and the neighbour cache's.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rill/types.h>
#include <rte_ip.h>

#include "netif.h"
#include "outbox.h"

#define NDP_HOP_LIMIT 255 /* no router has passed it on */

enum ndp_type {
	NDP_ROUTER_SOLICIT = 133,
	NDP_ROUTER_ADVERT = 134,
	NDP_SOLICIT = 135,
	NDP_ADVERT = 136,
	NDP_REDIRECT = 137,
};

static inline bool
ndp_is_type(uint8_t icmp_type)
{
	return icmp_type >= NDP_ROUTER_SOLICIT && icmp_type <= NDP_REDIRECT;
}

/* A solicitation or an advertisement. */
struct ndp_message {
	enum ndp_type type;
	struct rill_addr source; /* of the packet; family 0: unspecified, as in DAD */
	struct rill_addr target;
	bool router, solicited, override; /* of an advertisement */
	bool has_mac; /* the source's link-layer address, or an advertisement's target's */
	struct rte_ether_addr mac;
};

/*
 * Reads the ICMPv6 message of len bytes that came under this header, of type NDP_SOLICIT or
 * NDP_ADVERT, whose checksum is right. Returns RILL_DROP_COUNT, or nd_malformed if it is not as
 * [4861 7.1] demands.
 */
enum rill_drop ndp_parse(const struct rte_ipv6_hdr *ip, const uint8_t *bytes, uint32_t len,
	struct ndp_message *message);

/* What a router says of itself and of the link [4861 4.2]; 0 where it says nothing. */
struct ndp_router {
	struct rill_addr addr; /* link-local */
	bool has_mac;
	struct rte_ether_addr mac;
	uint8_t hop_limit;
	uint16_t lifetime_s; /* as a default router */
	uint32_t reachable_ms, retry_ms, mtu;
};

/* And of a network [4861 4.6.2]. */
struct ndp_prefix {
	uint8_t ip[16];
	uint8_t len;
	bool on_link, autonomous;
	uint32_t valid_s, preferred_s; /* UINT32_MAX: for ever */
};

#define NDP_PREFIXES_MAX 16 /* of one message; those beyond are not looked at */

/* Reads a message of type NDP_ROUTER_ADVERT, as above [4861 6.1.2]. prefixes has room for
 * NDP_PREFIXES_MAX. */
enum rill_drop ndp_parse_router(const struct rte_ipv6_hdr *ip, const uint8_t *bytes, uint32_t len,
	struct ndp_router *router, struct ndp_prefix *prefixes, unsigned int *count);

/*
 * A solicitation of target, from source; to the group in which its owner is asked for if mac is
 * NULL, else to that MAC. source of family 0: the question of DAD, whether target is taken
 * [4862 5.4.2]. Counts.
 */
void ndp_solicit(const struct netif *netif, const struct rill_addr *source,
	const struct rill_addr *target, const struct rte_ether_addr *mac, struct outbox *outbox);

/*
 * "target is ours": to dst at mac as the answer to its solicitation, or, if dst is NULL, to all
 * nodes [4861 7.2.4]. Counts.
 */
void ndp_advertise(const struct netif *netif, const struct rill_addr *target,
	const struct rill_addr *dst, const struct rte_ether_addr *mac, struct outbox *outbox);

/* "Which routers are there?", from source; family 0: we have no address yet [4861 6.3.7]. */
void ndp_solicit_routers(
	const struct netif *netif, const struct rill_addr *source, struct outbox *outbox);

#endif
