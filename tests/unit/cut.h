/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TESTS_CUT_H
#define RILL_TESTS_CUT_H

/* Frames in fragments, as a router forwards them to a link that they are too long for. */

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_mbuf.h>

#define CUT_PARTS_MAX 8

/* Has it more data than this behind a header without options? */
static inline bool
cut_is_needed(const struct rte_mbuf *frame, uint32_t each)
{
	return frame->pkt_len > RTE_ETHER_HDR_LEN + sizeof(struct rte_ipv4_hdr) + each;
}

/* One fragment of a frame, which stays. */
static inline struct rte_mbuf *
cut_part(const struct rte_mbuf *frame, uint32_t from, uint32_t len, bool more,
	struct rte_mempool *pool)
{
	struct rte_mbuf *part = rte_pktmbuf_copy(frame, pool, 0, UINT32_MAX);
	struct rte_ipv4_hdr *ip;

	assert_true(part != NULL && part->nb_segs == 1);
	ip = rte_pktmbuf_mtod_offset(part, struct rte_ipv4_hdr *, RTE_ETHER_HDR_LEN);
	memmove(ip + 1, (char *)(ip + 1) + from, len);
	rte_pktmbuf_trim(part, (uint16_t)(part->pkt_len - RTE_ETHER_HDR_LEN - sizeof(*ip) - len));
	ip->total_length = rte_cpu_to_be_16((uint16_t)(sizeof(*ip) + len));
	ip->fragment_offset =
		rte_cpu_to_be_16((uint16_t)(from / 8 | (more ? RTE_IPV4_HDR_MF_FLAG : 0)));
	ip->hdr_checksum = 0;
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	part->ol_flags = 0;
	return part;
}

/* The fragments, of so much data `each`, under an ID of their own. Takes the frame. */
static inline unsigned int
cut_frame(struct rte_mbuf *frame, uint32_t each, struct rte_mempool *pool,
	struct rte_mbuf *parts[CUT_PARTS_MAX])
{
	static uint16_t id;
	struct rte_ipv4_hdr *ip =
		rte_pktmbuf_mtod_offset(frame, struct rte_ipv4_hdr *, RTE_ETHER_HDR_LEN);
	uint32_t len = frame->pkt_len - RTE_ETHER_HDR_LEN - (uint32_t)sizeof(*ip);
	unsigned int n = 0;

	ip->packet_id = id++;
	for (uint32_t from = 0; from < len; from += each)
		parts[n++] = cut_part(
			frame, from, RTE_MIN(each, len - from), from + each < len, pool);
	rte_pktmbuf_free(frame);
	return n;
}

#endif
