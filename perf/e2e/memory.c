/* SPDX-License-Identifier: BSD-3-Clause */
#include "memory.h"

#include <stdio.h>

uint64_t
memory_held(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	uint64_t held = 0;
	char line[256];

	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		unsigned long kb;

		if (sscanf(line, "VmRSS: %lu kB", &kb) == 1 ||
			sscanf(line, "HugetlbPages: %lu kB", &kb) == 1)
			held += (uint64_t)kb * 1024;
	}
	if (file != NULL)
		fclose(file);
	return held;
}
