/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SEGMENT ARRIVES in SYN-RECEIVED and the synchronized states, in the order of RFC 9293, section
 * 3.10.7.4: timestamps [7323 5.3], sequence number, RST, SYN, ACK, URG, text and FIN.
 */
#include <errno.h>

#include <rte_mbuf.h>

#include "ack.h"
#include "close.h"
#include "deliver.h"
#include "ecn.h"
#include "input.h"
#include "reply.h"
#include "text.h"
#include "timers.h"
#include "uto.h"

/* The segment's connection has nothing more to do with the network. */
#define OVER (CONN_ENDED | CONN_FINISHED)

static void
drop(struct tcp *tcp, struct segment *segment, enum rill_drop reason)
{
	drop_packet(tcp->counters, segment->mbuf, reason);
}

static void
owe_ack(struct tcp *tcp, struct rill_conn *conn)
{
	conn->flags |= CONN_ACK_NOW;
	conn_mark_dirty(tcp, conn);
}

/*
 * A challenge ACK within the connection's budget [5961 7]. Returns the reason under which the
 * segment that caused it is dropped.
 */
static enum rill_drop
challenge(struct tcp *tcp, struct rill_conn *conn, enum rill_drop reason)
{
	uint8_t *owner = &conn->timer.owner[2], spent = *owner >> CONN_CHALLENGE_SHIFT;
	bool allowed = challenge_allow_conn(
		&spent, (unsigned int)conn_options(tcp, conn)->challenge_acks, tcp->now);

	*owner = (uint8_t)(spent << CONN_CHALLENGE_SHIFT) |
		 (*owner & ((1u << CONN_CHALLENGE_SHIFT) - 1));
	if (!allowed)
		return RILL_DROP_tcp_challenge_rate;
	tcp->counters->challenge_acks++;
	owe_ack(tcp, conn);
	return reason;
}

/* The ACK for what is not acceptable: certain if it takes sequence numbers, else a challenge. */
static enum rill_drop
answer_unacceptable(struct tcp *tcp, struct rill_conn *conn, const struct segment *segment,
	enum rill_drop reason)
{
	if (segment_len(segment) == 0)
		return challenge(tcp, conn, reason);
	owe_ack(tcp, conn);
	return reason;
}

/* Timestamps: PAWS [7323 5.3]. Returns false if the segment was dropped. */
static bool
check_timestamp(struct tcp *tcp, struct rill_conn *conn, struct segment *segment)
{
	if (!(conn->flags & CONN_TS) || (segment->flags & TCP_RST))
		return true;
	if (!(segment->has & SEG_HAS_TS)) {
		drop(tcp, segment, RILL_DROP_tcp_ts_missing);
		return false;
	}
	if ((int32_t)(segment->tsval - conn->ts_recent) >= 0)
		return true;
	if (ms32(tcp->now) - conn->heard_ms > TCP_PAWS_IDLE_MS) {
		conn->ts_recent = segment->tsval; /* too old to judge by [7323 5.5] */
		return true;
	}
	drop(tcp, segment, answer_unacceptable(tcp, conn, segment, RILL_DROP_tcp_paws));
	return false;
}

/*
 * The four cases of the acceptability test [9293 3.10.7.4, first step]; a segment that reaches over
 * both edges of the window counts as acceptable too: it is trimmed.
 */
static bool
is_acceptable(const struct rill_conn *conn, const struct segment *segment)
{
	uint32_t len = segment_len(segment);
	seq_t last = seq_add(segment->seq, len - 1);
	int32_t wnd = seq_diff(conn->rcv_adv, conn->rcv_nxt);

	if (wnd <= 0)
		return len == 0 && seq_eq(segment->seq, conn->rcv_nxt);
	if (len == 0)
		return seq_geq(segment->seq, conn->rcv_nxt) && seq_lt(segment->seq, conn->rcv_adv);
	return seq_lt(segment->seq, conn->rcv_adv) && seq_geq(last, conn->rcv_nxt);
}

/* SEG.ACK in [snd_una - snd_wnd_max, snd_nxt]: a blind guess seldom is [5961 5.2]. */
static bool
ack_is_in_range(const struct rill_conn *conn, const struct segment *segment)
{
	return (segment->flags & TCP_ACK) && seq_leq(segment->ack, conn->snd_nxt) &&
	       seq_geq(segment->ack, seq_sub(conn->snd_una, conn->snd_wnd_max));
}

/*
 * Does the ACK of an unacceptable segment count all the same? While our window is closed, at
 * rcv_nxt [MUST-66]; and of a segment without text at the window's right edge, where a peer is who
 * has filled it: its ACKs would be lost until it times out.
 */
static bool
ack_counts_at_edge(const struct rill_conn *conn, const struct segment *segment)
{
	bool here = seq_eq(segment->seq, conn->rcv_nxt) ||
		    (segment_len(segment) == 0 && seq_eq(segment->seq, conn->rcv_adv));

	return here && (segment->flags & TCP_ACK) && conn_is_synchronized(conn) &&
	       seq_geq(segment->ack, conn->snd_una) && seq_leq(segment->ack, conn->snd_nxt);
}

/*
 * Not acceptable: answered by an ACK, at once if it takes sequence numbers (a retransmission or a
 * probe of our window must always be answered), else within the challenge budget, so that two
 * confused peers do not answer each other for ever [5961 7, 10].
 */
static void
refuse_sequence(struct tcp *tcp, struct rill_conn *conn, struct segment *segment)
{
	if (segment->flags & TCP_RST) {
		drop(tcp, segment, RILL_DROP_tcp_rst_out_of_window);
		return;
	}
	if (segment->flags & TCP_SYN) {
		drop(tcp, segment, challenge(tcp, conn, RILL_DROP_tcp_syn_challenged));
		return;
	}
	if (ack_counts_at_edge(conn, segment)) {
		seq_t snd_una = conn->snd_una;

		ack_process(tcp, conn, segment);
		if ((conn->flags & OVER) ||
			(segment_len(segment) == 0 && !seq_eq(conn->snd_una, snd_una))) {
			rte_pktmbuf_free(segment->mbuf);
			return;
		}
	}
	if (segment->payload_len > 0 && conn_can_receive(conn) && ack_is_in_range(conn, segment) &&
		seq_leq(seq_add(segment->seq, segment->payload_len), conn->rcv_nxt))
		text_report_duplicate(
			tcp, conn, segment->seq, seq_add(segment->seq, segment->payload_len));
	drop(tcp, segment, answer_unacceptable(tcp, conn, segment, RILL_DROP_tcp_out_of_window));
}

/* RST inside the window, or at rcv_nxt while it is closed [5961 3.2]. */
static void
take_rst(struct tcp *tcp, struct rill_conn *conn, struct segment *segment)
{
	if (!seq_eq(segment->seq, conn->rcv_nxt)) {
		drop(tcp, segment, challenge(tcp, conn, RILL_DROP_tcp_rst_challenged));
		return;
	}
	rte_pktmbuf_free(segment->mbuf);
	conn_end(tcp, conn,
		conn->state == RILL_SYN_RECEIVED ? RILL_CLOSE_REFUSED : RILL_CLOSE_RESET);
}

/* The ACK of our SYN in a simultaneous open. Returns false if the segment was dropped. */
static bool
ack_in_syn_received(struct tcp *tcp, struct rill_conn *conn, struct segment *segment)
{
	if (seq_leq(segment->ack, conn->snd_una) || seq_gt(segment->ack, conn->snd_nxt)) {
		reply_rst(tcp, segment, RILL_DROP_tcp_syn_received_ack);
		return false;
	}
	/* rill_close has been called meanwhile: FIN goes out now. */
	conn_step(conn, (conn->flags & CONN_FIN_QUEUED) ? FSM_CLOSE : FSM_RCV_ACK_OF_SYN);
	conn->snd_una = seq_add(conn->snd_una, 1);
	conn->snd_wnd = (uint32_t)segment->wnd << conn->snd_wscale;
	conn->snd_wnd_max = RTE_MAX(conn->snd_wnd_max, conn->snd_wnd);
	conn->snd_wl1 = segment->seq;
	conn->retries = 0;
	timers_data_acked(tcp, conn);
	conn_mark_dirty(tcp, conn);
	if (!(conn->flags & CONN_APP_CLOSED))
		deliver_open(tcp, conn);
	if (conn->flags & CONN_ENDED) {
		rte_pktmbuf_free(segment->mbuf);
		return false;
	}
	return true;
}

/* ACK field out of [snd_una - snd_wnd_max, snd_nxt]: an ACK back, nothing is taken [5961 5.2]. */
static bool
check_ack_range(struct tcp *tcp, struct rill_conn *conn, struct segment *segment)
{
	enum rill_drop reason;

	if (seq_gt(segment->ack, conn->snd_nxt))
		reason = RILL_DROP_tcp_ack_unsent;
	else if (seq_lt(segment->ack, seq_sub(conn->snd_una, conn->snd_wnd_max)))
		reason = RILL_DROP_tcp_ack_too_old;
	else
		return true;
	drop(tcp, segment, challenge(tcp, conn, reason));
	return false;
}

/* The urgent pointer [9293 3.10.7.4, sixth step]; it names the octet behind the urgent data. */
static void
take_urgent(struct tcp *tcp, struct rill_conn *conn, const struct segment *segment)
{
	seq_t up = seq_add(segment->seq, segment->urg);
	struct sidecar *sidecar;

	if (!conn_can_receive(conn) || seq_leq(up, conn->rcv_nxt))
		return;
	sidecar = conn_need_sidecar(tcp, conn);
	if (sidecar == NULL || ((sidecar->flags & SIDECAR_URG_IN) && seq_leq(up, sidecar->rcv_up)))
		return;
	sidecar->flags |= SIDECAR_URG_IN;
	sidecar->rcv_up = up;
	deliver_urgent(tcp, conn, up.n - seq_sub(conn->rcv_nxt, sidecar->kept_bytes).n);
}

/*
 * The peer's SYN,ACK in a simultaneous open: its SYN is the one that we know already, so that what
 * counts is the ACK [9293 3.5, figure 8].
 */
static void
take_crossing_syn_ack(struct rill_conn *conn, struct segment *segment)
{
	if (conn->state == RILL_SYN_RECEIVED && (segment->flags & TCP_SYN) &&
		(segment->flags & TCP_ACK) && seq_eq(seq_add(segment->seq, 1), conn->rcv_nxt)) {
		ecn_crossing_syn_ack(conn, segment);
		segment->flags &= (uint8_t)~TCP_SYN;
		segment->seq = conn->rcv_nxt;
	}
}

void
input_slow(struct tcp *tcp, struct rill_conn *conn, struct segment *segment)
{
	take_crossing_syn_ack(conn, segment);
	if (!check_timestamp(tcp, conn, segment))
		return;
	if (!is_acceptable(conn, segment)) {
		refuse_sequence(tcp, conn, segment);
		return;
	}
	if (segment->flags & TCP_RST) {
		take_rst(tcp, conn, segment);
		return;
	}
	if (segment->flags & TCP_SYN) {
		drop(tcp, segment, challenge(tcp, conn, RILL_DROP_tcp_syn_challenged));
		return;
	}
	if (!(segment->flags & TCP_ACK)) {
		drop(tcp, segment, RILL_DROP_tcp_no_ack);
		return;
	}
	if (conn->state == RILL_SYN_RECEIVED) {
		if (!ack_in_syn_received(tcp, conn, segment))
			return;
	} else if (!check_ack_range(tcp, conn, segment)) {
		return;
	}
	timers_peer_heard(tcp, conn);
	if ((conn->flags & CONN_TS) && seq_leq(segment->seq, conn->rcv_acked) &&
		(int32_t)(segment->tsval - conn->ts_recent) >= 0)
		conn->ts_recent = segment->tsval; /* [7323 4.3] */
	uto_segment_arrived(tcp, conn, segment);
	ecn_segment_arrived(tcp, conn, segment);
	ack_process(tcp, conn, segment);
	if (!(conn->flags & OVER) && (segment->flags & TCP_URG))
		take_urgent(tcp, conn, segment);
	if (conn->flags & OVER) {
		rte_pktmbuf_free(segment->mbuf);
		return;
	}
	if (segment->payload_len > 0 || (segment->flags & TCP_FIN))
		text_process(tcp, conn, segment);
	else
		rte_pktmbuf_free(segment->mbuf);
}
