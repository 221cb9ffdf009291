/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A stack of two lanes with a net_tap port each, against the kernel's TCP:
 *
 *     kernel 10.77.0.1 ── rilla ═ net_tap0 ── lane 0  10.77.0.2
 *     kernel 10.77.1.1 ── rillb ═ net_tap1 ── lane 1  10.77.1.2
 *
 * all in a network namespace of this test's own. Both lanes accept and echo, each on its thread; posts
 * go from lane to lane and back; listeners and addresses come and go while the stack runs, on all
 * lanes or on none; drain waits for who is connected, up to its deadline; afterwards no buffer is
 * missing and the same ports can be had again. Exits with 77 (skipped) where namespaces cannot be
 * made.
 */
#include "echo_stack.h"

#include <sched.h>

#define LANES 2
#define POSTS 1000

static int
start(void **state)
{
	struct rill_config config;

	echo_config(&config);
	config.ports_count = LANES;
	config.ports[0].name = "net_tap0,iface=rilla";
	config.ports[0].addrs[0] = prefix("10.77.0.2/24");
	config.ports[1].name = "net_tap1,iface=rillb";
	config.ports[1].addrs[0] = prefix("10.77.1.2/24");
	for (int i = 0; i < LANES; i++)
		config.ports[i].addrs_count = 1;
	return echo_start(&config, "ip link set lo up && "
				   "ip addr add 10.77.0.1/24 dev rilla && ip link set rilla up && "
				   "ip addr add 10.77.1.1/24 dev rillb && ip link set rillb up");
}

static void
test_both_lanes_echo_each_on_its_own_thread(void **state)
{
	int a = kernel_connect("10.77.0.2", PORT), b = kernel_connect("10.77.1.2", PORT);

	assert_true(a >= 0 && b >= 0);
	expect_echo(a, BULK);
	expect_echo(b, BULK);
	expect_end(a);
	expect_end(b);
	assert_int_equal(opened[0], 1);
	assert_int_equal(opened[1], 1);
	assert_false(pthread_equal(thread_of(0), thread_of(1)));
	stop();
}

static atomic_uint hops, posts_refused;

static void
hop(struct rill_lane *lane, void *arg)
{
	struct rill_lane *other = rill_stack_lane(stack, !rill_lane_index(lane));

	check_thread(lane);
	if (++hops < POSTS && rill_lane_post(other, hop, NULL) != 0)
		posts_refused++;
}

static void
test_posts_go_from_lane_to_lane(void **state)
{
	hops = posts_refused = 0;
	assert_int_equal(rill_lane_post(rill_stack_lane(stack, 0), hop, NULL), 0);
	assert_true(becomes(&hops, POSTS));
	assert_int_equal(posts_refused, 0);
	stop();
}

static void
test_listeners_come_and_go_while_the_stack_runs(void **state)
{
	struct rill_listener *listener;
	int child;

	assert_int_equal(kernel_connect("10.77.0.2", PORT + 1), -ECONNREFUSED);
	assert_int_equal(rill_listen(stack, NULL, PORT + 1, NULL, &echo, NULL, &listener), 0);
	expect_service("10.77.0.2", PORT + 1);
	expect_service("10.77.1.2", PORT + 1);
	child = kernel_connect("10.77.1.2", PORT + 1);
	assert_true(child >= 0);
	expect_echo(child, 10);
	assert_int_equal(rill_unlisten(listener), 0);
	assert_int_equal(kernel_connect("10.77.0.2", PORT + 1), -ECONNREFUSED);
	assert_int_equal(kernel_connect("10.77.1.2", PORT + 1), -ECONNREFUSED);
	expect_echo(child, 10);
	expect_end(child);
	stop();
}

static atomic_int lane_said;
static atomic_uint lane_answers;
static struct rill_listener *lane_listener;

static void
listen_on_lane(struct rill_lane *lane, void *arg)
{
	lane_said = rill_lane_listen(lane, NULL, PORT + 2, NULL, &echo, NULL, &lane_listener);
	lane_answers++;
}

static void
listen_from_lane(struct rill_lane *lane, void *arg)
{
	struct rill_listener *listener;

	lane_said = rill_listen(stack, NULL, PORT + 3, NULL, &echo, NULL, &listener);
	lane_answers++;
}

static void
test_listening_is_for_all_lanes_or_none(void **state)
{
	struct rill_listener *listener;

	lane_answers = 0;
	assert_int_equal(rill_lane_post(rill_stack_lane(stack, 1), listen_on_lane, NULL), 0);
	assert_true(becomes(&lane_answers, 1));
	assert_int_equal(lane_said, 0);
	expect_service("10.77.1.2", PORT + 2);
	assert_int_equal(rill_listen(stack, NULL, PORT + 2, NULL, &echo, NULL, &listener), -EADDRINUSE);
	assert_int_equal(kernel_connect("10.77.0.2", PORT + 2), -ECONNREFUSED);
	expect_service("10.77.1.2", PORT + 2);
	/* A lane cannot wait for the others. */
	assert_int_equal(rill_lane_post(rill_stack_lane(stack, 0), listen_from_lane, NULL), 0);
	assert_true(becomes(&lane_answers, 2));
	assert_int_equal(lane_said, -EDEADLK);
	stop();
}

static void
test_an_address_is_listened_on_where_it_is(void **state)
{
	struct rill_listener *listener;
	struct rill_prefix ours = prefix("10.77.1.2"), foreign = prefix("10.77.9.9");

	assert_int_equal(
		rill_listen(stack, &foreign.addr, PORT + 4, NULL, &echo, NULL, &listener), -EADDRNOTAVAIL);
	assert_int_equal(rill_listen(stack, &ours.addr, PORT + 4, NULL, &echo, NULL, &listener), 0);
	expect_service("10.77.1.2", PORT + 4);
	assert_int_equal(kernel_connect("10.77.0.2", PORT + 4), -ECONNREFUSED);
	assert_int_equal(rill_unlisten(listener), 0);
	assert_int_equal(kernel_connect("10.77.1.2", PORT + 4), -ECONNREFUSED);
	stop();
}

static void
test_addresses_and_routes_come_and_go_while_the_stack_runs(void **state)
{
	struct rill_prefix more = prefix("10.77.0.3/24"), dst = prefix("10.78.0.0/16");
	struct rill_addr gateway = prefix("10.77.1.1").addr, far = prefix("10.99.0.1").addr;
	int fd;

	assert_int_equal(rill_addr_add(stack, 0, &more), 0);
	assert_int_equal(rill_addr_add(stack, 0, &more), -EEXIST);
	assert_int_equal(rill_addr_add(stack, LANES, &more), -EINVAL);
	expect_service("10.77.0.3", PORT);
	assert_int_equal(rill_addr_del(stack, 0, &more.addr), 0);
	assert_int_equal(rill_addr_del(stack, 0, &more.addr), -ENOENT);
	assert_int_equal(rill_route_add(stack, 1, &dst, &gateway, 0), 0);
	assert_int_equal(rill_route_add(stack, 1, &dst, &gateway, 0), -EEXIST);
	assert_int_equal(rill_route_add(stack, 0, &dst, &far, 0), -EINVAL);
	/* A second address of the kernel's, reached by that route. */
	assert_int_equal(system("ip addr add 10.78.0.1/32 dev lo"), 0);
	fd = kernel_connect_from("10.78.0.1", "10.77.1.2", PORT);
	assert_true(fd >= 0);
	expect_echo(fd, 100);
	expect_end(fd);
	assert_int_equal(rill_route_del(stack, 1, &dst, NULL), 0);
	assert_int_equal(rill_route_del(stack, 1, &dst, NULL), -ENOENT);
	stop();
}

static void
test_drain_waits_for_who_is_connected(void **state)
{
	int fd = kernel_connect("10.77.0.2", PORT);

	assert_true(fd >= 0);
	expect_echo(fd, 10);
	rill_stack_drain(stack, 1000000ull * 3600);
	while (kernel_connect("10.77.0.2", PORT) != -ECONNREFUSED)
		usleep(1000);
	expect_echo(fd, BULK);
	expect_end(fd);
	join(0);
}

static void
test_drain_aborts_who_stays_too_long(void **state)
{
	int fd = kernel_connect("10.77.1.2", PORT);
	char byte;

	assert_true(fd >= 0);
	expect_echo(fd, 10);
	rill_stack_drain(stack, 100000);
	join(-ETIME);
	assert_int_equal(recv(fd, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	close(fd);
}

static void
test_stop_resets_who_is_connected(void **state)
{
	int fd = kernel_connect("10.77.1.2", PORT);
	char byte;

	assert_true(fd >= 0);
	expect_echo(fd, 10);
	stop();
	assert_int_equal(recv(fd, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	close(fd);
}

/* Without threads the calls are carried out at once. */
static void
test_calls_work_before_and_after_the_run(void **state)
{
	struct rill_listener *listener;

	stop();
	assert_int_equal(rill_listen(stack, NULL, PORT + 5, NULL, &echo, NULL, &listener), 0);
	assert_int_equal(rill_listen(stack, NULL, PORT + 5, NULL, &echo, NULL, &listener), -EADDRINUSE);
}

int
main(void)
{
#define ROW(test) cmocka_unit_test_setup_teardown(test, start, echo_finish)
	const struct CMUnitTest tests[] = {
		ROW(test_both_lanes_echo_each_on_its_own_thread),
		ROW(test_posts_go_from_lane_to_lane),
		ROW(test_listeners_come_and_go_while_the_stack_runs),
		ROW(test_listening_is_for_all_lanes_or_none),
		ROW(test_an_address_is_listened_on_where_it_is),
		ROW(test_addresses_and_routes_come_and_go_while_the_stack_runs),
		ROW(test_drain_waits_for_who_is_connected),
		ROW(test_drain_aborts_who_stays_too_long),
		ROW(test_stop_resets_who_is_connected),
		ROW(test_calls_work_before_and_after_the_run),
	};

	if (unshare(CLONE_NEWNET) != 0)
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
