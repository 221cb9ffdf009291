/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_API_EAL_H
#define RILL_API_EAL_H

/* Starting DPDK's EAL, when nobody has. */

#include <stdbool.h>
#include <stdint.h>

struct eal_setup {
	const char *const *args; /* the user's, who then decides everything; NULL: chosen from the rest */
	unsigned int args_count;
	bool pci;                /* look for PCI devices */
	bool telemetry;
	uint64_t bytes;          /* memory that will be asked for */
};

/* Memory that EAL is started with where a stack needs so much. */
uint64_t eal_bytes(uint64_t bytes);

/*
 * Starts EAL unless it runs. The calling thread keeps its affinity, and has lcore 0. Returns 0, or a
 * negative errno with an error sentence.
 */
int eal_start(const struct eal_setup *setup);

#endif
