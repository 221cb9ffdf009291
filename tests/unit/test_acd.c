/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IPv4 addresses that somebody else may have: asked for before they are used, if that is wanted, given
 * up for good if somebody answers, and defended seldom once they are in use.
 */
#include "nets.h"

#include <errno.h>

#include "acd.h"

#define SECOND ((ustime)USEC_PER_SEC)
#define FRAMES_MAX 2048

static struct {
	unsigned int count;
	ustime at[FRAMES_MAX];
	struct arp_frame frames[FRAMES_MAX];
} heard;

static void
begin(bool probe, bool yield, bool silent)
{
	const struct net_ip4 setup = {.probe = probe, .yield = yield};

	link_reset(true, 0);
	lnk.netif.silent = silent;
	heard.count = 0;
	net = net_make();
	net_set_ip4(net, &setup);
}

static int
add(struct rill_addr addr)
{
	struct rill_prefix prefix = {addr, 24};

	return net_addr_add(net, &prefix, lnk.now);
}

static bool
is_ours(struct rill_addr addr)
{
	return net_addr_is_ours(net, &addr);
}

static bool
claim(struct rill_addr addr, uint8_t by)
{
	struct rte_ether_addr mac = mac_of(by);

	return net_addr_claimed(net, &addr, &mac, lnk.now, &lnk.outbox);
}

/* What was said, by ARP and to all, and when. */
static void
hear(void)
{
	struct rte_mbuf *mbuf;

	while ((mbuf = link_take()) != NULL) {
		assert_true(heard.count < FRAMES_MAX);
		assert_int_equal(mbuf->pkt_len, sizeof(heard.frames[0]));
		memcpy(&heard.frames[heard.count], rte_pktmbuf_mtod(mbuf, void *), mbuf->pkt_len);
		heard.at[heard.count++] = lnk.now;
		rte_pktmbuf_free(mbuf);
	}
}

static void
advance(ustime us)
{
	ustime until = lnk.now + us;

	for (;;) {
		ustime next;
		struct wheel_node *due;

		while (wheel_expire(&lnk.wheel, lnk.now, &due, 1) == 1)
			net_announce_timer(net, due, lnk.now, &lnk.outbox);
		hear();
		if (lnk.now == until)
			return;
		next = RTE_MAX(wheel_next(&lnk.wheel), lnk.now + 1);
		lnk.now = RTE_MIN(next, until);
	}
}

static void
expect_heard(unsigned int i, struct rill_addr sender, struct rill_addr target)
{
	struct arp_frame want = arp_frame(
		RTE_ARP_OP_REQUEST, mac_of(1), mac_broadcast, sender, mac_zero, target);

	assert_true(i < heard.count);
	assert_memory_equal(&heard.frames[i], &want, sizeof(want));
}

/* Three questions that nobody asks, within the times of the RFC, then it is ours, and announced
 * [RFC5227-1]. Until then nothing is sent from it. */
static void
test_probed_then_announced(void **state)
{
	struct rill_addr us = ip4(10, 0, 0, 1), nobody = ip4(0, 0, 0, 0), to = ip4(10, 0, 0, 9);
	struct rill_addr hop, from;
	ustime began;

	begin(true, false, false);
	began = lnk.now;
	assert_int_equal(add(us), 0);
	assert_int_equal(add(us), -EEXIST);
	while (heard.count < ACD_PROBE_NUM) {
		assert_true(net_is_settling(net) && !is_ours(us));
		assert_int_equal(net_addr_whose(net, &us), ARP_PROBED);
		assert_int_equal(net_route(net, &to, &hop, &from), -EAGAIN);
		advance(SECOND / 20);
	}
	assert_in_range(heard.at[0] - began, 0, SECOND + 8);
	for (unsigned int i = 0; i < ACD_PROBE_NUM; i++)
		expect_heard(i, nobody, us);
	for (unsigned int i = 1; i < ACD_PROBE_NUM; i++)
		assert_in_range(heard.at[i] - heard.at[i - 1], SECOND, 2 * SECOND + 8);
	advance(heard.at[2] + 2 * SECOND - lnk.now - 8);
	assert_false(is_ours(us));
	advance(24);
	assert_true(is_ours(us) && !net_is_settling(net));
	assert_int_equal(net_route(net, &to, &hop, &from), 0);
	advance(10 * SECOND);
	assert_int_equal(heard.count, ACD_PROBE_NUM + ARP_ANNOUNCE_NUM);
	expect_heard(3, us, us);
	expect_heard(4, us, us);
	assert_in_range(heard.at[4] - heard.at[3], 2 * SECOND, 2 * SECOND + 8);
	assert_int_equal(lnk.counters.arp_duplicates, 0);
	net_end();
}

/* Somebody has it: it is never used, nothing more is said of it, and people are told once, whose it is
 * [RFC5227-2]. Its gateway waits for it, and others go on. */
static void
test_taken_while_probed(void **state)
{
	struct rill_addr us = ip4(10, 0, 0, 1), other = ip4(10, 0, 1, 1), via = ip4(10, 0, 0, 254);
	struct rill_addr to = ip4(8, 8, 8, 8), hop, from;
	struct rill_prefix all = {.addr.family = AF_INET};

	begin(true, false, false);
	assert_int_equal(add(us), 0);
	assert_int_equal(add(other), 0);
	assert_int_equal(net_route_add(net, &all, &via, 0), 0);
	advance(SECOND + 8);
	heard.count = 0;
	assert_false(claim(us, 7));
	for (int i = 0; i < 100; i++)
		claim(us, 8);
	assert_int_equal(net_addr_whose(net, &us), ARP_THEIRS);
	advance(3600 * SECOND);
	assert_false(is_ours(us));
	assert_true(is_ours(other) && !net_is_settling(net));
	for (unsigned int i = 0; i < heard.count; i++)
		assert_memory_not_equal(&heard.frames[i].arp.arp_data.arp_tip, us.u.ip4, 4);
	assert_int_equal(net_route(net, &to, &hop, &from), -ENETUNREACH);
	assert_int_equal(lnk.counters.arp_duplicates, 1);
	assert_int_equal(net_trouble(net)->number, 1);
	assert_int_equal(net_trouble(net)->kind, NET_TROUBLE_TAKEN);
	assert_memory_equal(&net_trouble(net)->addr, &us, sizeof(us));
	assert_int_equal(net_trouble(net)->mac.addr_bytes[5], 7);
	/* Taken away and given again, it is asked for again. */
	assert_int_equal(add(us), -EEXIST);
	assert_int_equal(net_addr_del(net, &us), 0);
	assert_int_equal(add(us), 0);
	advance(ACD_LONGEST_US + 8);
	assert_true(is_ours(us));
	assert_int_equal(net_route(net, &to, &hop, &from), 0);
	net_end();
}

/* After ten conflicts one new address is tried in a minute [RFC5227-3]. */
static void
test_many_conflicts(void **state)
{
	begin(true, false, false);
	for (uint8_t i = 1; i <= ACD_MAX_CONFLICTS; i++) {
		assert_int_equal(add(ip4(10, 0, 0, i)), 0);
		claim(ip4(10, 0, 0, i), 9);
	}
	for (uint8_t i = 0; i < 4; i++)
		assert_int_equal(add(ip4(10, 0, 0, (uint8_t)(100 + i))), 0);
	advance(300 * SECOND);
	assert_int_equal(heard.count, 4 * (ACD_PROBE_NUM + ARP_ANNOUNCE_NUM));
	for (unsigned int i = 0; i < 4; i++) {
		unsigned int first = i * (ACD_PROBE_NUM + ARP_ANNOUNCE_NUM);

		expect_heard(first, ip4(0, 0, 0, 0), ip4(10, 0, 0, (uint8_t)(100 + i)));
		assert_in_range(heard.at[first] - LINK_START, i * ACD_RATE_LIMIT_US,
			i * ACD_RATE_LIMIT_US + SECOND + 8);
	}
	/* And beyond what the wheel reaches. */
	for (uint8_t i = 0; i < 200; i++)
		assert_int_equal(add(ip4(10, 0, 2, (uint8_t)(1 + i))), 0);
	advance(199 * ACD_RATE_LIMIT_US - SECOND);
	assert_false(is_ours(ip4(10, 0, 2, 200)));
	heard.count = 0;
	advance(2 * ACD_RATE_LIMIT_US);
	assert_true(is_ours(ip4(10, 0, 2, 200)));
	net_end();
}

/* One in use is announced once in ten seconds, whatever is claimed, and kept: else anybody could take
 * it away with two packets [RFC5227-5]. */
static void
test_defended(void **state)
{
	struct rill_addr us = ip4(10, 0, 0, 1);

	begin(false, false, false);
	assert_int_equal(add(us), 0);
	assert_true(is_ours(us));
	advance(10 * SECOND);
	heard.count = 0;
	for (int i = 0; i < 1000; i++) {
		assert_false(claim(us, 7));
		advance(SECOND / 100);
	}
	assert_int_equal(heard.count, 1);
	expect_heard(0, us, us);
	assert_false(claim(us, 7));
	advance(SECOND);
	assert_int_equal(heard.count, 2);
	assert_true(is_ours(us));
	assert_int_equal(lnk.counters.arp_conflicts, 1001);
	assert_int_equal(net_trouble(net)->number, 1);
	assert_int_equal(net_trouble(net)->kind, NET_TROUBLE_CONTESTED);
	net_end();
}

/* A host that yields gives it up at the second claim within ten seconds. */
static void
test_yielded(void **state)
{
	struct rill_addr us = ip4(10, 0, 0, 1);

	begin(false, true, false);
	assert_int_equal(add(us), 0);
	assert_false(claim(us, 7));
	advance(ACD_DEFEND_US);
	assert_false(claim(us, 7));
	advance(ACD_DEFEND_US - SECOND);
	assert_true(is_ours(us));
	heard.count = 0;
	assert_true(claim(us, 7));
	assert_false(is_ours(us));
	assert_false(claim(us, 7));
	net_announce_all(net, lnk.now);
	advance(100 * SECOND);
	assert_int_equal(heard.count, 0);
	assert_int_equal(net_trouble(net)->kind, NET_TROUBLE_LOST);
	net_end();
}

/* A lane that another one speaks for says nothing. */
static void
test_a_silent_lane(void **state)
{
	struct rill_addr us = ip4(10, 0, 0, 1);
	struct nd_fact said;

	const struct nd_fact *facts;

	/* It begins with the one that asks, if it hears of that: */
	begin(true, false, false);
	assert_int_equal(add(us), 0);
	while (!is_ours(us))
		advance(SECOND / 10);
	assert_int_equal(net_take_facts(net, &facts), 1);
	said = facts[0];
	net_end();
	begin(true, false, true);
	assert_int_equal(add(us), 0);
	advance(SECOND);
	assert_false(is_ours(us));
	net_hear_fact(net, &said, lnk.now, &lnk.outbox);
	assert_true(is_ours(us) && !net_is_settling(net));
	net_end();
	/* else it waits for as long as that may need. */
	begin(true, false, true);
	assert_int_equal(add(us), 0);
	advance(ACD_LONGEST_US - 8);
	assert_false(is_ours(us));
	advance(24);
	assert_true(is_ours(us));
	assert_false(claim(us, 7));
	net_announce_all(net, lnk.now);
	advance(100 * SECOND);
	assert_int_equal(heard.count, 0);
	assert_int_equal(lnk.counters.arp_conflicts, 1);
	net_end();
}

/* A link that comes and goes: each address is announced once in a second. */
static void
test_announced_seldom(void **state)
{
	begin(false, false, false);
	assert_int_equal(add(ip4(10, 0, 0, 1)), 0);
	advance(5 * SECOND);
	heard.count = 0;
	for (int i = 0; i < 1000; i++) {
		net_announce_all(net, lnk.now);
		advance(SECOND / 100);
	}
	assert_in_range(heard.count, 9, 11);
	advance(10 * SECOND);
	assert_in_range(heard.count, 11, 13); /* the last time is followed by another */
	net_end();
}

/* A range is announced address by address, a thousand in a second, once; it is not asked for, and not
 * given up. */
static void
test_a_range(void **state)
{
	struct rill_prefix range = {ip4(10, 1, 0, 1), 16, 999};
	ustime began;

	begin(true, true, false);
	began = lnk.now;
	assert_int_equal(net_addr_add(net, &range, lnk.now), 0);
	assert_true(is_ours(ip4(10, 1, 3, 232)) && !is_ours(ip4(10, 1, 3, 233)));
	advance(10 * SECOND);
	assert_int_equal(heard.count, 1000);
	for (uint32_t i = 0; i < 1000; i++) {
		struct rill_addr addr = ip4(10, 1, (uint8_t)((i + 1) >> 8), (uint8_t)(i + 1));

		expect_heard(i, addr, addr);
		assert_in_range(heard.at[i] - began, i / 16 * 16000, i / 16 * 16000 + 1000);
	}
	for (int i = 0; i < 100; i++)
		assert_false(claim(ip4(10, 1, 0, 77), 7));
	assert_true(is_ours(ip4(10, 1, 0, 77)));
	hear();
	assert_int_equal(heard.count, 1001);
	expect_heard(1000, ip4(10, 1, 0, 77), ip4(10, 1, 0, 77));
	net_end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_probed_then_announced),
		cmocka_unit_test(test_taken_while_probed),
		cmocka_unit_test(test_many_conflicts),
		cmocka_unit_test(test_defended),
		cmocka_unit_test(test_yielded),
		cmocka_unit_test(test_a_silent_lane),
		cmocka_unit_test(test_announced_seldom),
		cmocka_unit_test(test_a_range),
	};

	return cmocka_run_group_tests(tests, packets_start, packets_end);
}
