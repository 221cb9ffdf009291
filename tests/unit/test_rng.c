/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The random numbers repeat for a key and only for it, keep within their bound, spread evenly, and
 * are SipHash of a counter.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rng.h"

static const struct siphash_key key = {1, 2};

static void
test_a_key_gives_one_sequence(void **state)
{
	struct rng a, b, other;

	rng_init(&a, key);
	rng_init(&b, key);
	rng_init(&other, (struct siphash_key){1, 3});
	for (uint64_t i = 0; i < 100; i++) {
		uint64_t got = rng_next(&a);

		assert_true(got == siphash(&key, &i, sizeof(i)));
		assert_true(got == rng_next(&b));
		assert_true(got != rng_next(&other));
	}
}

static void
test_below_keeps_its_bound(void **state)
{
	static const uint32_t bounds[] = {1, 2, 3, 7, 1000, 0x80000001u, UINT32_MAX};
	struct rng rng;

	rng_init(&rng, key);
	for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++)
		for (int n = 0; n < 1000; n++)
			assert_true(rng_below(&rng, bounds[i]) < bounds[i]);
}

/* 100 draws for each of 1000 values: chi-squared of 999 degrees has deviation 45. */
static void
test_below_is_even(void **state)
{
	enum { VALUES = 1000, EACH = 100 };
	uint32_t seen[VALUES] = {0};
	double chi2 = 0;
	struct rng rng;

	rng_init(&rng, key);
	for (int n = 0; n < VALUES * EACH; n++)
		seen[rng_below(&rng, VALUES)]++;
	for (int i = 0; i < VALUES; i++)
		chi2 += ((double)seen[i] - EACH) * ((double)seen[i] - EACH) / EACH;
	assert_true(chi2 > 800 && chi2 < 1200);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_key_gives_one_sequence),
		cmocka_unit_test(test_below_keeps_its_bound),
		cmocka_unit_test(test_below_is_even),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
