/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_PERF_ROUNDS_H
#define RILL_PERF_ROUNDS_H

/*
 * Slices of a run. The calling thread is the lane: it serves while the player's thread, on another
 * core, does one job, and until everything of it is answered. The clock of a side that rests stands
 * still.
 */

#include "far_ring.h"
#include "wire_ring.h"

struct side_state {
	struct server *server;
	struct player *player;
	struct far_ring far;
	uint64_t rests_since; /* TSC */
};

/* Ties the calling thread to a core, or ends the program. */
void rounds_tie(int core);

/* The player's thread. */
void rounds_start_player(int core);
void rounds_stop_player(void);

/* Opens all connections; closes them, and hears the last of it. */
void rounds_open(struct side_state *side, double *cycles, double *per_second);
void rounds_close(struct side_state *side);

/* Each connection speaks once. */
void rounds_all(struct side_state *side);

/* All rounds, after one that warms up: a slice of each side, then one of each for each load. */
void rounds_run(const struct run_options *options, struct side_state sides[SIDES],
	struct run_results *results);

#endif
