/* SPDX-License-Identifier: BSD-3-Clause */
#include "ip6_split.h"

#include <string.h>

#include <rte_ip_frag.h>
#include <rte_mbuf.h>

#define HALF_BITS 16
#define HALF_MASK ((1u << HALF_BITS) - 1)
#define ROUNDS 4
#define L2_LEN_MAX 18

/* A Feistel network, as in ip4_split.c. */
uint32_t
ip6_ids_next(struct ip6_ids *ids)
{
	uint32_t left = ids->count >> HALF_BITS, right = ids->count & HALF_MASK;

	ids->count++;
	for (uint32_t round = 0; round < ROUNDS; round++) {
		uint32_t input[] = {round, right}, mixed;

		mixed = left ^ ((uint32_t)siphash(&ids->key, input, sizeof(input)) & HALF_MASK);
		left = right;
		right = mixed;
	}
	return left << HALF_BITS | right;
}

/* The identification, which DPDK leaves 0, the link header, and one piece where the port wants that. */
static struct rte_mbuf *
finish(const struct netif *netif, struct rte_mbuf *fragment, uint32_t id, const void *l2,
	uint16_t l2_len)
{
	struct rte_ipv6_fragment_ext *extension = rte_pktmbuf_mtod_offset(
		fragment, struct rte_ipv6_fragment_ext *, sizeof(struct rte_ipv6_hdr));
	struct rte_mbuf *copy;

	extension->id = rte_cpu_to_be_32(id);
	memcpy(rte_pktmbuf_prepend(fragment, l2_len), l2, l2_len);
	if (!netif_takes_chain(netif, fragment)) {
		copy = rte_pktmbuf_copy(fragment, netif->wait_pool, 0, UINT32_MAX);
		rte_pktmbuf_free(fragment);
		fragment = copy;
	}
	if (fragment != NULL)
		fragment->ol_flags &= ~RTE_MBUF_F_TX_OFFLOAD_MASK;
	return fragment;
}

/* Returns RILL_DROP_COUNT if all have become frames that can be sent. */
static enum rill_drop
finish_all(const struct netif *netif, struct rte_mbuf *out[], int n, uint32_t id, const void *l2,
	uint16_t l2_len)
{
	enum rill_drop reason = RILL_DROP_COUNT;

	for (int i = 0; i < n; i++) {
		out[i] = finish(netif, out[i], id, l2, l2_len);
		if (out[i] == NULL)
			reason = RILL_DROP_no_mbuf;
	}
	return reason;
}

enum rill_drop
ip6_split_send(const struct netif *netif, struct rte_mbuf *frame, uint16_t l2_len, uint32_t id,
	struct outbox *outbox)
{
	struct rte_mbuf *out[IP6_SPLIT_MAX];
	enum rill_drop reason = RILL_DROP_no_mbuf;
	char l2[L2_LEN_MAX];
	int n;

	memcpy(l2, rte_pktmbuf_mtod(frame, char *), l2_len);
	rte_pktmbuf_adj(frame, l2_len);
	n = rte_ipv6_fragment_packet(frame, out, IP6_SPLIT_MAX, netif->mtu6, netif->control_pool,
		netif->control_pool);
	if (n > 0)
		reason = finish_all(netif, out, n, id, l2, l2_len);
	if (reason == RILL_DROP_COUNT && outbox_count(outbox) + (uint32_t)n > OUTBOX_SIZE)
		reason = RILL_DROP_outbox_full;
	if (reason != RILL_DROP_COUNT) {
		rte_pktmbuf_free_bulk(out, n > 0 ? (unsigned int)n : 0);
		drop_packet(netif->counters, frame, reason);
		return reason;
	}
	rte_pktmbuf_free(frame); /* the fragments refer to its bytes */
	for (int i = 0; i < n; i++)
		outbox_put(outbox, out[i]);
	netif->counters->fragments_out += (uint64_t)n;
	return RILL_DROP_COUNT;
}
