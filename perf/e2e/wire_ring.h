/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_PERF_WIRE_RING_H
#define RILL_PERF_WIRE_RING_H

/* What wire_ring's parts share: its options, its results. README.md says what the results mean. */

#include "measure.h"
#include "server.h"

enum side {
	SIDE_RILL,
	SIDE_LIMIT,
	SIDE_FEW, /* Rill with few connections, beside one that holds many */
	SIDES,
};

const char *side_name(enum side side);

/* Requests to be offered in an open loop: a multiple of the rate of the closed one, or a rate. */
struct load {
	double times; /* 0: per_second */
	double per_second;
};

#define LOADS_MAX 8

struct run_options {
	struct player_setup player; /* but for the wire */
	bool who[SIDES];
	bool who_given;
	bool hold;     /* connections are held, and what they take is read */
	uint32_t few;  /* with hold: connections of the other Rill */
	int record;    /* bulk out: 0 not said, 1 a segment, 2 as large as a TSO send */
	uint16_t size; /* of a message, or of a segment of bulk */
	struct load loads[LOADS_MAX];
	unsigned int loads_count;
	bool checksums; /* by the wire */
	uint16_t burst;
	uint32_t buffers;
	unsigned int rounds;
	uint64_t messages; /* of a slice; 0: by time */
	double seconds;    /* of a slice */
	int core[2];       /* of the server and of the player; -1: the first two that are allowed */
	bool json;
	char command[512]; /* the line that was given */
};

/* Ends the program when the line is wrong. */
void run_options_parse(struct run_options *options, int argc, char **argv);

const char *work_name(const struct run_options *options);

/* Of one slice of an open loop. */
enum offered_figure {
	OFFERED_ASKED,    /* requests a second that were due */
	OFFERED_BEGUN,    /* requests a second that were sent, or lost, while they were offered */
	OFFERED_TRIED,    /* transmissions of requests a second, lost ones included */
	OFFERED_ANSWERED, /* requests a second that were answered while they were offered */
	OFFERED_GOODPUT,  /* these, as a share of the closed loop's rate of the same round */
	OFFERED_LOST,     /* transmissions that found the receive ring full, as a share */
	OFFERED_P50,      /* latency from when a request was due [us] */
	OFFERED_P90,
	OFFERED_P99,
	OFFERED_P999,
	OFFERED_MOST,
	OFFERED_TURN,      /* of the server, with frames, median [us] */
	OFFERED_P99_TURNS, /* p99 in such turns */
	OFFERED_BURST,     /* received frames of such a turn, mean */
	OFFERED_BUSY,      /* share of the time that turns with work took */
	OFFERED_CYCLES,    /* of the server, of a message */
	OFFERED_COUNT,
};

const char *offered_name(enum offered_figure figure);

struct offered {
	double of[OFFERED_COUNT];
};

/* What the process held [bytes]: hugepages taken and resident memory. */
struct memory {
	uint64_t before; /* the server and its player were made */
	uint64_t made;   /* when they were */
	uint64_t open;   /* with all connections open */
	uint64_t echoed; /* when each had spoken once */
	uint64_t player; /* of that the player's */
};

/* What the process holds for the server at most, tables and buffers included, with all connections. */
static inline uint64_t
memory_server(const struct memory *memory)
{
	return RTE_MAX(memory->open, memory->echoed) - memory->player;
}

static inline double
memory_per_connection(const struct memory *memory, double connections)
{
	return ((double)memory->open - (double)memory->before - (double)memory->player) /
	       connections;
}

struct run_results {
	unsigned int rounds; /* that were measured */
	struct figures of[SIDES][MEASURE_ROUNDS_MAX];
	bool usable[MEASURE_ROUNDS_MAX]; /* bursts were alike; with one side alone always */
	double open_cycles[SIDES];       /* for each connection that was opened; 0: none was */
	double open_rate[SIDES];         /* connections opened a second */
	struct offered offered[LOADS_MAX][SIDES][MEASURE_ROUNDS_MAX];
	struct memory memory[SIDES];
	struct player_counts counts[SIDES];
};

/* Cycles of a message, or what else a figure is, of the rounds that may be used. */
struct spread results_spread(const struct run_results *results, enum side side, enum figure figure);

/* Cycles of a message that Rill's turns spent in a stage: with -Dprofile=true. */
struct spread results_stage(const struct run_results *results, int stage);
const char *stage_name(int stage);

/* One side to the other, round by round. */
struct spread results_ratio(
	const struct run_results *results, enum side side, enum side to, enum figure figure);

struct spread results_offered(const struct run_results *results, unsigned int load, enum side side,
	enum offered_figure figure);

unsigned int results_usable(const struct run_results *results);

/* What a reader of the figures must know and they do not show; may be empty. NULL beyond the last.
 */
const char *results_remark(
	const struct run_options *options, const struct run_results *results, unsigned int n);

/* A table, or JSON. */
void run_text(const struct run_options *options, const struct run_results *results);
void run_json(const struct run_options *options, const struct run_results *results);

#endif
