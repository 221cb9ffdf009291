/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_NET_IP4_OUTPUT_H
#define RILL_NET_IP4_OUTPUT_H

/* The IPv4 header of what we send: never fragmented (DF), so that its ID may be 0 [6864 4.1]. */

#include <rte_ip.h>
#include <rte_mbuf.h>

#include "checksum.h"
#include "netif.h"

/*
 * Writes a 20-byte header. With NETIF_TX_IP4_CKSUM the checksum field is left 0 for the NIC, which
 * the caller asks for (ip4_ask_cksum); else it is computed here.
 */
static __rte_always_inline void
ip4_write_header(const struct netif *netif, struct rte_ipv4_hdr *ip, rte_be32_t src, rte_be32_t dst,
	uint16_t total_len, uint8_t protocol, uint8_t ttl, uint8_t tos)
{
	rte_be16_t len = RTE_BE16(total_len), df = RTE_BE16(RTE_IPV4_HDR_DF_FLAG);

	ip->version_ihl = RTE_IPV4_VHL_DEF;
	ip->type_of_service = tos;
	ip->total_length = len;
	ip->packet_id = 0;
	ip->fragment_offset = df;
	ip->time_to_live = ttl;
	ip->next_proto_id = protocol;
	ip->hdr_checksum = 0;
	ip->src_addr = src;
	ip->dst_addr = dst;
	if (!(netif->caps & NETIF_TX_IP4_CKSUM)) /* of what was stored, without reading it again */
		ip->hdr_checksum = (rte_be16_t)~checksum_fold(
			(uint64_t)src + dst + RTE_BE16(RTE_IPV4_VHL_DEF << 8 | tos) + len +
			df + RTE_BE16((uint16_t)(ttl << 8 | protocol)));
}

/* Asks the NIC for the checksum of a frame's 20-byte IPv4 header, if that is its work. */
static inline void
ip4_ask_cksum(const struct netif *netif, struct rte_mbuf *frame, uint16_t l2_len)
{
	if (!(netif->caps & NETIF_TX_IP4_CKSUM))
		return;
	frame->ol_flags |= RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
	frame->l2_len = l2_len;
	frame->l3_len = sizeof(struct rte_ipv4_hdr);
}

#endif
