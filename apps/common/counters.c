/* SPDX-License-Identifier: BSD-3-Clause */
#include "counters.h"

#include <inttypes.h>

static void
print_levels(FILE *out, const struct rill_stats *stats)
{
	const struct {
		const char *name;
		uint32_t value;
	} levels[] = {
		{"conns", stats->conns},
		{"conns_limit", stats->conns_limit},
		{"syn_received", stats->syn_received},
		{"time_wait", stats->time_wait},
		{"sidecars", stats->sidecars},
		{"records", stats->records},
		{"mbufs", stats->mbufs},
		{"neighbors", stats->neighbors},
	};

	for (unsigned int i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		fprintf(out, "%s %" PRIu32 "\n", levels[i].name, levels[i].value);
}

void
counters_print(FILE *out, const struct rill_stats *stats)
{
	for (unsigned int i = 0; rill_counter_name(i) != NULL; i++)
		fprintf(out, "%s %" PRIu64 "\n", rill_counter_name(i), rill_counter_value(stats, i));
	for (int i = 0; i < RILL_DROP_COUNT; i++)
		fprintf(out, "%s %" PRIu64 "\n", rill_drop_name((enum rill_drop)i), stats->drops[i]);
	print_levels(out, stats);
	fputs("end of counters\n", out);
	fflush(out);
}

void
counters_print_drops(FILE *out, const struct rill_stats *stats)
{
	for (unsigned int i = 0; i < RILL_DROP_COUNT; i++)
		if (stats->drops[i] != 0)
			fprintf(out, "  dropped %" PRIu64 " %s: %s\n", stats->drops[i],
				rill_drop_name((enum rill_drop)i), rill_drop_text((enum rill_drop)i));
}
