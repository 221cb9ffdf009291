/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_API_KEEPER_H
#define RILL_API_KEEPER_H

/*
 * The keeper looks after the ports of a running stack, on a thread of its own: whether their links are up,
 * whether their devices were reset or taken away, whether they are deaf (watch.h). It touches nothing of a
 * lane's but by mail, and waits for lanes, never they for it: so timers run and connections live on while
 * a port is restarted.
 *
 * A restart: each lane with a queue of the port parks it and says so; the keeper restarts the device;
 * lanes that have another MAC now learn it, and drop what they would have sent from the old one; each
 * parked lane resumes.
 *
 * What it does is counted on the first lane of the port, and said to the operator in a line on stderr.
 */

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "ustime.h"

#define KEEPER_LOOK_US (250 * 1000) /* between two looks at a port that tells nothing */
#define KEEPER_RESET_US (1 * USEC_PER_SEC) /* between two restarts of a port that is reset again and again */
#define KEEPER_RETRY_US (10 * USEC_PER_SEC) /* after one in vain */

struct rill_stack;

struct keeper {
	pthread_t thread;
	bool runs; /* its thread */
	atomic_bool stopping;
	sem_t woken;
};

/* The stack begins to run. Where no thread can be had this is said on stderr: it runs without. */
void keeper_start(struct rill_stack *stack);

/* No lane runs any more. */
void keeper_stop(struct rill_stack *stack);

/* ---- its work; for tests, which drive it and the lanes by hand */

void keeper_begin(struct rill_stack *stack, ustime now);
void keeper_look(struct rill_stack *stack, ustime now);
void keeper_end(struct rill_stack *stack);

#endif
