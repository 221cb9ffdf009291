/* SPDX-License-Identifier: BSD-3-Clause */
/* Both families on one lane: who listens to whom, and what a connection keeps to itself. */
#include "fixtures.h"

#include <errno.h>

static struct rill_addr
address(const char *text)
{
	struct rill_addr addr;

	check_equal(rill_addr_parse(text, &addr), 0);
	return addr;
}

/* The lane has an address of each family, and the peer speaks IPv4 on even flows, IPv6 on odd ones. */
static void
speak_both(void)
{
	struct rill_prefix prefix;

	check_equal(rill_prefix_parse(family_is_ip6() ? "192.0.2.1/24" : "2001:db8::c000:201/120",
			    &prefix),
		0);
	check_equal(rill_lane_addr_add(peer.lane, &prefix), 0);
	turn();
	for (unsigned int i = 0; i < PEER_FLOWS; i++)
		peer.flows[i].ip6 = i % 2 != 0;
}

/* [SHLD-5] the headers of IPv6 leave less room on the same link. */
static int
our_mss(bool ip6)
{
	return family_mtu(0) - 40 - (ip6 ? 20 : 0);
}

static int
listen_on(const char *text)
{
	struct rill_addr addr = {.family = 0};
	struct rill_listener *listener;

	if (text != NULL)
		addr = address(text);
	return rill_lane_listen(peer.lane, &addr, LANE_PORT, NULL, &app_handler, NULL, &listener);
}

static void
expect_refused(unsigned int flow)
{
	peer_uses_flow(flow);
	peer_sends(SYN, 0, 0);
	expect(RST | ACK, 0, 1);
}

static void
expect_answered(unsigned int flow)
{
	peer_uses_flow(flow);
	peer_sends(SYN, 0, 0);
	expect(SYN | ACK, 0, 1);
	peer_sends(RST, 1, 0);
	expect_silence();
}

static void
test_any_address_is_of_both_families(void **state)
{
	speak_both();
	check_equal(listen_on(NULL), 0);
	expect_answered(0);
	expect_answered(1);
	check_equal(listen_on(NULL), -EADDRINUSE);
}

static void
test_the_any_address_of_a_family_is_of_that_one_only(void **state)
{
	/* As a socket with IPV6_V6ONLY. */
	speak_both();
	check_equal(listen_on("::"), 0);
	check_equal(listen_on("::"), -EADDRINUSE);
	expect_refused(0);
	expect_answered(1);
	check_equal(listen_on("0.0.0.0"), 0);
	expect_answered(2);
}

static void
test_each_family_has_its_own_listener(void **state)
{
	speak_both();
	check_equal(listen_on("192.0.2.1"), 0);
	expect_answered(0);
	expect_refused(1);
	check_equal(listen_on("2001:db8::c000:201"), 0);
	expect_answered(3);
	check_equal(listen_on("2001:db8::c000:209"), -EADDRNOTAVAIL);
	check_equal(listen_on("2001:db8::c000:201"), -EADDRINUSE);
}

/* The listener that a SYN on this flow reaches shows by the option that it offers. */
static uint16_t
mss_of(unsigned int flow)
{
	peer_uses_flow(flow);
	peer_sends(SYN, 0, 0);
	check(hears());
	peer_sends(RST, 1, 0);
	return peer.got.mss;
}

static void
listen_with_mss(const char *text, int32_t mss)
{
	struct rill_options options = default_options();
	struct rill_addr addr = {.family = 0};
	struct rill_listener *listener;

	if (text != NULL)
		addr = address(text);
	options.mss = mss;
	check_equal(rill_lane_listen(peer.lane, &addr, LANE_PORT, &options, &app_handler, NULL, &listener),
		0);
}

static void
test_the_listener_that_names_most_is_the_one(void **state)
{
	/* Whatever the order. */
	speak_both();
	listen_with_mss("::", 600);
	listen_with_mss(NULL, 500);
	check_equal(mss_of(0), 500);
	check_equal(mss_of(1), 600);
	listen_with_mss("2001:db8::c000:201", 700);
	listen_with_mss("0.0.0.0", 800);
	check_equal(mss_of(2), 800);
	check_equal(mss_of(3), 700);
	listen_with_mss("192.0.2.1", 900);
	check_equal(mss_of(4), 900);
}

static void
test_equal_ports_of_two_families_are_two_connections(void **state)
{
	/* One listener; the ports are the same, and nothing of one reaches the other. */
	struct rill_conn_info now;

	speak_both();
	peer.flows[1].peer_port = peer.flows[0].peer_port;
	listens();
	for (unsigned int i = 0; i < 2; i++) {
		peer_uses_flow(i);
		peer_sends(SYN, 0, 0);
		expect(SYN | ACK, 0, 1);
		peer_sends(ACK, 1, 1);
	}
	check_equal(stats().conns, 2);
	for (unsigned int i = 0; i < 2; i++) {
		peer_uses_flow(i);
		check_equal(rill_conn_info(apps[i].conn, &now), 0);
		check_equal(now.local.addr.family, i == 0 ? AF_INET : AF_INET6);
		check_equal(now.remote.addr.family, i == 0 ? AF_INET : AF_INET6);
		check_equal(now.mss, RTE_MIN(our_mss(i == 1), 1460)); /* what the peer takes */
		peer_sends(FIN | ACK, 1, 1);
		expect_within(50, ACK, 1, 2);
	}
}

static void
test_ends_of_two_families_are_refused(void **state)
{
	struct rill_endpoint local = {.addr = address("192.0.2.1")},
			     remote = {.addr = address("2001:db8::c000:202"), .port = 7};
	struct rill_conn *conn;

	speak_both();
	check_equal(rill_connect(peer.lane, &local, &remote, NULL, &app_handler, NULL, &conn), -EINVAL);
	local.addr = address("2001:db8::c000:201");
	remote.addr = address("192.0.2.2");
	check_equal(rill_connect(peer.lane, &local, &remote, NULL, &app_handler, NULL, &conn), -EINVAL);
	expect_silence();
}

static void
test_connecting_takes_a_source_of_the_same_family(void **state)
{
	static const char *const remotes[] = {"192.0.2.2", "2001:db8::c000:202"};

	speak_both();
	for (unsigned int i = 0; i < 2; i++) {
		struct rill_endpoint remote = {
			.addr = address(remotes[i]), .port = (uint16_t)(PEER_PORT + i)};

		peer_uses_flow(i);
		check_equal(tries_to_connect(NULL, &remote, NULL), 0);
		expect(SYN, 0, 0);
		check_equal(peer.got.ip6, i == 1);
		check_equal(peer.got.saddr, LANE_ADDR);
		check_equal(peer.got.mss, our_mss(i == 1));
		peer_sends(SYN | ACK, 0, 1);
		expect(ACK, 1, 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		dialogue(test_any_address_is_of_both_families),
		dialogue(test_the_any_address_of_a_family_is_of_that_one_only),
		dialogue(test_each_family_has_its_own_listener),
		dialogue(test_the_listener_that_names_most_is_the_one),
		dialogue(test_equal_ports_of_two_families_are_two_connections),
		dialogue(test_ends_of_two_families_are_refused),
		dialogue(test_connecting_takes_a_source_of_the_same_family),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
