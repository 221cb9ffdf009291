/* SPDX-License-Identifier: BSD-3-Clause */
#include "ip4_split.h"

#include <string.h>

#include <rte_ip.h>
#include <rte_ip_frag.h>
#include <rte_mbuf.h>

#include "ip4_output.h"

#define HALF_BITS 7 /* of the 14 that are put into a secret order */
#define HALF_MASK ((1u << HALF_BITS) - 1)
#define EPOCH_BITS (2 * HALF_BITS)
#define ROUNDS 4

#define L2_LEN_MAX 18

/* A Feistel network: whatever the round function is, no two counts of an epoch get the same. */
uint16_t
ip4_ids_next(struct ip4_ids *ids)
{
	uint32_t epoch = ids->count >> EPOCH_BITS;
	uint32_t left = ids->count >> HALF_BITS & HALF_MASK, right = ids->count & HALF_MASK;

	ids->count++;
	for (uint32_t round = 0; round < ROUNDS; round++) {
		uint32_t input[] = {epoch, round, right};

		left ^= (uint32_t)siphash(&ids->key, input, sizeof(input)) & HALF_MASK;
		input[2] = left;
		left = right;
		right = input[2];
	}
	return (uint16_t)(epoch << EPOCH_BITS | left << HALF_BITS | right);
}

/* The link header in front, the IP checksum, and in one piece where the port wants that. */
static struct rte_mbuf *
finish(const struct netif *netif, struct rte_mbuf *fragment, const void *l2, uint16_t l2_len)
{
	struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod(fragment, struct rte_ipv4_hdr *);
	struct rte_mbuf *copy;

	if (!(netif->caps & NETIF_TX_IP4_CKSUM))
		ip->hdr_checksum = rte_ipv4_cksum(ip);
	memcpy(rte_pktmbuf_prepend(fragment, l2_len), l2, l2_len);
	if (!netif_takes_chain(netif, fragment)) {
		copy = rte_pktmbuf_copy(fragment, netif->wait_pool, 0, UINT32_MAX);
		rte_pktmbuf_free(fragment);
		fragment = copy;
	}
	if (fragment == NULL)
		return NULL;
	fragment->ol_flags &= ~RTE_MBUF_F_TX_OFFLOAD_MASK;
	ip4_ask_cksum(netif, fragment, l2_len);
	return fragment;
}

/* Returns RILL_DROP_COUNT if all have become frames that can be sent. */
static enum rill_drop
finish_all(const struct netif *netif, struct rte_mbuf *out[], int n, const void *l2,
	uint16_t l2_len)
{
	enum rill_drop reason = RILL_DROP_COUNT;

	for (int i = 0; i < n; i++) {
		out[i] = finish(netif, out[i], l2, l2_len);
		if (out[i] == NULL)
			reason = RILL_DROP_no_mbuf;
	}
	return reason;
}

enum rill_drop
ip4_split_send(const struct netif *netif, struct rte_mbuf *frame, uint16_t l2_len,
	struct outbox *outbox)
{
	struct rte_mbuf *out[IP4_SPLIT_MAX];
	struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(frame, struct rte_ipv4_hdr *, l2_len);
	enum rill_drop reason = RILL_DROP_no_mbuf;
	char l2[L2_LEN_MAX];
	int n;

	memcpy(l2, rte_pktmbuf_mtod(frame, char *), l2_len);
	ip->fragment_offset = 0;
	rte_pktmbuf_adj(frame, l2_len);
	n = rte_ipv4_fragment_packet(frame, out, IP4_SPLIT_MAX, netif->mtu, netif->control_pool,
		netif->control_pool);
	if (n > 0)
		reason = finish_all(netif, out, n, l2, l2_len);
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
