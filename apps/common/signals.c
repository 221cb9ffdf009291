/* SPDX-License-Identifier: BSD-3-Clause */
#include "signals.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

#include <rill/stack.h>

static struct rill_stack *_Atomic target;
static uint64_t drain_us;
static atomic_int count;
static atomic_bool report;

static void
act(int nth)
{
	struct rill_stack *stack = target;

	if (stack == NULL)
		return;
	if (nth == 1)
		rill_stack_drain(stack, drain_us);
	else if (nth > 1)
		rill_stack_stop(stack);
}

static void
on_signal(int signo)
{
	act(atomic_fetch_add(&count, 1) + 1);
}

static void
on_report(int signo)
{
	report = true;
}

void
signals_catch(void)
{
	struct sigaction reports = {.sa_handler = on_report, .sa_flags = SA_RESTART};
	struct sigaction caught = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	struct sigaction ignored = {.sa_handler = SIG_IGN};

	sigemptyset(&caught.sa_mask);
	sigaddset(&caught.sa_mask, SIGINT);
	sigaddset(&caught.sa_mask, SIGTERM);
	sigaction(SIGINT, &caught, NULL);
	sigaction(SIGTERM, &caught, NULL);
	sigaction(SIGUSR1, &reports, NULL);
	sigaction(SIGPIPE, &ignored, NULL);
}

void
signals_target(struct rill_stack *stack, uint64_t drain)
{
	drain_us = drain;
	target = stack;
	/* A signal between the two lines acts twice, which does no harm; none is lost. */
	act(count);
}

int
signals_count(void)
{
	return count;
}

bool
signals_report_wanted(void)
{
	return atomic_load_explicit(&report, memory_order_relaxed) && atomic_exchange(&report, false);
}
