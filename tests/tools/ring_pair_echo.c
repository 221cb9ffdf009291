/* SPDX-License-Identifier: BSD-3-Clause */
#include "ring_pair.h"
#include "service.h"
#include "settings.h"

static struct echo_settings settings;
static struct echo_service service;

struct rill_stack *
ring_echo_open(int argc, char *argv[])
{
	if (options_parse(&echo_options, &settings, argc, argv) != OPTIONS_RUN ||
		service_open(&service, &settings) != 0)
		return NULL;
	return service.stack;
}

/* On no signal: it is stopped when the load has ended. */
void *
ring_echo_run(void *unused)
{
	rill_stack_run(service.stack);
	return NULL;
}

void
ring_echo_close(void)
{
	service_summary(&service);
	service_close(&service);
}
