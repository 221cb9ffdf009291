/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef APPS_STATLINE_H
#define APPS_STATLINE_H

/* One line of statistics for one interval. */

#include <stddef.h>
#include <stdint.h>

#include <rill/stats.h>

/* What the last line was made from; zero it before the first. */
struct statline {
	uint64_t at_us;
	uint64_t messages, bytes_in, bytes_out, retransmits, drops;
};

#define STATLINE_LEN 192

/* All drops, whatever their reason. */
uint64_t statline_drops(const struct rill_stats *stats);

/*
 * Writes "conns 64  12.3k msg/s  in 61.2M bit/s  out 61.2M bit/s  retransmits 0  drops 0" for the time
 * since the last line, and remembers this one. Returns line, which has STATLINE_LEN bytes.
 */
const char *statline_format(struct statline *last, const struct rill_stats *stats, uint64_t messages,
	uint64_t now_us, char *line);

#endif
