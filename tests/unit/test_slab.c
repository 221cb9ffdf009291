/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A slab hands out each slot once, refuses when all are in use, reuses the slot that rests longest
 * (LIFO: the hottest), and neither reads nor writes what was never used.
 */
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "slab.h"

#define STRIDE 64
#define LINK_OFF 32

static struct slab
slab_make(uint32_t capacity, bool lifo)
{
	void *memory = malloc((size_t)capacity * STRIDE);
	struct slab slab;

	assert_non_null(memory);
	memset(memory, 0xa5, (size_t)capacity * STRIDE);
	slab_init(&slab, memory, STRIDE, capacity, LINK_OFF, lifo);
	return slab;
}

static void
test_every_slot_once_then_none(void **state)
{
	struct slab slab = slab_make(100, false);
	bool seen[100] = {false};

	for (int i = 0; i < 100; i++) {
		uint32_t index = slab_alloc(&slab);

		assert_true(index < 100 && !seen[index]);
		seen[index] = true;
		assert_int_equal(slab.used, i + 1);
		assert_int_equal(slab_index(&slab, slab_at(&slab, index)), index);
	}
	assert_int_equal(slab_alloc(&slab), SLAB_NONE);
	assert_int_equal(slab.used, 100);
	slab_free(&slab, 42);
	assert_int_equal(slab_alloc(&slab), 42);
	assert_int_equal(slab_alloc(&slab), SLAB_NONE);
	free(slab.base);
}

static void
test_no_memory_is_a_full_slab(void **state)
{
	struct slab slab;

	slab_init(&slab, NULL, STRIDE, 0, 0, false);
	assert_int_equal(slab_alloc(&slab), SLAB_NONE);
}

static void
test_fifo_reuses_the_oldest(void **state)
{
	static const uint32_t order[] = {3, 0, 4, 1, 2};
	struct slab slab = slab_make(5, false);

	for (int i = 0; i < 5; i++)
		slab_alloc(&slab);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 5; i++)
			slab_free(&slab, order[i]);
		assert_int_equal(slab_resting(&slab), 5);
		for (int i = 0; i < 5; i++)
			assert_int_equal(slab_alloc(&slab), order[i]);
	}
	free(slab.base);
}

static void
test_lifo_reuses_the_hottest(void **state)
{
	struct slab slab = slab_make(10, true);

	for (int i = 0; i < 3; i++)
		slab_alloc(&slab);
	slab_free(&slab, 0);
	slab_free(&slab, 2);
	assert_int_equal(slab_alloc(&slab), 2);
	assert_int_equal(slab_alloc(&slab), 0);
	assert_int_equal(slab_alloc(&slab), 3);
	free(slab.base);
}

/* One object opened and closed over and over: slots rest for SLAB_REST_MIN others, no longer. */
static void
test_a_freed_slot_rests_and_fresh_ones_stay_untouched(void **state)
{
	uint32_t capacity = 4 * SLAB_REST_MIN;
	struct slab slab = slab_make(capacity, false);
	char untouched[STRIDE];

	memset(untouched, 0xa5, sizeof(untouched));
	for (uint32_t i = 0; i < 10 * capacity; i++) {
		uint32_t index = slab_alloc(&slab);

		assert_int_equal(index, i % SLAB_REST_MIN);
		slab_free(&slab, index);
	}
	for (uint32_t i = SLAB_REST_MIN; i < capacity; i++)
		assert_memory_equal(slab_at(&slab, i), untouched, STRIDE);
	/* The link is written at link_off and nowhere else. */
	assert_memory_equal(slab_at(&slab, 7), untouched, LINK_OFF);
	assert_memory_equal((char *)slab_at(&slab, 7) + LINK_OFF + 4, untouched,
		STRIDE - LINK_OFF - 4);
	free(slab.base);
}

/* Random allocations and frees against a set. */
static void
test_random_runs(void **state)
{
	enum { CAPACITY = 50 };

	for (unsigned int seed = 1; seed <= 20; seed++) {
		struct slab slab = slab_make(CAPACITY, seed % 2);
		bool used[CAPACITY] = {false};
		uint32_t count = 0;

		srand(seed);
		for (int i = 0; i < 20000; i++) {
			uint32_t pick = (uint32_t)rand() % CAPACITY;

			if (used[pick] && rand() % 2) {
				slab_free(&slab, pick);
				used[pick] = false;
				count--;
			} else {
				uint32_t index = slab_alloc(&slab);

				assert_true((index == SLAB_NONE) == (count == CAPACITY));
				if (index == SLAB_NONE)
					continue;
				assert_true(index < CAPACITY && !used[index]);
				used[index] = true;
				count++;
			}
			assert_int_equal(slab.used, count);
		}
		free(slab.base);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_slot_once_then_none),
		cmocka_unit_test(test_no_memory_is_a_full_slab),
		cmocka_unit_test(test_fifo_reuses_the_oldest),
		cmocka_unit_test(test_lifo_reuses_the_hottest),
		cmocka_unit_test(test_a_freed_slot_rests_and_fresh_ones_stay_untouched),
		cmocka_unit_test(test_random_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
