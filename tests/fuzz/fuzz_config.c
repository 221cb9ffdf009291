/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The reader of configurations: the input's first byte says whether the rest is an INI file or a command
 * line, one argument per line. Whatever it is, it is either taken, and then every value is in its bounds
 * and reading it again gives the same; or refused by words on stderr.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "settings.h"

#define ARGS_MAX 32
#define TEXT_MAX 4096

static char file_path[64];
static int file_fd;

static void
must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "fuzz: not so: %s\n", what);
	abort();
}

static enum options_result
read_file(struct echo_settings *settings, const char *text, size_t size)
{
	if (ftruncate(file_fd, 0) != 0 || pwrite(file_fd, text, size, 0) != (ssize_t)size)
		abort();
	return options_load(&echo_options, settings, file_path);
}

/* Arguments that would name other files are left out. */
static enum options_result
read_arguments(struct echo_settings *settings, const char *text, size_t size)
{
	char copy[TEXT_MAX + 1], *rest = copy, *word, *argv[ARGS_MAX + 2] = {"rill-echo"};
	int argc = 1;

	memcpy(copy, text, size);
	copy[size] = '\0';
	while (argc <= ARGS_MAX && (word = strsep(&rest, "\n")) != NULL)
		if (strncmp(word, "--c", 3) != 0)
			argv[argc++] = word;
	return options_parse(&echo_options, settings, argc, argv);
}

/* Reads with both streams into memory; *said: were there words on stderr? */
static enum options_result
read_quietly(struct echo_settings *settings, bool file, const char *text, size_t size, bool *said)
{
	FILE *real_out = stdout, *real_err = stderr;
	char *words = NULL;
	size_t words_len = 0;
	enum options_result result;

	settings_default(settings);
	stderr = open_memstream(&words, &words_len);
	stdout = stderr;
	result = file ? read_file(settings, text, size) : read_arguments(settings, text, size);
	if (result == OPTIONS_RUN)
		result = settings_finish(settings);
	fclose(stderr);
	stdout = real_out;
	stderr = real_err;
	*said = words_len > 0;
	must(!*said || words[words_len - 1] == '\n', "words end with a line");
	free(words);
	return result;
}

static void
check_bounds(const struct echo_settings *settings)
{
	const struct host *host = &settings->host;

	must(settings->proto != NULL, "there is a protocol");
	must(host->devs_count >= 1 && host->devs_count <= RILL_PORTS_MAX, "devices in bounds");
	must(host->ips_count == host->devs_count, "an address for each");
	for (unsigned int i = 0; i < host->ips_count; i++) {
		must(host->ips_each[i] >= 1 && host->ips_each[i] <= HOST_IPS_MAX, "addresses in bounds");
		for (unsigned int n = 0; n < host->ips_each[i]; n++) {
			const struct rill_prefix *ip = &host->ips[i][n];

			must(ip->len <= (ip->addr.family == AF_INET6 ? 128 : 32),
				"a prefix in bounds");
		}
	}
	for (unsigned int i = 0; i < echo_options.count; i++) {
		const struct option_def *def = &echo_options.defs[i];
		uint32_t value;

		if (def->most == 0)
			continue;
		memcpy(&value, (const char *)settings + def->offset, sizeof(value));
		must(value >= def->least && value <= def->most, def->name);
	}
	must(settings->hold_bytes / 2 >= settings->max_message, "room for the longest message");
	must(memchr(host->eal, 0, sizeof(host->eal)) != NULL, "the text ends");
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	file_fd = memfd_create("fuzz", 0);
	snprintf(file_path, sizeof(file_path), "/proc/self/fd/%d", file_fd);
	return file_fd < 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct echo_settings first, second;
	enum options_result result;
	bool said, said_again;

	if (size == 0 || size > TEXT_MAX)
		return 0;
	result = read_quietly(&first, data[0] & 1, (const char *)data + 1, size - 1, &said);
	must(said == (result != OPTIONS_RUN), "words if, and only if, it is not taken");
	must(read_quietly(&second, data[0] & 1, (const char *)data + 1, size - 1, &said_again) == result,
		"the same again");
	if (result == OPTIONS_RUN) {
		check_bounds(&first);
		must(memcmp(&first, &second, sizeof(first)) == 0, "the same settings again");
	}
	return 0;
}
