/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_WIRE_IP6_H
#define RILL_WIRE_IP6_H

/* What IPv6 addresses are, as they stand on the wire [4291]. */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <rte_ether.h>
#include <rte_ip.h>

#define IP6_HEADER_LEN ((uint16_t)sizeof(struct rte_ipv6_hdr)) /* without extensions */
#define IP6_ADDR_LEN 16
#define IP6_ADDR_BITS 128
#define IP6_MTU_LEAST 1280 /* every link carries it [8200 5] */

static const uint8_t ip6_unspecified[IP6_ADDR_LEN];
static const uint8_t ip6_all_nodes[IP6_ADDR_LEN] = {0xff, 2, [15] = 1};
static const uint8_t ip6_all_routers[IP6_ADDR_LEN] = {0xff, 2, [15] = 2};

static inline bool
ip6_is_same(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, IP6_ADDR_LEN) == 0;
}

static inline bool
ip6_is_multicast(const uint8_t *addr)
{
	return addr[0] == 0xff;
}

static inline bool
ip6_is_unspecified(const uint8_t *addr)
{
	return ip6_is_same(addr, ip6_unspecified);
}

static inline bool
ip6_is_link_local(const uint8_t *addr)
{
	return addr[0] == 0xfe && (addr[1] & 0xc0) == 0x80;
}

/*
 * May this be the address of one host? Not multicast, and not of ::/64, where the unspecified
 * address, loopback and IPv4 addresses in disguise are, none of which belongs on a wire.
 */
static inline bool
ip6_is_unicast(const uint8_t *addr)
{
	uint64_t network;

	memcpy(&network, addr, sizeof(network));
	return network != 0 && !ip6_is_multicast(addr);
}

/* Leading bits that two addresses have in common, 0 .. 128. */
static inline unsigned int
ip6_common_bits(const uint8_t *a, const uint8_t *b)
{
	unsigned int i = 0;

	while (i < IP6_ADDR_LEN && a[i] == b[i])
		i++;
	if (i == IP6_ADDR_LEN)
		return IP6_ADDR_BITS;
	return 8 * i + (unsigned int)__builtin_clz((unsigned int)(a[i] ^ b[i])) - 24;
}

/* The first len bits of addr, and zeros. */
static inline void
ip6_network(uint8_t *network, const uint8_t *addr, unsigned int len)
{
	memset(network, 0, IP6_ADDR_LEN);
	memcpy(network, addr, len / 8);
	if (len % 8 != 0)
		network[len / 8] = addr[len / 8] & (uint8_t)(0xff00u >> len % 8);
}

/* The group in which the owner of addr is asked for [4291 2.7.1]. */
static inline void
ip6_solicited_node(uint8_t *group, const uint8_t *addr)
{
	static const uint8_t prefix[13] = {0xff, 2, [11] = 1, [12] = 0xff};

	memcpy(group, prefix, sizeof(prefix));
	memcpy(group + sizeof(prefix), addr + sizeof(prefix), IP6_ADDR_LEN - sizeof(prefix));
}

/* Where a group's packets are sent on Ethernet [2464 7]. */
static inline struct rte_ether_addr
ip6_group_mac(const uint8_t *group)
{
	return (struct rte_ether_addr){{0x33, 0x33, group[12], group[13], group[14], group[15]}};
}

#endif
