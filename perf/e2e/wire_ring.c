/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wire_ring: what a message costs Rill's core, as a multiple of what it costs the limit.
 *
 * Two threads, each tied to a core. This one is the lane: it drives the server that is measured.
 * The other plays the clients. Rill and the limit, each with a wire and a player of its own, are
 * served in slices, by turns; at the end of a slice everything is answered, and the clock of the
 * side that rests stands still.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <rte_cycles.h>
#include <rte_lcore.h>
#include <rte_memory.h>

#include "config.h"
#include "eal.h"
#include "errtext.h"
#include "far_ring.h"
#include "player_inner.h"
#include "pools.h"
#include "wire_ring.h"

/* What the player's thread is asked to do. */
struct far_side {
	pthread_t thread;
	int core;
	struct player *player;
	enum player_job job;
	uint64_t messages, cycles;
	bool quit;
	bool good;                                /* the answer */
	atomic_uint asked;                        /* jobs, */
	atomic_uint answered __rte_cache_aligned; /* and how many of them have ended */
};

struct side_state {
	struct server *server;
	struct player *player;
	struct far_ring far;
	uint64_t rests_since; /* TSC */
};

static struct run_options options;
static struct run_results results;
static struct far_side far;
static struct side_state sides[SIDES];
static struct measure measure;

static void
tie_to_core(int core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((unsigned int)core, &set);
	if (pthread_setaffinity_np(pthread_self(), sizeof(set), &set) != 0) {
		fprintf(stderr, "wire_ring: core %d cannot be had\n", core);
		exit(2);
	}
}

/* The first two cores that this process may use; both threads share where there is one only. */
static void
choose_cores(void)
{
	cpu_set_t set;
	int found = 0;

	if (options.core[0] >= 0)
		return;
	pthread_getaffinity_np(pthread_self(), sizeof(set), &set);
	for (int core = 0; core < CPU_SETSIZE && found < 2; core++)
		if (CPU_ISSET((unsigned int)core, &set))
			options.core[found++] = core;
	if (found == 1) {
		options.core[1] = options.core[0];
		fprintf(stderr,
			"wire_ring: one core for both sides: no figure of this run means much\n");
	}
}

/* ---- the player's thread */

static void *
far_main(void *arg)
{
	struct far_side *side = arg;
	unsigned int done = 0;

	tie_to_core(side->core);
	for (;;) {
		while (atomic_load_explicit(&side->asked, memory_order_acquire) == done)
			rte_pause();
		if (side->quit)
			return NULL;
		side->good = player_run(side->player, side->job, side->messages, side->cycles);
		atomic_store_explicit(&side->answered, ++done, memory_order_release);
	}
}

static void
far_ask(struct player *player, enum player_job job, uint64_t messages, uint64_t cycles)
{
	far.player = player;
	far.job = job;
	far.messages = messages;
	far.cycles = cycles;
	atomic_fetch_add_explicit(&far.asked, 1, memory_order_release);
}

/* ---- slices */

/* Serves until the player has ended its job. Returns the cycles that it took. */
static uint64_t
serve(struct side_state *side, enum player_job job, uint64_t messages, uint64_t cycles)
{
	struct server *server = side->server;
	unsigned int goal = atomic_load(&far.asked) + 1;
	uint64_t begin = rte_rdtsc(), start, end = begin;

	server->ops->paused(server, begin - side->rests_since);
	measure_begin(&measure);
	far_ask(side->player, job, messages, cycles);
	while (atomic_load_explicit(&far.answered, memory_order_acquire) != goal) {
		struct server_turn turn;

		start = rte_rdtsc();
		server->ops->turn(server, &turn);
		end = rte_rdtsc();
		measure_turn(&measure, &turn, end - start);
	}
	side->rests_since = rte_rdtsc();
	if (!far.good) {
		fprintf(stderr, "wire_ring: %s: %s\n", server->ops->name,
			player_problem(side->player));
		exit(1);
	}
	return end - begin;
}

static void
open_all(enum side which)
{
	struct side_state *side = &sides[which];
	struct measure_around around = {.hz = rte_get_tsc_hz()};
	struct figures figures;

	around.cycles = serve(side, PLAYER_OPEN, 0, 0);
	around.messages = player_counts(side->player)->opened;
	measure_end(&measure, &around, &figures);
	results.open_cycles[which] = figures.of[FIGURE_PER_MESSAGE];
}

static void
play(enum side which, struct figures *figures)
{
	struct side_state *side = &sides[which];
	const struct player_counts before = *player_counts(side->player);
	struct measure_around around = {.hz = rte_get_tsc_hz()};
	uint64_t cycles =
		options.messages > 0 ? 0 : (uint64_t)(options.seconds * (double)around.hz);

	around.cycles = serve(side, PLAYER_PLAY, options.messages, cycles);
	around.messages = player_counts(side->player)->messages - before.messages;
	around.player_cycles = player_counts(side->player)->cycles - before.cycles;
	measure_end(&measure, &around, figures);
}

static void
run_rounds(void)
{
	struct figures warm_up;

	for (int side = 0; side < SIDES; side++)
		if (options.who[side])
			play((enum side)side, &warm_up);
	for (unsigned int i = 0; i < options.rounds; i++) {
		for (int side = 0; side < SIDES; side++)
			if (options.who[side])
				play((enum side)side, &results.of[side][i]);
		results.usable[i] =
			!options.who[SIDE_RILL] || !options.who[SIDE_LIMIT] ||
			measure_comparable(&results.of[SIDE_RILL][i], &results.of[SIDE_LIMIT][i]);
	}
	results.rounds = options.rounds;
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

static void
start_eal(void)
{
	struct rill_limits limits = {
		.max_conns = options.player.flows + SERVER_SPARE, .buffers = options.buffers};
	struct eal_setup setup;

	config_fill_limits(&limits);
	setup = (struct eal_setup){.bytes = 2 * pools_bytes(&limits, RTE_ETHER_MTU, 1)};
	if (eal_start(&setup) != 0) {
		fprintf(stderr, "wire_ring: %s\n", rill_error());
		exit(2);
	}
	if (!rte_eal_has_hugepages())
		rte_memseg_list_walk(ask_for_huge_pages, NULL);
}

static void
make_side(enum side which)
{
	const struct server_setup setup = {.work = options.player.work,
		.flows = options.player.flows,
		.buffers = options.buffers,
		.burst = options.burst,
		.checksums = options.checksums};
	struct player_setup player = options.player;
	struct side_state *side = &sides[which];

	side->server = which == SIDE_RILL ? rill_server_create(&setup) : limit_create(&setup);
	if (side->server == NULL)
		exit(2);
	far_ring_init(&side->far, side->server->wire);
	player.wire = &side->far.far;
	side->player = player_create(&player);
	if (side->player == NULL)
		exit(2);
	side->rests_since = rte_rdtsc();
}

/* Everything that was opened is closed, everything that was lent is back. */
static bool
end_side(enum side which)
{
	struct side_state *side = &sides[which];
	const char *name = side->server->ops->name;
	uint32_t left;
	unsigned int missing;

	serve(side, PLAYER_CLOSE, 0, 0);
	/* The last ACKs are on the wire: the player does not wait for what they do. */
	for (unsigned int polls = 0; polls < PLAYER_IDLE_POLLS; polls++) {
		struct server_turn turn;

		side->server->ops->turn(side->server, &turn);
		if (turn.worked)
			polls = 0;
	}
	results.counts[which] = *player_counts(side->player);
	left = side->server->ops->connections(side->server);
	missing = side->server->ops->destroy(side->server);
	player_destroy(side->player);
	if (left == 0 && missing == 0)
		return true;
	fprintf(stderr, "wire_ring: %s: %u connections and %u buffers are left over\n", name, left,
		missing);
	return false;
}

static void
start_player(void)
{
	far.core = options.core[1];
	if (pthread_create(&far.thread, NULL, far_main, &far) != 0) {
		fprintf(stderr, "wire_ring: no thread for the player\n");
		exit(2);
	}
}

static void
stop_player(void)
{
	far.quit = true;
	atomic_fetch_add_explicit(&far.asked, 1, memory_order_release);
	pthread_join(far.thread, NULL);
}

int
main(int argc, char **argv)
{
	bool good = true;

	run_options_parse(&options, argc, argv);
	choose_cores();
	start_eal();
	start_player();
	tie_to_core(options.core[0]);
	for (int side = 0; side < SIDES; side++) {
		if (!options.who[side])
			continue;
		make_side((enum side)side);
		open_all((enum side)side);
	}
	run_rounds();
	for (int side = 0; side < SIDES; side++)
		if (options.who[side])
			good &= end_side((enum side)side);
	stop_player();
	run_report(&options, &results);
	return good ? 0 : 1;
}
