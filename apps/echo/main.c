/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rill-echo: a TCP echo server with four kinds of messages.
 *
 * Read proto.h first: what a protocol is. Then session.h: what is known of a connection, and the order
 * in which things are said. raw.c, line.c, length.c (with frame.c) and http.c (with http_line.c and
 * http_reply.c) are the protocols; service.c makes the stack and speaks to the terminal.
 */
#include "program.h"
#include "service.h"
#include "settings.h"

static int
run(const void *settings)
{
	struct echo_service service;
	int rc = service_open(&service, settings);

	if (rc == 0) {
		service_announce(&service);
		rc = service_run(&service);
		if (rc == 0)
			service_summary(&service);
	}
	service_close(&service);
	return rc;
}

int
main(int argc, char *argv[])
{
	static struct echo_settings settings;

	return program_main(&echo_options, &settings, run, argc, argv);
}
