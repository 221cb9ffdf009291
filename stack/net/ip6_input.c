/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Received IPv6 packets, in steps: the header's form, its addresses, the end of the payload, the
 * extension headers, and what it carries. Each step returns a drop reason, or RILL_DROP_COUNT to go on.
 */
#include <netinet/in.h>

#include <rte_mbuf.h>

#include "icmp6.h"
#include "ip6_ext.h"
#include "ip6_fragment.h"
#include "ip6_packet.h"
#include "packet.h"

static enum rill_drop
check_header(const struct netif *netif, struct ip6_packet *packet)
{
	const struct rte_ipv6_hdr *ip;
	uint32_t room;

	if (unlikely(packet->mbuf->pkt_len < (uint32_t)packet->l2_len + IP6_HEADER_LEN))
		return RILL_DROP_ip_header_length;
	if (unlikely(!packet_pull(
		    &packet->mbuf, packet->l2_len + IP6_HEADER_LEN, netif->control_pool)))
		return RILL_DROP_no_mbuf;
	ip = ip6_packet_header(packet);
	room = packet->mbuf->pkt_len - packet->l2_len - IP6_HEADER_LEN;
	if (unlikely(RTE_BE32(ip->vtc_flow) >> 28 != 6))
		return RILL_DROP_ip_version;
	if (unlikely(RTE_BE16(ip->payload_len) > room))
		return RILL_DROP_ip_total_length;
	packet->l3_len = IP6_HEADER_LEN;
	return RILL_DROP_COUNT;
}

/* Of no source but a host's; only neighbour discovery speaks without having an address [4861 4]. */
static bool
source_is_good(const struct net *net, const struct ip6_packet *packet)
{
	const struct rte_ipv6_hdr *ip = ip6_packet_header(packet);

	if (likely(ip6_is_unicast(ip->src_addr)))
		return !net6_ip_is_ours(&net->ip6, ip->src_addr);
	return ip6_is_unspecified(ip->src_addr) && packet->to_group;
}

static enum rill_drop
check_addresses(const struct net *net, struct ip6_packet *packet, bool group)
{
	const struct rte_ipv6_hdr *ip = ip6_packet_header(packet);

	packet->to_group = ip6_is_multicast(ip->dst_addr);
	if (packet->to_group) {
		if (!net6_is_joined(net, ip->dst_addr))
			return RILL_DROP_ip_broadcast;
	} else if (unlikely(!net6_ip_is_ours(&net->ip6, ip->dst_addr))) {
		return RILL_DROP_ip_not_ours;
	} else if (unlikely(group)) {
		return RILL_DROP_ip_broadcast;
	}
	return source_is_good(net, packet) ? RILL_DROP_COUNT : RILL_DROP_ip_bad_source;
}

static enum rill_drop
take_segment(const struct netif *netif, struct ip6_packet *packet, struct segment *segment)
{
	const struct rte_ipv6_hdr *ip;

	if (unlikely(packet->to_group))
		return RILL_DROP_ip_broadcast;
	if (unlikely(netif_rx_tcp_cksum(netif, packet->mbuf) == NETIF_CKSUM_BAD))
		return RILL_DROP_tcp_checksum;
	if (unlikely(!packet_pull_tcp(&packet->mbuf, packet->l2_len + packet->l3_len,
		    netif->control_pool)))
		return RILL_DROP_no_mbuf;
	ip = ip6_packet_header(packet);
	segment->tuple.head = (struct tuple_head){.family = AF_INET6};
	memcpy(segment->tuple.addrs6.laddr, ip->dst_addr, IP6_ADDR_LEN);
	memcpy(segment->tuple.addrs6.raddr, ip->src_addr, IP6_ADDR_LEN);
	segment->mbuf = packet->mbuf;
	segment->l2_len = packet->l2_len;
	segment->l3_len = packet->l3_len;
	segment->ecn = RTE_BE32(ip->vtc_flow) >> RTE_IPV6_HDR_TC_SHIFT & RTE_IPV4_HDR_ECN_MASK;
	return RILL_DROP_COUNT;
}

/* A fragment of what Rill does not speak is the kernel's, as it came, if there is a kernel behind us. */
static bool
is_for_kernel(const struct net *net, const uint8_t *fragment)
{
	uint8_t carries = *fragment;

	return net->netif->exceptions != NULL && carries != IPPROTO_TCP &&
	       carries != IPPROTO_ICMPV6 && !ip6_ext_is(carries);
}

/*
 * Goes through the extension headers, and tells the sender of what is wrong with them. A fragment that
 * completes its datagram becomes that, whose headers are still to be gone through.
 */
static bool
pass_extensions(struct net *net, struct ip6_packet *packet, ustime now, struct outbox *outbox)
{
	uint32_t off = (uint32_t)packet->l2_len + IP6_HEADER_LEN, len = packet->mbuf->pkt_len - off;
	uint8_t copy[IP6_EXT_BYTES_MAX];
	const uint8_t *bytes =
		rte_pktmbuf_read(packet->mbuf, off, RTE_MIN(len, (uint32_t)sizeof(copy)), copy);
	struct ip6_chain chain;
	enum rill_drop reason = ip6_ext_walk(bytes, len, ip6_packet_header(packet)->proto, &chain);

	if (reason == RILL_DROP_COUNT &&
		!packet_pull(&packet->mbuf, off + chain.len, net->netif->control_pool))
		reason = RILL_DROP_no_mbuf;
	if (reason == RILL_DROP_COUNT) {
		packet->l3_len += chain.len;
		packet->protocol = chain.protocol;
		packet->protocol_at = chain.next_at;
		packet->router_alert |= chain.router_alert;
		packet->fragmented |= chain.has_fragment;
	} else if (reason == IP6_EXT_PIECE &&
		   is_for_kernel(net, bytes + chain.fragment_at - IP6_HEADER_LEN)) {
		ip6_packet_drop(net, packet, RILL_DROP_ip_protocol);
	} else if (reason == IP6_EXT_PIECE) {
		return ip6_take_fragment(net, packet, &chain, now, outbox) &&
		       pass_extensions(net, packet, now, outbox); /* once: no piece of a piece is taken */
	} else if (chain.tell) {
		const struct icmp6_complaint complaint = {
			.type = ICMP6_PARAMETER_PROBLEM,
			.code = chain.code,
			.word = chain.pointer,
			.to_groups = chain.tell_groups,
		};

		icmp6_complain(net, packet, &complaint, reason, now, outbox);
	} else {
		drop_packet(net->netif->counters, packet->mbuf, reason);
	}
	return reason == RILL_DROP_COUNT;
}

/* What Rill does not speak, and the kernel behind it neither; "no next header" has nothing to say [8200 4.7]. */
static enum ip_verdict
refuse(struct net *net, struct ip6_packet *packet, ustime now, struct outbox *outbox)
{
	struct icmp6_complaint complaint = {
		.type = ICMP6_PARAMETER_PROBLEM,
		.code = IP6_PROBLEM_NEXT_HEADER,
		.word = packet->protocol_at,
	};

	if (packet->protocol == IPPROTO_NONE || net->netif->exceptions != NULL)
		return ip6_packet_drop(net, packet, RILL_DROP_ip_protocol);
	if (packet->protocol == IPPROTO_UDP)
		complaint = (struct icmp6_complaint){
			.type = ICMP6_UNREACHABLE, .code = ICMP6_UNREACHABLE_PORT};
	icmp6_complain(net, packet, &complaint, RILL_DROP_ip_protocol, now, outbox);
	return IP_CONSUMED;
}

enum ip_verdict
ip6_input(struct net *net, struct rte_mbuf *mbuf, uint16_t l2_len, bool group, ustime now,
	struct outbox *outbox, struct segment *segment, struct icmp_error *error)
{
	struct ip6_packet packet = {.mbuf = mbuf, .l2_len = l2_len};
	enum rill_drop reason = check_header(net->netif, &packet);
	uint32_t len;

	if (likely(reason == RILL_DROP_COUNT))
		reason = check_addresses(net, &packet, group);
	if (unlikely(reason != RILL_DROP_COUNT))
		return ip6_packet_drop(net, &packet, reason);
	len = l2_len + IP6_HEADER_LEN + RTE_BE16(ip6_packet_header(&packet)->payload_len);
	if (unlikely(!packet_trim(&packet.mbuf, len, net->netif->control_pool)))
		return ip6_packet_drop(net, &packet, RILL_DROP_no_mbuf);
	if (!pass_extensions(net, &packet, now, outbox))
		return IP_CONSUMED;
	if (likely(packet.protocol == IPPROTO_TCP)) {
		reason = take_segment(net->netif, &packet, segment);
		if (likely(reason == RILL_DROP_COUNT))
			return packet.joined ? IP_TCP_JOINED : IP_TCP;
		return ip6_packet_drop(net, &packet, reason);
	}
	if (packet.protocol == IPPROTO_ICMPV6)
		return icmp6_input(net, &packet, now, outbox, error);
	return refuse(net, &packet, now, outbox);
}
