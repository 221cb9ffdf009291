/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whether a port is deaf: told by looks at its counters four times a second. It takes a silence of a
 * second and a neighbour that no longer answers; a silent port is asked, and asked less and less while
 * nothing but answers comes; restarts are 10 s apart, and further while nothing helps.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>

#include "watch.h"

#define LOOK_US (250 * 1000)
#define SECOND USEC_PER_SEC

static struct watch watch;
static uint64_t heard, lost;
static bool link_up, known; /* known: there is a neighbour to be asked */
static ustime now;

/* What came of the looks since the last call of begin or pass. */
static unsigned int asked, restarted;

static int
begin(void **state)
{
	heard = 7;
	lost = 3;
	link_up = known = true;
	now = 1000 * (ustime)SECOND;
	watch_begin(&watch, heard, lost, now);
	return 0;
}

/* Who asks has an answer before the next look, if answered. */
static void
pass_answering(ustime time, bool answered)
{
	asked = restarted = 0;
	for (ustime end = now + time; now < end;) {
		now += LOOK_US;
		switch (watch_look(&watch, link_up, heard, lost, now)) {
		case WATCH_FINE:
			break;
		case WATCH_ASK:
			asked++;
			watch_asked(&watch, known);
			heard += answered;
			break;
		case WATCH_RESTART:
			restarted++;
			watch_restarted(&watch, true, now);
			break;
		}
	}
}

static void
pass(ustime time)
{
	pass_answering(time, false);
}

static void
test_a_port_that_is_heard_is_left_alone(void **state)
{
	for (int i = 0; i < 100; i++) {
		heard++;
		lost += 2; /* others than those that were heard */
		pass(SECOND - LOOK_US);
		assert_int_equal(asked + restarted, 0);
	}
}

static void
test_silence_is_asked_about_and_answers_make_it_bearable(void **state)
{
	pass(SECOND - LOOK_US);
	assert_int_equal(asked, 0);
	pass_answering(60 * SECOND, true);
	assert_in_range(asked, 60 / 9, 60 / 8 + 4); /* after 1, 2, 4, 8, 8, 8 ... seconds */
	assert_int_equal(restarted, 0);
	/* What comes by itself is more than answers: the next silence is borne for a second again. */
	heard += WATCH_ANSWERS_MAX + 1;
	pass(SECOND + LOOK_US);
	assert_true(asked > 0);
}

static void
test_a_lost_neighbour_and_silence_make_it_deaf(void **state)
{
	pass(3 * SECOND);
	assert_true(asked > 0);
	assert_int_equal(restarted, 0);
	lost++;
	pass(LOOK_US);
	assert_int_equal(restarted, 1);
}

/* A host was switched off, and others are heard. */
static void
test_a_lost_neighbour_alone_does_not(void **state)
{
	for (int i = 0; i < 20; i++) {
		heard++;
		pass(2 * LOOK_US);
		lost++;
		pass(LOOK_US);
		assert_int_equal(restarted, 0);
	}
	/* Nor does it afterwards, when it is the others' turn to be silent. */
	heard++;
	pass(60 * SECOND);
	assert_int_equal(restarted, 0);
	assert_true(asked > 0);
}

static void
test_a_link_that_is_down_is_not_deaf(void **state)
{
	link_up = false;
	lost++;
	pass(60 * SECOND);
	assert_int_equal(asked + restarted, 0);
	link_up = true;
	pass(SECOND - LOOK_US);
	assert_int_equal(asked + restarted, 0);
}

/* The neighbours were lost while it was down, and there is none to ask afterwards. */
static void
test_who_lost_all_neighbours_with_the_link_is_not_forgotten(void **state)
{
	link_up = false;
	pass(5 * SECOND);
	lost++;
	pass(5 * SECOND);
	link_up = true;
	pass(20 * SECOND);
	assert_int_equal(restarted, 0); /* one is known, and does not fail to answer */
	known = false;
	link_up = false;
	pass(SECOND);
	link_up = true;
	pass(3 * SECOND);
	assert_int_equal(restarted, 0);
	pass(2 * SECOND);
	assert_int_equal(restarted, 1);
	/* Nobody was ever known: nothing is to be missed. */
	heard++;
	pass(60 * SECOND);
	assert_int_equal(restarted, 0);
}

/* At 0, 10, 30, 70, 150, and each 160 s from then on. */
static void
test_restarts_are_apart_and_further_while_they_do_not_help(void **state)
{
	lost++;
	pass(SECOND);
	assert_int_equal(restarted, 1);
	pass(10 * SECOND - LOOK_US);
	assert_int_equal(restarted, 0);
	pass(LOOK_US);
	assert_int_equal(restarted, 1);
	pass(145 * SECOND);
	assert_int_equal(restarted, 3);
	pass(800 * SECOND);
	assert_in_range(restarted, 5, 6);
	/* Heard again: the next time it may be after 10 s once more. */
	heard++;
	pass(LOOK_US);
	lost++;
	pass(12 * SECOND);
	assert_int_equal(restarted, 1);
}

static void
test_a_restart_that_helps_is_not_repeated_within_10_s(void **state)
{
	lost++;
	pass(SECOND);
	assert_int_equal(restarted, 1);
	for (int i = 0; i < 3; i++) { /* and then it is deaf again at once */
		heard++;
		pass(LOOK_US);
		lost++;
		pass(3 * SECOND - LOOK_US);
		assert_int_equal(restarted, 0);
	}
	pass(2 * SECOND);
	assert_int_equal(restarted, 1);
}

int
main(void)
{
#define ROW(test) cmocka_unit_test_setup(test, begin)
	const struct CMUnitTest tests[] = {
		ROW(test_a_port_that_is_heard_is_left_alone),
		ROW(test_silence_is_asked_about_and_answers_make_it_bearable),
		ROW(test_a_lost_neighbour_and_silence_make_it_deaf),
		ROW(test_a_lost_neighbour_alone_does_not),
		ROW(test_a_link_that_is_down_is_not_deaf),
		ROW(test_who_lost_all_neighbours_with_the_link_is_not_forgotten),
		ROW(test_restarts_are_apart_and_further_while_they_do_not_help),
		ROW(test_a_restart_that_helps_is_not_repeated_within_10_s),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
