/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_LINK_ETHER_H
#define RILL_LINK_ETHER_H

/* Ethernet, received. */

#include <stdint.h>

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_mbuf.h>

#include "netif.h"

/* Does a tag of four bytes, of a VLAN or a priority, follow instead of the payload? */
static inline bool
ether_is_tag(rte_be16_t type)
{
	return type == rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN) ||
		type == rte_cpu_to_be_16(RTE_ETHER_TYPE_QINQ);
}

enum ether_verdict {
	ETHER_DROPPED, /* freed and counted */
	ETHER_IP4,     /* an IPv4 packet starts at l2_len */
	ETHER_ARP,     /* an ARP packet starts at l2_len */
};

/*
 * Takes a frame from the wire: checks length, both MACs and EtherType, wherever the frame is cut
 * into mbufs. A tagged frame is dropped unless its VLAN id is 0 (priority tag). For a bare-IP
 * interface looks at the version nibble. group: set if the frame was sent to the broadcast MAC (no
 * multicast group is joined).
 */
enum ether_verdict ether_input(
	const struct netif *netif, struct rte_mbuf *mbuf, uint16_t *l2_len, bool *group);

/*
 * Turns a received frame's Ethernet header round, for a reply that goes back where it came from.
 * The header is contiguous and may be written. No-op for bare IP.
 */
void ether_reply(const struct netif *netif, struct rte_mbuf *mbuf);

/*
 * Does ether_input, without more ado, find an IPv4 packet in this frame, to our own MAC? Of bare IP
 * it is taken to be one. The first mbuf holds an Ethernet header at least.
 */
static inline bool
ether_is_plain_ip4(const struct netif *netif, const struct rte_mbuf *mbuf)
{
	const struct rte_ether_hdr *ether = rte_pktmbuf_mtod(mbuf, const struct rte_ether_hdr *);

	return !netif->ethernet ||
	       (ether->ether_type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4) &&
		       rte_is_same_ether_addr(&ether->dst_addr, &netif->mac) &&
		       !rte_is_multicast_ether_addr(&ether->src_addr) &&
		       !(mbuf->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED));
}

#endif
