/* SPDX-License-Identifier: BSD-3-Clause */
#include "abi.h"

#include <errno.h>

#include <stdio.h>

#include <rte_version.h>

#include "errtext.h"

int
abi_check(const char *running)
{
	int year, month;

	if (sscanf(running, RTE_VER_PREFIX " %d.%d", &year, &month) == 2 && year == RTE_VER_YEAR &&
		month == RTE_VER_MONTH)
		return 0;
	return error_set(-EPROTO,
		"%s runs, and Rill was built for %s %d.%02d: build Rill anew with the headers of the DPDK that is "
		"installed",
		running, RTE_VER_PREFIX, RTE_VER_YEAR, RTE_VER_MONTH);
}
