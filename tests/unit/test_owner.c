/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Shared nothing, checked: in a debug build each kind of thing that a lane owns, touched in another
 * lane's turn or by another thread than the one that works for the lane, ends the process with an
 * assertion; the lane itself may, in its turn and, while nobody works for it, whoever has it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <rte_mbuf.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rill/buf.h>

#include "lane.h"

static const struct rill_handler handler;
static struct rill_endpoint remote = {.port = 80};

/* What a lane owns, and what is done to it. */
struct belongings {
	struct rill_lane *lane;
	struct rill_conn *conn;
	struct rill_timer timer;
	struct rte_mbuf *buffer;
};

static struct belongings one, two;

static void
touch_connection(struct belongings *theirs)
{
	rill_conn_user(theirs->conn);
}

static void
touch_connection_to_close_it(struct belongings *theirs)
{
	rill_close(theirs->conn);
}

static void
touch_connection_inside(struct belongings *theirs)
{
	tcp_conn_at(&theirs->lane->tcp, 0);
}

static void
touch_sidecar(struct belongings *theirs)
{
	conn_sidecar(&theirs->lane->tcp, theirs->conn);
}

static void
touch_slab_to_take(struct belongings *theirs)
{
	slab_alloc(&theirs->lane->tcp.records);
}

static void
touch_slab_to_give(struct belongings *theirs)
{
	slab_free(&theirs->lane->tcp.conns, 0);
}

static void
touch_neighbors(struct belongings *theirs)
{
	neighbor_get(net_neighbors(theirs->lane->net), &remote.addr, &remote.addr, true, 0,
		&theirs->lane->outbox);
}

static void
touch_wheel_to_arm(struct belongings *theirs)
{
	rill_timer_start(theirs->lane, &theirs->timer, 1000);
}

static void
touch_wheel_to_cancel(struct belongings *theirs)
{
	rill_timer_stop(theirs->lane, &theirs->timer);
}

static void
touch_wheel_to_expire(struct belongings *theirs)
{
	struct wheel_node *node;

	wheel_expire(&theirs->lane->wheel, theirs->lane->now, &node, 1);
}

static void
touch_pool_to_take(struct belongings *theirs)
{
	struct rte_mbuf *buffer;

	if (rill_buf_alloc(theirs->lane, 10, &buffer) == 0)
		rte_pktmbuf_free(buffer);
}

static void
touch_pool_to_give(struct belongings *theirs)
{
	rte_pktmbuf_free(theirs->buffer);
	theirs->buffer = NULL;
}

static void
touch_lane_to_connect(struct belongings *theirs)
{
	struct rill_conn *conn;

	rill_connect(theirs->lane, NULL, &remote, NULL, &handler, NULL, &conn);
}

static void
touch_lane_to_listen(struct belongings *theirs)
{
	struct rill_listener *listener;

	rill_lane_listen(theirs->lane, NULL, 80, NULL, &handler, NULL, &listener);
}

static const struct {
	const char *name;
	void (*touch)(struct belongings *);
} kinds[] = {
#define ROW(what) {#what, touch_##what}
	ROW(connection),
	ROW(connection_inside),
	ROW(sidecar),
	ROW(slab_to_take),
	ROW(neighbors),
	ROW(wheel_to_arm),
	ROW(wheel_to_cancel),
	ROW(wheel_to_expire),
	ROW(pool_to_take),
	ROW(pool_to_give),
	ROW(lane_to_connect),
	ROW(lane_to_listen),
	ROW(connection_to_close_it),
	ROW(slab_to_give), /* of the connection: nothing comes after that */
#undef ROW
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void
touch_all(struct belongings *theirs)
{
	for (size_t i = 0; i < KINDS; i++)
		kinds[i].touch(theirs);
}

/* ---- the lanes, anew in each process: memory of EAL's is shared with children */

static void
no_timer(struct rill_lane *lane, struct rill_timer *timer)
{
}

static int
make(struct belongings *belongings)
{
	struct rill_lane_config config;
	int err;

	rill_lane_config_default(&config);
	config.ethernet = true;
	config.addrs_count = 1;
	config.limits.max_conns = 16;
	config.limits.buffers = 1024;
	rill_prefix_parse("192.0.2.1/24", &config.addrs[0]);
	err = rill_lane_create(&config, &belongings->lane);
	if (err != 0)
		return err;
	belongings->timer.fn = no_timer;
	rill_timer_start(belongings->lane, &belongings->timer, 1000);
	err = rill_connect(
		belongings->lane, NULL, &remote, NULL, &handler, NULL, &belongings->conn);
	return err == 0 ? rill_buf_alloc(belongings->lane, 10, &belongings->buffer) : err;
}

static int
begin(void)
{
	int err = rill_addr_parse("192.0.2.9", &remote.addr);

	if (err == 0)
		err = make(&one);
	return err == 0 ? make(&two) : err;
}

/* ---- who touches it, and when */

struct act {
	void (*touch)(struct belongings *);
	struct belongings *whose;
};

static void
posted(struct rill_lane *lane, void *arg)
{
	struct act *act = arg;

	act->touch(act->whose);
}

static void
in_a_turn_of_one(struct act *act)
{
	rill_lane_post(one.lane, posted, act);
	rill_lane_turn(one.lane, one.lane->now + 1, NULL, 0);
}

static void
in_no_turn(struct act *act)
{
	act->touch(act->whose);
}

static void *
thread_main(void *arg)
{
	in_no_turn(arg);
	return NULL;
}

static void
on_a_thread(struct act *act)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, thread_main, act) != 0 || pthread_join(thread, NULL) != 0)
		_exit(2);
}

static void
posted_for_a_thread(struct rill_lane *lane, void *arg)
{
	on_a_thread(arg);
}

static void
on_a_thread_in_a_turn_of_one(struct act *act)
{
	rill_lane_post(one.lane, posted_for_a_thread, act);
	rill_lane_turn(one.lane, one.lane->now + 1, NULL, 0);
}

/* ---- what becomes of the process */

/* True: it ended with an assertion about owners. */
static bool
ends_by_assertion(void (*when)(struct act *), void (*touch)(struct belongings *),
	struct belongings *whose)
{
	struct act act = {.touch = touch, .whose = whose};
	char said[4096] = ""; /* EAL has something to say before */
	size_t len = 0;
	ssize_t got;
	int err[2], status;
	pid_t pid;

	assert_int_equal(pipe(err), 0);
	pid = fork();
	if (pid == 0) {
		signal(SIGABRT, SIG_DFL); /* cmocka catches it */
		dup2(err[1], STDERR_FILENO);
		if (begin() != 0)
			_exit(1);
		when(&act);
		_exit(0);
	}
	close(err[1]);
	assert_true(pid > 0);
	while ((got = read(err[0], said + len, sizeof(said) - 1 - len)) > 0)
		len += (size_t)got;
	assert_true(got == 0);
	close(err[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return false;
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT || strstr(said, "owner") == NULL)
		fail_msg("ended with %x: %s", (unsigned int)status, said);
	return true;
}

static void
test_a_lane_may_touch_its_own(void **state)
{
	assert_false(ends_by_assertion(in_a_turn_of_one, touch_all, &one));
	assert_false(ends_by_assertion(in_no_turn, touch_all, &one));
	assert_false(ends_by_assertion(on_a_thread, touch_all, &one));
}

static void
test_a_lane_may_not_touch_what_is_anothers(void **state)
{
#ifndef RILL_DEBUG
	skip();
#endif
	for (size_t i = 0; i < KINDS; i++)
		if (!ends_by_assertion(in_a_turn_of_one, kinds[i].touch, &two))
			fail_msg("%s of another lane", kinds[i].name);
}

static void
test_a_thread_may_not_touch_a_lane_that_another_works_for(void **state)
{
#ifndef RILL_DEBUG
	skip();
#endif
	for (size_t i = 0; i < KINDS; i++)
		if (!ends_by_assertion(on_a_thread_in_a_turn_of_one, kinds[i].touch, &one))
			fail_msg("%s from another thread", kinds[i].name);
	/* But one that no thread works for. */
	assert_false(ends_by_assertion(on_a_thread_in_a_turn_of_one, touch_all, &two));
}

static void
turn(struct belongings *theirs)
{
	rill_lane_turn(theirs->lane, theirs->lane->now + 1, NULL, 0);
}

static void
test_two_threads_may_not_be_in_turns_of_one_lane(void **state)
{
#ifndef RILL_DEBUG
	skip();
#endif
	assert_true(ends_by_assertion(on_a_thread_in_a_turn_of_one, turn, &one));
	assert_false(ends_by_assertion(on_a_thread_in_a_turn_of_one, turn, &two));
	assert_false(ends_by_assertion(on_a_thread, turn, &one));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_lane_may_touch_its_own),
		cmocka_unit_test(test_a_lane_may_not_touch_what_is_anothers),
		cmocka_unit_test(test_a_thread_may_not_touch_a_lane_that_another_works_for),
		cmocka_unit_test(test_two_threads_may_not_be_in_turns_of_one_lane),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
