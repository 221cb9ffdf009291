/* SPDX-License-Identifier: BSD-3-Clause */
/* What the application sends: into the queue, within its bounds. */
#include <errno.h>

#include <rte_mbuf.h>

#include "misuse.h"
#include "tcp.h"
#include "timers.h"
#include "txq.h"

/* 0 if the connection takes data now, else what rill_send is to return. */
static int
send_refusal(const struct rill_conn *conn)
{
	if (conn->flags & CONN_ENDED)
		return -ENOTCONN;
	if (conn->flags & CONN_FIN_QUEUED)
		return -EPIPE;
	return conn_can_send(conn) ? 0 : -ENOTCONN;
}

/* How long the queue may be for sure. */
static uint32_t
send_limit_least(const struct tcp *tcp, const struct rill_conn *conn)
{
	uint32_t sndbuf = (uint32_t)conn_options(tcp, conn)->sndbuf;

	return sndbuf > 0 ? sndbuf : TCP_SNDBUF_AUTO;
}

/* How long it may be now: where it is left to us, twice the congestion window, so that another
 * window's worth waits while one is out. */
static uint32_t
send_limit(const struct tcp *tcp, const struct rill_conn *conn)
{
	uint32_t least = send_limit_least(tcp, conn);
	uint32_t wanted = RTE_MIN(2 * conn->cc.cwnd, TCP_SNDBUF_AUTO_MAX);

	if (conn_options(tcp, conn)->sndbuf > 0)
		return least;
	return RTE_MAX(least, wanted);
}

static uint32_t
send_room(const struct tcp *tcp, const struct rill_conn *conn)
{
	uint32_t sndbuf = send_limit(tcp, conn);

	if (conn->txq_true > 0 && conn->txq_true / TCP_TRUE_FACTOR >= sndbuf)
		return 0;
	return conn->txq_bytes < sndbuf ? sndbuf - conn->txq_bytes : 0;
}

/* Is there room in any case, however long the queue may be now? */
static bool
send_fits(const struct tcp *tcp, const struct rill_conn *conn, uint32_t len)
{
	uint32_t least = send_limit_least(tcp, conn);

	return conn->txq_bytes + (uint64_t)len <= least && conn->txq_true / TCP_TRUE_FACTOR < least;
}

/* Remembers that the application waits for on_sent. */
static int
send_later(struct tcp *tcp, struct rill_conn *conn, int code)
{
	conn->flags |= CONN_WANTS_ROOM;
	if (conn->txq_bytes == 0)
		timers_room_wanted(tcp, conn); /* no ACK will come: a little later, then */
	return code;
}

uint32_t
rill_send_room(const struct rill_conn *conn)
{
	const struct tcp *tcp = conn_tcp(conn);

	return send_refusal(conn) == 0 ? send_room(tcp, conn) : 0;
}

/* Queues the segments of a chain one by one; each record holds one. */
static void
send_chain(struct tcp *tcp, struct rill_conn *conn, struct rte_mbuf *data)
{
	while (data != NULL) {
		struct rte_mbuf *next = data->next;

		data->next = NULL;
		data->nb_segs = 1;
		data->pkt_len = data->data_len;
		if (data->data_len > 0)
			txq_append(tcp, conn, data, 0);
		else
			rte_pktmbuf_free_seg(data);
		data = next;
	}
}

int
rill_send(struct rill_conn *conn, struct rte_mbuf *data)
{
	struct tcp *tcp = conn_tcp(conn);
	uint32_t len = data->pkt_len;
	struct rte_mbuf *kept;
	int refusal;

	MISUSE_CHECK(conn, -ENOTCONN);
	refusal = send_refusal(conn);
	if (refusal != 0)
		return refusal;
	if (!send_fits(tcp, conn, len)) {
		if (len > send_limit_least(tcp, conn))
			return -EMSGSIZE;
		if (len > send_room(tcp, conn))
			return send_later(tcp, conn, -EAGAIN);
	}
	if (txq_records_free(tcp) < data->nb_segs + txq_record_reserve(tcp))
		return send_later(tcp, conn, -ENOBUFS);
	kept = likely(!tcp->rx_low) ? data : tcp_keep_payload(tcp, data);
	if (kept == NULL)
		return send_later(tcp, conn, -ENOBUFS);
	RILL_DCHECK(kept->nb_segs > 1 || kept->next == NULL);
	if (likely(kept->nb_segs == 1 && kept->data_len == len && len > 0))
		txq_append(tcp, conn, kept, 0);
	else
		send_chain(tcp, conn, kept);
	conn_wake(tcp, conn);
	return 0;
}

/* Adds bytes to the last record, if it is a buffer of rill_write's that was not sent. Returns how
 * many. */
static uint32_t
write_into_tail(struct tcp *tcp, struct rill_conn *conn, const uint8_t *data, uint32_t len)
{
	struct record *tail;
	uint32_t room;

	if (conn->txq_tail == SLAB_NONE || conn->txq_unsent == SLAB_NONE)
		return 0;
	tail = tcp_record_at(tcp, conn->txq_tail);
	if (!(tail->flags & RECORD_WRITTEN) || (tail->flags & RECORD_SENT) ||
		rte_mbuf_refcnt_read(tail->mbuf) != 1 || tail->len >= conn->mss)
		return 0;
	room = RTE_MIN((uint32_t)rte_pktmbuf_tailroom(tail->mbuf), conn->mss - tail->len);
	len = RTE_MIN(len, room);
	memcpy(rte_pktmbuf_append(tail->mbuf, (uint16_t)len), data, len);
	tail->len += len;
	conn->txq_bytes += len;
	return len;
}

static void
spares_free(struct rte_mbuf *spares)
{
	struct rte_mbuf *next;

	for (; spares != NULL; spares = next) { /* no chain: each is a packet */
		next = spares->next;
		rte_pktmbuf_free_seg(spares);
	}
}

/* So many buffers, linked through next; NULL if there are not as many: then none is taken. */
static struct rte_mbuf *
spares_take(const struct tcp *tcp, uint32_t n)
{
	struct rte_mbuf *spares = NULL;

	for (; n > 0; n--) {
		struct rte_mbuf *mbuf = rte_pktmbuf_alloc(tcp->buf_pool);

		if (mbuf == NULL) {
			spares_free(spares);
			return NULL;
		}
		mbuf->next = spares;
		spares = mbuf;
	}
	return spares;
}

/* A buffer to write into: one of the spares, or (spares == NULL) of the pool if it may be. */
static struct rte_mbuf *
fresh_take(struct tcp *tcp, struct rte_mbuf **spares)
{
	struct rte_mbuf *mbuf;

	if (spares == NULL) {
		if (tcp->buf_low || txq_records_free(tcp) <= txq_record_reserve(tcp))
			return NULL;
		return rte_pktmbuf_alloc(tcp->buf_pool);
	}
	mbuf = *spares;
	RILL_ASSERT(mbuf != NULL);
	*spares = mbuf->next;
	mbuf->next = NULL;
	return mbuf;
}

/* Adds bytes in a fresh buffer of one segment at most. Returns how many; 0: no buffer or record. */
static uint32_t
write_into_fresh(struct tcp *tcp, struct rill_conn *conn, const uint8_t *data, uint32_t len,
	struct rte_mbuf **spares)
{
	struct rte_mbuf *mbuf = fresh_take(tcp, spares);

	if (mbuf == NULL)
		return 0;
	tcp_buf_taken(tcp, 1);
	len = RTE_MIN(len, (uint32_t)conn->mss);
	len = RTE_MIN(len, (uint32_t)rte_pktmbuf_tailroom(mbuf));
	memcpy(rte_pktmbuf_append(mbuf, (uint16_t)len), data, len);
	txq_append(tcp, conn, mbuf, RECORD_WRITTEN);
	return len;
}

/*
 * Copies bytes into the queue: as far as there is room, or all, into spares that the caller has
 * taken, and records that he has counted. Returns how many.
 */
static uint32_t
write_bytes(struct tcp *tcp, struct rill_conn *conn, const uint8_t *bytes, uint32_t len,
	struct rte_mbuf **spares)
{
	uint32_t taken = 0, room;

	while (taken < len && (room = spares != NULL ? len - taken : send_room(tcp, conn)) > 0) {
		uint32_t piece = RTE_MIN(len - taken, room);
		uint32_t n = write_into_tail(tcp, conn, bytes + taken, piece);

		if (n == 0)
			n = write_into_fresh(tcp, conn, bytes + taken, piece, spares);
		if (n == 0)
			break;
		taken += n;
	}
	return taken;
}

int
rill_write(struct rill_conn *conn, const void *data, uint32_t len)
{
	struct tcp *tcp = conn_tcp(conn);
	uint32_t taken;
	int refusal;

	MISUSE_CHECK(conn, -ENOTCONN);
	refusal = send_refusal(conn);
	if (refusal != 0)
		return refusal;
	if (len == 0)
		return 0;
	taken = write_bytes(tcp, conn, data, len, NULL);
	if (taken == 0)
		return send_later(tcp, conn, send_room(tcp, conn) == 0 ? -EAGAIN : -ENOBUFS);
	if (taken < len)
		conn->flags |= CONN_WANTS_ROOM;
	conn_wake(tcp, conn);
	return (int)taken;
}

int
rill_send_urgent(struct rill_conn *conn, const void *data, uint32_t len)
{
	struct tcp *tcp = conn_tcp(conn);
	uint32_t room = rte_pktmbuf_data_room_size(tcp->buf_pool) - RTE_PKTMBUF_HEADROOM;
	uint32_t pieces = len / RTE_MIN(room, (uint32_t)conn->mss) + 2, taken;
	struct sidecar *sidecar;
	struct rte_mbuf *spares;
	int refusal;

	MISUSE_CHECK(conn, -ENOTCONN);
	refusal = send_refusal(conn);
	if (refusal != 0)
		return refusal;
	if (len == 0)
		return -EINVAL;
	if (len > send_limit_least(tcp, conn))
		return -EMSGSIZE;
	if (len > send_room(tcp, conn))
		return send_later(tcp, conn, -EAGAIN);
	/*
	 * All or nothing: count the records that fresh segments would take, and take the buffers
	 * now. The application may have taken some of the pool itself, which nobody counts.
	 */
	if (txq_records_free(tcp) < pieces + txq_record_reserve(tcp) || tcp->buf_spare < pieces)
		return send_later(tcp, conn, -ENOBUFS);
	spares = spares_take(tcp, pieces);
	sidecar = spares != NULL ? conn_need_sidecar(tcp, conn) : NULL;
	if (sidecar == NULL) {
		spares_free(spares);
		return send_later(tcp, conn, -ENOBUFS);
	}
	taken = write_bytes(tcp, conn, data, len, &spares);
	spares_free(spares);
	RILL_ASSERT(taken == len);
	conn_wake(tcp, conn);
	/* The mark is the octet behind the urgent data [MUST-62]. */
	sidecar->flags |= SIDECAR_URG_OUT;
	sidecar->snd_up = txq_end(conn);
	return 0;
}
