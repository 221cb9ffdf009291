/* SPDX-License-Identifier: BSD-3-Clause */
#include "service.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "counters.h"
#include "proto.h"
#include "session.h"
#include "signals.h"

#define PROGRAM "rill-echo"
/* How soon a lane sees that the server is to stop; TICKS_PER_SECOND of them make a statistics line. */
#define TICK_US 100000u
#define TICKS_PER_SECOND 10u

/* ---- configuration */

static void
fill_options(struct rill_options *options, const struct echo_settings *settings)
{
	/* An echo is an answer: waiting for more to say only makes the peer wait. */
	options->nodelay = 1;
	options->user_timeout_ms = (int32_t)settings->user_timeout_ms;
	options->keepalive_idle_ms = (int32_t)settings->keepalive_idle_ms;
	if (settings->keepalive_idle_ms != 0) {
		options->keepalive_interval_ms = (int32_t)settings->keepalive_interval_ms;
		options->keepalive_count = (int32_t)settings->keepalive_count;
	}
}

/* ---- ticks */

static void
sum_counters(const struct echo_service *service, struct echo_counters *sum)
{
	memset(sum, 0, sizeof(*sum));
	for (unsigned int i = 0; i < service->lanes_count; i++) {
		const struct echo_counters *count = &service->lanes[i].count;
#define X(name, text) sum->name += __atomic_load_n(&count->name, __ATOMIC_RELAXED);
		ECHO_COUNTER_LIST(X)
#undef X
	}
}

static void
print_line(struct echo_service *service, uint64_t now_us)
{
	struct rill_stats stats;
	struct echo_counters sum;
	char line[STATLINE_LEN];

	rill_stats_read(service->stack, &stats);
	sum_counters(service, &sum);
	printf("%s\n", statline_format(&service->line, &stats, sum.messages, now_us, line));
	fflush(stdout);
}

/* All counters, and when, for SIGUSR1. */
static void
print_report(const struct echo_service *service, uint64_t now_us)
{
	struct rill_stats stats;
	struct echo_counters sum;

	rill_stats_read(service->stack, &stats);
	sum_counters(service, &sum);
#define X(name, text) printf("echo_%s %" PRIu64 "\n", #name, sum.name);
	ECHO_COUNTER_LIST(X)
#undef X
	printf("time_us %" PRIu64 "\n", now_us);
	counters_print(stdout, &stats);
}

static void
on_tick(struct rill_lane *rill_lane, struct rill_timer *timer)
{
	struct echo_lane *lane = rill_lane_user(rill_lane);

	rill_timer_start(rill_lane, timer, TICK_US);
	if (!lane->draining && signals_count() > 0) {
		lane->draining = true;
		rill_lane_each(rill_lane, session_drain, NULL);
	}
	if (rill_lane_index(rill_lane) == 0 && signals_report_wanted())
		print_report(lane->owner, rill_lane_now(rill_lane));
	if (++lane->ticks % TICKS_PER_SECOND != 0)
		return;
	echo_lane_date(lane, time(NULL));
	if (rill_lane_index(rill_lane) == 0 && lane->settings->log_level >= ECHO_LOG_INFO)
		print_line(lane->owner, rill_lane_now(rill_lane));
}

static void
on_lane_start(struct rill_lane *rill_lane, void *user)
{
	struct echo_service *service = user;
	struct echo_lane *lane = &service->lanes[rill_lane_index(rill_lane)];

	rill_lane_set_user(rill_lane, lane);
	if (rill_lane_index(rill_lane) == 0) {
		service->started_us = rill_lane_now(rill_lane);
		service->line.at_us = service->started_us;
	}
	echo_lane_date(lane, time(NULL));
	lane->tick.fn = on_tick;
	rill_timer_start(rill_lane, &lane->tick, TICK_US);
}

/* ---- life */

static int
create_stack(struct echo_service *service)
{
	const struct echo_settings *settings = service->settings;
	struct rill_config config;

	host_configure(&settings->host, &config);
	config.limits.max_conns = settings->max_conns;
	fill_options(&config.options, settings);
	config.user = service;
	config.on_lane_start = on_lane_start;
	return host_create_stack(&settings->host, PROGRAM, &config, &service->stack);
}

static int
init_lanes(struct echo_service *service)
{
	unsigned int n = rill_stack_lanes(service->stack);

	service->lanes = calloc(n, sizeof(*service->lanes));
	if (service->lanes == NULL)
		return host_failed(PROGRAM, "no memory for the lanes", -ENOMEM);
	for (unsigned int i = 0; i < n; i++) {
		int rc = echo_lane_init(&service->lanes[i], service->settings);

		if (rc != 0)
			return host_failed(PROGRAM,
				"no room for --max-conns and --hold; give smaller ones", rc);
		service->lanes[i].owner = service;
		service->lanes_count = i + 1;
	}
	return 0;
}

int
service_open(struct echo_service *service, const struct echo_settings *settings)
{
	struct rill_listener *listener;
	int rc;

	*service = (struct echo_service){.settings = settings};
	rc = create_stack(service);
	if (rc == 0)
		rc = init_lanes(service);
	if (rc != 0)
		return rc;
	rc = rill_listen(service->stack, NULL, (uint16_t)settings->port, NULL, &session_handler, NULL,
		&listener);
	return rc == 0 ? 0 : host_failed(PROGRAM, "it cannot listen", rc);
}

void
service_announce(const struct echo_service *service)
{
	const struct echo_settings *settings = service->settings;
	const struct host *host = &settings->host;
	char ip[HOST_IP_LEN];

	if (settings->log_level < ECHO_LOG_QUIET)
		return;
	host_say_spread(host, PROGRAM, service->stack, stdout);
	for (unsigned int i = 0; i < host->devs_count; i++)
		for (unsigned int n = 0; n < host->ips_each[i]; n++)
			printf(PROGRAM ": %s: %s: %s on TCP port %u: listening\n",
				host->devs[i].name, host_format_ip(&host->ips[i][n], ip),
				settings->proto->name, settings->port);
	fflush(stdout);
}

int
service_run(struct echo_service *service)
{
	int rc;

	signals_target(service->stack, (uint64_t)service->settings->drain_ms * 1000);
	rc = rill_stack_run(service->stack);
	signals_target(NULL, 0);
	/* Connections that outlived --drain were aborted, as it says. */
	return rc == 0 || rc == -ETIME ? 0 : host_failed(PROGRAM, "the stack stopped", rc);
}

static void
print_counters(const struct echo_service *service)
{
	struct echo_counters sum;

	sum_counters(service, &sum);
#define X(name, text)                                                                              \
	if (sum.name != 0)                                                                         \
		printf("  %" PRIu64 " %s\n", sum.name, text);
	ECHO_COUNTER_LIST(X)
#undef X
}

void
service_summary(const struct echo_service *service)
{
	struct rill_stats stats;

	if (service->settings->log_level < ECHO_LOG_QUIET)
		return;
	rill_stats_read(service->stack, &stats);
	printf(PROGRAM ": %" PRIu64 " connections accepted, %" PRIu64
		" bytes in, %" PRIu64 " bytes out, %" PRIu64 " segments retransmitted, %" PRIu64
		" packets dropped\n",
		stats.passive_opens, stats.bytes_in, stats.bytes_out,
		stats.retransmits, statline_drops(&stats));
	print_counters(service);
	counters_print_drops(stdout, &stats);
	fflush(stdout);
}

void
service_close(struct echo_service *service)
{
	if (service->stack != NULL)
		rill_stack_destroy(service->stack);
	for (unsigned int i = 0; i < service->lanes_count; i++)
		echo_lane_fini(&service->lanes[i]);
	free(service->lanes);
}
