/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ECHO_SESSION_H
#define ECHO_SESSION_H

/*
 * A session is what rill-echo knows of a connection beyond the connection itself. There is one only
 * while something is in progress: an unfinished message, an answer that found the send queue full, an
 * end that waits. A raw connection that is never blocked has none.
 *
 * Order of sending: out, then out_mbuf, then last_words, then the end (FIN or RST). While any of it
 * waits, the session is blocked: reading is paused, and what arrives nevertheless goes to in.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rill/conn.h>
#include <rill/lane.h>

#include "bytes.h"
#include "frame.h"
#include "http.h"
#include "lane.h"

enum session_ending {
	ENDING_NONE,
	ENDING_CLOSE,  /* FIN once all is sent; the peer has finished */
	ENDING_LINGER, /* FIN once all is sent; then drain the peer, so that no RST overtakes the answer */
	ENDING_ABORT,  /* RST once all is sent */
};

/* After the FIN of ENDING_LINGER the peer has this long to finish as well. */
#define SESSION_LINGER_US 5000000u
/* When the lane had no buffers: how soon to try again. */
#define SESSION_RETRY_US 1000u

struct session {
	struct rill_conn *conn;
	struct echo_lane *lane;
	struct rte_mbuf *in;       /* received and not processed yet */
	struct bytes out;          /* to be sent */
	struct rte_mbuf *out_mbuf; /* to be sent after out */
	struct bytes hold;         /* the bytes of an unfinished message */
	const char *last_words;    /* to be sent after out_mbuf, then the end */
	uint64_t active_us;        /* lane time of the last traffic */
	struct rill_timer idle;
	struct rill_timer later;   /* SESSION_RETRY_US, and SESSION_LINGER_US after the FIN */
	enum session_ending ending;
	bool paused;  /* rill_pause is in force */
	bool eof;     /* the peer finished */
	bool ended;   /* FIN was given to Rill */
	bool dead;    /* nothing can be sent any more; on_close follows */
	union {
		struct frame frame; /* line, length */
		struct http http;
	} u;
};

/* For rill_listen. */
extern const struct rill_handler session_handler;

/* The connection's session, made if there is none. NULL: the connection was aborted, and counted. */
struct session *session_need(struct echo_lane *lane, struct rill_conn *conn);

/* Whether anything waits to be sent. */
static inline bool
session_blocked(const struct session *s)
{
	return s->out.len > 0 || s->out_mbuf != NULL;
}

/* Sends what can be sent and takes the next step: pause, go on reading, end, or give the session back
 * (s is void then). Every path of a protocol that has a session ends with it. */
void session_run(struct session *s);

/* Queues bytes: at once if nothing waits, as a copy otherwise. */
void session_say(struct session *s, const void *data, uint32_t len);

/* Queues all bytes of a queue, without copying. */
void session_say_bytes(struct session *s, struct bytes *bytes);

/* Queues a chain; it is the last thing that is said before session_run. */
void session_say_mbuf(struct session *s, struct rte_mbuf *chain);

/* Adds to the unfinished message a chain's bytes from offset on. Returns 0 or -ENOBUFS (counted). */
int session_hold(struct session *s, const struct rte_mbuf *chain, uint32_t offset);

/* Ends the session once all is sent; in is dropped. words may be NULL. */
void session_end(struct session *s, enum session_ending ending, const char *words);

/* The server is to stop: ends what is owed nothing. For rill_lane_each. */
void session_drain(struct rill_conn *conn, void *unused);

#endif
