/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_CHECK_MACHINE_H
#define RILL_CHECK_MACHINE_H

/* What the machine gives to a stack, whatever its ports are. */

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

#include "finding.h"

/* Hugepages for so many bytes. */
void machine_check_memory(struct check *check, uint64_t bytes);

/* How to come by them, in pages of 2 MiB, the usual ones: on each node as many as all need. */
void machine_fix_hugepages(char fix[FINDING_FIX_MAX], uint64_t bytes);

/* The clock that lanes read is the TSC: does it go evenly, and the same on all cores? */
void machine_check_clock(struct check *check);

/* Is a NIC on vfio-pci kept from the memory of others? For stacks with a PCI device. */
void machine_check_iommu(struct check *check);

/* Are the lanes alone on their cores? allowed: those that the process may use; polls: lanes do not
 * sleep while idle. */
void machine_check_cores(
	struct check *check, const cpu_set_t *lanes, const cpu_set_t *allowed, bool polls);

#endif
