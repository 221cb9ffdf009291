/* SPDX-License-Identifier: BSD-3-Clause */
/* Where a segment belongs, and the way that most segments go. */
#include <rte_mbuf.h>

#include "ack.h"
#include "ecn.h"
#include "input.h"
#include "text.h"
#include "timers.h"

/* What makes the fast path unfit: anything but plain data and ACKs of a quiet connection. */
#define FAST_UNFIT                                                                                 \
	(CONN_PAUSED | CONN_DELIVER | CONN_APP_CLOSED | CONN_RECOVERY | CONN_RTO_RECOVERY |        \
		CONN_PROBING | CONN_FIN_SENT | CONN_ENDED)

bool
input_fast(struct tcp *tcp, struct rill_conn *conn, struct segment *segment)
{
	uint8_t timestamps = (conn->flags & CONN_TS) ? SEG_HAS_TS : 0;

	/* Refusals first: what fails here goes the slow way, untouched. */
	if (conn->state != RILL_ESTABLISHED || conn->sidecar != SLAB_NONE ||
		(conn->flags & FAST_UNFIT) || (segment->flags & ~TCP_PSH) != TCP_ACK ||
		!seq_eq(segment->seq, conn->rcv_nxt) || segment->has != timestamps ||
		segment->sack_count > 0 ||
		segment->payload_len > (uint32_t)seq_diff(conn->rcv_adv, conn->rcv_nxt) ||
		seq_lt(segment->ack, conn->snd_una) || seq_gt(segment->ack, conn->snd_nxt) ||
		conn->dupacks > 0 ||
		(segment->payload_len == 0 && seq_eq(segment->ack, conn->snd_una)))
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
	if (segment->payload_len > 0 && !(conn->flags & (FAST_UNFIT & ~CONN_PROBING)) &&
		conn->sidecar == SLAB_NONE)
		text_in_order(tcp, conn, segment);
	else if (segment->payload_len > 0 && !(conn->flags & CONN_ENDED))
		text_process(tcp, conn, segment); /* on_sent has paused or closed the connection */
	else
		rte_pktmbuf_free(segment->mbuf);
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
	else
		input_slow(tcp, tcp_conn_at(tcp, index), segment);
}

/*
 * What a burst is about to touch comes into the cache, in stages, each of which needs what the one
 * before asked for: the connections' other lines, the heads of their send queues, and the buffers
 * that these hold, which an ACK gives back. The table asked for the first lines.
 */
static void
prefetch_burst(const struct tcp *tcp, const uint32_t handles[], unsigned int n)
{
	const struct rill_conn *conns[TABLE_BURST_MAX];
	const struct record *heads[TABLE_BURST_MAX];
	unsigned int n_conns = 0, n_heads = 0;

	for (unsigned int i = 0; i < n; i++) {
		const struct rill_conn *conn;

		if (table_kind(handles[i]) != TABLE_CONN)
			continue;
		conn = tcp_conn_at(tcp, table_index(handles[i]));
		rte_prefetch0(&conn->txq_head);
		rte_prefetch0(&conn->timer);
		rte_prefetch0(&conn->addrs6);
		conns[n_conns++] = conn;
	}
	for (unsigned int i = 0; i < n_conns; i++) {
		if (conns[i]->txq_head == SLAB_NONE)
			continue;
		heads[n_heads] = tcp_record_at(tcp, conns[i]->txq_head);
		rte_prefetch0(heads[n_heads++]);
	}
	for (unsigned int i = 0; i < n_heads; i++)
		rte_prefetch0(heads[i]->mbuf);
	if (likely(!timers_are_crowded(tcp)))
		return;
	for (unsigned int i = 0; i < n_conns; i++) { /* nodes that a node leaves between them */
		rte_prefetch0(conns[i]->timer.next);
		rte_prefetch0(conns[i]->timer.pprev);
	}
}

static void
find_burst(struct tcp *tcp, const struct segment *segments, unsigned int n, uint32_t handles[])
{
	const struct tuple *tuples[TABLE_BURST_MAX];

	tuples[0] = &segments[0].tuple;
	for (unsigned int i = 1; i < n; i++)
		tuples[i] = &segments[i].tuple;
	table_lookup_burst(tcp->table, tuples, n, handles);
}

void
tcp_lookup_burst(
	struct tcp *tcp, const struct segment segments[], unsigned int n, uint32_t handles[])
{
	find_burst(tcp, segments, n, handles);
	prefetch_burst(tcp, handles, n);
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
	tcp_give_back_now(tcp);
	tcp->counters->segs_in += n;
}
