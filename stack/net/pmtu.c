/* SPDX-License-Identifier: BSD-3-Clause */
#include "pmtu.h"

#include <string.h>

#include "check.h"

#define NONE PMTU_PATHS_MAX

/*
 * MTUs that paths are known to have. RFC 1191's table [1191 7.1], and between its steps, below
 * Ethernet's 1500, what tunnels leave of it.
 */
static const uint16_t plateaus[] = {
	68,
	296,
	508,
	552,
	1006,
	1280,
	1400,
	1460,
	1492,
	1500,
	2002,
	4352,
	8166,
	9000,
	17914,
	32000,
};
#define PLATEAUS (sizeof(plateaus) / sizeof(plateaus[0]))

uint16_t
pmtu_plateau_below(uint16_t size)
{
	unsigned int i = PLATEAUS;

	while (i > 1 && plateaus[i - 1] >= size)
		i--;
	return plateaus[i - 1];
}

void
pmtu_init(struct pmtu *pmtu, const struct siphash_key *key, struct counters *counters)
{
	memset(pmtu, 0, sizeof(*pmtu));
	pmtu->key = *key;
	pmtu->counters = counters;
	pmtu->oldest = pmtu->newest = NONE;
	for (uint16_t i = 0; i < PMTU_PATHS_MAX; i++) {
		pmtu->buckets[i] = NONE;
		pmtu->paths[i].chain = i + 1; /* of the free ones; the last is followed by NONE */
	}
}

static uint16_t *
bucket_of(struct pmtu *pmtu, const struct rill_addr *dst)
{
	return &pmtu->buckets[siphash(&pmtu->key, dst, sizeof(*dst)) % PMTU_PATHS_MAX];
}

static struct pmtu_path *
lookup(struct pmtu *pmtu, const struct rill_addr *dst)
{
	for (uint16_t i = *bucket_of(pmtu, dst); i != NONE; i = pmtu->paths[i].chain)
		if (memcmp(&pmtu->paths[i].dst, dst, sizeof(*dst)) == 0)
			return &pmtu->paths[i];
	return NULL;
}

/* ---- the list by age */

static void
age_remove(struct pmtu *pmtu, const struct pmtu_path *path)
{
	if (path->older != NONE)
		pmtu->paths[path->older].newer = path->newer;
	else
		pmtu->oldest = path->newer;
	if (path->newer != NONE)
		pmtu->paths[path->newer].older = path->older;
	else
		pmtu->newest = path->older;
}

static void
age_append(struct pmtu *pmtu, struct pmtu_path *path)
{
	uint16_t i = (uint16_t)(path - pmtu->paths);

	path->older = pmtu->newest;
	path->newer = NONE;
	if (pmtu->newest != NONE)
		pmtu->paths[pmtu->newest].newer = i;
	else
		pmtu->oldest = i;
	pmtu->newest = i;
}

/* ---- entries */

static void
forget(struct pmtu *pmtu, struct pmtu_path *path)
{
	uint16_t i = (uint16_t)(path - pmtu->paths), *at = bucket_of(pmtu, &path->dst);

	while (*at != i)
		at = &pmtu->paths[*at].chain;
	*at = path->chain;
	age_remove(pmtu, path);
	path->mtu = 0;
	path->chain = pmtu->vacant;
	pmtu->vacant = i;
	pmtu->count--;
}

/* The entry of dst, made if need be: then its mtu is 0. */
static struct pmtu_path *
need(struct pmtu *pmtu, const struct rill_addr *dst)
{
	struct pmtu_path *path = lookup(pmtu, dst);
	uint16_t *bucket;

	if (path != NULL)
		return path;
	if (pmtu->vacant == NONE) {
		forget(pmtu, &pmtu->paths[pmtu->oldest]);
		pmtu->counters->pmtu_evicted++;
	}
	path = &pmtu->paths[pmtu->vacant];
	pmtu->vacant = path->chain;
	bucket = bucket_of(pmtu, dst);
	*path = (struct pmtu_path){.dst = *dst, .chain = *bucket};
	*bucket = (uint16_t)(path - pmtu->paths);
	age_append(pmtu, path);
	pmtu->count++;
	return path;
}

static void
set(struct pmtu *pmtu, struct pmtu_path *path, uint16_t mtu, ustime raise_at)
{
	RILL_DCHECK(mtu >= PMTU_LEAST);
	path->mtu = mtu;
	path->raise_at = path->probe_at = raise_at;
	path->high = 0;
	path->failures = 0;
	age_remove(pmtu, path);
	age_append(pmtu, path);
}

const struct pmtu_path *
pmtu_find(struct pmtu *pmtu, const struct rill_addr *dst, ustime now)
{
	/* Two a call: more than can come, so that none that is too old stays for long. */
	for (int i = 0; i < 2 && pmtu->oldest != NONE; i++) {
		struct pmtu_path *oldest = &pmtu->paths[pmtu->oldest];

		if (now < oldest->raise_at + PMTU_FORGET_US)
			break;
		forget(pmtu, oldest);
	}
	return lookup(pmtu, dst);
}

/* Returns the entry; NULL: what is known is lower, and not old: that stays. */
static struct pmtu_path *
lower(struct pmtu *pmtu, const struct rill_addr *dst, uint16_t mtu, ustime now)
{
	struct pmtu_path *path = need(pmtu, dst);

	if (path->mtu != 0 && path->mtu < mtu && pmtu_is_fresh(path, now))
		return NULL;
	set(pmtu, path, mtu, now + PMTU_OLD_US);
	return path;
}

void
pmtu_lower(struct pmtu *pmtu, const struct rill_addr *dst, uint16_t mtu, ustime now)
{
	lower(pmtu, dst, mtu, now);
}

void
pmtu_black_hole(struct pmtu *pmtu, const struct rill_addr *dst, uint16_t mtu, ustime now)
{
	struct pmtu_path *path = lower(pmtu, dst, mtu, now);

	if (path != NULL)
		path->probe_at = now;
}

void
pmtu_keep(struct pmtu *pmtu, const struct rill_addr *dst, uint16_t mtu, ustime now)
{
	set(pmtu, need(pmtu, dst), mtu, now + PMTU_KEPT_US);
}

/* ---- the search */

/*
 * Between what gets through and what does not [4821 7.3]: the middle one of the common MTUs, the
 * lower of two, as success costs nothing; or the middle if there is none.
 */
static uint16_t
between(uint16_t low, uint16_t high)
{
	unsigned int first = 0, last = PLATEAUS;

	while (first < PLATEAUS && plateaus[first] <= low)
		first++;
	while (last > first && plateaus[last - 1] >= high)
		last--;
	return first < last ? plateaus[(first + last - 1) / 2] : (uint16_t)((low + high) / 2);
}

uint16_t
pmtu_probe_due(struct pmtu *pmtu, const struct rill_addr *dst, uint16_t most, ustime now)
{
	struct pmtu_path *path = lookup(pmtu, dst);

	if (path == NULL || most <= path->mtu)
		return 0;
	if (path->high != 0 && path->high <= most && path->high - path->mtu <= PMTU_PROBE_NEAR)
		set(pmtu, path, path->mtu, now + PMTU_OLD_US);
	if (now < path->probe_at)
		return 0;
	if (path->high == 0 || path->high > most)
		return most;
	return between(path->mtu, path->high);
}

void
pmtu_probe_sent(struct pmtu *pmtu, const struct rill_addr *dst, ustime now)
{
	struct pmtu_path *path = lookup(pmtu, dst);

	if (path != NULL)
		path->probe_at = now + PMTU_PROBE_LEASE_US;
}

void
pmtu_probe_passed(struct pmtu *pmtu, const struct rill_addr *dst, uint16_t size, ustime now)
{
	struct pmtu_path *path = lookup(pmtu, dst);
	uint16_t high;

	if (path == NULL || size <= path->mtu)
		return;
	high = path->high > size ? path->high : 0;
	set(pmtu, path, size, now + PMTU_OLD_US);
	path->high = high;
	path->probe_at = now;
}

void
pmtu_probe_failed(struct pmtu *pmtu, const struct rill_addr *dst, uint16_t size, ustime now)
{
	struct pmtu_path *path = lookup(pmtu, dst);

	if (path == NULL)
		return;
	if (size > path->mtu && (path->high == 0 || size < path->high))
		path->high = size;
	pmtu_probe_unsure(pmtu, dst, now);
}

void
pmtu_probe_unsure(struct pmtu *pmtu, const struct rill_addr *dst, ustime now)
{
	struct pmtu_path *path = lookup(pmtu, dst);

	if (path == NULL)
		return;
	path->probe_at = now + (PMTU_PROBE_WAIT_US << path->failures);
	if (path->failures < PMTU_PROBE_DOUBLINGS)
		path->failures++;
}
