/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The plain packet, as in ip4_plain.c: one mbuf, a frame to our MAC, an IPv6 header without
 * extensions, TCP, from a host to an address of ours. What is not plain is ether_input's and
 * ip6_input's to judge, and to count.
 */
#include <netinet/in.h>

#include <rte_mbuf.h>

#include "ether.h"
#include "ip6.h"
#include "net_state.h"
#include "packet.h"

bool
ip6_take_plain(struct net *net, struct rte_mbuf *mbuf, struct segment *segment)
{
	const struct netif *netif = net->netif;
	uint16_t l2_len = netif_l2_len(netif);
	const struct rte_ipv6_hdr *ip =
		rte_pktmbuf_mtod_offset(mbuf, const struct rte_ipv6_hdr *, l2_len);
	uint32_t len, vtc_flow;

	/* Refusals first: what fails here goes the long way, untouched. */
	if (mbuf->nb_segs != 1 || mbuf->data_len < l2_len + IP6_HEADER_LEN + TCP_HEADER_LEN ||
		!ether_is_plain(netif, mbuf, RTE_ETHER_TYPE_IPV6))
		return false;
	vtc_flow = RTE_BE32(ip->vtc_flow);
	len = l2_len + IP6_HEADER_LEN + RTE_BE16(ip->payload_len);
	if (vtc_flow >> 28 != 6 || ip->proto != IPPROTO_TCP || len > mbuf->data_len ||
		(len < mbuf->data_len && rte_mbuf_refcnt_read(mbuf) != 1) ||
		!net6_ip_is_ours(&net->ip6, ip->dst_addr) || !ip6_is_unicast(ip->src_addr) ||
		net6_ip_is_ours(&net->ip6, ip->src_addr) ||
		netif_rx_tcp_cksum(netif, mbuf) == NETIF_CKSUM_BAD)
		return false;

	/* From here on, only writes. */
	mbuf->pkt_len = len; /* without what Ethernet padded */
	mbuf->data_len = (uint16_t)len;
	segment->tuple.head = (struct tuple_head){.family = AF_INET6};
	memcpy(segment->tuple.addrs6.laddr, ip->dst_addr, IP6_ADDR_LEN);
	memcpy(segment->tuple.addrs6.raddr, ip->src_addr, IP6_ADDR_LEN);
	segment->mbuf = mbuf;
	segment->l2_len = l2_len;
	segment->l3_len = IP6_HEADER_LEN;
	segment->ecn = vtc_flow >> RTE_IPV6_HDR_TC_SHIFT & RTE_IPV4_HDR_ECN_MASK;
	return true;
}
