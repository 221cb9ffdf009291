/* SPDX-License-Identifier: BSD-3-Clause */
#include "isn.h"

#define ISN_TICK_US 4 /* [9293 3.4.1] */

/* The halves of one hash: neither number tells anything of the other. */
struct isn
isn_draw(const struct siphash_key *key, const struct tuple *tuple, ustime now)
{
	uint64_t hash = siphash_tuple(key, tuple);

	return (struct isn){
		.iss = seq((uint32_t)(now / ISN_TICK_US) + (uint32_t)hash),
		.ts_offset = (uint32_t)(hash >> 32),
	};
}

seq_t
isn_choose(const struct siphash_key *key, const struct tuple *tuple, ustime now)
{
	return isn_draw(key, tuple, now).iss;
}

uint32_t
ts_offset(const struct siphash_key *key, const struct tuple *tuple)
{
	return isn_draw(key, tuple, 0).ts_offset;
}
