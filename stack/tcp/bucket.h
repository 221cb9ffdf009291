/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TCP_BUCKET_H
#define RILL_TCP_BUCKET_H

/*
 * One cache line of the connection table: ten short tags beside ten handles, all tags compared at
 * once. And what a hash means: two buckets that an entry may stand in, and its tag.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_common.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#define BUCKET_SLOTS 10
#define BUCKET_SLOT_MASK ((1u << BUCKET_SLOTS) - 1)
#define BUCKET_TAG_FREE 0 /* no entry has this tag */

struct bucket {
	uint16_t tags[BUCKET_SLOTS];
	uint16_t spilled; /* entries whose first choice is this bucket, but stand in their second */
	uint16_t stashed; /* likewise, in the stash */
	uint32_t handles[BUCKET_SLOTS];
} __rte_aligned(64);

/* A bucket's whole answer costs one cache miss. */
_Static_assert(sizeof(struct bucket) == 64, "a cache line");

struct spot {
	uint32_t first, second; /* buckets, never the same */
	uint16_t tag;
};

/* Each half of the hash, scaled to n >= 2 buckets by multiplication, names one bucket. */
static inline struct spot
spot_of(uint64_t hash, uint32_t n)
{
	uint32_t first = (uint32_t)((hash >> 32) * n >> 32);
	uint32_t second = (uint32_t)((hash & UINT32_MAX) * n >> 32);
	/* The low bits of both halves, which weigh least in the choice of the buckets. */
	uint16_t tag = (uint16_t)((hash & 0xff) | (hash >> 24 & 0xff00));

	if (second == first)
		second = first + 1 == n ? 0 : first + 1;
	return (struct spot){first, second, tag == BUCKET_TAG_FREE ? 1 : tag};
}

static inline uint32_t
bucket_match_scalar(const struct bucket *bucket, uint16_t tag)
{
	uint32_t mask = 0;

	for (uint32_t slot = 0; slot < BUCKET_SLOTS; slot++)
		mask |= (uint32_t)(bucket->tags[slot] == tag) << slot;
	return mask;
}

/* The slots that hold this tag, as bits. Two vectors cover the tags and what stands behind them. */
static inline uint32_t
bucket_match(const struct bucket *bucket, uint16_t tag)
{
#if defined(__SSE2__)
	const __m128i *line = (const __m128i *)(const void *)bucket;
	__m128i want = _mm_set1_epi16((short)tag);
	__m128i low = _mm_cmpeq_epi16(_mm_load_si128(line), want);
	__m128i high = _mm_cmpeq_epi16(_mm_load_si128(line + 1), want);

	return (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(low, high)) & BUCKET_SLOT_MASK;
#elif defined(__aarch64__)
	static const uint8_t bits[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2};
	const uint16_t *line = (const uint16_t *)(const void *)bucket;
	uint16x8_t want = vdupq_n_u16(tag);
	uint8x8_t low = vmovn_u16(vceqq_u16(vld1q_u16(line), want));
	uint8x8_t high = vmovn_u16(vceqq_u16(vld1q_u16(line + 8), want));

	return vaddv_u8(vand_u8(low, vld1_u8(bits))) |
	       (uint32_t)vaddv_u8(vand_u8(high, vld1_u8(bits + 8))) << 8;
#else
	return bucket_match_scalar(bucket, tag);
#endif
}

/* A free slot, or -1. */
static inline int
bucket_free_slot(const struct bucket *bucket)
{
	uint32_t mask = bucket_match(bucket, BUCKET_TAG_FREE);

	return mask == 0 ? -1 : __builtin_ctz(mask);
}

/* False: no room. */
static inline bool
bucket_put(struct bucket *bucket, uint16_t tag, uint32_t handle)
{
	int slot = bucket_free_slot(bucket);

	if (slot < 0)
		return false;
	bucket->tags[slot] = tag;
	bucket->handles[slot] = handle;
	return true;
}

/* The slot of a handle, or -1. */
static inline int
bucket_slot(const struct bucket *bucket, uint16_t tag, uint32_t handle)
{
	for (uint32_t mask = bucket_match(bucket, tag); mask != 0; mask &= mask - 1) {
		int slot = __builtin_ctz(mask);

		if (bucket->handles[slot] == handle)
			return slot;
	}
	return -1;
}

#endif
