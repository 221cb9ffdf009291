/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The budget of challenge ACKs: bounded for each second [RFC5961-9], drawn anew within its bounds
 * each time and unknown without the key [RFC5961-10].
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "challenge.h"

#define START 123456789ull

static const struct siphash_key key = {0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull};

/* How many are allowed at one moment, to the last. */
static uint32_t
drain(struct challenge *challenge, ustime now)
{
	uint32_t n = 0;

	while (n <= CHALLENGE_PER_S_MAX && challenge_allow(challenge, now))
		n++;
	return n;
}

static void
test_budget_is_used_up_and_comes_back_with_the_second(void **state)
{
	static const struct {
		ustime at;
		bool expect;
	} steps[] = {
		{START, false},
		{START + 1, false},
		{START + 999999, false},
		{START + 1000000, true},
		{START + 1999999, false}, /* drained at START + 1000000 */
		{START + 2000000, true},
		{START + 3600000000ull, true}, /* an hour later: one second's worth */
	};
	struct challenge challenge;

	challenge_init(&challenge, key, START);
	assert_in_range(
		drain(&challenge, START), CHALLENGE_PER_S_MIN, CHALLENGE_PER_S_MAX);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		uint32_t n = drain(&challenge, steps[i].at);

		if (steps[i].expect)
			assert_in_range(n, CHALLENGE_PER_S_MIN, CHALLENGE_PER_S_MAX);
		else
			assert_int_equal(n, 0);
	}
}

static void
test_asking_slowly_within_a_second_is_the_same_budget(void **state)
{
	struct challenge at_once, spread;
	uint32_t budget, n = 0;

	challenge_init(&at_once, key, START);
	challenge_init(&spread, key, START);
	budget = drain(&at_once, START);
	for (ustime at = START; at < START + USEC_PER_SEC; at += 500)
		n += challenge_allow(&spread, at);
	assert_int_equal(n, budget);
}

static void
test_each_second_draws_its_own_budget(void **state)
{
	enum { SECONDS = 4000 };
	struct challenge challenge, other;
	uint32_t least = UINT32_MAX, most = 0, same = 0, equal = 0, before = 0;
	uint64_t sum = 0;

	challenge_init(&challenge, key, START);
	challenge_init(&other, (struct siphash_key){key.k0 + 1, key.k1}, START);
	for (uint32_t i = 0; i < SECONDS; i++) {
		uint32_t n = drain(&challenge, START + (ustime)i * USEC_PER_SEC);

		same += n == before;
		equal += n == drain(&other, START + (ustime)i * USEC_PER_SEC);
		before = n;
		sum += n;
		least = n < least ? n : least;
		most = n > most ? n : most;
	}
	/* 4000 draws among 1001 values, by a fixed key: each bound is far outside chance. */
	assert_in_range(least, CHALLENGE_PER_S_MIN, CHALLENGE_PER_S_MIN + 10);
	assert_in_range(most, CHALLENGE_PER_S_MAX - 10, CHALLENGE_PER_S_MAX);
	assert_in_range(sum / SECONDS, 980, 1020);
	assert_true(same < 20);
	assert_true(equal < 20);
}

/* [RFC5961-9] A connection's: up to the limit in each slot, whichever it begins in. */
static void
test_a_connections_budget(void **state)
{
	static const unsigned int limits[] = {1, 10, CHALLENGE_COUNT_MAX};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		uint8_t spent = 0;

		for (ustime slot = 5; slot < 12; slot++) {
			unsigned int n = 0;

			while (n < 100 && challenge_allow_conn(&spent, limits[i],
						  (slot << CHALLENGE_SLOT_SHIFT) + n))
				n++;
			assert_int_equal(n, limits[i]);
			assert_true(spent < 1u << CHALLENGE_SPENT_BITS);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_budget_is_used_up_and_comes_back_with_the_second),
		cmocka_unit_test(test_asking_slowly_within_a_second_is_the_same_budget),
		cmocka_unit_test(test_a_connections_budget),
		cmocka_unit_test(test_each_second_draws_its_own_budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
