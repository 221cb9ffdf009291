/* SPDX-License-Identifier: BSD-3-Clause */
#include "steer.h"

#include <rte_thash.h>

#include "rng.h"

static_assert((STEER_RETA_SIZE & (STEER_RETA_SIZE - 1)) == 0, "the index is a mask");

/* rte_softrss takes words in host order: the byte that comes first on the wire is the highest. */
static uint32_t
hash_of_byte(const uint8_t *key, unsigned int at, uint8_t value)
{
	uint32_t words[STEER_TUPLE4_LEN / 4] = {0};

	words[at / 4] = (uint32_t)value << (24 - 8 * (at & 3));
	return rte_softrss(words, STEER_TUPLE4_LEN / 4, key);
}

void
steer_init_key(struct steer *steer, const uint8_t key[STEER_KEY_LEN], unsigned int lanes)
{
	memcpy(steer->key, key, STEER_KEY_LEN);
	for (unsigned int at = 0; at < STEER_TUPLE4_LEN; at++)
		for (unsigned int value = 0; value < 256; value++)
			steer->of_byte[at][value] = hash_of_byte(key, at, (uint8_t)value);
	for (unsigned int i = 0; i < STEER_RETA_SIZE; i++)
		steer->reta[i] = (uint8_t)(i % lanes);
}

void
steer_init(struct steer *steer, const uint8_t secret[32], unsigned int lanes)
{
	uint8_t key[STEER_KEY_LEN];
	struct rng rng;

	rng_init(&rng, siphash_derive(secret, "steer"));
	for (unsigned int i = 0; i < STEER_KEY_LEN; i++)
		key[i] = (uint8_t)rng_next(&rng);
	steer_init_key(steer, key, lanes);
}
