/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A million tuples whose buckets all lie in one half of the connection table under a key that the
 * attacker knows: there they do not fit. Under the secret key of a lane they are like any others: no
 * bucket has more of them than chance gives it, and the table takes all. A lane's key follows from its
 * secret.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <rill/rill.h>
#include <rte_common.h>
#include <rte_eal.h>

#include "bucket.h"
#include "frames.h"
#include "table.h"
#include "wire.h"

#define CHOSEN 1000000u
#define BUCKETS (CHOSEN / 8 + 2) /* as table_create sizes it */
#define STASH 40
/* 8 are expected; that chance gives 40 to any bucket happens once in a billion runs. */
#define CROWDED 40
#define SYNS 4096u
#define LANE_BUCKETS ((SYNS + 2) / 8 + 2) /* beside one connection and one TIME-WAIT */
#define PORT 80
#define LANE_ADDR 0xc0000201u     /* 192.0.2.1 */
#define ATTACKER_ADDR 0x0b000000u /* 11.0.0.0: forged */

static const struct siphash_key known = {1, 2}, secret = {0x8d3a5f60c27b1e94, 0x41f7b8063ad9e25c};

/* n tuples that an attacker would send who knows the key: both of their buckets in the first half. */
static struct tuple *
tuples_chosen(const struct siphash_key *key, uint32_t n, uint32_t buckets)
{
	struct tuple *chosen = calloc(n, sizeof(*chosen));

	assert_non_null(chosen);
	for (uint32_t i = 0, found = 0; found < n; i++) {
		struct tuple tuple = {.head = {.family = AF_INET, .lport = rte_cpu_to_be_16(PORT),
			.laddr4 = rte_cpu_to_be_32(LANE_ADDR),
			.raddr4 = rte_cpu_to_be_32(ATTACKER_ADDR + i),
			.rport = rte_cpu_to_be_16((uint16_t)(i | 1))}};
		struct spot spot = spot_of(siphash_tuple(key, &tuple), buckets);

		if (spot.first < buckets / 2 && spot.second < buckets / 2)
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
	struct tuple *chosen = tuples_chosen(&known, CHOSEN, BUCKETS);

	assert_true(most_in_a_bucket(chosen, &secret) < CROWDED);
	assert_int_equal(taken(chosen, &secret), CHOSEN);
	/* And chosen they were. */
	assert_true(taken(chosen, &known) <= BUCKETS / 2 * BUCKET_SLOTS + STASH);
	free(chosen);
}

/* ---- a lane */

static struct rill_lane *
lane_with_secret(const uint8_t *lane_secret)
{
	static const struct rill_handler handler;
	struct rill_lane_config config;
	struct rill_options options;
	struct rill_listener *listener;
	struct rill_lane *lane;

	rill_options_default(&options);
	options.backlog = SYNS;
	options.syn_cookies = 0;
	rill_lane_config_default(&config);
	config.ethernet = false;
	assert_int_equal(rill_prefix_parse("192.0.2.1/24", &config.addrs[0]), 0);
	config.addrs_count = 1;
	assert_int_equal(rill_addr_parse("192.0.2.254", &config.gateway), 0);
	config.limits = (struct rill_limits){
		.max_conns = 1, .timewait_max = 1, .syn_max = SYNS, .buffers = 1024};
	config.options = &options;
	config.secret = lane_secret;
	config.numa_node = -1;
	assert_int_equal(rill_lane_create(&config, &lane), 0);
	assert_int_equal(rill_lane_listen(lane, NULL, PORT, NULL, &handler, NULL, &listener), 0);
	return lane;
}

static struct rte_mbuf *
syn_of(struct rte_mempool *pool, const struct tuple *tuple)
{
	uint8_t packet[WIRE_HEADERS_MAX];
	struct wire syn = {.saddr = rte_be_to_cpu_32(tuple->head.raddr4),
		.daddr = LANE_ADDR,
		.sport = rte_be_to_cpu_16(tuple->head.rport),
		.dport = PORT,
		.flags = SYN,
		.wnd = 65535};

	return frame_from_bytes(pool, packet, wire_write(packet, &syn));
}

/* How many half-open connections a lane of this secret takes of those that the chosen SYNs ask for. */
static uint32_t
half_opens(const struct tuple *chosen, struct rte_mempool *pool, const uint8_t *lane_secret)
{
	struct rill_lane *lane = lane_with_secret(lane_secret);
	struct rte_mbuf *frames[RILL_BURST_MAX];
	struct rill_stats stats;
	unsigned int n;

	for (uint32_t i = 0; i < SYNS; i += RILL_BURST_MAX) {
		for (n = 0; n < RILL_BURST_MAX; n++)
			frames[n] = syn_of(pool, &chosen[i + n]);
		assert_true(rill_lane_turn(lane, 1000000 + i, frames, n) >= 0);
		while ((n = rill_lane_take(lane, frames, RILL_BURST_MAX)) > 0)
			rte_pktmbuf_free_bulk(frames, n);
	}
	assert_int_equal(rill_lane_stats_read(lane, &stats), 0);
	rill_lane_destroy(lane);
	return stats.syn_received;
}

/* A lane's key follows from its secret: who knows that of another can choose nothing. [ATK-45] */
static void
test_a_lane_has_a_key_of_its_own(void **state)
{
	static const uint8_t told[RILL_SECRET_LEN] = "what the attacker was told",
			     kept[RILL_SECRET_LEN] = "what the attacker was not told";
	const struct siphash_key key = siphash_derive(told, "table");
	struct tuple *chosen = tuples_chosen(&key, SYNS, LANE_BUCKETS);
	struct rte_mempool *pool = frames_pool("syns", 1024);

	assert_int_equal(half_opens(chosen, pool, kept), SYNS);
	/* And chosen they were. */
	assert_true(half_opens(chosen, pool, told) <= LANE_BUCKETS / 2 * BUCKET_SLOTS + STASH);
	rte_mempool_free(pool);
	free(chosen);
}

int
main(void)
{
	char *eal[] = {"test_collisions", "--no-huge", "--no-pci", "--no-shconf", "--no-telemetry",
		"--iova-mode=va", "-m", "64", "-l", "0", NULL};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tuples_chosen_under_another_key_spread),
		cmocka_unit_test(test_a_lane_has_a_key_of_its_own),
	};

	if (rte_eal_init((int)RTE_DIM(eal) - 1, eal) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
