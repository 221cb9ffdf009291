/* SPDX-License-Identifier: BSD-3-Clause */
#include "service.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "signals.h"

#define PROGRAM "rill-load"
/* How soon the leading thread sees what has happened. */
#define LOOK_US 2000
/* TIME-WAIT: entries beyond end early, so that ports do not run out; a server that closed last knows
 * nothing of the connection any more. */
#define TIMEWAIT_MAX 16384u
/* Connections with something lost or out of order at one time. */
#define SIDECARS_MOST 16384u
/* Connections that have ended for the application and not yet for Rill. */
#define CONNS_SPARE 1024u

/* ---- the stack */

static void
fill_limits(struct rill_limits *limits, const struct load_settings *settings)
{
	const struct host *host = &settings->host;
	unsigned int lanes = host->lanes > 0 ? host->lanes : host->devs_count;
	uint32_t conns = share_part(settings->connections, 0, lanes) + CONNS_SPARE;

	limits->max_conns = conns;
	limits->timewait_max = TIMEWAIT_MAX;
	limits->buffers = settings->buffers;
	/* A buffer takes a record, and with small requests a connection one or two. */
	limits->records = 2 * conns + 2 * settings->buffers;
	if (conns / 8 > SIDECARS_MOST)
		limits->sidecars = SIDECARS_MOST;
}

static void
on_lane_start(struct rill_lane *rill, void *user)
{
	struct load_service *service = user;

	load_lane_start(&service->lanes[rill_lane_index(rill)], rill);
	atomic_fetch_add(&service->started, 1);
}

static void
on_lane_idle(struct rill_lane *rill, void *user)
{
	load_lane_pump(rill_lane_user(rill));
}

static int
create_stack(struct load_service *service)
{
	const struct load_settings *settings = service->settings;
	struct rill_config config;

	host_configure(&settings->host, &config);
	for (unsigned int i = 0; i < config.ports_count; i++)
		config.ports[i].addrs_count = load_sources(settings, i, config.ports[i].addrs);
	fill_limits(&config.limits, settings);
	load_conn_options(settings, 0, &config.options);
	config.user = service;
	config.on_lane_start = on_lane_start;
	config.on_lane_idle = on_lane_idle;
	return host_create_stack(&settings->host, PROGRAM, &config, &service->stack);
}

static int
init_lanes(struct load_service *service)
{
	unsigned int n = rill_stack_lanes(service->stack);

	service->lanes = calloc(n, sizeof(*service->lanes));
	if (service->lanes == NULL)
		return host_failed(PROGRAM, "no memory for the lanes", -ENOMEM);
	for (unsigned int i = 0; i < n; i++) {
		int rc = load_lane_init(&service->lanes[i], service->settings, &service->payload, i, n);

		if (rc != 0)
			return host_failed(PROGRAM,
				"no room for --connections; give fewer, or a smaller --pipeline", rc);
		service->lanes_count = i + 1;
	}
	return 0;
}

int
load_service_open(struct load_service *service, const struct load_settings *settings)
{
	const char *text = settings->text_len > 0 ? settings->text : NULL;
	int rc;

	memset(service, 0, sizeof(*service));
	service->settings = settings;
	service->say = settings->json ? stderr : stdout;
	rc = payload_init(&service->payload, settings->request, text);
	if (rc != 0)
		return host_failed(PROGRAM, "no memory for the payload", rc);
	rc = create_stack(service);
	if (rc != 0)
		return rc;
	host_say_spread(&settings->host, PROGRAM, service->stack, service->say);
	return init_lanes(service);
}

/* ---- the leading thread */

static uint64_t
clock_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* A lane whose mailbox is full, or that is about to run, takes it a little later. */
static void
post(struct load_service *service, void (*fn)(struct rill_lane *rill, void *lane))
{
	for (unsigned int i = 0; i < service->lanes_count; i++)
		while (rill_lane_post(rill_stack_lane(service->stack, i), fn, &service->lanes[i]) != 0 &&
			signals_count() < 2)
			nanosleep(&(struct timespec){.tv_nsec = LOOK_US * 1000}, NULL);
}

static uint64_t
sum_done(const struct load_service *service)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < service->lanes_count; i++) {
		const struct load_counters *count = &service->lanes[i].count;

		sum += __atomic_load_n(&count->replies, __ATOMIC_RELAXED);
	}
	return sum;
}

static void
print_line(struct load_service *service, uint64_t now_us)
{
	struct histogram *since = &service->since;
	char line[STATLINE_LEN];
	struct rill_stats stats;

	rill_stats_read(service->stack, &stats);
	memset(&service->now, 0, sizeof(service->now));
	for (unsigned int i = 0; i < service->lanes_count; i++)
		histogram_merge(&service->now, &service->lanes[i].reply_us);
	histogram_since(since, &service->now, &service->before);
	service->before = service->now;
	fprintf(service->say, "%s",
		statline_format(&service->line, &stats, sum_done(service), now_us, line));
	if (since->count > 0)
		fprintf(service->say, "  p50 %" PRIu64 " us  p99 %" PRIu64 " us  max %" PRIu64 " us",
			histogram_quantile(since, 0.5), histogram_quantile(since, 0.99), since->max);
	fputc('\n', service->say);
	fflush(service->say);
}

/* Sleeps a little; prints the line when it is time. */
static void
look(struct load_service *service)
{
	uint64_t now;

	nanosleep(&(struct timespec){.tv_nsec = LOOK_US * 1000}, NULL);
	now = clock_us();
	if (now - service->line.at_us >= 1000000)
		print_line(service, now);
}

static uint32_t
sum_open(const struct load_service *service, uint32_t *wanted)
{
	uint32_t open = 0;

	*wanted = 0;
	for (unsigned int i = 0; i < service->lanes_count; i++) {
		open += load_lane_open(&service->lanes[i]);
		*wanted += load_lane_wanted(&service->lanes[i]);
	}
	return open;
}

/* Until all held connections are open, or no more of them opened for a while. */
static void
await_open(struct load_service *service)
{
	uint64_t started = clock_us(), progress = started;
	uint32_t wanted, most = 0, open;

	do {
		look(service);
		open = sum_open(service, &wanted);
		if (open > most) {
			most = open;
			progress = clock_us();
		}
	} while (open < wanted && signals_count() == 0 &&
		clock_us() - progress < (uint64_t)service->settings->open_timeout_ms * 1000);
	service->open = open;
	service->open_seconds = (double)(progress - started) / 1e6;
	service->nothing = wanted > 0 && open == 0;
}

static bool
all_finished(const struct load_service *service)
{
	for (unsigned int i = 0; i < service->lanes_count; i++)
		if (!load_lane_is_finished(&service->lanes[i]))
			return false;
	return true;
}

static void *
lead(void *arg)
{
	struct load_service *service = arg;
	bool ended = false;

	service->line.at_us = clock_us();
	while (atomic_load(&service->started) < service->lanes_count && signals_count() == 0)
		look(service);
	if (signals_count() == 0)
		await_open(service);
	if (!service->nothing && signals_count() == 0) {
		post(service, load_lane_begin);
		while (!all_finished(service) && signals_count() < 2) {
			look(service);
			if (!ended && signals_count() > 0) {
				post(service, load_lane_end);
				ended = true;
			}
		}
	}
	rill_stack_stop(service->stack);
	return NULL;
}

int
load_service_run(struct load_service *service)
{
	int rc = -pthread_create(&service->leader, NULL, lead, service);

	if (rc != 0)
		return host_failed(PROGRAM, "no thread to lead the lanes", rc);
	rc = rill_stack_run(service->stack);
	/* A stack that stopped by itself has no lanes that could finish. */
	if (rc != 0)
		pthread_cancel(service->leader);
	pthread_join(service->leader, NULL);
	return rc == 0 ? 0 : host_failed(PROGRAM, "the stack stopped", rc);
}

/* ---- the end */

static int
no_result(const struct load_service *service, const struct load_result *result)
{
	struct rill_endpoint first = load_target_at(service->settings, 0);
	char text[RILL_ADDR_STRLEN];

	rill_addr_format(&first.addr, text);
	if (signals_count() > 0) {
		fprintf(stderr, PROGRAM ": ended by a signal before anything was measured\n");
		return -EINTR;
	}
	fprintf(stderr, PROGRAM ": --target %s:%u: no connection opened within %g s (", text, first.port,
		service->settings->open_timeout_ms / 1000.0);
	for (int why = 0; why < RILL_CLOSE_REASON_COUNT; why++)
		if (result->closed[why] > 0)
			fprintf(stderr, "%" PRIu64 " %s; ", result->closed[why],
				rill_close_reason_name((enum rill_close_reason)why));
	fprintf(stderr, "%" PRIu64 " could not be begun); see that a server listens there, and that "
		"--dev and --ip lead to it\n", result->ever.not_begun);
	return -ECONNREFUSED;
}

int
load_service_report(const struct load_service *service)
{
	struct load_result *result = calloc(1, sizeof(*result));
	uint32_t wanted = 0;
	int rc = 0;

	if (result == NULL)
		return host_failed(PROGRAM, "no memory for the result", -ENOMEM);
	report_gather(result, service->lanes, service->lanes_count);
	sum_open(service, &wanted);
	result->wanted = wanted;
	result->open = service->open;
	result->open_seconds = service->open_seconds;
	if (result->seconds == 0 || result->ever.opened == 0)
		rc = no_result(service, result);
	else if (service->settings->json)
		report_json(stdout, service->settings, result);
	else
		report_table(stdout, service->settings, result);
	free(result);
	return rc;
}

void
load_service_close(struct load_service *service)
{
	if (service->stack != NULL)
		rill_stack_destroy(service->stack);
	for (unsigned int i = 0; i < service->lanes_count; i++)
		load_lane_fini(&service->lanes[i]);
	free(service->lanes);
	payload_fini(&service->payload);
}
