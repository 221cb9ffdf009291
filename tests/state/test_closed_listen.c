/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * No connection, and a listener: what strangers' segments are answered [9293 3.10.7.1, 3.10.7.2], and
 * what never makes a connection.
 */
#include "fixtures.h"

#include <errno.h>
#include <string.h>

static void
test_closed_answers_a_segment_without_ack(void **state)
{
	/* [RFC9293-E1] SEG.LEN counts SYN, FIN and data. */
	static const struct say strays[] = {
		{.flags = SYN}, {.flags = SYN, .len = 10}, {.flags = FIN}, {.flags = FIN, .len = 7},
		{.flags = PSH, .len = 3}, {.flags = URG | PSH | FIN}, {.flags = 0},
	};

	for (unsigned int i = 0; i < RTE_DIM(strays); i++) {
		uint8_t f = strays[i].flags;

		peer_say(&strays[i]);
		expect(RST | ACK, 0, strays[i].len + ((f & SYN) != 0) + ((f & FIN) != 0));
		expect_silence();
		expect_drop(tcp_no_listener);
	}
}

static void
test_closed_answers_a_segment_with_ack(void **state)
{
	/* [RFC9293-E2] */
	static const uint8_t flags[] = {ACK, SYN | ACK, FIN | ACK, ACK | PSH | URG};

	for (unsigned int i = 0; i < RTE_DIM(flags); i++) {
		peer_sends(flags[i], 5, 77, .len = 4);
		expect(RST, 77, 0);
		expect_silence();
		expect_drop(tcp_no_listener);
	}
}

static void
test_rst_is_never_answered(void **state)
{
	/* [RFC9293-E3] */
	peer_sends(RST, 0, 0);
	peer_sends(RST | ACK, 0, 5);
	expect_silence();
	expect_drops(tcp_stray_rst, 2);
}

static void
test_listen_ignores_rst_first(void **state)
{
	/* [RFC9293-E4] RST before ACK before SYN. */
	in_listen();
	peer_sends(RST, 0, 0);
	peer_sends(SYN | RST, 0, 0);
	peer_sends(SYN | RST | ACK, 0, 9);
	expect_silence();
	check_equal(stats().syn_received, 0);
	expect_drops(tcp_stray_rst, 3);
}

static void
test_listen_answers_ack_by_rst(void **state)
{
	/* [RFC9293-E4, RFC9293-E37] and no child is made, with SYN or without. */
	in_listen();
	peer_sends(ACK, 1, 1000);
	expect(RST, 1000, 0);
	expect_drop(tcp_listen_ack);
	peer_sends(SYN | ACK, 0, 1001);
	expect(RST, 1001, 0);
	expect_drop(tcp_listen_ack);
	expect_silence();
	check_equal(stats().syn_received, 0);
}

static void
test_listen_drops_scans_silently(void **state)
{
	/* [RFC9293-E6] Neither SYN, ACK nor RST; and SYN with FIN. */
	static const uint8_t flags[] = {0, FIN, URG | PSH, FIN | URG | PSH, SYN | FIN};

	in_listen();
	for (unsigned int i = 0; i < RTE_DIM(flags); i++) {
		peer_sends(flags[i], 0, 0);
		expect_silence();
		expect_drop(tcp_listen_flags);
	}
	check_equal(stats().syn_received, 0);
}

static void
test_data_on_the_syn_is_delivered_once_after_the_handshake(void **state)
{
	/* [RFC9293-E5] */
	in_listen();
	peer_sends(SYN, 0, 0, .len = 10);
	check(hears() && peer.got.flags == (SYN | ACK) && (peer.got.ack == 1 || peer.got.ack == 11));
	expect_received(0);
	peer_sends(ACK, peer.got.ack, 1);
	if (peer.got.ack == 1)
		peer_sends(ACK, 1, 1, .len = 10);
	expect_opened();
	expect_received(10);
}

static void
test_connections_to_one_listener_are_apart(void **state)
{
	in_listen();
	for (unsigned int i = 0; i < 20; i++) {
		peer_uses_flow(i);
		peer_sends(SYN, 0, 0);
		expect(SYN | ACK, 0, 1);
		peer_sends(ACK, 1, 1, .len = i + 1);
	}
	check_equal(apps_count, 20);
	for (unsigned int i = 0; i < 20; i++)
		check_equal(apps[i].received, i + 1);
	check_equal(stats().conns, 20);
}

static void
test_syn_from_an_impossible_source_is_ignored(void **state)
{
	/* [MUST-63, RFC1122-12, ATK-32, RFC8200-17] */
	static const char *const ip4[] = {"192.0.2.1", "127.0.0.1", "0.0.0.0", "0.1.2.3", "224.0.0.1",
		"255.255.255.255", "192.0.2.255", "240.0.0.1"};
	static const char *const ip6[] = {"2001:db8::c000:201", "::1", "::", "::192.0.2.2",
		"::ffff:192.0.2.2", "ff02::1", "ff0e::2", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"};

	in_listen();
	for (unsigned int i = 0; i < RTE_DIM(ip4); i++) {
		uint8_t packet[WIRE_HEADERS_MAX];
		size_t len = peer_packet(packet, &(struct say){.flags = SYN});
		struct rill_addr source;

		check_equal(rill_addr_parse(peer.flow->ip6 ? ip6[i] : ip4[i], &source), 0);
		if (peer.flow->ip6)
			memcpy(packet + 8, source.u.ip6, sizeof(source.u.ip6));
		else
			memcpy(packet + 12, source.u.ip4, sizeof(source.u.ip4));
		wire_fix_checksums(packet, len);
		peer_sends_raw(packet, len);
		expect_silence();
		expect_drop(ip_bad_source);
	}
	check_equal(stats().syn_received, 0);
}

static void
test_syn_to_a_group_is_ignored(void **state)
{
	/* [MUST-57, RFC8200-17] of IPv6: all nodes, which we are, our own solicited-node group, another */
	static const char *const ip4[] = {"192.0.2.255", "255.255.255.255", "224.0.0.1"};
	static const char *const ip6[] = {"ff02::1", "ff02::1:ff00:201", "ff0e::1"};

	in_listen();
	for (unsigned int i = 0; i < RTE_DIM(ip4); i++) {
		uint8_t packet[WIRE_HEADERS_MAX];
		size_t len = peer_packet(packet, &(struct say){.flags = SYN});
		struct rill_addr group;

		check_equal(rill_addr_parse(peer.flow->ip6 ? ip6[i] : ip4[i], &group), 0);
		if (peer.flow->ip6)
			memcpy(packet + 24, group.u.ip6, sizeof(group.u.ip6));
		else
			memcpy(packet + 16, group.u.ip4, sizeof(group.u.ip4));
		wire_fix_checksums(packet, len);
		peer_sends_raw(packet, len);
		expect_silence();
		expect_drop(ip_broadcast);
	}
}

static void
test_two_listeners_on_one_port_are_refused(void **state)
{
	/* [MUST-41] and what exists is untouched. */
	struct rill_listener *second;

	in_established();
	check_equal(rill_lane_listen(peer.lane, NULL, LANE_PORT, NULL, &app_handler, NULL, &second),
		-EADDRINUSE);
	peer_sends(ACK, 1, 1, .len = 5);
	expect_received(5);
}

static void
test_unlisten_keeps_children_and_drops_the_half_open(void **state)
{
	struct rill_listener *listener = listens();

	peer_sends(SYN, 0, 0);
	expect(SYN | ACK, 0, 1);
	peer_sends(ACK, 1, 1);
	peer_uses_flow(1);
	peer_sends(SYN, 0, 0);
	expect(SYN | ACK, 0, 1);
	check_equal(rill_unlisten(listener), 0);
	turn();
	expect(RST | ACK, 1, 1); /* it is not left to wait for nothing */
	expect_silence();
	check_equal(stats().syn_received, 0);
	peer_uses_flow(2);
	peer_sends(SYN, 0, 0);
	expect(RST | ACK, 0, 1);
	peer_uses_flow(0);
	peer_sends(ACK, 1, 1, .len = 5);
	expect_received(5);
}

static void
test_a_full_backlog_drops_syns_and_recovers(void **state)
{
	/* [RFC4987-1] without cookies */
	struct rill_options options = default_options();

	options.backlog = 2;
	options.syn_cookies = 0;
	listens_with(&options);
	for (unsigned int i = 0; i < 2; i++) {
		peer_uses_flow(i);
		peer_sends(SYN, 0, 0);
		expect(SYN | ACK, 0, 1);
	}
	peer_uses_flow(2);
	peer_sends(SYN, 0, 0);
	expect_silence();
	expect_drop(tcp_backlog_full);
	check_equal(stats().syn_received, 2);
	peer_uses_flow(0);
	peer_sends(ACK, 1, 1);
	peer_uses_flow(2);
	peer_sends(SYN, 0, 0);
	expect(SYN | ACK, 0, 1);
}

static void
test_no_more_connections_than_max_conns(void **state)
{
	peer_restart(&(struct peer_setup){.limits = {.max_conns = 2}});
	listens();
	for (unsigned int i = 0; i < 3; i++) {
		peer_uses_flow(i);
		peer_sends(SYN, 0, 0);
		hears_all();
		peer_sends(ACK, 1, 1);
		hears_all();
	}
	check_equal(stats().conns, 2);
	check_equal(apps_count, 2);
	check(stats().drops[RILL_DROP_tcp_conns_full] >= 1);
	app = &apps[0];
	aborts();
	hears_all();
	peer_uses_flow(3);
	peer_sends(SYN, 0, 0);
	expect(SYN | ACK, 0, 1);
	peer_sends(ACK, 1, 1);
	check_equal(stats().conns, 2);
}

static void
test_a_peer_may_listen_for_one_address_only(void **state)
{
	/* [MUST-43] */
	struct rill_addr other = family_addr("192.0.2.77");
	struct rill_listener *listener;

	check_equal(rill_lane_listen(peer.lane, &other, LANE_PORT, NULL, &app_handler, NULL, &listener),
		-EADDRNOTAVAIL);
	other = family_addr_of(LANE_ADDR);
	check_equal(rill_lane_listen(peer.lane, &other, LANE_PORT, NULL, &app_handler, NULL, &listener), 0);
	peer_sends(SYN, 0, 0);
	expect(SYN | ACK, 0, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		dialogue(test_closed_answers_a_segment_without_ack),
		dialogue(test_closed_answers_a_segment_with_ack),
		dialogue(test_rst_is_never_answered),
		dialogue(test_listen_ignores_rst_first),
		dialogue(test_listen_answers_ack_by_rst),
		dialogue(test_listen_drops_scans_silently),
		dialogue(test_data_on_the_syn_is_delivered_once_after_the_handshake),
		dialogue(test_connections_to_one_listener_are_apart),
		dialogue(test_syn_from_an_impossible_source_is_ignored),
		dialogue(test_syn_to_a_group_is_ignored),
		dialogue(test_two_listeners_on_one_port_are_refused),
		dialogue(test_unlisten_keeps_children_and_drops_the_half_open),
		dialogue(test_a_full_backlog_drops_syns_and_recovers),
		dialogue(test_no_more_connections_than_max_conns),
		dialogue(test_a_peer_may_listen_for_one_address_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
