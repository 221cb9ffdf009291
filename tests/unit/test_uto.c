/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The user timeout that holds, by RFC 5482, section 3.1, as a table over own and peer's [RFC5482-2]:
 * the lower limit [RFC5482-3], the upper one [RFC5482-4], and nothing heard [RFC5482-8].
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "uto.h"

#define MOST_MS 2147483647u /* of the option user_timeout_ms */

static const struct {
	uint32_t own_ms, remote_ms, adopted_ms;
} cases[] = {
	/* Nothing heard: our own, whatever it is. */
	{0, 0, 0},
	{1, 0, 1},
	{5000, 0, 5000},
	{7200000, 0, 7200000},
	{MOST_MS, 0, MOST_MS},
	/* None of our own: the peer's, from 100 s on. */
	{0, 1000, 100000},
	{0, 99999, 100000},
	{0, 100000, 100000},
	{0, 101000, 101000},
	{0, 3599000, 3599000},
	{0, 3600000, 3600000},
	{0, 3601000, 3600000},
	{0, 1966020000, 3600000},
	/* The longer one of both. */
	{5000, 1000, 5000},
	{5000, 6000, 6000},
	{5000, 200000, 200000},
	{200000, 1000, 200000},
	{200000, 199000, 200000},
	{200000, 300000, 300000},
	{200000, 1966020000, 3600000},
	/* More than an hour only if it is ours. */
	{7200000, 1000, 7200000},
	{7200000, 10800000, 7200000},
	{MOST_MS, 3600000, MOST_MS},
};

static void
test_the_formula(void **state)
{
	for (unsigned int i = 0; i < RTE_DIM(cases); i++) {
		uint32_t got = uto_adopt_ms(cases[i].own_ms, cases[i].remote_ms);

		if (got == cases[i].adopted_ms)
			continue;
		print_error("own %u, peer's %u: got %u, expected %u\n", cases[i].own_ms,
			cases[i].remote_ms, got, cases[i].adopted_ms);
		fail();
	}
}

/* Cutting what the peer says to the upper limit, as is done when it comes, changes no result. */
static void
test_cut_to_the_limit_at_once(void **state)
{
	for (unsigned int i = 0; i < RTE_DIM(cases); i++) {
		uint32_t cut_ms = RTE_MIN(cases[i].remote_ms, UTO_U_LIMIT_MS);

		assert_int_equal(uto_adopt_ms(cases[i].own_ms, cut_ms), cases[i].adopted_ms);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_formula),
		cmocka_unit_test(test_cut_to_the_limit_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
