/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_CHECK_FINDING_H
#define RILL_CHECK_FINDING_H

/*
 * A round of looking: whom findings are told, and what the first one was that keeps Rill from running.
 * Nobody listens while a stack starts: then only what is wrong matters.
 */

#include <rill/check.h>

struct check {
	rill_check_fn tell; /* NULL: nobody */
	void *user;
	const char *root;    /* in front of /sys, /proc and /dev: "" but in tests */
	const char *subject; /* of the findings that follow */
	int err;             /* a negative errno, with an error sentence: something is wrong */
};

/* Of the sentence that refuses, and of its parts. */
#define FINDING_FACT_MAX 384
#define FINDING_FIX_MAX 384

/* Tells a finding that does not keep Rill from running. fix: "" if there is nothing to do. */
void finding_tell(struct check *check, enum rill_check_status status, const char *what,
	const char *fix, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* One that does: err is the first such, and the sentence "subject: fact: fix". */
void finding_wrong(struct check *check, int err, const char *what, const char *fix,
	const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The same for an error whose sentence stands already (rill_error). */
void finding_error(struct check *check, int err, const char *what);

#endif
