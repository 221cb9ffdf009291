/* SPDX-License-Identifier: BSD-3-Clause */
#include "chance.h"

void
chance_seed(struct chance *chance, uint64_t seed)
{
	uint64_t z = seed + 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	z ^= z >> 31;
	chance->state = z ? z : 1;
}

uint64_t
chance_next(struct chance *chance)
{
	uint64_t x = chance->state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	chance->state = x;
	return x * 0x2545f4914f6cdd1du;
}

uint32_t
chance_below(struct chance *chance, uint32_t n)
{
	return (uint32_t)((chance_next(chance) >> 32) * n >> 32);
}

uint32_t
chance_size(struct chance *chance, uint32_t least, uint32_t most)
{
	uint32_t span = most - least, bits = 0, more;

	while (bits < 32 && span >> bits != 0)
		bits++;
	bits = chance_below(chance, bits + 1);
	if (bits == 0)
		return least;
	more = (uint32_t)(chance_next(chance) >> (64 - bits));
	return least + (more < span ? more : span);
}

bool
chance_hit(struct chance *chance, uint32_t ppm)
{
	return ppm != 0 && chance_below(chance, 1000000) < ppm;
}

bool
chance_one_in(struct chance *chance, uint32_t n)
{
	return chance_below(chance, n) == 0;
}
