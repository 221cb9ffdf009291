/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A million tuples whose buckets all lie in one half of the connection table under a key that the
 * attacker knows: there they do not fit. Under the secret key of a lane they are like any others: no
 * bucket has more of them than chance gives it, and the table takes all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <rte_common.h>
#include <rte_eal.h>

#include "bucket.h"
#include "table.h"

#define CHOSEN 1000000u
#define BUCKETS (CHOSEN / 8 + 2) /* as table_create sizes it */
#define STASH 40
/* 8 are expected; that chance gives 40 to any bucket happens once in a billion runs. */
#define CROWDED 40

static const struct siphash_key known = {1, 2}, secret = {0x8d3a5f60c27b1e94, 0x41f7b8063ad9e25c};

/* Those that an attacker would send: both of their buckets in the first half. */
static struct tuple *
tuples_chosen(void)
{
	struct tuple *chosen = calloc(CHOSEN, sizeof(*chosen));

	assert_non_null(chosen);
	for (uint32_t i = 0, found = 0; found < CHOSEN; i++) {
		struct tuple tuple = {.head = {.family = AF_INET, .lport = rte_cpu_to_be_16(80),
			.laddr4 = rte_cpu_to_be_32(0xc0000201), .raddr4 = i, .rport = (uint16_t)i}};
		struct spot spot = spot_of(siphash_tuple(&known, &tuple), BUCKETS);

		if (spot.first < BUCKETS / 2 && spot.second < BUCKETS / 2)
			chosen[found++] = tuple;
	}
	return chosen;
}

static uint32_t
most_in_a_bucket(const struct tuple *chosen, const struct siphash_key *key)
{
	static uint32_t load[BUCKETS];
	uint32_t most = 0;

	memset(load, 0, sizeof(load));
	for (uint32_t i = 0; i < CHOSEN; i++) {
		uint32_t at = spot_of(siphash_tuple(key, &chosen[i]), BUCKETS).first;

		most = RTE_MAX(++load[at], most);
	}
	return most;
}

/* How many of them a table under this key takes; each that it takes is found again. */
static uint32_t
taken(struct tuple *chosen, const struct siphash_key *key)
{
	static const uint32_t addrs6_off[TABLE_KINDS] = {
		offsetof(struct tuple, addrs6), offsetof(struct tuple, addrs6), offsetof(struct tuple, addrs6)};
	struct slab slab;
	const struct slab *slabs[TABLE_KINDS] = {&slab, &slab, &slab};
	struct tuple *objects = malloc(CHOSEN * sizeof(*objects));
	struct table *table;
	uint32_t count;

	assert_non_null(objects);
	slab_init(&slab, objects, sizeof(*objects), CHOSEN, 0, true);
	table = table_create(CHOSEN, key, slabs, addrs6_off, -1);
	assert_non_null(table);
	for (uint32_t i = 0; i < CHOSEN; i++) {
		uint32_t index = slab_alloc(&slab);

		memcpy(slab_at(&slab, index), &chosen[i], sizeof(chosen[i]));
		if (table_insert(table, &chosen[i], table_handle(TABLE_CONN, index)) != 0)
			slab_free(&slab, index);
	}
	count = table_count(table);
	assert_true(table_check(table));
	table_destroy(table);
	free(objects);
	return count;
}

/* [ATK-45] */
static void
test_tuples_chosen_under_another_key_spread(void **state)
{
	struct tuple *chosen = tuples_chosen();

	assert_true(most_in_a_bucket(chosen, &secret) < CROWDED);
	assert_int_equal(taken(chosen, &secret), CHOSEN);
	/* And chosen they were. */
	assert_true(taken(chosen, &known) <= BUCKETS / 2 * BUCKET_SLOTS + STASH);
	free(chosen);
}

int
main(void)
{
	char *eal[] = {"test_collisions", "--no-huge", "--no-pci", "--no-shconf", "--no-telemetry",
		"--iova-mode=va", "-m", "64", "-l", "0", NULL};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tuples_chosen_under_another_key_spread),
	};

	if (rte_eal_init((int)RTE_DIM(eal) - 1, eal) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
