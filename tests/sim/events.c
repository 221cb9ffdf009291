/* SPDX-License-Identifier: BSD-3-Clause */
#include "events.h"

#include <stdbool.h>
#include <stdlib.h>

#define EVENTS_FIRST_ROOM 1024

static bool
is_before(const struct event *a, const struct event *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void
grow(struct events *events)
{
	events->room = events->room ? events->room * 2 : EVENTS_FIRST_ROOM;
	events->heap = realloc(events->heap, events->room * sizeof(events->heap[0]));
	if (events->heap == NULL)
		abort();
}

void
events_plan(struct events *events, uint64_t at, event_fn fn, void *arg, uint64_t value)
{
	struct event event = {at, events->order++, fn, arg, value};
	size_t i = events->len++;

	if (events->len > events->room)
		grow(events);
	while (i > 0 && is_before(&event, &events->heap[(i - 1) / 2])) {
		events->heap[i] = events->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	events->heap[i] = event;
}

uint64_t
events_next(const struct events *events)
{
	return events->len > 0 ? events->heap[0].at : EVENTS_NEVER;
}

struct event
events_take(struct events *events)
{
	struct event first = events->heap[0], last = events->heap[--events->len];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < events->len) {
		if (child + 1 < events->len &&
			is_before(&events->heap[child + 1], &events->heap[child]))
			child++;
		if (!is_before(&events->heap[child], &last))
			break;
		events->heap[i] = events->heap[child];
		i = child;
	}
	if (events->len > 0)
		events->heap[i] = last;
	return first;
}

void
events_free(struct events *events)
{
	free(events->heap);
	*events = (struct events){.heap = NULL};
}
