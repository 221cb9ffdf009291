/* SPDX-License-Identifier: BSD-3-Clause */
#include "txq.h"

#include <rte_mbuf.h>

#include "pace.h"
#include "scoreboard.h"

void
txq_append(struct tcp *tcp, struct rill_conn *conn, struct rte_mbuf *mbuf, uint8_t flags)
{
	uint32_t index = slab_alloc(&tcp->records);
	struct record *record;

	RILL_ASSERT(index != SLAB_NONE);
	record = tcp_record_at(tcp, index);
	/* The rest means something once it was sent. */
	record->mbuf = mbuf;
	record->next = SLAB_NONE;
	record->seq = txq_end(conn);
	record->len = mbuf->data_len;
	record->off = mbuf->data_off;
	record->true_size = buffer_true_size(mbuf);
	record->flags = flags;
	if (conn->txq_tail == SLAB_NONE)
		conn->txq_head = index;
	else
		tcp_record_at(tcp, conn->txq_tail)->next = index;
	conn->txq_tail = index;
	if (conn->txq_unsent == SLAB_NONE)
		conn->txq_unsent = index;
	conn->txq_bytes += record->len;
	conn->txq_true += record->true_size;
}

bool
txq_split(struct tcp *tcp, struct rill_conn *conn, uint32_t index, uint32_t len)
{
	struct record *record = tcp_record_at(tcp, index), *rest;
	struct scoreboard *score = score_of(tcp, conn);
	uint32_t rest_index = slab_alloc(&tcp->records);

	RILL_DCHECK(len > 0 && len < record->len);
	if (rest_index == SLAB_NONE)
		return false;
	rest = tcp_record_at(tcp, rest_index);
	*rest = *record;
	if (conn_paces(conn))
		tcp->stamps[rest_index] = tcp->stamps[index];
	rest->seq = seq_add(record->seq, len);
	rest->off = record->off + len;
	rest->len = record->len - len;
	record->len = len;
	record->next = rest_index;
	/*
	 * The buffer is charged once, where its last bytes are: it goes when they are acknowledged.
	 */
	record->true_size = 0;
	record->flags &= (uint8_t)~RECORD_WRITTEN;
	rest->flags &= (uint8_t)~RECORD_CUT;
	rte_mbuf_refcnt_update(rest->mbuf, 1);
	if (conn->txq_tail == index)
		conn->txq_tail = rest_index;
	if (score != NULL)
		score_split(tcp, score, index, rest_index);
	return true;
}

uint32_t
txq_segment(const struct tcp *tcp, const struct rill_conn *conn, uint32_t index, uint32_t *len)
{
	uint32_t ticket = tcp_record_at(tcp, index)->ticket;

	*len = 0;
	do {
		*len += tcp_record_at(tcp, index)->len;
		index = tcp_record_at(tcp, index)->next;
	} while (index != SLAB_NONE && index != conn->txq_unsent &&
		 tcp_record_at(tcp, index)->ticket == ticket &&
		 !(tcp_record_at(tcp, index)->flags & RECORD_CUT));
	return index;
}

static void
record_free(struct tcp *tcp, struct rill_conn *conn, uint32_t index)
{
	struct record *record = tcp_record_at(tcp, index);

	conn->txq_true -= record->true_size;
	rte_pktmbuf_free_seg(record->mbuf);
	slab_free(&tcp->records, index);
}

uint32_t
txq_sent_us(const struct tcp *tcp, const struct record *record)
{
	/* What the NIC took later than it was put counts from then. */
	if ((int32_t)(record->ticket - tcp->outbox->late_from) >= 0 &&
		(int32_t)(record->ticket - tcp->outbox->late_to) < 0)
		return tcp->outbox->late_us;
	return record->sent_us;
}

/*
 * The round trip of a record, or 0 where it is not known: of one that was sent twice only if the
 * echoed timestamp shows that the last transmission was answered (Karn) [6298 3].
 */
static uint32_t
record_rtt(const struct tcp *tcp, const struct record *record, const struct ack_facts *facts)
{
	uint32_t rtt;

	if (record->flags & (RECORD_SACKED | RECORD_LOST))
		return 0;
	if (record->flags & RECORD_RETX) {
		uint32_t sent_ms = ms32(us32_expand(record->sent_us, tcp->now));

		if (!facts->has_tsecr || !time32_due(sent_ms, facts->tsecr_ms))
			return 0;
	}
	rtt = us32(tcp->now) - txq_sent_us(tcp, record);
	return rtt > 0 ? rtt : 1;
}

void
txq_ack(struct tcp *tcp, struct rill_conn *conn, struct ack_facts *facts)
{
	struct scoreboard *score = score_of(tcp, conn);
	uint32_t bytes = facts->bytes;
	bool resent = false;

	RILL_DCHECK(bytes <= conn->txq_bytes);
	conn->txq_bytes -= bytes;
	while (bytes > 0) {
		uint32_t index = conn->txq_head;
		struct record *record = tcp_record_at(tcp, index);
		uint32_t taken = bytes < record->len ? bytes : record->len;
		bool whole = taken == record->len;
		uint32_t rtt = record_rtt(tcp, record, facts);

		/* Without SACK, what lay beyond the hole waited for it, nobody knows how long. */
		resent |= (record->flags & RECORD_RETX) && !(conn->flags & CONN_SACK);
		if (rtt > 0 && (!resent || (record->flags & RECORD_RETX)))
			facts->rtt_us = rtt;
		if (conn_paces(conn) && !(record->flags & RECORD_SACKED))
			pace_delivered(tcp, conn, index, taken);
		if (score != NULL)
			score_acked(tcp, conn, score, index, taken, whole, facts);
		bytes -= taken;
		if (!whole) {
			record->seq = seq_add(record->seq, taken);
			record->off += taken;
			record->len -= taken;
			return;
		}
		conn->txq_head = record->next;
		record_free(tcp, conn, index);
	}
	if (conn->txq_head == SLAB_NONE)
		conn->txq_tail = SLAB_NONE;
}

uint32_t
txq_ack_plain(struct tcp *tcp, struct rill_conn *conn, uint32_t bytes)
{
	uint32_t rtt_us = 0;

	RILL_DCHECK(bytes <= conn->txq_bytes && conn->sidecar == SLAB_NONE);
	conn->txq_bytes -= bytes;
	while (bytes > 0) {
		uint32_t index = conn->txq_head;
		struct record *record = tcp_record_at(tcp, index);

		if (!(record->flags & (RECORD_RETX | RECORD_SACKED | RECORD_LOST)))
			rtt_us = RTE_MAX(us32(tcp->now) - txq_sent_us(tcp, record), 1u);
		if (bytes < record->len) {
			record->seq = seq_add(record->seq, bytes);
			record->off += bytes;
			record->len -= bytes;
			return rtt_us;
		}
		bytes -= record->len;
		conn->txq_head = record->next;
		conn->txq_true -= record->true_size;
		tcp_give_back(tcp, record->mbuf);
		slab_free(&tcp->records, index);
	}
	if (conn->txq_head == SLAB_NONE)
		conn->txq_tail = SLAB_NONE;
	return rtt_us;
}

void
txq_clear(struct tcp *tcp, struct rill_conn *conn)
{
	while (conn->txq_head != SLAB_NONE) {
		uint32_t index = conn->txq_head;

		conn->txq_head = tcp_record_at(tcp, index)->next;
		record_free(tcp, conn, index);
	}
	conn->txq_tail = conn->txq_unsent = SLAB_NONE;
	conn->txq_bytes = 0;
}
