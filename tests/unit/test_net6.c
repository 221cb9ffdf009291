/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IPv6 addresses, routes, and where packets are sent from: the link-local address that comes with the
 * first one; networks that are connected; the narrowest route; the source of the same scope, of the
 * same kind, and with the longest common prefix [6724 5].
 */
#include "nets6.h"

#include <errno.h>

static int
add(const char *text)
{
	struct rill_prefix prefix = prefix6(text);

	return net_addr_add(net, &prefix, lnk.now);
}

static int
del(const char *text)
{
	struct rill_addr addr = ip6(text);

	return net_addr_del(net, &addr);
}

static int
route_add(const char *dst, const char *via)
{
	struct rill_prefix prefix = prefix6(dst);
	struct rill_addr gateway = ip6(via);

	return net_route_add(net, &prefix, &gateway, 0);
}

static int
route_del(const char *dst)
{
	struct rill_prefix prefix = prefix6(dst);

	return net_route_del(net, &prefix, NULL);
}

static int
route(const char *dst)
{
	struct rill_addr addr = ip6(dst), via, source;

	return net_route(net, &addr, &via, &source);
}

static void
expect_route(const char *dst, const char *want_via, const char *want_source)
{
	struct rill_addr addr = ip6(dst), via, source;

	assert_int_equal(net_route(net, &addr, &via, &source), 0);
	expect_addr(&via, want_via);
	expect_addr(&source, want_source);
}

static bool
is_ours(const char *text)
{
	struct rill_addr addr = ip6(text);

	return net_addr_is_ours(net, &addr);
}

static void
test_addresses(void **state)
{
	static const char *const bad[] = {"::", "::1", "ff02::1", "::ffff:1.2.3.4/96", "::1.2.3.4"};
	static const char *const hosts[] = {"fe80::1", "2001:db8::", "fd00::1", "64:ff9b::1.2.3.4"};

	net_begin(0);
	assert_true(is_ours(OURS) && is_ours(LINK_LOCAL) && !is_ours(PEER));
	assert_int_equal(add(OURS "/64"), -EEXIST);
	assert_int_equal(add(LINK_LOCAL "/64"), -EEXIST);
	for (size_t i = 0; i < RTE_DIM(bad); i++) {
		struct rill_prefix prefix = prefix6(bad[i]);

		assert_int_equal(add(bad[i]), -EINVAL);
		assert_false(net_addr_is_unicast(net, &prefix.addr));
	}
	for (size_t i = 0; i < RTE_DIM(hosts); i++) {
		struct rill_addr addr = ip6(hosts[i]);

		assert_true(net_addr_is_unicast(net, &addr));
	}
	assert_int_equal(add("2001:db8::7/0"), -EINVAL);
	assert_int_equal(del("2001:db8::7"), -ENOENT);
	assert_int_equal(add("2001:db8::7/64"), 0);
	assert_int_equal(del(OURS), 0);
	assert_true(is_ours("2001:db8::7") && !is_ours(OURS));
	expect_route(PEER, PEER, "2001:db8::7");
	assert_int_equal(del("2001:db8::7"), 0);
	assert_int_equal(route(PEER), -ENETUNREACH);
	net_end();
}

/* Among all that there is room for, and in an order that moves holes about. */
static void
test_as_many_as_there_is_room_for(void **state)
{
	char text[64];

	net_begin(0);
	for (unsigned int round = 0; round < 3; round++) {
		for (unsigned int i = 0; i < RILL_ADDRS_MAX - 1; i++) {
			snprintf(text, sizeof(text), "2001:db8:%x:%x::%x", i % 7, round, i);
			assert_int_equal(add(text), 0);
		}
		assert_int_equal(add("2001:db8:9::1/64"), -ENOBUFS);
		assert_true(is_ours(OURS));
		for (unsigned int i = RILL_ADDRS_MAX - 1; i-- > 0;) {
			snprintf(text, sizeof(text), "2001:db8:%x:%x::%x", i % 7, round, i);
			assert_true(is_ours(text));
			assert_int_equal(del(text), 0);
			assert_false(is_ours(text));
		}
	}
	net_end();
}

static void
test_no_link_too_narrow(void **state)
{
	struct rill_prefix prefix = prefix6(OURS "/64");

	link_reset(true, 0);
	lnk.netif.mtu = 1279;
	net = net_make();
	assert_int_equal(net_addr_add(net, &prefix, lnk.now), -EINVAL);
	lnk.netif.mtu = 1280;
	assert_int_equal(net_addr_add(net, &prefix, lnk.now), 0);
	net_end();
}

static void
test_routes(void **state)
{
	net_begin(0);
	assert_int_equal(route("2001:db8:1::1"), -ENETUNREACH);
	assert_int_equal(route(OURS), -ENETUNREACH);
	assert_int_equal(route("ff02::1"), -EINVAL);
	assert_int_equal(route("::1"), -EINVAL);
	assert_int_equal(route_add("::/0", "2001:db8:1::1"), -EINVAL); /* on no network of ours */
	assert_int_equal(route_add("::/0", OURS), -EINVAL);
	assert_int_equal(route_add("::/0", "ff02::2"), -EINVAL);
	assert_int_equal(route_add("::/0", "fe80::99"), 0);
	assert_int_equal(route_add("::/0", PEER), -EEXIST);
	assert_int_equal(route_add("2001:db8:1::/48", PEER), 0);
	assert_int_equal(route_add("2001:db8:1:2::/64", "2001:db8::3"), 0);
	expect_route("2001:4860::1", "fe80::99", OURS);
	expect_route("2001:db8:1::1", PEER, OURS);
	expect_route("2001:db8:1:2::1", "2001:db8::3", OURS);
	expect_route("2001:db8::4", "2001:db8::4", OURS);
	expect_route("fe80::4", "fe80::4", LINK_LOCAL);
	assert_int_equal(route_del("2001:db8:1:2::/64"), 0);
	assert_int_equal(route_del("2001:db8:1:2::/64"), -ENOENT);
	assert_int_equal(route_del("2001:db8::/64"), -ENOENT); /* it is connected */
	expect_route("2001:db8:1:2::1", PEER, OURS);
	/* A route whose gateway is on no network any more rests. */
	assert_int_equal(add("2001:db8:5::1/64"), 0);
	assert_int_equal(del(OURS), 0);
	expect_route("2001:db8:1::1", "fe80::99", "2001:db8:5::1");
	net_end();
}

/* Rules 2, 6 and 8 of [6724 5]. */
static void
test_source_addresses(void **state)
{
	net_begin(0);
	assert_int_equal(add("fd00::1/64"), 0);
	assert_int_equal(add("2001:db8:1::1/64"), 0);
	assert_int_equal(route_add("::/0", "fe80::99"), 0);
	expect_route("fe80::7", "fe80::7", LINK_LOCAL);
	expect_route("fd00::7", "fd00::7", "fd00::1");
	expect_route("fd12::7", "fe80::99", "fd00::1");
	expect_route("2001:db8:1::7", "2001:db8:1::7", "2001:db8:1::1");
	expect_route("2001:db8::7", "2001:db8::7", OURS);
	expect_route("2001:db8:1:1::7", "fe80::99", "2001:db8:1::1");
	expect_route("2a00::7", "fe80::99", OURS);
	/* From a link-local address no router sends on. */
	assert_int_equal(del(OURS), 0);
	assert_int_equal(del("2001:db8:1::1"), 0);
	assert_int_equal(del("fd00::1"), 0);
	assert_int_equal(route("2a00::7"), -ENETUNREACH);
	net_end();
}

/* On bare IP there are neither MACs nor anything that is made from them. */
static void
test_bare_ip(void **state)
{
	struct rill_prefix prefix = prefix6(OURS "/64");

	link_reset(false, 0);
	net = net_make();
	assert_int_equal(net_addr_add(net, &prefix, lnk.now), 0);
	expect_route(PEER, PEER, OURS);
	assert_int_equal(route("fe80::1"), -ENETUNREACH);
	expect_silence();
	net_end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_as_many_as_there_is_room_for),
		cmocka_unit_test(test_no_link_too_narrow),
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_source_addresses),
		cmocka_unit_test(test_bare_ip),
	};

	return cmocka_run_group_tests(tests, packets_start, packets_end);
}
