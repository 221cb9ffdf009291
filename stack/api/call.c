/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls to lanes from other threads. Who posts holds the stack's lock and has seen that the lane is
 * live; a lane ceases to be live under the lock too, with an empty mailbox: so no call is lost, and
 * nobody waits for a lane that has ended.
 */
#include <errno.h>
#include <time.h>

#include "errtext.h"
#include "runner.h"

#define CALL_RETRY_NS 1000000 /* while the mailbox is full */

struct call {
	struct rill_stack *stack;
	int (*fn)(struct rill_lane *, void *);
	void *arg;
	int result;
	bool done;
};

static _Thread_local struct rill_lane *driven;

void
call_set_lane(struct rill_lane *lane)
{
	driven = lane;
}

struct rill_lane *
call_lane(void)
{
	return driven;
}

static void
call_answer(struct rill_lane *lane, void *arg)
{
	struct call *call = arg;
	struct rill_stack *stack = call->stack;
	int result = call->fn(lane, call->arg);

	pthread_mutex_lock(&stack->lock);
	call->result = result;
	call->done = true;
	pthread_cond_broadcast(&stack->answered);
	pthread_mutex_unlock(&stack->lock);
}

/* With the lock held, which it gives up for a while when the lane is behind with its mail. */
static void
call_post(struct runner *runner, struct call *call)
{
	const struct timespec pause = {.tv_nsec = CALL_RETRY_NS};

	while (runner->live && mailbox_post(runner->lane->mailbox, call_answer, call) != 0) {
		pthread_mutex_unlock(&runner->stack->lock);
		nanosleep(&pause, NULL);
		pthread_mutex_lock(&runner->stack->lock);
	}
	if (!runner->live) {
		call->result = call->fn(runner->lane, call->arg);
		call->done = true;
	}
}

int
call_refuse(const struct rill_stack *stack)
{
	if (driven == NULL || driven->stack != stack)
		return 0;
	return error_set(
		-EDEADLK, "a lane's thread cannot wait for lanes: use the calls of rill/lane.h there");
}

int
stack_call(struct rill_stack *stack, unsigned int index, int (*fn)(struct rill_lane *, void *), void *arg)
{
	struct call call = {.stack = stack, .fn = fn, .arg = arg};
	int err = call_refuse(stack);

	if (err != 0)
		return err;
	pthread_mutex_lock(&stack->lock);
	call_post(&stack->runners[index], &call);
	while (!call.done)
		pthread_cond_wait(&stack->answered, &stack->lock);
	pthread_mutex_unlock(&stack->lock);
	return call.result;
}

void
call_retire(struct runner *runner)
{
	struct mailbox *mailbox = runner->lane->mailbox;

	__atomic_store_n(&runner->lane->retired, true, __ATOMIC_RELEASE);
	do {
		while (mailbox_run(mailbox, runner->lane) > 0)
			;
		pthread_mutex_lock(&runner->stack->lock);
		runner->live = !mailbox_is_empty(mailbox);
		pthread_mutex_unlock(&runner->stack->lock);
	} while (runner->live);
}
