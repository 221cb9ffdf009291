/* SPDX-License-Identifier: BSD-3-Clause */
#include "session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_mbuf.h>

#include "chain.h"
#include "proto.h"

#define container_of_timer(timer, field) \
	((struct session *)((char *)(timer) - offsetof(struct session, field)))

#define IDLE_STEP_US 3600000000u

static void on_idle(struct rill_lane *lane, struct rill_timer *timer);
static void on_later(struct rill_lane *lane, struct rill_timer *timer);

static struct rill_lane *
rill_lane_of(const struct session *s)
{
	return rill_conn_lane(s->conn);
}

static void
touch(struct session *s)
{
	s->active_us = rill_lane_now(rill_lane_of(s));
}

/* In steps that any timer of Rill can do; on_idle finds out whether it is time. */
static void
arm_idle(struct session *s, uint64_t delay_us)
{
	if (delay_us > IDLE_STEP_US)
		delay_us = IDLE_STEP_US;
	rill_timer_start(rill_lane_of(s), &s->idle, delay_us);
}

static struct session *
session_start(struct echo_lane *lane, struct rill_conn *conn)
{
	struct session *s = pool_get(&lane->sessions);

	if (s == NULL)
		return NULL;
	memset(s, 0, sizeof(*s));
	s->conn = conn;
	s->lane = lane;
	s->idle.fn = on_idle;
	s->later.fn = on_later;
	touch(s);
	if (lane->idle_timeout_us != 0)
		arm_idle(s, lane->idle_timeout_us);
	if (lane->proto->on_start != NULL)
		lane->proto->on_start(s);
	rill_conn_set_user(conn, s);
	return s;
}

struct session *
session_need(struct echo_lane *lane, struct rill_conn *conn)
{
	struct session *s = rill_conn_user(conn);

	if (s == NULL)
		s = session_start(lane, conn);
	if (s == NULL) {
		ECHO_COUNT(lane, no_session);
		rill_abort(conn);
	}
	return s;
}

static void
drop_input(struct session *s)
{
	rte_pktmbuf_free(s->in);
	s->in = NULL;
}

static void
drop_all(struct session *s)
{
	struct pool *blocks = &s->lane->blocks;

	drop_input(s);
	rte_pktmbuf_free(s->out_mbuf);
	s->out_mbuf = NULL;
	s->last_words = NULL;
	bytes_drop(blocks, &s->out, s->out.len);
	bytes_drop(blocks, &s->hold, s->hold.len);
}

static void
session_free(struct session *s)
{
	struct rill_lane *lane = rill_lane_of(s);

	drop_all(s);
	if (s->lane->proto->on_end != NULL)
		s->lane->proto->on_end(s);
	rill_timer_stop(lane, &s->idle);
	rill_timer_stop(lane, &s->later);
	rill_conn_set_user(s->conn, NULL);
	pool_put(&s->lane->sessions, s);
}

/* What could not be sent: on_sent or the timer tries again, or there is nobody to send to. */
static void
send_refused(struct session *s, int rc)
{
	if (rc == -EAGAIN)
		return;
	if (rc == -ENOBUFS) {
		rill_timer_start(rill_lane_of(s), &s->later, SESSION_RETRY_US);
		return;
	}
	if (rc != -EPIPE && rc != -ENOTCONN) {
		ECHO_COUNT(s->lane, send_failed);
		rill_abort(s->conn);
	}
	s->dead = true;
	drop_all(s);
}

static bool
send_bytes(struct session *s)
{
	const void *data;
	uint32_t n;

	while ((n = bytes_peek(&s->out, &data)) > 0) {
		int rc = rill_write(s->conn, data, n);

		if (rc < 0) {
			send_refused(s, rc);
			return false;
		}
		bytes_drop(&s->lane->blocks, &s->out, (uint32_t)rc);
	}
	return true;
}

/* A chain that the queue does not take as a whole goes mbuf by mbuf. */
static bool
send_mbuf(struct session *s)
{
	while (s->out_mbuf != NULL) {
		struct rte_mbuf *first = s->out_mbuf, *rest;
		int rc = rill_send(s->conn, first);

		if (rc == 0) {
			s->out_mbuf = NULL;
			break;
		}
		if ((rc == -EAGAIN || rc == -EMSGSIZE) && first->next != NULL) {
			rest = chain_pop(first);
			rc = rill_send(s->conn, first);
			if (rc == 0) {
				s->out_mbuf = rest;
				continue;
			}
			rte_pktmbuf_chain(first, rest);
		}
		send_refused(s, rc);
		return false;
	}
	return true;
}

static bool
send_all(struct session *s)
{
	return send_bytes(s) && send_mbuf(s);
}

static void
pause_reading(struct session *s)
{
	if (!s->paused && !s->eof && !s->dead) {
		s->paused = true;
		rill_pause(s->conn);
	}
}

static void
resume_reading(struct session *s)
{
	if (s->paused) {
		s->paused = false;
		rill_resume(s->conn);
	}
}

/* From here on Rill alone ends the connection, unless the idle timeout must watch it. */
static void
leave_to_rill(struct session *s)
{
	s->ended = true;
	rill_timer_stop(rill_lane_of(s), &s->later);
	if (s->lane->idle_timeout_us == 0)
		session_free(s);
}

/* All was sent: FIN or RST. */
static void
finish(struct session *s)
{
	if (s->ending == ENDING_ABORT) {
		s->dead = true;
		rill_abort(s->conn);
		return;
	}
	if (s->ending == ENDING_LINGER && !s->eof) {
		s->ended = true;
		rill_shutdown(s->conn);
		resume_reading(s);
		rill_timer_start(rill_lane_of(s), &s->later, SESSION_LINGER_US);
		return;
	}
	rill_close(s->conn);
	leave_to_rill(s);
}

static void
run_ending(struct session *s)
{
	drop_input(s);
	if (s->last_words != NULL) {
		const char *words = s->last_words;

		s->last_words = NULL;
		session_say(s, words, (uint32_t)strlen(words));
	}
	if (session_blocked(s))
		pause_reading(s);
	else if (!s->dead)
		finish(s);
}

void
session_run(struct session *s)
{
	const struct proto *proto = s->lane->proto;

	if (s->dead || s->ended)
		return;
	while (send_all(s) && s->in != NULL && s->ending == ENDING_NONE)
		proto->on_sent(s);
	if (s->dead)
		return;
	if (session_blocked(s)) {
		pause_reading(s);
		return;
	}
	if (s->eof && s->ending == ENDING_NONE) {
		if (proto->on_eof != NULL)
			proto->on_eof(s);
		if (s->ending == ENDING_NONE)
			s->ending = ENDING_CLOSE;
		if (!send_all(s))
			return;
	}
	if (s->ending != ENDING_NONE) {
		run_ending(s);
		return;
	}
	resume_reading(s);
	if (s->lane->idle_timeout_us == 0 && proto->is_resting(s))
		session_free(s);
}

void
session_say(struct session *s, const void *data, uint32_t len)
{
	const uint8_t *p = data;

	while (len > 0 && !session_blocked(s)) {
		int rc = rill_write(s->conn, p, len);

		if (rc < 0) {
			send_refused(s, rc);
			break;
		}
		p += rc;
		len -= (uint32_t)rc;
	}
	if (s->dead || len == 0)
		return;
	if (bytes_append(&s->lane->blocks, &s->out, p, len) != 0) {
		/* Half an answer is worse than none. */
		ECHO_COUNT(s->lane, no_hold);
		s->ending = ENDING_ABORT;
	}
}

void
session_say_bytes(struct session *s, struct bytes *bytes)
{
	bytes_splice(&s->out, bytes);
}

void
session_say_mbuf(struct session *s, struct rte_mbuf *chain)
{
	s->out_mbuf = chain;
}

int
session_hold(struct session *s, const struct rte_mbuf *chain, uint32_t offset)
{
	for (; chain != NULL; chain = chain->next) {
		if (offset >= chain->data_len) {
			offset -= chain->data_len;
			continue;
		}
		if (bytes_append(&s->lane->blocks, &s->hold,
			    rte_pktmbuf_mtod_offset(chain, const uint8_t *, offset),
			    chain->data_len - offset) != 0) {
			ECHO_COUNT(s->lane, no_hold);
			return -ENOBUFS;
		}
		offset = 0;
	}
	return 0;
}

void
session_end(struct session *s, enum session_ending ending, const char *words)
{
	s->ending = ending;
	s->last_words = words;
	drop_input(s);
	bytes_drop(&s->lane->blocks, &s->hold, s->hold.len);
}

void
session_drain(struct rill_conn *conn, void *unused)
{
	struct echo_lane *lane = echo_lane_of(conn);
	struct session *s = rill_conn_user(conn);
	struct rill_conn_info info;

	rill_conn_info(conn, &info);
	if (lane->proto->is_over == NULL || info.state != RILL_ESTABLISHED)
		return;
	if (s == NULL) {
		s = session_start(lane, conn);
		if (s == NULL)
			return;
	} else if (s->ending != ENDING_NONE || session_blocked(s) || s->in != NULL ||
		!lane->proto->is_over(s)) {
		return;
	}
	session_end(s, ENDING_LINGER, NULL);
	session_run(s);
}

static void
on_open(struct rill_conn *conn)
{
	struct echo_lane *lane = echo_lane_of(conn);

	if (lane->verbose)
		fprintf(stderr, "rill-echo: %p opened\n", (void *)conn);
	if (lane->idle_timeout_us != 0)
		session_need(lane, conn);
}

static void
on_data(struct rill_conn *conn, struct rte_mbuf *data)
{
	struct echo_lane *lane = echo_lane_of(conn);
	struct session *s = rill_conn_user(conn);

	if (s != NULL) {
		touch(s);
		if (s->ending != ENDING_NONE || s->dead) {
			rte_pktmbuf_free(data);
			return;
		}
		if (session_blocked(s) || s->in != NULL) {
			if (s->in == NULL)
				s->in = data;
			else if (rte_pktmbuf_chain(s->in, data) != 0) {
				rte_pktmbuf_free(data);
				session_end(s, ENDING_ABORT, NULL);
			}
			return;
		}
	}
	lane->proto->on_data(lane, conn, s, data);
}

static void
on_sent(struct rill_conn *conn, uint32_t bytes_acked)
{
	struct session *s = rill_conn_user(conn);

	if (s == NULL)
		return;
	touch(s);
	if (session_blocked(s))
		session_run(s);
}

static void
on_eof(struct rill_conn *conn)
{
	struct session *s = rill_conn_user(conn);

	if (s == NULL) {
		rill_close(conn);
		return;
	}
	touch(s);
	s->eof = true;
	if (s->dead)
		return;
	if (s->ended)
		leave_to_rill(s); /* it lingered, and now both sides have finished */
	else
		session_run(s);
}

static void
on_close(struct rill_conn *conn, enum rill_close_reason why)
{
	struct echo_lane *lane = echo_lane_of(conn);
	struct session *s = rill_conn_user(conn);

	if (lane->verbose)
		fprintf(stderr, "rill-echo: %p closed: %s\n", (void *)conn,
			rill_close_reason_name(why));
	if (s != NULL)
		session_free(s);
}

const struct rill_handler session_handler = {
	.on_open = on_open,
	.on_data = on_data,
	.on_sent = on_sent,
	.on_eof = on_eof,
	.on_close = on_close,
};

/* No buffers before, or a peer that does not finish after our FIN. */
static void
on_later(struct rill_lane *lane, struct rill_timer *timer)
{
	struct session *s = container_of_timer(timer, later);

	if (!s->ended) {
		session_run(s);
		return;
	}
	ECHO_COUNT(s->lane, linger_ended);
	s->ending = ENDING_CLOSE;
	finish(s);
}

/* The session's deadline moved on with each traffic; only here it is looked at. */
static void
on_idle(struct rill_lane *lane, struct rill_timer *timer)
{
	struct session *s = container_of_timer(timer, idle);
	uint64_t idle_us = rill_lane_now(lane) - s->active_us;
	struct rill_conn_info info;

	if (idle_us < s->lane->idle_timeout_us) {
		arm_idle(s, s->lane->idle_timeout_us - idle_us);
		return;
	}
	if (s->dead)
		return;
	rill_conn_info(s->conn, &info);
	/* A peer that does not take what it is owed, or does not end after our FIN, gets RST. */
	if (s->ended || session_blocked(s) || info.snd_queued > 0) {
		if (!s->ended)
			ECHO_COUNT(s->lane, idle_ended);
		s->dead = true;
		rill_abort(s->conn);
		return;
	}
	ECHO_COUNT(s->lane, idle_ended);
	s->ending = ENDING_CLOSE;
	arm_idle(s, s->lane->idle_timeout_us);
	finish(s);
}
