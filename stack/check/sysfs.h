/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_CHECK_SYSFS_H
#define RILL_CHECK_SYSFS_H

/* What the kernel tells in /sys and /proc, under a root that tests choose ("" is the machine's). */

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for a path; what is longer is taken for absent. */
#define SYSFS_PATH_MAX 512

/* Is there such a file or folder? The path is made from format. */
bool sysfs_has(const char *root, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The first line of a file, without its end; false, and text empty: there is none. */
bool sysfs_line(const char *root, char *text, size_t size, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* The last part of where a link leads; false, and text empty: there is no such link. */
bool sysfs_link(const char *root, char *text, size_t size, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Entries of a folder, but for those that begin with a dot. fn returns false to end it. */
void sysfs_each(const char *root, const char *path, bool (*fn)(const char *name, void *arg), void *arg);

/* "0-2,7" to a set; false: it is no such list. An empty text is an empty set. */
bool sysfs_parse_cpus(const char *text, cpu_set_t *set);

/* The other way; what does not fit is cut. Returns text. */
const char *sysfs_format_cpus(const cpu_set_t *set, char *text, size_t size);

/* Bytes of hugepages of all sizes that are free. */
uint64_t sysfs_hugepages_free(const char *root);

#endif
