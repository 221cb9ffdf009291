/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lanes that share a port hear what neighbour discovery tells one of them: who claims an address, what
 * a router says, where a neighbour is, that an address is ours. Two lanes without ports, of which each gets
 * some of the frames.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <rte_mbuf.h>

#include <rill/rill.h>

#include "checksum.h"
#include "lane.h"
#include "ip6.h"
#include "ndp.h"
#include "siblings.h"

#define LANES 2
#define OURS "2001:db8::1"
#define AUTO "2001:db8:5::ff:fe00:1"
#define FAR "2a00::1"

static struct rill_lane *lanes[LANES];
static struct steer steer;
static uint64_t now;

static struct rill_addr
ip6(const char *text)
{
	struct rill_addr addr;

	assert_int_equal(rill_addr_parse(text, &addr), 0);
	return addr;
}

static void
turn_all(uint64_t us)
{
	struct rte_mbuf *out[64];

	now += us;
	for (unsigned int i = 0; i < LANES; i++) {
		unsigned int n;

		rill_lane_turn(lanes[i], now, NULL, 0);
		while ((n = rill_lane_take(lanes[i], out, 64)) > 0)
			rte_pktmbuf_free_bulk(out, n);
	}
}

static void
begin_silent(bool silent)
{
	static const uint8_t secret[RILL_SECRET_LEN] = {1, 2, 3};
	struct rill_prefix ours;
	struct rill_lane_config config;

	now = 5000000;
	rill_lane_config_default(&config);
	config.ethernet = true;
	memcpy(config.mac, (uint8_t[]){2, 0, 0, 0, 0, 1}, 6);
	assert_int_equal(rill_prefix_parse("192.0.2.1/24", &config.addrs[0]), 0);
	config.addrs_count = 1;
	config.limits.max_conns = 64;
	config.limits.buffers = 512;
	config.secret = secret;
	config.ip6_autoconf = true;
	assert_int_equal(rill_prefix_parse(OURS "/64", &ours), 0);
	steer_init(&steer, secret, LANES);
	for (unsigned int i = 0; i < LANES; i++)
		if (rill_lane_create(&config, &lanes[i]) != 0)
			fail_msg("%s", rill_error());
	lanes[1]->netif.silent = silent;
	assert_int_equal(siblings_join(lanes, LANES, &steer), 0);
	for (unsigned int i = 0; i < LANES; i++) {
		rill_lane_turn(lanes[i], now, NULL, 0);
		assert_int_equal(rill_lane_addr_add(lanes[i], &ours), 0);
	}
	turn_all(0);
}

static void
begin(void)
{
	begin_silent(false);
}

static void
end(void)
{
	for (unsigned int i = 0; i < LANES; i++)
		rill_lane_destroy(lanes[i]);
}

/* A message of neighbour discovery, to all nodes, for one of the lanes. */
static void
say(unsigned int to, const char *src, const uint8_t *message, uint16_t len)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(lanes[to]->setup.buf_pool);
	struct rte_ether_hdr ether = {.dst_addr = ip6_group_mac(ip6_all_nodes),
		.src_addr = {{2, 0, 0, 0, 0, 2}},
		.ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6)};
	struct rte_ipv6_hdr ip = {.vtc_flow = rte_cpu_to_be_32(6u << 28),
		.payload_len = rte_cpu_to_be_16(len),
		.proto = IPPROTO_ICMPV6,
		.hop_limits = 255};
	const uint32_t at = sizeof(ether) + sizeof(ip);
	uint16_t sum;
	char *bytes;

	assert_non_null(mbuf);
	memcpy(ip.src_addr, ip6(src).u.ip6, 16);
	memcpy(ip.dst_addr, ip6_all_nodes, 16);
	bytes = rte_pktmbuf_append(mbuf, (uint16_t)(at + len));
	memcpy(bytes, &ether, sizeof(ether));
	memcpy(bytes + sizeof(ether), &ip, sizeof(ip));
	memcpy(bytes + at, message, len);
	sum = (uint16_t)~checksum_icmp6(mbuf, at, len, ip.src_addr);
	memcpy(bytes + at + 2, &sum, 2);
	rill_lane_turn(lanes[to], now, &mbuf, 1);
	turn_all(0);
}

static bool
is_ours(unsigned int lane, const char *text)
{
	struct rill_addr addr = ip6(text);

	return net_addr_is_ours(lanes[lane]->net, &addr);
}

static void
test_a_duplicate(void **state)
{
	for (unsigned int told = 0; told < LANES; told++) {
		uint8_t advert[24] = {NDP_ADVERT, [4] = 0x20};

		begin();
		memcpy(advert + 8, ip6(OURS).u.ip6, 16);
		say(told, "2001:db8::2", advert, sizeof(advert));
		turn_all(1000000);
		turn_all(1000000);
		turn_all(1000000);
		assert_true(is_ours(0, "fe80::ff:fe00:1") && is_ours(1, "fe80::ff:fe00:1"));
		assert_true(!is_ours(0, OURS) && !is_ours(1, OURS));
		assert_int_equal(lanes[0]->counters.nd_duplicates, 1);
		assert_int_equal(lanes[1]->counters.nd_duplicates, 1);
		end();
	}
}

/* One lane asks for an address: those that wait with it use it as soon as it does, not later. */
static void
test_all_settle_at_once(void **state)
{
	static const char *const addrs[] = {OURS, "fe80::ff:fe00:1"};

	begin_silent(true);
	for (unsigned int i = 0; i < 2; i++) {
		unsigned int waited = 0;

		for (; !is_ours(0, addrs[i]) && waited < 2000; waited += 10) {
			assert_false(is_ours(1, addrs[i]));
			turn_all(10000);
		}
		assert_in_range(waited, 1000, 1990);
		assert_true(is_ours(0, addrs[i]) && is_ours(1, addrs[i]));
		end();
		begin_silent(true);
	}
	end();
}

/* What a lane's SYN says that it takes, if all goes well; the frames before it are passed over. */
static unsigned int
mss_offered(unsigned int lane)
{
	static const struct rill_handler handler = {.on_open = NULL};
	struct rill_endpoint remote = {.addr = ip6(FAR), .port = 80};
	struct rte_mbuf *out[64];
	struct rill_conn *conn;
	unsigned int mss = 0, n;

	assert_int_equal(rill_connect(lanes[lane], NULL, &remote, NULL, &handler, NULL, &conn), 0);
	rill_lane_turn(lanes[lane], now, NULL, 0);
	while ((n = rill_lane_take(lanes[lane], out, 64)) > 0) {
		for (unsigned int i = 0; i < n; i++) {
			const uint8_t *bytes = rte_pktmbuf_mtod(out[i], const uint8_t *);

			if (bytes[20] == IPPROTO_TCP) /* the option comes first */
				mss = (unsigned int)bytes[76] << 8 | bytes[77];
		}
		rte_pktmbuf_free_bulk(out, n);
	}
	return mss;
}

/* A router, its network, and the MTU of the link, which connections keep to [MUST-16, MUST-67]. */
static void
test_a_router_and_a_neighbour(void **state)
{
	static const uint8_t router[64] = {NDP_ROUTER_ADVERT, [6] = 7, [16] = 1, 1, 2, 0, 0, 0, 0, 9,
		[24] = 3, 4, 64, 0xc0, 0, 1, 0, 0, 0, 1, 0, 0, [40] = 0x20, 1, 0xd, 0xb8, 0, 5,
		[56] = 5, 1, 0, 0, 0, 0, 0x05, 0x78};
	struct rill_addr far = ip6(FAR), via, source;
	char text[RILL_ADDR_STRLEN];

	for (unsigned int told = 0; told < LANES; told++) {
		begin();
		say(told, "fe80::99", router, sizeof(router));
		for (unsigned int i = 0; i < 4; i++)
			turn_all(1000000);
		for (unsigned int i = 0; i < LANES; i++) {
			assert_true(is_ours(i, AUTO) && is_ours(i, OURS));
			assert_int_equal(net_route(lanes[i]->net, &far, &via, &source), 0);
			assert_string_equal(rill_addr_format(&via, text), "fe80::99");
			assert_int_equal(
				neighbors_state(net_neighbors(lanes[i]->net), &via), NEIGHBOR_STALE);
			assert_int_equal(mss_offered(i), 1400 - 40 - 20);
		}
		end();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_duplicate),
		cmocka_unit_test(test_all_settle_at_once),
		cmocka_unit_test(test_a_router_and_a_neighbour),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
