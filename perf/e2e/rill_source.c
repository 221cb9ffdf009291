/* SPDX-License-Identifier: BSD-3-Clause */
#include "rill_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "slab.h"

#define POOL_CACHE 256
#define POOL_SPARE 4096 /* records that wait for room, and what the wire has not reported */

/* What a connection has still to send. */
struct supply {
	struct rill_source *source;
	uint64_t bytes;
	struct rte_mbuf *ready; /* a record that found no room */
	uint32_t asked;         /* bytes of requests that make no whole one yet */
	uint32_t index;         /* in the slab */
	uint32_t link;          /* the slab's, while it is free */
};

struct rill_source {
	struct fetch_shape shape;
	struct rte_mempool *pool;
	struct slab supplies;
	void *memory;
};

/* ---- records */

static struct rte_mbuf *
record_make(const struct rill_source *source)
{
	const struct fetch_shape *shape = &source->shape;
	struct rte_mbuf *head = NULL, **end = &head;
	uint32_t left = shape->record;
	uint16_t pieces = 0;

	while (left > 0) {
		struct rte_mbuf *piece = rte_pktmbuf_alloc(source->pool);

		if (piece == NULL) {
			rte_pktmbuf_free(head);
			return NULL;
		}
		piece->data_len = (uint16_t)RTE_MIN(left, (uint32_t)shape->piece);
		left -= piece->data_len;
		*end = piece;
		end = &piece->next;
		pieces++;
	}
	head->nb_segs = pieces;
	head->pkt_len = shape->record;
	return head;
}

static void
supply_some(struct rill_conn *conn, struct supply *supply)
{
	const struct rill_source *source = supply->source;

	while (supply->bytes > 0) {
		struct rte_mbuf *record = supply->ready;

		if (record == NULL)
			record = record_make(source);
		supply->ready = record;
		if (record == NULL || rill_send(conn, record) != 0)
			return; /* on_sent comes */
		supply->ready = NULL;
		supply->bytes -= source->shape.record;
	}
}

/* ---- the application */

static void
source_open(struct rill_conn *conn)
{
	struct rill_source *source = rill_conn_user(conn);
	uint32_t index = slab_alloc(&source->supplies);
	struct supply *supply;

	if (index == SLAB_NONE) {
		rill_abort(conn); /* the player sees it */
		return;
	}
	supply = slab_at(&source->supplies, index);
	*supply = (struct supply){.source = source, .index = index};
	rill_conn_set_user(conn, supply);
}

static void
source_data(struct rill_conn *conn, struct rte_mbuf *data)
{
	struct supply *supply = rill_conn_user(conn);

	supply->asked += data->pkt_len;
	rte_pktmbuf_free(data);
	for (; supply->asked >= FETCH_REQUEST; supply->asked -= FETCH_REQUEST)
		supply->bytes += supply->source->shape.bytes;
	supply_some(conn, supply);
}

static void
source_sent(struct rill_conn *conn, uint32_t bytes_acked)
{
	(void)bytes_acked;
	supply_some(conn, rill_conn_user(conn));
}

static void
source_eof(struct rill_conn *conn)
{
	rill_close(conn);
}

static void
source_close(struct rill_conn *conn, enum rill_close_reason why)
{
	struct supply *supply = rill_conn_user(conn);

	(void)why;
	rte_pktmbuf_free(supply->ready);
	slab_free(&supply->source->supplies, supply->index);
}

const struct rill_handler *
rill_source_handler(void)
{
	static const struct rill_handler handler = {.on_open = source_open,
		.on_data = source_data,
		.on_sent = source_sent,
		.on_eof = source_eof,
		.on_close = source_close};

	return &handler;
}

/* ---- life */

static void
fill_buffer(struct rte_mempool *pool, void *arg, void *object, unsigned int index)
{
	const uint8_t *pattern = arg;
	struct rte_mbuf *mbuf = object;

	(void)pool;
	(void)index;
	memcpy((uint8_t *)mbuf->buf_addr + RTE_PKTMBUF_HEADROOM, pattern, FETCH_PIECE_MAX);
}

static bool
source_make(struct rill_source *source, const struct server_setup *setup)
{
	uint32_t supplies = setup->flows + SERVER_SPARE;
	uint8_t pattern[FETCH_PIECE_MAX];
	char name[RTE_MEMPOOL_NAMESIZE];

	snprintf(name, sizeof(name), "%s_app", setup->name);
	source->shape = setup->fetch;
	source->pool = rte_pktmbuf_pool_create(name,
		fetch_buffers(&setup->fetch, setup->fetches) + POOL_SPARE, POOL_CACHE, 0,
		RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	source->memory = calloc(supplies, sizeof(struct supply));
	if (source->pool == NULL || source->memory == NULL)
		return false;
	fetch_fill(pattern, sizeof(pattern));
	rte_mempool_obj_iter(source->pool, fill_buffer, pattern);
	slab_init(&source->supplies, source->memory, sizeof(struct supply), supplies,
		offsetof(struct supply, link), false);
	return true;
}

struct rill_source *
rill_source_create(const struct server_setup *setup)
{
	struct rill_source *source = calloc(1, sizeof(*source));

	if (source == NULL || (setup->work == PLAYER_SOURCE && !source_make(source, setup))) {
		fprintf(stderr, "%s: no memory for the source's buffers\n", setup->name);
		return NULL;
	}
	return source;
}

unsigned int
rill_source_destroy(struct rill_source *source)
{
	unsigned int missing = source->pool == NULL ? 0 : rte_mempool_in_use_count(source->pool);

	rte_mempool_free(source->pool);
	free(source->memory);
	free(source);
	return missing;
}
