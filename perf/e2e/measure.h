/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_PERF_MEASURE_H
#define RILL_PERF_MEASURE_H

/*
 * What turns cost. Only those that did work count; the TSC is read around each, inside the lane's
 * loop. A turn that lasted MEASURE_INTERRUPTED_TIMES as long as the slice's median was not the
 * server's alone (the host, or another process, had the core): it is left out, with its share of
 * the messages, and counted. Where turns differ in length by nature, as in bulk out, where one that
 * hears a request hands over a whole fetch, the longest of them would be left out as well: there,
 * only what lasted MEASURE_LONG_US is.
 */

#include <stdbool.h>
#include <stdint.h>

#include "../../apps/common/histogram.h"
#include "server.h"

#define MEASURE_INTERRUPTED_TIMES 8
#define MEASURE_INTERRUPTED_LEAST_US 20 /* a shorter turn never was */
#define MEASURE_LONG_US 400 /* as long as a turn is that fills the wire's ring and the outbox */
#define MEASURE_ROUNDS_MAX 64

/* Turns of about the same length. */
struct measure_turns {
	uint64_t count, cycles;
	uint64_t received, sent;      /* frames */
	uint64_t full;                /* of count: that received some */
	uint64_t stages[STAGES_ROOM]; /* cycles */
};

struct measure {
	struct histogram lengths; /* of turns that received frames, in cycles */
	struct measure_turns by_length[HISTOGRAM_BUCKETS]; /* that did work */
};

void measure_begin(struct measure *measure);
void measure_turn(struct measure *measure, const struct server_turn *turn, uint64_t cycles);

/* The figures of one slice of a run. */
enum figure {
	FIGURE_PER_MESSAGE, /* cycles */
	FIGURE_PER_FRAME,   /* cycles, received frames */
	FIGURE_BURST,       /* received frames of a turn that had some, mean */
	FIGURE_FRAMES,      /* received frames of a message */
	FIGURE_SENT,        /* sent frames of a message */
	FIGURE_TURN,        /* cycles of a turn with frames, median */
	FIGURE_BUSY,        /* share of the time that turns with work took */
	FIGURE_PLAYER, /* cycles of a message at the other end: does the player limit the rate? */
	FIGURE_RATE,   /* messages a second, of this run: the player's speed may bound it */
	FIGURE_INTERRUPTED, /* turns left out */
	FIGURE_LEFT_OUT,    /* their share of the cycles */
	FIGURE_COUNT,
};

struct figures {
	double of[FIGURE_COUNT];
	double stages[STAGES_ROOM]; /* cycles of a message, with -Dprofile=true */
};

const char *figure_name(enum figure figure);

/* What the slice took beside the server's turns. */
struct measure_around {
	uint64_t messages;
	uint64_t cycles;        /* of the TSC, all in all */
	uint64_t player_cycles; /* that the player worked */
	uint64_t hz;            /* of the TSC */
	bool sends;             /* messages are what the server sends: turns differ in length */
};

void measure_end(const struct measure *measure, const struct measure_around *around,
	struct figures *figures);

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
