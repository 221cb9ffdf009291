/* SPDX-License-Identifier: BSD-3-Clause */
#include "frames.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_errno.h>

static void
die(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	exit(2);
}

struct rte_mempool *
frames_pool(const char *name, unsigned int count)
{
	struct rte_mempool *pool = rte_pktmbuf_pool_create(
		name, count, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);

	if (pool == NULL)
		die(name, rte_strerror(rte_errno));
	return pool;
}

struct rte_mbuf *
frame_from_bytes(struct rte_mempool *pool, const uint8_t *bytes, size_t len)
{
	struct rte_mbuf *head = NULL;

	do {
		struct rte_mbuf *mbuf = rte_pktmbuf_alloc(pool);
		size_t piece;

		if (mbuf == NULL)
			die(pool->name, "no frame left: they are not given back");
		piece = RTE_MIN(len, (size_t)rte_pktmbuf_tailroom(mbuf));
		memcpy(rte_pktmbuf_append(mbuf, (uint16_t)piece), bytes, piece);
		bytes += piece;
		len -= piece;
		if (head == NULL)
			head = mbuf;
		else
			rte_pktmbuf_chain(head, mbuf);
	} while (len > 0);
	return head;
}

size_t
frame_bytes(const struct rte_mbuf *frame, uint8_t *out)
{
	size_t at = 0;

	for (const struct rte_mbuf *mbuf = frame; mbuf != NULL; mbuf = mbuf->next) {
		if (at + mbuf->data_len > FRAME_MAX)
			die("frame", "longer than IP allows");
		memcpy(out + at, rte_pktmbuf_mtod(mbuf, const uint8_t *), mbuf->data_len);
		at += mbuf->data_len;
	}
	if (at != frame->pkt_len)
		die("frame", "pkt_len is not the sum of its pieces");
	return at;
}

uint64_t
frame_hash(uint64_t hash, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ p[i]) * 0x100000001b3u;
	return hash;
}
