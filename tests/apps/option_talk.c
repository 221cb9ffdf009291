/* SPDX-License-Identifier: BSD-3-Clause */
#include "option_talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define ARGS_MAX 60

char said[16384];

enum options_result
option_talk(const struct options *options, void *settings, const char *line)
{
	char copy[1024], name[64], *rest = copy, *word, *argv[ARGS_MAX] = {name};
	int argc = 1, old_out = dup(1), old_err = dup(2);
	FILE *capture = tmpfile();
	enum options_result result;
	size_t n;

	snprintf(name, sizeof(name), "%s", options->program);
	snprintf(copy, sizeof(copy), "%s", line);
	while ((word = strsep(&rest, " ")) != NULL)
		if (*word != '\0')
			argv[argc++] = word;
	fflush(stdout);
	dup2(fileno(capture), 1);
	dup2(fileno(capture), 2);
	result = options_parse(options, settings, argc, argv);
	fflush(stdout);
	fflush(stderr);
	dup2(old_out, 1);
	dup2(old_err, 2);
	close(old_out);
	close(old_err);
	rewind(capture);
	n = fread(said, 1, sizeof(said) - 1, capture);
	said[n] = '\0';
	fclose(capture);
	return result;
}

void
option_talk_refuses(const struct options *options, void *settings,
	const struct option_wrong_case *cases, size_t n)
{
	size_t name_len = strlen(options->program);

	for (size_t i = 0; i < n; i++) {
		assert_int_equal(option_talk(options, settings, cases[i].line), OPTIONS_WRONG);
		if (strstr(said, options->program) == NULL ||
			strstr(said, cases[i].what) == NULL || strstr(said, cases[i].instead) == NULL)
			fail_msg("\"%s\" is answered by: %s", cases[i].line, said);
		/* rte_cfgfile adds a line of its own when there is no file. */
		if (strstr(cases[i].line, "/nonexistent") != NULL)
			continue;
		assert_memory_equal(said, options->program, name_len);
		assert_memory_equal(said + name_len, ": ", 2);
		assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
	}
}

void
option_talk_shows_all(const struct options *options, const char *path)
{
	char text[16384];
	FILE *f = fopen(path, "r");
	size_t n;

	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	fclose(f);
	for (unsigned int i = 0; i < options->count; i++) {
		char key[64], quiet[64];

		snprintf(key, sizeof(key), "\n%s = ", options->defs[i].name);
		snprintf(quiet, sizeof(quiet), "\n;%s = ", options->defs[i].name);
		if (strstr(text, key) == NULL && strstr(text, quiet) == NULL)
			fail_msg("the example does not show %s", options->defs[i].name);
	}
}
