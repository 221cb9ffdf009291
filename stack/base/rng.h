/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_BASE_RNG_H
#define RILL_BASE_RNG_H

/* Unpredictable numbers without a system call: SipHash of a counter under a secret key. */

#include <stdint.h>

#include "siphash.h"

struct rng {
	struct siphash_key key;
	uint64_t counter;
};

void rng_init(struct rng *rng, struct siphash_key key);

uint64_t rng_next(struct rng *rng);

/* Uniform in [0, bound), bound > 0, without a division. */
uint32_t rng_below(struct rng *rng, uint32_t bound);

#endif
