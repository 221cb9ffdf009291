/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_API_ABI_H
#define RILL_API_ABI_H

/*
 * Inline functions of DPDK are compiled into Rill: at run time it must be of the release that Rill
 * was built with. running is what rte_version() says, such as "DPDK 22.11.11": releases of one year
 * and month share their ABI. Returns 0, or -EPROTO with an error sentence.
 */
int abi_check(const char *running);

#endif
