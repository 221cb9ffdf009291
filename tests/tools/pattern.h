/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TOOLS_PATTERN_H
#define RILL_TOOLS_PATTERN_H

/*
 * Bytes and choices that a seed fixes: what a connection sends, how long its messages are and where
 * its writes are cut can be replayed from the seed and the connection's number.
 */

#include <stdint.h>
#include <string.h>

struct pattern {
	uint64_t state;
};

static inline void
pattern_seed(struct pattern *p, uint64_t seed, uint64_t stream)
{
	p->state = seed * 0x9e3779b97f4a7c15u + stream * 0xd1342543de82ef95u + 1;
}

/* splitmix64: a counter through a mixer, so that no seed is a bad one. */
static inline uint64_t
pattern_next(struct pattern *p)
{
	uint64_t z = p->state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* A number from least to most, both included. */
static inline uint32_t
pattern_between(struct pattern *p, uint32_t least, uint32_t most)
{
	return least + (uint32_t)(pattern_next(p) % ((uint64_t)most - least + 1));
}

static inline void
pattern_fill(struct pattern *p, uint8_t *to, size_t len)
{
	uint64_t word;

	for (; len >= sizeof(word); len -= sizeof(word), to += sizeof(word)) {
		word = pattern_next(p);
		memcpy(to, &word, sizeof(word));
	}
	if (len > 0) {
		word = pattern_next(p);
		memcpy(to, &word, len);
	}
}

#endif
