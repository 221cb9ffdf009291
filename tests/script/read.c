/* SPDX-License-Identifier: BSD-3-Clause */
#include "script.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct script_at at;

void
script_wrong(int line, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s:%d: ", at.file, line);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\n");
	exit(2);
}

static char *
skip_space(char *text)
{
	while (isspace((unsigned char)*text))
		text++;
	return text;
}

/* "[RFC5961-2] [ATK-50]": capitals, digits and dashes. */
static void
check_tags(int line, const char *tags)
{
	while (*tags != 0) {
		size_t len = strspn(tags + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");

		if (tags[0] != '[' || len == 0 || tags[1 + len] != ']')
			script_wrong(line, "expected a tag such as [RFC5961-2], not '%s'", tags);
		tags += len + 2;
		tags += strspn(tags, " ");
	}
}

/* test "name" [TAG] ... */
static void
read_test(struct script *script, int number, char *text)
{
	struct script_test *test = &script->tests[script->tests_count++];
	size_t room = strlen(text) + 1;
	char *name = malloc(room), *quote;

	if (script->tests_count > SCRIPT_TESTS_MAX)
		script_wrong(number, "more than %d tests", SCRIPT_TESTS_MAX);
	text = skip_space(text);
	quote = text[0] == '"' ? strchr(text + 1, '"') : NULL;
	if (name == NULL || quote == NULL)
		script_wrong(number, "a test needs a name in quotes");
	*quote = 0;
	snprintf(name, room, "%s %s", text + 1, skip_space(quote + 1));
	check_tags(number, skip_space(quote + 1));
	*test = (struct script_test){.name = name, .first = script->lines_count, .number = number};
}

static void
read_line(struct script *script, int number, const char *text)
{
	struct script_line *line = &script->lines[script->lines_count];
	char *copy = strdup(text), *rest = copy;

	if (script->tests_count == 0)
		script_wrong(number, "the first line must open a test");
	if (copy == NULL || script->lines_count == SCRIPT_LINES_MAX)
		script_wrong(number, "more than %d lines", SCRIPT_LINES_MAX);
	line->number = number;
	for (char *word; (word = strtok_r(rest, " \t", &rest)) != NULL;) {
		if (line->count == SCRIPT_WORDS_MAX)
			script_wrong(number, "more than %d words", SCRIPT_WORDS_MAX);
		line->words[line->count++] = word;
	}
	script->lines_count++;
	script->tests[script->tests_count - 1].count++;
}

static bool
opens_block(const struct script_line *line)
{
	return strcmp(line->words[0], "repeat") == 0 || strcmp(line->words[0], "burst") == 0;
}

/* Finds the end of each block of a test. */
static void
match_blocks(struct script *script, const struct script_test *test)
{
	unsigned int open[SCRIPT_DEPTH_MAX], depth = 0;

	for (unsigned int i = test->first; i < test->first + test->count; i++) {
		struct script_line *line = &script->lines[i];

		if (opens_block(line)) {
			if (depth == SCRIPT_DEPTH_MAX)
				script_wrong(line->number, "blocks nested too deep");
			open[depth++] = i;
		} else if (strcmp(line->words[0], "end") == 0) {
			if (depth == 0)
				script_wrong(line->number, "'end' without a block");
			script->lines[open[--depth]].end = i;
		}
	}
	if (depth > 0)
		script_wrong(script->lines[open[depth - 1]].number, "block without 'end'");
}

/* Cuts a comment and what blank surrounds the rest; returns the rest. */
static char *
bare_line(char *text)
{
	char *start = skip_space(text), *end;

	if (strncmp(start, "test ", 5) != 0)
		start[strcspn(start, "#")] = 0;
	end = start + strlen(start);
	while (end > start && isspace((unsigned char)end[-1]))
		*--end = 0;
	return *start == '#' ? end : start;
}

void
script_read(struct script *script, const char *file)
{
	char text[SCRIPT_TEXT_MAX], *start;
	FILE *input = fopen(file, "r");
	int number = 0;

	at.file = script->file = file;
	if (input == NULL)
		script_wrong(0, "cannot be read");
	while (fgets(text, sizeof(text), input) != NULL) {
		number++;
		if (strlen(text) == sizeof(text) - 1)
			script_wrong(number, "longer than %d bytes", SCRIPT_TEXT_MAX - 2);
		start = bare_line(text);
		if (strncmp(start, "test ", 5) == 0)
			read_test(script, number, start + 5);
		else if (*start != 0)
			read_line(script, number, start);
	}
	fclose(input);
	for (unsigned int i = 0; i < script->tests_count; i++) {
		if (script->tests[i].count == 0)
			script_wrong(script->tests[i].number, "a test without lines shows nothing");
		match_blocks(script, &script->tests[i]);
	}
	if (script->tests_count == 0)
		script_wrong(number, "no tests");
}
