/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_PERF_WIRE_RING_H
#define RILL_PERF_WIRE_RING_H

/* What wire_ring's parts share: its options, its results. */

#include "measure.h"
#include "server.h"

enum side {
	SIDE_RILL,
	SIDE_LIMIT,
	SIDES,
};

struct run_options {
	struct player_setup player; /* but for the wire */
	bool who[SIDES];
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

const char *work_name(enum player_work work);

struct run_results {
	unsigned int rounds; /* that were measured */
	struct figures of[SIDES][MEASURE_ROUNDS_MAX];
	bool usable[MEASURE_ROUNDS_MAX]; /* bursts were alike; with one side alone always */
	double open_cycles[SIDES];       /* for each connection that was opened; 0: none was */
	struct player_counts counts[SIDES];
};

/* A table, or JSON. */
void run_report(const struct run_options *options, const struct run_results *results);

#endif
