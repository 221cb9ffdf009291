/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Received IPv4 packets, in steps: the header's form, its addresses, the end of the datagram, and
 * what it carries. Each step returns a drop reason, or RILL_DROP_COUNT to go on.
 */
#include <netinet/in.h>
#include <string.h>

#include <rte_icmp.h>
#include <rte_ip.h>
#include <rte_mbuf.h>

#include "check.h"
#include "icmp4.h"
#include "net.h"
#include "net_state.h"
#include "packet.h"

enum {
	OPTION_END = 0,
	OPTION_NOP = 1,
	OPTION_LSRR = 131,
	OPTION_SSRR = 137,
};

#define IP4_BROADCAST 0xffffffffu
#define IP4_CLASS_D 0xe0000000u /* multicast: 224/4 */
#define IP4_CLASS_MASK 0xf0000000u

struct packet {
	struct rte_mbuf *mbuf;
	uint16_t l2_len, l3_len;
	uint16_t total_len; /* of the datagram */
	bool group;         /* came in a broadcast frame */
};

static const struct rte_ipv4_hdr *
header_of(const struct packet *packet)
{
	return rte_pktmbuf_mtod_offset(packet->mbuf, const struct rte_ipv4_hdr *, packet->l2_len);
}

/* Unknown options are ignored, source routes refused as policy [1122 3.2.1.8, 7126 4.3]. */
static enum rill_drop
check_options(const uint8_t *options, unsigned int len)
{
	unsigned int at = 0;

	while (at < len && options[at] != OPTION_END) {
		if (options[at] == OPTION_NOP) {
			at++;
			continue;
		}
		if (at + 1 == len || options[at + 1] < 2 || options[at + 1] > len - at)
			return RILL_DROP_ip_options;
		if (options[at] == OPTION_LSRR || options[at] == OPTION_SSRR)
			return RILL_DROP_ip_source_route;
		at += options[at + 1];
	}
	return RILL_DROP_COUNT;
}

static bool
checksum_is_good(const struct netif *netif, const struct packet *packet)
{
	enum netif_cksum known = netif_rx_ip4_cksum(netif, packet->mbuf);

	if (known != NETIF_CKSUM_UNKNOWN)
		return known == NETIF_CKSUM_GOOD;
	return rte_raw_cksum(header_of(packet), packet->l3_len) == 0xffff;
}

static bool
is_fragment(const struct packet *packet)
{
	return (header_of(packet)->fragment_offset & rte_cpu_to_be_16(IP4_FRAGMENT)) != 0;
}

static enum rill_drop
check_header(const struct netif *netif, struct packet *packet)
{
	uint32_t room = packet->mbuf->pkt_len - packet->l2_len;
	const struct rte_ipv4_hdr *ip;

	if (unlikely(packet->mbuf->pkt_len < (uint32_t)packet->l2_len + IP4_HEADER_LEN))
		return RILL_DROP_ip_header_length;
	if (unlikely(!packet_pull(
		    &packet->mbuf, packet->l2_len + IP4_HEADER_LEN, netif->control_pool)))
		return RILL_DROP_no_mbuf;
	ip = header_of(packet);
	if (unlikely(ip->version_ihl >> 4 != 4))
		return RILL_DROP_ip_version;
	packet->l3_len = rte_ipv4_hdr_len(ip);
	packet->total_len = rte_be_to_cpu_16(ip->total_length);
	if (unlikely(packet->l3_len < IP4_HEADER_LEN || packet->l3_len > room))
		return RILL_DROP_ip_header_length;
	if (unlikely(packet->total_len < packet->l3_len || packet->total_len > room))
		return RILL_DROP_ip_total_length;
	if (unlikely(!packet_pull(
		    &packet->mbuf, packet->l2_len + packet->l3_len, netif->control_pool)))
		return RILL_DROP_no_mbuf;
	if (unlikely(!checksum_is_good(netif, packet)))
		return RILL_DROP_ip_checksum;
	if (likely(packet->l3_len == IP4_HEADER_LEN))
		return RILL_DROP_COUNT;
	return check_options(
		(const uint8_t *)(header_of(packet) + 1), packet->l3_len - IP4_HEADER_LEN);
}

/* Why a packet is dropped whose destination is no address of ours. */
static enum rill_drop
foreign_reason(const struct net *net, const struct packet *packet, uint32_t dst)
{
	struct rte_icmp_hdr copy;
	const struct rte_icmp_hdr *icmp;

	if (dst != IP4_BROADCAST && (dst & IP4_CLASS_MASK) != IP4_CLASS_D &&
		!net_ip_is_directed_broadcast(net, dst))
		return RILL_DROP_ip_not_ours;
	icmp = rte_pktmbuf_read(packet->mbuf, packet->l2_len + packet->l3_len, sizeof(copy), &copy);
	if (header_of(packet)->next_proto_id == IPPROTO_ICMP && icmp != NULL &&
		icmp->icmp_type == RTE_IP_ICMP_ECHO_REQUEST)
		return RILL_DROP_icmp_broadcast;
	return RILL_DROP_ip_broadcast;
}

static enum rill_drop
check_addresses(const struct net *net, const struct packet *packet)
{
	const struct rte_ipv4_hdr *ip = header_of(packet);
	uint32_t src = rte_be_to_cpu_32(ip->src_addr), dst = rte_be_to_cpu_32(ip->dst_addr);

	if (unlikely(!net_ip_is_ours(net, dst)))
		return foreign_reason(net, packet, dst);
	if (unlikely(packet->group)) /* [1122 3.3.6] */
		return RILL_DROP_ip_broadcast;
	if (unlikely(!net_ip_is_unicast(net, src) || net_ip_is_ours(net, src)))
		return RILL_DROP_ip_bad_source;
	return RILL_DROP_COUNT;
}

/*
 * Puts a fragment to the others of its datagram. RILL_DROP_COUNT: the packet is the whole datagram
 * now, or its mbuf is NULL while some is missing.
 */
static enum rill_drop
take_fragment(struct net *net, struct packet *packet, ustime now)
{
	const struct rte_ipv4_hdr *ip = header_of(packet);
	uint16_t field = rte_be_to_cpu_16(ip->fragment_offset);
	struct fragment fragment = {
		.mbuf = packet->mbuf,
		.key.src.family = AF_INET,
		.key.dst.family = AF_INET,
		.key.id = ip->packet_id,
		.key.protocol = ip->next_proto_id, /* [791 3.2] */
		.l2_len = packet->l2_len,
		.l3_len = packet->l3_len,
		.from = (field & RTE_IPV4_HDR_OFFSET_MASK) * RTE_IPV4_HDR_OFFSET_UNITS,
		.len = packet->total_len - packet->l3_len,
		.more = field & RTE_IPV4_HDR_MF_FLAG,
		.ecn = ip->type_of_service & RTE_IPV4_HDR_ECN_MASK,
		.whole_header = ip->next_proto_id == IPPROTO_TCP ? TCP_HEADER_LEN : 0,
	};
	enum rill_drop reason;

	memcpy(fragment.key.src.u.ip4, &ip->src_addr, sizeof(ip->src_addr));
	memcpy(fragment.key.dst.u.ip4, &ip->dst_addr, sizeof(ip->dst_addr));
	reason = fragments_take(net->fragments, &fragment, now, &packet->mbuf);
	if (reason != RILL_DROP_COUNT) {
		packet->mbuf = fragment.mbuf;
	} else if (packet->mbuf != NULL) {
		packet->l2_len = (uint16_t)packet->mbuf->l2_len;
		packet->l3_len = (uint16_t)packet->mbuf->l3_len;
		packet->total_len = (uint16_t)(packet->mbuf->pkt_len - packet->l2_len);
	}
	return reason;
}

static enum rill_drop
take_segment(const struct netif *netif, struct packet *packet, struct segment *segment)
{
	const struct rte_ipv4_hdr *ip;

	if (unlikely(netif_rx_tcp_cksum(netif, packet->mbuf) == NETIF_CKSUM_BAD))
		return RILL_DROP_tcp_checksum;
	if (unlikely(!packet_pull_tcp(&packet->mbuf, packet->l2_len + packet->l3_len,
		    netif->control_pool)))
		return RILL_DROP_no_mbuf;
	ip = header_of(packet);
	segment->tuple.head = (struct tuple_head){
		.laddr4 = ip->dst_addr, .raddr4 = ip->src_addr, .family = AF_INET};
	segment->mbuf = packet->mbuf;
	segment->l2_len = packet->l2_len;
	segment->l3_len = packet->l3_len;
	segment->ecn = ip->type_of_service & RTE_IPV4_HDR_ECN_MASK;
	return RILL_DROP_COUNT;
}

/* What Rill does not speak is the kernel's, as it came, if there is a kernel behind us: fragments too. */
static bool
is_for_kernel(const struct net *net, const struct packet *packet)
{
	uint8_t protocol = header_of(packet)->next_proto_id;

	return net->netif->exceptions != NULL && protocol != IPPROTO_TCP && protocol != IPPROTO_ICMP;
}

enum ip_verdict
ip4_input(struct net *net, struct rte_mbuf *mbuf, uint16_t l2_len, bool group, ustime now,
	struct outbox *outbox, struct segment *segment, struct icmp_error *error)
{
	struct packet packet = {.mbuf = mbuf, .l2_len = l2_len, .group = group};
	enum rill_drop reason = check_header(net->netif, &packet);
	bool joined = false;
	uint8_t protocol;

	if (likely(reason == RILL_DROP_COUNT))
		reason = check_addresses(net, &packet);
	if (likely(reason == RILL_DROP_COUNT) &&
		unlikely(!packet_trim(
			&packet.mbuf, l2_len + packet.total_len, net->netif->control_pool)))
		reason = RILL_DROP_no_mbuf;
	if (likely(reason == RILL_DROP_COUNT) && unlikely(is_for_kernel(net, &packet)))
		reason = RILL_DROP_ip_protocol;
	if (unlikely(reason == RILL_DROP_ip_not_ours || reason == RILL_DROP_ip_broadcast ||
		     reason == RILL_DROP_ip_protocol)) {
		netif_refuse(net->netif, packet.mbuf, reason); /* the kernel may have joined or own it */
		return IP_CONSUMED;
	}
	if (likely(reason == RILL_DROP_COUNT) && unlikely(is_fragment(&packet))) {
		reason = take_fragment(net, &packet, now);
		joined = true;
	}
	if (unlikely(reason != RILL_DROP_COUNT)) {
		drop_packet(net->netif->counters, packet.mbuf, reason);
		return IP_CONSUMED;
	}
	if (unlikely(packet.mbuf == NULL)) /* others of its datagram are missing */
		return IP_CONSUMED;
	l2_len = packet.l2_len;
	protocol = header_of(&packet)->next_proto_id;
	if (likely(protocol == IPPROTO_TCP)) {
		reason = take_segment(net->netif, &packet, segment);
		if (likely(reason == RILL_DROP_COUNT))
			return joined ? IP_TCP_JOINED : IP_TCP;
		drop_packet(net->netif->counters, packet.mbuf, reason);
		return IP_CONSUMED;
	}
	if (protocol == IPPROTO_ICMP)
		return icmp4_input(net, packet.mbuf, l2_len, packet.l3_len, now, outbox, error);
	icmp4_unreachable(net, packet.mbuf, l2_len,
		protocol == IPPROTO_UDP ? ICMP_UNREACHABLE_PORT : ICMP_UNREACHABLE_PROTOCOL, now,
		outbox);
	return IP_CONSUMED;
}
