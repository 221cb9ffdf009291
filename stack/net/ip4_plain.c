/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The plain packet, which nearly all are: one mbuf, a frame to our MAC, an IPv4 header without
 * options, no fragment, TCP, from a host to an address of ours. All that ether_input and ip4_input
 * would ask is asked at once; what is not plain is theirs to judge, and to count.
 */
#include <string.h>

#include <netinet/in.h>

#include <rte_ip.h>
#include <rte_mbuf.h>

#include "checksum.h"
#include "ether.h"
#include "net.h"
#include "net_state.h"
#include "packet.h"

/* The five words of a header, of which the version is not 0. */
static inline bool
header_sum_is_good(const struct rte_ipv4_hdr *ip)
{
	uint32_t word[5];

	memcpy(word, ip, sizeof(word)); /* behind an Ethernet header it is not aligned */
	return checksum_is_good((uint64_t)word[0] + word[1] + word[2] + word[3] + word[4]);
}

/* Does nothing speak against these checksums, of which the port may know? */
static inline bool
sums_are_good(const struct netif *netif, const struct rte_mbuf *mbuf, const struct rte_ipv4_hdr *ip)
{
	enum netif_cksum known = netif_rx_ip4_cksum(netif, mbuf);

	if (known == NETIF_CKSUM_BAD || netif_rx_tcp_cksum(netif, mbuf) == NETIF_CKSUM_BAD)
		return false;
	return known == NETIF_CKSUM_GOOD || header_sum_is_good(ip);
}

/* A source that passed, passes until our addresses change. */
static inline bool
source_is_good(struct net *net, uint32_t src)
{
	uint32_t *passed = &net->passed[net_set_index(src)];

	if (likely(*passed == src && src != 0))
		return true;
	if (!net_ip_is_unicast(net, src) || net_ip_is_ours(net, src))
		return false;
	*passed = src;
	return true;
}

bool
ip4_take_plain(struct net *net, struct rte_mbuf *mbuf, struct segment *segment)
{
	const struct netif *netif = net->netif;
	uint16_t l2_len = netif_l2_len(netif);
	const struct rte_ipv4_hdr *ip =
		rte_pktmbuf_mtod_offset(mbuf, const struct rte_ipv4_hdr *, l2_len);
	uint32_t total_len;

	/* Refusals first: what fails here goes the long way, untouched. */
	if (mbuf->nb_segs != 1 || mbuf->data_len < l2_len + IP4_HEADER_LEN + TCP_HEADER_LEN ||
		!ether_is_plain(netif, mbuf, RTE_ETHER_TYPE_IPV4))
		return false;
	total_len = RTE_BE16(ip->total_length);
	if (ip->version_ihl != RTE_IPV4_VHL_DEF || ip->next_proto_id != IPPROTO_TCP ||
		(ip->fragment_offset & rte_cpu_to_be_16(IP4_FRAGMENT)) != 0 ||
		total_len < IP4_HEADER_LEN || l2_len + total_len > mbuf->data_len ||
		(l2_len + total_len < mbuf->data_len && rte_mbuf_refcnt_read(mbuf) != 1) ||
		!net_ip_is_ours(net, RTE_BE32(ip->dst_addr)) ||
		!source_is_good(net, RTE_BE32(ip->src_addr)) ||
		!sums_are_good(netif, mbuf, ip))
		return false;

	/* From here on, only writes. */
	mbuf->pkt_len = l2_len + total_len; /* without what Ethernet padded */
	mbuf->data_len = (uint16_t)(l2_len + total_len);
	segment->tuple.head = (struct tuple_head){
		.laddr4 = ip->dst_addr, .raddr4 = ip->src_addr, .family = AF_INET};
	segment->mbuf = mbuf;
	segment->l2_len = l2_len;
	segment->l3_len = IP4_HEADER_LEN;
	segment->ecn = ip->type_of_service & RTE_IPV4_HDR_ECN_MASK;
	return true;
}
