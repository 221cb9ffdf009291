/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ECHO_LANE_H
#define ECHO_LANE_H

/* What rill-echo keeps for each lane: pools, counters, and texts that all its connections share. */

#include <stdbool.h>
#include <stdint.h>

#include <rill/conn.h>
#include <rill/lane.h>

#include "pool.h"

struct echo_settings;
struct proto;

/* Name, sentence for the summary. */
#define ECHO_COUNTER_LIST(X)                                                                       \
	X(messages, "messages echoed (raw: pieces)")                                               \
	X(too_long, "messages longer than --max-message: refused")                                 \
	X(no_session, "connections aborted because no session was left (--max-conns)")             \
	X(no_hold, "unfinished messages refused because their memory was full (--hold)")           \
	X(send_failed, "connections aborted because a buffer could not be sent")                   \
	X(http_refused, "http requests answered by an error")                                      \
	X(idle_ended, "connections ended by --idle-timeout")                                       \
	X(linger_ended, "peers that did not finish after our last answer")

struct echo_counters {
#define X(name, text) uint64_t name;
	ECHO_COUNTER_LIST(X)
#undef X
};

/* Written by its lane only, read by any thread. */
#define ECHO_COUNT_N(lane, name, n)                                                                \
	__atomic_store_n(&(lane)->count.name, (lane)->count.name + (n), __ATOMIC_RELAXED)
#define ECHO_COUNT(lane, name) ECHO_COUNT_N(lane, name, 1)

/* What one http answer's head, and a small body with it, is put together in. */
#define ECHO_SCRATCH_LEN 32768
/* "Sun, 06 Nov 1994 08:49:37 GMT" [9110 5.6.7] */
#define ECHO_DATE_LEN 32
#define ECHO_WORDS_LEN 80

struct echo_lane {
	const struct echo_settings *settings;
	const struct proto *proto;
	uint64_t idle_timeout_us; /* 0: none */
	uint32_t max_message;
	bool verbose;             /* a line for each connection */
	bool draining;            /* the server is to stop */
	struct pool sessions, blocks, heads;
	struct echo_counters count;
	char too_long[ECHO_WORDS_LEN]; /* last words of `line` */
	char date[ECHO_DATE_LEN];      /* for `http`, not older than a second */
	char scratch[ECHO_SCRATCH_LEN];
	/* The owner's. */
	void *owner;
	struct rill_timer tick;
	uint32_t ticks;
};

/* Reserves the pools. Returns 0, or -ENOMEM. settings must outlive it. */
int echo_lane_init(struct echo_lane *lane, const struct echo_settings *settings);
void echo_lane_fini(struct echo_lane *lane);

/* The date of `http` from now on. */
void echo_lane_date(struct echo_lane *lane, int64_t unix_seconds);

static inline struct echo_lane *
echo_lane_of(const struct rill_conn *conn)
{
	return rill_lane_user(rill_conn_lane(conn));
}

#endif
