/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_SESSION_H
#define SIM_SESSION_H

/*
 * What applications do in a simulated run: sessions of one connection each, or of many after each
 * other, with a client on one host and a server on another, drawn from the seed.
 */

#include "invariants.h"
#include "world.h"

#define SESSIONS_MAX 8
#define LIVES_MAX 30
#define SERVER_PORT 100
#define CLIENT_PORT 20000
#define CLIENT_PORTS 4000 /* that one session may use up */

enum plan {
	PLAN_BULK,    /* both send what they have, then rill_shutdown; both wait for the end of the
			 other */
	PLAN_REQUEST, /* the client asks, the server answers, so many times; the client closes */
	PLAN_ECHO,    /* the server sends back the very buffers that it gets */
	PLAN_CLOSE,   /* as BULK, but whoever has sent and received everything uses rill_close */
	PLAN_ABORT,   /* as BULK, but one side aborts in the middle */
	PLAN_DESERT,  /* as BULK, but one side uses rill_close in the middle, while the other still
			 sends */
	PLAN_MANY,    /* as CLOSE, and many short connections after each other */
	PLANS
};

/* One end of a session. */
struct end {
	struct session *session;
	struct end *other;
	struct host *host;
	struct sim_lane *lane; /* that it connects from, or was accepted on */
	bool server;
	struct rill_conn *conn; /* NULL before and after */
	unsigned int opened, eofs, closed;
	enum rill_close_reason why;
	uint64_t closed_at;
	uint32_t to_send, sent, received;
	uint32_t chunk_max; /* bytes per send call */
	bool uses_mbufs;    /* rill_send rather than rill_write */
	bool consumes;      /* manual_consume */
	uint32_t pause_ppm; /* of a million on_data calls */
	bool paused, finished_sending, deserts, blocked;
	bool by_mail;              /* it sends from functions that it posts to its lane, */
	bool mailed;               /* of which one is under way */
	struct rte_mbuf *owed;     /* echo: a buffer that the queue did not take yet */
	struct rte_mbuf *held;     /* one buffer that the application keeps for a while, */
	struct rill_lane *held_of; /* which is this lane's */
};

struct session {
	struct world *world;
	unsigned int id;
	enum plan plan;
	bool ip6;
	uint32_t request, response, rounds; /* PLAN_REQUEST */
	struct end ends[2];                 /* client, server */
	struct rill_options options[2];
	uint16_t server_port, client_port;
	bool impatient;     /* its options may end it, whatever is still to be sent */
	unsigned int lives; /* connections that are still to follow this one */
};

struct sessions {
	struct session all[SESSIONS_MAX];
	unsigned int count;
};

/* ---- session.c: what an end does */

extern const struct rill_handler session_handler;

/* Fails the world if rc is not 0. */
void end_expect(struct end *end, const char *what, int rc);
void end_trace(const struct end *end, const char *what);
/* An event: frees what the application holds. */
void end_lets_go(void *end, uint64_t value);

/* ---- options.c */

/* Draws the options of one end of the session, whose plan is known. */
void options_draw(const struct session *session, struct rill_options *options);

/* From now on this end changes an option of its connection now and then, so many times. */
void options_change_later(struct end *end, unsigned int times);

/* ---- plan.c */

/* One end has closed: if both have, the session's next connection may begin. */
void session_lives_again(struct session *session);

/* For invariants_reset: what the applications hold. */
void sessions_each_held(void *sessions, const struct sim_lane *lane, held_fn fn, void *arg);

/* Draws the sessions of the world's seed, makes their listeners, and plans their connects. */
void sessions_start(struct world *world, struct sessions *sessions);

/* Have all ended, at both ends? */
bool sessions_over(const struct sessions *sessions);

/* Did each end as its plan says, with every byte where it belongs? Fails the world if not. */
void sessions_check(struct world *world, const struct sessions *sessions);

/* Frees what applications still hold: of a run that failed. */
void sessions_let_go(struct sessions *sessions);

/* Who has not ended, for a stalled run. */
void sessions_print(struct world *world, const struct sessions *sessions);

#endif
