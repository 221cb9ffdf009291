/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TEST_FAKE_ROOT_H
#define TEST_FAKE_ROOT_H

/* A folder in place of /, with what a test puts there; and the findings that come of looking at it. */

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rill/types.h>

#include "finding.h"

static char fake_root[32];
static struct {
	enum rill_check_status status;
	char text[1024]; /* subject: what: fact: fix */
} fake_findings[64];
static unsigned int fake_findings_count;

static inline int
fake_remove(const char *path, const struct stat *about, int kind, struct FTW *where)
{
	return remove(path);
}

static inline void
fake_end(void)
{
	if (fake_root[0] != '\0')
		nftw(fake_root, fake_remove, 16, FTW_DEPTH | FTW_PHYS);
	fake_root[0] = '\0';
}

static inline void
fake_begin(void)
{
	fake_end();
	strcpy(fake_root, "/tmp/rill-root-XXXXXX");
	assert_non_null(mkdtemp(fake_root));
}

/* The folders above path, an absolute one of the fake machine's, and its real name. */
static inline const char *
fake_path(const char *path)
{
	static char full[512];

	snprintf(full, sizeof(full), "%s%s", fake_root, path);
	for (char *slash = full + strlen(fake_root) + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
		*slash = '\0';
		mkdir(full, 0755);
		*slash = '/';
	}
	return full;
}

static inline void
fake_folder(const char *path)
{
	assert_int_equal(mkdir(fake_path(path), 0755), 0);
}

static inline void
fake_file(const char *path, const char *text)
{
	FILE *file = fopen(fake_path(path), "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	fclose(file);
}

static inline void
fake_link(const char *path, const char *to)
{
	assert_int_equal(symlink(to, fake_path(path)), 0);
}

static inline void
fake_tell(const struct rill_finding *finding, void *user)
{
	unsigned int n = fake_findings_count++;

	assert_in_range(n, 0, sizeof(fake_findings) / sizeof(fake_findings[0]) - 1);
	fake_findings[n].status = finding->status;
	snprintf(fake_findings[n].text, sizeof(fake_findings[n].text), "%s: %s: %s: %s", finding->subject,
		finding->what, finding->fact, finding->fix);
}

/* A new round of looking, at this root. */
static inline struct check
fake_check(const char *subject)
{
	fake_findings_count = 0;
	return (struct check){.tell = fake_tell, .root = fake_root, .subject = subject};
}

/* There is a finding of this status with these words in it, which may be NULL. */
static inline void
fake_expect(enum rill_check_status status, const char *a, const char *b, const char *c)
{
	for (unsigned int i = 0; i < fake_findings_count; i++)
		if (fake_findings[i].status == status &&
			(a == NULL || strstr(fake_findings[i].text, a) != NULL) &&
			(b == NULL || strstr(fake_findings[i].text, b) != NULL) &&
			(c == NULL || strstr(fake_findings[i].text, c) != NULL))
			return;
	for (unsigned int i = 0; i < fake_findings_count; i++)
		print_message("%s  %s\n", rill_check_status_name(fake_findings[i].status),
			fake_findings[i].text);
	fail_msg("%s: \"%s\", \"%s\", \"%s\": no such finding", rill_check_status_name(status),
		a != NULL ? a : "", b != NULL ? b : "", c != NULL ? c : "");
}

#endif
