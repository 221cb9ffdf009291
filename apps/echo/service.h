/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ECHO_SERVICE_H
#define ECHO_SERVICE_H

/* The server: settings to a stack that listens, and what is said about it. */

#include <stdint.h>

#include <rill/rill.h>

#include "lane.h"
#include "settings.h"
#include "statline.h"

struct echo_service {
	const struct echo_settings *settings;
	struct rill_stack *stack;
	struct echo_lane *lanes; /* lanes_count */
	unsigned int lanes_count;
	struct statline line;    /* of lane 0 */
	uint64_t started_us;     /* lane time of lane 0 */
};

/* Brings everything up to listening. Returns 0, or a negative errno after a sentence on stderr. */
int service_open(struct echo_service *service, const struct echo_settings *settings);

/* What is said at start: each port, and that it listens. */
void service_announce(const struct echo_service *service);

/* Runs until drained or stopped. Returns 0, or a negative errno after a sentence on stderr. */
int service_run(struct echo_service *service);

/* What is said at the end. */
void service_summary(const struct echo_service *service);

/* Frees all; also what a failed service_open left. */
void service_close(struct echo_service *service);

#endif
