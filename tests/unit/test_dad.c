/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Duplicate address detection: an address is asked for before it is used, and is not used if somebody
 * answers, or asks for it too.
 */
#include "nets6.h"

#include <errno.h>

#include "exceptions.h"
#include "ndp.h"

#define SECOND ((ustime)USEC_PER_SEC)
#define SOLICITED_NODE "ff02::1:ff00:1"

static void
begin_with(bool silent, bool unprobed)
{
	const struct net_ip6 setup = {.unprobed = unprobed, .key = {1, 2}};

	link_reset(true, 0);
	lnk.netif.silent = silent;
	net = net_make();
	assert_int_equal(net_set_ip6(net, &setup, lnk.now), 0);
}

static int
add(const char *text)
{
	struct rill_prefix prefix = prefix6(text);

	return net_addr_add(net, &prefix, lnk.now);
}

static bool
is_ours(const char *text)
{
	struct rill_addr addr = ip6(text);

	return net_addr_is_ours(net, &addr);
}

static int
route(const char *dst)
{
	struct rill_addr addr = ip6(dst), via, source;

	return net_route(net, &addr, &via, &source);
}

/* Questions in the outbox: for OURS and the link-local address; none of anything else. */
static void
count_questions(unsigned int *ours, unsigned int *link_local)
{
	while (outbox_count(&lnk.outbox) > 0) {
		struct rill_addr target = {.family = AF_INET6};
		char text[RILL_ADDR_STRLEN];

		expect_icmp(NDP_SOLICIT, 0);
		assert_int_equal(said.ip->hop_limits, 255);
		assert_int_equal(said.icmp_len, 24); /* no MAC is told */
		memcpy(target.u.ip6, said.icmp + 8, 16);
		rill_addr_format(&target, text);
		expect_said_addrs("::", SOLICITED_NODE); /* that of both */
		if (strcmp(text, OURS) == 0)
			(*ours)++;
		else if (strcmp(text, LINK_LOCAL) == 0)
			(*link_local)++;
		else
			fail_msg("%s", text);
	}
}

static void
nd_arrives(uint8_t type, uint8_t flags, const char *src, const char *dst, const char *target,
	uint8_t from)
{
	uint8_t bytes[24] = {type, 0, 0, 0, flags};

	memcpy(bytes + 8, ip6(target).u.ip6, 16);
	pkt_make(IPPROTO_ICMPV6, bytes, sizeof(bytes));
	pkt_ip()->hop_limits = 255;
	pkt_addrs(src, dst);
	((struct rte_ether_hdr *)pkt.bytes)->src_addr = mac_of(from);
	pkt_sum_icmp(L3);
	assert_int_equal(arrive(), IP_CONSUMED);
}

/* Asked once, from nobody, within a second; used a second later, not before; and said to all then
 * [RFC4861-18]. */
static void
test_an_address_that_nobody_has(void **state)
{
	unsigned int ours = 0, link_local = 0, adverts = 0;

	begin_with(false, false);
	assert_int_equal(add(OURS "/64"), 0);
	assert_false(is_ours(OURS));
	assert_true(net_is_settling(net));
	assert_int_equal(route(PEER), -EAGAIN);
	pkt_make(IPPROTO_TCP, NULL, 20);
	expect_drop(RILL_DROP_ip_not_ours);
	net_advance(SECOND);
	count_questions(&ours, &link_local);
	assert_true(ours == 1 && link_local == 1);
	assert_false(is_ours(OURS) && is_ours(LINK_LOCAL));
	net_advance(SECOND + 8);
	assert_true(is_ours(OURS) && is_ours(LINK_LOCAL) && !net_is_settling(net));
	assert_int_equal(route(PEER), 0);
	while (outbox_count(&lnk.outbox) > 0) {
		expect_icmp(NDP_ADVERT, 0);
		assert_int_equal(said.icmp[4], 0x20);
		adverts++;
	}
	assert_int_equal(adverts, 2);
	net_advance(1000 * SECOND);
	expect_silence();
	assert_int_equal(lnk.counters.nd_duplicates, 0);
	net_end();
}

/* Somebody has it, or asks for it at the same time: it is not used, ever, and counted
 * [RFC4861-18]. */
static void
test_an_address_that_somebody_has(void **state)
{
	static const struct {
		uint8_t type, from;
		const char *src, *dst;
		bool taken;
	} rows[] = {
		{NDP_ADVERT, 2, PEER, "ff02::1", true},
		{NDP_SOLICIT, 2, "::", SOLICITED_NODE, true}, /* another one's question */
		{NDP_SOLICIT, 2, PEER, SOLICITED_NODE, false}, /* somebody looks for it: no claim */
		{NDP_SOLICIT, 1, "::", SOLICITED_NODE, false}, /* our own question, come back */
	};

	for (size_t i = 0; i < RTE_DIM(rows); i++) {
		unsigned int ours = 0, link_local = 0;

		begin_with(false, false);
		assert_int_equal(add(OURS "/64"), 0);
		net_advance(SECOND);
		count_questions(&ours, &link_local);
		nd_arrives(rows[i].type, 0x20, rows[i].src, rows[i].dst, OURS, rows[i].from);
		expect_silence();
		net_advance(3600 * SECOND);
		link_flush();
		assert_int_equal(is_ours(OURS), !rows[i].taken);
		assert_int_equal(lnk.counters.nd_duplicates, rows[i].taken);
		assert_true(is_ours(LINK_LOCAL));
		assert_int_equal(add(OURS "/64"), -EEXIST); /* until it is taken away */
		nd_arrives(NDP_SOLICIT, 0, "fe80::2", SOLICITED_NODE, OURS, 2);
		assert_int_equal(link_flush(), !rows[i].taken); /* nor is it answered for */
		nd_arrives(NDP_ADVERT, 0x20, PEER, "ff02::1", OURS, 2); /* that it is taken is known */
		assert_int_equal(lnk.counters.nd_conflicts, !rows[i].taken);
		net_end();
	}
}

/* Once it is in use, nobody can take it away by claiming it: that is counted, and defended. */
static void
test_a_claim_too_late(void **state)
{
	begin_with(false, false);
	assert_int_equal(add(OURS "/64"), 0);
	net_advance(3 * SECOND);
	link_flush();
	nd_arrives(NDP_ADVERT, 0x20, PEER, "ff02::1", OURS, 2);
	assert_true(is_ours(OURS));
	assert_int_equal(lnk.counters.nd_conflicts, 1);
	nd_arrives(NDP_SOLICIT, 0, "::", SOLICITED_NODE, OURS, 2);
	expect_icmp(NDP_ADVERT, 0);
	expect_said_addrs(OURS, "ff02::1");
	assert_int_equal(lnk.counters.nd_duplicates, 0);
	net_end();
}

/* Other lanes hear of what the last message told, and of that once. */
static void
test_facts_are_of_the_last_message(void **state)
{
	const struct nd_fact *facts;

	begin_with(false, true);
	assert_int_equal(add(OURS "/64"), 0);
	nd_arrives(NDP_ADVERT, 0x20, PEER, "ff02::1", PEER, 2);
	nd_arrives(NDP_ADVERT, 0x20, "fe80::3", "ff02::1", "fe80::3", 3);
	assert_int_equal(net_take_facts(net, &facts), 1);
	assert_true(facts[0].kind == ND_FACT_ADVERT);
	expect_addr(&facts[0].u.advert.addr, "fe80::3");
	assert_int_equal(net_take_facts(net, &facts), 0);
	net_end();
}

static void
test_unprobed(void **state)
{
	begin_with(false, true);
	assert_int_equal(add(OURS "/64"), 0);
	assert_true(is_ours(OURS) && is_ours(LINK_LOCAL) && !net_is_settling(net));
	net_advance(10 * SECOND);
	expect_silence();
	net_end();
}

/* Another lane of the port asks; this one waits as long, and hears of the answer. */
static void
test_a_silent_lane(void **state)
{
	struct nd_fact fact = {.kind = ND_FACT_CLAIM, .u.advert.addr = ip6(OURS)};
	const struct nd_fact *facts;

	for (unsigned int taken = 0; taken < 2; taken++) {
		begin_with(true, false);
		assert_int_equal(add(OURS "/64"), 0);
		net_advance(2 * SECOND - 16);
		assert_false(is_ours(OURS));
		if (taken)
			net_hear_fact(net, &fact, lnk.now, &lnk.outbox);
		net_advance(32);
		assert_int_equal(is_ours(OURS), !taken);
		expect_silence();
		net_end();
	}
	/* And this is how the other one learns what there is to tell. */
	begin_with(false, false);
	assert_int_equal(add(OURS "/64"), 0);
	nd_arrives(NDP_ADVERT, 0x20, PEER, "ff02::1", OURS, 2);
	assert_int_equal(net_take_facts(net, &facts), 1);
	assert_int_equal(facts[0].kind, ND_FACT_CLAIM);
	expect_addr(&facts[0].u.advert.addr, OURS);
	assert_int_equal(net_take_facts(net, &facts), 0);
	net_end();
}

/* What all nodes were told: that our two addresses are where we are. Returns how often. */
static unsigned int
count_adverts(void)
{
	unsigned int n = 0;

	for (; outbox_count(&lnk.outbox) > 0; n++) {
		expect_icmp(NDP_ADVERT, 0);
		assert_int_equal(said.icmp[4], 0x20);
		assert_memory_equal(said.ip->dst_addr, ip6_all_nodes, sizeof(ip6_all_nodes));
	}
	return n;
}

/* The link was down, or the MAC is another: all hear where our addresses are, twice; and however often
 * the link comes and goes, no more than once in the time between two solicitations [4861 7.2.6]. */
static void
test_announced_anew(void **state)
{
	unsigned int adverts = 0;

	begin_with(false, false);
	assert_int_equal(add(OURS "/64"), 0);
	net_advance(3 * SECOND);
	link_flush();
	net_announce_all(net, lnk.now);
	net_advance(SECOND - 16);
	assert_int_equal(count_adverts(), 2);
	net_advance(32);
	assert_int_equal(count_adverts(), 2);
	net_advance(10 * SECOND);
	expect_silence();
	for (int i = 0; i < 1000; i++) {
		net_announce_all(net, lnk.now);
		net_advance(SECOND / 100);
		adverts += count_adverts();
	}
	assert_in_range(adverts, 18, 22);
	net_advance(SECOND + 16);
	link_flush();
	net_advance(10 * SECOND);
	expect_silence();
	net_end();
}

/* Taken away while it is being asked for. */
static void
test_given_up(void **state)
{
	struct rill_addr ours = ip6(OURS);

	begin_with(false, false);
	assert_int_equal(add(OURS "/64"), 0);
	assert_int_equal(net_addr_del(net, &ours), 0);
	net_advance(10 * SECOND);
	assert_true(!is_ours(OURS) && is_ours(LINK_LOCAL));
	assert_int_equal(lnk.counters.nd_solicits_out, 1);
	net_end();
}

/*
 * A kernel behind us asks for the same addresses. What either has sent and comes back, as from a switch that
 * does so, tells neither that another host does; what another host says tells both.
 */
static void
test_a_kernel_behind_us(void **state)
{
	static struct exceptions kernel;

	begin_with(false, false);
	lnk.netif.exceptions = &kernel;
	assert_int_equal(add(OURS "/64"), 0);
	nd_arrives(NDP_SOLICIT, 0, "::", SOLICITED_NODE, OURS, 1);
	nd_arrives(NDP_ADVERT, 0x20, PEER, "ff02::1", OURS, 1);
	assert_int_equal(kernel.count, 0);
	assert_int_equal(lnk.counters.drops[RILL_DROP_nd_echo], 2);
	net_advance(3 * SECOND);
	assert_true(is_ours(OURS));
	link_flush();
	nd_arrives(NDP_SOLICIT, 0, "::", SOLICITED_NODE, OURS, 2);
	expect_icmp(NDP_ADVERT, 0);
	nd_arrives(NDP_ADVERT, 0x20, PEER, "ff02::1", OURS, 2);
	assert_int_equal(kernel.count, 2);
	assert_int_equal(lnk.counters.nd_conflicts, 1);
	rte_pktmbuf_free_bulk(kernel.frames, kernel.count);
	lnk.netif.exceptions = NULL;
	net_end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_address_that_nobody_has),
		cmocka_unit_test(test_an_address_that_somebody_has),
		cmocka_unit_test(test_a_claim_too_late),
		cmocka_unit_test(test_facts_are_of_the_last_message),
		cmocka_unit_test(test_unprobed),
		cmocka_unit_test(test_a_silent_lane),
		cmocka_unit_test(test_announced_anew),
		cmocka_unit_test(test_given_up),
		cmocka_unit_test(test_a_kernel_behind_us),
	};

	return cmocka_run_group_tests(tests, packets_start, packets_end);
}
