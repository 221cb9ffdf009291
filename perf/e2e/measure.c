/* SPDX-License-Identifier: BSD-3-Clause */
#include "measure.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[FIGURE_COUNT] = {
	[FIGURE_PER_MESSAGE] = "cycles_per_message",
	[FIGURE_PER_FRAME] = "cycles_per_frame",
	[FIGURE_BURST] = "mean_burst",
	[FIGURE_FRAMES] = "frames_in_per_message",
	[FIGURE_SENT] = "frames_out_per_message",
	[FIGURE_TURN] = "median_turn_cycles",
	[FIGURE_BUSY] = "busy_turns_share",
	[FIGURE_RATE] = "messages_per_second",
	[FIGURE_INTERRUPTED] = "interrupted_turns",
};

const char *
figure_name(enum figure figure)
{
	return names[figure];
}

void
measure_begin(struct measure *measure, uint64_t bound)
{
	memset(measure, 0, sizeof(*measure));
	measure->bound = bound;
}

uint64_t
measure_bound(const struct measure *measure, uint64_t least)
{
	uint64_t median = histogram_quantile(&measure->lengths, 0.5);
	uint64_t bound = MEASURE_INTERRUPTED_TIMES * median;

	return bound > least ? bound : least;
}

void
measure_turn(struct measure *measure, const struct server_turn *turn, uint64_t cycles)
{
	if (!turn->worked) {
		measure->idle++;
		return;
	}
	if (cycles >= measure->bound) {
		measure->interrupted++;
		measure->interrupted_cycles += cycles;
		return;
	}
	measure->turns++;
	measure->cycles += cycles;
	measure->received += turn->received;
	measure->sent += turn->sent;
	if (turn->received == 0)
		return;
	measure->full_turns++;
	histogram_add(&measure->lengths, cycles);
}

/* Messages of turns that were left out are told from the frames of the others. */
void
measure_end(
	const struct measure *measure, uint64_t messages, double seconds, struct figures *figures)
{
	double *of = figures->of, counted = (double)messages, all, turns;

	turns = (double)(measure->turns + measure->interrupted);
	all = (double)measure->cycles;
	if (measure->interrupted > 0)
		counted *= share_of((double)measure->turns, turns);
	of[FIGURE_PER_MESSAGE] = share_of(all, counted);
	of[FIGURE_PER_FRAME] = share_of(all, (double)measure->received);
	of[FIGURE_BURST] = share_of((double)measure->received, (double)measure->full_turns);
	of[FIGURE_FRAMES] = share_of((double)measure->received, counted);
	of[FIGURE_SENT] = share_of((double)measure->sent, counted);
	of[FIGURE_TURN] = (double)histogram_quantile(&measure->lengths, 0.5);
	of[FIGURE_BUSY] = share_of(turns, turns + (double)measure->idle);
	of[FIGURE_RATE] = share_of((double)messages, seconds);
	of[FIGURE_INTERRUPTED] = (double)measure->interrupted;
}

static int
ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct spread
spread_of(const double *values, unsigned int n)
{
	double sorted[MEASURE_ROUNDS_MAX];

	if (n == 0)
		return (struct spread){0};
	memcpy(sorted, values, n * sizeof(*values));
	qsort(sorted, n, sizeof(*sorted), ascending);
	return (struct spread){
		.median = (sorted[(n - 1) / 2] + sorted[n / 2]) / 2,
		.least = sorted[0],
		.most = sorted[n - 1],
	};
}

bool
measure_comparable(const struct figures *a, const struct figures *b)
{
	double x = a->of[FIGURE_BURST], y = b->of[FIGURE_BURST];
	double apart = x > y ? x - y : y - x, larger = x > y ? x : y;

	return apart <= MEASURE_BURST_APART * larger;
}
