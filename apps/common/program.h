/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef APPS_PROGRAM_H
#define APPS_PROGRAM_H

/* What main does in every program: from the command line to settings, to the program's work, to the
 * exit status. */

#include "options.h"

/*
 * Reads the command line into settings, which are the program's own, and runs it. run returns 0, or a
 * negative errno after a sentence on stderr; signals are counted by then. Returns the exit status.
 */
int program_main(const struct options *options, void *settings, int (*run)(const void *settings),
	int argc, char *argv[]);

#endif
