/* SPDX-License-Identifier: BSD-3-Clause */
/* The token bucket: a burst, a rate, and never more than both [ATK-23, ATK-41]. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "token.h"

#define START 123456789ull

static unsigned int
drain(struct token_bucket *bucket, ustime now)
{
	unsigned int n = 0;

	while (n < 1000 && token_take(bucket, now))
		n++;
	return n;
}

static void
test_a_burst_and_then_a_rate(void **state)
{
	static const struct {
		ustime after_us;
		unsigned int expect;
	} steps[] = {{0, 10}, {0, 0}, {99, 0}, {100, 1}, {100, 0}, {350, 2}, {400, 1}, {1400, 10},
		{1400, 0}, {3600000000ull, 10}};
	struct token_bucket bucket;

	token_init(&bucket, 100, 10, START);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		assert_int_equal(drain(&bucket, START + steps[i].after_us), steps[i].expect);
}

static void
test_a_bucket_that_was_long_idle_gives_one_burst(void **state)
{
	struct token_bucket bucket;

	token_init(&bucket, 100, 10, 0);
	assert_int_equal(drain(&bucket, START), 10);
	/* Neither does one that was used a little meanwhile. */
	assert_true(token_take(&bucket, 2 * START));
	assert_int_equal(drain(&bucket, 3 * START), 10);
	assert_int_equal(drain(&bucket, 3 * START + 50), 0);
}

static void
test_never_more_than_burst_and_rate(void **state)
{
	struct token_bucket bucket;
	unsigned int n = 0;

	token_init(&bucket, 100, 10, START);
	for (ustime t = 0; t < 100000; t += 7) {
		n += token_take(&bucket, START + t);
		assert_true(n <= 10 + t / 100);
	}
	assert_int_equal(n, 10 + 99995 / 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_burst_and_then_a_rate),
		cmocka_unit_test(test_a_bucket_that_was_long_idle_gives_one_burst),
		cmocka_unit_test(test_never_more_than_burst_and_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
