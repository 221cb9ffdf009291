/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_PERF_MEMORY_H
#define RILL_PERF_MEMORY_H

#include <stdint.h>

/* Bytes that this process holds: resident, and in hugepages, which are not counted as resident. */
uint64_t memory_held(void);

#endif
