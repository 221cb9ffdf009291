/* SPDX-License-Identifier: BSD-3-Clause */
/* wire_ring's results as a table. */
#include <stdio.h>

#include <rte_eal.h>

#include "wire_ring.h"

static void
text_row(const char *who, const char *what, struct spread spread, int digits)
{
	double apart = spread.median > 0 ? (spread.most - spread.least) / spread.median : 0;

	printf("%-6s %-24s %14.*f %14.*f %14.*f %7.0f %%\n", who, what, digits, spread.median,
		digits, spread.least, digits, spread.most, apart * 100);
}

static int
digits_of(enum figure figure)
{
	switch (figure) {
	case FIGURE_BURST:
	case FIGURE_FRAMES:
	case FIGURE_SENT:
	case FIGURE_BUSY:
	case FIGURE_LEFT_OUT:
		return 3;
	default:
		return 0;
	}
}

static void
text_side(const struct run_results *results, enum side side)
{
	for (int f = 0; f < FIGURE_COUNT; f++)
		text_row(side_name(side), figure_name((enum figure)f),
			results_spread(results, side, (enum figure)f), digits_of((enum figure)f));
	if (results->open_cycles[side] > 0)
		printf("%-6s %-24s %14.0f\n%-6s %-24s %14.0f\n", side_name(side), "cycles_per_open",
			results->open_cycles[side], side_name(side), "opens_per_second",
			results->open_rate[side]);
}

static void
text_offered(const struct run_options *options, const struct run_results *results)
{
	for (unsigned int i = 0; i < options->loads_count; i++) {
		const struct load *load = &options->loads[i];

		if (load->times > 0)
			printf("open loop, %.3g times the closed loop's rate\n", load->times);
		else
			printf("open loop, %.0f requests a second\n", load->per_second);
		for (int side = 0; side < SIDES; side++)
			for (int f = 0; options->who[side] && f < OFFERED_COUNT; f++)
				text_row(side_name((enum side)side),
					offered_name((enum offered_figure)f),
					results_offered(results, i, (enum side)side,
						(enum offered_figure)f),
					f <= OFFERED_ANSWERED || f == OFFERED_CYCLES ? 0 : 3);
	}
}

static void
text_memory(const struct run_options *options, const struct run_results *results)
{
	for (int side = 0; side < SIDES; side++) {
		const struct memory *memory = &results->memory[side];
		double flows = side == SIDE_FEW ? options->few : options->player.flows;

		if (!options->who[side])
			continue;
		printf("%-6s MiB held: %lu before, %lu made, %lu with %.0f connections, %lu once all have "
		       "spoken; the player's of that %lu; %.1f bytes for each connection\n",
			side_name((enum side)side), (unsigned long)(memory->before >> 20),
			(unsigned long)(memory->made >> 20), (unsigned long)(memory->open >> 20),
			flows, (unsigned long)(memory->echoed >> 20),
			(unsigned long)(memory->player >> 20),
			memory_per_connection(memory, flows));
	}
}

static void
text_ratios(const struct run_options *options, const struct run_results *results)
{
	if (options->who[SIDE_RILL] && options->who[SIDE_LIMIT]) {
		text_row("ratio", "cycles_per_message",
			results_ratio(results, SIDE_RILL, SIDE_LIMIT, FIGURE_PER_MESSAGE), 3);
		text_row("ratio", "cycles_per_frame",
			results_ratio(results, SIDE_RILL, SIDE_LIMIT, FIGURE_PER_FRAME), 3);
	}
	if (options->who[SIDE_FEW])
		text_row("growth", "cycles_per_message",
			results_ratio(results, SIDE_RILL, SIDE_FEW, FIGURE_PER_MESSAGE), 3);
}

void
run_text(const struct run_options *options, const struct run_results *results)
{
	const struct player_setup *player = &options->player;
	const char *remark;

	printf("wire ring: %s of %u bytes, %u connections, %u in flight, %s, bursts of %u, checksums in "
	       "%s, timestamps %s, %s\n",
		work_name(options), options->size, player->flows, player->inflight,
		player->in_order ? "in turns" : "at random", options->burst,
		options->checksums ? "the wire" : "software", player->timestamps ? "on" : "off",
		rte_eal_has_hugepages() ? "hugepages" : "no hugepages");
	printf("%-6s %-24s %14s %14s %14s %9s\n", "", "", "median", "least", "most", "spread");
	for (int side = 0; side < SIDES; side++)
		if (options->who[side])
			text_side(results, (enum side)side);
	text_ratios(options, results);
	for (int stage = 0; stage < STAGES_MEASURED && options->who[SIDE_RILL]; stage++)
		text_row("stage", stage_name(stage), results_stage(results, stage), 1);
	text_offered(options, results);
	if (options->hold)
		text_memory(options, results);
	printf("%u of %u rounds used\n", results_usable(results), results->rounds);
	for (unsigned int n = 0; (remark = results_remark(options, results, n)) != NULL; n++)
		if (remark[0] != 0)
			printf("%s\n", remark);
}
