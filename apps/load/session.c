/* SPDX-License-Identifier: BSD-3-Clause */
#include "session.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <rte_mbuf.h>

static struct load_lane *
lane_of(const struct rill_conn *conn)
{
	return rill_lane_user(rill_conn_lane(conn));
}

/* ---- sending */

/* Hands over what there is room for. on_sent goes on with the rest. */
static void
session_push(struct load_lane *lane, struct session *s)
{
	uint32_t request = lane->settings->request;

	while (s->to_send > 0) {
		uint32_t at = (uint32_t)(request - s->to_send % request) % request;
		const uint8_t *bytes;
		uint64_t run = payload_run(lane->payload, at, &bytes);
		int n;

		if (run > s->to_send)
			run = s->to_send;
		n = rill_write(s->conn, bytes, (uint32_t)run);
		if (n <= 0)
			return;
		s->to_send -= (uint32_t)n;
	}
}

static void
session_stream(struct load_lane *lane, struct session *s)
{
	while (lane->phase == PHASE_RUNNING &&
		rill_write(s->conn, lane->payload->bytes, lane->payload->kept) ==
			(int)lane->payload->kept)
		;
}

bool
session_has_room(const struct load_lane *lane, const struct session *s)
{
	return s->is_open && s->to_send == 0 && s->under_way < lane->settings->pipeline;
}

void
session_request(struct load_lane *lane, struct session *s, uint64_t due_us)
{
	uint32_t at = (uint32_t)s->first + s->under_way;

	if (at >= lane->settings->pipeline)
		at -= lane->settings->pipeline;
	s->due[at] = due_us;
	s->under_way++;
	lane->under_way++;
	LOAD_COUNT(lane, requests);
	s->to_send += lane->settings->request;
	session_push(lane, s);
}

void
session_start_bulk(struct load_lane *lane, struct session *s)
{
	if (s->kind == LOAD_UPLOAD)
		session_stream(lane, s);
	if (s->kind == LOAD_DOWNLOAD) {
		s->to_send = lane->settings->request;
		session_push(lane, s);
	}
}

/* ---- replies */

/* The oldest request is done with. Returns when it was due. */
static uint64_t
session_pop(struct load_lane *lane, struct session *s)
{
	uint64_t due_us = s->due[s->first];

	s->under_way--;
	lane->under_way--;
	/* An empty ring begins anew: so that one that never fills touches little memory. */
	if (s->under_way == 0 || ++s->first == lane->settings->pipeline)
		s->first = 0;
	return due_us;
}

void
session_give_up(struct load_lane *lane, struct session *s)
{
	if (s->kind == LOAD_CONNECT && !s->is_open && !s->is_given_up) {
		s->is_given_up = true;
		load_lane_give_up_open(lane, s->due_us);
	}
	while (s->under_way > 0)
		load_lane_give_up(lane, session_pop(lane, s));
}

/* The exchange of a connection of mode connect is done. */
static void
session_finish(struct load_lane *lane, struct session *s)
{
	s->is_over = true;
	if (lane->settings->reset)
		rill_abort(s->conn);
	else
		rill_close(s->conn);
}

static void
session_replied(struct load_lane *lane, struct session *s)
{
	uint64_t due_us = session_pop(lane, s), now = load_lane_now(lane);

	LOAD_COUNT(lane, replies);
	if (load_lane_measures(lane, due_us))
		histogram_add(&lane->reply_us, now - due_us);
	if (s->kind == LOAD_CONNECT)
		session_finish(lane, s);
	else
		load_lane_ready(lane, s);
}

/* Compares what arrived with the request's bytes. Returns false at the first that differs. */
static bool
session_verify(const struct load_lane *lane, const struct session *s, const struct rte_mbuf *data)
{
	uint32_t at = s->got;

	for (; data != NULL; data = data->next) {
		const uint8_t *got = rte_pktmbuf_mtod(data, const uint8_t *);

		for (uint32_t left = data->data_len, n; left > 0; left -= n, got += n) {
			const uint8_t *bytes;

			n = payload_run(lane->payload, at, &bytes);
			n = n < left ? n : left;
			if (memcmp(got, bytes, n) != 0)
				return false;
			at = (at + n) % lane->settings->request;
		}
	}
	return true;
}

static void
session_take(struct load_lane *lane, struct session *s, uint32_t len)
{
	uint32_t reply = lane->settings->reply;

	while (s->under_way > 0 && (uint64_t)s->got + len >= reply) {
		len -= reply - s->got;
		s->got = 0;
		session_replied(lane, s);
		if (s->is_over)
			return;
	}
	s->got += len;
	if (s->under_way == 0) {
		LOAD_COUNT_N(lane, unexpected, s->got);
		s->got = 0;
	}
}

/* Mode connect: the connection is open. */
static void
session_exchange(struct load_lane *lane, struct session *s)
{
	if (s->is_given_up) {
		session_finish(lane, s);
		return;
	}
	if (load_lane_measures(lane, s->due_us))
		histogram_add(&lane->connect_us, load_lane_now(lane) - s->due_us);
	if (load_settings_exchange(lane->settings))
		session_request(lane, s, s->due_us);
	if (!lane->settings->reply_eof && lane->settings->reply == 0) {
		if (s->under_way > 0)
			session_replied(lane, s); /* sent is as good as answered */
		else
			session_finish(lane, s);
	}
}

/* ---- the connection's calls */

static void
on_open(struct rill_conn *conn)
{
	struct session *s = rill_conn_user(conn);
	struct load_lane *lane = lane_of(conn);

	s->is_open = true;
	load_lane_opened(lane, (enum load_kind)s->kind);
	if (s->kind == LOAD_ECHO)
		load_lane_ready(lane, s);
	else if (s->kind == LOAD_CONNECT)
		session_exchange(lane, s);
	else if (lane->phase == PHASE_RUNNING)
		session_start_bulk(lane, s);
	load_lane_pump(lane);
}

static void
on_data(struct rill_conn *conn, struct rte_mbuf *data)
{
	struct session *s = rill_conn_user(conn);
	struct load_lane *lane = lane_of(conn);
	bool exchanges = s->kind == LOAD_ECHO || s->kind == LOAD_CONNECT;
	uint32_t len = data->pkt_len;

	if (lane->phase == PHASE_FINISHED)
		exchanges = false; /* what comes now was given up */
	if (exchanges && lane->settings->verify && s->under_way > 0 &&
		!session_verify(lane, s, data)) {
		LOAD_COUNT(lane, mismatches);
		rill_abort(conn);
		exchanges = false;
	}
	rte_pktmbuf_free(data);
	if (exchanges && !lane->settings->reply_eof)
		session_take(lane, s, len);
	load_lane_pump(lane);
}

static void
on_sent(struct rill_conn *conn, uint32_t bytes_acked)
{
	struct session *s = rill_conn_user(conn);
	struct load_lane *lane = lane_of(conn);

	if (s->kind == LOAD_UPLOAD) {
		session_stream(lane, s);
	} else if (s->to_send > 0) {
		session_push(lane, s);
		if (s->kind == LOAD_ECHO && session_has_room(lane, s))
			load_lane_ready(lane, s);
	}
}

static void
on_eof(struct rill_conn *conn)
{
	struct session *s = rill_conn_user(conn);
	struct load_lane *lane = lane_of(conn);

	if (s->kind == LOAD_CONNECT && lane->settings->reply_eof && s->under_way > 0)
		session_replied(lane, s);
	else
		rill_close(conn); /* nothing more can come */
}

static void
on_close(struct rill_conn *conn, enum rill_close_reason why)
{
	struct session *s = rill_conn_user(conn);
	struct load_lane *lane = lane_of(conn);
	enum load_kind kind = (enum load_kind)s->kind;
	/* Ended by us, as it was to be; or, at the very end, with all others. */
	bool well = s->is_over && (why == RILL_CLOSE_DONE || why == RILL_CLOSE_ABORTED);

	if (!well && why != RILL_CLOSE_STOPPED) {
		lane->closed[why]++;
		if (s->is_open)
			LOAD_COUNT(lane, lost);
		else
			LOAD_COUNT(lane, failed);
	}
	session_give_up(lane, s);
	load_lane_unready(lane, s);
	load_lane_ended(lane, kind, s->is_open, well);
	pool_put(&lane->sessions, s);
}

static const struct rill_handler session_handler = {
	.on_open = on_open,
	.on_data = on_data,
	.on_sent = on_sent,
	.on_eof = on_eof,
	.on_close = on_close,
};

int
session_begin(struct load_lane *lane, enum load_kind kind, uint64_t due_us,
	const struct rill_endpoint *local, const struct rill_endpoint *remote)
{
	struct session *s = pool_get(&lane->sessions);
	int rc;

	if (s == NULL)
		return -ENOBUFS;
	*s = (struct session){.kind = (uint8_t)kind, .due_us = due_us};
	rc = rill_connect(lane->rill, local, remote,
		kind == LOAD_UPLOAD ? &lane->upload_options : NULL, &session_handler, s, &s->conn);
	if (rc != 0)
		pool_put(&lane->sessions, s);
	return rc;
}
