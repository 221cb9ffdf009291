/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef APPS_BYTES_H
#define APPS_BYTES_H

/*
 * A queue of bytes in blocks of a pool: for what must wait outside of NIC buffers.
 *
 * An unfinished message is copied here, so that a peer which dribbles one byte per segment, or
 * leaves a thousand messages unfinished, pins blocks of this pool and never the NIC's buffers.
 */

#include <stdint.h>

#include "pool.h"

/* A block, its link included; its bytes fit one mbuf when they are sent. */
#define BYTES_BLOCK_SIZE 2048

struct bytes_block;

struct bytes {
	struct bytes_block *head, *tail;
	uint32_t len;  /* bytes in the queue */
	uint32_t from; /* of those of head: taken already */
};

/* Appends a copy of n bytes, all or nothing. Returns 0, or -ENOBUFS. */
int bytes_append(struct pool *pool, struct bytes *bytes, const void *data, uint32_t n);

/* Moves all of from to the end of to. */
void bytes_splice(struct bytes *to, struct bytes *from);

/* The first bytes that lie together: how many, and where. 0 when there are none. */
uint32_t bytes_peek(const struct bytes *bytes, const void **data);

/* Drops the first n, at most what is there. */
void bytes_drop(struct pool *pool, struct bytes *bytes, uint32_t n);

/* Copies all, and drops them. */
void bytes_take(struct pool *pool, struct bytes *bytes, void *to);

#endif
