/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A next hop that is not resolved any more while a connection has something to send: its timers go on.
 */
#include "fixtures.h"
#include "lane.h"
#include "peer.h"

static void
next_hop_is(enum neighbor_state state)
{
	struct tcp *tcp = &peer.lane->tcp;

	neighbor_at(tcp->neighbors, app->conn->next_hop)->state = (uint8_t)state;
	if (state == NEIGHBOR_REACHABLE)
		tcp_neighbor_event(tcp, app->conn->next_hop, NEIGHBOR_EVENT_RESOLVED);
}

static void
established_with_timeout(int32_t user_timeout_ms)
{
	in_established();
	sets(RILL_OPT_user_timeout_ms, user_timeout_ms);
}

/* Time goes by in turns, without a look at the deadline between them, which would set the timer right. */
static void
polls(uint32_t ms)
{
	for (; ms > 0; ms--) {
		peer.now += 1000;
		check(rill_lane_turn(peer.lane, peer.now, NULL, 0) >= 0);
		tcp_check(&peer.lane->tcp);
	}
}

/* Each expiry of the retransmission timer tries the way once more; they come at 1, 3, 7, 15, 31 s.
 * [MUST-21] */
static void
test_the_user_timeout_comes_in_time(void **state)
{
	established_with_timeout(16000);
	next_hop_is(NEIGHBOR_INCOMPLETE);
	writes(10);
	polls(15900);
	expect_alive();
	check(info().retries >= 3);
	polls(200);
	expect_closed(TIMEOUT);
	expect_silence();
}

/* Data that cork holds back, then the way: the time before is not the next hop's. */
static void
test_idle_time_is_not_the_next_hops(void **state)
{
	established_with_timeout(30000);
	advance(3600 * 1000);
	sets(RILL_OPT_cork, 1);
	writes(10);
	advance(50);
	next_hop_is(NEIGHBOR_INCOMPLETE);
	writes(10);
	advance(1000);
	expect_alive();
	next_hop_is(NEIGHBOR_REACHABLE);
	expect_within(1, ACK, 1, 1, .len = 20);
	peer_sends(ACK, 1, 21);
	expect_alive();
}

/* The way is lost anew: what waits for it counts from then on. */
static void
test_a_timeout_after_cork_comes_in_time(void **state)
{
	established_with_timeout(16000);
	advance(3600 * 1000);
	sets(RILL_OPT_cork, 1);
	writes(10);
	advance(50);
	next_hop_is(NEIGHBOR_INCOMPLETE);
	writes(10);
	polls(15900);
	expect_alive();
	polls(200);
	expect_closed(TIMEOUT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		dialogue(test_the_user_timeout_comes_in_time),
		dialogue(test_idle_time_is_not_the_next_hops),
		dialogue(test_a_timeout_after_cork_comes_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
