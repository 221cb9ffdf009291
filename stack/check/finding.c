/* SPDX-License-Identifier: BSD-3-Clause */
#include "finding.h"

#include <stdarg.h>
#include <stdio.h>

#include "errtext.h"

const char *
rill_check_status_name(enum rill_check_status status)
{
	static const char *const names[RILL_CHECK_STATUS_COUNT] = {
		[RILL_CHECK_OK] = "ok",
		[RILL_CHECK_SOFTWARE] = "software",
		[RILL_CHECK_MISSING] = "missing",
		[RILL_CHECK_WRONG] = "wrong",
	};

	return status < RILL_CHECK_STATUS_COUNT ? names[status] : "unknown";
}

static void
tell(const struct check *check, enum rill_check_status status, const char *what, const char *fact,
	const char *fix)
{
	const struct rill_finding finding = {
		.status = status, .subject = check->subject, .what = what, .fact = fact, .fix = fix};

	if (check->tell != NULL)
		check->tell(&finding, check->user);
}

void
finding_tell(struct check *check, enum rill_check_status status, const char *what, const char *fix,
	const char *format, ...)
{
	char fact[FINDING_FACT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(fact, sizeof(fact), format, args);
	va_end(args);
	tell(check, status, what, fact, fix);
}

void
finding_wrong(
	struct check *check, int err, const char *what, const char *fix, const char *format, ...)
{
	char fact[FINDING_FACT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(fact, sizeof(fact), format, args);
	va_end(args);
	tell(check, RILL_CHECK_WRONG, what, fact, fix);
	if (check->err == 0)
		check->err = error_set(err, "%s: %s: %s", check->subject, fact, fix);
}

void
finding_error(struct check *check, int err, const char *what)
{
	tell(check, RILL_CHECK_WRONG, what, rill_error(), "");
	if (check->err == 0)
		check->err = err;
}
