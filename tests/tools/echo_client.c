/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A client of rill-echo on the kernel's TCP: N connections at once send messages of random length
 * and content, verify every byte of the echo, and the latencies are reported.
 */
#include "flow.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#define EVENTS_MAX 256

struct client {
	struct plan plan;
	struct tally tally;
	struct flow *flows;
	uint32_t connections; /* at once */
	uint64_t total;       /* connections in all */
	uint64_t begun;       /* connections begun */
	uint32_t active;
	double seconds;       /* begin no message after this time; 0: no such time */
	double timeout;       /* give up after this time */
	bool hold;            /* open all before the first message */
	bool json;
	int epoll;
	uint64_t start_us, end_us;
};

static volatile sig_atomic_t interrupted;

static void
on_signal(int sig)
{
	interrupted = 1;
}

static const char usage[] =
	"usage: echo_client --host ADDR --port PORT [options]\n"
	"  --protocol raw|line|length|http   framing (raw)\n"
	"  --connections N    connections at once (1)\n"
	"  --total N          connections in all, one after another in N places (connections)\n"
	"  --messages N       messages of each connection; 0: until --seconds (100)\n"
	"  --seconds S        begin no message after S seconds\n"
	"  --timeout S        what is open after S seconds has failed (60)\n"
	"  --size MIN[-MAX]   payload bytes of a message, at random in between (64)\n"
	"  --pipeline N       messages in flight on a connection, 1 to 64 (1)\n"
	"  --bulk BYTES       raw only: BYTES both ways at once, compared by SHA-256\n"
	"  --split            cut writes at random places\n"
	"  --seed N           of contents, lengths and cuts (1)\n"
	"  --end half|close|reset   how a connection ends (half)\n"
	"  --hold             open all connections before the first message\n"
	"  --json             report as JSON\n"
	"Exit status: 0 if every byte was verified and every connection ended well, else 1; 2: usage.\n";

static void
usage_error(const char *what, const char *value)
{
	fprintf(stderr, "echo_client: %s: '%s'\n%s", what, value, usage);
	exit(2);
}

static uint64_t
number(const char *option, const char *text, uint64_t least, uint64_t most)
{
	char *end;
	unsigned long long value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || value < least || value > most)
		usage_error(option, text);
	return value;
}

static int
choice(const char *option, const char *text, const char *const *names)
{
	int i;

	for (i = 0; names[i] != NULL; i++)
		if (strcmp(names[i], text) == 0)
			return i;
	usage_error(option, text);
	return -1;
}

static void
parse_size(struct plan *plan, char *text)
{
	char *dash = strchr(text, '-');

	if (dash != NULL)
		*dash = '\0';
	plan->size_min = plan->size_max = (uint32_t)number("--size", text, 0, 1 << 28);
	if (dash != NULL)
		plan->size_max = (uint32_t)number("--size", dash + 1, plan->size_min, 1 << 28);
}

enum { OPT_HOST = 1, OPT_PORT, OPT_PROTOCOL, OPT_CONNECTIONS, OPT_TOTAL, OPT_MESSAGES, OPT_SECONDS,
	OPT_TIMEOUT, OPT_SIZE, OPT_PIPELINE, OPT_BULK, OPT_SPLIT, OPT_SEED, OPT_END, OPT_HOLD,
	OPT_JSON };

static const struct option options[] = {
	{ "host", 1, NULL, OPT_HOST }, { "port", 1, NULL, OPT_PORT },
	{ "protocol", 1, NULL, OPT_PROTOCOL }, { "connections", 1, NULL, OPT_CONNECTIONS },
	{ "total", 1, NULL, OPT_TOTAL }, { "messages", 1, NULL, OPT_MESSAGES },
	{ "seconds", 1, NULL, OPT_SECONDS }, { "timeout", 1, NULL, OPT_TIMEOUT },
	{ "size", 1, NULL, OPT_SIZE }, { "pipeline", 1, NULL, OPT_PIPELINE },
	{ "bulk", 1, NULL, OPT_BULK }, { "split", 0, NULL, OPT_SPLIT },
	{ "seed", 1, NULL, OPT_SEED }, { "end", 1, NULL, OPT_END }, { "hold", 0, NULL, OPT_HOLD },
	{ "json", 0, NULL, OPT_JSON }, { NULL, 0, NULL, 0 }
};

static void
parse_host(struct sockaddr_storage *server, const char *text)
{
	if (inet_pton(AF_INET, text, &((struct sockaddr_in *)server)->sin_addr) == 1)
		server->ss_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &((struct sockaddr_in6 *)server)->sin6_addr) == 1)
		server->ss_family = AF_INET6;
	else
		usage_error("--host is not an address", text);
}

/* Where the port stands, in both families. */
static in_port_t *
port_of(struct sockaddr_storage *server)
{
	static_assert(offsetof(struct sockaddr_in, sin_port) ==
			      offsetof(struct sockaddr_in6, sin6_port),
		"the port comes first");
	return &((struct sockaddr_in *)server)->sin_port;
}

static void
parse_option(struct client *c, int opt)
{
	static const char *const framings[] = { "raw", "line", "length", "http", NULL };
	static const char *const endings[] = { "half", "close", "reset", NULL };
	struct plan *plan = &c->plan;

	switch (opt) {
	case OPT_HOST:
		parse_host(&plan->server, optarg);
		break;
	case OPT_PORT:
		*port_of(&plan->server) = htons((uint16_t)number("--port", optarg, 1, 65535));
		break;
	case OPT_PROTOCOL:
		plan->framing = (enum framing)choice("--protocol", optarg, framings);
		break;
	case OPT_CONNECTIONS:
		c->connections = (uint32_t)number("--connections", optarg, 1, 1000000);
		break;
	case OPT_TOTAL:
		c->total = number("--total", optarg, 1, UINT64_MAX);
		break;
	case OPT_MESSAGES:
		plan->messages = number("--messages", optarg, 0, UINT64_MAX);
		break;
	case OPT_SECONDS:
		c->seconds = (double)number("--seconds", optarg, 1, 86400);
		break;
	case OPT_TIMEOUT:
		c->timeout = (double)number("--timeout", optarg, 1, 86400);
		break;
	case OPT_SIZE:
		parse_size(plan, optarg);
		break;
	case OPT_PIPELINE:
		plan->pipeline = (uint32_t)number("--pipeline", optarg, 1, FLOW_PIPELINE_MAX);
		break;
	case OPT_BULK:
		plan->bulk_bytes = number("--bulk", optarg, 1, UINT64_MAX);
		break;
	case OPT_SPLIT:
		plan->split = true;
		break;
	case OPT_SEED:
		plan->seed = number("--seed", optarg, 0, UINT64_MAX);
		break;
	case OPT_END:
		plan->ending = (enum ending)choice("--end", optarg, endings);
		break;
	case OPT_HOLD:
		c->hold = true;
		break;
	default:
		c->json = true;
	}
}

static void
parse(struct client *c, int argc, char **argv)
{
	int opt;

	c->plan = (struct plan){ .size_min = 64, .size_max = 64, .pipeline = 1, .messages = 100,
		.seed = 1 };
	c->connections = 1;
	c->timeout = 60;
	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == '?')
			usage_error("unknown option, or one without its value", argv[optind - 1]);
		parse_option(c, opt);
	}
	if (optind < argc)
		usage_error("not an option", argv[optind]);
	if (c->plan.server.ss_family == AF_UNSPEC || *port_of(&c->plan.server) == 0)
		usage_error("missing", "--host and --port");
	if (c->plan.bulk_bytes > 0 && c->plan.framing != FRAMING_RAW)
		usage_error("--bulk goes with --protocol raw only", "--bulk");
	if (c->plan.size_min == 0 && c->plan.framing != FRAMING_LINE &&
		c->plan.framing != FRAMING_LENGTH)
		usage_error("an empty message has no echo in this protocol", "--size 0");
	if (c->plan.messages == 0 && c->seconds == 0 && c->plan.bulk_bytes == 0)
		usage_error("--messages 0 needs", "--seconds");
	if (c->total < c->connections)
		c->total = c->connections;
}

static void
watch(struct client *c, struct flow *f, int operation)
{
	struct epoll_event event = { .data.ptr = f,
		.events = EPOLLIN | (f->wants_write ? EPOLLOUT : 0u) };

	if (epoll_ctl(c->epoll, operation, f->fd, &event) != 0) {
		perror("echo_client: epoll_ctl");
		exit(1);
	}
}

static bool
is_over(const struct client *c)
{
	return interrupted ||
		(c->seconds > 0 && (double)(flow_clock_us() - c->start_us) > c->seconds * 1e6);
}

/* The next connection in this place, if there is one to begin. */
static void
begin(struct client *c, struct flow *f)
{
	while (c->begun < c->total && !is_over(c)) {
		if (flow_open(f, &c->plan, &c->tally, c->begun++) == 0) {
			c->active++;
			watch(c, f, EPOLL_CTL_ADD);
			return;
		}
	}
}

static void
step(struct client *c, struct flow *f)
{
	bool wanted = f->wants_write;

	flow_ready(f, &c->plan, &c->tally, is_over(c));
	if (f->state == FLOW_ENDED) {
		c->active--;
		begin(c, f);
	} else if (f->wants_write != wanted) {
		watch(c, f, EPOLL_CTL_MOD);
	}
}

/* Under --hold a connection that has been opened says nothing until all are open. */
static void
open_all(struct client *c)
{
	struct epoll_event events[EVENTS_MAX];
	uint64_t give_up = flow_clock_us() + (uint64_t)(c->timeout * 1e6);
	uint32_t opened = 0;
	int i, n;

	while (opened < c->active && flow_clock_us() < give_up && !interrupted) {
		n = epoll_wait(c->epoll, events, EVENTS_MAX, 100);
		for (i = 0; i < n; i++) {
			struct flow *f = events[i].data.ptr;

			epoll_ctl(c->epoll, EPOLL_CTL_DEL, f->fd, NULL);
			opened++;
		}
	}
	for (i = 0; i < (int)c->connections; i++) {
		if (c->flows[i].state != FLOW_CONNECTING)
			continue;
		epoll_ctl(c->epoll, EPOLL_CTL_DEL, c->flows[i].fd, NULL);
		watch(c, &c->flows[i], EPOLL_CTL_ADD);
	}
	c->start_us = flow_clock_us();
}

static void
run(struct client *c)
{
	struct epoll_event events[EVENTS_MAX];
	bool kicked = false;
	uint32_t i;
	int j, n;

	c->start_us = flow_clock_us();
	for (i = 0; i < c->connections; i++)
		begin(c, &c->flows[i]);
	if (c->hold)
		open_all(c);
	while (c->active > 0 && (double)(flow_clock_us() - c->start_us) < c->timeout * 1e6) {
		n = epoll_wait(c->epoll, events, EVENTS_MAX, 100);
		for (j = 0; j < n; j++)
			step(c, events[j].data.ptr);
		if (is_over(c) && !kicked) {
			kicked = true;
			for (i = 0; i < c->connections; i++)
				if (c->flows[i].state == FLOW_OPEN)
					step(c, &c->flows[i]);
		}
	}
	c->end_us = flow_clock_us();
	for (i = 0; i < c->connections; i++)
		if (c->flows[i].state != FLOW_ENDED && c->flows[i].state != FLOW_IDLE)
			flow_fail(&c->flows[i], &c->tally, "not finished when the time was over");
}

static void
report(const struct client *c)
{
	const struct tally *t = &c->tally;
	double seconds = (double)(c->end_us - c->start_us) / 1e6;
	const char *form = c->json ?
		"{\"opened\": %llu, \"ended_well\": %llu, \"failed\": %llu, \"messages\": %llu, "
		"\"bytes_sent\": %llu, \"bytes_verified\": %llu, \"mismatches\": %llu, "
		"\"seconds\": %.3f, \"messages_per_s\": %.0f, \"mbit_per_s\": %.1f, "
		"\"p50_us\": %llu, \"p99_us\": %llu, \"max_us\": %llu, \"error\": \"%s\"}\n" :
		"connections opened     %llu\n"
		"connections ended well %llu\n"
		"connections failed     %llu\n"
		"messages echoed        %llu\n"
		"bytes sent             %llu\n"
		"bytes verified         %llu\n"
		"mismatches             %llu\n"
		"seconds                %.3f\n"
		"messages/s             %.0f\n"
		"Mbit/s each way        %.1f\n"
		"latency p50            %llu us\n"
		"latency p99            %llu us\n"
		"latency max            %llu us\n"
		"first error            %s\n";

	printf(form, (unsigned long long)t->opened, (unsigned long long)t->ended_well,
		(unsigned long long)t->failed, (unsigned long long)t->messages,
		(unsigned long long)t->bytes_sent, (unsigned long long)t->bytes_verified,
		(unsigned long long)t->mismatches, seconds, (double)t->messages / seconds,
		(double)t->bytes_verified * 8 / 1e6 / seconds,
		(unsigned long long)histogram_quantile(&t->latency_us, 0.5),
		(unsigned long long)histogram_quantile(&t->latency_us, 0.99),
		(unsigned long long)t->latency_us.max,
		t->first_error[0] != '\0' || c->json ? t->first_error : "none");
}

int
main(int argc, char **argv)
{
	static struct client c;
	struct rlimit files;
	uint32_t i;

	parse(&c, argc, argv);
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	c.epoll = epoll_create1(EPOLL_CLOEXEC);
	c.flows = calloc(c.connections, sizeof(*c.flows));
	if (c.epoll < 0 || c.flows == NULL) {
		perror("echo_client");
		return 1;
	}
	for (i = 0; i < c.connections; i++)
		c.flows[i].fd = -1;
	run(&c);
	report(&c);
	for (i = 0; i < c.connections; i++)
		flow_free(&c.flows[i]);
	free(c.flows);
	close(c.epoll);
	return c.tally.failed == 0 && c.tally.mismatches == 0 && c.tally.opened > 0 ? 0 : 1;
}
