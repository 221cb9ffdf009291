/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_PERF_SERVER_H
#define RILL_PERF_SERVER_H

/*
 * What serves at the lane's end of a ring wire: Rill, or the limit. Both are driven turn by turn on
 * one core, over the same kind of wire, and answer the same player.
 */

#include <stdbool.h>
#include <stdint.h>

#include "player.h"
#include "ring_wire.h"
#include "stages.h"

struct server;

#define SERVER_SPARE                                                                               \
	1024 /* connections beyond the flows: freed ones rest before they are used again */

/* What a turn did. */
struct server_turn {
	uint16_t received; /* frames */
	uint32_t sent;
	bool worked;                  /* it did something, be it only a timer */
	uint64_t stages[STAGES_ROOM]; /* cycles; 0: the server has no such stage */
};

struct server_ops {
	const char *name;
	void (*turn)(struct server *server, struct server_turn *turn);
	/* The server's clock stood still for so many cycles of the TSC: somebody else was measured.
	 */
	void (*paused)(struct server *server, uint64_t cycles);
	/* Connections that it holds. */
	uint32_t (*connections)(const struct server *server);
	/*
	 * Ends it and its wire. Returns the number of buffers that did not come back to their
	 * pools.
	 */
	unsigned int (*destroy)(struct server *server);
};

struct server {
	const struct server_ops *ops;
	struct ring_wire *wire; /* NULL: it serves at a port of another kind */
};

struct server_setup {
	const char *name; /* of its pools and rings: its own in the process */
	enum player_work work;
	struct fetch_shape fetch; /* PLAYER_SOURCE: what a request asks for, */
	uint32_t fetches;         /* and how many of them are under way at most */
	uint32_t flows;
	uint32_t buffers; /* of a pool */
	uint16_t burst;
	bool checksums; /* the wire's work, not the server's */
};

/* EAL runs, and the calling thread is to drive the server. NULL with a sentence on stderr. */
struct server *rill_server_create(const struct server_setup *setup);
struct server *limit_create(const struct server_setup *setup);

/* The limit on a port that is the caller's, and outlives it. */
struct server *limit_create_on(const struct server_setup *setup, struct port *port);

#endif
