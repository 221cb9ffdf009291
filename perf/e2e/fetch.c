/* SPDX-License-Identifier: BSD-3-Clause */
#include "fetch.h"

#include <string.h>

#include <rte_common.h>

#include "rng.h"

struct fetch_shape
fetch_shape_of(uint16_t size, bool large)
{
	uint32_t full = FETCH_RECORD / size * size;

	return (struct fetch_shape){.size = size,
		.piece = large ? FETCH_PIECE_MAX : size,
		.record = large ? full : size,
		.bytes = FETCH_RECORDS * full};
}

uint32_t
fetch_buffers(const struct fetch_shape *shape, uint32_t fetches)
{
	uint32_t pieces;

	if (fetches == 0)
		return 0;
	pieces = (shape->record + shape->piece - 1) / shape->piece;
	return fetches * (shape->bytes / shape->record) * pieces;
}

void
fetch_fill(uint8_t *piece, uint16_t len)
{
	struct rng rng;

	rng_init(&rng, (struct siphash_key){FETCH_PIECE_MAX, 0});
	for (uint16_t i = 0; i < len; i++)
		piece[i] = (uint8_t)rng_next(&rng);
}

bool
fetch_matches(const struct fetch_shape *shape, const uint8_t *pattern, uint32_t offset,
	const uint8_t *bytes, uint32_t len)
{
	while (len > 0) {
		uint32_t in_record = offset % shape->record, at = in_record % shape->piece;
		uint32_t run = RTE_MIN(shape->piece - at, shape->record - in_record);

		run = RTE_MIN(run, len);
		if (memcmp(bytes, pattern + at, run) != 0)
			return false;
		bytes += run;
		offset += run;
		len -= run;
	}
	return true;
}
