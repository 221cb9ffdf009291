/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LOAD_SCHEDULE_H
#define LOAD_SCHEDULE_H

/*
 * When things are due, at a rate, whatever becomes of them: the k-th, counted from 0, after k / rate
 * seconds, without drift, or after random times with that mean (a Poisson process).
 *
 * What is taken late was due when it was due: the schedule never waits for anybody. That is the open
 * loop: whoever counts from the due time sees a server that stalls, also by the requests that could
 * not even be sent meanwhile.
 */

#include <stdbool.h>
#include <stdint.h>

struct schedule {
	uint32_t rate;        /* a second; 0: nothing is ever due */
	bool random;
	uint64_t next_ns;     /* when the next is due */
	uint64_t step_ns;     /* 10^9 / rate, */
	uint32_t step_rest;   /* and what the division left over, */
	uint32_t rest;        /* summed up, below rate */
	uint64_t seed;
};

#define SCHEDULE_NEVER UINT64_MAX

/* The first is due at start_us; of random ones, a random time after it. */
void schedule_begin(struct schedule *s, uint32_t rate, bool random, uint64_t seed, uint64_t start_us);

/* When the next is due, in whole microseconds, rounded up: never early. */
static inline uint64_t
schedule_next_us(const struct schedule *s)
{
	return s->rate == 0 ? SCHEDULE_NEVER : (s->next_ns + 999) / 1000;
}

/* Takes the next; returns when it was due, as schedule_next_us says. */
uint64_t schedule_take(struct schedule *s);

#endif
