/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_BASE_SEQ_H
#define RILL_BASE_SEQ_H

/*
 * Sequence numbers: 32 bits, compared modulo 2^32 [9293 3.4]. A struct, so that `a < b` does not
 * compile: a and b are comparable only while they are less than 2^31 apart, and these functions are
 * the one place that knows it.
 */

#include <stdbool.h>
#include <stdint.h>

typedef struct {
	uint32_t n;
} seq_t;

static inline seq_t
seq(uint32_t n)
{
	return (seq_t){n};
}

/* How far b lies behind a: positive when a is later. */
static inline int32_t
seq_diff(seq_t a, seq_t b)
{
	return (int32_t)(a.n - b.n);
}

static inline seq_t
seq_add(seq_t a, uint32_t n)
{
	return (seq_t){a.n + n};
}

static inline seq_t
seq_sub(seq_t a, uint32_t n)
{
	return (seq_t){a.n - n};
}

static inline bool
seq_eq(seq_t a, seq_t b)
{
	return a.n == b.n;
}

static inline bool
seq_lt(seq_t a, seq_t b)
{
	return seq_diff(a, b) < 0;
}

static inline bool
seq_leq(seq_t a, seq_t b)
{
	return seq_diff(a, b) <= 0;
}

static inline bool
seq_gt(seq_t a, seq_t b)
{
	return seq_diff(a, b) > 0;
}

static inline bool
seq_geq(seq_t a, seq_t b)
{
	return seq_diff(a, b) >= 0;
}

static inline seq_t
seq_max(seq_t a, seq_t b)
{
	return seq_lt(a, b) ? b : a;
}

static inline seq_t
seq_min(seq_t a, seq_t b)
{
	return seq_lt(a, b) ? a : b;
}

#endif
