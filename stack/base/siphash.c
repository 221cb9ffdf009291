/* SPDX-License-Identifier: BSD-3-Clause */
#include "siphash.h"

#include <rte_common.h>

/*
 * The state, and the constants that the key is mixed with: "somepseudorandomlygeneratedbytes". All
 * that works on it is inlined: a call would take it out of its registers.
 */
struct sip {
	uint64_t v0, v1, v2, v3;
};

static __rte_always_inline struct sip
sip_start(const struct siphash_key *key)
{
	return (struct sip){
		key->k0 ^ 0x736f6d6570736575ull,
		key->k1 ^ 0x646f72616e646f6dull,
		key->k0 ^ 0x6c7967656e657261ull,
		key->k1 ^ 0x7465646279746573ull,
	};
}

static inline uint64_t
rotl(uint64_t x, unsigned int bits)
{
	return x << bits | x >> (64 - bits);
}

static __rte_always_inline void
sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = rotl(s->v1, 13) ^ s->v0;
	s->v3 = rotl(s->v3, 16) ^ s->v2;
	s->v0 = rotl(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = rotl(s->v1, 17) ^ s->v2;
	s->v3 = rotl(s->v3, 21) ^ s->v0;
	s->v2 = rotl(s->v2, 32);
}

/* One round for a word: the 1 of SipHash-1-3. */
static __rte_always_inline void
sip_word(struct sip *s, uint64_t word)
{
	s->v3 ^= word;
	sip_round(s);
	s->v0 ^= word;
}

/* Three rounds at the end. */
static __rte_always_inline uint64_t
sip_finish(struct sip *s)
{
	s->v2 ^= 0xff;
	sip_round(s);
	sip_round(s);
	sip_round(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

static inline uint64_t
load64(const void *from)
{
	uint64_t word;

	memcpy(&word, from, sizeof(word));
	return rte_le_to_cpu_64(word);
}

uint64_t
siphash(const struct siphash_key *key, const void *data, size_t len)
{
	const uint8_t *at = data;
	struct sip s = sip_start(key);
	uint64_t last = (uint64_t)len << 56;

	for (size_t left = len; left >= 8; left -= 8, at += 8)
		sip_word(&s, load64(at));
	for (size_t i = 0; i < len % 8; i++)
		last |= (uint64_t)at[i] << 8 * i;
	sip_word(&s, last);
	return sip_finish(&s);
}

/*
 * What siphash() gives for 13 bytes (IPv4: addresses, ports, family) or 37 (IPv6: both addresses,
 * ports, family), unrolled: the length in the last word keeps the families apart.
 */
uint64_t
siphash_tuple(const struct siphash_key *key, const struct tuple *tuple)
{
	struct sip s = sip_start(key);
	const uint8_t *head = (const uint8_t *)&tuple->head;
	uint64_t ports_family = load64(head + offsetof(struct tuple_head, lport)) & 0xffffffffffull;

	if (tuple->head.family == AF_INET) {
		sip_word(&s, load64(head));
		sip_word(&s, ports_family | 13ull << 56);
	} else {
		sip_word(&s, load64(tuple->addrs6.laddr));
		sip_word(&s, load64(tuple->addrs6.laddr + 8));
		sip_word(&s, load64(tuple->addrs6.raddr));
		sip_word(&s, load64(tuple->addrs6.raddr + 8));
		sip_word(&s, ports_family | 37ull << 56);
	}
	return sip_finish(&s);
}

/* Each half of the secret keys the hash that makes half of the derived key. */
struct siphash_key
siphash_derive(const uint8_t secret[32], const char *purpose)
{
	size_t len = strlen(purpose);
	struct siphash_key low = {load64(secret), load64(secret + 8)};
	struct siphash_key high = {load64(secret + 16), load64(secret + 24)};

	return (struct siphash_key){siphash(&low, purpose, len), siphash(&high, purpose, len)};
}
