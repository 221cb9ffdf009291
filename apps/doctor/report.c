/* SPDX-License-Identifier: BSD-3-Clause */
#include "report.h"

/* A string of JSON [8259 7]. */
static void
json_string(FILE *to, const char *text)
{
	putc('"', to);
	for (; *text != '\0'; text++)
		if (*text == '"' || *text == '\\')
			fprintf(to, "\\%c", *text);
		else if ((unsigned char)*text < 0x20)
			fprintf(to, "\\u%04x", (unsigned char)*text);
		else
			putc(*text, to);
	putc('"', to);
}

static void
json_field(FILE *to, const char *name, const char *value)
{
	fprintf(to, ", \"%s\": ", name);
	json_string(to, value);
}

static unsigned int
said(const struct report *report)
{
	unsigned int sum = 0;

	for (int i = 0; i < RILL_CHECK_STATUS_COUNT; i++)
		sum += report->counts[i];
	return sum;
}

static void
finding_json(const struct report *report, const struct rill_finding *finding)
{
	fprintf(report->to, "%s\n  {\"status\": \"%s\"", said(report) > 0 ? "," : "",
		rill_check_status_name(finding->status));
	json_field(report->to, "subject", finding->subject);
	json_field(report->to, "what", finding->what);
	json_field(report->to, "fact", finding->fact);
	json_field(report->to, "fix", finding->fix);
	putc('}', report->to);
}

void
report_begin(struct report *report, FILE *to, bool json)
{
	*report = (struct report){.to = to, .json = json};
	if (json)
		fprintf(to, "{\"findings\": [");
}

void
report_finding(const struct rill_finding *finding, void *arg)
{
	struct report *report = arg;

	if (report->json)
		finding_json(report, finding);
	else
		fprintf(report->to, "%-8s  %s: %s: %s%s%s\n", rill_check_status_name(finding->status),
			finding->subject, finding->what, finding->fact, finding->fix[0] != '\0' ? ": " : "",
			finding->fix);
	report->counts[finding->status]++;
	fflush(report->to); /* what comes next may take a while, or end the program */
}

void
report_end(struct report *report, bool can_run)
{
	if (report->json)
		fprintf(report->to, "\n], \"can_run\": %s}\n", can_run ? "true" : "false");
	else
		fprintf(report->to, "rill-doctor: Rill %s: %u ok, %u in software, %u missing, %u wrong\n",
			can_run ? "can run" : "cannot run", report->counts[RILL_CHECK_OK],
			report->counts[RILL_CHECK_SOFTWARE], report->counts[RILL_CHECK_MISSING],
			report->counts[RILL_CHECK_WRONG]);
	fflush(report->to);
}
