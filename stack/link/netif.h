/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_LINK_NETIF_H
#define RILL_LINK_NETIF_H

/* What the protocols know of the port that they speak through. */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <rte_ether.h>
#include <rte_mbuf.h>

#include "counters.h"

struct exceptions;

/* Work that the port takes over (or has done on receipt). */
enum {
	NETIF_TX_IP4_CKSUM = 0x01,
	NETIF_TX_TCP_CKSUM = 0x02,
	NETIF_TX_CHAINS = 0x04, /* multi-segment mbufs */
	NETIF_RX_CKSUM = 0x08,  /* flags of received mbufs tell good from bad */
	NETIF_PF_VLAN = 0x10,   /* a tag that is told to be taken off was the PF's, which put the VF into
				   its VLAN: the VF knows nothing of it */
	NETIF_VLAN = 0x20,      /* takes tags off what arrives, and puts ours into what leaves */
	NETIF_TX_TSO = 0x40,    /* cuts a large TCP frame into segments; with all of the first three */
};

/*
 * The IPv6 groups that we joined: all nodes, once there is an IPv6 address, and those in which our
 * addresses are asked for. On Ethernet it is enough to look at the last byte of these, as it is net's
 * to know the groups themselves.
 */
struct netif_groups {
	bool joined;
	uint32_t changes; /* of these, and of addresses that are taken: for whoever tells port and people */
	uint64_t last[4]; /* a bit for the last byte of each address of ours */
};

struct netif {
	bool ethernet; /* false: bare IP packets */
	bool silent;   /* another lane of the port announces our addresses */
	struct rte_ether_addr mac;
	uint16_t vlan_tci; /* of the tag that our frames bear; 0: we are in no VLAN */
	uint16_t mtu;                     /* largest IP packet */
	uint16_t mtu6;                    /* of IPv6: less if a router says so [4861 4.6.4] */
	uint16_t caps;                    /* NETIF_... */
	uint16_t tx_chain_max;            /* mbuf segments that one frame may have */
	uint16_t tso_chain_max; /* and one that the port cuts, where each segment is within tx_chain_max */
	struct rte_mempool *control_pool; /* for frames that are built from nothing */
	struct rte_mempool *wait_pool;    /* for copies of what has to wait: a frame finds room */
	struct counters *counters;
	struct exceptions *exceptions; /* where what we have no use for goes to; NULL: nowhere */
	struct netif_groups groups;
};

/* What is known of a received checksum without computing it. */
enum netif_cksum {
	NETIF_CKSUM_UNKNOWN, /* verify it */
	NETIF_CKSUM_GOOD,    /* the port vouches for the bytes */
	NETIF_CKSUM_BAD,
};

/*
 * DPDK's "NONE" says that the field is not filled in but the bytes are known to be intact (a packet
 * from a neighbouring virtual machine): verifying it would drop good packets.
 */
static inline enum netif_cksum
netif_rx_ip4_cksum(const struct netif *netif, const struct rte_mbuf *mbuf)
{
	uint64_t flags = mbuf->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK;

	if (!(netif->caps & NETIF_RX_CKSUM) || flags == RTE_MBUF_F_RX_IP_CKSUM_UNKNOWN)
		return NETIF_CKSUM_UNKNOWN;
	return flags == RTE_MBUF_F_RX_IP_CKSUM_BAD ? NETIF_CKSUM_BAD : NETIF_CKSUM_GOOD;
}

/* The same of TCP's checksum. */
static inline enum netif_cksum
netif_rx_tcp_cksum(const struct netif *netif, const struct rte_mbuf *mbuf)
{
	uint64_t flags = mbuf->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;

	if (!(netif->caps & NETIF_RX_CKSUM) || flags == RTE_MBUF_F_RX_L4_CKSUM_UNKNOWN)
		return NETIF_CKSUM_UNKNOWN;
	return flags == RTE_MBUF_F_RX_L4_CKSUM_BAD ? NETIF_CKSUM_BAD : NETIF_CKSUM_GOOD;
}

/* May a frame to this MAC be for an IPv6 group that we joined? */
static inline bool
netif_group_is_joined(const struct netif *netif, const struct rte_ether_addr *mac)
{
	static const uint8_t all_nodes[6] = {0x33, 0x33, 0, 0, 0, 1},
			     solicited_node[3] = {0x33, 0x33, 0xff};
	uint8_t last = mac->addr_bytes[5];

	if (!netif->groups.joined)
		return false;
	if (memcmp(mac->addr_bytes, all_nodes, sizeof(all_nodes)) == 0)
		return true;
	return memcmp(mac->addr_bytes, solicited_node, sizeof(solicited_node)) == 0 &&
	       (netif->groups.last[last / 64] >> last % 64 & 1) != 0;
}

/* Will the port take a frame in so many pieces? */
static inline bool
netif_takes_chain(const struct netif *netif, const struct rte_mbuf *mbuf)
{
	return mbuf->nb_segs == 1 ||
	       ((netif->caps & NETIF_TX_CHAINS) && mbuf->nb_segs <= netif->tx_chain_max);
}

/*
 * A received frame, whole, for which nobody here has any use: it goes the exception path if there is
 * one, else it is dropped and counted under this reason. Takes ownership.
 */
void netif_refuse(const struct netif *netif, struct rte_mbuf *frame, enum rill_drop reason);

/*
 * A received frame that we use and that the kernel has to see too, if there is an exception path. It
 * stays the caller's, who does not change it any more.
 */
void netif_share(const struct netif *netif, struct rte_mbuf *frame);

#define NETIF_VLAN_ID 0x0fffu /* bits of a tag: 0 says that it only bears a priority */
#define NETIF_TAG_LEN 4

/* Do our frames bear a tag that the port knows nothing of? */
static inline bool
netif_is_tagged(const struct netif *netif)
{
	return netif->vlan_tci != 0 && !(netif->caps & NETIF_VLAN);
}

/* Bytes in front of the IP header. */
static inline uint16_t
netif_l2_len(const struct netif *netif)
{
	if (unlikely(netif_is_tagged(netif)))
		return RTE_ETHER_HDR_LEN + NETIF_TAG_LEN;
	return netif->ethernet ? RTE_ETHER_HDR_LEN : 0;
}

#endif
