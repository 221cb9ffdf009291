/* SPDX-License-Identifier: BSD-3-Clause */
/* ICMPv6 errors that we send [4443 2.4, 3]. */
#include <netinet/in.h>

#include <rte_mbuf.h>

#include "checksum.h"
#include "ether.h"
#include "icmp6.h"
#include "ip6_ext.h"
#include "ndp.h"

/* An error quotes as much as fits into what every link carries [4443 2.4 (c)]. */
#define QUOTE_MAX (IP6_MTU_LEAST - IP6_HEADER_LEN - ICMP6_HEADER_LEN)

struct error_headers {
	struct rte_ipv6_hdr ip;
	uint8_t type, code;
	rte_be16_t checksum;
	rte_be32_t word;
};

/* Is it an ICMPv6 error itself, or a redirect? What cannot be seen is none. */
static bool
is_about_an_error(const struct ip6_packet *packet)
{
	uint32_t off = (uint32_t)packet->l2_len + IP6_HEADER_LEN, at;
	uint8_t copy[IP6_EXT_BYTES_MAX + 1];
	uint32_t len = RTE_MIN(packet->mbuf->pkt_len - off, (uint32_t)sizeof(copy));
	const uint8_t *bytes = rte_pktmbuf_read(packet->mbuf, off, len, copy);
	int protocol = ip6_ext_skip(bytes, len, ip6_packet_header(packet)->proto, &at);

	return protocol == IPPROTO_ICMPV6 && at < len &&
	       (bytes[at] < ICMP6_ECHO || bytes[at] == NDP_REDIRECT);
}

static bool
may_be_said(const struct ip6_packet *packet, const struct icmp6_complaint *complaint)
{
	return (!packet->to_group || complaint->to_groups) &&
	       ip6_is_unicast(ip6_packet_header(packet)->src_addr) && !is_about_an_error(packet);
}

/* As many bytes of the packet as the error may quote and the port can send; NULL without a buffer.
 */
static struct rte_mbuf *
quote(const struct net *net, const struct ip6_packet *packet)
{
	struct rte_mempool *pool = net->netif->control_pool;
	uint32_t room = rte_pktmbuf_data_room_size(pool) - RTE_PKTMBUF_HEADROOM;
	uint32_t len = RTE_MIN(packet->mbuf->pkt_len - packet->l2_len, (uint32_t)QUOTE_MAX);
	uint32_t pieces = (net->netif->caps & NETIF_TX_CHAINS) ? net->netif->tx_chain_max : 1;

	return rte_pktmbuf_copy(packet->mbuf, pool, packet->l2_len, RTE_MIN(len, pieces * room));
}

/* The frame, back to where the packet came from; NULL without a buffer. */
static struct rte_mbuf *
error_make(const struct net *net, const struct ip6_packet *packet, const uint8_t *source,
	const struct icmp6_complaint *complaint)
{
	const struct rte_ipv6_hdr *cause = ip6_packet_header(packet);
	struct rte_mbuf *frame = quote(net, packet);
	struct error_headers headers = {
		.ip = {.vtc_flow = rte_cpu_to_be_32(6u << 28),
			.proto = IPPROTO_ICMPV6,
			.hop_limits = net->ip6.hop_limit},
		.type = complaint->type,
		.code = complaint->code,
		.word = rte_cpu_to_be_32(complaint->word),
	};
	uint32_t icmp_len;
	char *start;

	if (frame == NULL)
		return NULL;
	frame->ol_flags &= RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL;
	frame->tx_offload = 0;
	icmp_len = frame->pkt_len + ICMP6_HEADER_LEN;
	memcpy(headers.ip.src_addr, source, IP6_ADDR_LEN);
	memcpy(headers.ip.dst_addr, cause->src_addr, IP6_ADDR_LEN);
	headers.ip.payload_len = rte_cpu_to_be_16((uint16_t)icmp_len);
	start = rte_pktmbuf_prepend(frame, packet->l2_len + (uint16_t)sizeof(headers));
	if (start == NULL) {
		rte_pktmbuf_free(frame);
		return NULL;
	}
	memcpy(start, rte_pktmbuf_mtod(packet->mbuf, char *), packet->l2_len);
	memcpy(start + packet->l2_len, &headers, sizeof(headers));
	headers.checksum = (rte_be16_t)~checksum_icmp6(
		frame, packet->l2_len + IP6_HEADER_LEN, icmp_len, headers.ip.src_addr);
	memcpy(start + packet->l2_len, &headers, sizeof(headers));
	ether_reply(net->netif, frame);
	return frame;
}

/* Says it, if that is allowed and there is room; else why not, where that is worth a count. */
static enum rill_drop
say(struct net *net, const struct ip6_packet *packet, const struct icmp6_complaint *complaint,
	enum rill_drop reason, ustime now, struct outbox *outbox)
{
	const struct rte_ipv6_hdr *ip = ip6_packet_header(packet);
	const struct net6_addr *from = net6_find(&net->ip6, ip->dst_addr);
	struct rte_mbuf *frame;

	if (!may_be_said(packet, complaint))
		return reason;
	if (packet->to_group)
		from = net6_source(net, ip->src_addr);
	if (from == NULL)
		return reason;
	if (!token_take(&net->icmp_errors, now))
		return RILL_DROP_icmp_rate;
	if (!outbox_has_control_room(outbox))
		return RILL_DROP_outbox_full;
	frame = error_make(net, packet, from->ip, complaint);
	if (frame == NULL)
		return RILL_DROP_no_mbuf;
	outbox_put(outbox, frame);
	net->netif->counters->icmp_out++;
	return reason;
}

void
icmp6_complain(struct net *net, struct ip6_packet *packet, const struct icmp6_complaint *complaint,
	enum rill_drop reason, ustime now, struct outbox *outbox)
{
	reason = say(net, packet, complaint, reason, now, outbox);
	drop_packet(net->netif->counters, packet->mbuf, reason);
}
