/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef APPS_OPTIONS_H
#define APPS_OPTIONS_H

/*
 * Options of a program: one table, read from the command line and from an INI file.
 *
 * "--port 7000" on the command line and "port = 7000" in the program's section of the file given by
 * --config are the same option; so is one in its section [rill], which all programs read before their own.
 * The file is read first, so the command line wins; a repeatable option
 * on the command line replaces the file's list. --config, --help and --version need no row.
 *
 * A value "env:NAME" is that of the environment's variable NAME; for a repeatable option it may be a list
 * with commas, as a device plugin of Kubernetes gives it.
 *
 * A flag stands alone on the command line, and is "yes" or "no" in the file.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for the sentence that says what is wrong with a value. */
#define OPTION_WHY_LEN 256

struct option_def {
	const char *name;    /* without dashes */
	const char *metavar; /* what stands for the value in --help; NULL: a flag, see below */
	const char *help;    /* one line, the default included */
	/* Takes the value over into settings. Returns 0, or -1 with *why saying "is wrong thus; give
	 * that". */
	int (*set)(void *settings, const struct option_def *def, const char *value, char *why);
	size_t offset;        /* of the field in settings, for the setters below */
	uint64_t least, most; /* bounds, for the setters below */
	void (*clear)(void *settings); /* a repeatable option: empties its list */
};

enum options_result {
	OPTIONS_RUN,   /* go on */
	OPTIONS_DONE,  /* --help or --version was answered: exit 0 */
	OPTIONS_WRONG, /* one sentence was written to stderr: exit OPTIONS_EXIT_WRONG */
};
#define OPTIONS_EXIT_WRONG 2

struct options {
	const char *program; /* also the name of the INI section */
	const char *about;   /* one sentence */
	const char *version;
	const struct option_def *defs;
	unsigned int count;
	/* Fills the program's settings with what holds when nothing is said. */
	void (*set_default)(void *settings);
	/* Fills in what follows from other settings, and checks those that concern each other. Returns
	 * OPTIONS_RUN, or OPTIONS_WRONG after a sentence on stderr. */
	enum options_result (*finish)(void *settings);
};

/* The most rows that a program's table may have. */
#define OPTIONS_MAX 64

/* The defaults, then the file that the command line names, then the command line, then what follows.
 * Changes only settings. */
enum options_result options_parse(
	const struct options *options, void *settings, int argc, char *argv[]);

/* Reads an INI file alone. */
enum options_result options_load(const struct options *options, void *settings, const char *path);

/* Setters: a uint32_t count; a uint32_t of bytes (units_parse_bytes); a uint32_t of milliseconds, given
 * in seconds. Bounds are in the field's unit. */
int option_set_count(void *settings, const struct option_def *def, const char *value, char *why);
int option_set_bytes(void *settings, const struct option_def *def, const char *value, char *why);
int option_set_seconds(void *settings, const struct option_def *def, const char *value, char *why);

/* Setter of a flag: a bool. */
int option_set_flag(void *settings, const struct option_def *def, const char *value, char *why);

/* Writes the sentence and returns -1. */
int option_wrong(char *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
