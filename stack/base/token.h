/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_BASE_TOKEN_H
#define RILL_BASE_TOKEN_H

/* A token bucket: at most `burst` events at once and one more every `every_us`. */

#include <stdbool.h>
#include <stdint.h>

#include "ustime.h"

struct token_bucket {
	uint32_t every_us;
	uint32_t burst;
	uint32_t tokens;
	ustime filled_at;
};

static inline void
token_init(struct token_bucket *bucket, uint32_t every_us, uint32_t burst, ustime now)
{
	*bucket = (struct token_bucket){every_us, burst, burst, now};
}

/* Takes a token if there is one. The division happens only when the bucket is empty. */
static inline bool
token_take(struct token_bucket *bucket, ustime now)
{
	if (bucket->tokens == 0) {
		uint64_t fresh = (now - bucket->filled_at) / bucket->every_us;

		if (fresh == 0)
			return false;
		bucket->filled_at = now;
		bucket->tokens = fresh < bucket->burst ? (uint32_t)fresh : bucket->burst;
	}
	bucket->tokens--;
	return true;
}

#endif
