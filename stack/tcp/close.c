/* SPDX-License-Identifier: BSD-3-Clause */
/* How connections end [9293 3.6, 3.10.4, 3.10.5]. */
#include "close.h"

#include <errno.h>

#include <rte_mbuf.h>

#include "deliver.h"
#include "emit.h"
#include "half_open.h"
#include "misuse.h"
#include "timers.h"

void
close_by_rst(struct tcp *tcp, struct rill_conn *conn, enum rill_close_reason why)
{
	/* None in SYN-SENT, CLOSING, LAST-ACK and TIME-WAIT [9293 3.10.5]. */
	switch ((enum rill_state)conn->state) {
	case RILL_SYN_RECEIVED:
	case RILL_ESTABLISHED:
	case RILL_FIN_WAIT_1:
	case RILL_FIN_WAIT_2:
	case RILL_CLOSE_WAIT:
		emit_rst(tcp, conn);
		break;
	default:
		break;
	}
	conn_end(tcp, conn, why);
}

void
close_soft_error(struct tcp *tcp, struct rill_conn *conn, int err)
{
	deliver_error(tcp, conn, err);
}

/*
 * Both sides are done. The tuple goes to TIME-WAIT, or is free; the application hears of it, once
 * it has been given everything that the peer sent: what was acknowledged is never lost.
 */
static void
finish(struct tcp *tcp, struct rill_conn *conn)
{
	/* The ACK of the FIN goes out first: the connection will not speak any more. */
	if (conn->flags & CONN_ACK_NOW)
		emit_ack(tcp, conn);
	conn_leave_table(tcp, conn);
	conn->flags |= CONN_FINISHED;
	conn->flags &= ~(CONN_ACK_NOW | CONN_ACK_DELAYED | CONN_RTO_ARMED | CONN_LINGER);
	wheel_cancel(tcp->wheel, &conn->timer);
	deliver_eof(tcp, conn);
	if (!(conn->flags & CONN_ENDED) && !deliver_is_pending(tcp, conn))
		conn_end(tcp, conn, RILL_CLOSE_DONE);
}

void
close_fin_acked(struct tcp *tcp, struct rill_conn *conn)
{
	if (!fsm_allows((enum rill_state)conn->state, FSM_RCV_ACK_OF_FIN))
		return;
	conn_step(conn, FSM_RCV_ACK_OF_FIN);
	if (conn->state == RILL_TIME_WAIT || conn->state == RILL_CLOSED) {
		finish(tcp, conn);
		return;
	}
	conn->stall_ms = ms32(tcp->now); /* FIN-WAIT-2 since now */
	timers_review(tcp, conn);
}

bool
close_fin_received(struct tcp *tcp, struct rill_conn *conn)
{
	conn->flags |= CONN_FIN_RECEIVED;
	conn_step(conn, FSM_RCV_FIN);
	if (conn->state != RILL_TIME_WAIT) {
		deliver_eof(tcp, conn);
		return conn->flags & CONN_ENDED;
	}
	finish(tcp, conn);
	return true;
}

/* The application finished sending: FIN goes after the queue. */
static void
finish_sending(struct tcp *tcp, struct rill_conn *conn)
{
	conn->flags = (conn->flags | CONN_FIN_QUEUED) & ~CONN_WANTS_ROOM;
	conn_step(conn, FSM_CLOSE);
	conn_wake(tcp, conn);
}

int
rill_shutdown(struct rill_conn *conn)
{
	MISUSE_CHECK(conn, -ENOTCONN);
	if (conn->flags & CONN_ENDED)
		return -ENOTCONN;
	if (conn->flags & CONN_FIN_QUEUED)
		return -EPIPE;
	if (conn->state == RILL_SYN_SENT || conn->state == RILL_SYN_RECEIVED)
		return -ENOTCONN;
	finish_sending(conn_tcp(conn), conn);
	return 0;
}

/* Bytes that the application was given or would have been, and did not read. */
static bool
has_unread_data(const struct tcp *tcp, const struct rill_conn *conn)
{
	const struct sidecar *sidecar = conn_sidecar(tcp, conn);

	return conn->unread > 0 || (sidecar != NULL && sidecar->kept_bytes > 0);
}

int
rill_close(struct rill_conn *conn)
{
	struct tcp *tcp = conn_tcp(conn);
	int32_t linger_ms;

	MISUSE_CHECK(conn, -ENOTCONN);
	if (conn->flags & (CONN_ENDED | CONN_APP_CLOSED))
		return -ENOTCONN;
	linger_ms = conn_options(tcp, conn)->linger_ms;
	if (conn->state == RILL_SYN_SENT || linger_ms == 0 || has_unread_data(tcp, conn)) {
		close_by_rst(tcp, conn, RILL_CLOSE_ABORTED);
		return 0;
	}
	if (conn->flags & CONN_FINISHED) { /* nothing is left to wait for */
		conn_end(tcp, conn, RILL_CLOSE_DONE);
		return 0;
	}
	conn->flags = (conn->flags | CONN_APP_CLOSED) & ~(CONN_PAUSED | CONN_DELIVER);
	if (conn->state == RILL_SYN_RECEIVED)
		conn->flags |= CONN_FIN_QUEUED; /* until our SYN is acknowledged [9293 3.10.4] */
	else if (!(conn->flags & CONN_FIN_QUEUED))
		finish_sending(tcp, conn);
	if (linger_ms > 0) {
		conn->flags |= CONN_LINGER;
		conn->linger_at_ms = ms32(tcp->now) + (uint32_t)linger_ms;
	}
	if (conn->state == RILL_FIN_WAIT_2)
		conn->stall_ms = ms32(tcp->now); /* an orphan's time begins */
	timers_review(tcp, conn);
	return 0;
}

int
rill_abort(struct rill_conn *conn)
{
	MISUSE_CHECK(conn, -ENOTCONN);
	if (conn->flags & CONN_ENDED)
		return -ENOTCONN;
	close_by_rst(conn_tcp(conn), conn, RILL_CLOSE_ABORTED);
	return 0;
}

void
tcp_addr_lost(struct tcp *tcp, const struct rill_addr *addr)
{
	half_open_abort_addr(tcp, addr);
	for (uint32_t i = 0; i < tcp->conns.fresh; i++) {
		struct rill_conn *conn = tcp_conn_at(tcp, i);

		if ((conn->flags & (CONN_LIVE | CONN_ENDED)) == CONN_LIVE &&
			tuple_is_at(&conn->key, addr))
			close_by_rst(tcp, conn, RILL_CLOSE_ABORTED);
	}
}

void
tcp_abort_all(struct tcp *tcp, enum rill_close_reason why, bool at_once)
{
	half_open_abort_all(tcp, NULL);
	for (uint32_t i = 0; i < tcp->conns.fresh; i++) {
		struct rill_conn *conn = tcp_conn_at(tcp, i);

		if (!at_once && !outbox_has_control_room(tcp->outbox))
			return;
		if ((conn->flags & (CONN_LIVE | CONN_ENDED)) == CONN_LIVE)
			close_by_rst(tcp, conn, why);
	}
}
