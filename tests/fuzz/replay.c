/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A fuzz target without libFuzzer: runs every file that the arguments name, directly or by their folder,
 * once. How the corpora are replayed in builds of any compiler.
 *
 * usage: corpus_TARGET FILE_OR_FOLDER...
 */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "fuzz.h"

#define INPUT_MAX (1 << 20)

static unsigned int
replay_file(const char *path)
{
	uint8_t *data = malloc(INPUT_MAX), *exact;
	FILE *file = fopen(path, "rb");
	size_t size;

	if (data == NULL || file == NULL) {
		perror(path);
		exit(2);
	}
	size = fread(data, 1, INPUT_MAX, file);
	fclose(file);
	exact = realloc(data, size > 0 ? size : 1);
	if (exact == NULL)
		abort();
	/* The last line that stands when one ends the program names it. */
	fprintf(stderr, "%s\r", path);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	return 1;
}

static unsigned int
replay(const char *path)
{
	struct stat status;
	struct dirent *entry;
	char inner[PATH_MAX];
	unsigned int n = 0;
	DIR *dir;

	if (stat(path, &status) != 0 || !S_ISDIR(status.st_mode))
		return replay_file(path);
	dir = opendir(path);
	if (dir == NULL) {
		perror(path);
		exit(2);
	}
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name);
		n += replay(inner);
	}
	closedir(dir);
	return n;
}

int
main(int argc, char **argv)
{
	unsigned int n = 0;

	LLVMFuzzerInitialize(&argc, &argv);
	for (int i = 1; i < argc; i++)
		n += replay(argv[i]);
	fprintf(stderr, "\n%u inputs\n", n);
	return n > 0 ? 0 : 1;
}
