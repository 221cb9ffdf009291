/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TESTS_PARTS_H
#define RILL_TESTS_PARTS_H

/* A datagram whose fragments arrive as a test says, of a net as in nets.h. */

#include "nets.h"

#define US ip4(10, 0, 0, 1)
#define PEER ip4(10, 0, 0, 2)
#define WHOLE_MAX 65515u /* bytes of data that a header of 20 leaves room for */

/* The datagram's data: a TCP header without options, and a pattern. */
static uint8_t data[WHOLE_MAX + 64];

/* What fragments say of their datagram. */
static struct {
	struct rill_addr src, dst;
	uint16_t id;
	uint8_t protocol, tos, options_len;
	uint64_t ol_flags; /* what the NIC says of each */
} is;

static inline void
begin(void)
{
	net_begin(0);
	memset(&is, 0, sizeof(is));
	is.src = PEER;
	is.dst = US;
	is.id = 7;
	is.protocol = IPPROTO_TCP;
	for (uint32_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + (i >> 8) * 13);
	data[12] = 5 << 4;
}

static inline struct rte_mbuf *
chain_of(const uint8_t *bytes, uint32_t len)
{
	struct rte_mbuf *chain = NULL, *piece;

	for (uint32_t at = 0, n; at < len; at += n) {
		n = RTE_MIN(len - at, (uint32_t)PACKETS_ROOM);
		piece = packets_piece(bytes + at, n);
		if (chain == NULL)
			chain = piece;
		else
			assert_int_equal(rte_pktmbuf_chain(chain, piece), 0);
	}
	return chain;
}

/* Bytes [from, from + len) of the data arrive, as a fragment, with `tail` bytes of padding. */
static inline enum ip_verdict
comes(uint32_t from, uint32_t len, bool more)
{
	static uint8_t frame[L2 + 60 + UINT16_MAX];
	struct rte_ether_hdr ether = {mac_of(1), mac_of(2), rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4)};
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(frame + L2);
	uint32_t header = 20u + is.options_len;
	struct rte_mbuf *chain;

	memcpy(frame, &ether, sizeof(ether));
	memset(ip, 1, header); /* options: NOPs */
	*ip = (struct rte_ipv4_hdr){.version_ihl = (uint8_t)(0x40 + header / 4),
		.type_of_service = is.tos,
		.total_length = rte_cpu_to_be_16((uint16_t)(header + len)),
		.packet_id = rte_cpu_to_be_16(is.id),
		.fragment_offset = rte_cpu_to_be_16(
			(uint16_t)(from / 8 | (more ? RTE_IPV4_HDR_MF_FLAG : 0))),
		.time_to_live = 9,
		.next_proto_id = is.protocol,
		.src_addr = wire(is.src),
		.dst_addr = wire(is.dst)};
	ip->hdr_checksum = (rte_be16_t)~rte_raw_cksum(ip, header);
	memcpy((uint8_t *)ip + header, data + (from + len <= sizeof(data) ? from : 0), len);
	chain = chain_of(frame, L2 + header + len);
	chain->ol_flags |= is.ol_flags;
	return arrive_mbuf(chain, false);
}

/* The segment that came is this much data behind an intact header, and no fragment. */
static inline void
expect_whole(uint32_t len)
{
	static uint8_t copy[UINT16_MAX];
	const struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(seg.mbuf, const void *, L2);
	const char *why;

	assert_int_equal(rte_mbuf_check(seg.mbuf, 1, &why), 0);
	assert_int_equal(seg.mbuf->pkt_len, seg.l2_len + seg.l3_len + len);
	assert_true(seg.mbuf->data_len >= L2 + seg.l3_len + 20);
	assert_int_equal(rte_be_to_cpu_16(ip->total_length), seg.l3_len + len);
	assert_int_equal(ip->fragment_offset, 0);
	assert_int_equal(rte_raw_cksum(ip, seg.l3_len), 0xffff);
	assert_memory_equal(
		rte_pktmbuf_read(seg.mbuf, L2 + seg.l3_len, len, copy), data, len);
	assert_true(seg.tuple.head.raddr4 == wire(is.src) && seg.tuple.head.laddr4 == wire(is.dst));
	assert_int_equal(netif_rx_tcp_cksum(&lnk.netif, seg.mbuf), NETIF_CKSUM_UNKNOWN);
	rte_pktmbuf_free(seg.mbuf);
}

static inline void
comes_in_vain(uint32_t from, uint32_t len, bool more, enum rill_drop reason, uint64_t times)
{
	uint64_t before = lnk.counters.drops[reason];

	assert_int_equal(comes(from, len, more), IP_CONSUMED);
	if (lnk.counters.drops[reason] != before + times)
		fail_msg("%u+%u: not dropped as %s", from, len, rill_drop_name(reason));
}

#endif
