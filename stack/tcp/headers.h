/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TCP_HEADERS_H
#define RILL_TCP_HEADERS_H

/*
 * The headers of a connection's segment, written by stores in front of its payload: link header as
 * the next hop has it, IP and TCP from the connection. Their checksums are summed from the values
 * that are stored, not from memory: a load that spans several fresh stores waits for all of them.
 *
 * Sums are of 16-bit words in network order, carries not added back yet (checksum_fold).
 */

#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_tcp.h>

#include "checksum.h"
#include "flow_label.h"
#include "ip4_output.h"
#include "ip6_output.h"
#include "tcp.h"

/* What a segment's headers say that is not the connection's. */
struct headers {
	seq_t seq;
	uint16_t wnd, urg; /* as on the wire, in host order */
	uint8_t flags;
	uint8_t ecn; /* the IP header's bits */
	uint8_t options_len;
};

struct header_sums {
	uint64_t pseudo; /* of the pseudo-header, with the segment's length */
	uint64_t tcp;    /* of the TCP header without options, its checksum field 0 */
};

#define HEADERS_IP4_LEN ((uint16_t)sizeof(struct rte_ipv4_hdr))
#define HEADERS_TS_LEN 12u /* timestamps, with two NOPs in front [7323 A] */

/* Bytes of the IP header that segments leave with. */
static inline uint16_t
headers_ip_len(uint8_t family)
{
	return likely(family == AF_INET) ? HEADERS_IP4_LEN : IP6_HEADER_LEN;
}

static inline uint16_t
headers_l3_len(const struct rill_conn *conn)
{
	return headers_ip_len(conn->key.family);
}

/* Bytes in front of the payload. */
static inline uint32_t
headers_len(const struct neighbor *next_hop, uint16_t l3_len, unsigned int options_len)
{
	return next_hop->header_len + (uint32_t)l3_len + TCP_HEADER_LEN + options_len;
}

/* Writes the IPv6 header at ip, for tcp_len bytes. Returns the sum of the pseudo-header. */
uint64_t headers_write_ip6(const struct tcp *tcp, const struct rill_conn *conn, void *ip, uint8_t ecn,
	uint16_t tcp_len);

/* The same of either family. */
static __rte_always_inline uint64_t
headers_write_ip(const struct tcp *tcp, const struct rill_conn *conn, void *ip, uint16_t l3_len,
	uint8_t ecn, uint16_t tcp_len)
{
	const struct rill_options *set = conn_options(tcp, conn);

	if (unlikely(l3_len == IP6_HEADER_LEN))
		return headers_write_ip6(tcp, conn, ip, ecn, tcp_len);
	ip4_write_header(tcp->netif, ip, conn->key.laddr4, conn->key.raddr4,
		(uint16_t)(tcp_len + HEADERS_IP4_LEN), IPPROTO_TCP, (uint8_t)set->ttl,
		(uint8_t)(set->dscp << 2 | ecn));
	return (uint64_t)conn->key.laddr4 + conn->key.raddr4 + RTE_BE16(IPPROTO_TCP) +
	       RTE_BE16(tcp_len);
}

/*
 * Writes the three headers at start, of which IP's has l3_len bytes; room for options_len bytes follows
 * them, which the caller writes, and tcp_len bytes in all from the TCP header on. *tcp_header is where
 * that is.
 */
static __rte_always_inline struct header_sums
headers_write(const struct tcp *tcp, const struct rill_conn *conn, const struct neighbor *next_hop,
	char *start, uint16_t l3_len, const struct headers *fields, uint16_t tcp_len,
	struct rte_tcp_hdr **tcp_header)
{
	char *ip = start + next_hop->header_len;
	struct rte_tcp_hdr *header = (struct rte_tcp_hdr *)(ip + l3_len);
	rte_be32_t sent_seq = RTE_BE32(fields->seq.n);
	rte_be32_t recv_ack = RTE_BE32((fields->flags & TCP_ACK) ? conn->rcv_nxt.n : 0);
	rte_be16_t wnd = RTE_BE16(fields->wnd), urg = RTE_BE16(fields->urg);
	uint8_t data_off = (uint8_t)((TCP_HEADER_LEN + fields->options_len) / 4 << 4);
	uint64_t pseudo;

	if (next_hop->header_len > 0)
		memcpy(start, next_hop->header, next_hop->header_len);
	pseudo = headers_write_ip(tcp, conn, ip, l3_len, fields->ecn, tcp_len);
	header->src_port = conn->key.lport;
	header->dst_port = conn->key.rport;
	header->sent_seq = sent_seq;
	header->recv_ack = recv_ack;
	header->data_off = data_off;
	header->tcp_flags = fields->flags;
	header->rx_win = wnd;
	header->cksum = 0;
	header->tcp_urp = urg;
	*tcp_header = header;
	return (struct header_sums){
		.pseudo = pseudo,
		.tcp = (uint64_t)sent_seq + recv_ack + conn->key.lport + conn->key.rport +
		       RTE_BE16((uint16_t)(data_off << 8 | fields->flags)) + wnd + urg,
	};
}

/* Writes the timestamps option. Returns its sum. */
static inline uint64_t
headers_write_timestamps(struct rte_tcp_hdr *header, uint32_t tsval, uint32_t tsecr)
{
	const rte_be32_t words[] = {
		RTE_BE32(0x0101080a), /* NOP, NOP, kind 8, length 10 */
		RTE_BE32(tsval),
		RTE_BE32(tsecr),
	};

	static_assert(sizeof(words) == HEADERS_TS_LEN, "the option's bytes");
	memcpy(header + 1, words, sizeof(words));
	return (uint64_t)words[0] + words[1] + words[2];
}

/* The flags of a frame that arrived mean nothing for one that leaves. */
static inline void
headers_clear_offload(struct rte_mbuf *frame)
{
	frame->ol_flags &= ~(RTE_MBUF_F_TX_OFFLOAD_MASK | RTE_MBUF_F_RX_IP_CKSUM_MASK |
			     RTE_MBUF_F_RX_L4_CKSUM_MASK);
}

/*
 * Leaves to the NIC what it sums: the IPv4 header's checksum, and TCP's if it has that too. The IP
 * header's length, which has no options, tells the family.
 */
static inline void
headers_ask_offload(uint16_t caps, struct rte_mbuf *frame, uint16_t l2_len, uint16_t l3_len,
	uint8_t data_off)
{
	frame->tx_offload = 0;
	frame->l2_len = l2_len;
	frame->l3_len = l3_len;
	if (unlikely(l3_len == IP6_HEADER_LEN))
		frame->ol_flags |= RTE_MBUF_F_TX_IPV6;
	else
		frame->ol_flags |= (caps & NETIF_TX_IP4_CKSUM)
					   ? RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM
					   : RTE_MBUF_F_TX_IPV4;
	if (caps & NETIF_TX_TCP_CKSUM) {
		frame->l4_len = (uint64_t)((data_off >> 4) * 4);
		frame->ol_flags |= RTE_MBUF_F_TX_TCP_CKSUM;
	}
}

/*
 * Leaves it to the NIC to cut a frame into segments of so much payload, whose checksums and lengths it
 * adds to what stands in the header: a sum of the pseudo-header without the length.
 */
static inline void
headers_ask_tso(struct rte_mbuf *frame, struct rte_tcp_hdr *header, const struct header_sums *sums,
	uint16_t tcp_len, uint16_t segsz)
{
	frame->tso_segsz = segsz;
	frame->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
	header->cksum = checksum_fold(sums->pseudo - RTE_BE16(tcp_len));
}

/*
 * The frame's checksums: of the TCP header written with these sums and of the rest of its segment,
 * unless the NIC sums that.
 */
static __rte_always_inline void
headers_finish(uint16_t caps, struct rte_mbuf *frame, uint16_t l2_len, uint16_t l3_len,
	struct rte_tcp_hdr *header, const struct header_sums *sums, uint64_t rest_sum)
{
	headers_clear_offload(frame);
	if (caps & (NETIF_TX_IP4_CKSUM | NETIF_TX_TCP_CKSUM))
		headers_ask_offload(caps, frame, l2_len, l3_len, header->data_off);
	header->cksum = (caps & NETIF_TX_TCP_CKSUM)
				? checksum_fold(sums->pseudo)
				: (rte_be16_t)~checksum_fold(sums->pseudo + sums->tcp + rest_sum);
}

#endif
