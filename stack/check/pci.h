/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_CHECK_PCI_H
#define RILL_CHECK_PCI_H

/*
 * A PCI device before DPDK is asked for it: who holds it, and whether that can hand it to a program.
 * Nothing is changed, and nothing told where the kernel shows no PCI devices.
 */

#include <stdint.h>

struct check;

/* name: a PCI address, with arguments after a comma perhaps. bytes: memory that the stack needs. */
void pci_check(struct check *check, const char *name, uint64_t bytes);

#endif
