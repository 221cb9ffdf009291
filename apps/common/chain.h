/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef APPS_CHAIN_H
#define APPS_CHAIN_H

/* Cutting and joining chains of mbufs. */

#include <rte_mbuf.h>

/* Takes the first mbuf off; it becomes a chain of its own. Returns the rest, or NULL. */
static inline struct rte_mbuf *
chain_pop(struct rte_mbuf *first)
{
	struct rte_mbuf *rest = first->next;

	if (rest != NULL) {
		rest->pkt_len = first->pkt_len - first->data_len;
		rest->nb_segs = first->nb_segs - 1;
		first->pkt_len = first->data_len;
		first->nb_segs = 1;
		first->next = NULL;
	}
	return rest;
}

/* Keeps the first len bytes, 0 < len <= pkt_len, and frees mbufs beyond. */
static inline void
chain_trim(struct rte_mbuf *chain, uint32_t len)
{
	struct rte_mbuf *last = chain;
	uint16_t segs = 1;
	uint32_t left = len;

	while (left > last->data_len) {
		left -= last->data_len;
		last = last->next;
		segs++;
	}
	if (last->next != NULL) {
		struct rte_mbuf *rest = last->next;

		last->next = NULL;
		while (rest != NULL) {
			struct rte_mbuf *next = rest->next;

			rte_pktmbuf_free_seg(rest);
			rest = next;
		}
	}
	last->data_len = (uint16_t)left;
	chain->pkt_len = len;
	chain->nb_segs = segs;
}

/* Drops the first len bytes, len <= pkt_len, freeing mbufs that get empty. Returns what is left. */
static inline struct rte_mbuf *
chain_skip(struct rte_mbuf *chain, uint32_t len)
{
	while (chain != NULL && len >= chain->data_len) {
		struct rte_mbuf *rest = chain_pop(chain);

		len -= chain->data_len;
		rte_pktmbuf_free_seg(chain);
		chain = rest;
	}
	if (chain != NULL && len > 0)
		rte_pktmbuf_adj(chain, (uint16_t)len);
	return chain;
}

#endif
