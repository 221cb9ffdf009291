/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A stack that runs, each lane and the keeper on a thread of its own, and its net_tap port restarted again
 * and again under connections that the kernel's TCP has with it:
 *
 *     kernel 10.77.0.1 ── rilla ═ net_tap0 ── lane 0 ─┬─ lane 1   10.77.0.2
 *                                                     └─ lane 2
 *
 * What was in the port's rings is lost and sent again; no connection is, and no buffer. Exits with 77
 * (skipped) where namespaces cannot be made.
 */
#include "echo_stack.h"

#include <sched.h>

#include "runner.h"

#define CONNS 24
#define RESTARTS 4

static int
start_lanes(unsigned int lanes)
{
	struct rill_config config;

	echo_config(&config);
	config.ports_count = 1;
	config.ports[0].name = "net_tap0,iface=rilla";
	config.ports[0].addrs[0] = prefix("10.77.0.2/24");
	config.ports[0].addrs_count = 1;
	config.lanes = lanes;
	return echo_start(&config, "ip link set lo up && ip addr add 10.77.0.1/24 dev rilla && "
				   "ip link set rilla up");
}

static int
start_one(void **state)
{
	return start_lanes(1);
}

static int
start_three(void **state)
{
	return start_lanes(3);
}

/* As its driver would, on a thread of EAL's. */
static void
tell(unsigned int event)
{
	struct port_events *events = &stack->groups[0].upkeep.events;

	atomic_fetch_or(&events->noted, event);
	events->wake(events->arg);
}

static uint64_t
restarts(void)
{
	return stats_of(0).port_restarts;
}

static void
restart(void)
{
	uint64_t before = restarts();

	tell(PORT_EVENT_RESET);
	for (int ms = 0; ms < PATIENCE_MS && restarts() == before; ms++)
		usleep(1000);
	assert_int_equal(restarts(), before + 1);
}

static void
test_connections_outlive_restarts(void **state)
{
	int fds[CONNS];

	for (int i = 0; i < CONNS; i++) {
		fds[i] = kernel_connect("10.77.0.2", PORT);
		assert_true(fds[i] >= 0);
		expect_echo(fds[i], 100);
	}
	for (int n = 0; n < RESTARTS; n++) {
		restart();
		for (int i = 0; i < CONNS; i++)
			expect_echo(fds[i], 1000);
	}
	for (int i = 0; i < CONNS; i++)
		expect_end(fds[i]);
	expect_service("10.77.0.2", PORT);
	stop();
	assert_int_equal(stats_of(0).port_resets, RESTARTS);
}

static atomic_bool transferred;

static void *
transfer(void *arg)
{
	int fd = kernel_connect("10.77.0.2", PORT);

	assert_true(fd >= 0);
	for (int i = 0; i < 20; i++)
		expect_echo(fd, BULK);
	expect_end(fd);
	transferred = true;
	return NULL;
}

/* In the midst of megabytes both ways. */
static void
test_a_transfer_outlives_restarts(void **state)
{
	pthread_t thread;

	transferred = false;
	assert_int_equal(pthread_create(&thread, NULL, transfer, NULL), 0);
	for (int i = 0; i < 2; i++)
		restart();
	pthread_join(thread, NULL);
	assert_true(transferred);
	stop();
}

/* The stack ends while the port is down, or on its way. */
static void
test_the_end_does_not_wait_for_a_restart(void **state)
{
	tell(PORT_EVENT_RESET);
	stop();
}

int
main(void)
{
#define ROWS(start)                                                                                \
	cmocka_unit_test_setup_teardown(test_connections_outlive_restarts, start, echo_finish),    \
		cmocka_unit_test_setup_teardown(                                                   \
			test_a_transfer_outlives_restarts, start, echo_finish),                    \
		cmocka_unit_test_setup_teardown(                                                   \
			test_the_end_does_not_wait_for_a_restart, start, echo_finish)
	const struct CMUnitTest tests[] = {
		ROWS(start_one),
		ROWS(start_three),
	};

	if (unshare(CLONE_NEWNET) != 0)
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
