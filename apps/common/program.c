/* SPDX-License-Identifier: BSD-3-Clause */
#include "program.h"

#include <stdlib.h>

#include "host.h"
#include "signals.h"

int
program_main(const struct options *options, void *settings, int (*run)(const void *settings), int argc,
	char *argv[])
{
	switch (options_parse(options, settings, argc, argv)) {
	case OPTIONS_DONE:
		return EXIT_SUCCESS;
	case OPTIONS_WRONG:
		return OPTIONS_EXIT_WRONG;
	case OPTIONS_RUN:
		break;
	}
	signals_catch();
	return host_exit_status(run(settings));
}
