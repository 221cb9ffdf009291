/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_API_POOLS_H
#define RILL_API_POOLS_H

/* The mempools of one lane. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rill/lane.h>

struct owner;
struct rte_mempool;

struct pools {
	struct rte_mempool *rx;      /* NULL without a port */
	struct rte_mempool *buf;
	struct rte_mempool *control;
	struct rte_mempool *blank;   /* of a lane that carries others' frames; else NULL */
	struct rte_mempool *exception; /* of what the kernel sends; NULL: there is no such path */
	uint32_t rx_reserve;         /* of rx: what nothing may keep */
};

struct pools_setup {
	const char *name;
	int numa_node;               /* -1: any */
	uint16_t mtu;
	uint32_t buffers;
	uint16_t rx_desc, tx_desc;   /* the port's rings; 0: no port */
	unsigned int lends_to;       /* lanes of the port that this one may lend buffers of rx to */
	bool is_carried;             /* another lane has the port: the rings are the spreader's */
};

/* Returns 0, or a negative errno with an error sentence and nothing left behind. */
int pools_create(struct pools *pools, const struct pools_setup *setup);
void pools_free(struct pools *pools);

/* Adds what a lane needs that carries lends_to others. The same returns; the pools stay whole. */
int pools_add_blank(struct pools *pools, const struct pools_setup *setup);

/* Adds what the lane's queue of an exception path needs, of which setup gives the ring, and its owner. */
int pools_add_exception(
	struct pools *pools, const struct pools_setup *setup, struct owner *owner);

/* They are a lane's from now on (pool_owner.h); NULL: nobody's. */
void pools_set_owner(struct pools *pools, struct owner *owner);

/* A name that no other lane of this process has. */
void pools_choose_name(char *name, size_t size);

/* Bytes that the pools of so many lanes of a port take; and the lanes' tables, about. */
uint64_t pools_bytes(const struct rill_limits *limits, uint16_t mtu, unsigned int lanes);

/* Bytes on top of them for the queues of an exception path. */
uint64_t pools_exception_bytes(uint16_t mtu, unsigned int lanes);

/* Bytes on top of them, should each lane have a queue of its own. */
uint64_t pools_queue_bytes(uint16_t mtu, unsigned int lanes);

#endif
