/* SPDX-License-Identifier: BSD-3-Clause */
#include "text.h"

#include <rte_mbuf.h>

#include "close.h"
#include "deliver.h"
#include "emit.h"
#include "input.h"
#include "payload.h"
#include "reassembly.h"

struct rte_mbuf *
input_payload(struct segment *segment)
{
	struct rte_mbuf *mbuf = segment->mbuf;
	uint32_t headers = (uint32_t)segment->l2_len + segment->l3_len + segment->header_len;

	segment->mbuf = NULL;
	if (segment->payload_len == 0) {
		rte_pktmbuf_free(mbuf);
		return NULL;
	}
	return payload_cut_front(mbuf, headers);
}

void
text_in_order(struct tcp *tcp, struct rill_conn *conn, struct segment *segment)
{
	uint32_t len = segment->payload_len;

	conn->rcv_nxt = seq_add(conn->rcv_nxt, len);
	conn_mark_dirty(tcp, conn);
	deliver_data(tcp, conn, input_payload(segment));
}

void
text_report_duplicate(struct tcp *tcp, struct rill_conn *conn, seq_t left, seq_t right)
{
	struct sidecar *sidecar;

	conn->flags |= CONN_ACK_NOW;
	conn_mark_dirty(tcp, conn);
	if (!(conn->flags & CONN_SACK) || !conn_options(tcp, conn)->dsack ||
		(sidecar = conn_need_sidecar(tcp, conn)) == NULL)
		return;
	/* One report to an ACK: an earlier one goes first. */
	if ((sidecar->flags & SIDECAR_DSACK) && !(conn->flags & CONN_PARKED) &&
		outbox_room(tcp->outbox) > 0) {
		emit_ack(tcp, conn);
		conn->flags |= CONN_ACK_NOW;
	}
	sidecar->flags |= SIDECAR_DSACK;
	sidecar->dsack = (struct sack_block){left, right};
}

/* An ACK that must not wait for the end of the turn: without SACK each one counts [5681 3.2]. */
static void
ack_out_of_order(struct tcp *tcp, struct rill_conn *conn)
{
	conn->flags |= CONN_ACK_NOW;
	if ((conn->flags & (CONN_SACK | CONN_PARKED)) || outbox_room(tcp->outbox) == 0 ||
		!emit_ack(tcp, conn))
		conn_mark_dirty(tcp, conn);
}

/* Payload [start, start + pkt_len) lies beyond rcv_nxt. */
static void
text_out_of_order(struct tcp *tcp, struct rill_conn *conn, struct rte_mbuf *payload, seq_t start)
{
	struct sidecar *sidecar = conn_need_sidecar(tcp, conn);
	uint32_t true_max = (uint32_t)conn_options(tcp, conn)->rcvbuf * TCP_TRUE_FACTOR;
	struct sack_block held;
	struct rte_mbuf *kept;
	bool duplicate;

	tcp->counters->out_of_order_in++;
	ack_out_of_order(tcp, conn);
	if (sidecar == NULL) {
		drop_packet(tcp->counters, payload, RILL_DROP_tcp_no_sidecar);
		return;
	}
	if (reassembly_find_duplicate(sidecar, start, payload->pkt_len, &held))
		text_report_duplicate(tcp, conn, held.left, held.right);
	kept = tcp_keep_payload(tcp, payload);
	if (kept == NULL)
		drop_packet(tcp->counters, payload, RILL_DROP_tcp_rcv_reserve);
	else if (!reassembly_insert(sidecar, kept, start, true_max, &duplicate))
		drop_packet(tcp->counters, kept, RILL_DROP_tcp_reassembly_full);
	else if (duplicate)
		count_drop(tcp->counters, RILL_DROP_tcp_duplicate);
	conn_drop_idle_sidecar(tcp, conn);
}

/* In-order payload; then what it joins up with. */
static void
text_advance(struct tcp *tcp, struct rill_conn *conn, struct rte_mbuf *payload)
{
	struct sidecar *sidecar;
	seq_t end;

	if (!deliver_can_take(tcp, conn, &payload)) {
		rte_pktmbuf_free(payload);
		conn->flags |= CONN_ACK_NOW;
		return;
	}
	sidecar = conn_sidecar(tcp, conn);
	if (sidecar != NULL && sidecar->ranges_count > 0)
		conn->flags |= CONN_ACK_NOW; /* fills a hole, or part of one [5681 3.2] */
	conn->rcv_nxt = seq_add(conn->rcv_nxt, payload->pkt_len);
	deliver_data(tcp, conn, payload);
	while (!(conn->flags & CONN_ENDED) && (sidecar = conn_sidecar(tcp, conn)) != NULL &&
		(payload = reassembly_take(sidecar, conn->rcv_nxt, &end)) != NULL) {
		if (conn->flags & CONN_APP_CLOSED) {
			rte_pktmbuf_free(payload);
			close_by_rst(tcp, conn, RILL_CLOSE_ABORTED);
			return;
		}
		if (!deliver_can_take(tcp, conn, &payload)) {
			rte_pktmbuf_free(payload); /* was never acknowledged: it comes again */
			return;
		}
		conn->rcv_nxt = end;
		deliver_data(tcp, conn, payload);
	}
}

/* Remembers a FIN beyond a hole, or takes it: returns true if the connection ended. */
static bool
text_fin(struct tcp *tcp, struct rill_conn *conn, seq_t fin_seq)
{
	struct sidecar *sidecar;

	if (seq_eq(fin_seq, conn->rcv_nxt)) {
		conn->flags |= CONN_ACK_NOW;
		conn_mark_dirty(tcp, conn);
		sidecar = conn_sidecar(tcp, conn);
		if (sidecar != NULL) {
			sidecar->has_fin = false;
			reassembly_clear(sidecar); /* nothing can follow a FIN */
		}
		conn->rcv_nxt = seq_add(conn->rcv_nxt, 1);
		return close_fin_received(tcp, conn);
	}
	if (seq_gt(fin_seq, conn->rcv_nxt) && (sidecar = conn_need_sidecar(tcp, conn)) != NULL) {
		sidecar->has_fin = true;
		sidecar->fin_seq = fin_seq;
	}
	return false;
}

/*
 * Cuts payload [*start, ...) to what is new and inside the window. Returns NULL when nothing is
 * left; *cut_right: something beyond the window was cut off.
 */
static struct rte_mbuf *
text_trim(struct tcp *tcp, struct rill_conn *conn, struct rte_mbuf *payload, seq_t *start,
	bool *cut_right)
{
	int32_t known = seq_diff(conn->rcv_nxt, *start), room;

	*cut_right = false;
	if (known > 0) {
		text_report_duplicate(tcp, conn, *start,
			seq_min(conn->rcv_nxt, seq_add(*start, payload->pkt_len)));
		if ((uint32_t)known >= payload->pkt_len) {
			drop_packet(tcp->counters, payload, RILL_DROP_tcp_duplicate);
			return NULL;
		}
		payload = payload_cut_front(payload, (uint32_t)known);
		*start = conn->rcv_nxt;
	}
	room = seq_diff(conn->rcv_adv, *start);
	if (room <= 0) {
		*cut_right = true;
		drop_packet(tcp->counters, payload, RILL_DROP_tcp_rcvbuf_full);
		return NULL;
	}
	if ((uint32_t)room < payload->pkt_len) {
		*cut_right = true;
		payload_keep_front(payload, (uint32_t)room);
	}
	return payload;
}

/* Payload of an acceptable segment, in a state that receives. Returns false if its FIN must not
 * count. */
static bool
text_payload(struct tcp *tcp, struct rill_conn *conn, struct segment *segment)
{
	seq_t start = segment->seq;
	bool cut_right;
	struct rte_mbuf *payload = text_trim(tcp, conn, input_payload(segment), &start, &cut_right);

	if (payload == NULL || cut_right)
		conn->flags |= CONN_ACK_NOW; /* a duplicate, or a probe of our closed window */
	conn_mark_dirty(tcp, conn);
	if (payload == NULL)
		return !cut_right;
	if (seq_eq(start, conn->rcv_nxt))
		text_advance(tcp, conn, payload);
	else
		text_out_of_order(tcp, conn, payload, start);
	return !cut_right;
}

void
text_process(struct tcp *tcp, struct rill_conn *conn, struct segment *segment)
{
	seq_t fin_seq = seq_add(segment->seq, segment->payload_len);
	bool fin = segment->flags & TCP_FIN, with_text = segment->payload_len > 0;
	const struct sidecar *sidecar;

	if (!conn_can_receive(conn)) { /* the peer finished before [9293 E24] */
		drop_packet(tcp->counters, segment->mbuf, RILL_DROP_tcp_after_fin);
		conn->flags |= CONN_ACK_NOW;
		conn_mark_dirty(tcp, conn);
		return;
	}
	if (with_text && (conn->flags & CONN_APP_CLOSED) &&
		seq_gt(fin_seq, conn->rcv_nxt)) { /* nobody will read it [SHLD-3] */
		drop_packet(tcp->counters, segment->mbuf, RILL_DROP_tcp_after_close);
		close_by_rst(tcp, conn, RILL_CLOSE_ABORTED);
		return;
	}
	if (with_text) { /* which sees to its ACK */
		fin = text_payload(tcp, conn, segment) && fin;
	} else {
		rte_pktmbuf_free(segment->mbuf);
		if (fin) {
			conn->flags |= CONN_ACK_NOW;
			conn_mark_dirty(tcp, conn);
		}
	}
	if (conn->flags & CONN_ENDED)
		return;
	/* A callback may have closed or paused the connection; what it already took stays taken. */
	sidecar = conn_sidecar(tcp, conn);
	if (!fin && sidecar != NULL &&
		sidecar->has_fin) { /* a hole before a FIN may be filled now */
		fin = true;
		fin_seq = sidecar->fin_seq;
	}
	if (fin && text_fin(tcp, conn, fin_seq))
		return;
	conn_drop_idle_sidecar(tcp, conn);
}
