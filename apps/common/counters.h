/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef APPS_COUNTERS_H
#define APPS_COUNTERS_H

/*
 * All counters, drops and levels as text, one "name value" a line; what is 0 is printed too, so that a
 * reader needs no defaults. The last line is "end of counters".
 */

#include <stdio.h>

#include <rill/stats.h>

void counters_print(FILE *out, const struct rill_stats *stats);

/* For a summary: an indented line with number, reason and sentence for each reason that occurred. */
void counters_print_drops(FILE *out, const struct rill_stats *stats);

#endif
