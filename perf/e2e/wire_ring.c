/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wire_ring: what a message costs Rill's core, as a multiple of what it costs the limit.
 *
 * Two threads, each tied to a core. This one is the lane: it drives the server that is measured.
 * The other plays the clients. Rill and the limit, each with a wire and a player of its own, are
 * served in slices, by turns; at the end of a slice everything is answered, and the clock of the
 * side that rests stands still.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <rte_cycles.h>
#include <rte_lcore.h>
#include <rte_memory.h>

#include "config.h"
#include "eal.h"
#include "errtext.h"
#include "memory.h"
#include "player_inner.h"
#include "pools.h"
#include "rounds.h"

static struct run_options options;
static struct run_results results;
static struct side_state sides[SIDES];

/* The first two cores that this process may use; both threads share where there is one only. */
static void
choose_cores(void)
{
	cpu_set_t set;
	int found = 0;

	if (options.core[0] >= 0)
		return;
	sched_getaffinity(0, sizeof(set), &set);
	for (int core = 0; core < CPU_SETSIZE && found < 2; core++)
		if (CPU_ISSET((unsigned int)core, &set))
			options.core[found++] = core;
	if (found == 1) {
		options.core[1] = options.core[0];
		fprintf(stderr,
			"wire_ring: one core for both sides: no figure of this run means much\n");
	}
}

/* ---- life */

/* Memory without hugepages is at least asked for in transparent ones. */
static int
ask_for_huge_pages(const struct rte_memseg_list *list, void *arg)
{
	(void)arg;
	player_huge_pages(list->base_va, list->len);
	return 0;
}

static uint32_t
flows_of(enum side which)
{
	return which == SIDE_FEW ? options.few : options.player.flows;
}

/* Rill's buffers of bulk out; the limit's are no more. */
static uint64_t
source_bytes(void)
{
	struct rill_limits limits = {.max_conns = 1};

	if (options.player.work != PLAYER_SOURCE)
		return 0;
	limits.buffers = fetch_buffers(&options.player.fetch, options.player.inflight) + 8192;
	config_fill_limits(&limits);
	return pools_bytes(&limits, RTE_ETHER_MTU, 1);
}

static uint64_t
side_bytes(enum side which)
{
	struct rill_limits limits = {
		.max_conns = flows_of(which) + SERVER_SPARE, .buffers = options.buffers};

	if (!options.who[which])
		return 0;
	config_fill_limits(&limits);
	return pools_bytes(&limits, RTE_ETHER_MTU, 1) + source_bytes();
}

static void
start_eal(void)
{
	struct eal_setup setup = {.bytes = 0};

	for (int side = 0; side < SIDES; side++)
		setup.bytes += side_bytes((enum side)side);
	if (eal_start(&setup) != 0) {
		fprintf(stderr, "wire_ring: %s\n", rill_error());
		exit(2);
	}
	if (!rte_eal_has_hugepages())
		rte_memseg_list_walk(ask_for_huge_pages, NULL);
}

/* The limit has no records: a segment is a buffer. */
static struct fetch_shape
fetch_of(enum side which)
{
	if (which != SIDE_LIMIT || options.player.work != PLAYER_SOURCE)
		return options.player.fetch;
	return fetch_shape_of(options.size, false);
}

static void
make_side(enum side which)
{
	const struct server_setup setup = {.name = side_name(which),
		.work = options.player.work,
		.fetch = fetch_of(which),
		.fetches = options.player.work == PLAYER_SOURCE ? options.player.inflight : 0,
		.flows = flows_of(which),
		.buffers = options.buffers,
		.burst = options.burst,
		.checksums = options.checksums};
	struct player_setup player = options.player;
	struct side_state *side = &sides[which];
	struct memory *memory = &results.memory[which];

	player.flows = setup.flows;
	player.fetch = setup.fetch;
	memory->before = memory_held();
	side->server = which == SIDE_LIMIT ? limit_create(&setup) : rill_server_create(&setup);
	if (side->server == NULL)
		exit(2);
	far_ring_init(&side->far, side->server->wire);
	player.wire = &side->far.far;
	side->player = player_create(&player);
	if (side->player == NULL)
		exit(2);
	memory->made = memory_held();
	memory->player = player_bytes(&player);
	side->rests_since = rte_rdtsc();
}

/* Opens all, and where connections are held, reads what they take. */
static void
open_side(enum side which)
{
	struct memory *memory = &results.memory[which];

	rounds_open(&sides[which], &results.open_cycles[which], &results.open_rate[which]);
	memory->open = memory_held();
	if (options.hold)
		rounds_all(&sides[which]);
	memory->echoed = memory_held();
}

/* Everything that was opened is closed, everything that was lent is back. */
static bool
end_side(enum side which)
{
	struct side_state *side = &sides[which];
	uint32_t left;
	unsigned int missing;

	rounds_close(side);
	results.counts[which] = *player_counts(side->player);
	left = side->server->ops->connections(side->server);
	missing = side->server->ops->destroy(side->server);
	player_destroy(side->player);
	if (left == 0 && missing == 0)
		return true;
	fprintf(stderr, "wire_ring: %s: %u connections and %u buffers are left over\n",
		side_name(which), left, missing);
	return false;
}

int
main(int argc, char **argv)
{
	bool good = true;

	run_options_parse(&options, argc, argv);
	choose_cores();
	start_eal();
	rounds_start_player(options.core[1]);
	rounds_tie(options.core[0]);
	for (int side = 0; side < SIDES; side++) {
		if (!options.who[side])
			continue;
		make_side((enum side)side);
		open_side((enum side)side);
	}
	rounds_run(&options, sides, &results);
	for (int side = 0; side < SIDES; side++)
		if (options.who[side])
			good &= end_side((enum side)side);
	rounds_stop_player();
	if (options.json)
		run_json(&options, &results);
	else
		run_text(&options, &results);
	return good ? 0 : 1;
}
