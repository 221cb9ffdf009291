/* SPDX-License-Identifier: BSD-3-Clause */
#include "sysfs.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HUGEPAGES "/sys/kernel/mm/hugepages"

/* False: it is too long. */
static bool
make_path(char path[SYSFS_PATH_MAX], const char *root, const char *format, va_list args)
{
	size_t used = strlen(root);

	if (used >= SYSFS_PATH_MAX)
		return false;
	memcpy(path, root, used);
	return (size_t)vsnprintf(path + used, SYSFS_PATH_MAX - used, format, args) <
	       SYSFS_PATH_MAX - used;
}

bool
sysfs_has(const char *root, const char *format, ...)
{
	char path[SYSFS_PATH_MAX];
	va_list args;
	bool fits;

	va_start(args, format);
	fits = make_path(path, root, format, args);
	va_end(args);
	return fits && access(path, F_OK) == 0;
}

bool
sysfs_line(const char *root, char *text, size_t size, const char *format, ...)
{
	char path[SYSFS_PATH_MAX];
	FILE *file = NULL;
	va_list args;
	bool found;

	va_start(args, format);
	if (make_path(path, root, format, args))
		file = fopen(path, "r");
	va_end(args);
	found = file != NULL && fgets(text, (int)size, file) != NULL;
	if (file != NULL)
		fclose(file);
	text[found ? strcspn(text, "\n") : 0] = '\0';
	return found;
}

bool
sysfs_link(const char *root, char *text, size_t size, const char *format, ...)
{
	char path[SYSFS_PATH_MAX], where[SYSFS_PATH_MAX];
	ssize_t len = -1;
	const char *slash;
	va_list args;

	va_start(args, format);
	if (make_path(path, root, format, args))
		len = readlink(path, where, sizeof(where) - 1);
	va_end(args);
	text[0] = '\0';
	if (len < 0)
		return false;
	where[len] = '\0';
	slash = strrchr(where, '/');
	snprintf(text, size, "%s", slash != NULL ? slash + 1 : where);
	return true;
}

void
sysfs_each(const char *root, const char *path, bool (*fn)(const char *name, void *arg), void *arg)
{
	char full[SYSFS_PATH_MAX];
	struct dirent *entry;
	bool more = true;
	DIR *dir;

	snprintf(full, sizeof(full), "%s%s", root, path);
	dir = opendir(full);
	while (dir != NULL && more && (entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			more = fn(entry->d_name, arg);
	if (dir != NULL)
		closedir(dir);
}

/* ---- lists of cores */

bool
sysfs_parse_cpus(const char *text, cpu_set_t *set)
{
	CPU_ZERO(set);
	while (*text != '\0' && *text != '\n') {
		char *end;
		unsigned long first = strtoul(text, &end, 10), last = first;

		if (end == text)
			return false;
		if (*end == '-') {
			text = end + 1;
			last = strtoul(text, &end, 10);
			if (end == text)
				return false;
		}
		for (unsigned long cpu = first; cpu <= last && cpu < CPU_SETSIZE; cpu++)
			CPU_SET(cpu, set);
		text = *end == ',' ? end + 1 : end;
		if (end == text && *end != '\0' && *end != '\n')
			return false;
	}
	return true;
}

const char *
sysfs_format_cpus(const cpu_set_t *set, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (int cpu = 0; cpu < CPU_SETSIZE && used < size; cpu++) {
		int first = cpu;

		if (!CPU_ISSET(cpu, set))
			continue;
		while (cpu + 1 < CPU_SETSIZE && CPU_ISSET(cpu + 1, set))
			cpu++;
		used += (size_t)snprintf(text + used, size - used, first == cpu ? "%s%d" : "%s%d-%d",
			used > 0 ? "," : "", first, cpu);
	}
	return text;
}

/* ---- hugepages */

struct hugepages {
	const char *root;
	uint64_t bytes;
};

static bool
add_size(const char *name, void *arg)
{
	struct hugepages *pages = arg;
	char count[32];
	uint64_t kb;

	if (sscanf(name, "hugepages-%" SCNu64 "kB", &kb) == 1 &&
		sysfs_line(pages->root, count, sizeof(count), HUGEPAGES "/%s/free_hugepages", name))
		pages->bytes += strtoull(count, NULL, 10) * kb * 1024;
	return true;
}

uint64_t
sysfs_hugepages_free(const char *root)
{
	struct hugepages pages = {.root = root};

	sysfs_each(root, HUGEPAGES, add_size, &pages);
	return pages.bytes;
}
