/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_TRACE_H
#define SIM_TRACE_H

/*
 * What a run tells: nothing, everything, or, once it has failed, what came last. Runs can be
 * repeated bit for bit, so nobody pays for a trace before a seed is known to fail.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

enum trace_mode {
	TRACE_OFF,
	TRACE_ALL,  /* printed as it happens */
	TRACE_TAIL, /* the last lines are kept, for trace_print_tail */
};

void trace_set(enum trace_mode mode);
bool trace_is_on(void);

/* A line, with its time in front. */
void trace_line(uint64_t now_us, const char *format, ...) __attribute__((format(printf, 2, 3)));
void trace_vline(uint64_t now_us, const char *format, va_list args);

/* Prints what TRACE_TAIL kept. */
void trace_print_tail(void);

#endif
