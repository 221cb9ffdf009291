/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rill-doctor: says of this machine and of ports what Rill will do in hardware, what in software, what is
 * missing, and what to do about it. It brings the ports up and takes them down again, and sends nothing.
 *
 * The looking is rill/check.h, the library's, which refuses with the same sentences when a program starts.
 * report.c writes what is found.
 */
#include <rill/check.h>

#include "program.h"
#include "report.h"
#include "settings.h"

static int
run(const void *arg)
{
	static struct rill_config config;
	const struct doctor_settings *settings = arg;
	char eal[HOST_TEXT_LEN];
	const char *eal_words[HOST_EAL_WORDS_MAX];
	struct report report;
	int err;

	doctor_configure(settings, &config);
	host_configure_eal(&settings->host, &config, eal, eal_words);
	report_begin(&report, stdout, settings->json);
	err = rill_check(&config, report_finding, &report);
	report_end(&report, err == 0);
	return err;
}

int
main(int argc, char *argv[])
{
	static struct doctor_settings settings;

	return program_main(&doctor_options, &settings, run, argc, argv);
}
