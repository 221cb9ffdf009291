/* SPDX-License-Identifier: BSD-3-Clause */
#include "report.h"

#include <inttypes.h>
#include <string.h>

#include "counters.h"
#include "statline.h"
#include "units.h"

#define PROGRAM "rill-load"

/* ---- gathering */

static void
add_counters(struct load_counters *sum, const struct load_counters *from,
	const struct load_counters *to)
{
#define X(name, text) sum->name += to->name - from->name;
	LOAD_COUNTER_LIST(X)
#undef X
}

static void
add_stats(struct rill_stats *sum, const struct rill_stats *from, const struct rill_stats *to)
{
#define X(name, text) sum->name += to->name - from->name;
	RILL_COUNTER_LIST(X)
#undef X
	for (unsigned int i = 0; i < RILL_DROP_COUNT; i++)
		sum->drops[i] += to->drops[i] - from->drops[i];
	sum->conns += to->conns;
	sum->time_wait += to->time_wait;
	sum->mbufs += to->mbufs;
}

void
report_gather(struct load_result *result, const struct load_lane *lanes, unsigned int n)
{
	static const struct load_counters none;

	memset(result, 0, sizeof(*result));
	result->lanes = n;
	for (unsigned int i = 0; i < n; i++) {
		const struct load_lane *lane = &lanes[i];

		result->seconds += (double)(lane->counted_to_us - lane->counted_from_us) / 1e6 / n;
		add_counters(&result->count, &lane->count_from, &lane->count_to);
		add_counters(&result->ever, &none, &lane->count);
		add_stats(&result->stats, &lane->stats_from, &lane->stats_to);
		result->unanswered += lane->unanswered;
		for (int why = 0; why < RILL_CLOSE_REASON_COUNT; why++)
			result->closed[why] += lane->closed[why];
		histogram_merge(&result->reply_us, &lane->reply_us);
		histogram_merge(&result->connect_us, &lane->connect_us);
		histogram_merge(&result->late_us, &lane->late_us);
	}
}

/* A number for each second measured. */
static double
rate_of(const struct load_result *result, uint64_t n)
{
	return result->seconds > 0 ? (double)n / result->seconds : 0;
}

/* ---- the plan */

static void
print_rate(FILE *out, const struct load_settings *settings, const char *what, uint32_t rate)
{
	if (rate == 0)
		fprintf(out, ", %s as they can be had", what);
	else
		fprintf(out, ", %" PRIu32 " %s a second (%s loop)", rate, what,
			settings->closed ? "closed" : "open");
}

void
report_plan(FILE *out, const struct load_settings *settings)
{
	const struct rill_prefix *ip = &settings->host.ips[0][0];
	struct rill_endpoint first = load_target_at(settings, 0);
	char from[RILL_ADDR_STRLEN], to[RILL_ADDR_STRLEN];

	fprintf(out, PROGRAM ": %s: %" PRIu32 " connections from %s/%u to %s:%u",
		load_kind_name(settings->mode), settings->connections,
		rill_addr_format(&ip->addr, from), ip->len, rill_addr_format(&first.addr, to),
		first.port);
	if (load_targets_total(settings) > 1)
		fprintf(out, " and %" PRIu32 " more", load_targets_total(settings) - 1);
	if (settings->mix[LOAD_ECHO] > 0)
		print_rate(out, settings, "requests", settings->rate);
	if (settings->mix[LOAD_CONNECT] > 0)
		print_rate(out, settings, "connections", settings->connect_rate);
	fprintf(out, ", %g s after %g s\n", settings->time_ms / 1000.0, settings->warmup_ms / 1000.0);
	fflush(out);
}

/* ---- the table */

static void
table_row(FILE *out, const char *name, const struct histogram *h)
{
	if (h->count == 0)
		return;
	fprintf(out, "  %-22s %9" PRIu64 " %9" PRIu64 " %9" PRIu64 " %9" PRIu64 " %9" PRIu64
		" %11.1f\n", name, histogram_quantile(h, 0.5), histogram_quantile(h, 0.9),
		histogram_quantile(h, 0.99), histogram_quantile(h, 0.999), h->max, histogram_mean(h));
}

static void
table_rate(FILE *out, const struct load_result *result, const char *name, uint64_t n)
{
	char text[UNITS_STRLEN];

	if (n > 0)
		fprintf(out, "  %-22s %9s   %" PRIu64 " in all\n", name,
			units_format(rate_of(result, n), text), n);
}

static void
table_ends(FILE *out, const struct load_result *result)
{
	if (result->unanswered > 0)
		fprintf(out, "  %" PRIu64 " of what was due had no reply in the end; it is counted as "
			"if that had come then\n", result->unanswered);
#define X(name, text)                                                                              \
	if (result->ever.name > 0)                                                                 \
		fprintf(out, "  %" PRIu64 " %s\n", result->ever.name, text);
	LOAD_COUNTER_LIST(X)
#undef X
	for (int why = 0; why < RILL_CLOSE_REASON_COUNT; why++)
		if (result->closed[why] > 0)
			fprintf(out, "  %" PRIu64 " of those that failed or were lost: %s\n",
				result->closed[why],
				rill_close_reason_name((enum rill_close_reason)why));
}

void
report_table(FILE *out, const struct load_settings *settings, const struct load_result *result)
{
	char in[UNITS_STRLEN], sent[UNITS_STRLEN];

	fprintf(out, PROGRAM ": %s for %.3f s on %u lane%s\n", load_kind_name(settings->mode),
		result->seconds, result->lanes, result->lanes == 1 ? "" : "s");
	if (result->wanted > 0)
		fprintf(out, "  %" PRIu32 " of %" PRIu32 " held connections open after %.3f s, %" PRIu32
			" connections at the end\n", result->open, result->wanted, result->open_seconds,
			result->stats.conns);
	table_rate(out, result, "replies/s", result->count.replies);
	table_rate(out, result, "connections/s", result->count.finished);
	fprintf(out, "  %-22s %9s in %9s out\n", "bit/s of payload",
		units_format(rate_of(result, result->stats.bytes_in) * 8, in),
		units_format(rate_of(result, result->stats.bytes_out) * 8, sent));
	if (result->reply_us.count + result->connect_us.count > 0)
		fprintf(out, "  %-22s %9s %9s %9s %9s %9s %11s\n", "microseconds", "p50", "p90", "p99",
			"p99.9", "max", "mean");
	table_row(out, "due to reply", &result->reply_us);
	table_row(out, "due to open", &result->connect_us);
	table_row(out, "due to being sent", &result->late_us);
	fprintf(out, "  %" PRIu64 " segments retransmitted, %" PRIu64 " packets dropped, while measured\n",
		result->stats.retransmits, statline_drops(&result->stats));
	table_ends(out, result);
	counters_print_drops(out, &result->stats);
	fflush(out);
}

/* ---- JSON */

static void
json_histogram(FILE *out, const char *name, const struct histogram *h)
{
	fprintf(out, ",\n  \"%s\": {\"count\": %" PRIu64 ", \"mean\": %.3f, \"p50\": %" PRIu64
		", \"p90\": %" PRIu64 ", \"p99\": %" PRIu64 ", \"p999\": %" PRIu64 ", \"p9999\": %" PRIu64
		", \"max\": %" PRIu64 "}", name, h->count, histogram_mean(h),
		histogram_quantile(h, 0.5), histogram_quantile(h, 0.9), histogram_quantile(h, 0.99),
		histogram_quantile(h, 0.999), histogram_quantile(h, 0.9999), h->max);
}

static void
json_plan(FILE *out, const struct load_settings *settings, const struct load_result *result)
{
	struct rill_endpoint first = load_target_at(settings, 0);
	char text[RILL_ADDR_STRLEN];

	fprintf(out, "{\n  \"version\": \"%s\",\n  \"mode\": \"%s\",\n  \"target\": \"%s\",\n"
		"  \"port\": %u,\n  \"targets\": %" PRIu32 ",\n  \"sources\": %" PRIu32
		",\n  \"lanes\": %u,\n  \"connections\": %" PRIu32 ",\n  \"request_bytes\": %" PRIu32
		",\n  \"reply_bytes\": %" PRIu32 ",\n  \"pipeline\": %" PRIu32 ",\n  \"loop\": \"%s\""
		",\n  \"rate\": %" PRIu32 ",\n  \"connect_rate\": %" PRIu32, RILL_VERSION,
		load_kind_name(settings->mode), rill_addr_format(&first.addr, text), first.port,
		load_targets_total(settings), settings->sources, result->lanes, settings->connections,
		settings->request, settings->reply, settings->pipeline,
		settings->closed || (settings->rate == 0 && settings->connect_rate == 0) ? "closed" :
		"open", settings->rate, settings->connect_rate);
}

static void
json_counts(FILE *out, const struct load_result *result)
{
#define X(name, text) fprintf(out, ",\n  \"" #name "\": %" PRIu64, result->count.name);
	LOAD_COUNTER_LIST(X)
#undef X
	fprintf(out, ",\n  \"ever\": {");
#define X(name, text) fprintf(out, "\"" #name "\": %" PRIu64 ", ", result->ever.name);
	LOAD_COUNTER_LIST(X)
#undef X
	for (int why = 0; why < RILL_CLOSE_REASON_COUNT; why++)
		fprintf(out, "%s\"%s\": %" PRIu64, why == 0 ? "\"ended\": {" : ", ",
			rill_close_reason_name((enum rill_close_reason)why), result->closed[why]);
	fprintf(out, "}}");
}

static void
json_drops(FILE *out, const struct rill_stats *stats)
{
	const char *comma = "";

	fprintf(out, ",\n  \"drops\": {");
	for (unsigned int i = 0; i < RILL_DROP_COUNT; i++)
		if (stats->drops[i] > 0) {
			fprintf(out, "%s\"%s\": %" PRIu64, comma, rill_drop_name((enum rill_drop)i),
				stats->drops[i]);
			comma = ", ";
		}
	fprintf(out, "}\n}\n");
}

void
report_json(FILE *out, const struct load_settings *settings, const struct load_result *result)
{
	json_plan(out, settings, result);
	fprintf(out, ",\n  \"seconds\": %.6f,\n  \"open_seconds\": %.6f,\n  \"held_wanted\": %" PRIu32
		",\n  \"held_open\": %" PRIu32 ",\n  \"connections_at_end\": %" PRIu32,
		result->seconds, result->open_seconds, result->wanted, result->open,
		result->stats.conns);
	fprintf(out, ",\n  \"replies_per_s\": %.3f,\n  \"connections_per_s\": %.3f,\n"
		"  \"bits_in_per_s\": %.0f,\n  \"bits_out_per_s\": %.0f,\n  \"unanswered\": %" PRIu64,
		rate_of(result, result->count.replies), rate_of(result, result->count.finished),
		rate_of(result, result->stats.bytes_in) * 8,
		rate_of(result, result->stats.bytes_out) * 8, result->unanswered);
	json_histogram(out, "reply_us", &result->reply_us);
	json_histogram(out, "connect_us", &result->connect_us);
	json_histogram(out, "late_us", &result->late_us);
	json_counts(out, result);
	fprintf(out, ",\n  \"retransmits\": %" PRIu64 ",\n  \"segments_in\": %" PRIu64
		",\n  \"segments_out\": %" PRIu64 ",\n  \"turns\": %" PRIu64 ",\n  \"turns_busy\": %" PRIu64
		",\n  \"busy_us\": %" PRIu64,
		result->stats.retransmits, result->stats.segs_in, result->stats.segs_out,
		result->stats.turns, result->stats.turns_busy, result->stats.busy_us);
	json_drops(out, &result->stats);
	fflush(out);
}
