/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rill-load: loads a TCP server and says what it did.
 *
 * Read schedule.h first: when requests are due. Then lane.h: what one lane does in which phase, and
 * what counts. session.h is one connection; service.c leads the lanes and speaks to the terminal;
 * report.c says what came out.
 */
#include "program.h"
#include "service.h"
#include "settings.h"

static int
run(const void *settings)
{
	static struct load_service service;
	int rc = load_service_open(&service, settings);

	if (rc == 0) {
		report_plan(service.say, settings);
		rc = load_service_run(&service);
		if (rc == 0)
			rc = load_service_report(&service);
	}
	load_service_close(&service);
	return rc;
}

int
main(int argc, char *argv[])
{
	static struct load_settings settings;

	return program_main(&load_options, &settings, run, argc, argv);
}
