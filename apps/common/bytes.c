/* SPDX-License-Identifier: BSD-3-Clause */
#include "bytes.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

struct bytes_block {
	struct bytes_block *next;
	uint32_t used; /* bytes written */
	uint8_t data[BYTES_BLOCK_SIZE - sizeof(void *) - sizeof(uint32_t) - 4];
	uint8_t pad[4];
};
static_assert(sizeof(struct bytes_block) == BYTES_BLOCK_SIZE, "a block is as large as it says");

static uint32_t
tail_room(const struct bytes *bytes)
{
	return bytes->tail == NULL ? 0 : (uint32_t)sizeof(bytes->tail->data) - bytes->tail->used;
}

static uint32_t
blocks_free(const struct pool *pool)
{
	return pool->capacity - pool->used;
}

static struct bytes_block *
block_add(struct pool *pool, struct bytes *bytes)
{
	struct bytes_block *block = pool_get(pool);

	block->next = NULL;
	block->used = 0;
	if (bytes->tail == NULL)
		bytes->head = block;
	else
		bytes->tail->next = block;
	bytes->tail = block;
	return block;
}

int
bytes_append(struct pool *pool, struct bytes *bytes, const void *data, uint32_t n)
{
	const uint8_t *p = data;
	uint64_t room = tail_room(bytes);

	if (n > room + (uint64_t)blocks_free(pool) * sizeof(bytes->tail->data)) {
		pool->refused++;
		return -ENOBUFS;
	}
	bytes->len += n;
	while (n > 0) {
		struct bytes_block *block =
			tail_room(bytes) > 0 ? bytes->tail : block_add(pool, bytes);
		uint32_t part = (uint32_t)sizeof(block->data) - block->used;

		if (part > n)
			part = n;
		memcpy(block->data + block->used, p, part);
		block->used += part;
		p += part;
		n -= part;
	}
	return 0;
}

void
bytes_splice(struct bytes *to, struct bytes *from)
{
	if (to->len == 0) {
		*to = *from;
	} else if (from->len > 0) {
		/* A head from which bytes were taken must stay a head. */
		assert(from->from == 0);
		to->tail->next = from->head;
		to->tail = from->tail;
		to->len += from->len;
	}
	*from = (struct bytes){0};
}

uint32_t
bytes_peek(const struct bytes *bytes, const void **data)
{
	if (bytes->len == 0)
		return 0;
	*data = bytes->head->data + bytes->from;
	return bytes->head->used - bytes->from;
}

void
bytes_drop(struct pool *pool, struct bytes *bytes, uint32_t n)
{
	if (n > bytes->len)
		n = bytes->len;
	bytes->len -= n;
	while (n > 0) {
		struct bytes_block *block = bytes->head;
		uint32_t part = block->used - bytes->from;

		if (part > n) {
			bytes->from += n;
			return;
		}
		n -= part;
		bytes->from = 0;
		bytes->head = block->next;
		pool_put(pool, block);
	}
	if (bytes->head == NULL)
		bytes->tail = NULL;
}

void
bytes_take(struct pool *pool, struct bytes *bytes, void *to)
{
	const void *data;
	uint32_t n;

	while ((n = bytes_peek(bytes, &data)) > 0) {
		memcpy(to, data, n);
		to = (uint8_t *)to + n;
		bytes_drop(pool, bytes, n);
	}
}
