/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TESTS_PARTS6_H
#define RILL_TESTS_PARTS6_H

/* An IPv6 packet whose fragments arrive as a test says, of a net as in nets6.h. */

#include "nets6.h"

#define WHOLE_MAX 65535u

static uint8_t data[WHOLE_MAX + 64];

/* What fragments say of their packet. */
static struct {
	const char *src, *dst;
	const uint8_t *stranger; /* 16 bytes in place of src; NULL: src */
	uint32_t id;
	uint8_t next, hop_limit;
	uint8_t headers[64]; /* in front of the Fragment header, */
	uint32_t headers_len;
	uint8_t first_header; /* which begin with this */
} is;

static inline void
begin(void)
{
	net_begin(0);
	memset(&is, 0, sizeof(is));
	is.src = PEER;
	is.dst = OURS;
	is.id = 0x01020304;
	is.next = IPPROTO_TCP;
	is.hop_limit = 64;
	is.first_header = IPPROTO_FRAGMENT;
	for (uint32_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + (i >> 8) * 13);
	data[12] = 5 << 4;
}

static inline enum ip_verdict
comes(uint32_t from, uint32_t len, bool more)
{
	static uint8_t frame[L3 + 128 + UINT16_MAX];
	uint8_t *header = frame + L3 + is.headers_len;
	uint16_t field = (uint16_t)(from | more);
	struct rte_mbuf *chain = NULL;
	uint32_t total;

	pkt_make(is.first_header, NULL, 0);
	pkt_addrs(is.src, is.dst);
	if (is.stranger != NULL)
		memcpy(pkt_ip()->src_addr, is.stranger, IP6_ADDR_LEN);
	pkt_ip()->hop_limits = is.hop_limit;
	pkt_ip()->payload_len = rte_cpu_to_be_16((uint16_t)(is.headers_len + 8 + len));
	memcpy(frame, pkt.bytes, L3);
	memcpy(frame + L3, is.headers, is.headers_len);
	header[0] = is.next;
	header[1] = 0;
	header[2] = (uint8_t)(field >> 8);
	header[3] = (uint8_t)field;
	memcpy(header + 4, &is.id, 4);
	memcpy(header + 8, data + from, len);
	total = L3 + is.headers_len + 8 + len;
	for (uint32_t at = 0, n; at < total; at += n) {
		struct rte_mbuf *piece;

		n = RTE_MIN(total - at, (uint32_t)PACKETS_ROOM);
		piece = packets_piece(frame + at, n);
		if (chain == NULL)
			chain = piece;
		else
			assert_int_equal(rte_pktmbuf_chain(chain, piece), 0);
	}
	return arrive_mbuf(chain, false);
}

static inline void
expect_whole(uint32_t len)
{
	static uint8_t copy[UINT16_MAX];
	const struct rte_ipv6_hdr *ip = rte_pktmbuf_mtod_offset(seg.mbuf, const void *, L2);

	assert_int_equal(seg.l3_len, IP6_HEADER_LEN);
	assert_int_equal(seg.mbuf->pkt_len, L3 + len);
	assert_int_equal(rte_be_to_cpu_16(ip->payload_len), len);
	assert_int_equal(ip->proto, IPPROTO_TCP);
	assert_memory_equal(rte_pktmbuf_read(seg.mbuf, L3, len, copy), data, len);
	assert_memory_equal(seg.tuple.addrs6.raddr, ip6(is.src).u.ip6, 16);
	rte_pktmbuf_free(seg.mbuf);
}

/* It is dropped under this reason, and this told of it: a type of 0 for nothing. */
static inline void
comes_in_vain(uint32_t from, uint32_t len, bool more, enum rill_drop reason, uint8_t type,
	uint8_t code, uint32_t word)
{
	uint64_t before = lnk.counters.drops[reason];
	struct rte_mbuf *frame;
	const uint8_t *icmp;

	assert_int_equal(comes(from, len, more), IP_CONSUMED);
	assert_true(lnk.counters.drops[reason] > before);
	lnk.now += USEC_PER_SEC; /* so that the next may be told too */
	if (type == 0) {
		expect_silence();
		return;
	}
	frame = link_take();
	assert_non_null(frame);
	icmp = rte_pktmbuf_mtod_offset(frame, const uint8_t *, L3);
	assert_true(icmp[0] == type && icmp[1] == code && icmp[7] == word);
	rte_pktmbuf_free(frame);
	expect_silence();
}

#endif
