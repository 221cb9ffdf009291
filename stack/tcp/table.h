/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TCP_TABLE_H
#define RILL_TCP_TABLE_H

/*
 * The connection table: 4-tuple to 32-bit handle, for both families.
 *
 * A handle's top two bits say what it names (enum table_kind), the rest is the index into that
 * kind's slab. Every object starts with its struct tuple_head; IPv6 addresses stand at an offset
 * that is fixed per kind. Buckets are cache lines of short tags beside handles; tags are compared
 * with SSE2 or NEON where there is one. The hash is SipHash-1-3 under a secret key, so nobody
 * outside can aim at a bucket. Sized once from the number of entries it must be able to hold;
 * insertion into a full table is refused.
 */

#include <stdbool.h>
#include <stdint.h>

#include "siphash.h"
#include "slab.h"
#include "tuple.h"

enum table_kind {
	TABLE_CONN = 0,
	TABLE_TIME_WAIT = 1,
	TABLE_SYN_RECEIVED = 2,
	TABLE_KINDS = 3,
};

#define TABLE_MISS UINT32_MAX
#define TABLE_INDEX_MASK 0x3fffffffu
#define TABLE_BURST_MAX 64

static inline uint32_t
table_handle(enum table_kind kind, uint32_t index)
{
	return (uint32_t)kind << 30 | index;
}

static inline enum table_kind
table_kind(uint32_t handle)
{
	return (enum table_kind)(handle >> 30);
}

static inline uint32_t
table_index(uint32_t handle)
{
	return handle & TABLE_INDEX_MASK;
}

struct table;

/*
 * slabs[kind] is where the objects of a kind live (may be NULL if it is never inserted), and
 * addrs6_off[kind] the offset of struct tuple_addrs6 in them. capacity: entries that must fit.
 * Returns NULL without memory.
 */
struct table *table_create(uint32_t capacity, const struct siphash_key *key,
	const struct slab *const slabs[TABLE_KINDS], const uint32_t addrs6_off[TABLE_KINDS],
	int numa_node);
void table_destroy(struct table *table);

/*
 * Goes up with every insertion, removal and replacement: a lookup is a hint while it has not moved.
 */
uint32_t table_changes(const struct table *table);
uint32_t table_count(const struct table *table);

/* The handle, or TABLE_MISS. */
uint32_t table_lookup(const struct table *table, const struct tuple *tuple);

/*
 * n <= TABLE_BURST_MAX at once, in prefetched stages: hashes and buckets, then objects, then
 * comparison. handles[i] is a handle or TABLE_MISS. The objects' first cache line is then in cache.
 */
void table_lookup_burst(struct table *table, const struct tuple *const tuples[], unsigned int n,
	uint32_t handles[]);

/*
 * Where objects are so many that a core's cache does not hold them, guesses are taken early: so many
 * tuples behind the one that is asked for. Else all at the end: the lines that they bring would only
 * drive out what is needed before.
 */
#define TABLE_BURST_BEHIND 6
#define TABLE_BURST_CROWD 4096 /* objects */

/*
 * The same in steps, for who has other work to do while memory answers. Each tuple is asked for,
 * from the 0th on, with the one before it; some work later the guess is taken, and kept in
 * handles[i]: the object that it names comes into the cache. When all of both are done, settle
 * makes handles of guesses.
 */
void table_burst_ask(
	struct table *table, const struct tuple *tuple, const struct tuple *before, unsigned int i);
uint32_t table_burst_guess(struct table *table, const struct tuple *tuple, unsigned int i);
void table_burst_settle(struct table *table, const struct tuple *const tuples[], unsigned int n,
	uint32_t handles[]);

/*
 * The caller turns to the i-th tuple of the last burst, which it keeps until it turns to the next:
 * looking this tuple up again, inserting or removing it takes no new hash. NULL: the burst is over.
 */
void table_turn_to(struct table *table, const struct tuple *tuple, unsigned int i);

/*
 * Inserts a handle whose object's key is in place. Returns 0, or -ENOSPC. The caller has looked the
 * tuple up: inserting it twice is an error (checked in debug builds).
 */
int table_insert(struct table *table, const struct tuple *tuple, uint32_t handle);

/* Puts another handle in place of one, for the same tuple: cannot fail. */
void table_replace(struct table *table, const struct tuple *tuple, uint32_t old, uint32_t fresh);

/* Removes; the tuple must be there under this handle. */
void table_remove(struct table *table, const struct tuple *tuple, uint32_t handle);

/*
 * Visits every handle; fn may remove the entry it is called for, and no other. Returns the number
 * visited.
 */
uint32_t table_each(struct table *table, void (*fn)(void *arg, uint32_t handle), void *arg);

/* Is every entry found under its own key, and the count right? For tests and conn_check. */
bool table_check(const struct table *table);

#endif
