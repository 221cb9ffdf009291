/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A configuration is taken or refused as a whole; each refusal is a sentence that names the option, its
 * value and what would be right. So are the limits' defaults and the check of DPDK's release.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <rte_version.h>
#include <stdio.h>
#include <string.h>

#include "abi.h"
#include "config.h"

/* The sentence has all of these words (NULL ends them). */
static void
expect_sentence(const char *const words[])
{
	for (; *words != NULL; words++) {
		if (strstr(rill_error(), *words) == NULL)
			fail_msg("\"%s\" is not in: %s", *words, rill_error());
	}
}

static struct rill_prefix
prefix(const char *text)
{
	struct rill_prefix out;

	assert_int_equal(rill_prefix_parse(text, &out), 0);
	return out;
}

static struct rill_addr
addr(const char *text)
{
	struct rill_addr out;

	assert_int_equal(rill_addr_parse(text, &out), 0);
	return out;
}

static void
good_stack(struct rill_config *config)
{
	rill_config_default(config);
	config->ports_count = 2;
	config->ports[0].name = "net_tap0";
	config->ports[0].addrs[0] = prefix("192.0.2.1/24");
	config->ports[0].addrs[1] = prefix("198.51.100.1/31");
	config->ports[0].addrs_count = 2;
	config->ports[0].gateway = addr("192.0.2.254");
	config->ports[1].name = "net_tap1,iface=rill1";
	config->ports[1].addrs[0] = prefix("203.0.113.7/32");
	config->ports[1].addrs_count = 1;
}

/* The second address becomes this one. */
static struct rill_prefix *
ip6(struct rill_config *config, const char *text)
{
	config->ports[0].addrs[1] = prefix(text);
	return &config->ports[0].addrs[1];
}

static struct rill_route *
route(struct rill_config *config, const char *dst, const char *gateway)
{
	struct rill_route *route = &config->ports[0].routes[config->ports[0].routes_count++];

	route->dst = prefix(dst);
	route->gateway = addr(gateway);
	return route;
}

static void
nine_ranges(struct rill_config *config)
{
	for (uint8_t i = 0; i < 9; i++) {
		config->ports[0].addrs[i] = prefix("10.0.0.1/24");
		config->ports[0].addrs[i].addr.u.ip4[2] = i;
		config->ports[0].addrs[i].more = 99;
	}
	config->ports[0].addrs_count = 9;
}

#define STACK_ROWS(X)                                                                              \
	X(ports_none, c->ports_count = 0, -EINVAL, "ports_count", "0", "1 .. 16")                  \
	X(ports_many, c->ports_count = 17, -EINVAL, "ports_count", "17", "1 .. 16")                \
	X(name_null, c->ports[1].name = NULL, -EINVAL, "ports[1].name", "missing", "net_tap0")     \
	X(name_empty, c->ports[0].name = "", -EINVAL, "ports[0].name", "missing", "net_tap0")      \
	X(name_twice, c->ports[1].name = "net_tap0,iface=x", -EINVAL, "ports[1].name",             \
		"net_tap0,iface=x", "once")                                                        \
	X(mtu_small, c->ports[1].mtu = 67, -EINVAL, "ports[1].mtu", "67", "68 .. 65000")           \
	X(vlan, c->ports[1].vlan = 4095, -EINVAL, "ports[1].vlan", "4095", "1 .. 4094")            \
	X(vlan_priority, (c->ports[0].vlan = 1, c->ports[0].vlan_priority = 8), -EINVAL,           \
		"ports[0].vlan_priority", "8", "0 .. 7")                                           \
	X(vlan_none, c->ports[0].vlan_priority = 1, -EINVAL, "ports[0].vlan_priority", "1", "vlan") \
	X(tso, c->ports[1].tso = RILL_TSO_COUNT, -EINVAL, "ports[1].tso", "2", "RILL_TSO_OFF")      \
	X(mtu_large, c->ports[1].mtu = 65001, -EINVAL, "ports[1].mtu", "65001", "68 .. 65000")     \
	X(addrs_many, c->ports[0].addrs_count = 257, -EINVAL, "ports[0].addrs_count", "257", "256") \
	X(addr_none, c->ports[0].addrs[1].addr.family = 0, -EINVAL, "ports[0].addrs", "0", "AF_INET6") \
	X(addr6_len_0, c->ports[0].addrs[1] = prefix("2001:db8::1/0"), -EINVAL, "ports[0].addrs",  \
		"2001:db8::1/0", "1 to 128")                                                       \
	X(addr6_len_129, ip6(c, "2001:db8::1/64")->len = 129, -EINVAL, "ports[0].addrs",           \
		"2001:db8::1/129", "1 to 128")                                                     \
	X(addr6_multicast, ip6(c, "ff02::1/64"), -EINVAL, "ports[0].addrs", "ff02::1/64", "unicast") \
	X(addr6_loopback, ip6(c, "::1/64"), -EINVAL, "ports[0].addrs", "::1/64", "unicast")        \
	X(addr6_any, ip6(c, "::/64"), -EINVAL, "ports[0].addrs", "::/64", "unicast")               \
	X(addr6_mapped, ip6(c, "::ffff:192.0.2.7/96"), -EINVAL, "ports[0].addrs", "::ffff:192.0.2.7/96", \
		"unicast")                                                                         \
	X(addr6_twice, c->ports[0].addrs[0] = *ip6(c, "2001:db8::1/64"), -EINVAL, "ports[0].addrs", \
		"2001:db8::1", "twice")                                                            \
	X(mtu6, (ip6(c, "2001:db8::1/64"), c->ports[0].mtu = 1279), -EINVAL, "ports[0].mtu", "1279", \
		"1280 or more")                                                                    \
	X(addr_len_0, c->ports[0].addrs[0].len = 0, -EINVAL, "ports[0].addrs", "192.0.2.1/0", "1 to 32") \
	X(addr_len_33, c->ports[0].addrs[0].len = 33, -EINVAL, "ports[0].addrs", "192.0.2.1/33", "1 to 32") \
	X(addr_network, c->ports[0].addrs[0] = prefix("192.0.2.0/24"), -EINVAL, "ports[0].addrs",  \
		"192.0.2.0/24", "unicast")                                                         \
	X(addr_broadcast, c->ports[0].addrs[0] = prefix("192.0.2.255/24"), -EINVAL,                \
		"ports[0].addrs", "192.0.2.255/24", "unicast")                                     \
	X(addr_multicast, c->ports[0].addrs[0] = prefix("224.0.0.5/24"), -EINVAL, "ports[0].addrs", \
		"224.0.0.5/24", "unicast")                                                         \
	X(addr_loopback, c->ports[0].addrs[0] = prefix("127.0.0.1/8"), -EINVAL, "ports[0].addrs",  \
		"127.0.0.1/8", "unicast")                                                          \
	X(addr_zero, c->ports[0].addrs[0] = prefix("0.1.2.3/8"), -EINVAL, "ports[0].addrs",        \
		"0.1.2.3/8", "unicast")                                                            \
	X(addr_twice, c->ports[0].addrs[1] = prefix("192.0.2.1/32"), -EINVAL, "ports[0].addrs",    \
		"192.0.2.1", "twice")                                                              \
	X(range_overlaps, (c->ports[0].addrs[0].more = 9, c->ports[0].addrs[1] = prefix("192.0.2.10/24")), \
		-EINVAL, "ports[0].addrs", "192.0.2.10", "twice")                                  \
	X(range_long, c->ports[0].addrs[0].more = 254, -EINVAL, "ports[0].addrs",                  \
		"192.0.2.1/24 and 254 more", "192.0.2.255")                                        \
	X(range_longer, c->ports[0].addrs[0].more = 300, -EINVAL, "ports[0].addrs", "192.0.3.45",  \
		"shorter")                                                                         \
	X(range_endless, c->ports[0].addrs[0].more = UINT32_MAX, -EINVAL, "ports[0].addrs",        \
		"192.0.2.1/24", "shorter")                                                         \
	X(range6, ip6(c, "2001:db8::1/64")->more = 1, -EINVAL, "ports[0].addrs", "2001:db8::1",    \
		"of IPv4")                                                                         \
	X(ranges_many, nine_ranges(c), -EINVAL, "ports[0].addrs", "9 ranges", "at most 8")         \
	X(range_gateway, (c->ports[0].addrs[0].more = 9, c->ports[0].gateway = addr("192.0.2.5")), \
		-EINVAL, "ports[0].gateway", "192.0.2.5", "router")                                \
	X(route_dst, route(c, "1.0.0.0/8", "192.0.2.9")->dst.len = 33, -EINVAL,                    \
		"ports[0].routes[0].dst", "1.0.0.0/33", "198.51.100.0/24")                         \
	X(route_gateway, route(c, "1.0.0.0/8", "192.0.3.9"), -EINVAL, "ports[0].routes[0].gateway", \
		"192.0.3.9", "within")                                                             \
	X(route_family, route(c, "1.0.0.0/8", "fe80::1"), -EINVAL, "ports[0].routes[0].gateway",   \
		"fe80::1", "IPv4")                                                                 \
	X(route_missing, route(c, "1.0.0.0/8", "192.0.2.9")->gateway.family = 0, -EINVAL,          \
		"ports[0].routes[0].gateway", "missing", "router")                                 \
	X(route_metric, (route(c, "1.0.0.0/8", "192.0.2.9"), route(c, "1.2.0.0/8", "192.0.2.8")),  \
		-EINVAL, "ports[0].routes[1].metric", "0", "its own")                              \
	X(routes_many, c->ports[0].routes_count = 33, -EINVAL, "ports[0].routes_count", "33",      \
		"at most 32")                                                                      \
	X(gateway_far, c->ports[0].gateway = addr("192.0.3.1"), -EINVAL, "ports[0].gateway",       \
		"192.0.3.1", "within")                                                             \
	X(gateway_own, c->ports[0].gateway = addr("198.51.100.1"), -EINVAL, "ports[0].gateway",    \
		"198.51.100.1", "router")                                                          \
	X(gateway_ip6, c->ports[0].gateway = addr("fe80::1"), -EINVAL, "ports[0].gateway", "fe80::1", "IPv4") \
	X(gateway6_ip4, c->ports[0].gateway6 = addr("192.0.2.254"), -EINVAL, "ports[0].gateway6",  \
		"192.0.2.254", "IPv6")                                                             \
	X(gateway6_alone, c->ports[0].gateway6 = addr("fe80::1"), -EINVAL, "ports[0].gateway6",    \
		"fe80::1", "no network")                                                           \
	X(gateway6_far, (ip6(c, "2001:db8::1/64"), c->ports[0].gateway6 = addr("2001:db9::1")), -EINVAL, \
		"ports[0].gateway6", "2001:db9::1", "within")                                      \
	X(gateway6_own, (ip6(c, "2001:db8::1/64"), c->ports[0].gateway6 = addr("2001:db8::1")), -EINVAL, \
		"ports[0].gateway6", "2001:db8::1", "router")                                      \
	X(lanes_odd, c->lanes = 3, -EINVAL, "3 lanes", "2 ports", "such as 4")                     \
	X(lanes_few, c->lanes = 1, -EINVAL, "1 lanes", "2 ports", "such as 2")                     \
	X(lanes_many, c->lanes = 34, -EINVAL, "lanes: 34", "at most 16", "a stack 64")              \
	X(conns, c->limits.max_conns = 1u << 30, -EINVAL, "limits.max_conns", "1073741824", "1 .. 1073741823") \
	X(timewait, c->limits.timewait_max = 1u << 30, -EINVAL, "limits.timewait_max", "1073741824", "1 ..") \
	X(syn, c->limits.syn_max = 1u << 30, -EINVAL, "limits.syn_max", "1073741824", "1 ..")      \
	X(sidecars, c->limits.sidecars = 1u << 30, -EINVAL, "limits.sidecars", "1073741824", "1 ..") \
	X(records_many, c->limits.records = 1u << 30, -EINVAL, "limits.records", "1073741824", "16 ..") \
	X(records_few, c->limits.records = 15, -EINVAL, "limits.records", "15", "16 ..")           \
	X(buffers, c->limits.buffers = 511, -EINVAL, "limits.buffers", "511", "512 ..")            \
	X(msl, c->limits.msl_ms = 3600001, -EINVAL, "limits.msl_ms", "3600001", "1 .. 3600000")    \
	X(option, c->options.retries = 2, -EINVAL, "retries", "2", "from 3 to 255")                     \
	X(sleep, c->idle_sleep_us = 1000001, -EINVAL, "idle_sleep_us", "1000001", "0 .. 1000000")  \
	X(eal, c->eal_args_count = 2, -EINVAL, "eal_args", "2", "set the count to 0")

#define X(name, change, ...)                                                                       \
	static void stack_##name(struct rill_config *c)                                            \
	{                                                                                          \
		change;                                                                            \
	}
STACK_ROWS(X)
#undef X

static const struct {
	const char *name;
	void (*change)(struct rill_config *);
	int err;
	const char *words[4];
} stack_rows[] = {
#define X(name, change, err, ...) {#name, stack_##name, err, {__VA_ARGS__, NULL}},
	STACK_ROWS(X)
#undef X
};

static void
test_each_wrong_value_of_a_stack_is_refused_by_name(void **state)
{
	for (size_t i = 0; i < sizeof(stack_rows) / sizeof(stack_rows[0]); i++) {
		struct rill_config config;

		good_stack(&config);
		assert_int_equal(config_check(&config), 0);
		stack_rows[i].change(&config);
		if (config_check(&config) != stack_rows[i].err)
			fail_msg("%s: not refused", stack_rows[i].name);
		expect_sentence(stack_rows[i].words);
	}
}

static void
good_lane(struct rill_lane_config *config)
{
	rill_lane_config_default(config);
	config->addrs[0] = prefix("192.0.2.1/24");
	config->addrs_count = 1;
}

static void
test_both_families_side_by_side(void **state)
{
	struct rill_config config;

	good_stack(&config);
	ip6(&config, "2001:db8::1/64");
	config.ports[0].mtu = 1280;
	assert_int_equal(config_check(&config), 0);
	config.ports[0].gateway6 = addr("2001:db8::ffff");
	assert_int_equal(config_check(&config), 0);
	config.ports[0].gateway6 = addr("fe80::1");
	assert_int_equal(config_check(&config), 0);
	ip6(&config, "fe80::2/64");
	assert_int_equal(config_check(&config), 0);
}

static struct rill_options bad_options;

#define LANE_ROWS(X)                                                                               \
	X(mac, c->mac[0] = 1, -EINVAL, "mac", "01:00:00:00:00:00", "unicast")                      \
	X(mtu, c->mtu = 20, -EINVAL, "mtu", "20", "68 .. 65000")                                   \
	X(addrs, c->addrs_count = 300, -EINVAL, "addrs_count", "300", "256")                       \
	X(gateway, c->gateway = addr("10.0.0.1"), -EINVAL, "gateway", "10.0.0.1", "addrs")         \
	X(limits, c->limits.buffers = 1, -EINVAL, "limits.buffers", "1", "512 ..")                 \
	X(options, c->options = &bad_options, -EINVAL, "ttl", "256", "from 1 to 255")                   \
	X(name_long, c->name = "sixteen-letters.", -EINVAL, "name", "sixteen-letters.", "1 to 15") \
	X(name_empty, c->name = "", -EINVAL, "name", "0 characters", "1 to 15")                    \
	X(node_low, c->numa_node = -2, -EINVAL, "numa_node", "-2", "-1 for any")                   \
	X(node_high, c->numa_node = 100000, -EINVAL, "numa_node", "100000", "-1 for any")

#define X(name, change, ...)                                                                       \
	static void lane_##name(struct rill_lane_config *c)                                        \
	{                                                                                          \
		change;                                                                            \
	}
LANE_ROWS(X)
#undef X

static const struct {
	const char *name;
	void (*change)(struct rill_lane_config *);
	int err;
	const char *words[4];
} lane_rows[] = {
#define X(name, change, err, ...) {#name, lane_##name, err, {__VA_ARGS__, NULL}},
	LANE_ROWS(X)
#undef X
};

static void
test_each_wrong_value_of_a_lane_is_refused_by_name(void **state)
{
	rill_options_default(&bad_options);
	bad_options.ttl = 256;
	for (size_t i = 0; i < sizeof(lane_rows) / sizeof(lane_rows[0]); i++) {
		struct rill_lane_config config;

		good_lane(&config);
		assert_int_equal(config_check_lane(&config), 0);
		lane_rows[i].change(&config);
		if (config_check_lane(&config) != lane_rows[i].err)
			fail_msg("%s: not refused", lane_rows[i].name);
		expect_sentence(lane_rows[i].words);
	}
}

static void
test_limits_left_0_take_defaults_that_follow_max_conns(void **state)
{
	struct rill_limits limits = {.max_conns = 0};

	config_fill_limits(&limits);
	assert_int_equal(limits.max_conns, 16384);
	assert_int_equal(limits.timewait_max, 16384);
	assert_int_equal(limits.syn_max, 4096);
	assert_int_equal(limits.sidecars, 16384 / 8 + 64);
	assert_int_equal(limits.records, 4 * 16384 + 4096);
	assert_int_equal(limits.buffers, 16384);
	assert_int_equal(limits.msl_ms, 30000);
	limits = (struct rill_limits){.max_conns = 100, .msl_ms = 1000};
	config_fill_limits(&limits);
	assert_int_equal(limits.timewait_max, 100);
	assert_int_equal(limits.msl_ms, 1000);
	limits = (struct rill_limits){.max_conns = CONFIG_INDEX_MOST};
	config_fill_limits(&limits);
	assert_int_equal(limits.records, CONFIG_INDEX_MOST); /* not 4 times as many, modulo 2^32 */
}

static void
test_the_limits_of_a_default_follow_a_changed_max_conns(void **state)
{
	struct rill_config config;

	rill_config_default(&config);
	config.limits.max_conns = 50000;
	config_fill_limits(&config.limits);
	assert_int_equal(config.limits.records, 4 * 50000 + 4096);
}

static void
test_another_release_of_dpdk_is_refused(void **state)
{
	static const char *const words[] = {"DPDK 24.11.0", "22.11", "build Rill anew", NULL};

	assert_int_equal(abi_check(rte_version()), 0);
	assert_int_equal(abi_check("DPDK 24.11.0"), -EPROTO);
	expect_sentence(words);
	assert_int_equal(abi_check("DPDK 22.07.3"), -EPROTO);
	assert_int_equal(abi_check("22.11.11"), -EPROTO);
	assert_int_equal(abi_check(""), -EPROTO);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_wrong_value_of_a_stack_is_refused_by_name),
		cmocka_unit_test(test_both_families_side_by_side),
		cmocka_unit_test(test_each_wrong_value_of_a_lane_is_refused_by_name),
		cmocka_unit_test(test_limits_left_0_take_defaults_that_follow_max_conns),
		cmocka_unit_test(test_the_limits_of_a_default_follow_a_changed_max_conns),
		cmocka_unit_test(test_another_release_of_dpdk_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
