/* SPDX-License-Identifier: BSD-3-Clause */
#include "slab.h"

#include <stddef.h>

void
slab_init(struct slab *slab, void *memory, uint32_t stride, uint32_t capacity, uint32_t link_off,
	bool lifo)
{
	RILL_ASSERT(capacity < SLAB_NONE && (memory != NULL || capacity == 0));
	RILL_ASSERT(link_off + sizeof(uint32_t) <= stride && link_off % sizeof(uint32_t) == 0 &&
		    stride % sizeof(uint32_t) == 0);
	*slab = (struct slab){
		.base = (char *)memory,
		.stride = stride,
		.capacity = capacity,
		.free_head = SLAB_NONE,
		.free_tail = SLAB_NONE,
		.link_off = link_off,
		.lifo = lifo,
	};
	OWNER_NOTE(slab);
}

/* Is it better to take a slot that was never used than the one that rests longest? */
static inline bool
slab_prefers_fresh(const struct slab *slab)
{
	if (slab->fresh == slab->capacity)
		return false;
	return slab->free_head == SLAB_NONE || (!slab->lifo && slab_resting(slab) < SLAB_REST_MIN);
}

uint32_t
slab_alloc_slowly(struct slab *slab)
{
	bool fresh = slab_prefers_fresh(slab);
	uint32_t index;

	if (slab->used == slab->capacity)
		return SLAB_NONE;
	slab->used++;
	if (fresh)
		return slab->fresh++;
	index = slab->free_head;
	RILL_DCHECK(index < slab->fresh);
	slab->free_head = *slab_link(slab, index);
	if (slab->free_head == SLAB_NONE)
		slab->free_tail = SLAB_NONE;
	return index;
}

void
slab_free_last(struct slab *slab, uint32_t index)
{
	*slab_link(slab, index) = SLAB_NONE;
	if (slab->free_head == SLAB_NONE)
		slab->free_head = index;
	else
		*slab_link(slab, slab->free_tail) = index;
	slab->free_tail = index;
}
