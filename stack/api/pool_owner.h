/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_API_POOL_OWNER_H
#define RILL_API_POOL_OWNER_H

/*
 * Mempools that know whose they are (base/owner.h): in debug builds every buffer that is taken from
 * one or given back is checked, by whatever code it is, Rill's, the application's or a driver's.
 * To see each of them the pools then have no caches. In release builds they are pools as any.
 */

#include <stdint.h>

#include "owner.h"

struct rte_mempool;

/* As rte_pktmbuf_pool_create. NULL, with rte_errno. */
struct rte_mempool *pool_owner_create(
	const char *name, uint32_t count, uint32_t cache, uint16_t room, int numa_node);

/* From now on the pool (NULL: nothing) is this owner's, which outlives that; NULL: nobody's. */
void pool_owner_set(struct rte_mempool *pool, struct owner *owner);

#endif
