/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DOCTOR_REPORT_H
#define DOCTOR_REPORT_H

/*
 * What rill-doctor says: a line for each finding,
 *
 *   missing   machine: hugepages: 0 MiB are free and 512 are needed: ...: reserve some: ...
 *
 * that is status, subject, what, fact, and what to do about it; or one JSON object with all of them.
 */

#include <stdbool.h>
#include <stdio.h>

#include <rill/check.h>

struct report {
	FILE *to;
	bool json;
	unsigned int counts[RILL_CHECK_STATUS_COUNT];
};

void report_begin(struct report *report, FILE *to, bool json);
void report_finding(const struct rill_finding *finding, void *report);

/* can_run: nothing was wrong. */
void report_end(struct report *report, bool can_run);

#endif
