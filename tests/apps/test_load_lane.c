/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A lane of rill-load against a server on the same stack, under a virtual clock: the open loop sees a
 * server that stalls, by every request that was due meanwhile, sent or not; what has no answer counts;
 * each kind of connection does what it is for; what fails is counted and tried again, slowly.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "load_world.h"

#define MS 1000u

static uint64_t
window(uint64_t from, uint64_t to)
{
	return to - from;
}

#define IN_WINDOW(name) window(world.load.count_from.name, world.load.count_to.name)

static void
assert_between(uint64_t value, uint64_t least, uint64_t most)
{
	if (value < least || value > most)
		fail_msg("%llu is not between %llu and %llu", (unsigned long long)value,
			(unsigned long long)least, (unsigned long long)most);
}

/* ---- the open loop */

static void
test_rate(void **state)
{
	world_reset();
	world.settings.rate = 5000;
	world_start();
	world_open();
	world_load();
	assert_int_equal(world.load.reply_us.count, 5000);
	assert_between(IN_WINDOW(replies), 4995, 5000);
	assert_int_equal(world.load.unanswered, 0);
	/* A due time waits for a turn, and a request and its reply take one each. */
	assert_true(world.load.reply_us.max <= 4 * WORLD_STEP_US);
	assert_true(world.load.late_us.max <= 2 * WORLD_STEP_US);
	assert_int_equal(world.is.received, world.load.count.requests * 64);
	world_end();
}

/* 1000 a second, and the server stalls for 200 ms: 200 requests wait from 200 ms down to nothing, so
 * that a tenth of all takes more than 100 ms, also when only ten of them can be under way. */
static void
stall(uint32_t pipeline)
{
	uint64_t begun;

	world_reset();
	world.settings.rate = 1000;
	world.settings.pipeline = pipeline;
	world_start();
	world_open();
	begun = world.now_us;
	world.is.stall_us = begun + 400 * MS;
	world.is.resume_us = begun + 600 * MS;
	world_load();
	assert_int_equal(world.load.reply_us.count, 1000);
	assert_int_equal(world.load.unanswered, 0);
	assert_true(histogram_quantile(&world.load.reply_us, 0.79) < MS);
	assert_between(histogram_quantile(&world.load.reply_us, 0.9), 98 * MS, 102 * MS);
	assert_between(histogram_quantile(&world.load.reply_us, 0.95), 147 * MS, 153 * MS);
	assert_between(world.load.reply_us.max, 198 * MS, 201 * MS);
}

static void
test_open_loop_sees_a_stall(void **state)
{
	stall(100);
	assert_true(world.load.late_us.max <= 2 * WORLD_STEP_US);
	world_end();
}

static void
test_open_loop_counts_what_could_not_be_sent(void **state)
{
	stall(1);
	assert_between(world.load.late_us.max, 180 * MS, 200 * MS);
	world_end();
}

/* The same stall in the closed loop: the ten that were under way, and nobody else, have waited. */
static void
test_closed_loop_does_not(void **state)
{
	uint64_t begun;

	world_reset();
	world.settings.rate = 1000;
	world.settings.closed = true;
	world.settings.pipeline = 1;
	world_start();
	world_open();
	begun = world.now_us;
	world.is.stall_us = begun + 400 * MS;
	world.is.resume_us = begun + 600 * MS;
	world_load();
	assert_true(histogram_quantile(&world.load.reply_us, 0.985) < MS);
	assert_between(world.load.reply_us.max, 190 * MS, 201 * MS);
	world_end();
}

/* A server that falls silent for good, half way: the other half counts until it was given up. */
static void
test_unanswered(void **state)
{
	uint64_t begun;

	world_reset();
	world.settings.rate = 1000;
	world.settings.pipeline = 2;
	world_start();
	world_open();
	begun = world.now_us;
	world.is.stall_us = begun + 500 * MS;
	world.is.resume_us = UINT64_MAX;
	world_load();
	assert_int_equal(world.load.reply_us.count, 1000);
	assert_between(world.load.unanswered, 499, 501);
	assert_true(histogram_quantile(&world.load.reply_us, 0.49) < MS);
	assert_between(histogram_quantile(&world.load.reply_us, 0.75),
		LOAD_GRACE_US + 245 * MS, LOAD_GRACE_US + 270 * MS);
	world_end();
}

/* Only what is due after the warm-up is measured, and a late reply to that still counts. */
static void
test_warmup(void **state)
{
	uint64_t begun;

	world_reset();
	world.settings.rate = 1000;
	world.settings.warmup_ms = 500;
	world_start();
	world_open();
	begun = world.now_us;
	world.is.stall_us = begun + 100 * MS;
	world.is.resume_us = begun + 400 * MS;
	world_load();
	assert_int_equal(world.load.reply_us.count, 1000);
	assert_true(world.load.reply_us.max < MS);
	assert_between(world.load.count.requests, 1499, 1500);
	world_end();

	world_reset();
	world.settings.rate = 1000;
	world_start();
	world_open();
	begun = world.now_us;
	world.is.stall_us = begun + 900 * MS;
	world.is.resume_us = begun + 1500 * MS;
	world_load();
	assert_int_equal(world.load.reply_us.count, 1000);
	assert_int_equal(world.load.unanswered, 0);
	assert_between(world.load.reply_us.max, 595 * MS, 605 * MS);
	world_end();
}

static void
test_random_arrivals(void **state)
{
	world_reset();
	world.settings.rate = 2000;
	world.settings.random = true;
	world_start();
	world_open();
	world_load();
	assert_between(world.load.reply_us.count, 1800, 2200);
	assert_int_equal(world.load.unanswered, 0);
	world_end();
}

/* ---- as much as can be had */

static void
test_the_most(void **state)
{
	world_reset();
	world.settings.pipeline = 4;
	world.settings.verify = true;
	world.settings.time_ms = 20;
	world_start();
	world_open();
	world_load();
	/* A round trip takes two turns at most: ten connections, four under way on each. */
	assert_true(IN_WINDOW(replies) > 40 * 20 * MS / (3 * WORLD_STEP_US));
	assert_int_equal(world.load.under_way, 0);
	assert_int_equal(world.load.count.requests, world.load.count.replies);
	assert_int_equal(world.load.count.unexpected, 0);
	assert_int_equal(world.load.count.mismatches, 0);
	assert_int_equal(world.is.open_most, 10);
	world_end();
}

/* Longer than the send queue, and than what the payload keeps. */
static void
test_long_requests(void **state)
{
	world_reset();
	world.settings.connections = 2;
	world.settings.request = 1000000;
	world.settings.rate = 20;
	world.settings.verify = true;
	world_start();
	world_open();
	world_load();
	assert_int_equal(world.load.reply_us.count, 20);
	assert_int_equal(world.load.unanswered, 0);
	assert_int_equal(world.load.count.mismatches, 0);
	assert_int_equal(world.is.received, world.load.count.requests * 1000000);
	world_end();
}

static void
test_verify_sees_a_lie(void **state)
{
	world_reset();
	world.settings.rate = 100;
	world.settings.verify = true;
	world.settings.text[0] = 'x';
	world.settings.request = world.settings.text_len = 1;
	world.is.lies = true;
	world_start();
	world_open();
	world_load();
	assert_true(world.load.count.mismatches > 50);
	assert_int_equal(world.load.count.replies, 0);
	assert_int_equal(world.load.count.lost, world.load.count.mismatches);
	world_end();
}

/* ---- connections */

static void
test_connections_a_second(void **state)
{
	world_reset();
	world.settings.mode = LOAD_CONNECT;
	world.settings.connect_rate = 2000;
	world_start();
	world_load();
	assert_int_equal(world.load.reply_us.count, 2000);
	assert_int_equal(world.load.connect_us.count, 2000);
	assert_between(IN_WINDOW(finished), 1990, 2000);
	assert_between(world.is.accepted, 1999, 2000);
	assert_true(world.load.connect_us.max <= 4 * WORLD_STEP_US);
	assert_int_equal(world.load.begun[LOAD_CONNECT], 0);
	assert_int_equal(world.load.sessions.used, 0);
	world_end();
}

static void
most_connections(bool reset)
{
	world_reset();
	world.settings.mode = LOAD_CONNECT;
	world.settings.connections = 8;
	world.settings.time_ms = 20;
	world.settings.reset = reset;
	world_start();
	world_load();
	assert_true(IN_WINDOW(finished) > 8 * 20 * MS / (5 * WORLD_STEP_US));
	assert_between(world.is.open_most, 4, 16);
	assert_int_equal(world.load.count.finished, world.load.count.opened);
	assert_int_equal(world.load.count.lost, 0);
	assert_int_equal(world.load.count.not_begun, 0);
	world_end();
}

static void
test_the_most_connections(void **state)
{
	most_connections(false);
	most_connections(true);
}

/* A server that accepts and does not answer: what was due counts, begun or not. */
static void
test_connections_open_loop(void **state)
{
	world_reset();
	world.settings.mode = LOAD_CONNECT;
	world.settings.connect_rate = 1000;
	world.is.silent = true;
	world_start();
	world_load();
	assert_int_equal(world.load.reply_us.count, 1000);
	assert_int_equal(world.load.unanswered, 1000);
	assert_int_equal(world.load.connect_us.count, 1000);
	assert_int_equal(world.is.accepted, 10);
	assert_true(histogram_quantile(&world.load.reply_us, 0) >= LOAD_GRACE_US);
	world_end();
}

/* A server that refuses: what did not open counts, as an opening and as a reply, though it failed at
 * once; and so does what was still opening at the end, or had no room to begin. */
static void
test_connections_that_do_not_open_count(void **state)
{
	for (int silent = 0; silent < 2; silent++) {
		world_reset();
		world.settings.mode = LOAD_CONNECT;
		world.settings.connect_rate = 1000;
		world.settings.connections = 20;
		world.settings.request = silent ? 0 : 64;
		world.is.deaf = true;
		world_start();
		world_load();
		assert_int_equal(world.load.connect_us.count, 1000);
		assert_int_equal(world.load.reply_us.count, silent ? 0 : 1000);
		assert_int_equal(world.load.unanswered, 1000);
		assert_int_equal(world.load.count.opened, 0);
		assert_between(histogram_quantile(&world.load.connect_us, 0.5), 495 * MS, 1510 * MS);
		world_end();
	}
}

/* The server speaks first, and its reply ends with the connection. */
static void
test_reply_until_eof(void **state)
{
	world_reset();
	world.settings.mode = LOAD_CONNECT;
	world.settings.connect_rate = 100;
	world.settings.request = 0;
	world.settings.reply_given = world.settings.reply_eof = true;
	world.is.talks = true;
	world.is.talk_bytes = 3000;
	world_start();
	world_load();
	assert_int_equal(world.load.reply_us.count, 100);
	assert_int_equal(world.load.count.finished, world.load.count.opened);
	assert_int_equal(world.load.count.lost, 0);
	world_end();
}

/* No exchange at all. */
static void
test_open_and_close(void **state)
{
	world_reset();
	world.settings.mode = LOAD_CONNECT;
	world.settings.connect_rate = 100;
	world.settings.request = 0;
	world_start();
	world_load();
	assert_int_equal(world.load.connect_us.count, 100);
	assert_int_equal(world.load.reply_us.count, 0);
	assert_int_equal(world.load.count.finished, world.load.count.opened);
	world_end();
}

static void
test_sources(void **state)
{
	world_reset();
	world.settings.connections = 60;
	world.settings.sources = 30;
	world.settings.mode = LOAD_IDLE;
	world_start();
	world_open();
	world_run_until(world.now_us + MS); /* the last ACKs of handshakes arrive */
	assert_int_equal(world.is.sources, 30);
	assert_int_equal(world.is.open, 60);
	world_load();
	assert_int_equal(world.is.open, 60);
	assert_int_equal(world.is.received, 0);
	world_end();
}

/* Nobody listens: each attempt counts, and no more are made than the retry time allows. */
static void
test_refused(void **state)
{
	world_reset();
	world.is.deaf = true;
	world_start();
	world_run_until(world.now_us + 100 * MS);
	assert_int_equal(load_lane_open(&world.load), 0);
	assert_between(world.load.count.failed, 80, 110);
	assert_int_equal(world.load.closed[RILL_CLOSE_REFUSED], world.load.count.failed);
	world_end();
}

/* A connection that the server resets is lost, with its request, and replaced. */
static void
test_lost(void **state)
{
	world_reset();
	world.settings.rate = 1000;
	world_start();
	world_open();
	world.is.hangs_up = true;
	world_load();
	assert_int_equal(world.is.resets, 1);
	assert_int_equal(world.load.count.lost, 1);
	assert_int_equal(world.load.closed[RILL_CLOSE_RESET], 1);
	assert_int_equal(world.load.unanswered, 1);
	assert_int_equal(world.load.reply_us.count, 1000);
	assert_int_equal(world.is.accepted, 11);
	assert_int_equal(load_lane_open(&world.load), 10);
	world_end();
}

/* ---- bulk, and all together */

static void
test_upload(void **state)
{
	uint64_t in;

	world_reset();
	world.settings.mode = LOAD_UPLOAD;
	world.settings.connections = 2;
	world.settings.time_ms = 20;
	world.is.silent = true;
	world_start();
	world_open();
	assert_int_equal(world.is.received, 0);
	world_load();
	assert_true(world.is.received > 20000000);
	in = world.is.received;
	world_run_until(world.now_us + 100 * MS);
	assert_true(world.is.received - in <= 2 * 4194304);
	world_end();
}

static void
test_download(void **state)
{
	world_reset();
	world.settings.mode = LOAD_DOWNLOAD;
	world.settings.connections = 3;
	world_start();
	world_open();
	world_load();
	assert_int_equal(world.is.received, 3 * 64);
	assert_int_equal(world.load.stats_to.bytes_in, 3 * 64);
	assert_int_equal(world.load.count.unexpected, 0);
	world_end();
}

static void
test_mixed(void **state)
{
	world_reset();
	world.settings.mode = LOAD_KINDS;
	world.settings.connections = 100;
	world.settings.rate = 10000;
	world.settings.connect_rate = 2000;
	world.settings.time_ms = 100;
	world_start();
	world_open();
	assert_int_equal(load_lane_wanted(&world.load), 80);
	world_load();
	assert_int_equal(world.load.open[LOAD_ECHO], 60);
	assert_int_equal(world.load.open[LOAD_UPLOAD], 5);
	assert_int_equal(world.load.open[LOAD_IDLE], 15);
	assert_int_equal(world.load.connect_us.count, 200);
	assert_int_equal(world.load.reply_us.count, 1000 + 200);
	assert_int_equal(world.load.unanswered, 0);
	assert_true(world.load.stats_to.bytes_out > 20000000);
	world_end();
}

/* A lane that comes late to the end has counted until then: rates are of that time. */
static void
test_counts_carry_their_time(void **state)
{
	uint64_t begun;

	world_reset();
	world.settings.rate = 1000;
	world_start();
	world_open();
	begun = world.now_us;
	load_lane_begin(world.client, &world.load);
	world_run_until(begun + 995 * MS);
	world.now_us += 50 * MS;
	world_load();
	assert_int_equal(world.load.to_us - world.load.from_us, 1000 * MS);
	assert_between(world.load.counted_from_us, world.load.from_us, world.load.from_us + MS);
	assert_between(world.load.counted_to_us, begun + 1045 * MS, begun + 1046 * MS);
	assert_int_equal(world.load.reply_us.count, 1000);
	world_end();
}

/* Ended early: what was measured until then is the result. */
static void
test_ended_early(void **state)
{
	uint64_t begun;

	world_reset();
	world.settings.rate = 1000;
	world_start();
	world_open();
	begun = world.now_us;
	load_lane_begin(world.client, &world.load);
	world_run_until(begun + 250 * MS);
	load_lane_end(world.client, &world.load);
	world_load();
	assert_int_equal(world.load.to_us - world.load.from_us, 250 * MS);
	assert_between(world.load.reply_us.count, 249, 250);
	world_end();

	world_reset();
	world_start();
	load_lane_end(world.client, &world.load);
	while (!load_lane_is_finished(&world.load))
		world_run_until(world.now_us + MS);
	assert_true(world.load.to_us == world.load.from_us);
	world_end();
}

/* After a test that failed before its end. */
static int
clean_up(void **state)
{
	world_end();
	return 0;
}

#define IN_A_WORLD(test) cmocka_unit_test_teardown(test, clean_up)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_WORLD(test_rate),
		IN_A_WORLD(test_open_loop_sees_a_stall),
		IN_A_WORLD(test_open_loop_counts_what_could_not_be_sent),
		IN_A_WORLD(test_closed_loop_does_not),
		IN_A_WORLD(test_unanswered),
		IN_A_WORLD(test_warmup),
		IN_A_WORLD(test_random_arrivals),
		IN_A_WORLD(test_the_most),
		IN_A_WORLD(test_long_requests),
		IN_A_WORLD(test_verify_sees_a_lie),
		IN_A_WORLD(test_connections_a_second),
		IN_A_WORLD(test_the_most_connections),
		IN_A_WORLD(test_connections_open_loop),
		IN_A_WORLD(test_connections_that_do_not_open_count),
		IN_A_WORLD(test_reply_until_eof),
		IN_A_WORLD(test_open_and_close),
		IN_A_WORLD(test_sources),
		IN_A_WORLD(test_refused),
		IN_A_WORLD(test_lost),
		IN_A_WORLD(test_upload),
		IN_A_WORLD(test_download),
		IN_A_WORLD(test_mixed),
		IN_A_WORLD(test_counts_carry_their_time),
		IN_A_WORLD(test_ended_early),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
