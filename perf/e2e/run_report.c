/* SPDX-License-Identifier: BSD-3-Clause */
/* wire_ring's results, as a table or as JSON. */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_version.h>

#include "wire_ring.h"

static const char *const side_names[SIDES] = {"rill", "limit"};

/* Over the rounds that may be used. */
static struct spread
spread_of_figure(const struct run_results *results, enum side side, enum figure figure)
{
	double values[MEASURE_ROUNDS_MAX];
	unsigned int n = 0;

	for (unsigned int i = 0; i < results->rounds; i++)
		if (results->usable[i])
			values[n++] = results->of[side][i].of[figure];
	return spread_of(values, n);
}

/* Rill to the limit, round by round. */
static struct spread
spread_of_ratio(const struct run_results *results, enum figure figure)
{
	double values[MEASURE_ROUNDS_MAX];
	unsigned int n = 0;

	for (unsigned int i = 0; i < results->rounds; i++)
		if (results->usable[i])
			values[n++] = results->of[SIDE_RILL][i].of[figure] /
				      results->of[SIDE_LIMIT][i].of[figure];
	return spread_of(values, n);
}

static unsigned int
usable_rounds(const struct run_results *results)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < results->rounds; i++)
		n += results->usable[i];
	return n;
}

static bool
has_both(const struct run_options *options)
{
	return options->who[SIDE_RILL] && options->who[SIDE_LIMIT];
}

/* ---- text */

static void
text_row(const char *who, const char *what, struct spread spread, int digits)
{
	double apart = spread.median > 0 ? (spread.most - spread.least) / spread.median : 0;

	printf("%-6s %-24s %14.*f %14.*f %14.*f %7.0f %%\n", who, what, digits, spread.median,
		digits, spread.least, digits, spread.most, apart * 100);
}

static void
text_side(const struct run_results *results, enum side side)
{
	for (int f = 0; f < FIGURE_COUNT; f++)
		text_row(side_names[side], figure_name((enum figure)f),
			spread_of_figure(results, side, (enum figure)f),
			f == FIGURE_BURST || f == FIGURE_FRAMES || f == FIGURE_SENT ||
					f == FIGURE_BUSY
				? 3
				: 0);
	if (results->open_cycles[side] > 0)
		printf("%-6s %-24s %14.0f\n", side_names[side], "cycles_per_open",
			results->open_cycles[side]);
}

static void
text_report(const struct run_options *options, const struct run_results *results)
{
	const struct player_setup *player = &options->player;

	printf("wire ring: %s of %u bytes, %u connections, %u in flight, %s, bursts of %u, checksums in "
	       "%s, timestamps %s, %s\n",
		work_name(player->work), player->payload, player->flows, player->inflight,
		player->in_order ? "in turns" : "at random", options->burst,
		options->checksums ? "the wire" : "software", player->timestamps ? "on" : "off",
		rte_eal_has_hugepages() ? "hugepages" : "no hugepages");
	printf("%-6s %-24s %14s %14s %14s %9s\n", "", "", "median", "least", "most", "spread");
	for (int side = 0; side < SIDES; side++)
		if (options->who[side])
			text_side(results, (enum side)side);
	if (!has_both(options))
		return;
	text_row("ratio", "cycles_per_message", spread_of_ratio(results, FIGURE_PER_MESSAGE), 3);
	text_row("ratio", "cycles_per_frame", spread_of_ratio(results, FIGURE_PER_FRAME), 3);
	printf("%u of %u pairs used; the bursts of the two sides must not differ by more than %.0f %%\n",
		usable_rounds(results), results->rounds, MEASURE_BURST_APART * 100);
}

/* ---- JSON */

static void
json_spread(const char *name, struct spread spread, const char *end)
{
	printf("\"%s\": {\"median\": %.4f, \"least\": %.4f, \"most\": %.4f}%s", name, spread.median,
		spread.least, spread.most, end);
}

static void
json_side(const struct run_results *results, enum side side)
{
	const struct player_counts *counts = &results->counts[side];

	printf("  \"%s\": {\n    ", side_names[side]);
	for (int f = 0; f < FIGURE_COUNT; f++)
		json_spread(figure_name((enum figure)f),
			spread_of_figure(results, side, (enum figure)f), ",\n    ");
	printf("\"cycles_per_open\": %.1f, \"messages\": %lu, \"opened\": %lu, \"closed\": %lu, "
	       "\"pure_acks\": %lu, \"repeated\": %lu, \"checked\": %lu\n  },\n",
		results->open_cycles[side], (unsigned long)counts->messages,
		(unsigned long)counts->opened, (unsigned long)counts->closed,
		(unsigned long)counts->pure_acks, (unsigned long)counts->repeated,
		(unsigned long)counts->checked);
}

/* As the processor calls itself. */
static void
read_model(char *model, size_t size)
{
	FILE *file = fopen("/proc/cpuinfo", "r");
	char line[256];

	snprintf(model, size, "unknown");
	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		char *value = strchr(line, ':');

		if (strncmp(line, "model name", 10) != 0 || value == NULL)
			continue;
		value[strcspn(value, "\n\"\\")] = 0;
		snprintf(model, size, "%.*s", (int)size - 1, value + 2);
		break;
	}
	if (file != NULL)
		fclose(file);
}

static void
json_machine(void)
{
	struct utsname name;
	char model[128];

	read_model(model, sizeof(model));
	uname(&name);
	printf("  \"machine\": {\"model\": \"%s\", \"cores\": %ld, \"kernel\": \"%s\", \"dpdk\": \"%s\", "
	       "\"tsc_hz\": %lu, \"hugepages\": %s},\n",
		model, sysconf(_SC_NPROCESSORS_ONLN), name.release, rte_version(),
		(unsigned long)rte_get_tsc_hz(), rte_eal_has_hugepages() ? "true" : "false");
}

static void
json_report(const struct run_options *options, const struct run_results *results)
{
	const struct player_setup *player = &options->player;

	printf("{\n  \"wire\": \"ring\", \"command\": \"%s\",\n", options->command);
	json_machine();
	printf("  \"work\": \"%s\", \"size\": %u, \"connections\": %u, \"inflight\": %u, \"order\": \"%s\", "
	       "\"burst\": %u, \"checksums\": \"%s\", \"timestamps\": %s,\n",
		work_name(player->work), player->payload, player->flows, player->inflight,
		player->in_order ? "turns" : "random", options->burst,
		options->checksums ? "wire" : "software", player->timestamps ? "true" : "false");
	for (int side = 0; side < SIDES; side++)
		if (options->who[side])
			json_side(results, (enum side)side);
	if (has_both(options)) {
		printf("  \"ratio\": {\n    ");
		json_spread("cycles_per_message", spread_of_ratio(results, FIGURE_PER_MESSAGE),
			",\n    ");
		json_spread(
			"cycles_per_frame", spread_of_ratio(results, FIGURE_PER_FRAME), "\n  },\n");
	}
	printf("  \"rounds\": %u, \"rounds_used\": %u\n}\n", results->rounds,
		usable_rounds(results));
}

void
run_report(const struct run_options *options, const struct run_results *results)
{
	if (options->json)
		json_report(options, results);
	else
		text_report(options, results);
}
