/* SPDX-License-Identifier: BSD-3-Clause */
#include "statline.h"

#include <inttypes.h>
#include <stdio.h>

#include "units.h"

uint64_t
statline_drops(const struct rill_stats *stats)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < RILL_DROP_COUNT; i++)
		sum += stats->drops[i];
	return sum;
}

const char *
statline_format(struct statline *last, const struct rill_stats *stats, uint64_t messages,
	uint64_t now_us, char *line)
{
	struct statline now = {
		.at_us = now_us,
		.messages = messages,
		.bytes_in = stats->bytes_in,
		.bytes_out = stats->bytes_out,
		.retransmits = stats->retransmits,
		.drops = statline_drops(stats),
	};
	double seconds = now_us > last->at_us ? (double)(now_us - last->at_us) / 1e6 : 1.0;
	char rate[UNITS_STRLEN], in[UNITS_STRLEN], out[UNITS_STRLEN];

	snprintf(line, STATLINE_LEN,
		"conns %u  %s msg/s  in %s bit/s  out %s bit/s  retransmits %" PRIu64 "  drops %" PRIu64,
		stats->conns, units_format((double)(now.messages - last->messages) / seconds, rate),
		units_format((double)(now.bytes_in - last->bytes_in) * 8 / seconds, in),
		units_format((double)(now.bytes_out - last->bytes_out) * 8 / seconds, out),
		now.retransmits - last->retransmits, now.drops - last->drops);
	*last = now;
	return line;
}
