/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The connection table finds each entry under its own key and nothing else, for both families and
 * all kinds: through collisions of buckets and tags, full to its capacity at any size, over long
 * churn, with entries replaced and removed under iteration. Removal leaves nothing behind. A burst
 * of lookups answers as single ones do. The vector compare of tags equals the scalar one.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <rte_common.h>
#include <rte_eal.h>

#include "bucket.h"
#include "table.h"

struct conn_object {
	struct tuple_head head;
	uint64_t other[4];
	struct tuple_addrs6 addrs6;
};

struct small_object {
	struct tuple_head head;
	struct tuple_addrs6 addrs6;
};

/* A table with its slabs, and every tuple that a test uses with the handle that it should have. */
struct world {
	struct slab slabs[TABLE_KINDS];
	struct table *table;
	uint32_t n;
	struct tuple *tuples;
	uint32_t *handles; /* TABLE_MISS: not in the table */
};

static const struct siphash_key key = {0x1234, 0x5678};

/* Tuples of near equal bytes; every third is IPv6, some differ from another in the family alone. */
static struct tuple
tuple_number(uint32_t i)
{
	struct tuple tuple = {0};

	memset(&tuple.head.owner, (int)i, sizeof(tuple.head.owner));
	tuple.head.lport = rte_cpu_to_be_16(80);
	tuple.head.rport = rte_cpu_to_be_16((uint16_t)(i / 3 % 1000));
	if (i % 3 == 2) {
		tuple.head.family = AF_INET6;
		tuple.addrs6.laddr[15] = 1;
		memcpy(tuple.addrs6.raddr + 12, &(uint32_t){i / 3000}, 4);
		return tuple;
	}
	tuple.head.family = AF_INET;
	tuple.head.laddr4 = rte_cpu_to_be_32(0x0a000001 + i % 3);
	tuple.head.raddr4 = rte_cpu_to_be_32(i / 3000);
	memset(&tuple.addrs6, 0xcc, sizeof(tuple.addrs6)); /* not meaningful */
	return tuple;
}

static void
world_make(struct world *w, uint32_t capacity, uint32_t tuples)
{
	static const uint32_t strides[TABLE_KINDS] = {sizeof(struct conn_object),
		sizeof(struct small_object), sizeof(struct small_object)};
	static const uint32_t addrs6_off[TABLE_KINDS] = {offsetof(struct conn_object, addrs6),
		offsetof(struct small_object, addrs6), offsetof(struct small_object, addrs6)};
	const struct slab *slabs[TABLE_KINDS];

	memset(w, 0, sizeof(*w));
	for (int kind = 0; kind < TABLE_KINDS; kind++) {
		void *memory = calloc(tuples, strides[kind]);

		assert_non_null(memory);
		slab_init(&w->slabs[kind], memory, strides[kind], tuples, 0, true);
		slabs[kind] = &w->slabs[kind];
	}
	w->table = table_create(capacity, &key, slabs, addrs6_off, -1);
	assert_non_null(w->table);
	w->n = tuples;
	w->tuples = calloc(tuples, sizeof(*w->tuples));
	w->handles = malloc(tuples * sizeof(*w->handles));
	for (uint32_t i = 0; i < tuples; i++) {
		w->tuples[i] = tuple_number(i);
		w->handles[i] = TABLE_MISS;
	}
}

static void
world_free(struct world *w)
{
	table_destroy(w->table);
	for (int kind = 0; kind < TABLE_KINDS; kind++)
		free(w->slabs[kind].base);
	free(w->tuples);
	free(w->handles);
}

/* An object of a kind with the tuple as its key; the owner's bytes differ from the tuple's. */
static uint32_t
object_make(struct world *w, const struct tuple *tuple, enum table_kind kind)
{
	uint32_t index = slab_alloc(&w->slabs[kind]);
	char *object = slab_at(&w->slabs[kind], index);
	size_t off = kind == TABLE_CONN ? offsetof(struct conn_object, addrs6)
					: offsetof(struct small_object, addrs6);

	assert_true(index != SLAB_NONE);
	memset(object, 0x5a, w->slabs[kind].stride);
	memcpy(object, &tuple->head, TUPLE_HEAD_KEY_LEN);
	if (tuple->head.family == AF_INET6)
		memcpy(object + off, &tuple->addrs6, sizeof(tuple->addrs6));
	return table_handle(kind, index);
}

static void
object_drop(struct world *w, uint32_t handle)
{
	slab_free(&w->slabs[table_kind(handle)], table_index(handle));
}

static int
add(struct world *w, uint32_t i, enum table_kind kind)
{
	uint32_t handle = object_make(w, &w->tuples[i], kind), changes = table_changes(w->table);
	int rc = table_insert(w->table, &w->tuples[i], handle);

	if (rc == 0)
		w->handles[i] = handle;
	else
		object_drop(w, handle);
	assert_int_equal(table_changes(w->table), changes + (rc == 0));
	return rc;
}

static void
take(struct world *w, uint32_t i)
{
	uint32_t changes = table_changes(w->table);

	table_remove(w->table, &w->tuples[i], w->handles[i]);
	object_drop(w, w->handles[i]);
	w->handles[i] = TABLE_MISS;
	assert_int_equal(table_changes(w->table), changes + 1);
}

static void
swap(struct world *w, uint32_t i, enum table_kind kind)
{
	uint32_t fresh = object_make(w, &w->tuples[i], kind), changes = table_changes(w->table);

	table_replace(w->table, &w->tuples[i], w->handles[i], fresh);
	object_drop(w, w->handles[i]);
	w->handles[i] = fresh;
	assert_int_equal(table_changes(w->table), changes + 1);
}

/* Every tuple, present or not, singly and in bursts of changing length. */
static void
expect_all(const struct world *w)
{
	const struct tuple *burst[TABLE_BURST_MAX];
	uint32_t got[TABLE_BURST_MAX], count = 0;
	unsigned int n = 1;

	for (uint32_t i = 0; i < w->n; i += n) {
		n = 1 + (n + 6) % TABLE_BURST_MAX;
		if (n > w->n - i)
			n = w->n - i;
		for (uint32_t j = 0; j < n; j++)
			burst[j] = &w->tuples[i + j];
		table_lookup_burst(w->table, burst, n, got);
		for (uint32_t j = 0; j < n; j++) {
			assert_int_equal(got[j], w->handles[i + j]);
			assert_int_equal(table_lookup(w->table, burst[j]), got[j]);
			count += got[j] != TABLE_MISS;
		}
	}
	assert_int_equal(table_count(w->table), count);
	assert_true(table_check(w->table));
}

static void
expect_empty(struct world *w)
{
	for (uint32_t i = 0; i < w->n; i++)
		if (w->handles[i] != TABLE_MISS)
			take(w, i);
	expect_all(w); /* table_check: no bucket counts an entry elsewhere any more */
	assert_int_equal(table_count(w->table), 0);
}

static void
test_each_key_has_its_own_entry(void **state)
{
	struct world w;

	world_make(&w, 9000, 9000);
	expect_all(&w);
	for (uint32_t i = 0; i < w.n; i += 2)
		assert_int_equal(add(&w, i, i % TABLE_KINDS), 0);
	expect_all(&w);
	expect_empty(&w);
	world_free(&w);
}

/* Entries that differ in one bit of the key, compared in full behind equal heads. */
static void
test_one_bit_of_an_ipv6_address_counts(void **state)
{
	struct world w;

	world_make(&w, 300, 257);
	for (uint32_t i = 0; i < w.n; i++) {
		w.tuples[i] = (struct tuple){.head = {.lport = 1, .rport = 2, .family = AF_INET6}};
		if (i > 0)
			((uint8_t *)&w.tuples[i].addrs6)[(i - 1) / 8] =
				(uint8_t)(1u << (i - 1) % 8);
	}
	for (uint32_t i = 0; i < w.n; i += 2)
		assert_int_equal(add(&w, i, TABLE_TIME_WAIT), 0);
	expect_all(&w);
	world_free(&w);
}

/* Any size takes exactly its capacity, then refuses, and takes another for each one removed. */
static void
test_full_is_at_capacity(void **state)
{
	static const uint32_t more[] = {1000, 1023, 4096, 20000};

	for (uint32_t step = 0; step < 200 + RTE_DIM(more); step++) {
		uint32_t capacity = step < 200 ? step : more[step - 200];
		struct world w;

		world_make(&w, capacity, capacity + 10);
		for (uint32_t i = 0; i < capacity; i++)
			assert_int_equal(add(&w, i, TABLE_CONN), 0);
		for (uint32_t i = capacity; i < w.n; i++)
			assert_int_equal(add(&w, i, TABLE_CONN), -ENOSPC);
		expect_all(&w);
		if (capacity > 0) {
			take(&w, capacity / 2);
			assert_int_equal(add(&w, capacity + 5, TABLE_SYN_RECEIVED), 0);
			assert_int_equal(add(&w, capacity / 2, TABLE_CONN), -ENOSPC);
		}
		expect_empty(&w);
		world_free(&w);
	}
}

static uint32_t
buckets_of(uint32_t capacity)
{
	return capacity / 8 +
	       2; /* as table_create sizes it: only how hard the test is depends on it */
}

/* IPv6 tuples with equal heads. */
static struct tuple
tuple6_number(uint32_t i)
{
	struct tuple tuple = {.head = {.lport = 1, .rport = 2, .family = AF_INET6}};

	memcpy(tuple.addrs6.laddr + 12, &i, sizeof(i));
	return tuple;
}

/* Fills tuples[] with tuples of one pair of buckets, and of one tag if asked. */
static void
collide(struct world *w, uint32_t capacity, struct tuple (*make)(uint32_t i), bool same_tag)
{
	struct spot want = {0};
	uint32_t found = 0;

	for (uint32_t i = 0; found < w->n; i++) {
		struct tuple tuple = make(i);
		struct spot spot = spot_of(siphash_tuple(&key, &tuple), buckets_of(capacity));

		if (found == 0)
			want = spot;
		if (spot.first != want.first || spot.second != want.second)
			continue;
		if (same_tag && spot.tag != want.tag)
			continue;
		w->tuples[found++] = tuple;
	}
}

/* 45 entries of the same two buckets: ten, ten more, the rest in the stash. */
static void
test_colliding_buckets_overflow_into_the_stash(void **state)
{
	uint32_t capacity = 60;
	struct world w;

	world_make(&w, capacity, 50);
	collide(&w, capacity, tuple_number, false);
	for (uint32_t i = 0; i < 45; i++) {
		assert_int_equal(add(&w, i, i % TABLE_KINDS), 0);
		expect_all(&w);
	}
	for (uint32_t i = 0; i < 45; i += 3) /* of the first, of the second, of the stash */
		take(&w, i);
	expect_all(&w);
	for (uint32_t i = 1; i < 45; i += 3)
		swap(&w, i, TABLE_TIME_WAIT);
	expect_all(&w);
	for (uint32_t i = 45; i < 50; i++)
		assert_int_equal(add(&w, i, TABLE_CONN), 0);
	expect_all(&w);
	expect_empty(&w);
	world_free(&w);
}

/* What not even the stash takes is refused, and does no harm: 10 + 10 + 40. */
static void
test_beyond_the_stash_is_refused(void **state)
{
	uint32_t capacity = 80, fit = 60;
	struct world w;

	world_make(&w, capacity, 70);
	collide(&w, capacity, tuple_number, false);
	for (uint32_t i = 0; i < w.n; i++)
		assert_int_equal(add(&w, i, TABLE_CONN), i < fit ? 0 : -ENOSPC);
	expect_all(&w);
	take(&w, 0);
	assert_int_equal(add(&w, 69, TABLE_CONN), 0);
	expect_all(&w);
	expect_empty(&w);
	world_free(&w);
}

/*
 * Buckets A and B, full of entries that can stand elsewhere, make room for 20 entries that cannot;
 * 40 more go to the stash.
 */
static void
test_entries_move_to_make_room(void **state)
{
	uint32_t capacity = 100, n_both = 20 + 40 + 1, a = 0, b = 0, n = 20;
	struct world w;

	world_make(&w, capacity, n + n_both);
	for (uint32_t i = 0; a < 10 || b < 10 || n < w.n; i++) {
		struct tuple tuple = tuple_number(i);
		struct spot spot = spot_of(siphash_tuple(&key, &tuple), buckets_of(capacity));

		if (spot.first == 3 && spot.second == 7 && n < w.n)
			w.tuples[n++] = tuple;
		else if (spot.first == 3 && spot.second != 7 && a < 10)
			w.tuples[a++] = tuple;
		else if (spot.first == 7 && spot.second != 3 && b < 10)
			w.tuples[10 + b++] = tuple;
	}
	for (uint32_t i = 0; i < w.n; i++) {
		assert_int_equal(add(&w, i, TABLE_CONN), i < w.n - 1 ? 0 : -ENOSPC);
		expect_all(&w);
	}
	expect_empty(&w);
	world_free(&w);
}

static void
test_equal_tags_are_told_apart_by_the_key(void **state)
{
	uint32_t capacity = 8;
	struct world w;

	for (int family = 0; family < 2; family++) {
		world_make(&w, capacity, 8);
		collide(&w, capacity, family == 0 ? tuple_number : tuple6_number, true);
		for (uint32_t i = 0; i < w.n; i++) {
			assert_int_equal(add(&w, i, TABLE_CONN), 0);
			expect_all(&w);
		}
		for (uint32_t i = 0; i < w.n; i++) {
			take(&w, (5 * i + 3) % w.n);
			expect_all(&w);
		}
		world_free(&w);
	}
}

/* A hash whose tag would be the mark of a free slot. */
static void
test_no_hash_reads_as_a_free_slot(void **state)
{
	struct world w;
	uint64_t hash;

	world_make(&w, 1, 1);
	for (uint32_t i = 0;; i++) {
		w.tuples[0] = tuple_number(i);
		hash = siphash_tuple(&key, &w.tuples[0]);
		if ((hash & 0xff) == 0 && (hash >> 32 & 0xff) == 0)
			break;
	}
	assert_int_equal(add(&w, 0, TABLE_CONN), 0);
	expect_all(&w);
	expect_empty(&w);
	world_free(&w);
}

struct visit {
	struct world *w;
	uint32_t *seen;
	uint32_t remove_every;
};

static void
visit_one(void *arg, uint32_t handle)
{
	struct visit *visit = arg;

	for (uint32_t i = 0; i < visit->w->n; i++) {
		if (visit->w->handles[i] != handle)
			continue;
		visit->seen[i]++;
		if (visit->remove_every > 0 && i % visit->remove_every == 0)
			take(visit->w, i);
		return;
	}
	fail_msg("handle %#x is not in the table", handle);
}

static void
test_iteration_visits_each_once_and_may_remove(void **state)
{
	static const uint32_t removals[] = {0, 3, 1};
	uint32_t left = 800;
	struct world w;

	world_make(&w, left, 1000);
	for (uint32_t i = 0; i < left; i++)
		assert_int_equal(add(&w, i, i % TABLE_KINDS), 0);
	for (size_t round = 0; round < RTE_DIM(removals); round++) {
		struct visit visit = {&w, calloc(w.n, sizeof(uint32_t)), removals[round]};
		uint32_t *before = malloc(w.n * sizeof(*before));

		memcpy(before, w.handles, w.n * sizeof(*before));
		assert_int_equal(table_each(w.table, visit_one, &visit), left);
		for (uint32_t i = 0; i < w.n; i++)
			assert_int_equal(visit.seen[i], before[i] != TABLE_MISS);
		left = table_count(w.table);
		expect_all(&w);
		free(visit.seen);
		free(before);
	}
	assert_int_equal(left, 0);
	world_free(&w);
}

/* A connection becomes its TIME-WAIT entry in a full table. */
static void
test_replace_needs_no_room(void **state)
{
	struct world w;

	world_make(&w, 500, 600);
	for (uint32_t i = 0; i < 500; i++)
		assert_int_equal(add(&w, i, TABLE_SYN_RECEIVED), 0);
	for (uint32_t i = 0; i < 500; i++)
		swap(&w, i, i % 2 ? TABLE_CONN : TABLE_TIME_WAIT);
	expect_all(&w);
	assert_int_equal(add(&w, 599, TABLE_CONN), -ENOSPC);
	world_free(&w);
}

/* Long churn, mostly near full, against the model; single and burst lookups at intervals. */
static void
test_random_runs_equal_the_model(void **state)
{
	static const uint32_t capacities[] = {1, 7, 30, 200, 3000};

	for (unsigned int seed = 1; seed <= 5; seed++) {
		uint32_t capacity = capacities[seed - 1], full = 0;
		struct world w;

		srand(seed);
		world_make(&w, capacity, 2 * capacity + 3);
		for (uint32_t op = 0; op < 60000; op++) {
			uint32_t i = (uint32_t)rand() % w.n;
			enum table_kind kind = (enum table_kind)(rand() % TABLE_KINDS);

			if (w.handles[i] == TABLE_MISS) {
				int rc = table_count(w.table) < capacity ? 0 : -ENOSPC;

				assert_int_equal(add(&w, i, kind), rc);
				full += rc != 0;
			} else if (rand() % 4 == 0) {
				take(&w, i);
			} else if (rand() % 4 == 0) {
				swap(&w, i, kind);
			}
			assert_int_equal(table_lookup(w.table, &w.tuples[i]), w.handles[i]);
			if (op % 6000 == 0)
				expect_all(&w);
		}
		assert_true(full > 100);
		expect_empty(&w);
		world_free(&w);
	}
}

/* A full table whose entries all turn over many times goes on to take its capacity. */
static void
test_full_churn_never_refuses(void **state)
{
	uint32_t capacity = 16000, victim = 0, next = 0;
	struct world w;

	world_make(&w, capacity, 2 * capacity);
	for (uint32_t i = 0; i < capacity; i++)
		assert_int_equal(add(&w, i, TABLE_CONN), 0);
	srand(3);
	for (uint32_t op = 0; op < 20 * capacity; op++) {
		do
			victim = (uint32_t)rand() % w.n;
		while (w.handles[victim] == TABLE_MISS);
		take(&w, victim);
		do
			next = (uint32_t)rand() % w.n;
		while (w.handles[next] != TABLE_MISS);
		assert_int_equal(add(&w, next, TABLE_CONN), 0);
	}
	expect_all(&w);
	expect_empty(&w);
	world_free(&w);
}

static void
test_vector_match_equals_scalar(void **state)
{
	static const uint16_t tags[] = {0, 1, 0x7fff, 0x8000, 0xffff, 0x00ff, 0xff00, 0x1234};
	struct bucket bucket;

	srand(11);
	for (int run = 0; run < 100000; run++) {
		for (size_t i = 0; i < sizeof(bucket) / 2; i++)
			((uint16_t *)&bucket)[i] = tags[rand() % RTE_DIM(tags)];
		for (size_t i = 0; i < RTE_DIM(tags); i++)
			assert_int_equal(bucket_match(&bucket, tags[i]),
				bucket_match_scalar(&bucket, tags[i]));
	}
}

int
main(void)
{
	char *eal[] = {"test_table", "--no-huge", "--no-pci", "--no-shconf", "--no-telemetry",
		"--iova-mode=va", "-m", "64", "-l", "0", NULL};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_key_has_its_own_entry),
		cmocka_unit_test(test_one_bit_of_an_ipv6_address_counts),
		cmocka_unit_test(test_full_is_at_capacity),
		cmocka_unit_test(test_colliding_buckets_overflow_into_the_stash),
		cmocka_unit_test(test_beyond_the_stash_is_refused),
		cmocka_unit_test(test_entries_move_to_make_room),
		cmocka_unit_test(test_equal_tags_are_told_apart_by_the_key),
		cmocka_unit_test(test_no_hash_reads_as_a_free_slot),
		cmocka_unit_test(test_iteration_visits_each_once_and_may_remove),
		cmocka_unit_test(test_replace_needs_no_room),
		cmocka_unit_test(test_random_runs_equal_the_model),
		cmocka_unit_test(test_full_churn_never_refuses),
		cmocka_unit_test(test_vector_match_equals_scalar),
	};

	if (rte_eal_init((int)RTE_DIM(eal) - 1, eal) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
