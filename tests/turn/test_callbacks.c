/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls made from inside callbacks: each of close, abort, shutdown, send, connect, pause with resume, and
 * manual freeing, from each of the seven callbacks. Callbacks never nest, on_close comes once and last
 * (the recorder sees to both), and nothing is left behind.
 */
#include "fixtures.h"

#include <errno.h>

#include <rte_mbuf.h>

enum action { ACT_CLOSE, ACT_ABORT, ACT_SHUTDOWN, ACT_SEND, ACT_CONNECT, ACT_PAUSE, ACT_PAUSE_RESUME, ACT_ALL,
	ACTIONS };

static enum app_event act_on;
static enum action act;
static unsigned int acted;

static void
connect_to_flow(unsigned int flow)
{
	struct flow *before = peer.flow;

	peer_uses_flow(flow);
	connects();
	peer.flow = before;
}

static void
do_act(struct app *a, enum action what, bool ended)
{
	struct app *before = app;
	int rc = 0;

	app = a;
	switch (what) {
	case ACT_CLOSE:
		rc = rill_close(a->conn);
		break;
	case ACT_ABORT:
		rc = rill_abort(a->conn);
		break;
	case ACT_SHUTDOWN:
		rc = rill_shutdown(a->conn);
		break;
	case ACT_SEND:
		rc = tries_to_write(2000);
		break;
	case ACT_CONNECT:
		connect_to_flow(10 + acted);
		rc = ended ? -ENOTCONN : 0;
		break;
	case ACT_PAUSE:
		rc = rill_pause(a->conn);
		break;
	case ACT_PAUSE_RESUME:
		rc = rill_pause(a->conn);
		rc = rc ? rc : rill_resume(a->conn);
		break;
	default:
		for (enum action i = 0; i < ACT_ALL; i++)
			do_act(a, (i + 3) % ACT_ALL, true);
		rc = ended ? -ENOTCONN : 0;
	}
	if (what != ACT_ALL && ended && rc >= 0 && act_on == APP_CLOSE)
		peer_fail(__FILE__, __LINE__, "call %d on an ended connection returned %d", what, rc);
	app = before;
}

static void
acts(struct app *a, enum app_event event)
{
	if (event != act_on || acted > 0 || a != &apps[0])
		return;
	acted++;
	do_act(a, act, event == APP_CLOSE);
}

/* What the lane said last on the peer's first connection: where it ends, and what it expects. */
static uint32_t lane_said, lane_wants;

static void
listen_to_it(void)
{
	while (hears()) {
		uint32_t end = peer.got.seq + peer.got.len + (peer.got.flags & (SYN | FIN) ? 1 : 0);

		if (peer.got.dport != PEER_PORT || peer.got.flags & RST)
			continue;
		lane_said = RTE_MAX(lane_said, end);
		lane_wants = RTE_MAX(lane_wants, peer.got.ack);
	}
}

/* A life in which every callback occurs; the peer does its part whatever the lane does. */
static void
live(void)
{
	lane_said = lane_wants = 1;
	app_default_hook = acts;
	listens();
	peer_sends(SYN, 0, 0);
	peer_sends(ACK, 1, 1);
	if (apps[0].conn != NULL)
		tries_to_write(100);
	listen_to_it();
	peer_sends(ACK | URG, 1, lane_said, .len = 10, .urg = 5);
	listen_to_it();
	peer_sends(ACK, 11, lane_said, .len = 10);
	if (apps[0].conn != NULL)
		tries_to_write(50);
	advance(20000); /* R1 */
	listen_to_it();
	peer_sends(ACK, 21, lane_said);
	listen_to_it();
	peer_sends(FIN | ACK, 21, lane_said);
	advance(1000);
	listen_to_it();
	peer_sends(RST, lane_wants, 0);
	advance(400000);
	hears_all();
}

static void
test_each_call_from_each_callback(void **state)
{
	for (act_on = APP_OPEN; act_on <= APP_CLOSE; act_on++) {
		for (act = 0; act < ACTIONS; act++) {
			peer_restart(&(struct peer_setup){.mss = 0});
			peer_note("---- call %d from callback %d", act, act_on);
			acted = 0;
			live();
			check_equal(acted, 1);
			check_equal(apps[0].closed, 1);
			for (unsigned int i = 1; i < apps_count; i++)
				check_equal(apps[i].closed, 1);
			check_equal(stats().conns, 0);
			check_equal(stats().sidecars, 0);
			check_equal(stats().records, 0);
			check_equal(stats().mbufs, peer.seen.mbufs);
		}
	}
}

static void
sends_in_close(struct app *a, enum app_event event)
{
	if (event == APP_CLOSE) {
		app = a;
		check_equal(tries_to_write(10), -ENOTCONN);
		check_equal(rill_close(a->conn), -ENOTCONN);
		check_equal(rill_abort(a->conn), -ENOTCONN);
		acted++;
	}
}

static void
test_calls_in_on_close_are_refused(void **state)
{
	acted = 0;
	app_default_hook = sends_in_close;
	in_established();
	app_default_hook = sends_in_close;
	apps[0].hook = sends_in_close;
	peer_sends(RST, 1, 0);
	check_equal(acted, 1);
	expect_closed(RESET);
}

static void
aborts_then_more(struct app *a, enum app_event event)
{
	if (event == APP_DATA && acted++ == 0)
		check_equal(rill_abort(a->conn), 0);
}

static void
test_after_abort_nothing_but_on_close(void **state)
{
	/* the rest of the burst is for a connection that has ended */
	acted = 0;
	in_established();
	apps[0].hook = aborts_then_more;
	burst_begin();
	peer_sends(ACK, 1, 1, .len = 10);
	peer_sends(ACK, 11, 1, .len = 10);
	peer_sends(FIN | ACK, 21, 1);
	burst_end();
	expect_received(10);
	expect_no_eof();
	expect_closed(ABORTED);
	check(hears() && peer.got.flags & RST);
	hears_all();
}

static unsigned int chain_depth;

static void
connects_again(struct app *a, enum app_event event)
{
	if (event == APP_CLOSE && chain_depth < 50)
		connect_to_flow(++chain_depth);
}

static void
test_a_connection_opened_in_each_on_close(void **state)
{
	/* a chain of fifty, each refused by the peer */
	chain_depth = 0;
	app_default_hook = connects_again;
	connects();
	apps[0].hook = connects_again;
	for (unsigned int i = 0; i <= 50; i++) {
		peer_uses_flow(i);
		expect(SYN, 0, 0);
		peer_sends(RST | ACK, 0, 1);
		check_equal(apps[i].closed, 1);
		check_equal(apps[i].why, RILL_CLOSE_REFUSED);
	}
	check_equal(apps_count, 51);
	check_equal(stats().conns, 0);
}

static void
opens_many(struct app *a, enum app_event event)
{
	if (event == APP_OPEN && a == &apps[0])
		for (unsigned int i = 1; i <= 100; i++)
			connect_to_flow(i);
}

static void
test_a_hundred_connections_opened_in_one_callback(void **state)
{
	app_default_hook = opens_many;
	listens();
	peer_sends(SYN, 0, 0);
	expect(SYN | ACK, 0, 1);
	peer_sends(ACK, 1, 1);
	check_equal(hears_all(), 100);
	check_equal(stats().conns, 101);
	for (unsigned int i = 1; i <= 100; i++) {
		peer_uses_flow(i);
		peer_sends(SYN | ACK, 0, 1);
		check_equal(apps[i].opened, 1);
	}
	hears_all();
}

static void
pauses_at_each(struct app *a, enum app_event event)
{
	if (event == APP_DATA)
		check_equal(rill_pause(a->conn), 0);
}

static void
test_pause_in_on_data_stops_the_next(void **state)
{
	in_established();
	apps[0].hook = pauses_at_each;
	for (unsigned int i = 0; i < 3; i++)
		peer_sends(ACK, 1 + i * 10, 1, .len = 10);
	expect_received(10);
	apps[0].hook = NULL;
	resumes();
	expect_received(30);
	hears_all();
}

static void
test_the_lanes_end_stops_every_connection(void **state)
{
	/* in every state at once; the fixture's end finds a leak */
	listens();
	for (unsigned int i = 0; i < 8; i++) {
		peer_uses_flow(i);
		peer_sends(SYN, 0, 0);
		if (i > 0)
			peer_sends(ACK, 1, 1);
		if (i > 1)
			peer_sends(ACK, 101, 1, .len = 10);
		app = &apps[RTE_MAX(i, 1u) - 1];
		if (i > 2)
			writes(5000);
		if (i > 3)
			sends(1000);
		if (i > 4)
			pauses();
		if (i > 5)
			shuts_down();
		if (i > 6)
			peer_sends(FIN | ACK, 1, 1, .len = 100);
	}
	hears_all();
	peer_uses_flow(20);
	connects();
	hears_all();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		dialogue(test_each_call_from_each_callback),
		dialogue(test_calls_in_on_close_are_refused),
		dialogue(test_after_abort_nothing_but_on_close),
		dialogue(test_a_connection_opened_in_each_on_close),
		dialogue(test_a_hundred_connections_opened_in_one_callback),
		dialogue(test_pause_in_on_data_stops_the_next),
		dialogue(test_the_lanes_end_stops_every_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
