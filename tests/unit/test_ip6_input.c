/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Each wrong IPv6 packet is dropped in silence under its reason, and a right one becomes a segment
 * whose headers lie together and that ends where the payload does: version and lengths [RFC8200-1],
 * hop limit on receipt, addresses [RFC8200-17], cut anywhere. What ip6_take_plain takes is just what
 * ip6_input makes of it.
 */
#include "nets6.h"

/* A frame to us with a TCP header of doff words. */
static void
tcp_make(unsigned int doff, uint32_t data_len)
{
	pkt_make(IPPROTO_TCP, NULL, doff * 4 + data_len);
	pkt.bytes[L3 + 12] = (uint8_t)(doff << 4);
}

static void
expect_segment(void)
{
	assert_int_equal(seg.tuple.head.family, AF_INET6);
	assert_true(seg.tuple.head.laddr4 == 0 && seg.tuple.head.raddr4 == 0);
	assert_memory_equal(seg.tuple.addrs6.laddr, ip6(OURS).u.ip6, 16);
	assert_memory_equal(seg.tuple.addrs6.raddr, ip6(PEER).u.ip6, 16);
	assert_true(seg.l2_len == L2 && seg.l3_len == IP6_HEADER_LEN);
	assert_int_equal(seg.ecn, 2);
	packets_expect_bytes(seg.mbuf, pkt.bytes, pkt.len);
	rte_pktmbuf_free(seg.mbuf);
}

static void
test_a_good_packet_becomes_a_segment(void **state)
{
	net_begin(0);
	tcp_make(5, 100);
	assert_int_equal(arrive(), IP_TCP);
	expect_segment();
	expect_only_drops(RILL_DROP_COUNT, 0);
	net_end();
}

static void
test_version_and_lengths(void **state)
{
	net_begin(0);
	for (unsigned int version = 0; version < 16; version++) {
		tcp_make(5, 0);
		pkt.bytes[L2] = (uint8_t)(version << 4);
		if (version == 6)
			expect_tcp();
		else
			expect_drop(RILL_DROP_ip_version);
	}
	for (uint32_t len = 0; len <= 60; len++) {
		tcp_make(5, 20);
		pkt_ip()->payload_len = rte_cpu_to_be_16((uint16_t)len);
		if (len > 40) {
			expect_drop(RILL_DROP_ip_total_length);
			continue;
		}
		assert_int_equal(arrive(), IP_TCP); /* what is too much is padding */
		packets_expect_bytes(seg.mbuf, pkt.bytes, L3 + len);
		rte_pktmbuf_free(seg.mbuf);
	}
	for (uint32_t len = L2; len < L3; len++) {
		tcp_make(5, 20);
		pkt.len = len;
		expect_drop(RILL_DROP_ip_header_length);
	}
	net_end();
}

static void
test_addresses(void **state)
{
	static const struct {
		const char *src, *dst;
		enum rill_drop reason;
	} rows[] = {
		{PEER, OURS, RILL_DROP_COUNT},
		{"2001:db8:ffff::1", OURS, RILL_DROP_COUNT},
		{"fe80::2", LINK_LOCAL, RILL_DROP_COUNT},
		{"64:ff9b::192.0.2.1", OURS, RILL_DROP_COUNT},
		{PEER, "2001:db8::3", RILL_DROP_ip_not_ours},
		{PEER, "::", RILL_DROP_ip_not_ours},
		{PEER, "::1", RILL_DROP_ip_not_ours},
		{PEER, "::ffff:192.0.2.1", RILL_DROP_ip_not_ours},
		{PEER, "ff02::1", RILL_DROP_ip_broadcast},          /* all nodes */
		{PEER, "ff02::1:ff00:1", RILL_DROP_ip_broadcast},   /* our solicited-node group */
		{PEER, "ff02::1:ff00:3", RILL_DROP_ip_broadcast},
		{PEER, "ff02::2", RILL_DROP_ip_broadcast},
		{PEER, "ff05::1", RILL_DROP_ip_broadcast},
		{OURS, OURS, RILL_DROP_ip_bad_source}, /* LAND */
		{LINK_LOCAL, OURS, RILL_DROP_ip_bad_source},
		{"::", OURS, RILL_DROP_ip_bad_source},
		{"::1", OURS, RILL_DROP_ip_bad_source},
		{"::ffff:192.0.2.1", OURS, RILL_DROP_ip_bad_source},
		{"::192.0.2.1", OURS, RILL_DROP_ip_bad_source},
		{"ff02::1", OURS, RILL_DROP_ip_bad_source},
		{"ff0e::1", OURS, RILL_DROP_ip_bad_source},
	};

	net_begin(0);
	for (size_t i = 0; i < RTE_DIM(rows); i++) {
		tcp_make(5, 0);
		pkt_addrs(rows[i].src, rows[i].dst);
		if (rows[i].reason != RILL_DROP_COUNT)
			expect_drop(rows[i].reason);
		else
			expect_tcp();
	}
	tcp_make(5, 0); /* to us, in a frame to a group */
	assert_int_equal(arrive_mbuf(packets_make(pkt.bytes, pkt.len), true), IP_CONSUMED);
	assert_int_equal(lnk.counters.drops[RILL_DROP_ip_broadcast], 6);
	expect_silence();
	net_end();
}

/* A host accepts what has come as far as itself. */
static void
test_any_hop_limit_is_accepted(void **state)
{
	net_begin(0);
	for (unsigned int limit = 0; limit < 256; limit++) {
		tcp_make(5, 0);
		pkt_ip()->hop_limits = (uint8_t)limit;
		expect_tcp();
	}
	net_end();
}

static void
test_tcp_checksum_that_the_nic_calls_bad(void **state)
{
	struct rte_mbuf *mbuf;

	net_begin(NETIF_RX_CKSUM);
	tcp_make(5, 4);
	mbuf = packets_make(pkt.bytes, pkt.len);
	mbuf->ol_flags = RTE_MBUF_F_RX_L4_CKSUM_BAD;
	assert_false(ip6_take_plain(net, mbuf, &seg));
	assert_int_equal(arrive_mbuf(mbuf, false), IP_CONSUMED);
	expect_only_drops(RILL_DROP_tcp_checksum, 1);
	net_end();
}

/* Cut in three at any two bytes, padded or not: the same segment, headers together. */
static void
test_headers_cut_anywhere(void **state)
{
	net_begin(0);
	for (uint32_t padding = 0; padding <= 7; padding += 7) {
		tcp_make(15, 9);
		for (uint32_t a = 0; a <= pkt.len + padding; a++) {
			for (uint32_t b = a; b <= pkt.len + padding; b += 4) {
				struct rte_mbuf *mbuf =
					packets_cut(pkt.bytes, pkt.len + padding, a, b);

				assert_int_equal(arrive_mbuf(mbuf, false), IP_TCP);
				assert_in_range(seg.mbuf->data_len, L3 + 60, pkt.len);
				expect_segment();
			}
		}
	}
	expect_only_drops(RILL_DROP_COUNT, 0);
	net_end();
}

/* Whatever one byte is changed to: the short way takes it as the long one does, or leaves it alone. */
static void
test_the_plain_way_agrees(void **state)
{
	struct segment plain;
	unsigned int taken = 0;

	net_begin(0);
	for (uint32_t at = 0; at < L3 + 13; at++) {
		for (unsigned int flip = 0; flip < 256; flip += flip < 4 ? 1 : 31) {
			struct rte_mbuf *mbuf;
			uint16_t l2_len;
			bool group;

			tcp_make(5, 10);
			pkt.bytes[at] ^= (uint8_t)flip;
			mbuf = packets_make(pkt.bytes, pkt.len + 5);
			if (!ip6_take_plain(net, mbuf, &plain)) {
				packets_expect_bytes(mbuf, pkt.bytes, pkt.len + 5);
				rte_pktmbuf_free(mbuf);
				continue;
			}
			taken++;
			mbuf = packets_make(pkt.bytes, pkt.len + 5);
			assert_int_equal(ether_input(&lnk.netif, mbuf, &l2_len, &group), ETHER_IP6);
			assert_int_equal(arrive_mbuf(mbuf, group), IP_TCP);
			assert_memory_equal(&plain.tuple, &seg.tuple, sizeof(seg.tuple));
			assert_true(plain.l2_len == seg.l2_len && plain.l3_len == seg.l3_len &&
				    plain.ecn == seg.ecn && plain.mbuf->pkt_len == mbuf->pkt_len);
			rte_pktmbuf_free(mbuf);
			rte_pktmbuf_free(plain.mbuf);
		}
	}
	assert_in_range(taken, 100, 1000);
	net_end();
}

/* What somebody else refers to is not shortened, as padding would have it: that goes the long way. */
static void
test_the_plain_way_leaves_shared_buffers(void **state)
{
	net_begin(0);
	for (uint32_t padding = 0; padding < 3; padding++) {
		struct rte_mbuf *mbuf;

		tcp_make(5, 10);
		mbuf = packets_make(pkt.bytes, pkt.len + padding);
		rte_mbuf_refcnt_update(mbuf, 1);
		assert_true(ip6_take_plain(net, mbuf, &seg) == (padding == 0));
		packets_expect_bytes(mbuf, pkt.bytes, pkt.len + padding);
		rte_mbuf_refcnt_update(mbuf, -1);
		rte_pktmbuf_free(mbuf);
	}
	net_end();
}

/* Without an address of its own the interface has no IPv6 at all. */
static void
test_off_until_there_is_an_address(void **state)
{
	struct rill_addr ours = ip6(OURS);

	net_begin(0);
	assert_int_equal(net_addr_del(net, &ours), 0);
	tcp_make(5, 0);
	expect_drop(RILL_DROP_ip_not_ours);
	net_destroy(net);
	net = net_make();
	pkt_addrs(PEER, LINK_LOCAL);
	expect_drop(RILL_DROP_ip_not_ours);
	pkt_addrs(PEER, "ff02::1");
	expect_drop(RILL_DROP_ip_broadcast);
	net_end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_good_packet_becomes_a_segment),
		cmocka_unit_test(test_version_and_lengths),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_any_hop_limit_is_accepted),
		cmocka_unit_test(test_tcp_checksum_that_the_nic_calls_bad),
		cmocka_unit_test(test_headers_cut_anywhere),
		cmocka_unit_test(test_the_plain_way_agrees),
		cmocka_unit_test(test_the_plain_way_leaves_shared_buffers),
		cmocka_unit_test(test_off_until_there_is_an_address),
	};

	return cmocka_run_group_tests(tests, packets_start, packets_end);
}
