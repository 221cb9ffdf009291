/* SPDX-License-Identifier: BSD-3-Clause */
/* The way that most data goes out: buffers of one segment each, on a quiet connection. */
#include <rte_mbuf.h>

#include "emit.h"
#include "headers.h"
#include "output.h"
#include "pace.h"
#include "pathmtu.h"
#include "rcvwnd.h"
#include "timers.h"
#include "txq.h"

/* What makes it unfit: anything that comes before new data, or goes with it. */
#define FAST_FLAGS_UNFIT                                                                           \
	(CONN_DELIVER | CONN_WINDOW_UPDATE | CONN_ENDED | CONN_PARKED | CONN_FINISHED | CONN_TLP | \
		CONN_RETX_HEAD | CONN_RECOVERY | CONN_RTO_RECOVERY | CONN_KEEPALIVE_PROBE |        \
		CONN_PUSH_OUT | CONN_PROBING | CONN_FIN_QUEUED | CONN_FIN_SENT)
#define FAST_MODES_UNFIT (MODE_ECN | MODE_ECN_WAIT | MODE_PACED | MODE_UTO_DUE | MODE_PROBE_OUT)

/* Does this record leave as a segment of its own, now, in its own buffer? */
static bool
record_leaves(const struct tcp *tcp, const struct rill_conn *conn, const struct record *record,
	uint32_t header_len)
{
	const struct rill_options *options = conn_options(tcp, conn);
	uint32_t flight = conn_outstanding(conn);
	uint32_t edge = flight + record->len;

	if (record->len < conn->mss &&
		(record->next != SLAB_NONE || options->cork || (flight > 0 && !options->nodelay)))
		return false;
	return record->len <= conn->mss && edge <= conn->snd_wnd &&
	       (flight == 0 || edge <= conn->cc.cwnd) && record_takes_headers(record, header_len);
}

/* The record's buffer becomes the frame. */
static __rte_always_inline void
send_record(struct tcp *tcp, struct rill_conn *conn, const struct neighbor *next_hop,
	struct record *record, uint16_t l3_len, uint8_t options_len, uint32_t header_len)
{
	struct rte_mbuf *frame = record->mbuf;
	uint16_t caps = tcp->netif->caps;
	uint16_t tcp_len = (uint16_t)(TCP_HEADER_LEN + options_len + record->len);
	const struct headers fields = {
		.seq = conn->snd_nxt,
		.wnd = rcvwnd_advertise(tcp, conn),
		.flags = record->next == SLAB_NONE ? TCP_ACK | TCP_PSH : TCP_ACK, /* [MUST-61] */
		.options_len = options_len,
	};
	bool nic_sums = caps & NETIF_TX_TCP_CKSUM;
	uint64_t payload_sum = nic_sums ? 0 : checksum_chain(frame, 0), options_sum = 0;
	struct rte_tcp_hdr *header;
	struct header_sums sums;

	rte_mbuf_refcnt_set(frame, 2); /* the record's, and the port's */
	sums = headers_write(tcp, conn, next_hop, rte_pktmbuf_prepend(frame, (uint16_t)header_len),
		l3_len, &fields, tcp_len, &header);
	if (options_len > 0)
		options_sum = headers_write_timestamps(
			header, conn_tsval(conn, tcp->now), conn->ts_recent);
	headers_finish(
		caps, frame, next_hop->header_len, l3_len, header, &sums, options_sum + payload_sum);
	record->ticket = outbox_put(tcp->outbox, frame);
	record->sent_us = us32(tcp->now);
	record->flags = (uint8_t)((record->flags | RECORD_SENT) & ~RECORD_CONTINUES);
	conn->txq_unsent = record->next;
	conn->snd_nxt = seq_add(conn->snd_nxt, record->len);
}

/* Records from the first unsent one on, as far as they leave. Returns the bytes. */
static __rte_always_inline uint32_t
send_records(
	struct tcp *tcp, struct rill_conn *conn, struct neighbor *next_hop, uint16_t l3_len)
{
	uint8_t options_len = (conn->flags & CONN_TS) ? HEADERS_TS_LEN : 0;
	uint32_t header_len = headers_len(next_hop, l3_len, options_len), sent = 0;

	do {
		struct record *record = tcp_record_at(tcp, conn->txq_unsent);

		if (outbox_room(tcp->outbox) == 0 || !record_leaves(tcp, conn, record, header_len))
			break;
		if (conn_outstanding(conn) == 0)
			output_restart_after_idle(tcp, conn);
		send_record(tcp, conn, next_hop, record, l3_len, options_len, header_len);
		sent += record->len;
		tcp->counters->segs_out++;
	} while (conn->txq_unsent != SLAB_NONE && sent < TCP_QUANTUM_BYTES);
	return sent;
}

/* Made once for each family: what one does not have, it does not ask for at each step. */
static __rte_noinline uint32_t
send_records_ip6(struct tcp *tcp, struct rill_conn *conn, struct neighbor *next_hop)
{
	return send_records(tcp, conn, next_hop, IP6_HEADER_LEN);
}

bool
output_fast(struct tcp *tcp, struct rill_conn *conn)
{
	bool first = conn_outstanding(conn) == 0;
	struct neighbor *next_hop;
	uint32_t sent;

	/* Refusals first. */
	if (conn->state != RILL_ESTABLISHED || conn->sidecar != SLAB_NONE ||
		(conn->flags & FAST_FLAGS_UNFIT) || (conn->modes & FAST_MODES_UNFIT) ||
		conn->txq_unsent == SLAB_NONE || conn_paces(conn))
		return false;
	if (unlikely(tcp->netif->caps & NETIF_TX_TSO) &&
		tcp_record_at(tcp, conn->txq_unsent)->next != SLAB_NONE)
		return false; /* several may leave in one frame */
	if (!emit_path_ready(tcp, conn))
		return true; /* it is parked, or over */
	pathmtu_follow(tcp, conn);
	if (conn->modes & MODE_PATH_LOW) /* it may probe the way up */
		return false;
	next_hop = neighbor_at(tcp->neighbors, conn->next_hop);
	sent = likely(conn->key.family == AF_INET)
		       ? send_records(tcp, conn, next_hop, HEADERS_IP4_LEN)
		       : send_records_ip6(tcp, conn, next_hop);
	if (sent == 0)
		return false;

	/* From here on, only writes: something was sent, and with it the ACK that was owed. */
	next_hop->used = true;
	conn->rcv_acked = conn->rcv_nxt;
	conn->flags &= ~(CONN_ACK_NOW | CONN_ACK_DELAYED);
	timers_data_sent(tcp, conn, first);
	if (conn->txq_unsent == SLAB_NONE)
		conn->flags &= ~CONN_CWND_LIMITED; /* it was the data that ran out */
	else if (sent >= TCP_QUANTUM_BYTES)
		conn_mark_dirty(tcp, conn); /* the others first */
	else
		return false; /* what the rest waits for, the whole way finds out */
	return true;
}
