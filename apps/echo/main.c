/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rill-echo: a TCP echo server with four kinds of messages.
 *
 * Read proto.h first: what a protocol is. Then session.h: what is known of a connection, and the order
 * in which things are said. raw.c, line.c, length.c (with frame.c) and http.c (with http_line.c and
 * http_reply.c) are the protocols; service.c makes the stack and speaks to the terminal.
 */
#include <stdlib.h>

#include "service.h"
#include "settings.h"
#include "signals.h"

static int
run(const struct echo_settings *settings)
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
	struct echo_settings settings;
	enum options_result result;

	settings_default(&settings);
	result = options_parse(&echo_options, &settings, argc, argv);
	if (result == OPTIONS_RUN)
		result = settings_finish(&settings);
	if (result == OPTIONS_DONE)
		return EXIT_SUCCESS;
	if (result == OPTIONS_WRONG)
		return OPTIONS_EXIT_WRONG;
	signals_catch();
	return host_exit_status(run(&settings));
}
