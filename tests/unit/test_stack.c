/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A stack's life on DPDK's ring devices, without root: what cannot be brought up is refused with a
 * sentence and leaves neither device nor memory behind; callbacks come on the lane's thread in their
 * order; stop and drain end the run from anywhere, also before it began.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <rte_ethdev.h>
#include <rte_malloc.h>
#include <rte_mempool.h>
#include <string.h>

#include <rill/rill.h>

/* One core, whatever the machine has; memory for some lanes only. */
static const char *const eal_args[] = {"--no-huge", "--no-pci", "--no-shconf", "--no-telemetry",
	"--iova-mode=va", "-m192", "--log-level=*:critical", "--lcores=0@0"};

static void
good_config(struct rill_config *config)
{
	rill_config_default(config);
	config->ports_count = 1;
	config->ports[0].name = "net_ring0";
	assert_int_equal(rill_prefix_parse("192.0.2.1/24", &config->ports[0].addrs[0]), 0);
	config->ports[0].addrs_count = 1;
	config->limits.max_conns = 16;
	config->limits.buffers = 4096;
	config->eal_args = eal_args;
	config->eal_args_count = sizeof(eal_args) / sizeof(eal_args[0]);
}

static struct rill_stack *
make(const struct rill_config *config)
{
	struct rill_stack *stack = NULL;

	if (rill_stack_create(config, &stack) != 0)
		fail_msg("%s", rill_error());
	return stack;
}

/* ---- refusals */

struct usage {
	struct rte_malloc_socket_stats heap;
	unsigned int pools, ports;
};

static void
count_pool(struct rte_mempool *pool, void *arg)
{
	(*(unsigned int *)arg)++;
}

static struct usage
usage(void)
{
	struct usage now = {.ports = rte_eth_dev_count_avail()};

	assert_int_equal(rte_malloc_get_socket_stats(0, &now.heap), 0);
	rte_mempool_walk(count_pool, &now.pools);
	return now;
}

#define ROWS(X)                                                                                    \
	X(config, c->lanes = 17, -EINVAL, "lanes: 17", "at most 16")                                       \
	X(port, c->ports[0].name = "net_rnig0", -ENODEV, "net_rnig0", "driver's with a number")    \
	X(pci, c->ports[0].name = "0000:ff:1f.7", -ENODEV, "0000:ff:1f.7", "lspci")             \
	X(rings, c->ports[0].rx_desc = 4096, -EINVAL, "limits.buffers: 4096", "4096 and 1024")     \
	X(buffers, c->limits.buffers = 1u << 20, -ENOMEM, "limits.buffers", "1048576")             \
	X(conns, c->limits.max_conns = 1u << 28, -ENOMEM, "max_conns", "268435456")                \
	X(carried, small_rings(c), -EINVAL, "limits.buffers: 1200", "1664 or more, or one lane") \
	X(cores, two_ports(c), -EINVAL, "2 lanes that poll", "idle_sleep_us")

static void
two_ports(struct rill_config *config)
{
	config->ports[1] = config->ports[0];
	config->ports[1].name = "net_ring1";
	config->ports_count = 2;
}

/* Enough for the port's rings, but not for those that lanes share it by. */
static void
small_rings(struct rill_config *config)
{
	config->lanes = 2;
	config->ports[0].rx_desc = config->ports[0].tx_desc = 64;
	config->limits.buffers = 1200;
}

#define X(name, change, ...)                                                                       \
	static void wrong_##name(struct rill_config *c)                                            \
	{                                                                                          \
		change;                                                                            \
	}
ROWS(X)
#undef X

static const struct {
	const char *name;
	void (*change)(struct rill_config *);
	int err;
	const char *words[2];
} rows[] = {
#define X(name, change, err, ...) {#name, wrong_##name, err, {__VA_ARGS__}},
	ROWS(X)
#undef X
};

static void
test_refusals_are_sentences_and_leave_nothing(void **state)
{
	struct rill_config config;
	struct usage before, after;

	good_config(&config);
	rill_stack_destroy(make(&config));
	before = usage();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rill_stack *stack;
		int err;

		good_config(&config);
		rows[i].change(&config);
		err = rill_stack_create(&config, &stack);
		if (err != rows[i].err || stack != NULL || strstr(rill_error(), rows[i].words[0]) == NULL ||
			strstr(rill_error(), rows[i].words[1]) == NULL)
			fail_msg("%s: %d: %s", rows[i].name, err, rill_error());
		after = usage();
		if (after.ports != before.ports || after.pools != before.pools)
			fail_msg("%s: left a port or a pool behind", rows[i].name);
	}
	good_config(&config);
	rill_stack_destroy(make(&config));
	rill_stack_destroy(NULL);
}

/* Lanes that sleep may share a core. */
static void
test_lanes_that_sleep_may_share_a_core(void **state)
{
	struct rill_config config;
	struct rill_stack *stack;

	good_config(&config);
	two_ports(&config);
	config.idle_sleep_us = 100;
	stack = make(&config);
	assert_int_equal(rill_stack_lanes(stack), 2);
	assert_int_equal(rill_lane_index(rill_stack_lane(stack, 1)), 1);
	assert_null(rill_stack_lane(stack, 2));
	rill_stack_drain(stack, 0);
	assert_int_equal(rill_stack_run(stack), 0);
	rill_stack_destroy(stack);
}

/* ---- running */

static struct {
	struct rill_stack *stack;
	pthread_t started_on;
	unsigned int started, idles, closed;
	bool connect, drain;
	enum rill_close_reason why;
	uint64_t start_us, first_idle_us;
} run;

static void
on_close(struct rill_conn *conn, enum rill_close_reason why)
{
	assert_true(pthread_equal(run.started_on, pthread_self()));
	run.closed++;
	run.why = why;
}

static const struct rill_handler handler = {.on_close = on_close};

static void
on_start(struct rill_lane *lane, void *user)
{
	struct rill_endpoint remote = {.port = 80};
	struct rill_conn *conn;

	assert_ptr_equal(user, &run);
	assert_int_equal(run.idles, 0);
	run.started++;
	run.started_on = pthread_self();
	run.start_us = rill_lane_now(lane);
	if (run.connect) {
		assert_int_equal(rill_addr_parse("192.0.2.9", &remote.addr), 0);
		assert_int_equal(rill_connect(lane, NULL, &remote, NULL, &handler, NULL, &conn), 0);
	}
}

static void
on_idle(struct rill_lane *lane, void *user)
{
	if (run.idles++ == 0)
		run.first_idle_us = rill_lane_now(lane);
	if (run.idles < 10)
		return;
	if (run.drain)
		rill_stack_drain(run.stack, 1000);
	else
		rill_stack_stop(run.stack);
}

static struct rill_stack *
make_running(bool connect, bool drain, uint32_t idle_sleep_us)
{
	struct rill_config config;

	good_config(&config);
	memset(&run, 0, sizeof(run));
	run.connect = connect;
	run.drain = drain;
	config.user = &run;
	config.idle_sleep_us = idle_sleep_us;
	config.on_lane_start = on_start;
	config.on_lane_idle = on_idle;
	return run.stack = make(&config);
}

static void
end(void)
{
	struct rill_stats stats;

	assert_int_equal(rill_stats_read(run.stack, &stats), 0);
	assert_int_equal(stats.conns, 0);
	assert_int_equal(stats.conns_limit, 16);
	assert_true(stats.turns >= run.idles);
	rill_stack_destroy(run.stack);
}

static void
test_a_lane_starts_idles_and_is_stopped(void **state)
{
	static const uint32_t sleeps[] = {0, 50};

	for (int i = 0; i < 2; i++) {
		make_running(true, false, sleeps[i]);
		assert_int_equal(rill_stack_run(run.stack), 0);
		assert_int_equal(run.started, 1);
		assert_true(run.idles >= 10);
		assert_true(pthread_equal(run.started_on, pthread_self()));
		/* Time was right at the start: not that of the stack's making, nor 0. */
		assert_in_range(run.first_idle_us - run.start_us, 0, 10000000);
		assert_int_equal(run.closed, 1);
		assert_int_equal(run.why, RILL_CLOSE_STOPPED);
		end();
	}
}

static void
test_a_drain_past_its_deadline_aborts_and_says_so(void **state)
{
	make_running(true, true, 0);
	assert_int_equal(rill_stack_run(run.stack), -ETIME);
	assert_int_equal(run.closed, 1);
	assert_int_equal(run.why, RILL_CLOSE_STOPPED);
	end();
}

static void
test_a_drain_of_an_empty_stack_ends_it(void **state)
{
	make_running(false, true, 0);
	assert_int_equal(rill_stack_run(run.stack), 0);
	assert_int_equal(run.closed, 0);
	end();
}

static void
test_stop_before_the_run_is_not_forgotten(void **state)
{
	make_running(true, false, 0);
	rill_stack_stop(run.stack);
	assert_int_equal(rill_stack_run(run.stack), 0);
	assert_int_equal(run.idles, 0);
	assert_int_equal(run.closed, 1);
	end();
}

static void *
run_main(void *arg)
{
	return (void *)(intptr_t)rill_stack_run(arg);
}

/* EAL does not know the caller's thread: it is registered for the run. */
static void
test_any_thread_may_run_it(void **state)
{
	pthread_t thread;
	void *result;

	make_running(true, false, 0);
	assert_int_equal(pthread_create(&thread, NULL, run_main, run.stack), 0);
	assert_int_equal(pthread_join(thread, &result), 0);
	assert_null(result);
	assert_int_equal(run.closed, 1);
	end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refusals_are_sentences_and_leave_nothing),
		cmocka_unit_test(test_lanes_that_sleep_may_share_a_core),
		cmocka_unit_test(test_a_lane_starts_idles_and_is_stopped),
		cmocka_unit_test(test_a_drain_past_its_deadline_aborts_and_says_so),
		cmocka_unit_test(test_a_drain_of_an_empty_stack_ends_it),
		cmocka_unit_test(test_stop_before_the_run_is_not_forgotten),
		cmocka_unit_test(test_any_thread_may_run_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
