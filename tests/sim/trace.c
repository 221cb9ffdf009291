/* SPDX-License-Identifier: BSD-3-Clause */
#include "trace.h"

#include <stdio.h>

#define TAIL_LINES 120
#define LINE_LEN 300

static enum trace_mode mode;
static char tail[TAIL_LINES][LINE_LEN];
static unsigned long lines;

void
trace_set(enum trace_mode wanted)
{
	mode = wanted;
	lines = 0;
}

bool
trace_is_on(void)
{
	return mode != TRACE_OFF;
}

void
trace_vline(uint64_t now_us, const char *format, va_list args)
{
	char *line = tail[lines % TAIL_LINES];
	int at = snprintf(line, LINE_LEN, "%14.6f ", (double)now_us / 1e6);

	vsnprintf(line + at, LINE_LEN - (size_t)at, format, args);
	if (mode == TRACE_ALL)
		puts(line);
	else
		lines++;
}

void
trace_line(uint64_t now_us, const char *format, ...)
{
	va_list args;

	if (mode == TRACE_OFF)
		return;
	va_start(args, format);
	trace_vline(now_us, format, args);
	va_end(args);
}

void
trace_print_tail(void)
{
	if (mode != TRACE_TAIL)
		return;
	for (unsigned long i = lines > TAIL_LINES ? lines - TAIL_LINES : 0; i < lines; i++)
		puts(tail[i % TAIL_LINES]);
	fflush(stdout);
}
