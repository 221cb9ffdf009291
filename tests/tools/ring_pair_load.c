/* SPDX-License-Identifier: BSD-3-Clause */
#include "ring_pair.h"
#include "service.h"
#include "settings.h"

static struct load_settings settings;
static struct load_service service;

struct rill_stack *
ring_load_open(int argc, char *argv[])
{
	if (options_parse(&load_options, &settings, argc, argv) != OPTIONS_RUN ||
		load_service_open(&service, &settings) != 0)
		return NULL;
	return service.stack;
}

int
ring_load_run(void)
{
	return load_service_run(&service);
}

int
ring_load_close(int rc)
{
	if (rc == 0)
		rc = load_service_report(&service);
	load_service_close(&service);
	return host_exit_status(rc);
}
