/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames are sorted by MACs and EtherType, or dropped for one reason, wherever they are cut into
 * mbufs or cut off [ATK-43]; replies go back where a frame came from [RFC791-23 needs `group`].
 */
#include "links.h"

#include "ether.h"

static uint8_t frame[64];

static void
frame_make(struct rte_ether_addr dst, struct rte_ether_addr src, uint16_t type)
{
	struct rte_ether_hdr ether = {dst, src, rte_cpu_to_be_16(type)};

	memset(frame, 0x45, sizeof(frame));
	memcpy(frame, &ether, sizeof(ether));
}

static void
tag_make(uint16_t tci, uint16_t type)
{
	frame[14] = (uint8_t)(tci >> 8);
	frame[15] = (uint8_t)tci;
	frame[16] = (uint8_t)(type >> 8);
	frame[17] = (uint8_t)type;
}

/* Gives the frame in one piece, then cut everywhere: all must be judged the same. */
static void
expect(uint32_t len, enum ether_verdict want, enum rill_drop reason, uint16_t want_l2,
	bool want_group)
{
	for (uint32_t cut = 0; cut <= len; cut++) {
		struct rte_mbuf *mbuf = packets_cut(frame, len, cut, cut + (len - cut) / 2);
		uint16_t l2_len;
		bool group;

		link_reset(true, 0);
		assert_int_equal(ether_input(&lnk.netif, mbuf, &l2_len, &group), want);
		if (want == ETHER_DROPPED) {
			expect_only_drops(reason, 1);
			continue;
		}
		expect_only_drops(RILL_DROP_COUNT, 0);
		assert_int_equal(l2_len, want_l2);
		assert_int_equal(group, want_group);
		packets_expect_bytes(mbuf, frame, len);
		rte_pktmbuf_free(mbuf);
	}
	packets_expect_none_in_use();
}

static void
expect_drop(uint32_t len, enum rill_drop reason)
{
	expect(len, ETHER_DROPPED, reason, 0, false);
}

static void
test_types_and_destinations(void **state)
{
	frame_make(mac_of(1), mac_of(2), RTE_ETHER_TYPE_IPV4);
	expect(64, ETHER_IP4, RILL_DROP_COUNT, 14, false);
	expect(14, ETHER_IP4, RILL_DROP_COUNT, 14, false);
	frame_make(mac_of(1), mac_of(2), RTE_ETHER_TYPE_ARP);
	expect(60, ETHER_ARP, RILL_DROP_COUNT, 14, false);
	frame_make(mac_broadcast, mac_of(2), RTE_ETHER_TYPE_IPV4);
	expect(60, ETHER_IP4, RILL_DROP_COUNT, 14, true);
	frame_make(mac_of(3), mac_of(2), RTE_ETHER_TYPE_IPV4);
	expect_drop(60, RILL_DROP_ether_not_ours);
	frame_make((struct rte_ether_addr){{1, 0, 0x5e, 0, 0, 1}}, mac_of(2), RTE_ETHER_TYPE_IPV4);
	expect_drop(60, RILL_DROP_ether_not_ours);
	frame_make(mac_of(1), mac_broadcast, RTE_ETHER_TYPE_IPV4);
	expect_drop(60, RILL_DROP_ether_bad_source);
	frame_make(mac_of(1), mac_of(2), RTE_ETHER_TYPE_IPV6);
	expect_drop(60, RILL_DROP_ether_type);
	frame_make(mac_of(1), mac_of(2), 46);
	expect_drop(60, RILL_DROP_ether_type);
}

static void
test_short_at_every_length(void **state)
{
	frame_make(mac_of(1), mac_of(2), RTE_ETHER_TYPE_IPV4);
	for (uint32_t len = 0; len < 14; len++)
		expect_drop(len, RILL_DROP_ether_short);
	frame_make(mac_of(1), mac_of(2), RTE_ETHER_TYPE_VLAN);
	for (uint32_t len = 14; len < 18; len++)
		expect_drop(len, RILL_DROP_ether_short);
}

static void
test_tags(void **state)
{
	uint16_t l2_len;
	struct rte_mbuf *mbuf;
	bool group;

	frame_make(mac_of(1), mac_of(2), RTE_ETHER_TYPE_VLAN);
	tag_make(0xe000, RTE_ETHER_TYPE_IPV4); /* priority 7, VLAN 0 */
	expect(60, ETHER_IP4, RILL_DROP_COUNT, 18, false);
	tag_make(0x0000, RTE_ETHER_TYPE_ARP);
	expect(60, ETHER_ARP, RILL_DROP_COUNT, 18, false);
	tag_make(0x0001, RTE_ETHER_TYPE_IPV4);
	expect_drop(60, RILL_DROP_vlan_foreign);
	tag_make(0x0000, RTE_ETHER_TYPE_VLAN);
	expect_drop(60, RILL_DROP_ether_type);
	frame_make(mac_of(1), mac_of(2), RTE_ETHER_TYPE_QINQ);
	tag_make(0x0002, RTE_ETHER_TYPE_VLAN);
	expect_drop(60, RILL_DROP_vlan_foreign);
	frame_make(mac_of(1), mac_of(2), RTE_ETHER_TYPE_IPV4);
	for (uint16_t tci = 0; tci <= 1; tci++) { /* taken off by the NIC */
		link_reset(true, 0);
		mbuf = packets_make(frame, 60);
		mbuf->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
		mbuf->vlan_tci = 0x2000 | tci;
		if (tci == 0) {
			assert_int_equal(ether_input(&lnk.netif, mbuf, &l2_len, &group), ETHER_IP4);
			rte_pktmbuf_free(mbuf);
		} else {
			assert_int_equal(
				ether_input(&lnk.netif, mbuf, &l2_len, &group), ETHER_DROPPED);
			expect_only_drops(RILL_DROP_vlan_foreign, 1);
		}
	}
	packets_expect_none_in_use();
}

static void
test_bare_ip(void **state)
{
	for (unsigned int version = 0; version < 16; version++) {
		uint8_t first = (uint8_t)(version << 4 | 5);
		struct rte_mbuf *mbuf = packets_cut(&first, 1, 0, 0);
		uint16_t l2_len;
		bool group;

		link_reset(false, 0);
		assert_int_equal(ether_input(&lnk.netif, mbuf, &l2_len, &group),
			version == 4 ? ETHER_IP4 : ETHER_DROPPED);
		expect_only_drops(RILL_DROP_ip_version, version != 4);
		assert_true(l2_len == 0 && !group);
		if (version == 4)
			rte_pktmbuf_free(mbuf);
	}
	link_reset(false, 0);
	assert_int_equal(ether_input(&lnk.netif, packets_make("", 0), &(uint16_t){0}, &(bool){0}),
		ETHER_DROPPED);
	expect_only_drops(RILL_DROP_ether_short, 1);
	packets_expect_none_in_use();
}

static void
test_reply_goes_back(void **state)
{
	struct rte_mbuf *mbuf;
	uint8_t want[64];

	frame_make(mac_of(1), mac_of(9), RTE_ETHER_TYPE_IPV4);
	mbuf = packets_make(frame, 60);
	frame_make(mac_of(9), mac_of(1), RTE_ETHER_TYPE_IPV4);
	memcpy(want, frame, sizeof(want));
	link_reset(true, 0);
	ether_reply(&lnk.netif, mbuf);
	packets_expect_bytes(mbuf, want, 60);
	link_reset(false, 0);
	ether_reply(&lnk.netif, mbuf);
	packets_expect_bytes(mbuf, want, 60);
	rte_pktmbuf_free(mbuf);
	packets_expect_none_in_use();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types_and_destinations),
		cmocka_unit_test(test_short_at_every_length),
		cmocka_unit_test(test_tags),
		cmocka_unit_test(test_bare_ip),
		cmocka_unit_test(test_reply_goes_back),
	};

	return cmocka_run_group_tests(tests, packets_start, packets_end);
}
