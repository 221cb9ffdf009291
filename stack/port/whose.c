/* SPDX-License-Identifier: BSD-3-Clause */
#include "whose.h"

#include <netinet/in.h>
#include <stddef.h>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_tcp.h>

#include "ether.h"

bool
whose_read(const struct rte_mbuf *frame, struct whose *whose)
{
	const struct rte_ether_hdr *ether = rte_pktmbuf_mtod(frame, const struct rte_ether_hdr *);
	struct rte_ipv4_hdr ip_copy;
	struct rte_tcp_hdr tcp_copy;
	const struct rte_ipv4_hdr *ip;
	const struct rte_tcp_hdr *tcp;
	uint32_t l2_len = sizeof(*ether);
	rte_be16_t type;

	if (frame->data_len < sizeof(*ether) + sizeof(struct rte_vlan_hdr))
		return false;
	type = ether->ether_type;
	if (ether_is_tag(type)) {
		type = ((const struct rte_vlan_hdr *)(ether + 1))->eth_proto;
		l2_len += sizeof(struct rte_vlan_hdr);
	}
	if (type != rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4))
		return false;
	ip = rte_pktmbuf_read(frame, l2_len, sizeof(ip_copy), &ip_copy);
	if (ip == NULL || ip->next_proto_id != IPPROTO_TCP || rte_ipv4_hdr_len(ip) < sizeof(*ip) ||
		(ip->fragment_offset &
			rte_cpu_to_be_16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK)))
		return false;
	tcp = rte_pktmbuf_read(frame, l2_len + rte_ipv4_hdr_len(ip),
		offsetof(struct rte_tcp_hdr, rx_win), &tcp_copy);
	if (tcp == NULL)
		return false;
	*whose = (struct whose){.tuple = {.laddr4 = ip->dst_addr,
					.raddr4 = ip->src_addr,
					.lport = tcp->dst_port,
					.rport = tcp->src_port},
		.syn = tcp->tcp_flags & RTE_TCP_SYN_FLAG};
	return true;
}
