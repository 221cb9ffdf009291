/* SPDX-License-Identifier: BSD-3-Clause */
#include "session.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <rte_mbuf.h>

#define RETRY_US (10 * MS) /* after -ENOBUFS */

static void pump(struct end *end);

/* The byte at an offset of the stream that an end sends. */
static uint8_t
stream_byte(const struct end *sender, uint32_t offset)
{
	uint32_t x = offset * 2654435761u + sender->session->id * 97 + sender->server * 7919;

	return (uint8_t)(x >> 24 ^ x >> 11);
}

static void
progress(struct end *end)
{
	end->session->world->progress_at = end->session->world->now;
}

void
end_expect(struct end *end, const char *what, int rc)
{
	if (rc != 0)
		world_fail(end->session->world, "session %u %s: %s returned %d", end->session->id,
			end->server ? "server" : "client", what, rc);
}

void
end_trace(const struct end *end, const char *what)
{
	world_trace(end->session->world, "   session %u %s %s: sent %u/%u received %u/%u",
		end->session->id, end->server ? "server" : "client", what, end->sent, end->to_send,
		end->received, end->other->to_send);
}

/* ---- sending */

static void
finish(struct end *end)
{
	struct session *s = end->session;

	if (end->finished_sending || end->conn == NULL)
		return;
	if (s->plan == PLAN_CLOSE && end->eofs == 0 && end->server)
		return; /* the server waits for the client's end, then closes */
	end->finished_sending = true;
	end_trace(end, "finishes");
	/* With bytes that are not consumed yet, rill_close would reset. */
	if ((s->plan == PLAN_CLOSE || s->plan == PLAN_REQUEST || s->plan == PLAN_MANY) &&
		!end->consumes && end->received == end->other->to_send)
		end_expect(end, "rill_close", rill_close(end->conn));
	else
		end_expect(end, "rill_shutdown", rill_shutdown(end->conn));
}

static void
retry(void *arg, uint64_t value)
{
	struct end *end = arg;

	end->blocked = false;
	if (end->conn != NULL && !end->finished_sending)
		pump(end);
}

/* A chain of buffers of the lane with the next len bytes; NULL: none to be had now. */
static struct rte_mbuf *
next_chain(struct end *end, uint32_t len)
{
	struct rill_lane *lane = rill_conn_lane(end->conn);
	uint32_t room = rill_buf_room(lane), at = 0;
	struct rte_mbuf *head = NULL;

	while (at < len) {
		uint32_t piece =
			RTE_MIN(len - at, 1 + chance_below(&end->session->world->app, room));
		struct rte_mbuf *mbuf;

		if (rill_buf_alloc(lane, piece, &mbuf) != 0) {
			rte_pktmbuf_free(head);
			return NULL;
		}
		for (uint32_t i = 0; i < piece; i++)
			rte_pktmbuf_mtod(mbuf, uint8_t *)[i] = stream_byte(end, end->sent + at + i);
		if (head == NULL)
			head = mbuf;
		else if (rte_pktmbuf_chain(head, mbuf) != 0) {
			rte_pktmbuf_free(mbuf);
			break;
		}
		at += piece;
	}
	return head;
}

static int
send_chain(struct end *end, uint32_t len)
{
	struct rte_mbuf *chain = next_chain(end, len);
	uint32_t bytes;
	int rc;

	if (chain == NULL)
		return -ENOBUFS;
	bytes = chain->pkt_len;
	rc = rill_send(end->conn, chain);
	if (rc != 0)
		rte_pktmbuf_free(chain);
	return rc == 0 ? (int)bytes : rc;
}

static int
write_bytes(struct end *end, uint32_t len)
{
	static uint8_t bytes[65536];

	for (uint32_t i = 0; i < len; i++)
		bytes[i] = stream_byte(end, end->sent + i);
	return rill_write(end->conn, bytes, len);
}

/* How far this end may send by now: a request waits for the answer before it, an answer for its
 * request. */
static uint32_t
allowed(const struct end *end)
{
	const struct session *s = end->session;
	uint32_t whole;

	if (s->plan != PLAN_REQUEST)
		return end->to_send;
	whole = end->received / (end->server ? s->request : s->response);
	if (end->server)
		return RTE_MIN(whole, s->rounds) * s->response;
	return RTE_MIN(whole + 1, s->rounds) * s->request;
}

static void
pump_now(struct end *end)
{
	struct chance *c = &end->session->world->app;

	while (end->sent < allowed(end)) {
		uint32_t len =
			RTE_MIN(1 + chance_below(c, end->chunk_max), allowed(end) - end->sent);
		int rc = end->uses_mbufs ? send_chain(end, len) : write_bytes(end, len);

		if (rc == -ENOBUFS) {
			end->blocked = true;
			world_after(end->session->world, RETRY_US, retry, end, 0);
		}
		/* Mail comes before on_close does, when both are due in one turn. */
		if (rc == -EAGAIN || rc == -ENOBUFS || (rc == -ENOTCONN && end->by_mail))
			return;
		if (rc <= 0) {
			world_fail(end->session->world, "session %u: send returned %d",
				end->session->id, rc);
			return;
		}
		end->sent += (uint32_t)rc;
		progress(end);
	}
	if (end->sent == end->to_send)
		finish(end);
}

static bool
has_to_pump(const struct end *end)
{
	return end->conn != NULL && !end->finished_sending && !end->blocked &&
	       !(end->session->plan == PLAN_ECHO && end->server);
}

static void
pump_by_mail(struct rill_lane *lane, void *arg)
{
	struct end *end = arg;

	end->mailed = false;
	if (end->conn != NULL && rill_conn_lane(end->conn) != lane)
		world_fail(end->session->world, "session %u: a post on another lane",
			end->session->id);
	if (has_to_pump(end))
		pump_now(end);
}

/* Some do it at once, inside the callback; others ask their lane by mail, as another thread would.
 */
static void
pump(struct end *end)
{
	if (!has_to_pump(end))
		return;
	if (!end->by_mail) {
		pump_now(end);
	} else if (!end->mailed) {
		end->mailed = true;
		end_expect(end, "rill_lane_post",
			rill_lane_post(rill_conn_lane(end->conn), pump_by_mail, end));
	}
}

/* ---- receiving */

static void
resume_later(void *arg, uint64_t value)
{
	struct end *end = arg;

	end->paused = false;
	if (end->conn != NULL && !(end->deserts && end->finished_sending))
		rill_resume(end->conn);
}

static void
consume_later(void *arg, uint64_t value)
{
	struct end *end = arg;
	uint32_t bytes = (uint32_t)value;

	if (end->conn != NULL && !end->finished_sending)
		end_expect(end, "rill_consume", rill_consume(end->conn, bytes));
	else if (end->conn != NULL)
		rill_consume(end->conn, bytes); /* after rill_close it may be refused */
}

void
end_lets_go(void *arg, uint64_t value)
{
	struct end *end = arg;

	rte_pktmbuf_free(end->held);
	end->held = NULL;
}

static void
verify(struct end *end, const struct rte_mbuf *data)
{
	const struct end *source =
		end->session->plan == PLAN_ECHO && !end->server ? end : end->other;
	uint32_t at = end->received;

	for (const struct rte_mbuf *piece = data; piece != NULL; piece = piece->next) {
		const uint8_t *bytes = rte_pktmbuf_mtod(piece, const uint8_t *);

		for (uint32_t i = 0; i < piece->data_len; i++, at++) {
			if (bytes[i] != stream_byte(source, at)) {
				world_fail(end->session->world,
					"session %u: byte %u received is wrong", end->session->id,
					at);
				return;
			}
		}
	}
	if (at - end->received != data->pkt_len)
		world_fail(end->session->world, "session %u: %u bytes in a chain of %u",
			end->session->id, at - end->received, data->pkt_len);
}

static void
pause_for_a_while(struct end *end)
{
	struct chance *c = &end->session->world->app;

	if (end->paused || !chance_hit(c, end->pause_ppm))
		return;
	end->paused = true;
	end_expect(end, "rill_pause", rill_pause(end->conn));
	world_after(end->session->world, chance_size(c, 1, 2 * SECOND), resume_later, end, 0);
}

static void
echo_again(void *arg, uint64_t value)
{
	struct end *end = arg;
	struct rte_mbuf *data = end->owed;
	uint32_t len;
	int rc;

	if (end->conn == NULL || data == NULL)
		return;
	len = data->pkt_len;
	rc = rill_send(end->conn, data);
	if (rc == -ENOBUFS)
		world_after(end->session->world, RETRY_US, echo_again, end, 0);
	if (rc != 0) /* on_sent follows -EAGAIN */
		return;
	end->owed = NULL;
	end->sent += len;
	end->paused = false;
	end_expect(end, "rill_resume", rill_resume(end->conn));
}

/* An echo server with a full queue keeps the buffer and stops reading until there is room. */
static void
echo(struct end *end, struct rte_mbuf *data)
{
	uint32_t len = data->pkt_len;
	int rc = rill_send(end->conn, data);

	if (rc == 0) {
		end->sent += len;
		return;
	}
	if (rc == -ENOBUFS)
		world_after(end->session->world, RETRY_US, echo_again, end, 0);
	else if (rc != -EAGAIN)
		world_fail(
			end->session->world, "session %u: echo returned %d", end->session->id, rc);
	if (end->owed != NULL)
		world_fail(end->session->world, "session %u: data while paused", end->session->id);
	end->owed = data;
	end->paused = true;
	end_expect(end, "rill_pause", rill_pause(end->conn));
}

/* ---- callbacks */

static void
end_opens(struct end *end)
{
	if (end->opened++ != 0)
		world_fail(end->session->world, "session %u: opened twice", end->session->id);
	end_trace(end, "on_open");
	progress(end);
	pump(end);
}

static void
on_open(struct rill_conn *conn)
{
	struct end *end = rill_conn_user(conn);
	struct rill_conn_info info;

	if (end->server) { /* the listener's user names the session */
		rill_conn_info(conn, &info);
		if (info.remote.port != end->session->client_port)
			world_fail(
				end->session->world, "a connection from port %u", info.remote.port);
		end->conn = conn;
		end->lane = host_lane_of(end->host, end->other->host->ip, end->session->server_port,
			end->session->client_port);
		if (end->lane->lane != rill_conn_lane(conn))
			world_fail(end->session->world, "a connection on the wrong lane");
	}
	end_opens(end);
}

static void
on_data(struct rill_conn *conn, struct rte_mbuf *data)
{
	struct end *end = rill_conn_user(conn);
	struct chance *c = &end->session->world->app;
	uint32_t len = data->pkt_len;

	verify(end, data);
	end->received += len;
	progress(end);
	if (end->eofs || end->closed || (end->deserts && end->finished_sending))
		world_fail(end->session->world, "session %u: data after the end", end->session->id);
	if (end->consumes)
		world_after(end->session->world, chance_size(c, 1, SECOND / 2), consume_later, end,
			len);
	if (end->session->plan == PLAN_ECHO && end->server) {
		echo(end, data);
		return;
	}
	if (end->held == NULL && chance_hit(c, 20000)) {
		end->held = data;
		end->held_of = rill_conn_lane(conn);
		world_after(end->session->world, chance_size(c, 1, SECOND), end_lets_go, end, 0);
	} else {
		rte_pktmbuf_free(data);
	}
	pause_for_a_while(end);
	pump(end);
}

static void
on_sent(struct rill_conn *conn, uint32_t bytes_acked)
{
	struct end *end = rill_conn_user(conn);

	if (end->owed != NULL)
		world_after(end->session->world, 0, echo_again, end, 0);
	pump(end);
}

static void
on_eof(struct rill_conn *conn)
{
	struct end *end = rill_conn_user(conn);

	if (end->eofs++ != 0)
		world_fail(end->session->world, "session %u: two ends of file", end->session->id);
	if (end->received != (end->other->deserts ? end->other->sent : end->other->to_send))
		world_fail(end->session->world, "session %u: end of file after %u bytes of %u",
			end->session->id, end->received, end->other->to_send);
	end_trace(end, "on_eof");
	progress(end);
	if (end->session->plan == PLAN_ECHO ? end->server : end->sent == end->to_send)
		finish(end);
}

static void
on_close(struct rill_conn *conn, enum rill_close_reason why)
{
	struct end *end = rill_conn_user(conn);

	if (end->closed++ != 0)
		world_fail(end->session->world, "session %u: closed twice", end->session->id);
	end->why = why;
	end->closed_at = end->session->world->now;
	end->conn = NULL;
	rte_pktmbuf_free(end->owed);
	end->owed = NULL;
	end_trace(end, rill_close_reason_name(why));
	progress(end);
	session_lives_again(end->session);
}

const struct rill_handler session_handler = {
	.on_open = on_open,
	.on_data = on_data,
	.on_sent = on_sent,
	.on_eof = on_eof,
	.on_close = on_close,
};
