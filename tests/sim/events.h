/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_EVENTS_H
#define SIM_EVENTS_H

/* What is going to happen: a binary heap of calls, by time, then in the order in which they were
 * planned. */

#include <stddef.h>
#include <stdint.h>

#define EVENTS_NEVER UINT64_MAX

typedef void (*event_fn)(void *arg, uint64_t value);

struct event {
	uint64_t at;
	uint64_t order;
	event_fn fn;
	void *arg;
	uint64_t value;
};

struct events {
	struct event *heap;
	size_t len, room;
	uint64_t order;
};

/* Plans fn(arg, value) for the time at. Ends the program without memory. */
void events_plan(struct events *events, uint64_t at, event_fn fn, void *arg, uint64_t value);

/* When the first is due, or EVENTS_NEVER. */
uint64_t events_next(const struct events *events);

/* Takes the first one off; there is one. */
struct event events_take(struct events *events);

void events_free(struct events *events);

#endif
