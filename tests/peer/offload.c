/* SPDX-License-Identifier: BSD-3-Clause */
#include "offload.h"

#include <stdbool.h>
#include <string.h>

#include "frames.h"
#include "wire.h"

#define TCP_SEQ 4
#define TCP_FLAGS 13
#define TCP_CKSUM 16
#define IP4_TOTAL_LEN 2
#define IP4_ID 4
#define IP4_CKSUM 10
#define IP6_PAYLOAD_LEN 4

static void
put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static uint32_t
get32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static const char *
check_fields(const struct rte_mbuf *frame, const uint8_t *bytes)
{
	const uint8_t *ip = bytes + frame->l2_len, *tcp = ip + frame->l3_len;
	uint64_t flags = frame->ol_flags;
	uint32_t headers = (uint32_t)(frame->l2_len + frame->l3_len + frame->l4_len);
	bool ip6 = ip[0] >> 4 == 6;

	if (!!(flags & RTE_MBUF_F_TX_IPV6) != ip6 || !!(flags & RTE_MBUF_F_TX_IPV4) == ip6)
		return "the mbuf names another family than its packet is of";
	if (frame->l3_len != wire_ip_len(ip))
		return "l3_len is not the IP header's length";
	if (!(flags & RTE_MBUF_F_TX_TCP_SEG))
		return NULL;
	if (frame->l4_len != (tcp[12] >> 4) * 4u)
		return "l4_len is not the TCP header's length";
	if (!ip6 && !(flags & RTE_MBUF_F_TX_IP_CKSUM))
		return "a frame to be cut does not ask for IPv4's checksum";
	if (tcp[TCP_FLAGS] & (CWR | URG))
		return "a frame to be cut bears CWR or URG, which belong to one segment";
	if (frame->data_len < headers)
		return "the headers are not all in the first buffer";
	if (frame->tso_segsz < 64 ||
		frame->pkt_len <= headers + frame->tso_segsz)
		return "a frame to be cut is not larger than a segment";
	return NULL;
}

/* One frame: what it asks for is added to its headers. */
static void
send_one(const struct rte_mbuf *frame, uint8_t *bytes, uint32_t len, offload_fn sends, void *arg)
{
	uint8_t *ip = bytes + frame->l2_len, *tcp = ip + frame->l3_len;
	uint64_t l4 = frame->ol_flags & (RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_L4_MASK);
	uint32_t ip_len = frame->l3_len, tcp_len = len - frame->l2_len - ip_len;

	if (frame->ol_flags & RTE_MBUF_F_TX_IP_CKSUM)
		put16(ip + IP4_CKSUM, wire_fold(wire_sum(ip, ip_len, 0)));
	if (l4 != 0)
		put16(tcp + TCP_CKSUM, wire_fold(wire_sum(tcp, tcp_len,
			(l4 & RTE_MBUF_F_TX_TCP_SEG) ? tcp_len : 0)));
	sends(arg, bytes, len);
}

static void
cut(const struct rte_mbuf *frame, const uint8_t *bytes, uint32_t len, offload_fn sends, void *arg)
{
	static uint8_t out[FRAME_MAX];
	uint32_t l2 = frame->l2_len, tcp_at = l2 + frame->l3_len, headers = tcp_at + frame->l4_len;
	bool ip6 = (frame->ol_flags & RTE_MBUF_F_TX_IPV6) != 0;
	uint32_t seq = get32(bytes + tcp_at + TCP_SEQ), id = 0;

	for (uint32_t at = headers; at < len; at += frame->tso_segsz, id++) {
		uint32_t piece = RTE_MIN(len - at, (uint32_t)frame->tso_segsz), now = seq + at - headers;
		uint8_t *ip = out + l2, *tcp = out + tcp_at;

		memcpy(out, bytes, headers);
		memcpy(out + headers, bytes + at, piece);
		if (ip6)
			put16(ip + IP6_PAYLOAD_LEN, headers - tcp_at + piece);
		else
			put16(ip + IP4_TOTAL_LEN, headers - l2 + piece);
		put16(tcp + TCP_SEQ, now >> 16);
		put16(tcp + TCP_SEQ + 2, now);
		if (at + piece < len)
			tcp[TCP_FLAGS] &= (uint8_t)~(FIN | PSH);
		if (at > headers)
			tcp[TCP_FLAGS] &= (uint8_t)~CWR;
		send_one(frame, out, headers + piece, sends, arg);
	}
}

const char *
offload_frame(const struct rte_mbuf *frame, offload_fn sends, void *arg)
{
	static uint8_t bytes[FRAME_MAX];
	uint32_t len = (uint32_t)frame_bytes(frame, bytes);
	uint64_t asked = frame->ol_flags &
		(RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_IP_CKSUM);
	const char *complaint = asked != 0 ? check_fields(frame, bytes) : NULL;

	if (complaint != NULL)
		return complaint;
	if (asked & RTE_MBUF_F_TX_TCP_SEG)
		cut(frame, bytes, len, sends, arg);
	else
		send_one(frame, bytes, len, sends, arg);
	return NULL;
}
