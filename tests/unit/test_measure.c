/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What turns cost: those without work do not count, interrupted ones are left out together with
 * their messages; medians; and bursts that are too far apart for a comparison.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../perf/e2e/measure.h"

#define INTERRUPTED 1000000 /* 200 times as long as the others */

static struct measure measure;
static const struct server_turn full = {.received = 10, .sent = 10, .worked = true};

static void
test_only_turns_that_did_work_count(void **state)
{
	const struct server_turn idle = {.worked = false};
	const struct server_turn timer = {.sent = 1, .worked = true};
	const struct measure_around around = {
		.messages = 500, .cycles = 1002000, .player_cycles = 150000, .hz = 501000};
	struct figures figures;

	(void)state;
	measure_begin(&measure);
	for (int i = 0; i < 100; i++) {
		measure_turn(&measure, &full, 5000);
		measure_turn(&measure, &idle, 300);
	}
	measure_turn(&measure, &timer, 1000);
	measure_end(&measure, &around, &figures);
	assert_true(figures.of[FIGURE_PER_MESSAGE] == 501000.0 / 500);
	assert_true(figures.of[FIGURE_PER_FRAME] == 501.0);
	assert_true(figures.of[FIGURE_BURST] == 10);
	assert_true(figures.of[FIGURE_FRAMES] == 2);
	assert_true(figures.of[FIGURE_RATE] == 250);
	assert_true(figures.of[FIGURE_BUSY] == 0.5);
	assert_true(figures.of[FIGURE_PLAYER] == 300);
	assert_in_range((uint64_t)figures.of[FIGURE_TURN], 5000, 5000 + 5000 / 128);
}

static void
test_interrupted_turns_are_left_out(void **state)
{
	const struct measure_around around = {.messages = 1000, .cycles = 20900000, .hz = 1000000};
	struct figures figures;

	(void)state;
	measure_begin(&measure);
	for (int i = 0; i < 90; i++)
		measure_turn(&measure, &full, 5000);
	for (int i = 0; i < 10; i++)
		measure_turn(&measure, &full, INTERRUPTED);
	measure_end(&measure, &around, &figures);
	assert_true(figures.of[FIGURE_PER_FRAME] == 500);
	assert_true(figures.of[FIGURE_PER_MESSAGE] == 500);
	assert_true(figures.of[FIGURE_INTERRUPTED] == 10);
	assert_true(figures.of[FIGURE_BUSY] == 0.5); /* they took their time all the same */
}

static void
test_spread(void **state)
{
	const double values[] = {5, 1, 4, 2, 3};
	struct spread odd = spread_of(values, 5), even = spread_of(values, 4);

	(void)state;
	assert_true(odd.median == 3 && odd.least == 1 && odd.most == 5);
	assert_true(even.median == 3 && even.least == 1 && even.most == 5);
	assert_true(spread_of(values, 0).median == 0);
}

static void
test_bursts_too_far_apart(void **state)
{
	struct figures a = {{[FIGURE_BURST] = 30}}, b = {{[FIGURE_BURST] = 27}};

	(void)state;
	assert_true(measure_comparable(&a, &b));
	assert_true(measure_comparable(&b, &a));
	b.of[FIGURE_BURST] = 26.9;
	assert_false(measure_comparable(&a, &b));
	assert_false(measure_comparable(&b, &a));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_turns_that_did_work_count),
		cmocka_unit_test(test_interrupted_turns_are_left_out),
		cmocka_unit_test(test_spread),
		cmocka_unit_test(test_bursts_too_far_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
