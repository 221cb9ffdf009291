/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What routers say: routers, networks, addresses and the link's parameters are taken within bounds, live
 * as long as they were given, and go when their time is over.
 */
#include "nets6.h"

#include <errno.h>

#include "ndp.h"

#define SECOND ((ustime)USEC_PER_SEC)
#define HOUR (3600 * SECOND)
#define ROUTER "fe80::99"
#define AUTO "2001:db8:5::ff:fe00:1" /* the prefix with the identifier of our MAC */
#define FAR "2a00::1"

static struct {
	uint8_t bytes[2000];
	uint32_t len;
} ra;

static void
put32(uint8_t *at, uint32_t value)
{
	rte_be32_t wire = rte_cpu_to_be_32(value);

	memcpy(at, &wire, 4);
}

static void
ra_begin(uint16_t lifetime_s)
{
	memset(&ra, 0, sizeof(ra));
	ra.bytes[0] = NDP_ROUTER_ADVERT;
	ra.bytes[6] = (uint8_t)(lifetime_s >> 8);
	ra.bytes[7] = (uint8_t)lifetime_s;
	ra.len = 16;
}

static void
ra_mac(uint8_t n)
{
	memcpy(ra.bytes + ra.len, (uint8_t[]){1, 1, 2, 0, 0, 0, 0, n}, 8);
	ra.len += 8;
}

static void
ra_mtu(uint32_t mtu)
{
	ra.bytes[ra.len] = 5;
	ra.bytes[ra.len + 1] = 1;
	put32(ra.bytes + ra.len + 4, mtu);
	ra.len += 8;
}

#define L 0x80
#define A 0x40

static void
ra_prefix(const char *text, uint8_t flags, uint32_t valid_s, uint32_t preferred_s)
{
	struct rill_prefix prefix = prefix6(text);
	uint8_t *at = ra.bytes + ra.len;

	at[0] = 3;
	at[1] = 4;
	at[2] = prefix.len;
	at[3] = flags;
	put32(at + 4, valid_s);
	put32(at + 8, preferred_s);
	memcpy(at + 16, prefix.addr.u.ip6, 16);
	ra.len += 32;
}

static void
ra_make(const char *router)
{
	pkt_make(IPPROTO_ICMPV6, ra.bytes, ra.len);
	pkt_ip()->hop_limits = 255;
	pkt_addrs(router, "ff02::1");
	pkt_sum_icmp(L3);
}

static void
ra_arrives(const char *router)
{
	ra_make(router);
	assert_int_equal(arrive(), IP_CONSUMED);
}

static void
begin_with(bool autoconf, bool unprobed)
{
	const struct net_ip6 setup = {.autoconf = autoconf, .unprobed = unprobed, .key = {1, 2}};

	link_reset(true, 0);
	net = net_make();
	assert_int_equal(net_set_ip6(net, &setup, lnk.now), 0);
}

static void
begin(void)
{
	begin_with(true, true);
}

static bool
is_ours(const char *text)
{
	struct rill_addr addr = ip6(text);

	return net_addr_is_ours(net, &addr);
}

/* 0 and the next hop in via; else what net_route says. */
static struct rill_addr via, source;

static int
route(const char *dst)
{
	struct rill_addr addr = ip6(dst);

	return net_route(net, &addr, &via, &source);
}

static void
expect_route(const char *dst, const char *want_via, const char *want_source)
{
	assert_int_equal(route(dst), 0);
	expect_addr(&via, want_via);
	expect_addr(&source, want_source);
}

/* Three times, four seconds apart, until a router says something [4861 6.3.7]. */
static void
test_routers_are_asked_for(void **state)
{
	begin();
	net_advance(SECOND);
	for (unsigned int i = 0; i < 3; i++) {
		expect_icmp(NDP_ROUTER_SOLICIT, 0);
		expect_said_addrs(LINK_LOCAL, "ff02::2");
		assert_int_equal(said.ip->hop_limits, 255);
		assert_int_equal(said.icmp_len, 16);
		assert_memory_equal(said.icmp + 8, ((uint8_t[]){1, 1, 2, 0, 0, 0, 0, 1}), 8);
		assert_memory_equal(&said.ether->dst_addr, ((uint8_t[]){0x33, 0x33, 0, 0, 0, 2}), 6);
		expect_silence();
		net_advance(4 * SECOND);
	}
	net_advance(HOUR);
	expect_silence();
	net_end();
	begin();
	net_advance(SECOND);
	assert_int_equal(link_flush(), 1);
	ra_begin(1800);
	ra_arrives(ROUTER);
	net_advance(60 * SECOND);
	expect_silence();
	net_end();
}

/* A router, its network and an address there, for as long as each was given [RFC4861-14]. */
static void
test_all_of_it(void **state)
{
	begin();
	assert_int_equal(route(FAR), -ENETUNREACH);
	ra_begin(1800);
	ra_mac(9);
	ra_prefix("2001:db8:5::/64", L | A, 7200, 3600);
	ra_arrives(ROUTER);
	assert_true(is_ours(AUTO));
	expect_route(FAR, ROUTER, AUTO);
	expect_route("2001:db8:5::7", "2001:db8:5::7", AUTO);
	net_advance(1800 * SECOND + 8); /* the router is one no more */
	assert_int_equal(route(FAR), -ENETUNREACH);
	expect_route("2001:db8:5::7", "2001:db8:5::7", AUTO);
	net_advance(1800 * SECOND); /* deprecated, but there is no other */
	expect_route("2001:db8:5::7", "2001:db8:5::7", AUTO);
	net_advance(3600 * SECOND);
	assert_false(is_ours(AUTO));
	assert_int_equal(route("2001:db8:5::7"), -ENETUNREACH);
	assert_true(is_ours(LINK_LOCAL));
	net_end();
}

/* The matrix of [4861 6.1.2] [RFC4861-3]: from a router on the link, whole, and not from afar. */
static void
test_defects(void **state)
{
	static const struct {
		const char *src;
		uint8_t hop_limit, code, units;
		uint32_t len;
	} rows[] = {
		{"2001:db8::99", 255, 0, 1, 24},
		{ROUTER, 254, 0, 1, 24},
		{ROUTER, 255, 1, 1, 24},
		{ROUTER, 255, 0, 0, 24},
		{ROUTER, 255, 0, 2, 24},
		{ROUTER, 255, 0, 1, 23},
		{ROUTER, 255, 0, 1, 15},
		{ROUTER, 255, 0, 1, 8},
	};

	begin();
	for (size_t i = 0; i < RTE_DIM(rows); i++) {
		ra_begin(1800);
		ra_mac(9);
		ra.bytes[1] = rows[i].code;
		ra.bytes[17] = rows[i].units;
		ra.len = rows[i].len;
		ra_make(rows[i].src);
		pkt_ip()->hop_limits = rows[i].hop_limit;
		expect_drop(RILL_DROP_nd_malformed);
	}
	ra_begin(1800); /* the unspecified address */
	ra_make("::");
	expect_drop(RILL_DROP_nd_malformed);
	assert_int_equal(route(FAR), -ENETUNREACH);
	assert_int_equal(lnk.counters.ra_in, 0);
	net_end();
}

/* Switched off, it changes nothing. */
static void
test_switched_off(void **state)
{
	struct rill_prefix prefix = prefix6(OURS "/64");

	begin_with(false, true);
	assert_int_equal(net_addr_add(net, &prefix, lnk.now), 0);
	ra_begin(1800);
	ra_prefix("2001:db8:5::/64", L | A, 7200, 3600);
	ra_mtu(1300);
	ra_make(ROUTER);
	expect_drop(RILL_DROP_nd_ignored);
	assert_false(is_ours(AUTO));
	assert_int_equal(route(FAR), -ENETUNREACH);
	assert_int_equal(lnk.netif.mtu6, 1500);
	net_advance(60 * SECOND);
	expect_silence(); /* nor is anybody asked */
	net_end();
}

/* The link's MTU, within what every link carries and what this one does [RFC4861-14]. */
static void
test_mtu(void **state)
{
	static const struct {
		uint32_t said;
		uint16_t then;
	} rows[] = {{100, 1500}, {1279, 1500}, {1501, 1500}, {65535, 1500}, {0xffffffff, 1500},
		{1280, 1280}, {1400, 1400}, {0, 1400}, {1500, 1500}};

	begin();
	for (size_t i = 0; i < RTE_DIM(rows); i++) {
		ra_begin(1800);
		ra_mtu(rows[i].said);
		ra_arrives(ROUTER);
		assert_int_equal(lnk.netif.mtu6, rows[i].then);
	}
	net_end();
}

/* The hop limit of what is not a connection's, and how long a neighbour is REACHABLE [RFC4861-14]. */
static void
test_parameters(void **state)
{
	static const struct {
		uint32_t said_ms;
		ustime least, most; /* a half around it */
	} rows[] = {{10000, 5 * SECOND, 15 * SECOND}, {0, 5 * SECOND, 15 * SECOND},
		{1, 5 * SECOND, 15 * SECOND}, {0xffffffff, 5 * SECOND, 15 * SECOND},
		{3600000, 1800 * SECOND, 5400 * SECOND}};
	struct rill_addr router = ip6(ROUTER), nobody = {.family = 0};
	const struct neighbor_advert advert = {
		.addr = router, .has_mac = true, .mac = mac_of(9), .solicited = true, .router = true};
	uint32_t index;

	begin();
	index = neighbor_get(net_neighbors(net), &router, &nobody, true, lnk.now, &lnk.outbox);
	for (size_t i = 0; i < RTE_DIM(rows); i++) {
		struct neighbor *neighbor = neighbor_at(net_neighbors(net), index);

		ra_begin(9000);
		ra.bytes[4] = (uint8_t)(i == 0 ? 77 : 0);
		put32(ra.bytes + 8, rows[i].said_ms);
		ra_arrives(ROUTER);
		neighbor_suspect(net_neighbors(net), index, lnk.now, &lnk.outbox);
		neighbor_advertised(net_neighbors(net), &advert, lnk.now, &lnk.outbox);
		assert_int_equal(neighbor->state, NEIGHBOR_REACHABLE);
		net_advance(rows[i].least - SECOND);
		assert_int_equal(neighbor->state, NEIGHBOR_REACHABLE);
		net_advance(rows[i].most - rows[i].least + 2 * SECOND);
		assert_int_equal(neighbor->state, NEIGHBOR_STALE);
	}
	link_flush();
	pkt_make(IPPROTO_ICMPV6, (uint8_t[8]){128}, 8);
	pkt_addrs("fe80::2", LINK_LOCAL);
	pkt_sum_icmp(L3);
	arrive();
	expect_icmp(129, 0);
	assert_int_equal(said.ip->hop_limits, 77);
	neighbor_release(net_neighbors(net), index);
	net_end();
}

/* The time between two solicitations: what would make a flood of them, or none, is not believed. */
static void
test_retry_times(void **state)
{
	static const uint32_t rows[][2] = {{0, 1000}, {1, 1000}, {99, 1000}, {60001, 1000}, {100, 100}, {200, 200}};

	for (size_t i = 0; i < RTE_DIM(rows); i++) {
		begin();
		ra_begin(1800);
		put32(ra.bytes + 12, rows[i][0]);
		ra_arrives(ROUTER);
		assert_int_equal(net->ip6.retry_us, rows[i][1] * 1000);
		net_end();
	}
}

/* Nobody can end an address's life in less than two hours [4862 5.5.3 (e)]. */
static void
test_two_hours(void **state)
{
	static const struct {
		uint32_t first_s, then_s;
		uint32_t lives_s;
	} rows[] = {
		{100000, 200000, 200000}, /* longer */
		{100000, 8000, 8000},     /* shorter, but more than two hours */
		{100000, 60, 7200},       /* less than that: two hours */
		{100000, 0, 7200},
		{3600, 60, 3600},         /* it had less: as it was */
		{3600, 0, 3600},
		{3600, 5000, 5000},
	};

	for (size_t i = 0; i < RTE_DIM(rows); i++) {
		begin();
		ra_begin(0);
		ra_prefix("2001:db8:5::/64", A, rows[i].first_s, rows[i].first_s);
		ra_arrives(ROUTER);
		ra_begin(0);
		ra_prefix("2001:db8:5::/64", A, rows[i].then_s, 0);
		ra_arrives(ROUTER);
		net_advance((rows[i].lives_s - 1) * SECOND);
		assert_true(is_ours(AUTO));
		net_advance(2 * SECOND);
		assert_false(is_ours(AUTO));
		net_end();
	}
}

/* What makes no address, and what is no network. */
static void
test_prefixes(void **state)
{
	static const struct {
		const char *prefix;
		uint8_t flags;
		uint32_t valid_s, preferred_s;
		bool address, connected;
	} rows[] = {
		{"2001:db8:5::/64", L | A, 100, 100, true, true},
		{"2001:db8:5::/64", A, 100, 100, true, false},
		{"2001:db8:5::/64", L, 100, 100, false, true},
		{"2001:db8:5::/64", 0, 100, 100, false, false},
		{"2001:db8:5::/64", A, 100, 101, false, false},
		{"2001:db8:5::/64", L | A, 0, 0, false, false},
		{"2001:db8:5::/64", L | A, 0xffffffff, 0xffffffff, true, true},
		{"2001:db8:5::/63", L | A, 100, 100, false, true},
		{"2001:db8:5::/80", A, 100, 100, false, false},
		{"fe80::/64", L | A, 100, 100, false, false},
		{"ff02::/64", L | A, 100, 100, false, false},
		{"::/64", L | A, 100, 100, false, false},
		{"::/0", L | A, 100, 100, false, false},
	};
	struct rill_prefix other = prefix6("2001:db8:9::1/64");

	for (size_t i = 0; i < RTE_DIM(rows); i++) {
		begin();
		assert_int_equal(net_addr_add(net, &other, lnk.now), 0);
		ra_begin(0);
		ra_prefix(rows[i].prefix, rows[i].flags, rows[i].valid_s, rows[i].preferred_s);
		ra_arrives(ROUTER);
		assert_int_equal(is_ours(AUTO), rows[i].address);
		assert_int_equal(route("2001:db8:5::7") == 0, rows[i].connected);
		assert_int_equal(route(FAR), -ENETUNREACH);
		assert_true(is_ours(LINK_LOCAL));
		net_end();
	}
}

/* A deprecated address is used for new connections only while there is no other [6724 5, rule 3]. */
static void
test_deprecated(void **state)
{
	struct rill_prefix other = prefix6("2001:db8:5:0:7::1/64");

	begin();
	ra_begin(1800);
	ra_prefix("2001:db8:5::/64", L | A, 7200, 0);
	ra_arrives(ROUTER);
	expect_route(FAR, ROUTER, AUTO);
	assert_int_equal(net_addr_add(net, &other, lnk.now), 0);
	expect_route(FAR, ROUTER, "2001:db8:5:0:7::1");
	ra_begin(1800);
	ra_prefix("2001:db8:5::/64", L | A, 7200, 7200); /* and preferred again */
	ra_arrives(ROUTER);
	expect_route("2001:db8:5::fe00:2", "2001:db8:5::fe00:2", AUTO);
	net_end();
}

/* A router that says that it is none any more, in an advertisement of its own or of neighbour
 * discovery: who used it hears of it, and finds the other [RFC4861-19]. */
static void
test_a_router_that_is_none_any_more(void **state)
{
	struct rill_addr nobody = {.family = 0};

	for (unsigned int how = 0; how < 3; how++) {
		uint32_t index, told = SLAB_NONE;
		enum neighbor_event event;

		begin();
		ra_begin(1800);
		ra_mac(9);
		ra_prefix("2001:db8:5::/64", L | A, 7200, 7200);
		ra_arrives(ROUTER);
		ra_begin(1800);
		ra_mac(8);
		ra_arrives("fe80::88");
		expect_route(FAR, ROUTER, AUTO);
		index = neighbor_get(net_neighbors(net), &via, &nobody, true, lnk.now, &lnk.outbox);
		if (how == 0) {
			ra_begin(0);
			ra_arrives(ROUTER);
		} else if (how == 1) {
			uint8_t na[24] = {NDP_ADVERT, [4] = 0x20}; /* not a router */

			memcpy(na + 8, ip6(ROUTER).u.ip6, 16);
			pkt_make(IPPROTO_ICMPV6, na, sizeof(na));
			pkt_ip()->hop_limits = 255;
			pkt_addrs(ROUTER, "ff02::1");
			pkt_sum_icmp(L3);
			arrive();
		} else { /* it answers no more */
			net_advance(SECOND);
			neighbor_suspect(net_neighbors(net), index, lnk.now, &lnk.outbox);
			net_advance(7 * SECOND);
			event = neighbors_next_event(net_neighbors(net), &told);
			assert_int_equal(event, NEIGHBOR_EVENT_FAILED);
			assert_true(net_neighbor_failed(net, told, lnk.now));
		}
		event = neighbors_next_event(net_neighbors(net), &told);
		assert_int_equal(event, NEIGHBOR_EVENT_ABANDONED);
		assert_int_equal(told, index);
		expect_route(FAR, "fe80::88", AUTO);
		assert_int_equal(neighbor_at(net_neighbors(net), index)->state, NEIGHBOR_ABANDONED);
		neighbor_release(net_neighbors(net), index);
		net_end();
	}
}

/* Whatever is advertised, there is a bound to it, and what came first stays. */
static void
test_bounds(void **state)
{
	char text[64];

	begin();
	ra_begin(1800);
	ra_mac(9);
	ra_prefix("2001:db8:5::/64", L | A, 7200, 7200);
	ra_arrives(ROUTER);
	for (unsigned int i = 0; i < 1000; i++) {
		ra_begin(1800);
		for (unsigned int j = 0; j < 20; j++) {
			snprintf(text, sizeof(text), "2001:%x:%x::/64", i + 1, j);
			ra_prefix(text, L | A, 7200, 7200);
		}
		snprintf(text, sizeof(text), "fe80::%x:1", i);
		ra_arrives(text);
	}
	assert_true(lnk.counters.ra_refused > 1000);
	assert_true(is_ours(AUTO) && is_ours("2001:1::ff:fe00:1"));
	assert_false(is_ours("2001:2::ff:fe00:1"));
	expect_route(FAR, ROUTER, AUTO);
	expect_route("2001:db8:5::7", "2001:db8:5::7", AUTO);
	net_advance(3 * HOUR); /* and all of it goes */
	assert_false(is_ours(AUTO));
	assert_int_equal(route(FAR), -ENETUNREACH);
	net_end();
}

/* An address that a router made us have is asked for as any other. */
static void
test_it_is_asked_for(void **state)
{
	begin_with(true, false);
	net_advance(3 * SECOND);
	link_flush();
	ra_begin(1800);
	ra_prefix("2001:db8:5::/64", L | A, 7200, 7200);
	ra_arrives(ROUTER);
	assert_false(is_ours(AUTO));
	net_advance(SECOND);
	expect_icmp(NDP_SOLICIT, 0);
	assert_memory_equal(said.icmp + 8, ip6(AUTO).u.ip6, 16);
	net_advance(SECOND + 8);
	assert_true(is_ours(AUTO));
	link_flush();
	net_end();
}

/* Redirects change nothing, whatever they say [RFC4861-4]. */
static void
test_redirects_are_ignored(void **state)
{
	uint8_t redirect[40] = {NDP_REDIRECT};

	begin();
	ra_begin(1800);
	ra_mac(9);
	ra_prefix("2001:db8:5::/64", L | A, 7200, 7200);
	ra_arrives(ROUTER);
	memcpy(redirect + 8, ip6("fe80::66").u.ip6, 16);
	memcpy(redirect + 24, ip6(FAR).u.ip6, 16);
	pkt_make(IPPROTO_ICMPV6, redirect, sizeof(redirect));
	pkt_ip()->hop_limits = 255;
	pkt_addrs(ROUTER, AUTO);
	pkt_sum_icmp(L3);
	link_flush();
	expect_drop(RILL_DROP_nd_ignored);
	expect_route(FAR, ROUTER, AUTO);
	net_end();
}

/* An address that its owner gave is not the router's to end, though it looks like one of his. */
static void
test_given_addresses_are_left_alone(void **state)
{
	struct rill_prefix given = prefix6(AUTO "/64");

	begin();
	assert_int_equal(net_addr_add(net, &given, lnk.now), 0);
	ra_begin(1800);
	ra_prefix("2001:db8:5::/64", L | A, 10, 0);
	ra_arrives(ROUTER);
	assert_int_equal(net6_find(&net->ip6, given.addr.u.ip6)->state, NET6_ADDR_PREFERRED);
	net_advance(3 * HOUR);
	assert_true(is_ours(AUTO));
	net_end();
}

/* Nor is the link-local network: it is always there [4862 5.5.3 (b)]. */
static void
test_link_local_prefixes_are_ignored(void **state)
{
	begin();
	ra_begin(1800);
	ra_prefix("fe80:0:0:1::/64", L | A, 7200, 3600);
	ra_arrives(ROUTER);
	assert_false(is_ours("fe80::1:0:ff:fe00:1"));
	assert_true(is_ours(LINK_LOCAL));
	net_end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_routers_are_asked_for),
		cmocka_unit_test(test_all_of_it),
		cmocka_unit_test(test_defects),
		cmocka_unit_test(test_switched_off),
		cmocka_unit_test(test_mtu),
		cmocka_unit_test(test_parameters),
		cmocka_unit_test(test_retry_times),
		cmocka_unit_test(test_two_hours),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_deprecated),
		cmocka_unit_test(test_a_router_that_is_none_any_more),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_it_is_asked_for),
		cmocka_unit_test(test_redirects_are_ignored),
		cmocka_unit_test(test_given_addresses_are_left_alone),
		cmocka_unit_test(test_link_local_prefixes_are_ignored),
	};

	return cmocka_run_group_tests(tests, packets_start, packets_end);
}
