/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_CHANCE_H
#define SIM_CHANCE_H

/* Chance that follows from a seed: xorshift64*, seeded through splitmix64. */

#include <stdbool.h>
#include <stdint.h>

struct chance {
	uint64_t state;
};

void chance_seed(struct chance *chance, uint64_t seed);
uint64_t chance_next(struct chance *chance);
/* 0 .. n - 1; n > 0. */
uint32_t chance_below(struct chance *chance, uint32_t n);
/* least .. most, small values as likely as large ones: uniform in the number of bits. */
uint32_t chance_size(struct chance *chance, uint32_t least, uint32_t most);
/* True in `ppm` of a million cases; draws nothing where ppm is 0. */
bool chance_hit(struct chance *chance, uint32_t ppm);
/* True in one of n cases. */
bool chance_one_in(struct chance *chance, uint32_t n);

#endif
