/* SPDX-License-Identifier: BSD-3-Clause */
#include "pool.h"

#include <errno.h>
#include <sys/mman.h>

#define POOL_ALIGN 64

int
pool_init(struct pool *pool, uint32_t object_size, uint32_t capacity)
{
	uint32_t stride = (object_size + POOL_ALIGN - 1) / POOL_ALIGN * POOL_ALIGN;
	void *base = mmap(NULL, (size_t)stride * capacity, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (base == MAP_FAILED)
		return -ENOMEM;
	*pool = (struct pool){.base = base, .stride = stride, .capacity = capacity};
	return 0;
}

void
pool_fini(struct pool *pool)
{
	if (pool->base != NULL)
		munmap(pool->base, (size_t)pool->stride * pool->capacity);
	*pool = (struct pool){0};
}

void *
pool_get(struct pool *pool)
{
	void *object = pool->free;

	if (object != NULL)
		pool->free = *(void **)object;
	else if (pool->fresh < pool->capacity)
		object = pool->base + (size_t)pool->stride * pool->fresh++;
	else {
		pool->refused++;
		return NULL;
	}
	if (++pool->used > pool->used_max)
		pool->used_max = pool->used;
	return object;
}

void
pool_put(struct pool *pool, void *object)
{
	*(void **)object = pool->free;
	pool->free = object;
	pool->used--;
}
