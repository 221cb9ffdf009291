/* SPDX-License-Identifier: BSD-3-Clause */
#include "ip6_fragment.h"

#include <netinet/in.h>

#include <rte_mbuf.h>

#include "icmp6.h"
#include "packet.h"

#define FRAGMENT_LEN ((uint16_t)sizeof(struct rte_ipv6_fragment_ext))
#define PAYLOAD_LEN_AT 4     /* in the IPv6 header */
#define FRAGMENT_OFFSET_AT 2 /* in the Fragment header */
#define CODE_REASSEMBLY 1    /* of "time exceeded" */
#define UDP_HEADER_LEN 8

/* Bytes of data that the first fragment must have: all headers [8200 4.5, 7112 5]. */
static uint16_t
whole_header(const struct rte_mbuf *mbuf, uint32_t off, uint32_t len, uint8_t next)
{
	uint8_t copy[IP6_EXT_BYTES_MAX];
	uint32_t there = RTE_MIN(len, (uint32_t)sizeof(copy)), at = 0;
	const uint8_t *bytes = rte_pktmbuf_read(mbuf, off, there, copy);

	switch (ip6_ext_skip(bytes, there, next, &at)) {
	case -1:
		return UINT16_MAX;
	case IPPROTO_TCP:
		return (uint16_t)(at + TCP_HEADER_LEN);
	case IPPROTO_UDP:
		return (uint16_t)(at + UDP_HEADER_LEN);
	case IPPROTO_ICMPV6:
		return (uint16_t)(at + ICMP6_HEADER_LEN);
	default:
		return (uint16_t)at;
	}
}

/* A copy without the headers in front of the Fragment header; NULL without a buffer. */
static struct rte_mbuf *
copy_without(const struct net *net, const struct ip6_packet *packet, uint16_t headers_len)
{
	struct rte_mbuf *copy =
		rte_pktmbuf_copy(packet->mbuf, net->netif->wait_pool, 0, UINT32_MAX);
	struct rte_ipv6_hdr *ip;
	char *start;

	if (copy == NULL)
		return NULL;
	start = rte_pktmbuf_mtod(copy, char *);
	memmove(start + headers_len, start, packet->l2_len + IP6_HEADER_LEN);
	start = rte_pktmbuf_adj(copy, headers_len);
	ip = (struct rte_ipv6_hdr *)(start + packet->l2_len);
	ip->proto = IPPROTO_FRAGMENT;
	ip->payload_len = RTE_BE16((uint16_t)(RTE_BE16(ip->payload_len) - headers_len));
	return copy;
}

/* What the sender is told of a fragment that was refused; nothing: type 0. */
static struct icmp6_complaint
complaint_of(
	const struct fragment *fragment, const struct ip6_chain *chain, enum rill_drop reason)
{
	struct icmp6_complaint complaint = {.type = ICMP6_PARAMETER_PROBLEM};

	if (reason == RILL_DROP_ip_fragment_tiny)
		complaint.code = IP6_PROBLEM_FIRST_FRAGMENT;
	else if (reason != RILL_DROP_ip_fragment_malformed || fragment->len == 0)
		complaint.type = 0;
	else if (fragment->more && fragment->len % 8 != 0)
		complaint.word = PAYLOAD_LEN_AT;
	else
		complaint.word = chain->fragment_at + FRAGMENT_OFFSET_AT;
	return complaint;
}

static void
refuse(struct net *net, struct ip6_packet *packet, const struct icmp6_complaint *complaint,
	enum rill_drop reason, ustime now, struct outbox *outbox)
{
	if (complaint->type != 0)
		icmp6_complain(net, packet, complaint, reason, now, outbox);
	else
		ip6_packet_drop(net, packet, reason);
}

/* What the headers say; the mbuf is the packet's. */
static struct fragment
fragment_of(const struct ip6_packet *packet, const struct ip6_chain *chain, uint8_t *next)
{
	const struct rte_ipv6_hdr *ip = ip6_packet_header(packet);
	const struct rte_ipv6_fragment_ext *header = (const struct rte_ipv6_fragment_ext
			*)((const char *)ip + chain->fragment_at);
	uint32_t data_at = (uint32_t)packet->l2_len + chain->fragment_at + FRAGMENT_LEN;
	uint16_t field = rte_be_to_cpu_16(header->frag_data);
	struct fragment fragment = {
		.mbuf = packet->mbuf,
		.key.src.family = AF_INET6,
		.key.dst.family = AF_INET6,
		.key.id = header->id,
		.l2_len = packet->l2_len,
		.l3_len = IP6_HEADER_LEN + FRAGMENT_LEN,
		.from = field & RTE_IPV6_EHDR_FO_MASK,
		.len = packet->mbuf->pkt_len - data_at,
		.more = field & RTE_IPV6_EHDR_MF_MASK,
		.ecn = RTE_BE32(ip->vtc_flow) >> RTE_IPV6_HDR_TC_SHIFT & RTE_IPV4_HDR_ECN_MASK,
	};

	memcpy(fragment.key.src.u.ip6, ip->src_addr, IP6_ADDR_LEN);
	memcpy(fragment.key.dst.u.ip6, ip->dst_addr, IP6_ADDR_LEN);
	*next = header->next_header;
	if (fragment.from == 0)
		fragment.whole_header = whole_header(packet->mbuf, data_at, fragment.len, *next);
	return fragment;
}

bool
ip6_take_fragment(struct net *net, struct ip6_packet *packet, const struct ip6_chain *chain,
	ustime now, struct outbox *outbox)
{
	uint16_t headers_len = (uint16_t)(chain->fragment_at - IP6_HEADER_LEN);
	struct icmp6_complaint complaint = {.type = 0};
	enum rill_drop reason = RILL_DROP_no_mbuf;
	struct rte_mbuf *whole = NULL;
	struct fragment fragment;

	if (packet->joined) { /* fragments of a fragment: nobody sends these */
		ip6_packet_drop(net, packet, RILL_DROP_ip_fragment_malformed);
		return false;
	}
	if (packet_pull(&packet->mbuf, packet->l2_len + chain->fragment_at + (uint32_t)FRAGMENT_LEN,
		    net->netif->control_pool)) {
		fragment = fragment_of(packet, chain, &packet->protocol);
		packet->protocol_at = chain->fragment_at;
		packet->l3_len = (uint16_t)(chain->fragment_at + FRAGMENT_LEN);
		if (headers_len > 0)
			fragment.mbuf = copy_without(net, packet, headers_len);
		if (fragment.mbuf != NULL)
			reason = fragments_take(net->fragments, &fragment, now, &whole);
		complaint = complaint_of(&fragment, chain, reason);
		if (headers_len > 0) /* the original, or the copy that was not taken */
			rte_pktmbuf_free(
				reason == RILL_DROP_COUNT ? packet->mbuf : fragment.mbuf);
	}
	if (reason != RILL_DROP_COUNT) {
		refuse(net, packet, &complaint, reason, now, outbox);
		return false;
	}
	packet->mbuf = whole;
	if (whole == NULL)
		return false;
	packet->l2_len = (uint16_t)whole->l2_len;
	packet->l3_len = IP6_HEADER_LEN;
	packet->fragmented = packet->joined = true;
	return true;
}

void
ip6_reassembly_exceeded(struct net *net, struct rte_mbuf *first, uint16_t l2_len, ustime now,
	struct outbox *outbox)
{
	const struct icmp6_complaint complaint = {
		.type = ICMP6_TIME_EXCEEDED, .code = CODE_REASSEMBLY};
	struct ip6_packet packet = {
		.mbuf = first, .l2_len = l2_len, .l3_len = IP6_HEADER_LEN + FRAGMENT_LEN};
	const struct rte_ipv6_hdr *ip = ip6_packet_header(&packet);
	const struct rte_ipv6_fragment_ext *header = (const struct rte_ipv6_fragment_ext *)(ip + 1);

	packet.protocol = header->next_header;
	packet.protocol_at = IP6_HEADER_LEN;
	packet.to_group = ip6_is_multicast(ip->dst_addr);
	icmp6_complain(net, &packet, &complaint, RILL_DROP_ip_fragment_late, now, outbox);
}
