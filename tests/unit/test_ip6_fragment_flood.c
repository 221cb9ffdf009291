/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Floods of IPv6 fragments [RFC8900-3]: from everywhere, from each address of one network, from one
 * host, overlapping, and behind other headers. They hold what the bounds allow and no more, others'
 * packets are put together and pings are answered meanwhile, and a minute later nothing is left.
 */
#include "icmp6.h"

#include "parts6.h"

#define FLOOD 200000
#define NETWORK_LEN 8

static uint32_t
draw(void)
{
	static uint32_t x = 1;

	x = x * 1664525 + 1013904223;
	return x >> 8;
}

enum strangers { EVERYWHERE, ONE_NETWORK, ONE_HOST };

/* A fragment of a stranger's, who has not sent under this ID before. */
static void
stranger_comes(enum strangers who, uint32_t from, uint32_t len)
{
	static uint8_t addr[IP6_ADDR_LEN];
	uint32_t id = is.id, n[4] = {draw(), draw(), draw(), draw()};

	memcpy(addr, n, sizeof(addr));
	if (who != EVERYWHERE)
		memcpy(addr, ip6("2001:db8:5::").u.ip6, NETWORK_LEN);
	if (who == ONE_HOST)
		memset(addr + NETWORK_LEN, 1, IP6_ADDR_LEN - NETWORK_LEN);
	addr[0] = 0x20;
	is.stranger = addr;
	is.id = draw();
	comes(from, len, true);
	is.stranger = NULL;
	is.id = id;
}

/* What is held, of all there is to hold. */
static void
expect_bounds(void)
{
	assert_true(fragments_buffers(net->fragments) <= PACKETS_POOL / FRAGMENTS_POOL_SHARE);
	assert_true(fragments_datagrams(net->fragments) <= FRAGMENTS_DATAGRAMS);
	assert_int_equal(rte_mempool_in_use_count(control_pool), fragments_buffers(net->fragments));
	assert_int_equal(rte_mempool_in_use_count(packets_pool), 0);
}

static void
expect_ping_answered(void)
{
	const uint8_t echo[16] = {ICMP6_ECHO, 0, 0, 0, 0, 7};

	pkt_make(IPPROTO_ICMPV6, echo, sizeof(echo));
	pkt_sum_icmp(L3);
	assert_int_equal(arrive(), IP_CONSUMED);
	expect_icmp(ICMP6_ECHO_REPLY, 0);
	expect_silence();
}

/* A packet whose fragments come within forty of the flood becomes whole. */
static void
expect_service(uint32_t i)
{
	if (i % 1000 == 500)
		assert_int_equal(comes(0, 24, true), IP_CONSUMED);
	if (i % 1000 != 500 + 40)
		return;
	assert_int_equal(comes(24, 8, false), IP_TCP_JOINED);
	expect_whole(32);
	expect_ping_answered();
}

/* A minute later nothing is held any more, and no sender hears of it but within the limit. */
static void
expect_all_forgotten(void)
{
	lnk.now += FRAGMENTS_TIMEOUT_US;
	net_fragments_timer(net, lnk.now, &lnk.outbox);
	assert_int_equal(fragments_datagrams(net->fragments), 0);
	assert_int_equal(fragments_buffers(net->fragments), 0);
	assert_true(link_flush() <= ICMP_ERROR_BURST);
	packets_expect_none_in_use();
}

static void
flood(enum strangers who)
{
	begin();
	for (uint32_t i = 0; i < FLOOD; i++) {
		stranger_comes(who, 0, 24 + 8 * draw() % 64);
		expect_bounds();
		expect_service(i);
		lnk.now += 10; /* 100 thousand in a second */
	}
	assert_int_equal(lnk.counters.fragments_joined, FLOOD / 1000);
	expect_silence();
	expect_all_forgotten();
	net_end();
}

static void
test_from_everywhere(void **state)
{
	flood(EVERYWHERE);
}

/* Whoever has a /64 has more addresses than there are places: the bounds of all hold. */
static void
test_from_one_network(void **state)
{
	flood(ONE_NETWORK);
}

/* It takes its own share only: whoever came before it waits for the rest as if it were not there. */
static void
test_from_one_host(void **state)
{
	begin();
	assert_int_equal(comes(0, 24, true), IP_CONSUMED);
	for (uint32_t i = 0; i < FLOOD; i++) {
		stranger_comes(ONE_HOST, 8 * (draw() % 1000), 24);
		assert_true(fragments_datagrams(net->fragments) <= FRAGMENTS_OF_SOURCE + 1);
		expect_bounds();
	}
	assert_int_equal(comes(24, 8, false), IP_TCP_JOINED);
	expect_whole(32);
	expect_ping_answered();
	expect_silence();
	expect_all_forgotten();
	net_end();
}

/* Packets whose fragments overlap hold no buffer, and no more places than others. */
static void
test_of_overlaps(void **state)
{
	static const uint8_t network[IP6_ADDR_LEN] = {0x20, 1, 0x0d, 0xb8, 0, 6};
	uint8_t addr[IP6_ADDR_LEN];

	begin();
	memcpy(addr, network, sizeof(addr));
	for (uint32_t i = 0; i < FLOOD; i++) {
		memcpy(addr + NETWORK_LEN, &i, sizeof(i));
		is.stranger = addr;
		comes(0, 32, true);
		comes(24, 32, true);
		is.stranger = NULL;
		assert_true(fragments_buffers(net->fragments) <= 1); /* that of another */
		expect_bounds();
		expect_service(i);
	}
	assert_int_equal(lnk.counters.drops[RILL_DROP_ip_fragment_overlap], 2 * FLOOD);
	expect_all_forgotten();
	net_end();
}

/* Their copies, made without those headers, are given back too, as is what was refused. */
static void
test_behind_other_headers(void **state)
{
	begin();
	memcpy(is.headers, (uint8_t[]){IPPROTO_FRAGMENT, 1, 1, 12}, 4);
	for (uint32_t i = 0; i < FLOOD; i++) {
		is.headers_len = i % 2 ? 16 : 0;
		is.first_header = i % 2 ? IPPROTO_DSTOPTS : IPPROTO_FRAGMENT;
		stranger_comes(EVERYWHERE, 0, 24);
		stranger_comes(EVERYWHERE, 8 * (draw() % 8), 8 + draw() % 3);
		link_flush(); /* what is wrong with some is told, within the limit */
		expect_bounds();
	}
	expect_all_forgotten();
	net_end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_from_everywhere),
		cmocka_unit_test(test_from_one_network),
		cmocka_unit_test(test_from_one_host),
		cmocka_unit_test(test_of_overlaps),
		cmocka_unit_test(test_behind_other_headers),
	};

	return cmocka_run_group_tests(tests, packets_start, packets_end);
}
