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
	expect(64, ETHER_IP6, RILL_DROP_COUNT, 14, false);
	frame_make((struct rte_ether_addr){{0x33, 0x33, 0, 0, 0, 1}}, mac_of(2), RTE_ETHER_TYPE_IPV6);
	expect_drop(60, RILL_DROP_ether_not_ours); /* no group is joined */
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
	link_reset(true, NETIF_PF_VLAN); /* a VF that its PF has put into a VLAN */
	mbuf = packets_make(frame, 60);
	mbuf->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
	mbuf->vlan_tci = 5;
	assert_int_equal(ether_input(&lnk.netif, mbuf, &l2_len, &group), ETHER_IP4);
	assert_int_equal(l2_len, 14);
	rte_pktmbuf_free(mbuf);
	packets_expect_none_in_use();
}

/* In VLAN 7: what is not is dropped, whoever takes the tags off; and plain is what ether_input takes. */
static void
test_in_a_vlan(void **state)
{
	static const struct {
		uint16_t caps, type, tci; /* of the tag in the frame, where there is one */
		int stripped;             /* -1: no tag was taken off; else its tci */
		enum ether_verdict want;
		bool plain;
	} rows[] = {
		{0, RTE_ETHER_TYPE_VLAN, 7, -1, ETHER_IP4, true},
		{0, RTE_ETHER_TYPE_VLAN, 0xe007, -1, ETHER_IP4, true}, /* whatever its priority */
		{0, RTE_ETHER_TYPE_VLAN, 8, -1, ETHER_DROPPED, false},
		{0, RTE_ETHER_TYPE_VLAN, 0, -1, ETHER_DROPPED, false}, /* a priority is no VLAN */
		{0, RTE_ETHER_TYPE_IPV4, 0, -1, ETHER_DROPPED, false},
		{0, RTE_ETHER_TYPE_IPV4, 0, 7, ETHER_DROPPED, false}, /* an answer would have no tag */
		{NETIF_VLAN, RTE_ETHER_TYPE_IPV4, 0, 7, ETHER_IP4, true},
		{NETIF_VLAN, RTE_ETHER_TYPE_IPV4, 0, 0x2007, ETHER_IP4, true},
		{NETIF_VLAN, RTE_ETHER_TYPE_IPV4, 0, 8, ETHER_DROPPED, false},
		{NETIF_VLAN, RTE_ETHER_TYPE_IPV4, 0, -1, ETHER_DROPPED, false},
		{NETIF_VLAN, RTE_ETHER_TYPE_VLAN, 7, -1, ETHER_DROPPED, false},
	};

	for (unsigned int i = 0; i < RTE_DIM(rows); i++) {
		struct rte_mbuf *mbuf;
		uint16_t l2_len;
		bool group;

		link_reset(true, rows[i].caps);
		lnk.netif.vlan_tci = 0x6007;
		frame_make(mac_of(1), mac_of(2), rows[i].type);
		if (rows[i].type == RTE_ETHER_TYPE_VLAN)
			tag_make(rows[i].tci, RTE_ETHER_TYPE_IPV4);
		mbuf = packets_make(frame, 60);
		if (rows[i].stripped >= 0) {
			mbuf->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
			mbuf->vlan_tci = (uint16_t)rows[i].stripped;
		}
		if (ether_is_plain(&lnk.netif, mbuf, RTE_ETHER_TYPE_IPV4) != rows[i].plain ||
			ether_input(&lnk.netif, mbuf, &l2_len, &group) != rows[i].want)
			fail_msg("row %u", i);
		if (rows[i].want != ETHER_DROPPED) {
			assert_int_equal(l2_len, netif_l2_len(&lnk.netif));
			rte_pktmbuf_free(mbuf);
		}
		expect_only_drops(RILL_DROP_vlan_foreign, rows[i].want == ETHER_DROPPED);
	}
	packets_expect_none_in_use();
}

/* What is sent bears the tag, unless the port puts it in. */
static void
test_headers_in_a_vlan(void **state)
{
	struct rte_ether_addr dst = mac_of(2);
	uint8_t header[18];

	for (int port = 0; port < 2; port++) {
		link_reset(true, port ? NETIF_VLAN : 0);
		lnk.netif.vlan_tci = 0x6007;
		frame_make(mac_of(2), mac_of(1), port ? RTE_ETHER_TYPE_IPV6 : RTE_ETHER_TYPE_VLAN);
		if (!port)
			tag_make(0x6007, RTE_ETHER_TYPE_IPV6);
		assert_int_equal(
			ether_write_header(&lnk.netif, &dst, RTE_ETHER_TYPE_IPV6, header), port ? 14 : 18);
		assert_memory_equal(header, frame, port ? 14 : 18);
	}
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
			version == 4   ? ETHER_IP4
			: version == 6 ? ETHER_IP6
				       : ETHER_DROPPED);
		expect_only_drops(RILL_DROP_ip_version, version != 4 && version != 6);
		assert_true(l2_len == 0 && !group);
		if (version == 4 || version == 6)
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
		cmocka_unit_test(test_in_a_vlan),
		cmocka_unit_test(test_headers_in_a_vlan),
		cmocka_unit_test(test_bare_ip),
		cmocka_unit_test(test_reply_goes_back),
	};

	return cmocka_run_group_tests(tests, packets_start, packets_end);
}
