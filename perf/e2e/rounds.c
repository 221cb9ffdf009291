/* SPDX-License-Identifier: BSD-3-Clause */
#include "rounds.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_cycles.h>
#include <rte_pause.h>

#define LAST_TURNS 512 /* idle ones, after which nothing more is on the wire */

/* What the player's thread is asked to do. */
static struct far_side {
	pthread_t thread;
	int core;
	struct player *player;
	struct player_task task;
	bool quit;
	bool good;                                /* the answer */
	atomic_uint asked;                        /* jobs, */
	atomic_uint answered __rte_cache_aligned; /* and how many of them have ended */
} far;

static struct measure measure;

void
rounds_tie(int core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((unsigned int)core, &set);
	if (pthread_setaffinity_np(pthread_self(), sizeof(set), &set) != 0) {
		fprintf(stderr, "wire_ring: core %d cannot be had\n", core);
		exit(2);
	}
}

/* ---- the player's thread */

static void *
far_main(void *arg)
{
	unsigned int done = 0;

	(void)arg;
	rounds_tie(far.core);
	for (;;) {
		while (atomic_load_explicit(&far.asked, memory_order_acquire) == done)
			rte_pause();
		if (far.quit)
			return NULL;
		far.good = player_run(far.player, &far.task);
		atomic_store_explicit(&far.answered, ++done, memory_order_release);
	}
}

void
rounds_start_player(int core)
{
	far.core = core;
	if (pthread_create(&far.thread, NULL, far_main, NULL) != 0) {
		fprintf(stderr, "wire_ring: no thread for the player\n");
		exit(2);
	}
}

void
rounds_stop_player(void)
{
	far.quit = true;
	atomic_fetch_add_explicit(&far.asked, 1, memory_order_release);
	pthread_join(far.thread, NULL);
}

/* ---- slices */

/* Serves until the player has ended its task. Returns the cycles that it took. */
static uint64_t
serve(struct side_state *side, const struct player_task *task)
{
	struct server *server = side->server;
	unsigned int goal = atomic_load(&far.asked) + 1;
	uint64_t begin = rte_rdtsc(), start, end = begin;

	server->ops->paused(server, begin - side->rests_since);
	measure_begin(&measure);
	far.player = side->player;
	far.task = *task;
	atomic_fetch_add_explicit(&far.asked, 1, memory_order_release);
	while (atomic_load_explicit(&far.answered, memory_order_acquire) != goal) {
		struct server_turn turn = {.received = 0};

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

/* The same, with what it cost. */
static void
serve_measured(const struct run_options *options, struct side_state *side,
	const struct player_task *task, struct figures *figures)
{
	const struct player_counts before = *player_counts(side->player);
	struct measure_around around = {
		.hz = rte_get_tsc_hz(), .sends = options->player.work == PLAYER_SOURCE};

	around.cycles = serve(side, task);
	around.messages = player_counts(side->player)->messages - before.messages;
	around.player_cycles = player_counts(side->player)->cycles - before.cycles;
	measure_end(&measure, &around, figures);
}

void
rounds_open(struct side_state *side, double *cycles, double *per_second)
{
	const struct player_task task = {.job = PLAYER_OPEN};
	struct measure_around around = {.hz = rte_get_tsc_hz()};
	struct figures figures;

	around.cycles = serve(side, &task);
	around.messages = player_counts(side->player)->opened;
	measure_end(&measure, &around, &figures);
	*cycles = figures.of[FIGURE_PER_MESSAGE];
	*per_second = figures.of[FIGURE_RATE];
}

void
rounds_all(struct side_state *side)
{
	const struct player_task task = {.job = PLAYER_ALL};

	serve(side, &task);
}

/* The last ACKs are on the wire: the player does not wait for what they do. */
void
rounds_close(struct side_state *side)
{
	const struct player_task task = {.job = PLAYER_CLOSE};

	serve(side, &task);
	for (unsigned int idle = 0; idle < LAST_TURNS; idle++) {
		struct server_turn turn;

		side->server->ops->turn(side->server, &turn);
		if (turn.worked)
			idle = 0;
	}
}

static uint64_t
slice_cycles(const struct run_options *options)
{
	return (uint64_t)(options->seconds * (double)rte_get_tsc_hz());
}

static void
play(const struct run_options *options, struct side_state *side, struct figures *figures)
{
	struct player_task task = {.job = PLAYER_PLAY, .messages = options->messages};

	if (options->messages == 0)
		task.cycles = slice_cycles(options);
	serve_measured(options, side, &task, figures);
}

/* ---- open loop */

static void
offered_figures(struct offered *offered, const struct figures *figures,
	const struct player_offered *got, double asked, double closed_rate)
{
	double hz = (double)rte_get_tsc_hz(), us = hz / 1e6, *of = offered->of;
	double seconds = (double)got->cycles / hz;
	const struct histogram *latency = &got->latency;

	of[OFFERED_ASKED] = asked;
	of[OFFERED_BEGUN] = (double)got->begun / seconds;
	of[OFFERED_TRIED] = (double)got->tried / seconds;
	of[OFFERED_ANSWERED] = (double)got->answered / seconds;
	of[OFFERED_GOODPUT] = share_of(of[OFFERED_ANSWERED], closed_rate);
	of[OFFERED_LOST] = share_of((double)got->lost, (double)got->tried);
	of[OFFERED_P50] = (double)histogram_quantile(latency, 0.5) / us;
	of[OFFERED_P90] = (double)histogram_quantile(latency, 0.9) / us;
	of[OFFERED_P99] = (double)histogram_quantile(latency, 0.99) / us;
	of[OFFERED_P999] = (double)histogram_quantile(latency, 0.999) / us;
	of[OFFERED_MOST] = (double)latency->max / us;
	of[OFFERED_TURN] = figures->of[FIGURE_TURN] / us;
	of[OFFERED_P99_TURNS] = share_of(of[OFFERED_P99], of[OFFERED_TURN]);
	of[OFFERED_BURST] = figures->of[FIGURE_BURST];
	of[OFFERED_BUSY] = figures->of[FIGURE_BUSY];
	of[OFFERED_CYCLES] = figures->of[FIGURE_PER_MESSAGE];
}

static void
offer(const struct run_options *options, struct side_state *side, const struct load *load,
	double closed_rate, struct offered *offered)
{
	struct player_task task = {.job = PLAYER_OFFER, .cycles = slice_cycles(options)};
	struct figures figures;

	task.per_second = load->times > 0 ? load->times * closed_rate : load->per_second;
	serve_measured(options, side, &task, &figures);
	offered_figures(
		offered, &figures, player_offered(side->player), task.per_second, closed_rate);
}

/* ---- rounds */

static bool
round_is_usable(
	const struct run_options *options, const struct run_results *results, unsigned int i)
{
	return !options->who[SIDE_RILL] || !options->who[SIDE_LIMIT] ||
	       measure_comparable(&results->of[SIDE_RILL][i], &results->of[SIDE_LIMIT][i]);
}

static void
run_round(const struct run_options *options, struct side_state sides[SIDES],
	struct run_results *results, unsigned int i)
{
	for (int side = 0; side < SIDES; side++)
		if (options->who[side])
			play(options, &sides[side], &results->of[side][i]);
	for (unsigned int load = 0; load < options->loads_count; load++)
		for (int side = 0; side < SIDES; side++)
			if (options->who[side])
				offer(options, &sides[side], &options->loads[load],
					results->of[side][i].of[FIGURE_RATE],
					&results->offered[load][side][i]);
	results->usable[i] = round_is_usable(options, results, i);
}

void
rounds_run(const struct run_options *options, struct side_state sides[SIDES],
	struct run_results *results)
{
	struct figures warm_up;

	for (int side = 0; side < SIDES; side++)
		if (options->who[side])
			play(options, &sides[side], &warm_up);
	for (unsigned int i = 0; i < options->rounds; i++)
		run_round(options, sides, results, i);
	results->rounds = options->rounds;
}
