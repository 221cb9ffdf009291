/* SPDX-License-Identifier: BSD-3-Clause */
/* SYN-SENT: active open, simultaneous open, and what ends the attempt [9293 3.10.7.3]. */
#include "fixtures.h"

#include <errno.h>
#include <string.h>

static void
test_the_syn_offers_everything(void **state)
{
	/* [MUST-4, MUST-14, SHLD-5, MUST-67, RFC7323-2, RFC7323-9, RFC7323-13] */
	connects();
	expect(SYN, 0, 0, .mss = 1460, .has = HAS_MSS | HAS_WSCALE | HAS_SACK_OK | HAS_TS);
	check_equal(peer.got.tsecr, 0);
	check(peer.got.wnd >= 14600); /* [RFC6928-8] */
}

static void
test_options_that_are_off_are_not_offered(void **state)
{
	struct rill_options options = default_options();

	options.sack = options.timestamps = options.window_scale = 0;
	options.mss = 700;
	connects_with(&options);
	expect(SYN, 0, 0, .mss = 700);
	check_equal(peer.got.has, HAS_MSS);
}

static void
test_an_mtu_gives_the_mss(void **state)
{
	/* [SHLD-5, RFC8200-14] IPv6 has no links that narrow: the least takes 1220 */
	uint16_t mss = peer.flow->ip6 ? 1220 : 536;

	peer_restart(&(struct peer_setup){.mtu = mss + 40});
	connects();
	expect(SYN, 0, 0, .mss = mss);
}

static void
test_syn_ack_opens(void **state)
{
	/* [RFC9293-E11] */
	in_established_active();
	check_equal(info().state, RILL_ESTABLISHED);
	check_equal(stats().active_opens, 1);
	expect_alive();
}

static void
test_syn_ack_that_acknowledges_something_else(void **state)
{
	/* [RFC9293-E7, RFC9293-E37] RST takes its number from the segment; the attempt goes on. */
	in_syn_sent();
	peer_sends(SYN | ACK, 0, 0);
	expect(RST, 0, 0);
	expect_drop(tcp_syn_sent_ack);
	peer_sends(SYN | ACK, 0, 2);
	expect(RST, 2, 0);
	expect_drop(tcp_syn_sent_ack);
	peer_sends(ACK, 0, 0x70000000);
	expect(RST, 0x70000000, 0);
	expect_state(RILL_SYN_SENT);
	peer_sends(SYN | ACK, 0, 1);
	expect(ACK, 1, 1);
	expect_opened();
}

static void
test_acks_of_strangers_get_rst_at_a_rate(void **state)
{
	/* [RFC9293-E7] As where nobody listens: so many at once, the attempt goes on. */
	uint64_t resets;

	in_syn_sent();
	for (unsigned int i = 0; i < 2000; i++) {
		peer_sends(ACK, 0, 1000 + i);
		hears_all();
	}
	resets = stats().resets_sent;
	check(resets > 0 && resets <= 1000);
	check_equal(stats().drops[RILL_DROP_tcp_syn_sent_ack], resets);
	check_equal(stats().drops[RILL_DROP_tcp_rst_rate], 2000 - resets);
	peer_sends(SYN | ACK, 0, 1);
	expect(ACK, 1, 1);
	expect_opened();
}

static void
test_rst_needs_an_acknowledgment_of_our_syn(void **state)
{
	/* [RFC9293-E9, RFC5961-4] */
	in_syn_sent();
	peer_sends(RST, 0, 0);
	peer_sends(RST | ACK, 0, 0);
	peer_sends(RST | ACK, 0, 2);
	expect_silence();
	expect_state(RILL_SYN_SENT);
	expect_alive();
	peer_sends(RST | ACK, 0, 1);
	expect_silence();
	expect_closed(REFUSED);
	check_equal(app->opened, 0);
	expect_state(RILL_CLOSED);
}

static void
test_neither_syn_nor_rst_is_dropped(void **state)
{
	/* [RFC9293-E10] even with the right ACK. */
	in_syn_sent();
	peer_sends(ACK, 0, 1);
	expect_drop(tcp_syn_sent_other);
	peer_sends(FIN | ACK, 0, 1);
	expect_drop(tcp_syn_sent_other);
	peer_sends(0, 0, 0, .len = 4);
	expect_drop(tcp_syn_sent_other);
	expect_silence();
	expect_state(RILL_SYN_SENT);
}

static void
test_syn_ack_with_data_and_fin(void **state)
{
	/* [RFC9293-E10, RFC9293-E11] The data is delivered once, whether or not it was taken at once. */
	in_syn_sent();
	peer_sends(SYN | ACK, 0, 1, .len = 20);
	check(hears() && peer.got.flags == ACK && (peer.got.ack == 1 || peer.got.ack == 21));
	peer_sends(FIN | ACK, 1, 1, .len = 20);
	expect_within(500, ACK, 1, 22);
	expect_received(20);
	expect_eof();
	expect_state(RILL_CLOSE_WAIT);
}

static void
test_simultaneous_open(void **state)
{
	/* [MUST-10] SYN-ACK has the SYN's sequence number; one connection only. */
	in_syn_received_active();
	check_equal(app->opened, 0);
	peer_sends(ACK, 1, 1);
	expect_silence();
	expect_opened();
	expect_state(RILL_ESTABLISHED);
	check_equal(stats().conns, 1);
	writes(10);
	expect(ACK, 1, 1, .len = 10);
}

static void
test_simultaneous_open_by_crossing_syn_acks(void **state)
{
	/* [MUST-10, ATK-36] The peer's SYN-ACK completes it as well as its ACK. */
	in_syn_received_active();
	peer_sends(SYN | ACK, 0, 1);
	hears_all();
	expect_opened();
	expect_state(RILL_ESTABLISHED);
	peer_sends(ACK, 1, 1, .len = 5);
	expect_received(5);
}

static void
test_rst_in_simultaneous_open_is_a_refusal(void **state)
{
	/* [MUST-11] */
	in_syn_received_active();
	peer_sends(RST, 1, 0);
	expect_silence();
	expect_closed(REFUSED);
	check_equal(app->opened, 0);
}

static void
test_simultaneous_open_repeats_its_syn_ack(void **state)
{
	in_syn_received_active();
	expect_within(3100, SYN | ACK, 0, 1);
	peer_sends(ACK, 1, 1);
	expect_opened();
}

static void
test_syn_is_repeated_with_backoff_until_timeout(void **state)
{
	/* [RFC6298-1, MUST-22, MUST-23, RFC1122-5] */
	static const uint32_t gaps[] = {1, 2, 4, 8, 16, 32, 60};
	uint64_t start = peer.now, last;

	connects();
	expect(SYN, 0, 0);
	last = peer.got_at;
	for (unsigned int i = 0; i < RTE_DIM(gaps); i++) {
		expect_within(61000, SYN, 0, 0);
		check((peer.got_at - last) / 1000 >= gaps[i] * 1000);
		check((peer.got_at - last) / 1000 <= gaps[i] * 1000 + 10);
		last = peer.got_at;
	}
	advance(59000);
	expect_silence();
	expect_alive();
	advance(6000);
	expect_silence();
	expect_closed(TIMEOUT);
	check(peer.now - start >= 180000000);
	check_equal(stats().connects_failed, 1);
}

static void
test_syn_retries_bounds_the_attempt(void **state)
{
	struct rill_options options = default_options();

	options.syn_retries = 1;
	connects_with(&options);
	expect(SYN, 0, 0);
	expect_within(1010, SYN, 0, 0);
	advance(2010);
	expect_silence();
	expect_closed(TIMEOUT);
}

static void
test_close_and_abort_delete_the_attempt_silently(void **state)
{
	/* [RFC9293-E31, RFC9293-E32] */
	in_syn_sent();
	closes();
	expect_silence();
	check_equal(app->closed, 1);
	expect_state(RILL_CLOSED);
	peer_uses_flow(1);
	app = connects();
	expect(SYN, 0, 0);
	aborts();
	expect_silence();
	expect_closed(ABORTED);
	expect_state(RILL_CLOSED);
}

static void
test_nothing_can_be_sent_before_the_handshake(void **state)
{
	in_syn_sent();
	check_equal(tries_to_write(5), -ENOTCONN);
	expect_silence();
}

static void
test_impossible_peers_are_refused(void **state)
{
	/* [MUST-46] */
	static const char *const ip4[] = {"255.255.255.255", "192.0.2.255", "224.0.0.1", "0.0.0.0",
		"127.0.0.1", "240.0.0.1"};
	static const char *const ip6[] = {
		"::", "::1", "ff02::1", "ff0e::1", "::192.0.2.2", "::ffff:192.0.2.2"};

	for (unsigned int i = 0; i < RTE_DIM(ip4); i++) {
		struct rill_endpoint remote = {.port = 7};
		struct rill_conn *conn;

		check_equal(rill_addr_parse(peer.flow->ip6 ? ip6[i] : ip4[i], &remote.addr), 0);
		check_equal(rill_connect(peer.lane, NULL, &remote, NULL, &app_handler, NULL, &conn), -EINVAL);
	}
	turn();
	expect_silence();
	check_equal(stats().conns, 0);
}

static void
test_a_taken_tuple_and_a_foreign_source_are_refused(void **state)
{
	struct rill_endpoint local, remote = {.port = PEER_PORT};
	struct rill_conn *conn;

	in_syn_sent();
	memset(&local, 0, sizeof(local));
	remote.addr = family_addr_of(PEER_ADDR);
	local.port = LANE_ACTIVE_PORT;
	check_equal(rill_connect(peer.lane, &local, &remote, NULL, &app_handler, NULL, &conn), -EADDRINUSE);
	local.addr = family_addr("192.0.2.9");
	check_equal(rill_connect(peer.lane, &local, &remote, NULL, &app_handler, NULL, &conn), -EADDRNOTAVAIL);
}

static void
test_source_ports_are_scattered(void **state)
{
	/* [RFC6056-1, RFC6056-2, RFC6056-5, MUST-44] 64 ports: all different, far apart, not in order. */
	unsigned int steps_up = 0, near = 0;
	uint16_t last = 0;

	for (unsigned int i = 0; i < 64; i++) {
		struct rill_endpoint remote = {.port = (uint16_t)(PEER_PORT + i)};
		struct rill_conn *conn;
		uint16_t port;

		remote.addr = family_addr_of(PEER_ADDR);
		peer_uses_flow(i);
		peer.flow->lane_port = 0;
		check_equal(rill_connect(peer.lane, NULL, &remote, NULL, &app_handler, &apps[i], &conn), 0);
		apps[i].conn = conn;
		turn();
		expect(SYN, 0, 0);
		port = peer.flow->lane_port;
		check(port >= 1024);
		steps_up += port > last;
		near += port - last < 16 && last - port < 16;
		last = port;
	}
	check(steps_up > 16 && steps_up < 48);
	check(near < 5);
}

static uint16_t
port_chosen(void)
{
	struct rill_endpoint remote = {.port = PEER_PORT};
	struct rill_conn *conn;

	remote.addr = family_addr_of(PEER_ADDR);
	peer.flow->lane_port = 0;
	check_equal(rill_connect(peer.lane, NULL, &remote, NULL, &app_handler, &apps[0], &conn), 0);
	apps[0].conn = conn;
	turn();
	expect(SYN, 0, 0);
	return peer.flow->lane_port;
}

static void
test_a_port_with_a_listener_is_not_chosen(void **state)
{
	/* [RFC6056-3] the very port that would have been */
	struct rill_listener *listener;
	uint16_t port = port_chosen();

	peer_restart(&(struct peer_setup){.mss = 0});
	check_equal(rill_lane_listen(peer.lane, NULL, port, NULL, &app_handler, NULL, &listener), 0);
	check(port_chosen() != port);
}

static void
test_initial_sequence_numbers_follow_clock_and_secret(void **state)
{
	/* [MUST-8, SHLD-1, MUST-9, RFC6528-1, RFC6528-4] Same tuple: 250 a millisecond; another tuple: elsewhere. */
	uint32_t first, second;
	struct rill_options options = default_options();

	options.syn_retries = 0;
	connects_with(&options);
	expect(SYN, 0, 0);
	first = peer.flow->iss;
	aborts();
	advance(100);
	peer_forgets(0);
	app = connects_with(&options);
	expect(SYN, 0, 0);
	check(peer.flow->iss - first >= 24990 && peer.flow->iss - first <= 25010);
	second = peer.flow->iss;
	peer_uses_flow(1);
	app = connects_with(&options);
	expect(SYN, 0, 0);
	check(peer.flow->iss - second > 1000000 && second - peer.flow->iss > 1000000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		dialogue(test_the_syn_offers_everything),
		dialogue(test_options_that_are_off_are_not_offered),
		dialogue(test_an_mtu_gives_the_mss),
		dialogue(test_syn_ack_opens),
		dialogue(test_syn_ack_that_acknowledges_something_else),
		dialogue(test_acks_of_strangers_get_rst_at_a_rate),
		dialogue(test_rst_needs_an_acknowledgment_of_our_syn),
		dialogue(test_neither_syn_nor_rst_is_dropped),
		dialogue(test_syn_ack_with_data_and_fin),
		dialogue(test_simultaneous_open),
		dialogue(test_simultaneous_open_by_crossing_syn_acks),
		dialogue(test_rst_in_simultaneous_open_is_a_refusal),
		dialogue(test_simultaneous_open_repeats_its_syn_ack),
		dialogue(test_syn_is_repeated_with_backoff_until_timeout),
		dialogue(test_syn_retries_bounds_the_attempt),
		dialogue(test_close_and_abort_delete_the_attempt_silently),
		dialogue(test_nothing_can_be_sent_before_the_handshake),
		dialogue(test_impossible_peers_are_refused),
		dialogue(test_a_taken_tuple_and_a_foreign_source_are_refused),
		dialogue(test_source_ports_are_scattered),
		dialogue(test_a_port_with_a_listener_is_not_chosen),
		dialogue(test_initial_sequence_numbers_follow_clock_and_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
