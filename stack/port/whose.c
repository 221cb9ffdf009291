/* SPDX-License-Identifier: BSD-3-Clause */
#include "whose.h"

#include <netinet/in.h>
#include <stddef.h>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_tcp.h>

#include "ether.h"

#define EXTENSION_UNIT 8 /* bytes that extension headers have a multiple of [8200 4] */

/* The EtherType, and in *l2_len what precedes it. */
static rte_be16_t
read_type(const struct rte_mbuf *frame, uint32_t *l2_len)
{
	const struct rte_ether_hdr *ether = rte_pktmbuf_mtod(frame, const struct rte_ether_hdr *);

	*l2_len = sizeof(*ether);
	if (!ether_is_tag(ether->ether_type))
		return ether->ether_type;
	*l2_len += (uint32_t)sizeof(struct rte_vlan_hdr);
	return ((const struct rte_vlan_hdr *)(ether + 1))->eth_proto;
}

/* The addresses of a packet at `off`. Returns the offset of the TCP header; 0: there is none. */
static uint32_t
read_ip4(const struct rte_mbuf *frame, uint32_t off, struct tuple *tuple)
{
	struct rte_ipv4_hdr copy;
	const struct rte_ipv4_hdr *ip = rte_pktmbuf_read(frame, off, sizeof(copy), &copy);

	if (ip == NULL || ip->next_proto_id != IPPROTO_TCP || rte_ipv4_hdr_len(ip) < sizeof(*ip) ||
		(ip->fragment_offset &
			rte_cpu_to_be_16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK)))
		return 0;
	tuple->head = (struct tuple_head){
		.laddr4 = ip->dst_addr, .raddr4 = ip->src_addr, .family = AF_INET};
	return off + rte_ipv4_hdr_len(ip);
}

/* Bytes of an extension header; 0: TCP does not follow it. */
static uint32_t
extension_len(const uint8_t *extension, uint8_t type)
{
	switch (type) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
		return (extension[1] + 1u) * EXTENSION_UNIT;
	case IPPROTO_FRAGMENT: /* one that is the whole packet is none [6946] */
		return (extension[2] << 8 | extension[3]) & RTE_IPV6_FRAG_USED_MASK
			       ? 0
			       : EXTENSION_UNIT;
	default:
		return 0;
	}
}

/* Looks behind extension headers for TCP. */
static uint32_t
skip_extensions(const struct rte_mbuf *frame, uint32_t off, uint8_t next)
{
	for (unsigned int i = 0; i < WHOSE_EXTENSIONS_MAX && next != IPPROTO_TCP; i++) {
		uint8_t copy[EXTENSION_UNIT];
		const uint8_t *extension = rte_pktmbuf_read(frame, off, sizeof(copy), copy);
		uint32_t len = extension == NULL ? 0 : extension_len(extension, next);

		if (len == 0)
			return 0;
		next = extension[0];
		off += len;
	}
	return next == IPPROTO_TCP ? off : 0;
}

static uint32_t
read_ip6(const struct rte_mbuf *frame, uint32_t off, struct tuple *tuple)
{
	struct rte_ipv6_hdr copy;
	const struct rte_ipv6_hdr *ip = rte_pktmbuf_read(frame, off, sizeof(copy), &copy);

	if (ip == NULL)
		return 0;
	tuple->head = (struct tuple_head){.family = AF_INET6};
	memcpy(tuple->addrs6.laddr, ip->dst_addr, sizeof(tuple->addrs6.laddr));
	memcpy(tuple->addrs6.raddr, ip->src_addr, sizeof(tuple->addrs6.raddr));
	return skip_extensions(frame, off + (uint32_t)sizeof(*ip), ip->proto);
}

bool
whose_read(const struct rte_mbuf *frame, struct whose *whose)
{
	struct rte_tcp_hdr copy;
	const struct rte_tcp_hdr *tcp;
	uint32_t off = 0;
	rte_be16_t type;

	if (frame->data_len < sizeof(struct rte_ether_hdr) + sizeof(struct rte_vlan_hdr))
		return false;
	type = read_type(frame, &off);
	if (type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4))
		off = read_ip4(frame, off, &whose->tuple);
	else if (type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6))
		off = read_ip6(frame, off, &whose->tuple);
	else
		return false;
	tcp = off == 0 ? NULL
		       : rte_pktmbuf_read(frame, off, offsetof(struct rte_tcp_hdr, rx_win), &copy);
	if (tcp == NULL)
		return false;
	whose->tuple.head.lport = tcp->dst_port;
	whose->tuple.head.rport = tcp->src_port;
	whose->syn = tcp->tcp_flags & RTE_TCP_SYN_FLAG;
	return true;
}
