/* SPDX-License-Identifier: BSD-3-Clause */
#include "steer.h"

#include <rte_thash.h>

#include "rng.h"

/* Key bytes below are IPv4's to choose, and not read by IPv6's ports. */
#define KEY_SPLIT 24
static_assert(STEER_PORTS4_AT + 8 <= KEY_SPLIT && KEY_SPLIT <= STEER_PORTS6_AT,
	"a byte contributes by the five key bytes from its own place on");

/* rte_softrss takes words in host order: the byte that comes first on the wire is the highest. */
static uint32_t
hash_of_byte(const uint8_t *key, unsigned int at, uint8_t value)
{
	uint32_t words[STEER_TUPLE_LEN / 4] = {0};

	words[at / 4] = (uint32_t)value << (24 - 8 * (at & 3));
	return rte_softrss(words, STEER_TUPLE_LEN / 4, key);
}

/* Each value is a sum of its bits. */
static void
fill_byte(uint32_t of_byte[256], const uint8_t *key, unsigned int at)
{
	of_byte[0] = 0;
	for (unsigned int value = 1; value < 256; value++) {
		unsigned int rest = value & (value - 1);

		of_byte[value] = rest == 0 ? hash_of_byte(key, at, (uint8_t)value)
					   : of_byte[rest] ^ of_byte[value ^ rest];
	}
}

/* How many of n sums of bits are independent of each other (Gauss's elimination). */
static unsigned int
rank_of(const uint32_t *rows, unsigned int n, uint32_t mask)
{
	uint32_t by_top[STEER_RETA_BITS] = {0};
	unsigned int rank = 0;

	for (unsigned int i = 0; i < n; i++) {
		uint32_t row = rows[i] & mask;

		for (int top = STEER_RETA_BITS - 1; row != 0 && top >= 0; top--) {
			if (!(row >> top & 1))
				continue;
			if (by_top[top] == 0) {
				by_top[top] = row;
				rank++;
				break;
			}
			row ^= by_top[top];
		}
	}
	return rank;
}

/* Has each entry of the table ports of ours? The remote one stands at `at`, ours behind it. */
static bool
reaches_all(const uint8_t *key, unsigned int at)
{
	uint32_t rows[16];

	for (unsigned int bit = 0; bit < 16; bit++)
		rows[bit] = hash_of_byte(key, at + 2 + bit / 8, (uint8_t)(1u << bit % 8));
	return rank_of(rows, 16, STEER_RETA_SIZE - 1) == STEER_RETA_BITS;
}

bool
steer_key_reaches_all(const uint8_t key[STEER_KEY_LEN])
{
	return reaches_all(key, STEER_PORTS4_AT) && reaches_all(key, STEER_PORTS6_AT);
}

/*
 * Does each aligned run of 2^k ports of the peer's, of which it takes every second, as Linux does,
 * meet each value of the index's low k bits once?
 */
static bool
spreads_neighbors(const uint8_t *key, unsigned int at)
{
	uint32_t rows[STEER_RETA_BITS];

	for (unsigned int bit = 0; bit < STEER_RETA_BITS; bit++)
		rows[bit] = hash_of_byte(key, at + 1, (uint8_t)(2u << bit));
	for (unsigned int k = 1; k <= STEER_RETA_BITS; k++)
		if (rank_of(rows, k, (1u << k) - 1) < k)
			return false;
	return true;
}

void
steer_init_key(struct steer *steer, const uint8_t key[STEER_KEY_LEN], unsigned int lanes)
{
	memcpy(steer->key, key, STEER_KEY_LEN);
	for (unsigned int at = 0; at < STEER_TUPLE_LEN; at++)
		fill_byte(steer->of_byte[at], key, at);
	steer_fit_reta(steer, STEER_RETA_SIZE, lanes);
}

void
steer_fit_reta(struct steer *steer, unsigned int size, unsigned int lanes)
{
	for (unsigned int i = 0; i < STEER_RETA_SIZE; i++)
		steer->reta[i] = (uint8_t)(i % size % lanes);
}

/*
 * Draws key bytes [from, until) anew until they suit ports that stand at `at`, some hundreds of times.
 * What those contribute depends on the bytes from there on, and on none of another family's.
 */
static void
draw_key(struct rng *rng, uint8_t *key, unsigned int from, unsigned int until, unsigned int at)
{
	do {
		for (unsigned int i = from; i < until; i++)
			key[i] = (uint8_t)rng_next(rng);
	} while (!spreads_neighbors(key, at) || !reaches_all(key, at));
}

void
steer_init(struct steer *steer, const uint8_t secret[32], unsigned int lanes)
{
	uint8_t key[STEER_KEY_LEN] = {0};
	struct rng rng;

	rng_init(&rng, siphash_derive(secret, "steer"));
	draw_key(&rng, key, 0, KEY_SPLIT, STEER_PORTS4_AT);
	draw_key(&rng, key, KEY_SPLIT, STEER_KEY_LEN, STEER_PORTS6_AT);
	steer_init_key(steer, key, lanes);
}
