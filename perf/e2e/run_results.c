/* SPDX-License-Identifier: BSD-3-Clause */
/* What the rounds come to, and what must be said about them. */
#include <stdio.h>

#include "wire_ring.h"

#define SPREAD_WIDE 0.20
#define BUSY_LEAST 0.95    /* a server that is less busy was not what set the rate */
#define OFFERED_LEAST 0.95 /* of what was asked */

const char *
side_name(enum side side)
{
	static const char *const names[SIDES] = {"rill", "limit", "few"};

	return names[side];
}

const char *
offered_name(enum offered_figure figure)
{
	static const char *const names[OFFERED_COUNT] = {
		[OFFERED_ASKED] = "asked_per_second",
		[OFFERED_BEGUN] = "begun_per_second",
		[OFFERED_TRIED] = "tried_per_second",
		[OFFERED_ANSWERED] = "answered_per_second",
		[OFFERED_GOODPUT] = "goodput",
		[OFFERED_LOST] = "lost_share",
		[OFFERED_P50] = "p50_us",
		[OFFERED_P90] = "p90_us",
		[OFFERED_P99] = "p99_us",
		[OFFERED_P999] = "p999_us",
		[OFFERED_MOST] = "max_us",
		[OFFERED_TURN] = "median_turn_us",
		[OFFERED_P99_TURNS] = "p99_turns",
		[OFFERED_BURST] = "mean_burst",
		[OFFERED_BUSY] = "busy_share",
		[OFFERED_CYCLES] = "cycles_per_message",
	};

	return names[figure];
}

struct spread
results_spread(const struct run_results *results, enum side side, enum figure figure)
{
	double values[MEASURE_ROUNDS_MAX];
	unsigned int n = 0;

	for (unsigned int i = 0; i < results->rounds; i++)
		if (results->usable[i])
			values[n++] = results->of[side][i].of[figure];
	return spread_of(values, n);
}

const char *
stage_name(int stage)
{
	static const char *const names[STAGE_COUNT] = {
		[STAGE_RX] = "rx",
		[STAGE_TIMERS] = "timers",
		[STAGE_CLASSIFY] = "classify",
		[STAGE_LOOKUP] = "lookup",
		[STAGE_SEGMENTS] = "segments",
		[STAGE_MAIL] = "mail",
		[STAGE_SPEAK] = "speak",
		[STAGE_REAP] = "reap",
		[STAGE_TX] = "tx",
	};

	return names[stage];
}

struct spread
results_stage(const struct run_results *results, int stage)
{
	double values[MEASURE_ROUNDS_MAX];
	unsigned int n = 0;

	for (unsigned int i = 0; i < results->rounds; i++)
		if (results->usable[i])
			values[n++] = results->of[SIDE_RILL][i].stages[stage];
	return spread_of(values, n);
}

struct spread
results_ratio(const struct run_results *results, enum side side, enum side to, enum figure figure)
{
	double values[MEASURE_ROUNDS_MAX];
	unsigned int n = 0;

	for (unsigned int i = 0; i < results->rounds; i++)
		if (results->usable[i])
			values[n++] = share_of(
				results->of[side][i].of[figure], results->of[to][i].of[figure]);
	return spread_of(values, n);
}

struct spread
results_offered(const struct run_results *results, unsigned int load, enum side side,
	enum offered_figure figure)
{
	double values[MEASURE_ROUNDS_MAX];

	for (unsigned int i = 0; i < results->rounds; i++)
		values[i] = results->offered[load][side][i].of[figure];
	return spread_of(values, results->rounds);
}

unsigned int
results_usable(const struct run_results *results)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < results->rounds; i++)
		n += results->usable[i];
	return n;
}

/* ---- remarks: each writes a sentence, or leaves it empty */

#define REMARK_MAX 200

static void
remark_pairs(const struct run_results *results, char *text)
{
	unsigned int used = results_usable(results);

	if (used < results->rounds)
		snprintf(text, REMARK_MAX,
			"%u of %u pairs are left out: their mean bursts differ by more than %.0f %%",
			results->rounds - used, results->rounds, MEASURE_BURST_APART * 100);
}

static void
remark_spread(const struct run_options *options, const struct run_results *results, char *text)
{
	struct spread ratio = results_ratio(results, SIDE_RILL, SIDE_LIMIT, FIGURE_PER_MESSAGE);
	double wide = share_of(ratio.most - ratio.least, ratio.median);

	if (options->who[SIDE_RILL] && options->who[SIDE_LIMIT] && wide > SPREAD_WIDE)
		snprintf(text, REMARK_MAX, "noisy: the ratios of the pairs spread over %.0f %%",
			wide * 100);
}

static void
remark_busy(const struct run_results *results, enum side side, char *text)
{
	double busy = results_spread(results, side, FIGURE_BUSY).median;

	if (results_usable(results) > 0 && busy < BUSY_LEAST)
		snprintf(text, REMARK_MAX,
			"%s: busy for %.0f %% of the time: the far side set the rate; cycles stand",
			side_name(side), busy * 100);
}

static void
remark_interrupted(const struct run_results *results, enum side side, char *text)
{
	struct spread turns = results_spread(results, side, FIGURE_INTERRUPTED);
	double share = results_spread(results, side, FIGURE_LEFT_OUT).median;

	if (turns.most > 0)
		snprintf(text, REMARK_MAX,
			"%s: up to %.0f turns of a slice, and %.2f %% of its cycles in the median, are "
			"left out: somebody else had the core",
			side_name(side), turns.most, share * 100);
}

static void
remark_offered(const struct run_results *results, enum side side, unsigned int load, char *text)
{
	double asked = results_offered(results, load, side, OFFERED_ASKED).median;
	double begun = results_offered(results, load, side, OFFERED_BEGUN).median;
	double tried = results_offered(results, load, side, OFFERED_TRIED).median;

	if (begun < OFFERED_LEAST * asked)
		snprintf(text, REMARK_MAX,
			"%s: %.0f requests a second were due, and %.0f begun (%.0f frames): every connection "
			"waited for an answer, or the player was too slow",
			side_name(side), asked, begun, tried);
}

const char *
results_remark(const struct run_options *options, const struct run_results *results, unsigned int n)
{
	static char text[REMARK_MAX];
	unsigned int of_side = 2 + options->loads_count, side;

	text[0] = 0;
	if (n == 0)
		remark_pairs(results, text);
	if (n == 1)
		remark_spread(options, results, text);
	if (n < 2)
		return text;
	side = (n - 2) / of_side;
	n = (n - 2) % of_side;
	if (side >= SIDES)
		return NULL;
	if (!options->who[side])
		return text;
	if (n == 0)
		remark_busy(results, (enum side)side, text);
	else if (n == 1)
		remark_interrupted(results, (enum side)side, text);
	else
		remark_offered(results, (enum side)side, n - 2, text);
	return text;
}
