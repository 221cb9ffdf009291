/* SPDX-License-Identifier: BSD-3-Clause */
/* Nodes on the wheel that nobody waits for any more: left to fire in vain, or taken off. */
#include "app.h"
#include "fixtures.h"
#include "lane.h"
#include "peer.h"
#include "timers.h"

static void
never_fires(struct rill_lane *lane, struct rill_timer *timer)
{
	peer_fail(__FILE__, __LINE__, "a timer fired that was stopped");
}

/* Nodes of connections, when the application was told what is acknowledged. */
static uint32_t nodes;

static void
counts_nodes(struct app *a, enum app_event event)
{
	if (event == APP_SENT)
		nodes = wheel_count(&peer.lane->wheel, TIMER_CONN);
}

/*
 * Whose data is acknowledged waits for nothing: its node on the wheel stays, for the next time, while
 * nodes are few, and is taken off where they are many. What it waits for next fires all the same.
 */
static void
test_nodes_that_wait_for_nothing_go_where_there_are_many(void **state)
{
	static struct rill_timer timers[TIMERS_CROWD];

	in_established();
	app->hook = counts_nodes;
	writes(10);
	expect(ACK | PSH, 1, 1, .len = 10);
	peer_sends(ACK, 1, 11);
	check_equal(nodes, 1);
	for (unsigned int i = 0; i < TIMERS_CROWD; i++) {
		timers[i] = (struct rill_timer){.fn = never_fires};
		check_equal(rill_timer_start(peer.lane, &timers[i], RILL_TIMER_MAX_US), 0);
	}
	writes(10);
	expect(ACK | PSH, 11, 1, .len = 10);
	peer_sends(ACK, 1, 16);
	check_equal(nodes, 1); /* five bytes are out */
	peer_sends(ACK, 1, 21);
	check_equal(nodes, 0);
	writes(10);
	expect(ACK | PSH, 21, 1, .len = 10);
	advance(3000);
	expect(ACK | PSH, 21, 1, .len = 10);
	hears_all();
	for (unsigned int i = 0; i < TIMERS_CROWD; i++)
		check_equal(rill_timer_stop(peer.lane, &timers[i]), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		dialogue(test_nodes_that_wait_for_nothing_go_where_there_are_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
