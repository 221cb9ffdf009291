/* SPDX-License-Identifier: BSD-3-Clause */
#include "deliver.h"

#include <errno.h>

#include <rte_mbuf.h>

#include "misuse.h"
#include "payload.h"
#include "timers.h"

#define DELIVER_KEPT_MAX 16384u /* bytes in one on_data of what was kept, give or take a buffer */

/* Callbacks do not nest: what runs inside one only queues. */
static void
callback_begin(struct tcp *tcp, struct rill_conn *conn)
{
	RILL_DCHECK(tcp->in_callback == NULL);
	tcp->in_callback = conn;
}

static void
callback_end(struct tcp *tcp)
{
	tcp->in_callback = NULL;
}

void
deliver_open(struct tcp *tcp, struct rill_conn *conn)
{
	const struct rill_handler *handler = conn_handler(tcp, conn);

	conn->flags |= CONN_OPENED;
	if (handler->on_open == NULL)
		return;
	callback_begin(tcp, conn);
	handler->on_open(conn);
	callback_end(tcp);
}

void
deliver_sent(struct tcp *tcp, struct rill_conn *conn, uint32_t bytes)
{
	const struct rill_handler *handler = conn_handler(tcp, conn);

	if (handler->on_sent == NULL)
		return;
	callback_begin(tcp, conn);
	handler->on_sent(conn, bytes);
	callback_end(tcp);
}

void
deliver_urgent(struct tcp *tcp, struct rill_conn *conn, uint32_t bytes_left)
{
	const struct rill_handler *handler = conn_handler(tcp, conn);

	if (handler->on_urgent == NULL || (conn->flags & CONN_APP_CLOSED))
		return;
	callback_begin(tcp, conn);
	handler->on_urgent(conn, bytes_left);
	callback_end(tcp);
}

void
deliver_error(struct tcp *tcp, struct rill_conn *conn, int err)
{
	const struct rill_handler *handler = conn_handler(tcp, conn);

	conn->error = (uint8_t)err;
	if (handler->on_error == NULL || (conn->flags & CONN_APP_CLOSED) ||
		!conn_options(tcp, conn)->soft_errors)
		return;
	callback_begin(tcp, conn);
	handler->on_error(conn, err);
	callback_end(tcp);
}

bool
deliver_is_pending(const struct tcp *tcp, const struct rill_conn *conn)
{
	const struct sidecar *sidecar = conn_sidecar(tcp, conn);

	return sidecar != NULL && sidecar->kept != NULL;
}

/* Is data kept back rather than handed over? */
static bool
keeps_data(const struct tcp *tcp, const struct rill_conn *conn)
{
	return (conn->flags & (CONN_PAUSED | CONN_DELIVER)) || deliver_is_pending(tcp, conn);
}

bool
deliver_can_take(struct tcp *tcp, struct rill_conn *conn, struct rte_mbuf **data)
{
	struct rte_mbuf *kept;

	if (keeps_data(tcp, conn)) {
		if (conn_need_sidecar(tcp, conn) == NULL) {
			count_drop(tcp->counters, RILL_DROP_tcp_no_sidecar);
			return false;
		}
	} else if (!tcp->rx_scarce) { /* else it is not known when the application frees it */
		return true;
	}
	kept = tcp_keep_payload(tcp, *data);
	if (kept == NULL) {
		count_drop(tcp->counters, RILL_DROP_tcp_rcv_reserve);
		return false;
	}
	*data = kept;
	return true;
}

static void
keep(struct sidecar *sidecar, struct rte_mbuf *data)
{
	uint32_t len = data->pkt_len;

	sidecar->kept_bytes += len;
	if (sidecar->kept == NULL) {
		sidecar->kept = data;
	} else if (payload_copy_into(sidecar->kept_tail, data)) {
		sidecar->kept->pkt_len += len;
		return;
	} else {
		sidecar->kept->pkt_len += len;
		sidecar->kept->nb_segs = (uint16_t)(sidecar->kept->nb_segs + data->nb_segs);
		sidecar->kept_tail->next = data;
	}
	sidecar->kept_true += mbuf_true_size(data);
	sidecar->kept_tail = rte_pktmbuf_lastseg(data);
}

/* Counts what the application gets now; the urgent mark is behind once delivery has passed it. */
static void
count_delivered(struct tcp *tcp, struct rill_conn *conn, uint32_t len)
{
	struct sidecar *sidecar = conn_sidecar(tcp, conn);
	uint32_t before = conn->bytes_in_low;

	tcp->counters->bytes_in += len;
	conn->bytes_in_low += len;
	if (conn->bytes_in_low < before)
		conn->bytes_in_high++;
	if (conn_options(tcp, conn)->manual_consume)
		conn->unread += len;
	if (sidecar != NULL && (sidecar->flags & SIDECAR_URG_IN) &&
		seq_leq(sidecar->rcv_up, seq_sub(conn->rcv_nxt, sidecar->kept_bytes)))
		sidecar->flags &= (uint16_t)~SIDECAR_URG_IN;
}

static void
hand_over(struct tcp *tcp, struct rill_conn *conn, struct rte_mbuf *data)
{
	const struct rill_handler *handler = conn_handler(tcp, conn);

	count_delivered(tcp, conn, data->pkt_len);
	if (handler->on_data == NULL) {
		rte_pktmbuf_free(data);
		return;
	}
	callback_begin(tcp, conn);
	handler->on_data(conn, data);
	callback_end(tcp);
}

void
deliver_data(struct tcp *tcp, struct rill_conn *conn, struct rte_mbuf *data)
{
	if (keeps_data(tcp, conn))
		keep(conn_sidecar(tcp, conn), data);
	else
		hand_over(tcp, conn, data);
}

/*
 * The oldest of what is kept, cut after the mbuf that completes DELIVER_KEPT_MAX bytes: an
 * application that passes data on, and pauses again on the first piece, gets no more than it can
 * place.
 */
static struct rte_mbuf *
take_kept(struct sidecar *sidecar)
{
	struct rte_mbuf *data = sidecar->kept, *last = data, *rest;
	uint32_t len = last->data_len;
	uint16_t segs = 1;

	for (; last->next != NULL && len < DELIVER_KEPT_MAX; segs++) {
		last = last->next;
		len += last->data_len;
	}
	rest = last->next;
	last->next = NULL;
	if (rest != NULL) {
		rest->pkt_len = data->pkt_len - len;
		rest->nb_segs = (uint16_t)(data->nb_segs - segs);
	} else {
		sidecar->kept_tail = NULL;
	}
	data->pkt_len = len;
	data->nb_segs = segs;
	sidecar->kept = rest;
	sidecar->kept_bytes -= len;
	sidecar->kept_true -= mbuf_true_size(data);
	return data;
}

void
deliver_kept(struct tcp *tcp, struct rill_conn *conn)
{
	struct sidecar *sidecar = conn_sidecar(tcp, conn);

	while (!(conn->flags & (CONN_PAUSED | CONN_APP_CLOSED)) && sidecar != NULL &&
		sidecar->kept != NULL) {
		hand_over(tcp, conn, take_kept(sidecar));
		if (conn->flags & CONN_ENDED)
			return;
		conn->flags |= CONN_WINDOW_UPDATE;
		conn_mark_dirty(tcp, conn);
	}
	if (conn->flags & (CONN_PAUSED | CONN_APP_CLOSED | CONN_DELIVER))
		return; /* DELIVER: resumed meanwhile, and dirty: it comes again */
	deliver_eof(tcp, conn);
	if (conn->flags & CONN_ENDED)
		return;
	conn_drop_idle_sidecar(tcp, conn);
	if (conn->flags & CONN_FINISHED)
		conn_end(tcp, conn, RILL_CLOSE_DONE);
}

void
deliver_eof(struct tcp *tcp, struct rill_conn *conn)
{
	const struct rill_handler *handler = conn_handler(tcp, conn);

	if ((conn->flags & (CONN_FIN_RECEIVED | CONN_EOF_TOLD | CONN_APP_CLOSED)) !=
			CONN_FIN_RECEIVED ||
		keeps_data(tcp, conn))
		return;
	conn->flags |= CONN_EOF_TOLD;
	if (handler->on_eof == NULL)
		return;
	callback_begin(tcp, conn);
	handler->on_eof(conn);
	callback_end(tcp);
}

int
rill_pause(struct rill_conn *conn)
{
	MISUSE_CHECK(conn, -ENOTCONN);
	if (conn->flags & (CONN_ENDED | CONN_APP_CLOSED))
		return -ENOTCONN;
	conn->flags |= CONN_PAUSED;
	return 0;
}

int
rill_resume(struct rill_conn *conn)
{
	MISUSE_CHECK(conn, -ENOTCONN);
	if (conn->flags & (CONN_ENDED | CONN_APP_CLOSED))
		return -ENOTCONN;
	if (!(conn->flags & CONN_PAUSED))
		return 0;
	conn->flags = (conn->flags & ~CONN_PAUSED) | CONN_DELIVER;
	conn_wake(conn_tcp(conn), conn);
	return 0;
}

int
rill_consume(struct rill_conn *conn, uint32_t bytes)
{
	MISUSE_CHECK(conn, -ENOTCONN);
	if (conn->flags & (CONN_ENDED | CONN_APP_CLOSED))
		return -ENOTCONN;
	if (bytes > conn->unread)
		return -EINVAL;
	conn->unread -= bytes;
	conn->flags |= CONN_WINDOW_UPDATE;
	conn_wake(conn_tcp(conn), conn);
	return 0;
}

uint32_t
rill_urgent_left(const struct rill_conn *conn)
{
	const struct sidecar *sidecar;

	if (!(conn->flags & CONN_LIVE) || (conn->flags & CONN_ENDED))
		return 0;
	sidecar = conn_sidecar(conn_tcp(conn), conn);
	if (sidecar == NULL || !(sidecar->flags & SIDECAR_URG_IN))
		return 0;
	return sidecar->rcv_up.n - seq_sub(conn->rcv_nxt, sidecar->kept_bytes).n;
}
