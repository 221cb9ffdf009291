/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Path MTUs by destination: lowered by news, old after ten minutes, forgotten later; a bounded number
 * of them; the plateaus.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/socket.h>

#include "pmtu.h"

#define MINUTE (60ull * USEC_PER_SEC)

static struct counters counters;
static struct pmtu pmtu;

static int
begin(void **state)
{
	const struct siphash_key key = {1, 2};

	counters = (struct counters){0};
	pmtu_init(&pmtu, &key, &counters);
	return 0;
}

static struct rill_addr
host(uint32_t n)
{
	return (struct rill_addr){.family = AF_INET,
		.u.ip4 = {10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}};
}

static void
lower(uint32_t n, uint16_t mtu, ustime now)
{
	struct rill_addr dst = host(n);

	pmtu_lower(&pmtu, &dst, mtu, now);
}

/* The estimate, 0: none; *fresh: whether it holds. */
static uint16_t
estimate(uint32_t n, ustime now, bool *fresh)
{
	struct rill_addr dst = host(n);
	const struct pmtu_path *path = pmtu_find(&pmtu, &dst, now);

	*fresh = path != NULL && pmtu_is_fresh(path, now);
	return path == NULL ? 0 : path->mtu;
}

static void
expect_fresh(uint32_t n, ustime now, uint16_t mtu)
{
	bool fresh;

	assert_int_equal(estimate(n, now, &fresh), mtu);
	assert_true(fresh);
}

static void
expect_old(uint32_t n, ustime now, uint16_t mtu)
{
	bool fresh;

	assert_int_equal(estimate(n, now, &fresh), mtu);
	assert_false(fresh);
}

static void
expect_unknown(uint32_t n, ustime now)
{
	expect_old(n, now, 0);
}

static void
test_each_destination_has_its_own(void **state)
{
	struct rill_addr six = {.family = AF_INET6, .u.ip6 = {10, 0, 0, 1}};

	expect_unknown(1, 0);
	lower(1, 1400, 0);
	lower(2, 1300, 0);
	expect_fresh(1, 0, 1400);
	expect_fresh(2, 0, 1300);
	expect_unknown(3, 0);
	assert_null(pmtu_find(&pmtu, &six, 0));
	assert_int_equal(pmtu.count, 2);
}

/* News lowers, and never raises what is not old [RFC1191-2]. */
static void
test_only_lowered(void **state)
{
	lower(1, 1400, 0);
	lower(1, 1300, MINUTE);
	expect_fresh(1, MINUTE, 1300);
	lower(1, 1350, 2 * MINUTE);
	expect_fresh(1, 2 * MINUTE, 1300);
	/* Nor does it make the old news younger. */
	expect_old(1, 11 * MINUTE, 1300);
	lower(1, 1350, 11 * MINUTE);
	expect_fresh(1, 11 * MINUTE, 1350);
	assert_int_equal(pmtu.count, 1);
}

/* It holds for ten minutes after each decrease, five after a connection brought it back [RFC1191-5]. */
static void
test_ages(void **state)
{
	struct rill_addr dst = host(2);

	lower(1, 1400, MINUTE);
	expect_fresh(1, 11 * MINUTE - 1, 1400);
	expect_old(1, 11 * MINUTE, 1400);
	expect_old(1, 21 * MINUTE - 1, 1400);
	expect_unknown(1, 21 * MINUTE);
	assert_int_equal(pmtu.count, 0);
	pmtu_keep(&pmtu, &dst, 1280, 30 * MINUTE);
	expect_fresh(2, 35 * MINUTE - 1, 1280);
	expect_old(2, 35 * MINUTE, 1280);
}

static void
test_the_one_that_changed_longest_ago_makes_room(void **state)
{
	for (uint32_t n = 0; n < PMTU_PATHS_MAX; n++)
		lower(n, 1400, n);
	lower(0, 1300, PMTU_PATHS_MAX); /* news */
	assert_int_equal(counters.pmtu_evicted, 0);
	lower(PMTU_PATHS_MAX, 1400, PMTU_PATHS_MAX);
	assert_int_equal(counters.pmtu_evicted, 1);
	assert_int_equal(pmtu.count, PMTU_PATHS_MAX);
	expect_unknown(1, PMTU_PATHS_MAX);
	expect_fresh(0, PMTU_PATHS_MAX, 1300);
	for (uint32_t n = 2; n <= PMTU_PATHS_MAX; n++)
		expect_fresh(n, PMTU_PATHS_MAX, 1400);
	/* Many more than there is room for: the last ones stay. */
	for (uint32_t n = 0; n < 10000; n++)
		lower(100000 + n, 1000, MINUTE + n);
	assert_int_equal(pmtu.count, PMTU_PATHS_MAX);
	assert_int_equal(counters.pmtu_evicted, 10001);
	for (uint32_t n = 10000 - PMTU_PATHS_MAX; n < 10000; n++)
		expect_fresh(100000 + n, 2 * MINUTE, 1000);
	/* And all of them are forgotten in time. */
	for (uint32_t n = 0; n < PMTU_PATHS_MAX; n++)
		expect_unknown(7, 30 * MINUTE);
	assert_int_equal(pmtu.count, 0);
}

/* Down from any size by plateaus to the least that there is [RFC1191-4]. */
static void
test_plateaus(void **state)
{
	static const uint16_t steps[] = {32000, 17914, 9000, 8166, 4352, 2002, 1500, 1492, 1460, 1400,
		1280, 1006, 552, 508, 296, 68};
	uint16_t size = UINT16_MAX;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		assert_int_equal(pmtu_plateau_below(size), steps[i]);
		assert_int_equal(pmtu_plateau_below((uint16_t)(steps[i] + 1)), steps[i]);
		size = steps[i];
	}
	for (uint16_t tiny = 0; tiny <= 68; tiny++)
		assert_int_equal(pmtu_plateau_below(tiny), 68);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_each_destination_has_its_own, begin),
		cmocka_unit_test_setup(test_only_lowered, begin),
		cmocka_unit_test_setup(test_ages, begin),
		cmocka_unit_test_setup(test_the_one_that_changed_longest_ago_makes_room, begin),
		cmocka_unit_test_setup(test_plateaus, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
