/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_BASE_BOUNDS_H
#define RILL_BASE_BOUNDS_H

/* The smaller and the larger of two counts, as functions: they nest, where RTE_MIN and RTE_MAX shadow
 * their own variables. */

#include <stdint.h>

static inline uint32_t
least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static inline uint32_t
most(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

#endif
