/* SPDX-License-Identifier: BSD-3-Clause */
/* The HTTP client in rill-load's place, at the other end of the ring. */
#include "http_get.h"
#include "ring_pair.h"

struct rill_stack *
ring_load_open(int argc, char *argv[])
{
	return http_get_open(argc, argv);
}

int
ring_load_run(void)
{
	return http_get_run();
}

int
ring_load_close(int rc)
{
	return http_get_close(rc);
}
