/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_BASE_TOKEN_H
#define RILL_BASE_TOKEN_H

/*
 * A token bucket: at most `burst` events at once and one more every `every_us`; in any time of t µs
 * at most burst + t / every_us.
 */

#include <stdbool.h>
#include <stdint.h>

#include "ustime.h"

struct token_bucket {
	uint32_t every_us;
	uint32_t burst;
	ustime full_at; /* when all tokens will be there again */
};

/* Starts full. */
static inline void
token_init(struct token_bucket *bucket, uint32_t every_us, uint32_t burst, ustime now)
{
	*bucket = (struct token_bucket){every_us, burst, now};
}

/* Takes a token if there is one. */
static inline bool
token_take(struct token_bucket *bucket, ustime now)
{
	ustime full_at = (bucket->full_at > now ? bucket->full_at : now) + bucket->every_us;

	if (full_at > now + (ustime)bucket->burst * bucket->every_us)
		return false;
	bucket->full_at = full_at;
	return true;
}

#endif
