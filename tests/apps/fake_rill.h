/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTS_FAKE_RILL_H
#define TESTS_FAKE_RILL_H

/*
 * The calls of Rill that applications make, for one lane and one connection, without a stack: what
 * the application sends is collected, and refused at random; what it must not do fails the test.
 *
 * Callbacks run from fake_deliver, fake_eof and fake_step only, never from inside a call.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rill/conn.h>
#include <rill/lane.h>

#define FAKE_SENT_MAX (8u << 20)

enum fake_end { FAKE_OPEN, FAKE_CLOSED, FAKE_ABORTED };

struct fake {
	const struct rill_handler *handler;
	void *lane_user, *conn_user;
	uint64_t now_us;
	uint64_t rng;
	uint32_t sndbuf;
	unsigned int refuse_percent; /* of sends refused though there is room */
	bool short_of_buffers;       /* some of those with -ENOBUFS */

	uint8_t *sent;               /* FAKE_SENT_MAX bytes, FIN not included */
	uint32_t sent_len, acked;
	bool owed;                   /* a send was refused: on_sent must follow */
	bool fin;                    /* the application finished sending */
	enum fake_end end;
	bool close_told;             /* on_close has run */
	bool paused;
	bool eof, eof_told;
	struct rte_mbuf *kept;       /* arrived while paused */
	unsigned int pauses, refusals;
	bool in_callback;
};

extern struct fake fake;

/* Starts anew, and calls on_open. */
void fake_open(const struct rill_handler *handler, void *lane_user, void *conn_user, uint64_t seed,
	unsigned int refuse_percent);

uint32_t fake_random(uint32_t below);

/* The peer's next bytes. */
void fake_deliver(struct rte_mbuf *data);

/* The peer's FIN. */
void fake_eof(void);

/* Some acknowledgments and what was kept; returns false when nothing is left to happen. */
bool fake_step(void);

/* Time passes; timers that get due run, in order. */
void fake_advance(uint64_t us);

/* Timers that run. */
unsigned int fake_timers(void);

/* The connection is lost. */
void fake_lose(enum rill_close_reason why);

#endif
