/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LOAD_SERVICE_H
#define LOAD_SERVICE_H

/* The stack with its lanes, and the thread beside them that leads them from one phase to the next and
 * prints a line each second. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include <rill/rill.h>

#include "lane.h"
#include "report.h"
#include "statline.h"

struct load_service {
	const struct load_settings *settings;
	struct payload payload;
	struct rill_stack *stack;
	struct load_lane *lanes;
	unsigned int lanes_count;
	atomic_uint started;         /* lanes that run */
	FILE *say;                   /* stdout, or with --json stderr */

	/* Of the leading thread. */
	pthread_t leader;
	double open_seconds;         /* for the held connections to open */
	uint32_t open;
	bool nothing;                /* no connection opened: there is no result */
	struct statline line;
	struct histogram now, before, since; /* replies, for the line */
};

/* Brings the stack up. Returns 0, or a negative errno after a sentence on stderr. */
int load_service_open(struct load_service *service, const struct load_settings *settings);

/* Runs to the end of the measurement, or a signal. Returns 0, or a negative errno after a sentence. */
int load_service_run(struct load_service *service);

/* Prints the result. Returns 0; without one a negative errno, after a sentence on stderr. */
int load_service_report(const struct load_service *service);

/* Frees all; also what a failed load_service_open left. */
void load_service_close(struct load_service *service);

#endif
