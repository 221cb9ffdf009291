/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTS_LOAD_WORLD_H
#define TESTS_LOAD_WORLD_H

/*
 * One lane of rill-load and one lane with a server, both of the real stack, on a wire without delay,
 * under a clock that the test moves: 10 µs a turn.
 */

#include <stdbool.h>
#include <stdint.h>

#include "lane.h"

#define WORLD_PORT 7000
#define WORLD_STEP_US 10u

/* What the server does. */
struct world_server {
	bool deaf;                    /* it does not listen */
	bool silent;                  /* it reads and says nothing */
	bool talks;                   /* it speaks first: so many bytes, and then finishes */
	uint32_t talk_bytes;
	uint64_t stall_us, resume_us; /* between them it answers nothing; then all */
	bool lies;                    /* its echo differs in one byte */
	bool hangs_up;                /* it resets the connection on which the next data comes */

	uint64_t accepted, received, resets;
	uint32_t open, open_most;     /* connections at one time */
	uint32_t sources;             /* different addresses that connected, up to 32 */
	uint32_t seen[32];
};

struct world {
	struct load_settings settings;
	struct payload payload;
	struct load_lane load;
	struct rill_lane *client, *server;
	uint64_t now_us;
	struct world_server is;
};

extern struct world world;

/* Settings by default, and a target; change some, then world_start. */
void world_reset(void);

/* Makes the lanes; the load opens its connections from now on. */
void world_start(void);

/* Turns until at_us of the world's time. */
void world_run_until(uint64_t at_us);

/* Turns until all held connections are open; fails when that takes a second. */
void world_open(void);

/* Begins, and runs until the load is finished. */
void world_load(void);

/* Does nothing when there is no world. */
void world_end(void);

#endif
