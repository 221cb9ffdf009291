/* SPDX-License-Identifier: BSD-3-Clause */
#include "echo_stack.h"

#include <rte_mbuf.h>

struct rill_stack *stack;
atomic_uint opened[ECHO_LANES_MAX], closed[ECHO_LANES_MAX], errors[ECHO_LANES_MAX];

static pthread_t runner;
static int run_result;
static bool running;
static pthread_t lane_threads[ECHO_LANES_MAX];
static atomic_uint lanes_started, wrong_thread;

void
check_thread(struct rill_lane *lane)
{
	if (!pthread_equal(pthread_self(), lane_threads[rill_lane_index(lane)]))
		wrong_thread++;
}

pthread_t
thread_of(unsigned int lane)
{
	return lane_threads[lane];
}

/* ---- the application: echo */

static unsigned int
lane_of(struct rill_conn *conn)
{
	struct rill_lane *lane = rill_conn_lane(conn);

	check_thread(lane);
	return rill_lane_index(lane);
}

static void
echo_open(struct rill_conn *conn)
{
	opened[lane_of(conn)]++;
}

/* What the send queue had no room for waits as the connection's user pointer, and nothing more comes. */
static void
echo_data(struct rill_conn *conn, struct rte_mbuf *data)
{
	int err = rill_send(conn, data);

	lane_of(conn);
	if (err == -EAGAIN && rill_conn_user(conn) == NULL && rill_pause(conn) == 0) {
		rill_conn_set_user(conn, data);
	} else if (err != 0) {
		rte_pktmbuf_free(data);
		rill_abort(conn);
	}
}

static void
echo_sent(struct rill_conn *conn, uint32_t bytes_acked)
{
	struct rte_mbuf *data = rill_conn_user(conn);

	if (data != NULL && rill_send(conn, data) == 0) {
		rill_conn_set_user(conn, NULL);
		rill_resume(conn);
	}
}

static void
echo_eof(struct rill_conn *conn)
{
	rill_close(conn);
}

static void
echo_close(struct rill_conn *conn, enum rill_close_reason why)
{
	closed[lane_of(conn)]++;
	rte_pktmbuf_free(rill_conn_user(conn));
}

static void
echo_error(struct rill_conn *conn, int error)
{
	errors[lane_of(conn)] += error == EHOSTUNREACH;
	rill_abort(conn);
}

const struct rill_handler echo = {
	.on_open = echo_open,
	.on_data = echo_data,
	.on_sent = echo_sent,
	.on_eof = echo_eof,
	.on_close = echo_close,
	.on_error = echo_error,
};

static void
lane_started(struct rill_lane *lane, void *user)
{
	lane_threads[rill_lane_index(lane)] = pthread_self();
	lanes_started++;
}

/* ---- the stack */

static void *
run_main(void *arg)
{
	run_result = rill_stack_run(stack);
	return NULL;
}

void
echo_config(struct rill_config *config)
{
	rill_config_default(config);
	config->limits.max_conns = 256;
	config->limits.buffers = 4096;
	config->limits.msl_ms = 50;
	config->idle_sleep_us = 200;
	config->on_lane_start = lane_started;
}

int
echo_start(const struct rill_config *config, const char *kernel_up)
{
	struct rill_listener *listener;

	block_signals(false);
	if (rill_stack_create(config, &stack) != 0)
		fail_msg("%s", rill_error());
	assert_in_range(rill_stack_lanes(stack), 1, ECHO_LANES_MAX);
	assert_int_equal(system(kernel_up), 0);
	assert_int_equal(rill_listen(stack, NULL, PORT, NULL, &echo, NULL, &listener), 0);
	lanes_started = wrong_thread = 0;
	for (int i = 0; i < ECHO_LANES_MAX; i++)
		opened[i] = closed[i] = errors[i] = 0;
	block_signals(true);
	assert_int_equal(pthread_create(&runner, NULL, run_main, NULL), 0);
	running = true;
	while (lanes_started < rill_stack_lanes(stack))
		usleep(1000);
	return 0;
}

void
join(int expected)
{
	pthread_join(runner, NULL);
	running = false;
	assert_int_equal(run_result, expected);
	assert_int_equal(wrong_thread, 0);
}

void
stop(void)
{
	rill_stack_stop(stack);
	join(0);
}

struct rill_stats
stats_of(unsigned int lane)
{
	struct rill_stats stats;

	rill_lane_stats_read(rill_stack_lane(stack, lane), &stats);
	return stats;
}

/* Every buffer is back once no connection is left, whoever had it. */
int
echo_finish(void **state)
{
	if (running) /* the test has failed */
		stop();
	for (unsigned int i = 0; i < rill_stack_lanes(stack); i++) {
		struct rill_stats stats = stats_of(i);

		assert_int_equal(stats.conns, 0);
		assert_int_equal(stats.records, 0);
		assert_int_equal(stats.mbufs, 0);
		assert_int_equal(stats.drops[RILL_DROP_spread_full], 0);
		assert_int_equal(stats.drops[RILL_DROP_news_full], 0);
	}
	rill_stack_destroy(stack);
	return 0;
}

bool
becomes(atomic_uint *value, unsigned int wanted)
{
	for (int ms = 0; ms < PATIENCE_MS && *value != wanted; ms++)
		usleep(1000);
	return *value == wanted;
}
