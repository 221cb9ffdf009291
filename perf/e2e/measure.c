/* SPDX-License-Identifier: BSD-3-Clause */
#include "measure.h"

#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

static const char *const names[FIGURE_COUNT] = {
	[FIGURE_PER_MESSAGE] = "cycles_per_message",
	[FIGURE_PER_FRAME] = "cycles_per_frame",
	[FIGURE_BURST] = "mean_burst",
	[FIGURE_FRAMES] = "frames_in_per_message",
	[FIGURE_SENT] = "frames_out_per_message",
	[FIGURE_TURN] = "median_turn_cycles",
	[FIGURE_BUSY] = "busy_share",
	[FIGURE_PLAYER] = "player_cycles_per_message",
	[FIGURE_RATE] = "messages_per_second",
	[FIGURE_INTERRUPTED] = "interrupted_turns",
	[FIGURE_LEFT_OUT] = "interrupted_share",
};

const char *
figure_name(enum figure figure)
{
	return names[figure];
}

void
measure_begin(struct measure *measure)
{
	memset(measure, 0, sizeof(*measure));
}

void
measure_turn(struct measure *measure, const struct server_turn *turn, uint64_t cycles)
{
	struct measure_turns *alike = &measure->by_length[histogram_bucket(cycles)];

	if (!turn->worked)
		return;
	alike->count++;
	alike->cycles += cycles;
	alike->received += turn->received;
	alike->sent += turn->sent;
	for (int stage = 0; stage < STAGES_MEASURED; stage++)
		alike->stages[stage] += turn->stages[stage];
	if (turn->received == 0)
		return;
	alike->full++;
	histogram_add(&measure->lengths, cycles);
}

/* Sums the turns whose length lies in buckets [from, to). */
static struct measure_turns
sum_turns(const struct measure *measure, uint32_t from, uint32_t to)
{
	struct measure_turns sum = {0};

	for (uint32_t i = from; i < to; i++) {
		const struct measure_turns *alike = &measure->by_length[i];

		sum.count += alike->count;
		sum.cycles += alike->cycles;
		sum.received += alike->received;
		sum.sent += alike->sent;
		sum.full += alike->full;
		for (int stage = 0; stage < STAGES_MEASURED; stage++)
			sum.stages[stage] += alike->stages[stage];
	}
	return sum;
}

/* The length of a turn that was not the server's alone, in cycles. */
static uint64_t
interrupted_from(const struct measure_around *around, uint64_t median)
{
	uint64_t least_us = around->sends ? MEASURE_LONG_US : MEASURE_INTERRUPTED_LEAST_US;

	return RTE_MAX(MEASURE_INTERRUPTED_TIMES * median, least_us * around->hz / 1000000);
}

static double
part_of(uint64_t part, uint64_t rest)
{
	return share_of((double)part, (double)(part + rest));
}

void
measure_end(
	const struct measure *measure, const struct measure_around *around, struct figures *figures)
{
	uint64_t median = histogram_quantile(&measure->lengths, 0.5);
	uint32_t bound = histogram_bucket(interrupted_from(around, median));
	const struct measure_turns own = sum_turns(measure, 0, bound);
	const struct measure_turns interrupted = sum_turns(measure, bound, HISTOGRAM_BUCKETS);
	double *of = figures->of, messages = (double)around->messages, counted;

	counted = messages * (around->sends ? part_of(own.sent, interrupted.sent)
					    : part_of(own.received, interrupted.received));
	of[FIGURE_PER_MESSAGE] = share_of((double)own.cycles, counted);
	for (int stage = 0; stage < STAGES_MEASURED; stage++)
		figures->stages[stage] = share_of((double)own.stages[stage], counted);
	of[FIGURE_PER_FRAME] = share_of((double)own.cycles, (double)own.received);
	of[FIGURE_BURST] = share_of((double)own.received, (double)own.full);
	of[FIGURE_FRAMES] = share_of((double)own.received, counted);
	of[FIGURE_SENT] = share_of((double)own.sent, counted);
	of[FIGURE_TURN] = (double)median;
	of[FIGURE_BUSY] =
		share_of((double)(own.cycles + interrupted.cycles), (double)around->cycles);
	of[FIGURE_PLAYER] = share_of((double)around->player_cycles, messages);
	of[FIGURE_RATE] = share_of(messages * (double)around->hz, (double)around->cycles);
	of[FIGURE_INTERRUPTED] = (double)interrupted.count;
	of[FIGURE_LEFT_OUT] =
		share_of((double)interrupted.cycles, (double)(own.cycles + interrupted.cycles));
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
