/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Path MTUs by destination: lowered by news, old after ten minutes, forgotten later; a bounded
 * number of them; the plateaus; and the search for a larger one.
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

/* ---- the search */

static uint16_t
due(uint16_t most, ustime now)
{
	struct rill_addr dst = host(1);

	return pmtu_probe_due(&pmtu, &dst, most, now);
}

static void
black_hole(uint16_t mtu, ustime now)
{
	struct rill_addr dst = host(1);

	pmtu_black_hole(&pmtu, &dst, mtu, now);
}

/* Sends a probe through a path that takes so much, and tells. */
static void
probe(uint16_t size, uint16_t path, ustime now)
{
	struct rill_addr dst = host(1);

	pmtu_probe_sent(&pmtu, &dst, now);
	if (size <= path)
		pmtu_probe_passed(&pmtu, &dst, size, now);
	else
		pmtu_probe_failed(&pmtu, &dst, size, now);
}

/*
 * Searches from PMTU_BASE on until it rests, a look each 10 ms, and returns when. It never sends
 * more than `most`, nor what is known to fail or to pass.
 */
static ustime
search(uint16_t path, uint16_t most, ustime now, unsigned int *lost)
{
	uint16_t low = PMTU_BASE, high = (uint16_t)(most + 1);
	bool fresh;

	black_hole(PMTU_BASE, now);
	*lost = 0;
	for (ustime idle_since = now; now - idle_since < 9 * MINUTE; now += 10000) {
		uint16_t size = due(most, now);

		if (size == 0)
			continue;
		assert_in_range(size, low + 1, high - 1);
		probe(size, path, now);
		if (size <= path)
			low = size;
		else
			high = size;
		*lost += size > path;
		idle_since = now;
	}
	assert_int_equal(estimate(1, now, &fresh), low);
	assert_true(low <= path);
	assert_true(high - low <= PMTU_PROBE_NEAR || low == most);
	return now - 9 * MINUTE;
}

/*
 * From 1024 on it comes as near as eight bytes to any MTU, to what paths usually take within a
 * minute, and then rests for ten [RFC4821-3].
 */
static void
test_search_finds_every_mtu(void **state)
{
	ustime now = 0;
	unsigned int lost;

	for (uint16_t path = PMTU_BASE; path <= 1500; path++) {
		ustime rests = search(path, 1500, now, &lost);

		assert_true(rests - now < (path >= 1280 ? 1 : 5) * MINUTE);
		assert_true(lost <= 8);
		assert_true(path != 1500 || (lost == 0 && rests == now));
		if (path < 1500) {
			assert_int_equal(due(1500, rests + 10 * MINUTE - 20000), 0);
			assert_int_equal(due(1500, rests + 10 * MINUTE + 20000), 1500);
		}
		now = rests + 60 * MINUTE;
		expect_unknown(1, now);
	}
	for (uint16_t path = 1500; path <= 9000; path = (uint16_t)(path + 1500)) {
		now = search(path, 9000, now, &lost) + 60 * MINUTE;
		expect_unknown(1, now);
	}
}

/* One at a time, and twice as long between those that are lost [RFC4821-3]. */
static void
test_search_backs_off(void **state)
{
	struct rill_addr dst = host(1);
	ustime now = MINUTE, wait = USEC_PER_SEC;

	black_hole(1024, now);
	for (unsigned int i = 0; i < 15; i++) {
		assert_int_equal(due(1500, now), 1500);
		pmtu_probe_sent(&pmtu, &dst, now);
		assert_int_equal(due(1500, now + MINUTE - 1), 0);
		pmtu_probe_unsure(&pmtu, &dst, now); /* which tells nothing of the size */
		assert_int_equal(due(1500, now + wait - 1), 0);
		now += wait;
		wait = wait < 512 * USEC_PER_SEC ? 2 * wait : wait;
	}
	/* Success ends that. */
	probe(1400, 1400, now);
	assert_int_equal(due(1500, now), 1500);
	probe(1500, 1400, now);
	assert_int_equal(due(1500, now + USEC_PER_SEC), 1460);
	/* Who never tells of a probe holds the search up for a minute. */
	now += 2 * USEC_PER_SEC;
	pmtu_probe_sent(&pmtu, &dst, now);
	assert_int_equal(due(1500, now + MINUTE - 1), 0);
	assert_int_equal(due(1500, now + MINUTE), 1460);
}

/* What a router said holds for ten minutes [RFC1191-5]; what seems to be a black hole is tried at
 * once. Neither is tried with more than the sender can send. */
static void
test_search_begins(void **state)
{
	lower(1, 1400, 0);
	assert_int_equal(due(1500, 10 * MINUTE - 1), 0);
	assert_int_equal(due(1500, 10 * MINUTE), 1500);
	assert_int_equal(due(1400, 10 * MINUTE), 0);
	assert_int_equal(due(1300, 10 * MINUTE), 0);
	black_hole(1024, MINUTE);
	assert_int_equal(due(1280, MINUTE), 1280);
	/* What somebody else could not send says nothing of what is shorter. */
	probe(1500, 1280, MINUTE);
	assert_int_equal(due(1400, 2 * MINUTE), 1400);
	/* A second one does not raise what the first lowered. */
	black_hole(552, 2 * MINUTE);
	black_hole(1024, 3 * MINUTE);
	expect_fresh(1, 3 * MINUTE, 552);
}

/* Of a path that is not known any more nobody asks, and what is told of it is no news. */
static void
test_search_of_unknown_path(void **state)
{
	assert_int_equal(due(1500, 0), 0);
	probe(1500, 1400, 0);
	probe(1300, 1400, 0);
	expect_unknown(1, 0);
	assert_int_equal(pmtu.count, 0);
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
		cmocka_unit_test_setup(test_search_finds_every_mtu, begin),
		cmocka_unit_test_setup(test_search_backs_off, begin),
		cmocka_unit_test_setup(test_search_begins, begin),
		cmocka_unit_test_setup(test_search_of_unknown_path, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
