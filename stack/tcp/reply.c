/* SPDX-License-Identifier: BSD-3-Clause */
#include "reply.h"

#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_tcp.h>

#include "emit.h"
#include "ether.h"
#include "headers.h"
#include "isn.h"

#define REPLY_TTL 64

static void
write_ip(const struct tcp *tcp, void *ip, const struct tuple *tuple, const struct reply *reply,
	uint16_t tcp_len)
{
	uint8_t ttl = reply->ttl != 0 ? reply->ttl : REPLY_TTL, tos = (uint8_t)(reply->dscp << 2);

	if (tuple->head.family == AF_INET)
		ip4_write_header(tcp->netif, ip, tuple->head.laddr4, tuple->head.raddr4,
			(uint16_t)(HEADERS_IP4_LEN + tcp_len), IPPROTO_TCP, ttl, tos);
	else
		ip6_write_header(ip, tuple->addrs6.laddr, tuple->addrs6.raddr, tcp_len, IPPROTO_TCP,
			ttl, tos, flow_label(tcp->flow_key, ts_offset(&tcp->isn_key, tuple)));
}

/* Writes IP and TCP header at l2_len of a frame that has room for them. */
static void
write_headers(const struct tcp *tcp, struct rte_mbuf *frame, uint16_t l2_len,
	const struct tuple *tuple, const struct reply *reply, unsigned int options_len)
{
	uint16_t l3_len = headers_ip_len(tuple->head.family),
		 tcp_len = (uint16_t)(TCP_HEADER_LEN + options_len);
	char *ip = rte_pktmbuf_mtod_offset(frame, char *, l2_len);
	struct rte_tcp_hdr *header = (struct rte_tcp_hdr *)(ip + l3_len);

	write_ip(tcp, ip, tuple, reply, tcp_len);
	header->src_port = tuple->head.lport;
	header->dst_port = tuple->head.rport;
	header->sent_seq = rte_cpu_to_be_32(reply->seq.n);
	header->recv_ack = rte_cpu_to_be_32((reply->flags & TCP_ACK) ? reply->ack.n : 0);
	header->data_off = (uint8_t)(tcp_len / 4 << 4);
	header->tcp_flags = reply->flags;
	header->rx_win = rte_cpu_to_be_16(reply->wnd);
	header->cksum = 0;
	header->tcp_urp = 0;
	segment_write_options((uint8_t *)(header + 1), &reply->options);
	emit_checksum(tcp, tuple, frame, l2_len, l3_len, tcp_len);
}

/*
 * The received mbuf as an empty frame with its link header, if it is ours alone; else a fresh one.
 */
static struct rte_mbuf *
frame_from(struct tcp *tcp, struct segment *segment, uint32_t len)
{
	struct rte_mbuf *mbuf = segment->mbuf, *fresh;

	if (RTE_MBUF_DIRECT(mbuf) && rte_mbuf_refcnt_read(mbuf) == 1 && mbuf->nb_segs == 1 &&
		mbuf->data_off + len <= mbuf->buf_len) {
		mbuf->data_len = (uint16_t)len;
		mbuf->pkt_len = len;
		return mbuf;
	}
	fresh = rte_pktmbuf_alloc(tcp->control_pool);
	if (fresh != NULL) {
		memcpy(rte_pktmbuf_append(fresh, (uint16_t)len), rte_pktmbuf_mtod(mbuf, char *),
			segment->l2_len);
	}
	rte_pktmbuf_free(mbuf);
	return fresh;
}

void
reply_send(struct tcp *tcp, struct segment *segment, const struct reply *reply)
{
	unsigned int options_len = segment_options_len(&reply->options);
	uint32_t len = segment->l2_len + (uint32_t)headers_ip_len(segment->tuple.head.family) +
		       TCP_HEADER_LEN + options_len;
	struct tuple tuple = segment->tuple;
	struct rte_mbuf *frame;

	if (!outbox_has_control_room(tcp->outbox)) {
		drop_packet(tcp->counters, segment->mbuf, RILL_DROP_outbox_full);
		return;
	}
	frame = frame_from(tcp, segment, len);
	if (frame == NULL) {
		count_drop(tcp->counters, RILL_DROP_no_mbuf);
		return;
	}
	ether_reply(tcp->netif, frame);
	write_headers(tcp, frame, segment->l2_len, &tuple, reply, options_len);
	tcp->counters->segs_out++;
	outbox_put(tcp->outbox, frame);
}

void
reply_send_to(struct tcp *tcp, const struct tuple *tuple, const struct reply *reply)
{
	unsigned int options_len = segment_options_len(&reply->options);
	struct rill_addr dst = tuple_remote(&tuple->head, &tuple->addrs6), via, source;
	struct rte_mbuf *frame;
	uint32_t next_hop;

	if (net_route(tcp->net, &dst, &via, &source) != 0) {
		count_drop(tcp->counters, RILL_DROP_no_route);
		return;
	}
	source = tuple_local(&tuple->head, &tuple->addrs6);
	next_hop = neighbor_get(tcp->neighbors, &via, &source, false, tcp->now, tcp->outbox);
	if (next_hop == SLAB_NONE) {
		count_drop(tcp->counters, RILL_DROP_neighbor_full);
		return;
	}
	/* What a stranger's SYN makes us say waits in no queue: it is resolved when it is said
	 * again. */
	if (!neighbor_is_usable(neighbor_at(tcp->neighbors, next_hop))) {
		count_drop(tcp->counters, RILL_DROP_neighbor_stranger);
		return;
	}
	frame = rte_pktmbuf_alloc(tcp->control_pool);
	if (frame == NULL) {
		count_drop(tcp->counters, RILL_DROP_no_mbuf);
		return;
	}
	rte_pktmbuf_append(frame,
		(uint16_t)(headers_ip_len(tuple->head.family) + TCP_HEADER_LEN + options_len));
	write_headers(tcp, frame, 0, tuple, reply, options_len);
	if (frame->ol_flags & RTE_MBUF_F_TX_OFFLOAD_MASK)
		frame->l2_len = netif_l2_len(tcp->netif);
	tcp->counters->segs_out++;
	neighbor_output(tcp->neighbors, next_hop, frame, tcp->now, tcp->outbox);
}

void
reply_rst(struct tcp *tcp, struct segment *segment, enum rill_drop reason)
{
	struct reply reply = {.flags = TCP_RST};

	if (segment->flags & TCP_RST) { /* [9293 E3] */
		drop_packet(tcp->counters, segment->mbuf, RILL_DROP_tcp_stray_rst);
		return;
	}
	if (!token_take(&tcp->rst_tokens, tcp->now)) {
		drop_packet(tcp->counters, segment->mbuf, RILL_DROP_tcp_rst_rate);
		return;
	}
	if (segment->flags & TCP_ACK) {
		reply.seq = segment->ack;
	} else {
		reply.flags |= TCP_ACK;
		reply.ack = seq_add(segment->seq, segment_len(segment));
	}
	if (segment->has & SEG_HAS_TS) { /* [RFC7323-21] */
		reply.options.has = SEG_HAS_TS;
		reply.options.tsecr = segment->tsval;
	}
	count_drop(tcp->counters, reason);
	tcp->counters->resets_sent++;
	reply_send(tcp, segment, &reply);
}
