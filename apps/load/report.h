/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LOAD_REPORT_H
#define LOAD_REPORT_H

/* What all lanes measured, as a table for people and as JSON for programs. */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <rill/stats.h>

#include "histogram.h"
#include "lane.h"

struct load_result {
	double seconds;                  /* measured */
	double open_seconds;             /* for all held connections to open */
	uint32_t wanted, open;           /* held connections */
	unsigned int lanes;
	struct load_counters count;      /* in the measured time */
	struct load_counters ever;
	struct rill_stats stats;         /* counters: in the measured time; levels: at its end */
	uint64_t unanswered;
	uint64_t closed[RILL_CLOSE_REASON_COUNT]; /* failed or lost, by reason */
	struct histogram reply_us, connect_us, late_us;
};

/* Adds up finished lanes. The caller fills in open_seconds, wanted and open. */
void report_gather(struct load_result *result, const struct load_lane *lanes, unsigned int n);

/* What is going to be done, in one line. */
void report_plan(FILE *out, const struct load_settings *settings);

void report_table(FILE *out, const struct load_settings *settings, const struct load_result *result);
void report_json(FILE *out, const struct load_settings *settings, const struct load_result *result);

#endif
