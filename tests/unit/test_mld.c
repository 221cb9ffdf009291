/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Multicast listener discovery: the groups in which our addresses are asked for are reported when they
 * begin, and when a querier asks, within the time that it gives; hostile queries make neither more
 * reports nor other ones.
 */
#include "nets6.h"

#include "ndp.h"

#define SECOND ((ustime)USEC_PER_SEC)
#define QUERIER "fe80::99"
#define GROUP "ff02::1:ff00:1" /* that of both our addresses */
#define RECORDS (L3 + 8 + 8)

static void
begin_with(bool mld, bool silent, bool unprobed)
{
	const struct net_ip6 setup = {.unprobed = unprobed, .mld = mld, .key = {1, 2}};
	struct rill_prefix prefix = prefix6(OURS "/64");

	link_reset(true, 0);
	lnk.netif.silent = silent;
	net = net_make();
	assert_int_equal(net_set_ip6(net, &setup, lnk.now), 0);
	assert_int_equal(net_addr_add(net, &prefix, lnk.now), 0);
}

/* The next frame is a report of this type; what it says is left in said.bytes. */
static void
expect_report(uint8_t type, const char *src, const char *dst)
{
	static const uint8_t hop_by_hop[8] = {IPPROTO_ICMPV6, 0, 5, 2, 0, 0, 1, 0};
	struct rill_addr to = ip6(dst);
	struct rte_ether_addr mac = ip6_group_mac(to.u.ip6);
	struct rte_mbuf *mbuf = link_take();

	assert_non_null(mbuf);
	said.len = mbuf->pkt_len;
	memcpy(said.bytes, rte_pktmbuf_mtod(mbuf, void *), said.len);
	said.ether = (struct rte_ether_hdr *)said.bytes;
	said.ip = (struct rte_ipv6_hdr *)(said.bytes + L2);
	assert_true(rte_is_same_ether_addr(&said.ether->dst_addr, &mac));
	expect_said_addrs(src, dst);
	assert_int_equal(said.ip->hop_limits, 1);
	assert_int_equal(said.ip->proto, IPPROTO_HOPOPTS);
	assert_int_equal(rte_be_to_cpu_16(said.ip->payload_len), said.len - L3);
	assert_memory_equal(said.bytes + L3, hop_by_hop, sizeof(hop_by_hop));
	assert_int_equal(said.bytes[L3 + 8], type);
	assert_int_equal(
		checksum_icmp6(mbuf, L3 + 8, said.len - L3 - 8, said.ip->src_addr), 0xffff);
	rte_pktmbuf_free(mbuf);
}

/* Of version 2, with one group: ours. */
static void
expect_report2(const char *src, uint8_t record)
{
	expect_report(143, src, "ff02::16");
	assert_int_equal(said.len, RECORDS + 20);
	assert_int_equal(said.bytes[L3 + 8 + 7], 1);
	assert_memory_equal(said.bytes + RECORDS, ((uint8_t[]){record, 0, 0, 0}), 4);
	assert_memory_equal(said.bytes + RECORDS + 4, ip6(GROUP).u.ip6, 16);
}

/* A query of len bytes, at most 40, with this code for its delay. */
static void
query_make(uint32_t len, uint16_t code, const char *group)
{
	uint8_t bytes[48] = {IPPROTO_ICMPV6, 0, 5, 2, 0, 0, 1, 0, 130};

	bytes[12] = (uint8_t)(code >> 8);
	bytes[13] = (uint8_t)code;
	memcpy(bytes + 16, ip6(group).u.ip6, 16);
	pkt_make(IPPROTO_HOPOPTS, bytes, 8 + len);
	pkt_ip()->hop_limits = 1;
	pkt_addrs(QUERIER, "ff02::1");
	pkt_sum_icmp(L3 + 8);
}

static void
asks(uint32_t len, uint16_t code)
{
	query_make(len, code, "::");
	assert_int_equal(arrive(), IP_CONSUMED);
}

/* Before the first question in that group, from no address, and once more within some time [RFC3810-1]. */
static void
test_joining(void **state)
{
	begin_with(true, false, false);
	while (outbox_count(&lnk.outbox) == 0)
		net_advance(1000);
	expect_report2("::", 4);
	net_advance(10 * SECOND);
	for (unsigned int reports = 0; outbox_count(&lnk.outbox) > 0;) {
		const uint8_t *bytes = rte_pktmbuf_mtod(
			lnk.outbox.ring[lnk.outbox.taken & (OUTBOX_SIZE - 1)], uint8_t *);

		if (bytes[20] != IPPROTO_HOPOPTS) {
			rte_pktmbuf_free(link_take());
			continue;
		}
		assert_int_equal(reports++, 0);
		expect_report2(LINK_LOCAL, 4);
	}
	assert_int_equal(lnk.counters.mld_reports_out, 2);
	net_end();
}

/* Within the time that is given, at a time that differs; from our link-local address [RFC3810-2]. */
static void
test_general_query(void **state)
{
	static const struct {
		uint32_t len;
		uint16_t code;
		uint32_t most_ms;
	} rows[] = {{28, 10000, 10000}, {28, 0x8000, 32768}, {32, 0x8fff, 65528}, {28, 1, 1}};
	ustime last = 0;

	for (size_t i = 0; i < RTE_DIM(rows); i++) {
		ustime waited = 0;

		begin_with(true, false, true);
		net_advance(10 * SECOND);
		link_flush();
		asks(rows[i].len, rows[i].code);
		expect_silence();
		for (; outbox_count(&lnk.outbox) == 0; waited += 1000)
			net_advance(1000);
		assert_in_range(waited, 0, (ustime)rows[i].most_ms * 1000 + 1000);
		assert_true(i == 3 || waited != last);
		last = waited;
		expect_report2(LINK_LOCAL, 2);
		net_advance(1000 * SECOND);
		expect_silence();
		net_end();
	}
}

/* While a querier is of version 1, so are reports; and no longer [RFC3810-3]. */
static void
test_version_1(void **state)
{
	begin_with(true, false, true);
	net_advance(10 * SECOND);
	link_flush();
	asks(24, 100);
	net_advance(SECOND);
	expect_report(131, LINK_LOCAL, GROUP);
	assert_int_equal(said.len, L3 + 8 + 24);
	assert_memory_equal(said.bytes + L3 + 16, ip6(GROUP).u.ip6, 16);
	expect_silence();
	net_advance(200 * SECOND);
	asks(28, 100);
	net_advance(SECOND);
	expect_report(131, LINK_LOCAL, GROUP);
	net_advance(60 * SECOND);
	asks(28, 100);
	net_advance(SECOND);
	expect_report2(LINK_LOCAL, 2);
	net_end();
}

/* What does not come from a router of this link is dropped, and has no consequences [RFC3810-4]. */
static void
test_hostile_queries(void **state)
{
	begin_with(true, false, true);
	net_advance(10 * SECOND);
	link_flush();
	query_make(28, 0, "::");
	pkt_ip()->hop_limits = 2;
	expect_drop(RILL_DROP_mld_malformed);
	query_make(28, 0, "::");
	pkt_addrs(PEER, "ff02::1");
	pkt_sum_icmp(L3 + 8);
	expect_drop(RILL_DROP_mld_malformed);
	query_make(28, 0, "2001:db8::5");
	expect_drop(RILL_DROP_mld_malformed);
	for (uint32_t len = 25; len < 28; len++) {
		query_make(len, 0, "::");
		expect_drop(RILL_DROP_mld_malformed);
	}
	for (uint32_t len = 4; len < 24; len++) {
		query_make(len, 0, "::");
		expect_drop(RILL_DROP_mld_malformed);
	}
	query_make(28, 0, "::");
	pkt.bytes[L3 + 2] = 1; /* no router alert, but padding */
	expect_drop(RILL_DROP_mld_malformed);
	query_make(28, 0, "::");
	pkt.bytes[L3 + 10] ^= 1;
	expect_drop(RILL_DROP_icmp_checksum);
	net_advance(1000 * SECOND);
	expect_silence();
	/* However many are sound: one report in a second. */
	for (int i = 0; i < 10000; i++) {
		asks(i % 2 ? 24 : 28, 0);
		net_advance(1000);
	}
	assert_in_range(link_flush(), 9, 11);
	net_end();
}

/* Whoever does not speak for the port passes a query on. */
static void
test_a_silent_lane(void **state)
{
	const struct nd_fact *facts;
	struct nd_fact fact;

	begin_with(true, true, true);
	asks(28, 0);
	assert_int_equal(net_take_facts(net, &facts), 1);
	fact = facts[0];
	net_advance(100 * SECOND);
	expect_silence();
	net_end();
	begin_with(true, false, true);
	net_advance(10 * SECOND);
	link_flush();
	net_hear_fact(net, &fact, lnk.now, &lnk.outbox);
	net_advance(1000);
	expect_report2(LINK_LOCAL, 2);
	net_end();
}

/* As many groups as there can be, each once, in as many messages as they need. */
static void
test_many_groups(void **state)
{
	static bool seen[RILL_ADDRS_MAX];
	unsigned int count = 0;

	begin_with(true, false, true);
	for (unsigned int i = 2; i < RILL_ADDRS_MAX; i++) {
		struct rill_prefix prefix = prefix6(OURS "/64");

		prefix.addr.u.ip6[14] = (uint8_t)(i >> 8);
		prefix.addr.u.ip6[15] = (uint8_t)i;
		assert_int_equal(net_addr_add(net, &prefix, lnk.now), 0);
	}
	net_advance(10 * SECOND);
	link_flush();
	asks(28, 0);
	net_advance(1000);
	while (outbox_count(&lnk.outbox) > 0) {
		expect_report(143, LINK_LOCAL, "ff02::16");
		assert_in_range(said.len, RECORDS + 20, L2 + IP6_MTU_LEAST);
		assert_int_equal(said.len, RECORDS + 20u * said.bytes[L3 + 15]);
		for (unsigned int i = 0; i < said.bytes[L3 + 15]; i++, count++) {
			uint8_t last = said.bytes[RECORDS + 20 * i + 19];

			assert_false(seen[last]);
			seen[last] = true;
		}
	}
	assert_int_equal(count, RILL_ADDRS_MAX - 1);
	net_end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_joining),
		cmocka_unit_test(test_general_query),
		cmocka_unit_test(test_version_1),
		cmocka_unit_test(test_hostile_queries),
		cmocka_unit_test(test_a_silent_lane),
		cmocka_unit_test(test_many_groups),
	};

	return cmocka_run_group_tests(tests, packets_start, packets_end);
}
