/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What becomes of connections when something becomes of the port. A server on DPDK's ring device, with one
 * lane or with one that carries another, and a client; the test is the wire between them, and what the
 * server's NIC tells and does:
 *
 *     client ── wire ── NIC ── lane 0 ─┬─ (lane 1)     server
 *                        └─ tells the keeper: reset, removed, link
 *
 * Lanes and keeper are driven by hand. A NIC that was reset, or is deaf, is restarted while no lane uses
 * it, and all connections go on; one that has another MAC afterwards never sends from the old one.
 */
#include "keeper_world.h"

static void
test_a_reset_keeps_all_connections(void **state)
{
	expect_echo();
	nic_tells(RTE_ETH_EVENT_INTR_RESET);
	expect_echo();
	pass_time(SECOND);
	assert_int_equal(nic.starts, 1);
	assert_int_equal(stats().port_resets, 1);
	assert_int_equal(stats().port_restarts, 1);
	assert_int_equal(stats().port_deaf, 0);
	expect_echo();
	expect_whole();
}

static void
test_a_driver_that_can_reset_is_set_up_anew(void **state)
{
	nic.has_reset = true;
	nic_tells(RTE_ETH_EVENT_INTR_RESET);
	pass_time(SECOND);
	assert_int_equal(nic.resets, 1);
	assert_int_equal(nic.starts, 1);
	expect_echo();
	expect_whole();
}

/* Reset again and again: restarted once in a second. */
static void
test_a_storm_of_resets_is_bounded(void **state)
{
	for (int i = 0; i < 10000; i++) {
		nic_tells(RTE_ETH_EVENT_INTR_RESET);
		pass();
	}
	assert_in_range(nic.starts, 8, 11);
	assert_int_equal(stats().port_restarts, nic.starts);
	expect_echo_within(5 * SECOND);
	expect_whole();
}

/* Nobody speaks: the keeper asks by itself. */
static void
test_a_deaf_port_is_restarted_though_nobody_speaks(void **state)
{
	nic.deaf = nic.cured_by_start = true;
	pass_time(8 * SECOND);
	assert_int_equal(nic.starts, 1);
	assert_int_equal(stats().port_deaf, 1);
	assert_int_equal(stats().port_restarts, 1);
	assert_true(stats().neighbors_lost > 0);
	assert_false(nic.deaf);
	expect_echo();
	expect_whole();
}

static void
test_a_deaf_port_is_restarted_under_load(void **state)
{
	nic.deaf = nic.cured_by_start = true;
	expect_echo_within(12 * SECOND);
	assert_int_equal(stats().port_deaf, 1);
	expect_echo();
	expect_whole();
}

/* What its driver's start does not cure, its reset may; no sooner than after 10 s. */
static void
test_a_port_that_stays_deaf_is_reset(void **state)
{
	nic.deaf = nic.has_reset = true;
	pass_time(8 * SECOND);
	assert_int_equal(nic.starts, 1);
	assert_int_equal(nic.resets, 0);
	pass_time(10 * SECOND);
	assert_int_equal(nic.resets, 1);
	assert_int_equal(stats().port_deaf, 2);
	expect_echo_within(5 * SECOND);
	expect_whole();
}

/* Its announcements after the first restart come back: they are nobody else's. */
static void
test_a_deaf_port_that_hears_itself_is_reset(void **state)
{
	nic.echoes = true;
	test_a_port_that_stays_deaf_is_reset(state);
}

static void
test_a_port_that_stays_deaf_is_restarted_seldom(void **state)
{
	nic.deaf = true;
	pass_time(25 * SECOND);
	assert_in_range(nic.starts, 2, 3);
}

static void
test_silence_is_not_deafness(void **state)
{
	uint64_t asked = stats().arp_requests_out;

	pass_time(60 * SECOND);
	assert_int_equal(nic.starts, 0);
	assert_in_range(stats().arp_requests_out - asked, 4, 14);
	expect_echo();
	expect_whole();
}

static void
test_a_link_that_comes_back_is_announced_on(void **state)
{
	pass_time(5 * SECOND); /* the start has been announced */
	nic.link_down = true;
	nic_tells(RTE_ETH_EVENT_INTR_LSC);
	pass_time(8 * SECOND);
	assert_int_equal(stats().port_link_downs, 1);
	announced = announced6 = 0;
	nic.link_down = false;
	pass_time(SECOND);
	assert_int_equal(announced, 1);
	assert_true(announced6 >= 2);
	pass_time(3 * SECOND);
	assert_int_equal(announced, 2);
	assert_int_equal(announced6, 2 * 2); /* a link-local address, too */
	assert_int_equal(nic.starts, 0);
	expect_echo();
	expect_whole();
}

/* However often a link comes and goes. */
static void
test_a_link_that_flaps_is_announced_on_seldom(void **state)
{
	pass_time(5 * SECOND);
	announced = announced6 = 0;
	for (int i = 0; i < 40; i++) {
		nic.link_down = !nic.link_down;
		pass_time(KEEPER_LOOK_US);
	}
	assert_int_equal(stats().port_link_downs, 20);
	assert_in_range(announced, 5, 11);
	assert_in_range(announced6, 2 * 5, 2 * 11);
	expect_echo_within(5 * SECOND);
	expect_whole();
}

/* A start makes a device forget the groups that it let in, and switches where it is: groups are joined
 * again, addresses announced [RFC4861-17]. */
static void
test_a_restarted_port_is_in_its_groups_again(void **state)
{
	pass_time(5 * SECOND);
	assert_int_equal(nic.groups, 3); /* all nodes, and two addresses */
	announced = announced6 = 0;
	nic_tells(RTE_ETH_EVENT_INTR_RESET);
	pass_time(SECOND);
	assert_int_equal(nic.starts, 1);
	assert_int_equal(nic.groups, 3);
	pass_time(3 * SECOND);
	assert_int_equal(announced, 2);
	assert_int_equal(announced6, 2 * 2);
	expect_echo();
	expect_whole();
}

static void
say_unasked(struct rill_conn *conn, void *arg)
{
	assert_int_equal(rill_write(conn, "y", 1), 1);
}

/* While the link is down all neighbours are given up; when it is up, the port is deaf. */
static void
test_a_port_that_is_deaf_after_its_link_was_down_is_restarted(void **state)
{
	for (int i = 0; i < CONNS; i++)
		assert_int_equal(rill_write(conns[i], "x", 1), 1);
	for (unsigned int i = 0; i < server->lanes; i++)
		rill_lane_each(server->runners[i].lane, say_unasked, NULL);
	nic.link_down = nic.deaf = nic.cured_by_start = true;
	pass_time(10 * SECOND);
	assert_int_equal(nic.starts, 0);
	assert_true(stats().neighbors_lost > 0);
	nic.link_down = false;
	pass_time(8 * SECOND);
	assert_int_equal(nic.starts, 1);
	pass_time(10 * SECOND); /* what was said meanwhile comes in */
	expect_echo_within(5 * SECOND);
	expect_whole();
}

/* Data is on its way when the MAC changes: nothing of it leaves from the old one afterwards. */
static void
test_another_mac_is_followed(void **state)
{
	pass_time(5 * SECOND);
	announced = 0;
	nic.next_mac.addr_bytes[5] = 0x11;
	for (int i = 0; i < CONNS; i++)
		assert_int_equal(rill_write(conns[i], "x", 1), 1);
	runner_turn(&client->runners[0], now, true);
	nic_tells(RTE_ETH_EVENT_INTR_RESET);
	for (ustime until = now + 2 * KEEPER_LOOK_US; now < until && nic.starts == 0;)
		pass();
	/* The server speaks first, to a neighbour that it knows. */
	for (unsigned int i = 0; i < server->lanes; i++)
		rill_lane_each(server->runners[i].lane, say_unasked, NULL);
	echoed = 0;
	pass_time(2 * SECOND);
	assert_true(echoed >= CONNS);
	assert_int_equal(stats().port_mac_changes, 1);
	assert_true(announced > 0);
	expect_echo_within(5 * SECOND);
	assert_int_equal(wrong_source, 0);
	expect_whole();
}

static void
abort_one(struct rill_conn *conn, void *arg)
{
	rill_abort(conn);
}

/* What waits for a NIC that takes nothing has the old MAC in it. */
static void
test_what_waits_with_the_old_mac_is_dropped(void **state)
{
	port_park(&server->runners[0].port);
	for (int i = 0; i < CONNS; i++)
		assert_int_equal(rill_write(conns[i], "x", 1), 1);
	pass_time(10 * PASS_US);
	for (unsigned int i = 0; i < server->lanes; i++)
		rill_lane_each(server->runners[i].lane, abort_one, NULL);
	for (unsigned int i = 0; i < server->lanes; i++)
		runner_turn(&server->runners[i], now, false);
	nic.next_mac.addr_bytes[5] = 0x11;
	nic_tells(RTE_ETH_EVENT_INTR_RESET);
	pass_time(SECOND);
	assert_true(stats().drops[RILL_DROP_mac_changed] >= CONNS);
	assert_int_equal(wrong_source, 0);
}

/* The lane reads its mail, which parks the port, in the midst of a turn: what fragments made before that is
 * another lane's as ever. */
static void
test_a_joined_datagram_reaches_its_lane_though_the_port_is_parked(void **state)
{
	struct joined *joined = &server->runners[0].lane->siblings.joined;
	struct rte_mbuf *frame = rte_pktmbuf_alloc(server->runners[0].pools.rx);
	struct rill_stats other;

	assert_non_null(frame);
	assert_non_null(rte_pktmbuf_append(frame, 10));
	port_park(&server->runners[0].port);
	*joined = (struct joined){.count = 1, .frames = {frame}, .lanes = {1}};
	runner_turn(&server->runners[0], now, true);
	assert_int_equal(joined->count, 0);
	port_resume(&server->runners[0].port);
	runner_turn(&server->runners[1], now, true);
	rill_lane_stats_read(server->runners[1].lane, &other);
	assert_int_equal(other.drops[RILL_DROP_ether_short], 1);
	expect_echo();
	expect_whole();
}

static void
test_a_restart_in_vain_is_tried_again(void **state)
{
	nic.refuses_starts = 1;
	nic_tells(RTE_ETH_EVENT_INTR_RESET);
	pass_time(SECOND);
	assert_int_equal(stats().port_restarts_failed, 1);
	expect_parked();
	pass_time(8 * SECOND);
	assert_int_equal(nic.starts, 1);
	pass_time(2 * SECOND);
	assert_int_equal(nic.starts, 2);
	assert_int_equal(stats().port_restarts, 1);
	expect_echo();
	expect_whole();
}

/* The device is gone for ever: connections hear of it, and end when their time is up. */
static void
test_a_removed_device_ends_connections_softly(void **state)
{
	nic_tells(RTE_ETH_EVENT_INTR_RMV);
	pass_time(SECOND);
	assert_int_equal(told_down, CONNS);
	assert_int_equal(stats().port_removals, 1);
	assert_int_equal(stats().conns, CONNS);
	for (int i = 0; i < CONNS; i++)
		assert_int_equal(rill_write(conns[i], "x", 1), 1);
	pass_time(60 * SECOND);
	assert_int_equal(closed, CONNS);
}

/* However often it is claimed: one announcement in ten seconds, and nobody is cut off [RFC5227-5]. */
static void
test_a_contested_address_is_defended(void **state)
{
	pass_time(5 * SECOND);
	announced = 0;
	for (int i = 0; i < 200; i++) {
		claim_server_addr();
		pass_time(SECOND / 10);
	}
	assert_int_equal(announced, 2);
	assert_int_equal(stats().arp_conflicts, 200 * server->lanes);
	assert_int_equal(net_trouble(server->runners[0].lane->net)->number, 1);
	expect_echo();
	expect_whole();
}

/* One that is given up, is given up with all that hangs on it: peers hear RST [RFC5227-6], on all lanes;
 * then nobody answers for it. */
static void
test_a_given_up_address_ends_its_connections(void **state)
{
	claim_server_addr();
	pass_time(11 * SECOND);
	claim_server_addr();
	expect_echo(); /* not within ten seconds: defended */
	claim_server_addr();
	pass_time(SECOND);
	assert_int_equal(closed, CONNS);
	assert_int_equal(stats().resets_sent, CONNS);
	assert_int_equal(stats().conns, 0);
	assert_int_equal(net_trouble(server->runners[0].lane->net)->kind, NET_TROUBLE_LOST);
	for (unsigned int i = 0; i < server->lanes; i++)
		assert_false(net_addr_is_ours(server->runners[i].lane->net,
			&server->config.ports[0].addrs[0].addr));
	announced = 0;
	pass_time(30 * SECOND);
	assert_int_equal(announced, 0);
}

int
main(void)
{
	static const char *const args[] = {"--no-huge", "--no-pci", "--no-shconf", "--no-telemetry",
		"--iova-mode=va", "-m512", "--log-level=*:critical"};
	const struct eal_setup eal = {.args = args, .args_count = sizeof(args) / sizeof(args[0])};
#define ROW(test)                                                                                  \
	cmocka_unit_test_setup_teardown(test, begin, end),                                         \
		cmocka_unit_test_setup_teardown(test, begin_carried, end)
	const struct CMUnitTest tests[] = {
		ROW(test_a_reset_keeps_all_connections),
		ROW(test_a_driver_that_can_reset_is_set_up_anew),
		ROW(test_a_storm_of_resets_is_bounded),
		ROW(test_a_deaf_port_is_restarted_though_nobody_speaks),
		ROW(test_a_deaf_port_is_restarted_under_load),
		ROW(test_a_port_that_stays_deaf_is_reset),
		ROW(test_a_deaf_port_that_hears_itself_is_reset),
		ROW(test_a_port_that_stays_deaf_is_restarted_seldom),
		ROW(test_silence_is_not_deafness),
		ROW(test_a_link_that_comes_back_is_announced_on),
		ROW(test_a_link_that_flaps_is_announced_on_seldom),
		ROW(test_a_restarted_port_is_in_its_groups_again),
		ROW(test_a_port_that_is_deaf_after_its_link_was_down_is_restarted),
		ROW(test_another_mac_is_followed),
		ROW(test_what_waits_with_the_old_mac_is_dropped),
		cmocka_unit_test_setup_teardown(
			test_a_joined_datagram_reaches_its_lane_though_the_port_is_parked, begin_carried, end),
		ROW(test_a_restart_in_vain_is_tried_again),
		ROW(test_a_removed_device_ends_connections_softly),
		ROW(test_a_contested_address_is_defended),
		cmocka_unit_test_setup_teardown(
			test_a_given_up_address_ends_its_connections, begin_yielding, end),
		cmocka_unit_test_setup_teardown(
			test_a_given_up_address_ends_its_connections, begin_carried_yielding, end),
	};

	return eal_start(&eal) != 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
