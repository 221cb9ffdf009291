/* SPDX-License-Identifier: BSD-3-Clause */
#include "pool_owner.h"

#include <stdatomic.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_mbuf_pool_ops.h>
#include <rte_mempool.h>

/* As rte_pktmbuf_pool_create_by_ops, with flags of the mempool's. */
static struct rte_mempool *
create(struct rte_mempool *pool, uint16_t room, const char *ops)
{
	struct rte_pktmbuf_pool_private private = {.mbuf_data_room_size = room};
	int err;

	if (pool == NULL)
		return NULL;
	err = rte_mempool_set_ops_byname(pool, ops, NULL);
	if (err == 0) {
		rte_pktmbuf_pool_init(pool, &private);
		err = rte_mempool_populate_default(pool);
	}
	if (err < 0) {
		rte_mempool_free(pool);
		rte_errno = -err;
		return NULL;
	}
	rte_mempool_obj_iter(pool, rte_pktmbuf_init, NULL);
	return pool;
}

/*
 * Where no device reads memory by itself no buffer minds a page's end: without hugepages each would else
 * have a page of its own. net_af_xdp counts on it: it gives the kernel as much memory as buffers without
 * gaps take, and those beyond are neither received into nor sent (seen with DPDK 22.11). Such a pool has no
 * IOVAs, so that it is nothing for a NIC on a bus.
 */
static struct rte_mempool *
create_empty(const char *name, uint32_t count, uint32_t cache, uint16_t room, int numa_node)
{
	unsigned int flags = rte_eal_has_pci() ? 0 : RTE_MEMPOOL_F_NO_IOVA_CONTIG;

	return rte_mempool_create_empty(name, count, (unsigned int)sizeof(struct rte_mbuf) + room, cache,
		sizeof(struct rte_pktmbuf_pool_private), numa_node, flags);
}

#ifdef RILL_DEBUG

#define INNER_NAME "ring_mp_mc" /* who keeps the buffers */
#define OPS_NAME "rill_owned"

static const struct rte_mempool_ops *
find_inner(void)
{
	const struct rte_mempool_ops *ops = NULL;

	for (uint32_t i = 0; ops == NULL && i < rte_mempool_ops_table.num_ops; i++)
		if (strcmp(rte_mempool_ops_table.ops[i].name, INNER_NAME) == 0)
			ops = &rte_mempool_ops_table.ops[i];
	RILL_ASSERT(ops != NULL); /* DPDK's driver of mempools in rings is linked in */
	return ops;
}

/* Whoever looks first, and be it several threads at once, finds the same. */
static const struct rte_mempool_ops *
inner(void)
{
	static _Atomic(const struct rte_mempool_ops *) found;
	const struct rte_mempool_ops *ops = atomic_load_explicit(&found, memory_order_relaxed);

	if (ops == NULL) {
		ops = find_inner();
		atomic_store_explicit(&found, ops, memory_order_relaxed);
	}
	return ops;
}

static int
owned_alloc(struct rte_mempool *pool)
{
	return inner()->alloc(pool);
}

static void
owned_free(struct rte_mempool *pool)
{
	inner()->free(pool);
}

static int
owned_enqueue(struct rte_mempool *pool, void *const *objects, unsigned int n)
{
	RILL_OWNED(pool->pool_config);
	return inner()->enqueue(pool, objects, n);
}

static int
owned_dequeue(struct rte_mempool *pool, void **objects, unsigned int n)
{
	RILL_OWNED(pool->pool_config);
	return inner()->dequeue(pool, objects, n);
}

static unsigned int
owned_count(const struct rte_mempool *pool)
{
	return inner()->get_count(pool);
}

static const struct rte_mempool_ops owned_ops = {
	.name = OPS_NAME,
	.alloc = owned_alloc,
	.free = owned_free,
	.enqueue = owned_enqueue,
	.dequeue = owned_dequeue,
	.get_count = owned_count,
};

RTE_MEMPOOL_REGISTER_OPS(owned_ops)

struct rte_mempool *
pool_owner_create(const char *name, uint32_t count, uint32_t cache, uint16_t room, int numa_node)
{
	return create(create_empty(name, count, 0, room, numa_node), room, OPS_NAME);
}

void
pool_owner_set(struct rte_mempool *pool, struct owner *owner)
{
	if (pool != NULL)
		pool->pool_config = owner;
}

#else

struct rte_mempool *
pool_owner_create(const char *name, uint32_t count, uint32_t cache, uint16_t room, int numa_node)
{
	return create(create_empty(name, count, cache, room, numa_node), room,
		rte_mbuf_best_mempool_ops());
}

void
pool_owner_set(struct rte_mempool *pool, struct owner *owner)
{
}

#endif
