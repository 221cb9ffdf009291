/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ECHO_PROTO_H
#define ECHO_PROTO_H

/*
 * A protocol: how bytes become messages and messages become answers. One const table per protocol,
 * in a file of its own; session.c calls it, keeps order, and looks after sending and closing.
 */

#include <stdbool.h>
#include <stdint.h>

struct echo_lane;
struct rill_conn;
struct rte_mbuf;
struct session;

struct proto {
	const char *name;
	/* Data arrived and nothing waits before it. session is NULL while none was needed. All of data
	 * is taken: sent, kept in the session, or freed. */
	void (*on_data)(struct echo_lane *lane, struct rill_conn *conn, struct session *session,
		struct rte_mbuf *data);
	/* session->in holds data, and nothing waits to be sent: take at least some of it. */
	void (*on_sent)(struct session *session);
	/* The peer finished, and all its data was taken: say what is still to be said. The session
	 * ends by itself afterwards. NULL: nothing is. */
	void (*on_eof)(struct session *session);
	/* The server is to stop: is the peer owed nothing, so that this session may end now? NULL: it
	 * never may, it goes on until the peer ends. */
	bool (*is_over)(const struct session *session);
	/* Nothing of this connection is in progress: the session may be given back. */
	bool (*is_resting)(const struct session *session);
	/* A session begins, its union zeroed; and ends: give back what the union holds. May be NULL. */
	void (*on_start)(struct session *session);
	void (*on_end)(struct session *session);
};

extern const struct proto proto_raw, proto_line, proto_length, proto_http;

/* NULL: there is none of that name. */
const struct proto *proto_by_name(const char *name);

#endif
