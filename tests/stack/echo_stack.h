/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TESTS_ECHO_STACK_H
#define RILL_TESTS_ECHO_STACK_H

/*
 * A stack that echoes, each lane on its thread, for one test program: made before each test and, when
 * it has ended, looked at for anything that is missing.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rill/rill.h>

#include "kernel_side.h"

#define PORT 7000         /* where it listens */
#define BULK 300000       /* more than a window */
#define ECHO_LANES_MAX 4

/* By lane: connections opened and closed, and EHOSTUNREACH heard. */
extern atomic_uint opened[ECHO_LANES_MAX], closed[ECHO_LANES_MAX], errors[ECHO_LANES_MAX];

extern struct rill_stack *stack;
extern const struct rill_handler echo;

/* Counts if the calling thread is not the lane's, which fails the test when the stack has ended. */
void check_thread(struct rill_lane *lane);

/* Fills in what does not depend on the ports. */
void echo_config(struct rill_config *config);

/* Makes the stack, brings the kernel's side up with this command, and runs it. 0. */
int echo_start(const struct rill_config *config, const char *kernel_up);

/* Waits until the stack ends, with this result. */
void join(int expected);
/* Ends it. */
void stop(void);

/* The stack is stopped if the test has failed, and destroyed: no lane has lost a buffer. 0. */
int echo_finish(void **state);

struct rill_stats stats_of(unsigned int lane);
pthread_t thread_of(unsigned int lane);

/* Waits for what another thread counts. */
bool becomes(atomic_uint *value, unsigned int wanted);

#endif
