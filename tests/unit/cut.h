/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TESTS_CUT_H
#define RILL_TESTS_CUT_H

/*
 * Frames in fragments: of IPv4 as a router forwards them to a link that they are too long for, of IPv6 as
 * their sender could have sent them.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_mbuf.h>

#define CUT_PARTS_MAX 8

static inline bool
cut_is_ip6(const struct rte_mbuf *frame)
{
	return rte_pktmbuf_mtod(frame, struct rte_ether_hdr *)->ether_type ==
	       rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6);
}

/* Bytes in front of what is cut: headers without options or extensions. */
static inline uint32_t
cut_data_at(const struct rte_mbuf *frame)
{
	return (uint32_t)(RTE_ETHER_HDR_LEN + (cut_is_ip6(frame) ? sizeof(struct rte_ipv6_hdr)
								 : sizeof(struct rte_ipv4_hdr)));
}

/* Has it more data than this? */
static inline bool
cut_is_needed(const struct rte_mbuf *frame, uint32_t each)
{
	return frame->pkt_len > cut_data_at(frame) + each;
}

static inline void
cut_ip4(void *header, uint32_t id, uint32_t from, uint32_t len, bool more)
{
	struct rte_ipv4_hdr *ip = header;

	ip->packet_id = (rte_be16_t)id;
	ip->total_length = rte_cpu_to_be_16((uint16_t)(sizeof(*ip) + len));
	ip->fragment_offset =
		rte_cpu_to_be_16((uint16_t)(from / 8 | (more ? RTE_IPV4_HDR_MF_FLAG : 0)));
	ip->hdr_checksum = 0;
	ip->hdr_checksum = rte_ipv4_cksum(ip);
}

static inline void
cut_ip6(void *header, uint32_t id, uint32_t from, uint32_t len, bool more)
{
	struct rte_ipv6_hdr *ip = header;
	struct rte_ipv6_fragment_ext *fragment = (struct rte_ipv6_fragment_ext *)(ip + 1);

	*fragment = (struct rte_ipv6_fragment_ext){.next_header = ip->proto,
		.frag_data = rte_cpu_to_be_16(RTE_IPV6_SET_FRAG_DATA(from, more)),
		.id = id};
	ip->proto = IPPROTO_FRAGMENT;
	ip->payload_len = rte_cpu_to_be_16((uint16_t)(sizeof(*fragment) + len));
}

/* One fragment of a frame, which stays. */
static inline struct rte_mbuf *
cut_part(const struct rte_mbuf *frame, uint32_t id, uint32_t from, uint32_t len, bool more,
	struct rte_mempool *pool)
{
	struct rte_mbuf *part = rte_pktmbuf_alloc(pool);
	uint32_t at = cut_data_at(frame);
	uint32_t fragment_len = cut_is_ip6(frame) ? sizeof(struct rte_ipv6_fragment_ext) : 0;
	char *bytes;

	assert_true(part != NULL && frame->nb_segs == 1);
	bytes = rte_pktmbuf_append(part, (uint16_t)(at + fragment_len + len));
	assert_non_null(bytes);
	memcpy(bytes, rte_pktmbuf_mtod(frame, char *), at);
	memcpy(bytes + at + fragment_len, rte_pktmbuf_mtod_offset(frame, char *, at + from), len);
	(cut_is_ip6(frame) ? cut_ip6 : cut_ip4)(bytes + RTE_ETHER_HDR_LEN, id, from, len, more);
	return part;
}

/* The fragments, of so much data `each`, under an ID of their own. Takes the frame. */
static inline unsigned int
cut_frame(struct rte_mbuf *frame, uint32_t each, struct rte_mempool *pool,
	struct rte_mbuf *parts[CUT_PARTS_MAX])
{
	static uint32_t id;
	uint32_t len = frame->pkt_len - cut_data_at(frame);
	unsigned int n = 0;

	id++;
	for (uint32_t from = 0; from < len; from += each)
		parts[n++] = cut_part(
			frame, id, from, RTE_MIN(each, len - from), from + each < len, pool);
	rte_pktmbuf_free(frame);
	return n;
}

#endif
