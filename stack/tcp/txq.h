/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TCP_TXQ_H
#define RILL_TCP_TXQ_H

/*
 * The send queue: a list of records, from snd_una on. The ones that were sent come first.
 */

#include <rte_mbuf.h>

#include "ack.h"
#include "tcp.h"

/* Records that rill_send must leave for splitting what is queued already. */
static inline uint32_t
txq_record_reserve(const struct tcp *tcp)
{
	return tcp->records.capacity / 8;
}

static inline uint32_t
txq_records_free(const struct tcp *tcp)
{
	return tcp->records.capacity - tcp->records.used;
}

/*
 * Appends one mbuf segment whose bytes are all payload. Takes the reference. A record is available.
 */
void txq_append(struct tcp *tcp, struct rill_conn *conn, struct rte_mbuf *mbuf, uint8_t flags);

/*
 * Cuts a record after len bytes (0 < len < its length); the rest becomes a record of its own behind
 * it. Returns false when no record is left.
 */
bool txq_split(struct tcp *tcp, struct rill_conn *conn, uint32_t index, uint32_t len);

/* When the frame that carried a record last left for the NIC (us32). */
uint32_t txq_sent_us(const struct tcp *tcp, const struct record *record);

/* Takes facts->bytes off the front: acknowledged. Adds to facts. */
void txq_ack(struct tcp *tcp, struct rill_conn *conn, struct ack_facts *facts);

/*
 * The same without a scoreboard and a pacer: takes so many bytes off. Returns the round trip of the
 * newest record that was sent once only, 0: there is none. (Of one that was sent again, a probe of the
 * window say, txq_ack might know it by its timestamp.)
 */
uint32_t txq_ack_plain(struct tcp *tcp, struct rill_conn *conn, uint32_t bytes);

/*
 * The records from index on that one segment carried when they were last sent: returns the first
 * behind them, and their bytes in *len.
 */
uint32_t txq_segment(
	const struct tcp *tcp, const struct rill_conn *conn, uint32_t index, uint32_t *len);

/*
 * May headers be written in front of this record's bytes, in its own buffer? Only the first time,
 * when nobody else refers to the buffer, and the record covers all of it.
 */
static inline bool
record_takes_headers(const struct record *record, uint32_t header_len)
{
	const struct rte_mbuf *mbuf = record->mbuf;

	return !(record->flags & RECORD_SENT) && RTE_MBUF_DIRECT(mbuf) &&
	       rte_mbuf_refcnt_read(mbuf) == 1 && record->off == mbuf->data_off &&
	       record->len == mbuf->data_len && mbuf->data_off >= header_len;
}

/* Frees everything. */
void txq_clear(struct tcp *tcp, struct rill_conn *conn);

/* Bytes that were never sent. */
static inline uint32_t
txq_unsent_bytes(const struct rill_conn *conn)
{
	uint32_t control = (conn->flags & CONN_FIN_SENT) ? 1 : 0;
	uint32_t sent = conn_outstanding(conn);

	if (conn->txq_unsent == SLAB_NONE)
		return 0;
	return conn->txq_bytes + control - sent;
}

/* The sequence number behind the last queued byte. */
static inline seq_t
txq_end(const struct rill_conn *conn)
{
	return seq_add(conn->snd_una, conn->txq_bytes);
}

#endif
