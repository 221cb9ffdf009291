/* SPDX-License-Identifier: BSD-3-Clause */
#include "icmp6.h"

#include <errno.h>
#include <netinet/in.h>

#include <rte_icmp.h>

#include "checksum.h"
#include "ether.h"
#include "icmp_reply.h"
#include "ip6_ext.h"
#include "ip6_split.h"
#include "mld.h"
#include "nd.h"
#include "ndp.h"
#include "packet.h"

#define QUOTED_TCP_LEN 8 /* ports and sequence number */
#define QUOTE_LOOKED_AT (IP6_HEADER_LEN + IP6_EXT_BYTES_MAX + QUOTED_TCP_LEN)

/* "Destination unreachable" as errno, by code [4443 3.1]. */
static const int unreachable_errno[] = {
	ENETUNREACH, EHOSTUNREACH, EHOSTUNREACH, EHOSTUNREACH, /* route, policy, scope, address */
	ECONNREFUSED, EHOSTUNREACH, ENETUNREACH,               /* port, source policy, route rejected */
};

static bool
checksum_is_right(const struct ip6_packet *packet)
{
	uint32_t off = (uint32_t)packet->l2_len + packet->l3_len;

	return checksum_icmp6(packet->mbuf, off, packet->mbuf->pkt_len - off,
		       ip6_packet_header(packet)->src_addr) == ICMP6_CHECKSUM_GOOD;
}

/* ---- echo */

/*
 * The request in the first mbuf, whose headers are exclusive, becomes the reply: extensions are left
 * out, addresses change places.
 */
static void
echo_turn(struct ip6_packet *packet, const uint8_t *source, uint8_t hop_limit)
{
	uint16_t extensions = packet->l3_len - IP6_HEADER_LEN;
	char *start = rte_pktmbuf_mtod(packet->mbuf, char *);
	struct rte_icmp_hdr *icmp =
		(struct rte_icmp_hdr *)(start + packet->l2_len + packet->l3_len);
	struct rte_ipv6_hdr *ip;
	uint8_t asker[IP6_ADDR_LEN];
	uint32_t len;

	if (extensions > 0) {
		memmove(start + extensions, start, packet->l2_len + IP6_HEADER_LEN);
		start = rte_pktmbuf_adj(packet->mbuf, extensions);
	}
	ip = (struct rte_ipv6_hdr *)(start + packet->l2_len);
	len = packet->mbuf->pkt_len - packet->l2_len - IP6_HEADER_LEN;
	memcpy(asker, ip->src_addr, IP6_ADDR_LEN);
	memcpy(ip->src_addr, source, IP6_ADDR_LEN);
	memcpy(ip->dst_addr, asker, IP6_ADDR_LEN);
	ip->vtc_flow &= rte_cpu_to_be_32(~RTE_IPV6_HDR_FL_MASK);
	ip->payload_len = rte_cpu_to_be_16((uint16_t)len);
	ip->proto = IPPROTO_ICMPV6;
	ip->hop_limits = hop_limit;
	icmp->icmp_type = ICMP6_ECHO_REPLY;
	icmp->icmp_cksum = 0;
	icmp->icmp_cksum = (rte_be16_t)~checksum_icmp6(
		packet->mbuf, packet->l2_len + IP6_HEADER_LEN, len, ip->src_addr);
}

/* May this request, of so many bytes of ICMP, be answered? RILL_DROP_COUNT if so. */
static enum rill_drop
echo_check(struct net *net, const struct ip6_packet *packet, uint32_t len, bool split, ustime now,
	const struct outbox *outbox)
{
	if (split && !ip6_split_is_possible(net->netif, len))
		return RILL_DROP_icmp_too_long;
	if (!token_take(&net->icmp_echoes, now) || (split && !token_take(&net->splits, now)))
		return RILL_DROP_icmp_rate;
	if (!checksum_is_right(packet))
		return RILL_DROP_icmp_checksum;
	return outbox_has_control_room(outbox) ? RILL_DROP_COUNT : RILL_DROP_outbox_full;
}

/* In fragments where it is longer than the MTU. */
static void
echo_send(struct net *net, struct ip6_packet *packet, bool split, struct outbox *outbox)
{
	packet->mbuf->ol_flags = 0; /* they told how it was received */
	packet->mbuf->tx_offload = 0;
	ether_reply(net->netif, packet->mbuf);
	if (split && ip6_split_send(net->netif, packet->mbuf, packet->l2_len,
			     ip6_ids_next(&net->ip6.ids), outbox) != RILL_DROP_COUNT)
		return;
	if (!split)
		outbox_put(outbox, packet->mbuf);
	net->netif->counters->icmp_out++;
}

static enum ip_verdict
echo_reply(struct net *net, struct ip6_packet *packet, ustime now, struct outbox *outbox)
{
	const struct rte_ipv6_hdr *ip = ip6_packet_header(packet);
	uint32_t headers = (uint32_t)packet->l2_len + packet->l3_len + ICMP6_HEADER_LEN;
	uint32_t len = packet->mbuf->pkt_len - packet->l2_len - packet->l3_len;
	bool split = len + IP6_HEADER_LEN > net->netif->mtu6;
	const struct net6_addr *ours = net6_find(&net->ip6, ip->dst_addr);
	uint8_t source[IP6_ADDR_LEN];
	enum rill_drop reason;

	if (packet->mbuf->pkt_len < headers)
		return ip6_packet_drop(net, packet, RILL_DROP_icmp_malformed);
	if (packet->to_group) /* [4443 4.2] */
		ours = net6_source(net, ip->src_addr);
	if (ours == NULL || ip6_is_unspecified(ip->src_addr))
		return ip6_packet_drop(net, packet, RILL_DROP_icmp_broadcast);
	reason = echo_check(net, packet, len, split, now, outbox);
	if (reason != RILL_DROP_COUNT)
		return ip6_packet_drop(net, packet, reason);
	if (!icmp_make_reusable(net->netif, &packet->mbuf, headers, split))
		return ip6_packet_drop(net, packet, RILL_DROP_no_mbuf);
	memcpy(source, ours->ip, IP6_ADDR_LEN);
	echo_turn(packet, source, net->ip6.hop_limit);
	echo_send(net, packet, split, outbox);
	return IP_CONSUMED;
}

/* ---- errors about what we sent */

/* Types that are not known are passed on as well [4443 2.4 (a)]. */
static int
errno_of(uint8_t type, uint8_t code)
{
	switch (type) {
	case ICMP6_UNREACHABLE:
		return code < RTE_DIM(unreachable_errno) ? unreachable_errno[code] : EHOSTUNREACH;
	case ICMP6_TOO_BIG:
		return EMSGSIZE;
	case ICMP6_TIME_EXCEEDED:
		return EHOSTUNREACH;
	case ICMP6_PARAMETER_PROBLEM:
		return code == IP6_PROBLEM_NEXT_HEADER ? ENOPROTOOPT : EPROTO;
	default:
		return EPROTO;
	}
}

/* Reads the len bytes that an error quotes: RILL_DROP_COUNT if they are TCP that we may have sent. */
static enum rill_drop
quote_parse(const struct net *net, const uint8_t *bytes, uint32_t len, struct icmp_error *error)
{
	const struct rte_ipv6_hdr *ip = (const struct rte_ipv6_hdr *)bytes;
	const uint8_t *tcp;
	rte_be32_t sent_seq;
	uint32_t at;

	if (len < IP6_HEADER_LEN || bytes[0] >> 4 != 6)
		return RILL_DROP_icmp_malformed;
	if (ip6_ext_skip(bytes + IP6_HEADER_LEN, len - IP6_HEADER_LEN, ip->proto, &at) !=
			IPPROTO_TCP ||
		!net6_ip_is_ours(&net->ip6, ip->src_addr))
		return RILL_DROP_icmp_stale;
	if (len - IP6_HEADER_LEN - at < QUOTED_TCP_LEN)
		return RILL_DROP_icmp_malformed;
	tcp = bytes + IP6_HEADER_LEN + at;
	memset(&error->tuple, 0, sizeof(error->tuple));
	error->tuple.head.family = AF_INET6;
	memcpy(error->tuple.addrs6.laddr, ip->src_addr, IP6_ADDR_LEN);
	memcpy(error->tuple.addrs6.raddr, ip->dst_addr, IP6_ADDR_LEN);
	memcpy(&error->tuple.head.lport, tcp, sizeof(rte_be16_t));
	memcpy(&error->tuple.head.rport, tcp + 2, sizeof(rte_be16_t));
	memcpy(&sent_seq, tcp + 4, sizeof(sent_seq));
	error->seq = seq(rte_be_to_cpu_32(sent_seq));
	return RILL_DROP_COUNT;
}

static enum rill_drop
error_parse(const struct net *net, const struct ip6_packet *packet, struct icmp_error *error)
{
	uint32_t off = (uint32_t)packet->l2_len + packet->l3_len;
	uint32_t len = packet->mbuf->pkt_len - off;
	uint8_t copy[ICMP6_HEADER_LEN + QUOTE_LOOKED_AT];
	const uint8_t *bytes;
	rte_be32_t word;
	uint32_t mtu;

	len = RTE_MIN(len, (uint32_t)sizeof(copy));
	bytes = rte_pktmbuf_read(packet->mbuf, off, len, copy);
	if (len < ICMP6_HEADER_LEN)
		return RILL_DROP_icmp_malformed;
	memcpy(&word, bytes + 4, sizeof(word));
	mtu = rte_be_to_cpu_32(word);
	*error = (struct icmp_error){
		.type = bytes[0], .code = bytes[1], .err = errno_of(bytes[0], bytes[1])};
	if (error->err == EMSGSIZE) {
		if (mtu < IP6_MTU_LEAST)
			return RILL_DROP_icmp_mtu_low;
		error->mtu = (uint16_t)RTE_MIN(mtu, (uint32_t)UINT16_MAX);
	}
	return quote_parse(net, bytes + ICMP6_HEADER_LEN, len - ICMP6_HEADER_LEN, error);
}

/* As in IPv4: what is not even about our TCP costs next to nothing, and takes no place from what is. */
static enum ip_verdict
error_input(struct net *net, struct ip6_packet *packet, ustime now, struct icmp_error *error)
{
	enum rill_drop reason = error_parse(net, packet, error);

	if (reason == RILL_DROP_COUNT && !token_take(&net->icmp_hints, now))
		reason = RILL_DROP_icmp_rate;
	if (reason == RILL_DROP_COUNT && !checksum_is_right(packet))
		reason = RILL_DROP_icmp_checksum;
	if (reason != RILL_DROP_COUNT)
		return ip6_packet_drop(net, packet, reason);
	netif_share(net->netif, packet->mbuf); /* whose connection it is, tcp finds out */
	rte_pktmbuf_free(packet->mbuf);
	return IP_ICMP_ERROR;
}

/* ---- all of it */

enum ip_verdict
icmp6_input(struct net *net, struct ip6_packet *packet, ustime now, struct outbox *outbox,
	struct icmp_error *error)
{
	uint32_t off = (uint32_t)packet->l2_len + packet->l3_len;
	uint8_t copy;
	const uint8_t *type = rte_pktmbuf_read(packet->mbuf, off, sizeof(copy), &copy);

	net->netif->counters->icmp_in++;
	if (type == NULL)
		return ip6_packet_drop(net, packet, RILL_DROP_icmp_malformed);
	if (*type == ICMP6_ECHO)
		return echo_reply(net, packet, now, outbox);
	if (*type < ICMP6_ECHO)
		return error_input(net, packet, now, error);
	if (!ndp_is_type(*type) && *type != MLD_QUERY)
		return ip6_packet_drop(net, packet, RILL_DROP_icmp_type);
	if (!checksum_is_right(packet))
		return ip6_packet_drop(net, packet, RILL_DROP_icmp_checksum);
	if (*type == MLD_QUERY)
		return mld_input(net, packet, now);
	return nd_input(net, packet, now, outbox);
}
