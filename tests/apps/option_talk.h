/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTS_OPTION_TALK_H
#define TESTS_OPTION_TALK_H

/* What a program answers to a command line. */

#include "options.h"

/* All that was said, stdout and stderr, by the last call. */
extern char said[16384];

/* What the words of the line come to. */
enum options_result option_talk(const struct options *options, void *settings, const char *line);

/* A line that is wrong, and two things that the sentence must say. */
struct option_wrong_case {
	const char *line, *what, *instead;
};

/* Each is refused, by one sentence on one line, which begins with the program's name. */
void option_talk_refuses(const struct options *options, void *settings,
	const struct option_wrong_case *cases, size_t n);

/* The example file, of that name under drivers-cfg, has a line for every option, in comments those
 * without a default. */
void option_talk_shows_all(const struct options *options, const char *path);

#endif
