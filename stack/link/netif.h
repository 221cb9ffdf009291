/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_LINK_NETIF_H
#define RILL_LINK_NETIF_H

/* What the protocols know of the port that they speak through. */

#include <stdbool.h>
#include <stdint.h>

#include <rte_ether.h>
#include <rte_mbuf.h>

#include "counters.h"

/* Work that the port takes over (or has done on receipt). */
enum {
	NETIF_TX_IP4_CKSUM = 0x01,
	NETIF_TX_TCP_CKSUM = 0x02,
	NETIF_TX_CHAINS = 0x04, /* multi-segment mbufs */
	NETIF_RX_CKSUM = 0x08,  /* flags of received mbufs tell good from bad */
};

struct netif {
	bool ethernet; /* false: bare IP packets */
	bool silent;   /* another lane of the port announces our addresses */
	struct rte_ether_addr mac;
	uint16_t mtu;                     /* largest IP packet */
	uint16_t caps;                    /* NETIF_... */
	uint16_t tx_chain_max;            /* mbuf segments that one frame may have */
	struct rte_mempool *control_pool; /* for frames that are built from nothing */
	struct counters *counters;
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

/* Bytes in front of the IP header. */
static inline uint16_t
netif_l2_len(const struct netif *netif)
{
	return netif->ethernet ? RTE_ETHER_HDR_LEN : 0;
}

#endif
