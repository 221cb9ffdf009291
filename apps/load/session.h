/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LOAD_SESSION_H
#define LOAD_SESSION_H

/*
 * A session is what is known of one connection: what it is for, what is under way on it, and what
 * waits for room in its send queue.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rill/conn.h>

#include "lane.h"

struct session {
	struct rill_conn *conn;
	struct session *next, *prev; /* in the lane's queue */
	uint64_t to_send;      /* bytes of requests that the send queue has no room for yet */
	uint64_t due_us;       /* of mode connect: when the connection was due */
	uint32_t got;          /* bytes of the reply that is arriving */
	uint16_t first, under_way; /* in the ring due */
	uint8_t kind;          /* enum load_kind */
	bool is_open;          /* on_open has run */
	bool is_ready;         /* it is in the lane's queue */
	bool is_over;          /* of mode connect: the exchange is done; nothing more to come */
	bool is_given_up;      /* of mode connect: it has not opened in time */
	uint64_t due[];        /* of the requests under way, oldest first: --pipeline of them */
};

/* Bytes of a session with that many requests under way at most. */
static inline uint32_t
session_size(uint32_t pipeline)
{
	return (uint32_t)(sizeof(struct session) + pipeline * sizeof(uint64_t));
}

/* Begins a connection. Returns 0, or a negative errno of rill_connect's, or -ENOBUFS. */
int session_begin(struct load_lane *lane, enum load_kind kind, uint64_t due_us,
	const struct rill_endpoint *local, const struct rill_endpoint *remote);

/* May it take one more request? */
bool session_has_room(const struct load_lane *lane, const struct session *s);

/* A request that is due. The session must have room. */
void session_request(struct load_lane *lane, struct session *s, uint64_t due_us);

/* Nothing of what is under way will be answered, an opening included. */
void session_give_up(struct load_lane *lane, struct session *s);

/* The load begins: for an open connection of a bulk kind. */
void session_start_bulk(struct load_lane *lane, struct session *s);

#endif
