/* SPDX-License-Identifier: BSD-3-Clause */
#include "rng.h"

void
rng_init(struct rng *rng, struct siphash_key key)
{
	*rng = (struct rng){.key = key};
}

uint64_t
rng_next(struct rng *rng)
{
	uint64_t count = rng->counter++;

	return siphash(&rng->key, &count, sizeof(count));
}

/* The top of a 64 by 32 bit product: no result is favoured by more than bound / 2^64. */
uint32_t
rng_below(struct rng *rng, uint32_t bound)
{
	return (uint32_t)((unsigned __int128)rng_next(rng) * bound >> 64);
}
