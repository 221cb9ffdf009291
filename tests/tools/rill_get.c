/* SPDX-License-Identifier: BSD-3-Clause */
/* The HTTP client as a program of its own; http_get.h says what it does. */
#include "http_get.h"

#include <stddef.h>

int
main(int argc, char *argv[])
{
	return http_get_open(argc, argv) == NULL ? 1 : http_get_close(http_get_run());
}
