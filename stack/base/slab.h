/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_BASE_SLAB_H
#define RILL_BASE_SLAB_H

/*
 * A fixed number of objects of one size, named by 32-bit index, in one piece of memory.
 *
 * Free objects form a FIFO list: a freed slot is the last to be used again, so that a stale handle
 * keeps pointing at a free object for as long as possible. Slots that were never used are not
 * touched (neither read nor written), and are taken only while fewer than SLAB_REST_MIN freed ones
 * rest (LIFO: none), so that a large slab costs only the pages in use. Bytes of an object between
 * free and alloc belong to the slab (4 at link_off hold the link); alloc zeroes nothing.
 */

#include <stdbool.h>
#include <stdint.h>

#include "owner.h"

#define SLAB_NONE UINT32_MAX
/* A freed slot rests while this many others are freed, if capacity allows. */
#define SLAB_REST_MIN 1024

struct slab {
	char *base;
	uint32_t stride;    /* bytes of an object */
	uint32_t capacity;  /* objects */
	uint32_t fresh;     /* objects [fresh, capacity) were never used */
	uint32_t used;      /* objects handed out now */
	uint32_t free_head; /* SLAB_NONE: the list is empty */
	uint32_t free_tail; /* of a FIFO */
	uint32_t link_off;  /* where in a free object the list's link stands */
	bool lifo;          /* hot reuse instead of FIFO: for objects without handles */
	OWNER_FIELD
};

/* memory holds capacity * stride bytes, or NULL if capacity is 0, zeroed or not. */
void slab_init(struct slab *slab, void *memory, uint32_t stride, uint32_t capacity,
	uint32_t link_off, bool lifo);

/* Freed objects that wait to be used again. */
static inline uint32_t
slab_resting(const struct slab *slab)
{
	return slab->fresh - slab->used;
}

static inline void *
slab_at(const struct slab *slab, uint32_t index)
{
	RILL_OWNED(slab->owner);
	return slab->base + (uint64_t)index * slab->stride;
}

static inline uint32_t
slab_index(const struct slab *slab, const void *object)
{
	return (uint32_t)((uint64_t)((const char *)object - slab->base) / slab->stride);
}

static inline uint32_t *
slab_link(const struct slab *slab, uint32_t index)
{
	return (uint32_t *)((char *)slab_at(slab, index) + slab->link_off);
}

/* What the calls below do where a slab is FIFO, or no freed slot is left. */
uint32_t slab_alloc_slowly(struct slab *slab);
void slab_free_last(struct slab *slab, uint32_t index);

/* An index, or SLAB_NONE when all are in use. */
static inline uint32_t
slab_alloc(struct slab *slab)
{
	uint32_t index = slab->free_head;

	RILL_OWNED(slab->owner);
	if (!slab->lifo || index == SLAB_NONE)
		return slab_alloc_slowly(slab);
	RILL_DCHECK(index < slab->fresh);
	slab->used++;
	slab->free_head = *slab_link(slab, index);
	return index;
}

static inline void
slab_free(struct slab *slab, uint32_t index)
{
	RILL_OWNED(slab->owner);
	RILL_ASSERT(index < slab->fresh && slab->used > 0);
	slab->used--;
	if (!slab->lifo) {
		slab_free_last(slab, index);
		return;
	}
	*slab_link(slab, index) = slab->free_head;
	slab->free_head = index;
}

#endif
