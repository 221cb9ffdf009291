/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_LINK_ETHER_H
#define RILL_LINK_ETHER_H

/*
 * Ethernet, with the tag of a VLAN [802.1Q] where the interface is in one: put in and taken off by the
 * port, if it can do both, else here.
 */

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
	ETHER_IP6,     /* an IPv6 packet starts at l2_len */
	ETHER_ARP,     /* an ARP packet starts at l2_len */
};

/*
 * Takes a frame from the wire: checks length, both MACs, VLAN and EtherType, wherever the frame is cut
 * into mbufs. A frame of another VLAN than ours is dropped; one without a tag, or with one that bears
 * a priority only (id 0), is in none. In a VLAN whose tags the port does not handle, a frame whose
 * tag somebody has taken off is dropped too: answers are made of what arrived. For a bare-IP
 * interface looks at the version nibble. group: set if the frame was sent to the broadcast MAC, or to
 * that of an IPv6 group that we joined.
 */
enum ether_verdict ether_input(
	const struct netif *netif, struct rte_mbuf *mbuf, uint16_t *l2_len, bool *group);

/*
 * Turns a received frame's Ethernet header round, for a reply that goes back where it came from.
 * The header is contiguous and may be written. No-op for bare IP.
 */
void ether_reply(const struct netif *netif, struct rte_mbuf *mbuf);

/* Writes the header of what is sent to this MAC, tag included; returns its length. */
uint8_t ether_write_header(const struct netif *netif, const struct rte_ether_addr *dst, uint16_t type,
	uint8_t *header);

/* Puts our tag into a frame that was built from nothing, with room in front; no-op where none is due. */
static inline void
ether_tag(const struct netif *netif, struct rte_mbuf *mbuf)
{
	struct rte_ether_hdr copy;

	if (likely(!netif_is_tagged(netif)))
		return;
	copy = *rte_pktmbuf_mtod(mbuf, struct rte_ether_hdr *);
	ether_write_header(netif, &copy.dst_addr, rte_be_to_cpu_16(copy.ether_type),
		(uint8_t *)rte_pktmbuf_prepend(mbuf, NETIF_TAG_LEN));
}

/* ether_is_plain of a frame in a VLAN. */
bool ether_is_plain_tagged(const struct netif *netif, const struct rte_mbuf *mbuf, uint16_t type);

/*
 * Does ether_input, without more ado, find a packet of this EtherType in this frame, to our own MAC? Of
 * bare IP it is taken to be one. The first mbuf holds an Ethernet header at least.
 */
static inline bool
ether_is_plain(const struct netif *netif, const struct rte_mbuf *mbuf, uint16_t type)
{
	const struct rte_ether_hdr *ether = rte_pktmbuf_mtod(mbuf, const struct rte_ether_hdr *);

	if (unlikely(netif->vlan_tci != 0))
		return ether_is_plain_tagged(netif, mbuf, type);
	return !netif->ethernet ||
	       (ether->ether_type == rte_cpu_to_be_16(type) &&
		       rte_is_same_ether_addr(&ether->dst_addr, &netif->mac) &&
		       !rte_is_multicast_ether_addr(&ether->src_addr) &&
		       !(mbuf->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED));
}

#endif
