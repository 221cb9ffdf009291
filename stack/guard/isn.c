/* SPDX-License-Identifier: BSD-3-Clause */
#include "isn.h"

#define ISN_TICK_US 4 /* [9293 3.4.1] */

seq_t
isn_choose(const struct siphash_key *key, const struct tuple *tuple, ustime now)
{
	return seq((uint32_t)(now / ISN_TICK_US) + (uint32_t)siphash_tuple(key, tuple));
}

/* The other half of the hash: with one key for both, neither number tells anything of the other. */
uint32_t
ts_offset(const struct siphash_key *key, const struct tuple *tuple)
{
	return (uint32_t)(siphash_tuple(key, tuple) >> 32);
}
