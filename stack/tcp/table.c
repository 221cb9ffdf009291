/* SPDX-License-Identifier: BSD-3-Clause */
#include "table.h"

#include <errno.h>

#include <rte_malloc.h>
#include <rte_prefetch.h>

#include "bucket.h"
#include "check.h"

/*
 * An entry stands in its first bucket if that has room when it comes, else in its second
 * ("spilled"), else one entry of either is moved to its own other bucket, else it goes to the
 * stash. A bucket counts those of its own that stand elsewhere: while there are none, a miss costs
 * one cache line, and a removal takes its count back, so that nothing is left behind.
 *
 * A full table has 8 entries for each bucket of 10 slots. That both buckets are full and none of
 * their 20 entries can move then happens less than once in 10^10 insertions; the stash, searched
 * only for buckets that have something there, takes 40 such.
 */
#define BUCKET_LOAD 8
#define STASH_BUCKETS 4

struct table {
	struct bucket *buckets; /* n_buckets, then the stash */
	uint32_t n_buckets;
	uint32_t addrs6_off[TABLE_KINDS];
	const struct slab *slabs[TABLE_KINDS];
	struct siphash_key key;
	uint32_t capacity;
	uint32_t count;
	uint32_t changes;
	uint32_t asked;              /* changes, when the last burst began */
	const struct tuple *current; /* of the last burst: table_turn_to; NULL: none */
	struct spot current_spot;
	struct spot spots[TABLE_BURST_MAX]; /* of the last burst */
};

struct table *
table_create(uint32_t capacity, const struct siphash_key *key,
	const struct slab *const slabs[TABLE_KINDS], const uint32_t addrs6_off[TABLE_KINDS],
	int numa_node)
{
	struct table *table = rte_zmalloc_socket("rill_table", sizeof(*table), 64, numa_node);
	uint32_t n_buckets = capacity / BUCKET_LOAD + 2;
	size_t bytes = ((size_t)n_buckets + STASH_BUCKETS) * sizeof(struct bucket);

	if (table == NULL)
		return NULL;
	table->buckets = rte_zmalloc_socket("rill_table", bytes, sizeof(struct bucket), numa_node);
	if (table->buckets == NULL) {
		rte_free(table);
		return NULL;
	}
	table->n_buckets = n_buckets;
	table->capacity = capacity;
	table->key = *key;
	for (int kind = 0; kind < TABLE_KINDS; kind++) {
		table->slabs[kind] = slabs[kind];
		table->addrs6_off[kind] = addrs6_off[kind];
	}
	return table;
}

void
table_destroy(struct table *table)
{
	if (table == NULL)
		return;
	rte_free(table->buckets);
	rte_free(table);
}

uint32_t
table_changes(const struct table *table)
{
	return table->changes;
}

uint32_t
table_count(const struct table *table)
{
	return table->count;
}

static inline bool
is_same(const struct tuple *a, const struct tuple *b)
{
	return tuple_head_eq(&a->head, &b->head) &&
	       (likely(a->head.family == AF_INET) ||
		       memcmp(&a->addrs6, &b->addrs6, sizeof(a->addrs6)) == 0);
}

static inline struct spot
table_spot(const struct table *table, const struct tuple *tuple)
{
	if (table->current != NULL && is_same(table->current, tuple))
		return table->current_spot;
	return spot_of(siphash_tuple(&table->key, tuple), table->n_buckets);
}

static inline const char *
object_of(const struct table *table, uint32_t handle)
{
	return slab_at(table->slabs[table_kind(handle)], table_index(handle));
}

static inline bool
object_has(const struct table *table, uint32_t handle, const struct tuple *tuple)
{
	const char *object = object_of(table, handle);

	if (!tuple_head_eq((const struct tuple_head *)(const void *)object, &tuple->head))
		return false;
	return tuple->head.family == AF_INET ||
	       memcmp(object + table->addrs6_off[table_kind(handle)], &tuple->addrs6,
		       sizeof(tuple->addrs6)) == 0;
}

static struct tuple
object_tuple(const struct table *table, uint32_t handle)
{
	const char *object = object_of(table, handle);
	struct tuple tuple;

	memcpy(&tuple.head, object, sizeof(tuple.head));
	if (tuple.head.family == AF_INET6)
		memcpy(&tuple.addrs6, object + table->addrs6_off[table_kind(handle)],
			sizeof(tuple.addrs6));
	return tuple;
}

static inline void
object_prefetch(const struct table *table, uint32_t handle, bool ip6)
{
	const char *object = object_of(table, handle);

	rte_prefetch0(object);
	if (ip6)
		rte_prefetch0(object + table->addrs6_off[table_kind(handle)]);
}

static inline uint32_t
bucket_find(const struct table *table, const struct bucket *bucket, uint16_t tag,
	const struct tuple *tuple)
{
	for (uint32_t mask = bucket_match(bucket, tag); mask != 0; mask &= mask - 1) {
		uint32_t handle = bucket->handles[__builtin_ctz(mask)];

		if (object_has(table, handle, tuple))
			return handle;
	}
	return TABLE_MISS;
}

static __rte_noinline uint32_t
find_elsewhere(const struct table *table, const struct spot *spot, const struct tuple *tuple)
{
	const struct bucket *first = &table->buckets[spot->first];
	const struct bucket *stash = &table->buckets[table->n_buckets];
	uint32_t handle = TABLE_MISS;

	if (first->spilled > 0)
		handle = bucket_find(table, &table->buckets[spot->second], spot->tag, tuple);
	for (int i = 0; first->stashed > 0 && handle == TABLE_MISS && i < STASH_BUCKETS; i++)
		handle = bucket_find(table, &stash[i], spot->tag, tuple);
	return handle;
}

static inline bool
has_elsewhere(const struct bucket *first)
{
	return (first->spilled | first->stashed) != 0;
}

static inline uint32_t
find(const struct table *table, const struct spot *spot, const struct tuple *tuple)
{
	const struct bucket *first = &table->buckets[spot->first];
	uint32_t handle = bucket_find(table, first, spot->tag, tuple);

	if (handle != TABLE_MISS || !has_elsewhere(first))
		return handle;
	return find_elsewhere(table, spot, tuple);
}

uint32_t
table_lookup(const struct table *table, const struct tuple *tuple)
{
	struct spot spot = table_spot(table, tuple);

	return find(table, &spot, tuple);
}

/* The handle that a bucket's tags suggest, its object prefetched; or TABLE_MISS. */
static inline uint32_t
bucket_guess(const struct table *table, const struct bucket *bucket, uint16_t tag, bool ip6)
{
	uint32_t mask = bucket_match(bucket, tag), handle;

	if (mask == 0)
		return TABLE_MISS;
	handle = bucket->handles[__builtin_ctz(mask)];
	object_prefetch(table, handle, ip6);
	return handle;
}

void
table_burst_ask(
	struct table *table, const struct tuple *tuple, const struct tuple *before, unsigned int i)
{
	RILL_DCHECK(i < TABLE_BURST_MAX && table->current == NULL);
	if (i == 0)
		table->asked = table->changes;
	else if (is_same(tuple, before)) { /* bulk comes in a row */
		table->spots[i] = table->spots[i - 1];
		return;
	}
	table->spots[i] = table_spot(table, tuple);
	rte_prefetch0(&table->buckets[table->spots[i].first]);
}

uint32_t
table_burst_guess(struct table *table, const struct tuple *tuple, unsigned int i)
{
	const struct spot *spot = &table->spots[i];
	const struct bucket *first = &table->buckets[spot->first];
	uint32_t handle = bucket_guess(table, first, spot->tag, tuple->head.family == AF_INET6);

	if (handle == TABLE_MISS && has_elsewhere(first))
		rte_prefetch0(&table->buckets[spot->second]);
	return handle;
}

/* The table has changed since the guesses were made: what a guess names may be gone. */
static __rte_noinline void
burst_find(const struct table *table, const struct tuple *const tuples[], unsigned int n,
	uint32_t handles[])
{
	for (unsigned int i = 0; i < n; i++)
		handles[i] = find(table, &table->spots[i], tuples[i]);
}

void
table_burst_settle(
	struct table *table, const struct tuple *const tuples[], unsigned int n, uint32_t handles[])
{
	const struct spot *spots = table->spots;
	uint8_t late[TABLE_BURST_MAX];
	unsigned int n_late = 0;

	if (unlikely(table->changes != table->asked)) {
		burst_find(table, tuples, n, handles);
		return;
	}
	for (unsigned int i = 0; i < n; i++) {
		const struct bucket *first = &table->buckets[spots[i].first];
		bool ip6 = tuples[i]->head.family == AF_INET6;

		if (handles[i] != TABLE_MISS) {
			if (object_has(table, handles[i], tuples[i]))
				continue;
		} else if (!has_elsewhere(first)) {
			continue;
		} else {
			bucket_guess(table, &table->buckets[spots[i].second], spots[i].tag, ip6);
		}
		late[n_late++] = (uint8_t)i;
	}
	for (unsigned int i = 0; i < n_late; i++)
		handles[late[i]] = find(table, &spots[late[i]], tuples[late[i]]);
}

void
table_lookup_burst(
	struct table *table, const struct tuple *const tuples[], unsigned int n, uint32_t handles[])
{
	for (unsigned int i = 0; i < n; i++)
		table_burst_ask(table, tuples[i], i > 0 ? tuples[i - 1] : NULL, i);
	for (unsigned int i = 0; i < n; i++)
		handles[i] = table_burst_guess(table, tuples[i], i);
	table_burst_settle(table, tuples, n, handles);
}

void
table_turn_to(struct table *table, const struct tuple *tuple, unsigned int i)
{
	table->current = tuple;
	table->current_spot = table->spots[i];
}

/* Moves one entry of a full bucket to its other bucket. False: none can go. */
static bool
make_room(struct table *table, uint32_t from)
{
	struct bucket *bucket = &table->buckets[from];

	for (int slot = 0; slot < BUCKET_SLOTS; slot++)
		object_prefetch(table, bucket->handles[slot], true);
	for (int slot = 0; slot < BUCKET_SLOTS; slot++) {
		struct tuple tuple = object_tuple(table, bucket->handles[slot]);
		struct spot spot = table_spot(table, &tuple);
		bool spills = spot.first == from;
		uint32_t to = spills ? spot.second : spot.first;

		RILL_DCHECK(spills || spot.second == from);
		if (spills && bucket->spilled == UINT16_MAX)
			continue;
		if (!bucket_put(&table->buckets[to], spot.tag, bucket->handles[slot]))
			continue;
		if (spills)
			bucket->spilled++;
		else
			table->buckets[to].spilled--;
		bucket->tags[slot] = BUCKET_TAG_FREE;
		return true;
	}
	return false;
}

static bool
stash_put(struct table *table, const struct spot *spot, uint32_t handle)
{
	for (int i = 0; i < STASH_BUCKETS; i++)
		if (bucket_put(&table->buckets[table->n_buckets + i], spot->tag, handle))
			return true;
	return false;
}

/* The first bucket is full. */
static __rte_noinline bool
insert_elsewhere(struct table *table, const struct spot *spot, uint32_t handle)
{
	struct bucket *first = &table->buckets[spot->first];
	struct bucket *second = &table->buckets[spot->second];

	if (first->spilled < UINT16_MAX && bucket_put(second, spot->tag, handle)) {
		first->spilled++;
		return true;
	}
	if (make_room(table, spot->first))
		return bucket_put(first, spot->tag, handle);
	if (first->spilled < UINT16_MAX && make_room(table, spot->second)) {
		first->spilled++;
		return bucket_put(second, spot->tag, handle);
	}
	if (!stash_put(table, spot, handle))
		return false;
	first->stashed++;
	return true;
}

int
table_insert(struct table *table, const struct tuple *tuple, uint32_t handle)
{
	struct spot spot = table_spot(table, tuple);

	RILL_DCHECK(table_kind(handle) < TABLE_KINDS && object_has(table, handle, tuple));
	RILL_DCHECK(find(table, &spot, tuple) == TABLE_MISS);
	if (table->count == table->capacity)
		return -ENOSPC;
	if (!bucket_put(&table->buckets[spot.first], spot.tag, handle) &&
		!insert_elsewhere(table, &spot, handle))
		return -ENOSPC;
	table->count++;
	table->changes++;
	return 0;
}

/* Where an entry stands; counter: what its first bucket counts it in, or NULL. */
struct position {
	struct bucket *bucket;
	int slot;
	uint16_t *counter;
};

static struct position
locate(struct table *table, const struct tuple *tuple, uint32_t handle)
{
	struct spot spot = table_spot(table, tuple);
	struct bucket *first = &table->buckets[spot.first];
	struct position at = {.bucket = first};

	at.slot = bucket_slot(first, spot.tag, handle);
	if (at.slot >= 0)
		return at;
	at.bucket = &table->buckets[spot.second];
	at.counter = &first->spilled;
	at.slot = bucket_slot(at.bucket, spot.tag, handle);
	for (int i = 0; at.slot < 0 && i < STASH_BUCKETS; i++) {
		at.bucket = &table->buckets[table->n_buckets + i];
		at.counter = &first->stashed;
		at.slot = bucket_slot(at.bucket, spot.tag, handle);
	}
	RILL_ASSERT(at.slot >= 0);
	return at;
}

void
table_replace(struct table *table, const struct tuple *tuple, uint32_t old, uint32_t fresh)
{
	struct position at = locate(table, tuple, old);

	RILL_DCHECK(table_kind(fresh) < TABLE_KINDS && object_has(table, fresh, tuple));
	at.bucket->handles[at.slot] = fresh;
	table->changes++;
}

void
table_remove(struct table *table, const struct tuple *tuple, uint32_t handle)
{
	struct position at = locate(table, tuple, handle);

	at.bucket->tags[at.slot] = BUCKET_TAG_FREE;
	if (at.counter != NULL)
		--*at.counter;
	table->count--;
	table->changes++;
}

uint32_t
table_each(struct table *table, void (*fn)(void *arg, uint32_t handle), void *arg)
{
	uint32_t visited = 0;

	for (uint32_t i = 0; i < table->n_buckets + STASH_BUCKETS; i++) {
		const struct bucket *bucket = &table->buckets[i];

		for (int slot = 0; slot < BUCKET_SLOTS; slot++) {
			if (bucket->tags[slot] == BUCKET_TAG_FREE)
				continue;
			visited++;
			fn(arg, bucket->handles[slot]);
		}
	}
	return visited;
}

/* Does this slot's entry belong here, and is it found? Adds to what stands elsewhere. */
static bool
slot_check(const struct table *table, uint32_t at, int slot, uint64_t *elsewhere)
{
	const struct bucket *bucket = &table->buckets[at];
	struct tuple tuple = object_tuple(table, bucket->handles[slot]);
	struct spot spot = table_spot(table, &tuple);

	*elsewhere += at != spot.first;
	return bucket->tags[slot] == spot.tag &&
	       (at == spot.first || at == spot.second || at >= table->n_buckets) &&
	       find(table, &spot, &tuple) == bucket->handles[slot];
}

bool
table_check(const struct table *table)
{
	uint64_t elsewhere = 0, counted_elsewhere = 0;
	uint32_t count = 0;

	for (uint32_t i = 0; i < table->n_buckets + STASH_BUCKETS; i++) {
		const struct bucket *bucket = &table->buckets[i];

		counted_elsewhere += bucket->spilled + bucket->stashed;
		for (int slot = 0; slot < BUCKET_SLOTS; slot++) {
			if (bucket->tags[slot] == BUCKET_TAG_FREE)
				continue;
			count++;
			if (!slot_check(table, i, slot, &elsewhere))
				return false;
		}
	}
	return count == table->count && elsewhere == counted_elsewhere;
}
