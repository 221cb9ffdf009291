/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_PERF_MEASURE_H
#define RILL_PERF_MEASURE_H

/*
 * What turns cost. Only those that did work count; the TSC is read around each, inside the lane's
 * loop. A turn that lasted MEASURE_INTERRUPTED_TIMES as long as turns do was not the server's alone
 * (the host, or another process, had the core): it is left out, with its share of the messages, and
 * counted.
 */

#include <stdbool.h>
#include <stdint.h>

#include "../../apps/common/histogram.h"
#include "server.h"

#define MEASURE_INTERRUPTED_TIMES 16
#define MEASURE_INTERRUPTED_LEAST_US 50
#define MEASURE_NO_BOUND UINT64_MAX
#define MEASURE_ROUNDS_MAX 64

struct measure {
	uint64_t bound;         /* cycles of a turn that was interrupted, or more */
	uint64_t turns, cycles; /* that did work */
	uint64_t full_turns;    /* of turns: with frames */
	uint64_t received, sent;
	uint64_t idle; /* turns without work */
	uint64_t interrupted, interrupted_cycles;
	struct histogram lengths; /* of turns with frames, in cycles */
};

void measure_begin(struct measure *measure, uint64_t bound);
void measure_turn(struct measure *measure, const struct server_turn *turn, uint64_t cycles);

/* The bound for what comes after this slice: never less than `least`. */
uint64_t measure_bound(const struct measure *measure, uint64_t least);

/* The figures of one slice of a run. */
enum figure {
	FIGURE_PER_MESSAGE, /* cycles */
	FIGURE_PER_FRAME,   /* cycles, received frames */
	FIGURE_BURST,       /* received frames of a turn that had some, mean */
	FIGURE_FRAMES,      /* received frames of a message */
	FIGURE_SENT,        /* sent frames of a message */
	FIGURE_TURN,        /* cycles of a turn with frames, median */
	FIGURE_BUSY,        /* share of all turns that did work */
	FIGURE_RATE,        /* messages a second, of this run: the player's speed may bound it */
	FIGURE_INTERRUPTED, /* turns left out */
	FIGURE_COUNT,
};

struct figures {
	double of[FIGURE_COUNT];
};

const char *figure_name(enum figure figure);

void measure_end(
	const struct measure *measure, uint64_t messages, double seconds, struct figures *figures);

/* Over the rounds of a run. */
struct spread {
	double median, least, most;
};

/* a / b, and 0 where there is no b. */
static inline double
share_of(double a, double b)
{
	return b > 0 ? a / b : 0;
}

struct spread spread_of(const double *values, unsigned int n);

/* Pairs whose mean bursts differ by more are no comparison. */
#define MEASURE_BURST_APART 0.10
bool measure_comparable(const struct figures *a, const struct figures *b);

#endif
