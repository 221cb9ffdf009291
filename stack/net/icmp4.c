/* SPDX-License-Identifier: BSD-3-Clause */
#include "icmp4.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <rte_icmp.h>
#include <rte_mbuf.h>

#include "check.h"
#include "checksum.h"
#include "ether.h"
#include "icmp_reply.h"
#include "ip4_output.h"
#include "ip4_split.h"
#include "net_state.h"
#include "packet.h"

enum {
	ICMP_ECHO_REPLY = 0,
	ICMP_UNREACHABLE = 3,
	ICMP_ECHO = 8,
	ICMP_TIME_EXCEEDED = 11,
	ICMP_PARAMETER_PROBLEM = 12,
};

#define ICMP_HEADER_LEN 8
#define ICMP_TTL 64
#define ICMP_CHECKSUM_GOOD 0xffff /* what a message sums to with its checksum in place */
/* An error quotes as much as fits into 576 bytes [1812 4.3.2.3]. */
#define ICMP_QUOTE_MAX (576 - sizeof(struct rte_ipv4_hdr) - ICMP_HEADER_LEN)
#define QUOTED_TCP_LEN 8 /* ports and sequence number */
#define CODE_FRAGMENTATION_NEEDED 4
#define CODE_REASSEMBLY 1 /* of "time exceeded" */

/* "Destination unreachable" as errno, by code [1122 3.2.2.1, 1812 5.2.7.1]. */
static const int unreachable_errno[] = {
	ENETUNREACH, EHOSTUNREACH, ENOPROTOOPT, ECONNREFUSED, EMSGSIZE, EHOSTUNREACH, /* 0 to 5 */
	ENETUNREACH, EHOSTUNREACH, EHOSTUNREACH, ENETUNREACH, EHOSTUNREACH,           /* 6 to 10 */
	ENETUNREACH, EHOSTUNREACH, EHOSTUNREACH, EHOSTUNREACH, EHOSTUNREACH,          /* 11 to 15 */
};

static enum ip_verdict
drop(struct net *net, struct rte_mbuf *mbuf, enum rill_drop reason)
{
	drop_packet(net->netif->counters, mbuf, reason);
	return IP_CONSUMED;
}

static enum ip_verdict
refuse(struct net *net, struct rte_mbuf *mbuf, enum rill_drop reason)
{
	netif_refuse(net->netif, mbuf, reason);
	return IP_CONSUMED;
}

/* Puts a finished reply, built in a frame with l2_len or turned round there, into the outbox. */
static void
reply_send(struct net *net, struct rte_mbuf *frame, uint16_t l2_len, struct outbox *outbox)
{
	ether_reply(net->netif, frame);
	ip4_ask_cksum(net->netif, frame, l2_len);
	outbox_put(outbox, frame);
	net->netif->counters->icmp_out++;
}

/* Type 8 becomes 0, and the checksum grows by as much [1624]. */
static void
echo_turn(struct rte_icmp_hdr *icmp)
{
	icmp->icmp_cksum = checksum_fold(
		(uint64_t)icmp->icmp_cksum + rte_cpu_to_be_16((ICMP_ECHO - ICMP_ECHO_REPLY) << 8));
	icmp->icmp_type = ICMP_ECHO_REPLY;
}

/* May this request, whose reply is of this length, be answered? RILL_DROP_COUNT if so. */
static enum rill_drop
echo_check(struct net *net, const struct rte_mbuf *mbuf, uint32_t off, uint16_t total_len, ustime now,
	const struct outbox *outbox)
{
	bool split = total_len > net->netif->mtu;

	if (split && !ip4_split_is_possible(net->netif, total_len))
		return RILL_DROP_icmp_too_long;
	if (!token_take(&net->icmp_echoes, now) || (split && !token_take(&net->splits, now)))
		return RILL_DROP_icmp_rate;
	if (checksum_sum(mbuf, off) != ICMP_CHECKSUM_GOOD)
		return RILL_DROP_icmp_checksum;
	return outbox_has_control_room(outbox) ? RILL_DROP_COUNT : RILL_DROP_outbox_full;
}

/* The request becomes the reply, under a header without options. Returns where that is. */
static struct rte_ipv4_hdr *
echo_turn_frame(const struct net *net, struct rte_mbuf *mbuf, uint16_t l2_len, uint16_t l3_len,
	uint16_t total_len)
{
	uint16_t options_len = l3_len - (uint16_t)sizeof(struct rte_ipv4_hdr);
	struct rte_ipv4_hdr request, *ip;
	char *start = rte_pktmbuf_mtod(mbuf, char *);

	memcpy(&request, start + l2_len, sizeof(request));
	echo_turn((struct rte_icmp_hdr *)(start + l2_len + l3_len));
	if (options_len > 0) {
		memmove(start + options_len, start, l2_len);
		start = rte_pktmbuf_adj(mbuf, options_len);
	}
	ip = (struct rte_ipv4_hdr *)(start + l2_len);
	ip4_write_header(net->netif, ip, request.dst_addr, request.src_addr, total_len,
		IPPROTO_ICMP, ICMP_TTL, request.type_of_service);
	mbuf->ol_flags = 0; /* they told how it was received */
	mbuf->tx_offload = 0;
	return ip;
}

/* The same message back; as it came, in fragments where it is longer than the MTU. */
static enum ip_verdict
echo_reply(struct net *net, struct rte_mbuf *mbuf, uint16_t l2_len, uint16_t l3_len, ustime now,
	struct outbox *outbox)
{
	uint32_t headers = (uint32_t)l2_len + l3_len + ICMP_HEADER_LEN;
	uint16_t total_len = (uint16_t)(mbuf->pkt_len - l2_len - l3_len + sizeof(struct rte_ipv4_hdr));
	bool split = total_len > net->netif->mtu;
	enum rill_drop reason =
		echo_check(net, mbuf, (uint32_t)l2_len + l3_len, total_len, now, outbox);
	struct rte_ipv4_hdr *ip;

	if (reason != RILL_DROP_COUNT)
		return drop(net, mbuf, reason);
	if (!icmp_make_reusable(net->netif, &mbuf, headers, split))
		return drop(net, mbuf, RILL_DROP_no_mbuf);
	ip = echo_turn_frame(net, mbuf, l2_len, l3_len, total_len);
	if (!split) {
		reply_send(net, mbuf, l2_len, outbox);
		return IP_CONSUMED;
	}
	ip->packet_id = rte_cpu_to_be_16(ip4_ids_next(&net->ids));
	ether_reply(net->netif, mbuf);
	if (ip4_split_send(net->netif, mbuf, l2_len, outbox) == RILL_DROP_COUNT)
		net->netif->counters->icmp_out++;
	return IP_CONSUMED;
}

/* Returns 0 for what is no error that concerns TCP. */
static int
errno_of(uint8_t type, uint8_t code)
{
	switch (type) {
	case ICMP_UNREACHABLE:
		return code < RTE_DIM(unreachable_errno) ? unreachable_errno[code] : 0;
	case ICMP_TIME_EXCEEDED:
		return EHOSTUNREACH;
	case ICMP_PARAMETER_PROBLEM:
		return EPROTO;
	default:
		return 0;
	}
}

/* Reads what the message at off quotes: RILL_DROP_COUNT if it is TCP that we may have sent. */
static enum rill_drop
quote_parse(
	const struct net *net, const struct rte_mbuf *mbuf, uint32_t off, struct icmp_error *error)
{
	struct rte_ipv4_hdr ip_copy;
	uint8_t tcp_copy[QUOTED_TCP_LEN];
	const struct rte_ipv4_hdr *ip =
		rte_pktmbuf_read(mbuf, off + ICMP_HEADER_LEN, sizeof(ip_copy), &ip_copy);
	const uint8_t *tcp;
	rte_be32_t sent_seq;

	if (ip == NULL || ip->version_ihl >> 4 != 4 || rte_ipv4_hdr_len(ip) < sizeof(*ip))
		return RILL_DROP_icmp_malformed;
	if (ip->next_proto_id != IPPROTO_TCP ||
		(ip->fragment_offset & rte_cpu_to_be_16(RTE_IPV4_HDR_OFFSET_MASK)) != 0 ||
		!net_ip_is_ours(net, rte_be_to_cpu_32(ip->src_addr)))
		return RILL_DROP_icmp_stale;
	tcp = rte_pktmbuf_read(
		mbuf, off + ICMP_HEADER_LEN + rte_ipv4_hdr_len(ip), QUOTED_TCP_LEN, tcp_copy);
	if (tcp == NULL)
		return RILL_DROP_icmp_malformed;
	memset(&error->tuple, 0, sizeof(error->tuple));
	error->tuple.head.family = AF_INET;
	error->tuple.head.laddr4 = ip->src_addr;
	error->tuple.head.raddr4 = ip->dst_addr;
	memcpy(&error->tuple.head.lport, tcp, sizeof(rte_be16_t));
	memcpy(&error->tuple.head.rport, tcp + 2, sizeof(rte_be16_t));
	memcpy(&sent_seq, tcp + 4, sizeof(sent_seq));
	error->seq = seq(rte_be_to_cpu_32(sent_seq));
	return RILL_DROP_COUNT;
}

enum ip_verdict
icmp4_input(struct net *net, struct rte_mbuf *mbuf, uint16_t l2_len, uint16_t l3_len, ustime now,
	struct outbox *outbox, struct icmp_error *error)
{
	uint32_t off = (uint32_t)l2_len + l3_len;
	struct rte_icmp_hdr copy;
	const struct rte_icmp_hdr *icmp = rte_pktmbuf_read(mbuf, off, ICMP_HEADER_LEN, &copy);
	enum rill_drop reason;

	net->netif->counters->icmp_in++;
	if (icmp == NULL)
		return drop(net, mbuf, RILL_DROP_icmp_malformed);
	if (icmp->icmp_type == ICMP_ECHO)
		return echo_reply(net, mbuf, l2_len, l3_len, now, outbox);
	error->type = icmp->icmp_type;
	error->code = icmp->icmp_code;
	error->mtu = 0;
	error->err = errno_of(icmp->icmp_type, icmp->icmp_code);
	if (error->err == 0)
		return refuse(net, mbuf, RILL_DROP_icmp_type);
	if (error->type == ICMP_UNREACHABLE && error->code == CODE_FRAGMENTATION_NEEDED)
		error->mtu = rte_be_to_cpu_16(icmp->icmp_seq_nb); /* [1191 4] */
	reason = quote_parse(net, mbuf, off, error);
	if (reason == RILL_DROP_icmp_stale)
		return refuse(net, mbuf, reason);
	if (reason != RILL_DROP_COUNT)
		return drop(net, mbuf, reason);
	/*
	 * Bounded before any real work is done for them, but only now: what is not even about our TCP
	 * costs next to nothing, and takes no place from what is.
	 */
	if (!token_take(&net->icmp_hints, now))
		return drop(net, mbuf, RILL_DROP_icmp_rate);
	if (checksum_sum(mbuf, off) != ICMP_CHECKSUM_GOOD)
		return drop(net, mbuf, RILL_DROP_icmp_checksum);
	netif_share(net->netif, mbuf); /* whose connection it is, tcp finds out */
	rte_pktmbuf_free(mbuf);
	return IP_ICMP_ERROR;
}

/* A frame that says this about a packet; NULL without a buffer. */
static struct rte_mbuf *
error_make(const struct net *net, const struct rte_mbuf *about, uint16_t l2_len, uint8_t type,
	uint8_t code)
{
	const struct rte_ipv4_hdr *cause = rte_pktmbuf_mtod_offset(about, void *, l2_len);
	uint16_t room = RTE_MIN(ICMP_QUOTE_MAX, net->netif->mtu - sizeof(*cause) - ICMP_HEADER_LEN);
	uint16_t quote_len = (uint16_t)RTE_MIN(about->pkt_len - l2_len, (uint32_t)room);
	uint16_t total_len = (uint16_t)(sizeof(*cause) + ICMP_HEADER_LEN + quote_len);
	struct rte_mbuf *frame = rte_pktmbuf_alloc(net->netif->control_pool);
	struct rte_icmp_hdr *icmp;
	const void *quote;
	char *start;

	if (frame == NULL)
		return NULL;
	start = rte_pktmbuf_append(frame, l2_len + total_len);
	if (start == NULL) {
		rte_pktmbuf_free(frame);
		return NULL;
	}
	memcpy(start, rte_pktmbuf_mtod(about, char *), l2_len);
	ip4_write_header(net->netif, (struct rte_ipv4_hdr *)(start + l2_len), cause->dst_addr,
		cause->src_addr, total_len, IPPROTO_ICMP, ICMP_TTL, 0);
	icmp = (struct rte_icmp_hdr *)(start + l2_len + sizeof(*cause));
	*icmp = (struct rte_icmp_hdr){.icmp_type = type, .icmp_code = code};
	quote = rte_pktmbuf_read(about, l2_len, quote_len, icmp + 1);
	if (quote != icmp + 1)
		memcpy(icmp + 1, quote, quote_len);
	icmp->icmp_cksum = (rte_be16_t)~checksum_sum(frame, l2_len + (uint32_t)sizeof(*cause));
	return frame;
}

/* Tells the sender of a packet, within the limit. RILL_DROP_COUNT, or why it is not told. */
static enum rill_drop
error_send(struct net *net, const struct rte_mbuf *about, uint16_t l2_len, uint8_t type,
	uint8_t code, ustime now, struct outbox *outbox)
{
	struct rte_mbuf *frame;

	if (!token_take(&net->icmp_errors, now))
		return RILL_DROP_icmp_rate;
	if (!outbox_has_control_room(outbox))
		return RILL_DROP_outbox_full;
	frame = error_make(net, about, l2_len, type, code);
	if (frame == NULL)
		return RILL_DROP_no_mbuf;
	reply_send(net, frame, l2_len, outbox);
	return RILL_DROP_COUNT;
}

void
icmp4_unreachable(struct net *net, struct rte_mbuf *mbuf, uint16_t l2_len, uint8_t code, ustime now,
	struct outbox *outbox)
{
	enum rill_drop untold =
		error_send(net, mbuf, l2_len, ICMP_UNREACHABLE, code, now, outbox);

	drop_packet(net->netif->counters, mbuf,
		untold == RILL_DROP_COUNT ? RILL_DROP_ip_protocol : untold);
}

void
icmp4_reassembly_exceeded(struct net *net, struct rte_mbuf *first, uint16_t l2_len, ustime now,
	struct outbox *outbox)
{
	error_send(net, first, l2_len, ICMP_TIME_EXCEEDED, CODE_REASSEMBLY, now, outbox);
	drop_packet(net->netif->counters, first, RILL_DROP_ip_fragment_late);
}
