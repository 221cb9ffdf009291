/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_LINK_NETIF_H
#define RILL_LINK_NETIF_H

/* What the protocols know of the port that they speak through. */

#include <stdbool.h>
#include <stdint.h>

#include <rte_ether.h>

#include "counters.h"

struct rte_mempool;

/* Work that the port takes over (or has done on receipt). */
enum {
	NETIF_TX_IP4_CKSUM = 0x01,
	NETIF_TX_TCP_CKSUM = 0x02,
	NETIF_TX_CHAINS = 0x04, /* multi-segment mbufs */
	NETIF_RX_CKSUM = 0x08,  /* flags of received mbufs tell good from bad */
};

struct netif {
	bool ethernet;           /* false: bare IP packets */
	struct rte_ether_addr mac;
	uint16_t mtu;            /* largest IP packet */
	uint16_t caps;           /* NETIF_... */
	uint16_t tx_chain_max;   /* mbuf segments that one frame may have */
	struct rte_mempool *control_pool; /* for frames that are built from nothing */
	struct counters *counters;
};

/* Bytes in front of the IP header. */
static inline uint16_t
netif_l2_len(const struct netif *netif)
{
	return netif->ethernet ? RTE_ETHER_HDR_LEN : 0;
}

#endif
