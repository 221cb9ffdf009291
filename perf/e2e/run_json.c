/* SPDX-License-Identifier: BSD-3-Clause */
/* wire_ring's results as JSON: README.md names the fields. */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_version.h>

#include "commit.h"
#include "conn.h"
#include "wire_ring.h"

static void
json_spread(const char *name, struct spread spread, const char *end)
{
	printf("\"%s\": {\"median\": %.6g, \"least\": %.6g, \"most\": %.6g}%s", name, spread.median,
		spread.least, spread.most, end);
}

static void
json_side(const struct run_results *results, enum side side)
{
	const struct player_counts *counts = &results->counts[side];

	printf("  \"%s\": {\n    ", side_name(side));
	for (int f = 0; f < FIGURE_COUNT; f++)
		json_spread(figure_name((enum figure)f),
			results_spread(results, side, (enum figure)f), ",\n    ");
	printf("\"cycles_per_open\": %.1f, \"opens_per_second\": %.0f, \"messages\": %lu, "
	       "\"opened\": %lu, \"closed\": %lu, \"pure_acks\": %lu, \"repeated\": %lu, "
	       "\"checked\": %lu, \"lost\": %lu, \"lost_acks\": %lu\n  },\n",
		results->open_cycles[side], results->open_rate[side],
		(unsigned long)counts->messages, (unsigned long)counts->opened,
		(unsigned long)counts->closed, (unsigned long)counts->pure_acks,
		(unsigned long)counts->repeated, (unsigned long)counts->checked,
		(unsigned long)counts->lost, (unsigned long)counts->lost_acks);
}

/* One side to another. */
static void
json_ratio(const struct run_results *results, const char *name, enum side side, enum side to)
{
	printf("  \"%s\": {\n    ", name);
	json_spread("cycles_per_message", results_ratio(results, side, to, FIGURE_PER_MESSAGE),
		",\n    ");
	json_spread(
		"cycles_per_frame", results_ratio(results, side, to, FIGURE_PER_FRAME), "\n  },\n");
}

/* Of a build that has them. */
static void
json_stages(const struct run_options *options, const struct run_results *results)
{
	if (STAGES_MEASURED == 0 || !options->who[SIDE_RILL])
		return;
	printf("  \"stages\": {");
	for (int stage = 0; stage < STAGES_MEASURED; stage++) {
		printf("%s", stage > 0 ? ",\n    " : "");
		json_spread(stage_name(stage), results_stage(results, stage), "");
	}
	printf("},\n");
}

/* ---- open loop, memory */

static void
json_load(const struct run_options *options, const struct run_results *results, unsigned int i)
{
	const struct load *load = &options->loads[i];
	const char *before = "";

	if (load->times > 0)
		printf("    \"load_%.6g\": {", load->times * 100);
	else
		printf("    \"rate_%.0f\": {", load->per_second);
	printf("\"times\": %.6g, \"per_second\": %.6g", load->times, load->per_second);
	for (int side = 0; side < SIDES; side++) {
		if (!options->who[side])
			continue;
		printf(",\n     \"%s\": {", side_name((enum side)side));
		for (int f = 0; f < OFFERED_COUNT; f++) {
			printf("%s", before);
			json_spread(offered_name((enum offered_figure)f),
				results_offered(
					results, i, (enum side)side, (enum offered_figure)f),
				"");
			before = ",\n       ";
		}
		printf("}");
		before = "";
	}
	printf("}%s\n", i + 1 < options->loads_count ? "," : "");
}

static void
json_memory(const struct run_options *options, const struct run_results *results, enum side side)
{
	const struct memory *memory = &results->memory[side];
	double flows = side == SIDE_FEW ? options->few : options->player.flows;

	printf("    \"%s\": {\"connections\": %.0f, \"before\": %lu, \"made\": %lu, \"open\": %lu, "
	       "\"echoed\": %lu, \"player\": %lu, \"server\": %lu, \"per_connection\": %.1f},\n",
		side_name(side), flows, (unsigned long)memory->before, (unsigned long)memory->made,
		(unsigned long)memory->open, (unsigned long)memory->echoed,
		(unsigned long)memory->player, (unsigned long)memory_server(memory),
		memory_per_connection(memory, flows));
}

/* The sizes of Rill's objects beside it. */
static void
json_memories(const struct run_options *options, const struct run_results *results)
{
	printf("  \"memory\": {\n");
	for (int side = 0; side < SIDES; side++)
		if (options->who[side])
			json_memory(options, results, (enum side)side);
	printf("    \"sizes\": {\"connection\": %zu, \"record\": %zu, \"sidecar\": %zu, "
	       "\"half_open\": %zu, \"timewait\": %zu}\n  },\n",
		sizeof(struct rill_conn), sizeof(struct record), sizeof(struct sidecar),
		sizeof(struct half_open), sizeof(struct timewait));
}

/* ---- what was measured, where */

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
json_setting(const struct run_options *options)
{
	const struct player_setup *player = &options->player;

	printf("  \"wire\": \"ring\", \"commit\": \"%s\", \"command\": \"%s\",\n", WIRE_RING_COMMIT,
		options->command);
	json_machine();
	printf("  \"work\": \"%s\", \"size\": %u, \"connections\": %u, \"inflight\": %u, \"order\": \"%s\", "
	       "\"burst\": %u, \"checksums\": \"%s\", \"timestamps\": %s, \"seconds\": %g, "
	       "\"record\": %u, \"rto_ms\": %u,\n",
		work_name(options), options->size, player->flows, player->inflight,
		player->in_order ? "turns" : "random", options->burst,
		options->checksums ? "wire" : "software", player->timestamps ? "true" : "false",
		options->seconds, player->fetch.record, player->rto_ms);
}

static void
json_remarks(const struct run_options *options, const struct run_results *results)
{
	const char *remark, *before = "";

	printf("  \"remarks\": [");
	for (unsigned int n = 0; (remark = results_remark(options, results, n)) != NULL; n++) {
		if (remark[0] == 0)
			continue;
		printf("%s\"%s\"", before, remark);
		before = ",\n    ";
	}
	printf("],\n");
}

void
run_json(const struct run_options *options, const struct run_results *results)
{
	printf("{\n");
	json_setting(options);
	for (int side = 0; side < SIDES; side++)
		if (options->who[side])
			json_side(results, (enum side)side);
	json_stages(options, results);
	if (options->who[SIDE_RILL] && options->who[SIDE_LIMIT])
		json_ratio(results, "ratio", SIDE_RILL, SIDE_LIMIT);
	if (options->who[SIDE_FEW])
		json_ratio(results, "growth", SIDE_RILL, SIDE_FEW);
	if (options->loads_count > 0) {
		printf("  \"open_loop\": {\n");
		for (unsigned int i = 0; i < options->loads_count; i++)
			json_load(options, results, i);
		printf("  },\n");
	}
	if (options->hold)
		json_memories(options, results);
	json_remarks(options, results);
	printf("  \"rounds\": %u, \"rounds_used\": %u\n}\n", results->rounds,
		results_usable(results));
}
