/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Neighbour discovery's messages, in and out. Who asks for an address of ours is answered as [4861
 * 7.2.4] says, to his address or to all; what is not as it must be is dropped in silence, one defect
 * at a time.
 */
#include "nets6.h"

#include "ndp.h"

static struct nd {
	uint8_t type, code, sum[2], flags, reserved[3], target[16];
	uint8_t options[40];
} nd;

#define NS_DST "ff02::1:ff00:1"

/* Puts nd with so many bytes of options into pkt. */
static void
nd_make(const char *src, const char *dst, uint32_t options_len)
{
	pkt_make(IPPROTO_ICMPV6, &nd, (uint32_t)(24 + options_len));
	pkt_ip()->hop_limits = 255;
	pkt_addrs(src, dst);
	if (ip6_is_multicast(pkt_ip()->dst_addr))
		((struct rte_ether_hdr *)pkt.bytes)->dst_addr = ip6_group_mac(pkt_ip()->dst_addr);
	pkt_sum_icmp(L3);
}

static void
nd_begin(uint8_t type, const char *target, uint8_t mac_option)
{
	nd = (struct nd){.type = type, .options = {mac_option, 1, 2, 0, 0, 0, 0, 9}};
	memcpy(nd.target, ip6(target).u.ip6, 16);
}

static void
ns_make(const char *src, const char *dst, const char *target)
{
	nd_begin(NDP_SOLICIT, target, 1);
	nd_make(src, dst, 8);
}

static struct neighbor *
known(const char *addr)
{
	static const struct rill_addr nobody;
	struct rill_addr which = ip6(addr);
	uint32_t count = neighbors_count(net_neighbors(net));
	uint32_t index = neighbor_get(
		net_neighbors(net), &which, &nobody, false, lnk.now, &lnk.outbox);

	if (neighbors_count(net_neighbors(net)) != count)
		return NULL; /* it is made now, and was not known */
	return neighbor_at(net_neighbors(net), index);
}

static void
expect_advert(const char *target, uint8_t flags)
{
	expect_icmp(NDP_ADVERT, 0);
	assert_int_equal(said.ip->hop_limits, 255);
	assert_int_equal(said.icmp_len, 32);
	assert_int_equal(said.icmp[4], flags);
	assert_memory_equal(said.icmp + 8, ip6(target).u.ip6, 16);
	assert_memory_equal(said.icmp + 24, ((uint8_t[]){2, 1, 2, 0, 0, 0, 0, 1}), 8);
}

/* Solicited, by unicast, to the address and the MAC that asked [RFC4861-8]; through the group that we
 * joined [RFC4861-17]. */
static void
test_a_solicitation_is_answered(void **state)
{
	static const char *const targets[] = {OURS, LINK_LOCAL};
	static const char *const groups[] = {NS_DST, "ff02::1:ff00:1"};

	net_begin(0);
	for (size_t i = 0; i < RTE_DIM(targets); i++) {
		uint16_t l2_len;
		bool group;
		struct rte_mbuf *mbuf;

		ns_make(PEER, groups[i], targets[i]);
		mbuf = packets_make(pkt.bytes, pkt.len);
		assert_int_equal(ether_input(&lnk.netif, mbuf, &l2_len, &group), ETHER_IP6);
		assert_true(group);
		assert_int_equal(arrive_mbuf(mbuf, group), IP_CONSUMED);
		expect_advert(targets[i], 0x60);
		expect_said_addrs(targets[i], PEER);
		assert_memory_equal(&said.ether->dst_addr, ((uint8_t[]){2, 0, 0, 0, 0, 9}), 6);
		ns_make(PEER, targets[i], targets[i]);
		assert_int_equal(arrive(), IP_CONSUMED);
		expect_advert(targets[i], 0x60);
	}
	/* By unicast the MAC may be missing: back where it came from. */
	nd_begin(NDP_SOLICIT, OURS, 0);
	nd_make(PEER, OURS, 0);
	assert_int_equal(arrive(), IP_CONSUMED);
	expect_advert(OURS, 0x60);
	assert_memory_equal(&said.ether->dst_addr, ((uint8_t[]){2, 0, 0, 0, 0, 2}), 6);
	assert_int_equal(lnk.counters.nd_adverts_out, 5);
	expect_silence();
	net_end();
}

/* Groups that are not ours do not get past Ethernet. */
static void
test_groups(void **state)
{
	static const struct {
		uint8_t mac[6];
		bool joined;
	} rows[] = {
		{{0x33, 0x33, 0, 0, 0, 1}, true},
		{{0x33, 0x33, 0xff, 0, 0, 1}, true},
		{{0x33, 0x33, 0xff, 0, 0, 2}, false},
		{{0x33, 0x33, 0, 0, 0, 2}, false},
		{{0x33, 0x33, 0, 0, 0, 0xfb}, false},
		{{0x01, 0x00, 0x5e, 0, 0, 1}, false},
	};
	struct rill_addr ours = ip6(OURS);

	net_begin(0);
	for (size_t i = 0; i < RTE_DIM(rows); i++) {
		struct rte_ether_addr mac;

		memcpy(&mac, rows[i].mac, sizeof(mac));
		assert_int_equal(netif_group_is_joined(&lnk.netif, &mac), rows[i].joined);
	}
	ns_make(PEER, NS_DST, PEER); /* the group is right, the address is not ours */
	expect_drop(RILL_DROP_nd_not_ours);
	ns_make(PEER, "ff02::1:ff00:2", OURS); /* not our group, though the MAC may look so */
	expect_drop(RILL_DROP_ip_broadcast);
	assert_int_equal(net_addr_del(net, &ours), 0);
	ns_make("fe80::2", NS_DST, OURS); /* the link-local address keeps the group */
	expect_drop(RILL_DROP_nd_not_ours);
	net_end();
}

/* Somebody wants to take an address of ours: all hear that it is taken, and nothing is learned of
 * nobody [RFC4861-8] [RFC4861-11]. */
static void
test_a_question_of_dad(void **state)
{
	uint32_t count;

	net_begin(0);
	count = neighbors_count(net_neighbors(net));
	nd_begin(NDP_SOLICIT, OURS, 0);
	nd_make("::", NS_DST, 0);
	assert_int_equal(arrive(), IP_CONSUMED);
	expect_advert(OURS, 0x20);
	expect_said_addrs(OURS, "ff02::1");
	assert_memory_equal(&said.ether->dst_addr, ((uint8_t[]){0x33, 0x33, 0, 0, 0, 1}), 6);
	assert_int_equal(neighbors_count(net_neighbors(net)), count);
	net_end();
}

/* The matrix of [4861 7.1.1] and [4861 7.1.2]: everything that must hold, each broken on its own
 * [RFC4861-1] [RFC4861-2] [RFC4861-5]. */
static void
test_defects(void **state)
{
	static const struct {
		const char *src, *dst, *target;
		uint8_t type, code, flags, hop_limit;
		uint8_t options[16], options_len;
		enum rill_drop reason;
	} rows[] = {
		/* Solicitations: the hop limit, the code, the target, the options. */
		{PEER, OURS, OURS, 135, 0, 0, 254, {1, 1}, 0, RILL_DROP_nd_malformed},
		{PEER, OURS, OURS, 135, 0, 0, 0, {1, 1}, 0, RILL_DROP_nd_malformed},
		{PEER, OURS, OURS, 135, 1, 0, 255, {1, 1}, 0, RILL_DROP_nd_malformed},
		{PEER, OURS, "ff02::1", 135, 0, 0, 255, {1, 1}, 0, RILL_DROP_nd_malformed},
		{PEER, OURS, "::", 135, 0, 0, 255, {1, 1}, 0, RILL_DROP_nd_malformed},
		{PEER, OURS, OURS, 135, 0, 0, 255, {1, 0}, 8, RILL_DROP_nd_malformed},
		{PEER, OURS, OURS, 135, 0, 0, 255, {1, 2, 2}, 8, RILL_DROP_nd_malformed},
		{PEER, OURS, OURS, 135, 0, 0, 255, {1, 1, 2}, 7, RILL_DROP_nd_malformed},
		{PEER, OURS, OURS, 135, 0, 0, 255, {1, 1, 2, 0, 0, 0, 0, 3, 99, 0}, 16,
			RILL_DROP_nd_malformed},
		{PEER, OURS, OURS, 135, 0, 0, 255, {1, 1, 1, 0, 0, 0, 0, 3}, 8,
			RILL_DROP_nd_malformed},
		{PEER, OURS, OURS, 135, 0, 0, 255, {1, 1, 0, 0, 0, 0, 0, 0}, 8,
			RILL_DROP_nd_malformed},
		/* A probe of DAD: to the group, without a MAC. */
		{"::", NS_DST, OURS, 135, 0, 0, 255, {1, 1, 2, 0, 0, 0, 0, 3}, 8,
			RILL_DROP_nd_malformed},
		{"::", "ff02::1", OURS, 135, 0, 0, 255, {0}, 0, RILL_DROP_nd_malformed},
		{"::", OURS, OURS, 135, 0, 0, 255, {0}, 0, RILL_DROP_ip_bad_source},
		/* Advertisements. */
		{PEER, OURS, PEER, 136, 0, 0x60, 254, {2, 1, 2}, 8, RILL_DROP_nd_malformed},
		{PEER, OURS, PEER, 136, 7, 0x60, 255, {2, 1, 2}, 8, RILL_DROP_nd_malformed},
		{PEER, OURS, "ff02::1", 136, 0, 0x60, 255, {2, 1, 2}, 8, RILL_DROP_nd_malformed},
		{PEER, OURS, PEER, 136, 0, 0x60, 255, {2, 0, 2}, 8, RILL_DROP_nd_malformed},
		{PEER, "ff02::1", PEER, 136, 0, 0x60, 255, {2, 1, 2}, 8, RILL_DROP_nd_malformed},
		{"::", "ff02::1", PEER, 136, 0, 0x20, 255, {2, 1, 2}, 8, RILL_DROP_nd_malformed},
		/* What is as it must be, and concerns nobody. */
		{PEER, OURS, "2001:db8::77", 136, 0, 0x60, 255, {2, 1, 2}, 8, RILL_DROP_nd_not_ours},
		{PEER, OURS, "2001:db8::77", 135, 0, 0, 255, {1, 1, 2}, 8, RILL_DROP_nd_not_ours},
		{PEER, OURS, PEER, 133, 0, 0, 255, {0}, 0, RILL_DROP_nd_ignored},
		{PEER, OURS, PEER, 137, 0, 0, 255, {0}, 0, RILL_DROP_nd_ignored},
	};

	net_begin(0);
	for (size_t i = 0; i < RTE_DIM(rows); i++) {
		nd_begin(rows[i].type, rows[i].target, 0);
		nd.code = rows[i].code;
		nd.flags = rows[i].flags;
		memcpy(nd.options, rows[i].options, sizeof(rows[i].options));
		nd_make(rows[i].src, rows[i].dst, rows[i].options_len);
		pkt_ip()->hop_limits = rows[i].hop_limit;
		expect_drop(rows[i].reason);
	}
	for (uint32_t len = 4; len < 24; len++) { /* too short */
		ns_make(PEER, OURS, OURS);
		pkt_ip()->payload_len = rte_cpu_to_be_16((uint16_t)len);
		pkt.len = L3 + len;
		pkt_sum_icmp(L3);
		expect_drop(RILL_DROP_nd_malformed);
	}
	ns_make(PEER, OURS, OURS);
	pkt.bytes[L3 + 30] ^= 1;
	expect_drop(RILL_DROP_icmp_checksum);
	assert_int_equal(neighbors_count(net_neighbors(net)), 0);
	net_end();
}

/* Options that nobody knows are skipped, wherever they stand [RFC4861-5]. */
static void
test_unknown_options_are_skipped(void **state)
{
	static const uint8_t options[24] = {200, 1, [8] = 1, 1, 2, 0, 0, 0, 0, 9, [16] = 14, 1};

	net_begin(0);
	nd_begin(NDP_SOLICIT, OURS, 0);
	memcpy(nd.options, options, sizeof(options));
	nd_make(PEER, OURS, sizeof(options));
	assert_int_equal(arrive(), IP_CONSUMED);
	expect_advert(OURS, 0x60);
	assert_memory_equal(&said.ether->dst_addr, ((uint8_t[]){2, 0, 0, 0, 0, 9}), 6);
	net_end();
}

/* Who asks is known then, but not trusted; what is advertised unasked makes nobody known
 * [RFC4861-9]. */
static void
test_what_is_learned(void **state)
{
	const struct neighbor *peer;

	net_begin(0);
	for (unsigned int i = 3; i < 100; i++) { /* unsolicited advertisements */
		char text[64];

		snprintf(text, sizeof(text), "2001:db8::%x", i);
		nd_begin(NDP_ADVERT, text, 2);
		nd.flags = i % 8 << 5 & 0xa0;
		nd_make(text, "ff02::1", 8);
		expect_drop(RILL_DROP_nd_not_ours);
	}
	assert_int_equal(neighbors_count(net_neighbors(net)), 0);
	ns_make(PEER, OURS, OURS);
	assert_int_equal(arrive(), IP_CONSUMED);
	expect_advert(OURS, 0x60);
	assert_int_equal(neighbors_count(net_neighbors(net)), 1);
	peer = known(PEER);
	assert_non_null(peer);
	assert_int_equal(peer->state, NEIGHBOR_STALE);
	assert_memory_equal(peer->header, ((uint8_t[]){2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 1, 0x86, 0xdd}), 14);
	net_end();
}

/* Nobody needs fragments for neighbour discovery, not even one that is alone [RFC4861-20]. */
static void
test_fragmented(void **state)
{
	uint8_t bytes[8 + 32] = {IPPROTO_ICMPV6};

	net_begin(0);
	ns_make(PEER, OURS, OURS);
	memcpy(bytes + 8, pkt.bytes + L3, 32);
	pkt_make(IPPROTO_FRAGMENT, bytes, sizeof(bytes));
	pkt_ip()->hop_limits = 255;
	pkt_sum_icmp(L3 + 8);
	expect_drop(RILL_DROP_nd_malformed);
	/* The same message behind another header. */
	memcpy(bytes, (uint8_t[]){IPPROTO_ICMPV6, 0, 1, 4, 0, 0, 0, 0}, 8);
	pkt_make(IPPROTO_DSTOPTS, bytes, sizeof(bytes));
	pkt_ip()->hop_limits = 255;
	pkt_sum_icmp(L3 + 8);
	assert_int_equal(arrive(), IP_CONSUMED);
	expect_advert(OURS, 0x60);
	net_end();
}

/* Cut anywhere, the message is the same. */
static void
test_cut_anywhere(void **state)
{
	net_begin(0);
	ns_make(PEER, NS_DST, OURS);
	for (uint32_t a = L3; a <= pkt.len; a++)
		for (uint32_t b = a; b <= pkt.len; b++) {
			arrive_mbuf(packets_cut(pkt.bytes, pkt.len, a, b), true);
			expect_advert(OURS, 0x60);
		}
	net_end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_solicitation_is_answered),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_a_question_of_dad),
		cmocka_unit_test(test_defects),
		cmocka_unit_test(test_unknown_options_are_skipped),
		cmocka_unit_test(test_what_is_learned),
		cmocka_unit_test(test_fragmented),
		cmocka_unit_test(test_cut_anywhere),
	};

	return cmocka_run_group_tests(tests, packets_start, packets_end);
}
