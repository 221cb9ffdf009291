/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef APPS_POOL_H
#define APPS_POOL_H

/*
 * A bounded number of objects of one size for one lane, without locks.
 *
 * The memory is reserved at once and touched only as objects are used for the first time, so a large
 * bound costs address space, not memory; and what a lane touches first lies on its NUMA node.
 */

#include <stddef.h>
#include <stdint.h>

struct pool {
	char *base;
	void *free;        /* objects given back; the first pointer of each links to the next */
	uint32_t stride;   /* bytes of an object */
	uint32_t capacity; /* objects */
	uint32_t fresh;    /* objects [fresh, capacity) were never used */
	uint32_t used;     /* objects handed out now */
	uint32_t used_max; /* the most at one time */
	uint64_t refused;  /* times that none was left */
};

/* Reserves room for capacity objects. Returns 0 or -ENOMEM. */
int pool_init(struct pool *pool, uint32_t object_size, uint32_t capacity);
void pool_fini(struct pool *pool);

/* An object, its bytes undefined; NULL (counted) when all are in use. */
void *pool_get(struct pool *pool);
void pool_put(struct pool *pool, void *object);

#endif
