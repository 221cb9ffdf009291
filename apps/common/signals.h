/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef APPS_SIGNALS_H
#define APPS_SIGNALS_H

/* SIGINT and SIGTERM: the first drains the stack, the second stops it. SIGUSR1: a report is wanted. */

#include <stdbool.h>
#include <stdint.h>

struct rill_stack;

/* From now on signals are counted instead of killing the process; SIGPIPE is ignored. */
void signals_catch(void);

/* Signals act on this stack, those that came before included; NULL: only counted again. */
void signals_target(struct rill_stack *stack, uint64_t drain_us);

/* How many of SIGINT and SIGTERM have come. */
int signals_count(void);

/* Whether a report is wanted: true once after each SIGUSR1. */
bool signals_report_wanted(void);

#endif
