/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A stack of four lanes that share a net_tap port with one queue, against the kernel's TCP:
 *
 *     kernel 10.77.0.1 ── rilla ═ net_tap0 ── lane 0 ─┬─ lane 1
 *                                                     ├─ lane 2    all of them 10.77.0.2
 *                                                     └─ lane 3
 *
 * in a network namespace of this test's own. Connections from the kernel spread over all lanes and
 * stay on theirs; those that a lane opens come back to it; neighbours, ICMP errors and addresses are
 * known on every lane that needs them; all answer strangers alike; drain and stop leave no buffer in
 * anybody's hands. The lanes are more than the machine may have cores. Exits with 77 (skipped) where
 * namespaces cannot be made.
 */
#include "echo_stack.h"

#include <fcntl.h>
#include <sched.h>

#define LANES 4
#define CONNS 64 /* from ports in a row: each lane gets some */
#define CONNS_OF_LANE 12

static int
start(void **state)
{
	struct rill_config config;

	echo_config(&config);
	config.ports_count = 1;
	config.ports[0].name = "net_tap0,iface=rilla";
	config.ports[0].addrs[0] = prefix("10.77.0.2/24");
	config.ports[0].addrs_count = 1;
	config.ports[0].gateway = prefix("10.77.0.1").addr;
	config.lanes = LANES;
	return echo_start(&config, "ip link set lo up && ip addr add 10.77.0.1/24 dev rilla && "
				   "ip link set rilla up");
}

static unsigned int
sum(atomic_uint *values)
{
	unsigned int all = 0;

	for (int i = 0; i < LANES; i++)
		all += values[i];
	return all;
}

static int
connect_or_fail(uint16_t port)
{
	int fd = kernel_connect("10.77.0.2", port);

	if (fd < 0)
		fail_msg("connect: %s", strerror(-fd));
	return fd;
}

/* ---- the tests */

static void
test_connections_spread_over_all_lanes(void **state)
{
	int fds[CONNS];
	struct rill_stats all;

	for (int i = 0; i < CONNS; i++)
		fds[i] = connect_or_fail(PORT);
	for (int i = 0; i < CONNS; i++)
		expect_echo(fds[i], (size_t)(1 + i * 97));
	for (int i = 0; i < LANES; i++) {
		expect_echo(fds[i], BULK);
		assert_true(opened[i] > 0);
	}
	assert_int_equal(sum(opened), CONNS);
	for (int i = 0; i < CONNS; i++)
		expect_end(fds[i]);
	stop();
	assert_int_equal(rill_stats_read(stack, &all), 0);
	assert_int_equal(all.passive_opens, CONNS);
	for (unsigned int i = 0; i < LANES; i++) {
		assert_int_equal(stats_of(i).passive_opens, opened[i]);
		assert_int_equal(stats_of(i).drops[RILL_DROP_tcp_no_listener], 0);
		assert_true(i == 0 || stats_of(i).frames_handed == 0);
	}
	assert_true(stats_of(0).frames_handed > 0);
	assert_string_equal(rill_stack_spread(stack, 0),
		"4 lanes, spread by lane 0 (port \"net_tap0,iface=rilla\": net_tap offers no RSS that works)");
}

/* A closed port is refused at once whichever lane is asked: RST leaves through the carrier. */
static void
test_all_lanes_refuse_and_reset(void **state)
{
	int fds[CONNS];
	char byte;

	for (int i = 0; i < CONNS; i++)
		assert_int_equal(kernel_connect("10.77.0.2", PORT + 1), -ECONNREFUSED);
	for (int i = 0; i < CONNS; i++) {
		fds[i] = connect_or_fail(PORT);
		expect_echo(fds[i], 10);
	}
	stop();
	for (int i = 0; i < CONNS; i++) {
		assert_int_equal(recv(fds[i], &byte, 1, 0), -1);
		assert_int_equal(errno, ECONNRESET);
		close(fds[i]);
	}
	for (int i = 0; i < LANES; i++)
		assert_true(stats_of(i).drops[RILL_DROP_tcp_no_listener] > 0);
}

/* A kernel that aborts its connections ends them on whatever lane they are. */
static void
test_resets_reach_every_lane(void **state)
{
	const struct linger at_once = {.l_onoff = 1};
	int fds[CONNS];

	for (int i = 0; i < CONNS; i++) {
		fds[i] = connect_or_fail(PORT);
		expect_echo(fds[i], 10);
		setsockopt(fds[i], SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	}
	for (int i = 0; i < CONNS; i++)
		close(fds[i]);
	for (int i = 0; i < LANES; i++)
		assert_true(opened[i] > 0 && becomes(&closed[i], opened[i]));
	stop();
}

/* ---- lanes that connect */

static struct rill_endpoint target;
static unsigned int target_conns; /* from each lane */
static atomic_uint connect_failed;

static void
connect_from(struct rill_lane *lane, void *arg)
{
	struct rill_conn *conn;

	for (unsigned int i = 0; i < target_conns; i++)
		if (rill_connect(lane, NULL, &target, NULL, &echo, NULL, &conn) != 0)
			connect_failed++;
}

static void
connect_from_all(const char *to, uint16_t port, unsigned int conns)
{
	target_conns = conns;
	target = (struct rill_endpoint){.addr = prefix(to).addr, .port = port};
	connect_failed = 0;
	for (unsigned int i = 0; i < LANES; i++)
		assert_int_equal(rill_lane_post(rill_stack_lane(stack, i), connect_from, NULL), 0);
}

static int
kernel_listen(uint16_t port)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, LANES * CONNS_OF_LANE), 0);
	return fd;
}

/*
 * All lanes ask for the kernel's MAC address, and the answers all come to the carrier; each
 * SYN-ACK comes back to the lane of its SYN, which chose its port so.
 */
static void
test_what_a_lane_opens_comes_back_to_it(void **state)
{
	int fds[LANES * CONNS_OF_LANE], listening = kernel_listen(PORT);

	connect_from_all("10.77.0.1", PORT, CONNS_OF_LANE);
	for (int i = 0; i < LANES * CONNS_OF_LANE; i++) {
		fds[i] = accept(listening, NULL, NULL);
		assert_true(fds[i] >= 0);
	}
	for (int i = 0; i < LANES; i++)
		assert_true(becomes(&opened[i], CONNS_OF_LANE));
	for (int i = 0; i < LANES * CONNS_OF_LANE; i++) {
		expect_echo(fds[i], 5000);
		expect_end(fds[i]);
	}
	assert_int_equal(connect_failed, 0);
	close(listening);
	stop();
	for (int i = 1; i < LANES; i++)
		assert_true(stats_of(i).news_in > 0);
}

static atomic_uint said;
static atomic_int foreign_rc;

/* A port that the hash gives to another lane cannot be had. */
static void
try_all_ports(struct rill_lane *lane, void *arg)
{
	struct rill_endpoint local = {.port = 1024};
	struct rill_conn *conn;
	unsigned int ours = 0;

	for (; local.port < 1024 + 400; local.port++) {
		int rc = rill_connect(lane, &local, &target, NULL, &echo, NULL, &conn);

		if (rc == 0)
			rill_abort(conn);
		else
			foreign_rc = rc;
		ours += rc == 0;
	}
	said += ours;
}

static void
test_a_source_port_belongs_to_one_lane(void **state)
{
	target = (struct rill_endpoint){.addr = prefix("10.77.0.1").addr, .port = PORT};
	said = 0;
	for (unsigned int i = 0; i < LANES; i++)
		assert_int_equal(rill_lane_post(rill_stack_lane(stack, i), try_all_ports, NULL), 0);
	assert_true(becomes(&said, 400));
	assert_int_equal(foreign_rc, -EADDRNOTAVAIL);
	stop();
}

static void
set_sysctl(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, value, strlen(value)), (ssize_t)strlen(value));
	close(fd);
}

/* The kernel as a router without a way on: what it says, a few times a second, comes to the carrier. */
static void
test_icmp_errors_reach_the_lane_of_their_connection(void **state)
{
	set_sysctl("/proc/sys/net/ipv4/ip_forward", "1");
	set_sysctl("/proc/sys/net/ipv4/icmp_ratelimit", "0");
	assert_int_equal(system("ip route add unreachable 10.78.0.0/16"), 0);
	connect_from_all("10.78.0.9", PORT, 1);
	for (int i = 0; i < LANES; i++)
		assert_true(becomes(&errors[i], 1));
	assert_int_equal(system("ip route del unreachable 10.78.0.0/16"), 0);
	assert_int_equal(connect_failed, 0);
	stop();
	for (int i = 1; i < LANES; i++)
		assert_true(stats_of(i).news_in > 0);
}

static void
test_ping_is_answered(void **state)
{
	assert_int_equal(system("ping -q -c 5 -i 0.01 -W 5 10.77.0.2 >/dev/null"), 0);
	stop();
}

static void
test_addresses_are_those_of_all_lanes(void **state)
{
	struct rill_prefix more = prefix("10.77.0.3/24");

	assert_int_equal(rill_addr_add(stack, 0, &more), 0);
	assert_int_equal(rill_addr_add(stack, 0, &more), -EEXIST);
	for (int i = 0; i < CONNS; i++)
		expect_service("10.77.0.3", PORT);
	for (int i = 0; i < LANES; i++)
		assert_true(opened[i] > 0);
	assert_int_equal(rill_addr_del(stack, 0, &more.addr), 0);
	assert_int_equal(rill_addr_del(stack, 0, &more.addr), -ENOENT);
	stop();
}

static void
add_on_lane(struct rill_lane *lane, void *arg)
{
	rill_lane_addr_add(lane, arg);
	said++;
}

/* Lane 2 has it already: the others do not keep it. */
static void
test_an_address_is_added_on_all_lanes_or_none(void **state)
{
	struct rill_prefix more = prefix("10.77.0.3/24");

	said = 0;
	assert_int_equal(rill_lane_post(rill_stack_lane(stack, 2), add_on_lane, &more), 0);
	assert_true(becomes(&said, 1));
	assert_int_equal(rill_addr_add(stack, 0, &more), -EEXIST);
	assert_int_equal(system("ping -q -c 1 -W 1 10.77.0.3 >/dev/null") == 0, 0);
	stop();
}

/* ---- changes by several threads */

static atomic_uint held, released;
static atomic_int add_rc, del_rc;
static struct rill_prefix changed;

static void
hold_lane(struct rill_lane *lane, void *arg)
{
	held++;
	while (released == 0)
		usleep(100);
}

static atomic_uint looked, seen;

static void
look_for_address(struct rill_lane *lane, void *arg)
{
	struct rill_listener *listener;

	if (rill_lane_listen(lane, &changed.addr, PORT + 1, NULL, &echo, NULL, &listener) == 0) {
		seen++;
		rill_unlisten(listener);
	}
	looked++;
}

static bool
lane_has_address(unsigned int lane)
{
	looked = seen = 0;
	assert_int_equal(
		rill_lane_post(rill_stack_lane(stack, lane), look_for_address, NULL), 0);
	assert_true(becomes(&looked, 1));
	return seen > 0;
}

static void *
add_address(void *arg)
{
	add_rc = rill_addr_add(stack, 0, &changed);
	return NULL;
}

static void *
del_address(void *arg)
{
	del_rc = rill_addr_del(stack, 0, &changed.addr);
	return NULL;
}

static void
hold_lane_1(void)
{
	held = released = 0;
	assert_int_equal(rill_lane_post(rill_stack_lane(stack, 1), hold_lane, NULL), 0);
	assert_true(becomes(&held, 1));
}

/*
 * While one thread's change waits for a lane, another's waits for all of it: none sees half of one.
 * The carrier, which answers for all lanes, is the last to get an address and the first to lose it.
 */
static void
test_changes_come_one_after_the_other(void **state)
{
	pthread_t adds, dels;

	changed = prefix("10.77.0.3/24");
	hold_lane_1();
	assert_int_equal(pthread_create(&adds, NULL, add_address, NULL), 0);
	while (!lane_has_address(2))
		usleep(1000);
	assert_false(lane_has_address(0));
	assert_int_equal(pthread_create(&dels, NULL, del_address, NULL), 0);
	usleep(20000); /* time to get it wrong */
	released = 1;
	pthread_join(adds, NULL);
	pthread_join(dels, NULL);
	assert_int_equal(add_rc, 0);
	assert_int_equal(del_rc, 0);
	assert_int_equal(rill_addr_add(stack, 0, &changed), 0);
	hold_lane_1();
	assert_int_equal(pthread_create(&dels, NULL, del_address, NULL), 0);
	while (lane_has_address(0))
		usleep(1000);
	assert_true(lane_has_address(2));
	released = 1;
	pthread_join(dels, NULL);
	stop();
}

/* Lanes that are empty early go on refusing until the last is. */
static void
test_drain_waits_for_who_is_connected_anywhere(void **state)
{
	int fd = connect_or_fail(PORT);

	expect_echo(fd, 10);
	rill_stack_drain(stack, 1000000ull * 3600);
	while (kernel_connect("10.77.0.2", PORT) != -ECONNREFUSED)
		usleep(1000);
	usleep(20000);
	for (int i = 0; i < CONNS; i++)
		assert_int_equal(kernel_connect("10.77.0.2", PORT), -ECONNREFUSED);
	expect_echo(fd, BULK);
	expect_end(fd);
	join(0);
	assert_int_equal(rill_stack_run(stack), 0); /* once more: it is still drained */
}

int
main(void)
{
#define ROW(test) cmocka_unit_test_setup_teardown(test, start, echo_finish)
	const struct CMUnitTest tests[] = {
		ROW(test_connections_spread_over_all_lanes),
		ROW(test_all_lanes_refuse_and_reset),
		ROW(test_resets_reach_every_lane),
		ROW(test_what_a_lane_opens_comes_back_to_it),
		ROW(test_a_source_port_belongs_to_one_lane),
		ROW(test_icmp_errors_reach_the_lane_of_their_connection),
		ROW(test_ping_is_answered),
		ROW(test_addresses_are_those_of_all_lanes),
		ROW(test_an_address_is_added_on_all_lanes_or_none),
		ROW(test_changes_come_one_after_the_other),
		ROW(test_drain_waits_for_who_is_connected_anywhere),
	};

	if (unshare(CLONE_NEWNET) != 0)
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
