/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_NET_IP6_PACKET_H
#define RILL_NET_IP6_PACKET_H

/* A received IPv6 packet, on its way through this layer's files. */

#include "ip6.h"
#include "net_state.h"

struct ip6_packet {
	struct rte_mbuf *mbuf; /* headers up to l3_len contiguous, ends where the payload does */
	uint16_t l2_len, l3_len; /* bytes of link header, of IPv6 header with its extensions */
	uint8_t protocol;      /* what it carries, */
	uint16_t protocol_at;  /* which stands here, from the start of the IPv6 header */
	bool to_group;         /* its destination is a group */
	bool router_alert;     /* routers were to look at it [2711] */
	bool fragmented;       /* it came with a Fragment header, */
	bool joined;           /* and in pieces */
};

static inline const struct rte_ipv6_hdr *
ip6_packet_header(const struct ip6_packet *packet)
{
	return rte_pktmbuf_mtod_offset(packet->mbuf, const struct rte_ipv6_hdr *, packet->l2_len);
}

/* Is it dropped because we have no use for it? The kernel may have one. */
static inline bool
ip6_is_of_no_use(enum rill_drop reason)
{
	return reason == RILL_DROP_ip_not_ours || reason == RILL_DROP_ip_broadcast ||
	       reason == RILL_DROP_ip_protocol || reason == RILL_DROP_icmp_type ||
	       reason == RILL_DROP_icmp_stale || reason == RILL_DROP_nd_not_ours ||
	       reason == RILL_DROP_nd_ignored;
}

/* Drops it and counts why, or leaves it to the kernel; for those who return a verdict. */
static inline enum ip_verdict
ip6_packet_drop(const struct net *net, struct ip6_packet *packet, enum rill_drop reason)
{
	if (ip6_is_of_no_use(reason))
		netif_refuse(net->netif, packet->mbuf, reason);
	else
		drop_packet(net->netif->counters, packet->mbuf, reason);
	return IP_CONSUMED;
}

#endif
