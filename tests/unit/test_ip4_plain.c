/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What ip4_take_plain takes, ether_input and ip4_input would have made the same segment of; what it
 * does not take it leaves as it was. Every bit of the headers is flipped, every length claimed,
 * every flag of the NIC's set; and the plain frame itself is taken.
 */
#include "nets.h"

static struct segment plain_seg;

static void
expect_same_segment(const struct rte_mbuf *mbuf)
{
	assert_memory_equal(&plain_seg.tuple.head, &seg.tuple.head, TUPLE_HEAD_KEY_LEN);
	assert_int_equal(plain_seg.l2_len, seg.l2_len);
	assert_int_equal(plain_seg.l3_len, seg.l3_len);
	assert_int_equal(plain_seg.ecn, seg.ecn);
	assert_ptr_equal(plain_seg.mbuf, mbuf);
	assert_int_equal(mbuf->pkt_len, mbuf->data_len);
	packets_expect_bytes(seg.mbuf, rte_pktmbuf_mtod(mbuf, const uint8_t *), mbuf->pkt_len);
}

/* Was the frame, of which both get a copy, taken? Takes both. */
static bool
is_taken(struct rte_mbuf *mbuf, struct rte_mbuf *twin)
{
	uint16_t l2_len;
	bool group, taken;

	memset(&plain_seg, 0xee, sizeof(plain_seg));
	memset(&seg, 0xee, sizeof(seg));
	taken = ip4_take_plain(net, mbuf, &plain_seg);
	if (!taken)
		packets_expect_bytes(mbuf, pkt.bytes, pkt.len);
	if (ether_input(&lnk.netif, twin, &l2_len, &group) == ETHER_IP4 &&
		ip4_input(net, twin, l2_len, group, lnk.now, &lnk.outbox, &seg, &err) == IP_TCP) {
		if (taken)
			expect_same_segment(mbuf);
		rte_pktmbuf_free(seg.mbuf);
	} else {
		assert_false(taken);
	}
	rte_pktmbuf_free(mbuf);
	fragments_give_up(net);
	link_flush();
	packets_expect_none_in_use();
	return taken;
}

static bool
pkt_is_taken(void)
{
	return is_taken(packets_make(pkt.bytes, pkt.len), packets_make(pkt.bytes, pkt.len));
}

static bool
flagged_is_taken(uint64_t flags, uint16_t vlan_tci)
{
	struct rte_mbuf *mbuf[2];

	for (int i = 0; i < 2; i++) {
		mbuf[i] = packets_make(pkt.bytes, pkt.len);
		mbuf[i]->ol_flags = flags;
		mbuf[i]->vlan_tci = vlan_tci;
	}
	return is_taken(mbuf[0], mbuf[1]);
}

static void
test_the_plain_frame_is_taken(void **state)
{
	net_begin(0);
	for (uint32_t payload = 0; payload < 120; payload += 7) {
		pkt_make(IPPROTO_TCP, NULL, 0, 20 + payload);
		assert_true(pkt_is_taken());
		assert_true(pkt_is_taken()); /* its source is known by now */
	}
	pkt_make(IPPROTO_TCP, NULL, 0, 20);
	pkt.len += 6; /* padding */
	assert_true(pkt_is_taken());
	net_end();
}

static void
test_every_bit_of_the_headers(void **state)
{
	net_begin(0);
	for (uint32_t bit = 0; bit < (L2 + 20 + 4) * 8; bit++) {
		for (int sum = 0; sum < 2; sum++) { /* as it is, and made right again */
			pkt_make(IPPROTO_TCP, NULL, 0, 40);
			pkt.bytes[bit / 8] ^= 1 << bit % 8;
			if (sum && rte_ipv4_hdr_len(pkt_ip()) <= pkt.len - L2)
				pkt_sum_ip();
			pkt_is_taken();
		}
	}
	net_end();
}

static void
test_every_length(void **state)
{
	net_begin(0);
	for (uint32_t there = L2; there <= L2 + 80; there++) {
		for (uint32_t total = 0; total <= 90; total++) {
			pkt_make(IPPROTO_TCP, NULL, 0, 60);
			pkt_ip()->total_length = rte_cpu_to_be_16((uint16_t)total);
			pkt_sum_ip();
			pkt.len = there;
			assert_true(pkt_is_taken() ==
				    (there >= L2 + 40 && total >= 20 && L2 + total <= there));
		}
	}
	net_end();
}

static void
test_addresses_and_their_changes(void **state)
{
	static const uint8_t sources[][4] = {{10, 0, 0, 1}, {10, 0, 0, 255}, {10, 0, 0, 0},
		{255, 255, 255, 255}, {0, 0, 0, 0}, {127, 0, 0, 1}, {224, 0, 0, 1}};
	struct rill_prefix own = {ip4(10, 0, 0, 2), 24}, small = {ip4(10, 9, 9, 9), 30};

	net_begin(0);
	for (size_t i = 0; i < RTE_DIM(sources); i++) {
		for (int twice = 0; twice < 2; twice++) {
			pkt_make(IPPROTO_TCP, NULL, 0, 20);
			memcpy(&pkt_ip()->src_addr, sources[i], 4);
			pkt_sum_ip();
			assert_false(pkt_is_taken());
		}
	}
	pkt_make(IPPROTO_TCP, NULL, 0, 20);
	assert_true(pkt_is_taken());
	assert_int_equal(net_addr_add(net, &own, lnk.now), 0); /* the source is ours now */
	assert_false(pkt_is_taken());
	assert_int_equal(net_addr_del(net, &own.addr), 0);
	assert_true(pkt_is_taken());
	pkt_ip()->src_addr = wire(ip4(10, 9, 9, 11));
	pkt_sum_ip();
	assert_true(pkt_is_taken());
	assert_int_equal(net_addr_add(net, &small, lnk.now), 0); /* a broadcast address now */
	assert_false(pkt_is_taken());
	net_end();
}

static void
test_flags_of_the_nic(void **state)
{
	static const uint64_t ip[] = {RTE_MBUF_F_RX_IP_CKSUM_UNKNOWN, RTE_MBUF_F_RX_IP_CKSUM_GOOD,
		RTE_MBUF_F_RX_IP_CKSUM_NONE, RTE_MBUF_F_RX_IP_CKSUM_BAD};
	static const uint64_t l4[] = {RTE_MBUF_F_RX_L4_CKSUM_UNKNOWN, RTE_MBUF_F_RX_L4_CKSUM_GOOD,
		RTE_MBUF_F_RX_L4_CKSUM_NONE, RTE_MBUF_F_RX_L4_CKSUM_BAD};

	for (unsigned int i = 0; i < RTE_DIM(ip) * RTE_DIM(l4) * 4; i++) {
		bool offload = i & 1, spoilt = i & 2;

		net_begin(offload ? NETIF_RX_CKSUM : 0);
		pkt_make(IPPROTO_TCP, NULL, 0, 20);
		pkt_ip()->time_to_live ^= spoilt;
		flagged_is_taken(ip[i / 4 % 4] | l4[i / 16], 0);
		net_end();
	}
	net_begin(0);
	pkt_make(IPPROTO_TCP, NULL, 0, 20);
	assert_false(flagged_is_taken(RTE_MBUF_F_RX_VLAN_STRIPPED, 5));
	assert_true(flagged_is_taken(0, 5)); /* that says nothing */
	net_end();
}

/* Not in one piece, or to be cut while somebody else looks at it: the long way. */
static void
test_cut_and_shared(void **state)
{
	net_begin(0);
	pkt_make(IPPROTO_TCP, NULL, 0, 60);
	for (uint32_t at = 1; at < pkt.len; at++)
		assert_false(is_taken(packets_cut(pkt.bytes, pkt.len, at, at),
			packets_cut(pkt.bytes, pkt.len, at, at)));
	for (int padding = 0; padding <= 3; padding += 3) {
		struct rte_mbuf *mbuf;

		pkt_make(IPPROTO_TCP, NULL, 0, 20);
		pkt.len += (uint32_t)padding;
		mbuf = packets_make(pkt.bytes, pkt.len);
		rte_mbuf_refcnt_update(mbuf, 1);
		assert_true(ip4_take_plain(net, mbuf, &plain_seg) == (padding == 0));
		packets_expect_bytes(mbuf, pkt.bytes, pkt.len);
		rte_pktmbuf_free(mbuf);
		rte_pktmbuf_free(mbuf);
	}
	net_end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_plain_frame_is_taken),
		cmocka_unit_test(test_every_bit_of_the_headers),
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_addresses_and_their_changes),
		cmocka_unit_test(test_flags_of_the_nic),
		cmocka_unit_test(test_cut_and_shared),
	};

	return cmocka_run_group_tests(tests, packets_start, packets_end);
}
