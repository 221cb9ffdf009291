/* SPDX-License-Identifier: BSD-3-Clause */
/* Where a segment belongs, and the way that most segments go. */
#include <rte_mbuf.h>

#include "ack.h"
#include "close.h"
#include "ecn.h"
#include "input.h"
#include "text.h"
#include "timers.h"

/* What makes the fast path unfit: anything but plain data, ACKs and the FIN of a quiet connection. */
#define FAST_UNFIT                                                                                 \
	(CONN_PAUSED | CONN_DELIVER | CONN_APP_CLOSED | CONN_RECOVERY | CONN_RTO_RECOVERY |        \
		CONN_PROBING | CONN_FIN_SENT | CONN_ENDED)

bool
input_fast(struct tcp *tcp, struct rill_conn *conn, struct segment *segment)
{
	uint8_t timestamps = (conn->flags & CONN_TS) ? SEG_HAS_TS : 0;
	uint32_t len = segment->payload_len + (segment->flags & TCP_FIN);

	/* Refusals first: what fails here goes the slow way, untouched. */
	if (conn->state != RILL_ESTABLISHED || conn->sidecar != SLAB_NONE ||
		(conn->flags & FAST_UNFIT) ||
		(segment->flags & ~(TCP_PSH | TCP_FIN)) != TCP_ACK ||
		!seq_eq(segment->seq, conn->rcv_nxt) || segment->has != timestamps ||
		segment->sack_count > 0 ||
		len > (uint32_t)seq_diff(conn->rcv_adv, conn->rcv_nxt) ||
		seq_lt(segment->ack, conn->snd_una) || seq_gt(segment->ack, conn->snd_nxt) ||
		conn->dupacks > 0 || (len == 0 && seq_eq(segment->ack, conn->snd_una)))
		return false;
	if (timestamps && (int32_t)(segment->tsval - conn->ts_recent) < 0)
		return false;

	/* From here on, only writes. */
	timers_peer_heard(tcp, conn);
	if (timestamps && seq_leq(segment->seq, conn->rcv_acked))
		conn->ts_recent = segment->tsval;
	ecn_segment_arrived(tcp, conn, segment);
	if (unlikely(!ack_fast(tcp, conn, segment)))
		ack_process(tcp, conn, segment);
	if (segment->payload_len == len && len > 0 &&
		!(conn->flags & (FAST_UNFIT & ~CONN_PROBING)) && conn->sidecar == SLAB_NONE)
		text_in_order(tcp, conn, segment);
	else if (len > 0 && !(conn->flags & CONN_ENDED))
		text_process(tcp, conn, segment); /* FIN; or on_sent has paused or closed */
	else if (likely(segment->mbuf->nb_segs == 1))
		tcp_give_back(tcp, segment->mbuf);
	else
		rte_pktmbuf_free(segment->mbuf);
	return true;
}
static_assert(TCP_FIN == 1, "the flag is the number that it takes");

/*
 * The last segment of most connections that the peer closes first: nothing but the ACK of our FIN, when
 * nothing else is out or kept. Returns false, with nothing done, if it is not that.
 */
static bool
input_last_ack(struct tcp *tcp, struct rill_conn *conn, struct segment *segment)
{
	uint8_t timestamps = (conn->flags & CONN_TS) ? SEG_HAS_TS : 0;

	if (conn->state != RILL_LAST_ACK || conn->sidecar != SLAB_NONE ||
		segment->flags != TCP_ACK || segment->payload_len > 0 ||
		segment->mbuf->nb_segs != 1 ||
		!seq_eq(segment->seq, conn->rcv_nxt) || segment->has != timestamps ||
		segment->sack_count > 0 || !seq_eq(segment->ack, conn->snd_nxt) ||
		conn_outstanding(conn) != 1 || conn->txq_head != SLAB_NONE ||
		(timestamps && (int32_t)(segment->tsval - conn->ts_recent) < 0))
		return false;

	/* From here on, only writes. */
	if (timestamps && seq_leq(segment->seq, conn->rcv_acked))
		conn->ts_recent = segment->tsval;
	conn->snd_una = segment->ack;
	tcp_give_back(tcp, segment->mbuf);
	close_fin_acked(tcp, conn);
	return true;
}

/* What input_fast refused, or what is no connection. */
static void
dispatch(struct tcp *tcp, struct segment *segment, uint32_t handle)
{
	uint32_t index = table_index(handle);

	if (handle == TABLE_MISS)
		input_listen(tcp, segment, seq(0), false);
	else if (table_kind(handle) == TABLE_TIME_WAIT)
		input_time_wait(tcp, index, segment);
	else if (table_kind(handle) == TABLE_SYN_RECEIVED)
		input_half_open(tcp, index, segment);
	else if (tcp_conn_at(tcp, index)->state == RILL_SYN_SENT)
		input_syn_sent(tcp, tcp_conn_at(tcp, index), segment);
	else if (!input_last_ack(tcp, tcp_conn_at(tcp, index), segment))
		input_slow(tcp, tcp_conn_at(tcp, index), segment);
}

/*
 * What a burst is about to touch comes into the cache, in stages, each of which needs what the one
 * before asked for: the connections, the heads of their send queues, and the buffers that these
 * hold, which an ACK gives back. Between asking and looking frames are read, as far as there are
 * more.
 */

/* Asks for the lines of a connection that the table does not. */
static inline void
guess(struct tcp *tcp, const struct segment segments[], unsigned int i, uint32_t handles[])
{
	const struct rill_conn *conn;

	handles[i] = table_burst_guess(tcp->table, &segments[i].tuple, i);
	if (table_kind(handles[i]) != TABLE_CONN)
		return;
	conn = tcp_conn_at(tcp, table_index(handles[i]));
	rte_prefetch0(&conn->txq_head);
	rte_prefetch0(&conn->timer);
}

void
tcp_lookup_ahead(
	struct tcp *tcp, const struct segment segments[], unsigned int i, uint32_t handles[])
{
	table_burst_ask(tcp->table, &segments[i].tuple, i > 0 ? &segments[i - 1].tuple : NULL, i);
	if (i == 0)
		tcp->guessed = 0;
	if (i >= TABLE_BURST_BEHIND && tcp->conns.used > TABLE_BURST_CROWD)
		guess(tcp, segments, tcp->guessed++, handles);
}

static void
prefetch_queues(const struct tcp *tcp, const uint32_t handles[], unsigned int n)
{
	const struct record *heads[TABLE_BURST_MAX];
	unsigned int n_heads = 0;

	for (unsigned int i = 0; i < n; i++) {
		const struct rill_conn *conn;

		if (table_kind(handles[i]) != TABLE_CONN)
			continue;
		conn = tcp_conn_at(tcp, table_index(handles[i]));
		if (unlikely(timers_are_crowded(tcp))) { /* nodes that a node leaves between them */
			rte_prefetch0(conn->timer.next);
			rte_prefetch0(conn->timer.pprev);
		}
		if (conn->txq_head == SLAB_NONE)
			continue;
		heads[n_heads] = tcp_record_at(tcp, conn->txq_head);
		rte_prefetch0(heads[n_heads++]);
	}
	for (unsigned int i = 0; i < n_heads; i++)
		rte_prefetch0(heads[i]->mbuf);
}

void
tcp_lookup_burst(
	struct tcp *tcp, const struct segment segments[], unsigned int n, uint32_t handles[])
{
	const struct tuple *tuples[TABLE_BURST_MAX];

	for (unsigned int i = tcp->guessed; i < n; i++)
		guess(tcp, segments, i, handles);
	tuples[0] = &segments[0].tuple;
	for (unsigned int i = 1; i < n; i++)
		tuples[i] = &segments[i].tuple;
	table_burst_settle(tcp->table, tuples, n, handles);
	prefetch_queues(tcp, handles, n);
}

void
tcp_input_burst(
	struct tcp *tcp, struct segment segments[], unsigned int n, const uint32_t handles[])
{
	uint32_t changes = table_changes(tcp->table);

	if (unlikely(tcp->rx_scarce)) /* the fast way hands buffers over unseen */
		for (unsigned int i = 0; i < n; i++)
			segments[i].has |= SEG_SLOW;
	for (unsigned int i = 0; i < n; i++) {
		struct segment *segment = &segments[i];
		uint32_t handle = handles[i];

		if (unlikely(table_changes(tcp->table) != changes)) { /* it was but a hint */
			table_turn_to(tcp->table, &segment->tuple, i);
			handle = table_lookup(tcp->table, &segment->tuple);
		}
		if (likely(table_kind(handle) == TABLE_CONN) &&
			input_fast(tcp, tcp_conn_at(tcp, table_index(handle)), segment))
			continue;
		table_turn_to(tcp->table, &segment->tuple, i);
		dispatch(tcp, segment, handle);
	}
	table_turn_to(tcp->table, NULL, 0);
	for (unsigned int i = 0; i < RTE_DIM(tcp->done); i++)
		tcp_done_flush(&tcp->done[i]);
	tcp->counters->segs_in += n;
}
