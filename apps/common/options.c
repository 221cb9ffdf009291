/* SPDX-License-Identifier: BSD-3-Clause */
#include "options.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cfgfile.h>

#include "units.h"

#define ENVIRONMENT "env:"
#define ENVIRONMENT_MAX 1024

/* The section of a file that all programs have: profiles of devices. */
#define SECTION_OF_ALL "rill"

int
option_wrong(char *why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, OPTION_WHY_LEN, format, args);
	va_end(args);
	return -1;
}

/* Least edit distance with insertions, deletions and replacements; names are short. */
static unsigned int
distance(const char *a, const char *b)
{
	unsigned int row[CFG_NAME_LEN + 1];
	size_t la = strnlen(a, CFG_NAME_LEN), lb = strnlen(b, CFG_NAME_LEN);

	for (size_t j = 0; j <= lb; j++)
		row[j] = (unsigned int)j;
	for (size_t i = 1; i <= la; i++) {
		unsigned int diagonal = row[0];

		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= lb; j++) {
			unsigned int best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[lb];
}

/* The option whose name is nearest, if it is near at all. */
static const char *
nearest(const struct options *options, const char *name)
{
	const char *best = NULL;
	unsigned int best_distance = 4;

	for (unsigned int i = 0; i < options->count; i++) {
		unsigned int d = distance(name, options->defs[i].name);

		if (d < best_distance) {
			best_distance = d;
			best = options->defs[i].name;
		}
	}
	return best;
}

static const struct option_def *
find(const struct options *options, const char *name)
{
	for (unsigned int i = 0; i < options->count; i++)
		if (strcmp(options->defs[i].name, name) == 0)
			return &options->defs[i];
	return NULL;
}

static enum options_result
unknown_flag(const struct options *options, const char *flag)
{
	size_t len = strcspn(flag, "=");
	char name[CFG_NAME_LEN];
	const char *near;

	snprintf(name, sizeof(name), "%.*s", (int)len, flag);
	if (strncmp(name, "--", 2) == 0 && find(options, name + 2) != NULL) {
		fprintf(stderr, "%s: %s: takes no value; give %s alone\n", options->program, flag, name);
		return OPTIONS_WRONG;
	}
	near = nearest(options, name + strspn(name, "-"));
	if (near != NULL)
		fprintf(stderr, "%s: there is no option %s; perhaps --%s is meant (--help lists all)\n",
			options->program, name, near);
	else
		fprintf(stderr, "%s: there is no option %s; --help lists all\n", options->program,
			name);
	return OPTIONS_WRONG;
}

/* What stands in the environment; for an option that may stand several times, a list with commas. */
static int
set_from_environment(void *settings, const struct option_def *def, const char *name, char *why)
{
	const char *value = getenv(name);
	char list[ENVIRONMENT_MAX], *rest = list, *one;
	int rc = 0;

	if (value == NULL || *value == '\0' || strlen(value) >= sizeof(list))
		return option_wrong(why, "there is no such variable in the environment, or it is empty or too "
			"long; give one that is set, such as PCIDEVICE_... of a device plugin");
	if (def->clear == NULL)
		return def->set(settings, def, value, why);
	snprintf(list, sizeof(list), "%s", value);
	while (rc == 0 && (one = strsep(&rest, ",")) != NULL)
		rc = def->set(settings, def, one, why);
	return rc;
}

/* Sets one value; seen remembers which lists this source has begun. */
static int
apply(const struct options *options, void *settings, const struct option_def *def, const char *value,
	bool seen[], char *why)
{
	size_t i = (size_t)(def - options->defs);

	if (def->clear != NULL && !seen[i])
		def->clear(settings);
	seen[i] = true;
	if (strncmp(value, ENVIRONMENT, strlen(ENVIRONMENT)) == 0)
		return set_from_environment(settings, def, value + strlen(ENVIRONMENT), why);
	return def->set(settings, def, value, why);
}

static enum options_result
load_entry(const struct options *options, void *settings, const char *path,
	const struct rte_cfgfile_entry *entry, bool seen[])
{
	const struct option_def *def = find(options, entry->name);
	char why[OPTION_WHY_LEN];

	if (def == NULL) {
		const char *near = nearest(options, entry->name);

		fprintf(stderr, "%s: %s: there is no key \"%s\"; %s%s%skeys are the long options "
			"without dashes\n", options->program, path, entry->name,
			near != NULL ? "perhaps \"" : "", near != NULL ? near : "",
			near != NULL ? "\" is meant: " : "");
		return OPTIONS_WRONG;
	}
	if (apply(options, settings, def, entry->value, seen, why) != 0) {
		fprintf(stderr, "%s: %s: %s = %s: %s\n", options->program, path, entry->name,
			entry->value, why);
		return OPTIONS_WRONG;
	}
	return OPTIONS_RUN;
}

static enum options_result
load_section(const struct options *options, void *settings, const char *path,
	struct rte_cfgfile *file, const char *section)
{
	int n = rte_cfgfile_section_num_entries(file, section);
	struct rte_cfgfile_entry *entries = calloc((size_t)n + 1, sizeof(*entries));
	enum options_result result = OPTIONS_RUN;
	bool seen[OPTIONS_MAX] = {false};

	if (entries == NULL) {
		fprintf(stderr, "%s: %s: no memory to read it\n", options->program, path);
		return OPTIONS_WRONG;
	}
	n = rte_cfgfile_section_entries(file, section, entries, n);
	for (int i = 0; i < n && result == OPTIONS_RUN; i++)
		result = load_entry(options, settings, path, &entries[i], seen);
	free(entries);
	return result;
}

static enum options_result
load_sections(const struct options *options, void *settings, const char *path,
	struct rte_cfgfile *file)
{
	const char *const sections[] = {SECTION_OF_ALL, options->program};
	enum options_result result = OPTIONS_RUN;
	int known = 0;

	for (int i = 0; i < 2; i++)
		known += rte_cfgfile_has_section(file, sections[i]) != 0;
	if (known == 0 || rte_cfgfile_num_sections(file, NULL, 0) != known) {
		fprintf(stderr, "%s: --config %s: has other sections than [%s], or none; it must have "
			"this one, or [" SECTION_OF_ALL "], which all programs read, and no other\n",
			options->program, path, options->program);
		return OPTIONS_WRONG;
	}
	for (int i = 0; i < 2 && result == OPTIONS_RUN; i++)
		if (rte_cfgfile_has_section(file, sections[i]))
			result = load_section(options, settings, path, file, sections[i]);
	return result;
}

enum options_result
options_load(const struct options *options, void *settings, const char *path)
{
	enum options_result result;
	struct rte_cfgfile *file = rte_cfgfile_load(path, 0);

	if (file == NULL) {
		fprintf(stderr, "%s: --config %s: cannot be read; give an INI file with a section [%s] "
			"of \"key = value\" lines, comments after ';'\n", options->program, path,
			options->program);
		return OPTIONS_WRONG;
	}
	result = load_sections(options, settings, path, file);
	rte_cfgfile_close(file);
	return result;
}

static void
help(const struct options *options)
{
	printf("%s: %s\n\nusage: %s [options]\n\n", options->program, options->about,
		options->program);
	for (unsigned int i = 0; i < options->count; i++) {
		const struct option_def *def = &options->defs[i];

		printf("  --%s%s%s%s\n        %s\n", def->name, def->metavar != NULL ? " " : "",
			def->metavar != NULL ? def->metavar : "",
			def->clear != NULL ? " (repeatable)" : "", def->help);
	}
	printf("  --config FILE\n        an INI file: in section [%s], every option above is a key\n"
	       "  --help\n        this text\n  --version\n        the program's version\n",
		options->program);
}

/* What getopt_long returns for the three options that have no row. */
enum { FLAG_CONFIG = OPTIONS_MAX, FLAG_HELP, FLAG_VERSION };

struct pass {
	const char *config;
	bool seen[OPTIONS_MAX];
	bool apply; /* the second pass: values are set */
};

static enum options_result
take_flag(const struct options *options, void *settings, struct pass *pass, int flag)
{
	char why[OPTION_WHY_LEN];

	switch (flag) {
	case FLAG_CONFIG:
		pass->config = optarg;
		return OPTIONS_RUN;
	case FLAG_HELP:
		help(options);
		return OPTIONS_DONE;
	case FLAG_VERSION:
		printf("%s %s\n", options->program, options->version);
		return OPTIONS_DONE;
	}
	if (pass->apply && apply(options, settings, &options->defs[flag],
				   optarg != NULL ? optarg : "yes", pass->seen, why) != 0) {
		fprintf(stderr, "%s: --%s %s: %s\n", options->program, options->defs[flag].name, optarg,
			why);
		return OPTIONS_WRONG;
	}
	return OPTIONS_RUN;
}

static enum options_result
missing_value(const struct options *options, int flag)
{
	if (flag == FLAG_CONFIG)
		fprintf(stderr, "%s: --config: a value is missing; give --config FILE\n",
			options->program);
	else
		fprintf(stderr, "%s: --%s: a value is missing; give --%s %s\n", options->program,
			options->defs[flag].name, options->defs[flag].name,
			options->defs[flag].metavar);
	return OPTIONS_WRONG;
}

/* One walk over the command line. */
static enum options_result
walk(const struct options *options, void *settings, int argc, char *argv[], struct pass *pass)
{
	struct option flags[OPTIONS_MAX + 4] = {{0}};
	enum options_result result = OPTIONS_RUN;
	unsigned int n = options->count;
	int flag;

	for (unsigned int i = 0; i < n; i++)
		flags[i] = (struct option){options->defs[i].name,
			options->defs[i].metavar != NULL ? required_argument : no_argument, NULL,
			(int)i};
	flags[n++] = (struct option){"config", required_argument, NULL, FLAG_CONFIG};
	flags[n++] = (struct option){"help", no_argument, NULL, FLAG_HELP};
	flags[n++] = (struct option){"version", no_argument, NULL, FLAG_VERSION};

	opterr = 0;
	optind = 0; /* glibc: begin anew */
	while (result == OPTIONS_RUN) {
		flag = getopt_long(argc, argv, ":", flags, NULL);
		if (flag == -1)
			break;
		if (flag == ':')
			return missing_value(options, optopt);
		if (flag == '?')
			return unknown_flag(options, argv[optind - 1]);
		result = take_flag(options, settings, pass, flag);
	}
	if (result == OPTIONS_RUN && optind < argc) {
		fprintf(stderr, "%s: %s: is not an option; values belong to options, such as --port "
			"7000 (--help lists all)\n", options->program, argv[optind]);
		result = OPTIONS_WRONG;
	}
	return result;
}

enum options_result
options_parse(const struct options *options, void *settings, int argc, char *argv[])
{
	struct pass pass = {.config = NULL};
	enum options_result result;

	options->set_default(settings);
	result = walk(options, settings, argc, argv, &pass);
	if (result == OPTIONS_RUN && pass.config != NULL)
		result = options_load(options, settings, pass.config);
	pass.apply = true;
	if (result == OPTIONS_RUN)
		result = walk(options, settings, argc, argv, &pass);
	return result == OPTIONS_RUN ? options->finish(settings) : result;
}

static int
set_bounded(void *settings, const struct option_def *def, uint64_t value, char *why)
{
	if (value < def->least || value > def->most)
		return option_wrong(why, "is out of bounds; give a value from %" PRIu64 " to %" PRIu64,
			def->least, def->most);
	*(uint32_t *)((char *)settings + def->offset) = (uint32_t)value;
	return 0;
}

int
option_set_count(void *settings, const struct option_def *def, const char *value, char *why)
{
	uint64_t number;

	if (units_parse_count(value, &number) != 0)
		return option_wrong(why, "is not a number; give one from %" PRIu64 " to %" PRIu64,
			def->least, def->most);
	return set_bounded(settings, def, number, why);
}

int
option_set_bytes(void *settings, const struct option_def *def, const char *value, char *why)
{
	uint64_t number;

	if (units_parse_bytes(value, &number) != 0)
		return option_wrong(why, "is not a number of bytes; give one such as 65536, 64k or 1M");
	return set_bounded(settings, def, number, why);
}

int
option_set_seconds(void *settings, const struct option_def *def, const char *value, char *why)
{
	uint64_t ms;

	if (units_parse_seconds(value, &ms) != 0)
		return option_wrong(why, "is not a time; give seconds, such as 30 or 0.5");
	if (ms < def->least || ms > def->most)
		return option_wrong(why, "is out of bounds; give %" PRIu64 " to %" PRIu64 " seconds",
			def->least / 1000, def->most / 1000);
	return set_bounded(settings, def, ms, why);
}

int
option_set_flag(void *settings, const struct option_def *def, const char *value, char *why)
{
	bool yes = strcmp(value, "yes") == 0;

	if (!yes && strcmp(value, "no") != 0)
		return option_wrong(why, "is neither yes nor no; give one of them");
	*(bool *)((char *)settings + def->offset) = yes;
	return 0;
}
