/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The clients of kernel_echo, on the kernel's TCP too: one thread on one core, epoll
 * edge-triggered, TCP_NODELAY, closed loop.
 *
 *   echo    a request leaves when a reply has come, on a connection drawn from those that rest; at
 * most
 *           --inflight are under way
 *   rate    each request has a connection of its own: open, request, reply, close
 *   sink    writes as much as the server takes
 *   source  reads what the server writes
 *
 * After a warm-up it counts for --seconds, and reads from /proc/stat what the server's core and its
 * own did meanwhile, softirq included; of that, at most what --server-pids had and the softirq time
 * counts as busy, lest other programs on that core pass for the server. Bulk is counted at this
 * end: what is in buffers at the beginning of that time and at its end is the same.
 */
#include <arpa/inet.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kernel_common.h"

#define SOURCES_MOST 64
#define FLOWS_MOST 1000000
#define OPENING_AT_ONCE 256
#define FAILURES_MOST 1000
#define PIDS_MOST 4
#define OPEN_SECONDS 60 /* until all are open */

static const char name[] = "kernel_load";
static const char usage[] =
	"usage: kernel_load --target ADDRESS --port PORT [options]\n"
	"  --work echo|rate|sink|source   [echo]\n"
	"  --sources ADDRESS,...          of the connections, by turns      [the kernel's choice]\n"
	"  --connections N                                                  [1]\n"
	"  --inflight N                   messages under way, at most       [512]\n"
	"  --size BYTES                   of a message, or of one call of bulk  [64]\n"
	"  --seconds S                    that are counted                  [1]\n"
	"  --warm-up S                    before                            [0.3]\n"
	"  --core N                       that it is tied to                [any]\n"
	"  --server-core N                whose time is reported too        [none]\n"
	"  --server-pids PID,...          of the server and of that core's ksoftirqd\n"
	"Prints a JSON object.\n";

enum work { WORK_ECHO, WORK_RATE, WORK_SINK, WORK_SOURCE };
static const char *const work_names[] = {"echo", "rate", "sink", "source", NULL};

enum flow_state { FLOW_OPENING, FLOW_RESTS, FLOW_WAITS, FLOW_BULK };

struct flow {
	int fd;
	uint32_t got; /* bytes of the reply */
	enum flow_state state;
};

struct settings {
	enum work work;
	struct sockaddr_in target;
	struct in_addr sources[SOURCES_MOST];
	uint32_t sources_count, connections, inflight, size;
	double seconds, warm_up;
	int core, server_core; /* -1: none */
	pid_t pids[PIDS_MOST];
	uint32_t pids_count;
};

/* What a core did, in ticks of /proc/stat. */
struct core_time {
	uint64_t busy, softirq, stolen, all;
	double own; /* seconds that the server's processes ran */
};

static struct settings settings = {.connections = 1,
	.inflight = 512,
	.size = 64,
	.seconds = 1,
	.warm_up = 0.3,
	.core = -1,
	.server_core = -1,
	.target.sin_family = AF_INET};
static struct flow *flows;
static uint32_t *resting, resting_count; /* flows */
static uint32_t under_way, opening, next_source;
static uint64_t opened, failed, messages, bytes, draws = 88172645463325252ull;
static uint8_t *buffer;
static int epoll;
static bool playing;

static double
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static uint32_t
draw(uint32_t below)
{
	draws ^= draws << 13;
	draws ^= draws >> 7;
	draws ^= draws << 17;
	return (uint32_t)(((draws >> 32) * below) >> 32);
}

/* ---- flows */

static void
flow_open(uint32_t index)
{
	struct epoll_event event = {.events = KERNEL_INTEREST, .data.u64 = index};
	struct flow *flow = &flows[index];

	*flow = (struct flow){.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)};
	if (flow->fd < 0)
		kernel_fail(name, "no socket");
	kernel_no_delay(flow->fd);
	if (settings.sources_count > 0) {
		struct sockaddr_in from = {.sin_family = AF_INET,
			.sin_addr = settings.sources[next_source++ % settings.sources_count]};

		/* connect() chooses the port then, among those free for this peer. */
		setsockopt(flow->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int));
		if (bind(flow->fd, (struct sockaddr *)&from, sizeof(from)) != 0)
			kernel_fail(name, "cannot bind to the source");
	}
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, flow->fd, &event) != 0)
		kernel_fail(name, "epoll_ctl");
	opening++;
	if (connect(flow->fd, (struct sockaddr *)&settings.target, sizeof(settings.target)) != 0 &&
		errno != EINPROGRESS)
		kernel_fail(name, "connect");
}

static void
flow_failed(uint32_t index)
{
	if (++failed > FAILURES_MOST) {
		fprintf(stderr, "%s: more than %u connections failed\n", name, FAILURES_MOST);
		exit(1);
	}
	if (flows[index].state == FLOW_OPENING)
		opening--;
	else if (flows[index].state == FLOW_WAITS)
		under_way--;
	close(flows[index].fd);
	flow_open(index);
}

static void
flow_ask(uint32_t index)
{
	struct flow *flow = &flows[index];

	flow->state = FLOW_WAITS;
	flow->got = 0;
	under_way++;
	/* One message lies in the socket at most: it always has room for it. */
	if (send(flow->fd, buffer, settings.size, MSG_NOSIGNAL) != (ssize_t)settings.size)
		kernel_fail(name, "a request was not taken whole");
}

/* Sends requests as long as one more may be under way. */
static void
ask_more(void)
{
	while (playing && under_way < settings.inflight && resting_count > 0) {
		uint32_t drawn = draw(resting_count), index = resting[drawn];

		resting[drawn] = resting[--resting_count];
		flow_ask(index);
	}
}

static void
flow_opened(uint32_t index)
{
	opened++;
	opening--;
	flows[index].state = FLOW_RESTS;
	if (settings.work == WORK_RATE)
		flow_ask(index);
	else if (settings.work == WORK_ECHO)
		resting[resting_count++] = index;
	else
		flows[index].state = FLOW_BULK;
}

static void
flow_answered(uint32_t index)
{
	messages++;
	under_way--;
	if (settings.work == WORK_RATE) {
		close(flows[index].fd);
		flow_open(index);
		return;
	}
	flows[index].state = FLOW_RESTS;
	resting[resting_count++] = index;
}

static void
flow_read(uint32_t index)
{
	struct flow *flow = &flows[index];
	ssize_t got = recv(flow->fd, buffer, settings.size - flow->got, 0);

	if (got <= 0) {
		if (got == 0 || errno != EAGAIN)
			flow_failed(index);
		return;
	}
	flow->got += (uint32_t)got;
	bytes += (uint64_t)got;
	if (flow->got == settings.size)
		flow_answered(index);
}

static void
flow_bulk(uint32_t index)
{
	struct flow *flow = &flows[index];

	for (int calls = 0; calls < KERNEL_CALLS_IN_A_ROW; calls++) {
		ssize_t n = settings.work == WORK_SOURCE
				    ? recv(flow->fd, buffer, settings.size, 0)
				    : send(flow->fd, buffer, settings.size, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			flow_failed(index);
			return;
		}
		bytes += (uint64_t)n;
	}
	kernel_again(epoll, flow->fd, index);
}

static void
on_event(const struct epoll_event *event)
{
	uint32_t index = (uint32_t)event->data.u64;
	struct flow *flow = &flows[index];

	if ((event->events & (EPOLLERR | EPOLLHUP)) != 0) {
		flow_failed(index);
		return;
	}
	if (flow->state == FLOW_OPENING && (event->events & EPOLLOUT) != 0)
		flow_opened(index);
	if (flow->state == FLOW_BULK)
		flow_bulk(index);
	else if (flow->state == FLOW_WAITS && (event->events & EPOLLIN) != 0)
		flow_read(index);
}

/* ---- the loop */

static void
turn(void)
{
	struct epoll_event events[KERNEL_EVENTS];
	int n = epoll_wait(epoll, events, KERNEL_EVENTS, 10);

	for (int i = 0; i < n; i++)
		on_event(&events[i]);
	ask_more();
}

static void
open_all(void)
{
	double until = now() + OPEN_SECONDS;

	for (uint32_t i = 0; i < settings.connections; i++) {
		while (opening >= OPENING_AT_ONCE && now() < until)
			turn();
		flow_open(i);
	}
	while (settings.work != WORK_RATE && opened < settings.connections && now() < until)
		turn();
	if (settings.work == WORK_RATE || opened >= settings.connections)
		return;
	fprintf(stderr, "%s: %lu of %u connections are open after %d s\n", name,
		(unsigned long)opened, settings.connections, OPEN_SECONDS);
	exit(1);
}

static void
play_for(double seconds)
{
	double until = now() + seconds;

	playing = true;
	ask_more();
	while (now() < until)
		turn();
}

/* ---- what cores did */

/* Of the line "cpuN user nice system idle iowait irq softirq steal". */
static struct core_time
core_time(int core)
{
	struct core_time time = {0};
	unsigned long v[8];
	char line[256];
	FILE *file = core < 0 ? NULL : fopen("/proc/stat", "r");

	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		int which;

		if (sscanf(line, "cpu%d %lu %lu %lu %lu %lu %lu %lu %lu", &which, &v[0], &v[1],
			    &v[2], &v[3], &v[4], &v[5], &v[6], &v[7]) != 9 ||
			which != core)
			continue;
		time.softirq = v[6];
		time.stolen = v[7];
		time.busy = v[0] + v[1] + v[2] + v[5] + v[6];
		time.all = time.busy + v[3] + v[4] + v[7];
		break;
	}
	if (file != NULL)
		fclose(file);
	return time;
}

/* Seconds that the server's processes have run until now. */
static double
server_time(void)
{
	double seconds = 0;

	for (uint32_t i = 0; i < settings.pids_count; i++) {
		struct timespec time;
		clockid_t clock;

		if (clock_getcpuclockid(settings.pids[i], &clock) == 0 &&
			clock_gettime(clock, &time) == 0)
			seconds += (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
	}
	return seconds;
}

static double
share(uint64_t part, uint64_t all)
{
	return all > 0 ? (double)part / (double)all : 0;
}

static void
report_client(const struct core_time *from, const struct core_time *to)
{
	printf("  \"client_core\": {\"busy_share\": %.4f},\n",
		share(to->busy - from->busy, to->all - from->all));
}

static void
report_server(const struct core_time *from, const struct core_time *to, double seconds)
{
	uint64_t all = to->all - from->all;
	double core = share(to->busy - from->busy, all),
	       softirq = share(to->softirq - from->softirq, all);
	double own = (to->own - from->own) / seconds, busy = core;

	if (settings.pids_count > 0 && own + softirq < core)
		busy = own + softirq;
	printf("  \"server_core\": {\"busy_share\": %.4f, \"softirq_share\": %.4f, "
	       "\"stolen_share\": %.4f, \"own_share\": %.4f, \"others_share\": %.4f},\n",
		busy, softirq, share(to->stolen - from->stolen, all), own, core - busy);
}

static void
measure(void)
{
	struct core_time before[2], after[2];
	uint64_t messages_before, bytes_before, opened_before;
	double start, seconds;

	play_for(settings.warm_up);
	before[0] = core_time(settings.server_core);
	before[0].own = server_time();
	before[1] = core_time(settings.core);
	messages_before = messages;
	bytes_before = bytes;
	opened_before = opened;
	start = now();
	play_for(settings.seconds);
	seconds = now() - start;
	after[0] = core_time(settings.server_core);
	after[0].own = server_time();
	after[1] = core_time(settings.core);
	printf("{\"work\": \"%s\", \"size\": %u, \"connections\": %u, \"inflight\": %u,\n",
		work_names[settings.work], settings.size, settings.connections, settings.inflight);
	report_server(&before[0], &after[0], seconds);
	report_client(&before[1], &after[1]);
	printf("  \"seconds\": %.4f, \"messages\": %lu, \"bytes\": %lu, \"opened\": %lu, \"failed\": %lu}\n",
		seconds, (unsigned long)(messages - messages_before),
		(unsigned long)(bytes - bytes_before), (unsigned long)(opened - opened_before),
		(unsigned long)failed);
}

/* ---- the command line */

static void
wrong(const char *option, const char *value)
{
	fprintf(stderr, "%s: --%s %s\n%s", name, option, value, usage);
	exit(2);
}

static void
take_address(struct in_addr *address, const char *option, const char *value)
{
	if (inet_pton(AF_INET, value, address) != 1)
		wrong(option, value);
}

static void
take_sources(const char *option, char *value)
{
	for (char *part = strtok(value, ","); part != NULL; part = strtok(NULL, ",")) {
		if (settings.sources_count == SOURCES_MOST)
			wrong(option, "too many addresses");
		take_address(&settings.sources[settings.sources_count++], option, part);
	}
}

static void
take_work(const char *option, const char *value)
{
	for (int i = 0; work_names[i] != NULL; i++) {
		settings.work = (enum work)i;
		if (strcmp(work_names[i], value) == 0)
			return;
	}
	wrong(option, value);
}

static void
take_pids(const char *option, char *value)
{
	for (char *part = strtok(value, ","); part != NULL; part = strtok(NULL, ",")) {
		if (settings.pids_count == PIDS_MOST)
			wrong(option, "too many");
		settings.pids[settings.pids_count++] =
			(pid_t)kernel_number(name, option, part, INT32_MAX);
	}
}

static double
take_seconds(const char *option, const char *value)
{
	char *end;
	double seconds = strtod(value, &end);

	if (*end != 0 || end == value || !(seconds >= 0 && seconds <= 3600))
		wrong(option, value);
	return seconds;
}

enum {
	OPT_TARGET,
	OPT_PORT,
	OPT_WORK,
	OPT_SOURCES,
	OPT_CONNECTIONS,
	OPT_INFLIGHT,
	OPT_SIZE,
	OPT_SECONDS,
	OPT_WARM_UP,
	OPT_CORE,
	OPT_SERVER_CORE,
	OPT_SERVER_PIDS,
};

static void
take(int opt, const char *option, char *value)
{
	switch (opt) {
	case OPT_TARGET:
		take_address(&settings.target.sin_addr, option, value);
		break;
	case OPT_PORT:
		settings.target.sin_port =
			htons((uint16_t)kernel_number(name, option, value, 65535));
		break;
	case OPT_WORK:
		take_work(option, value);
		break;
	case OPT_SOURCES:
		take_sources(option, value);
		break;
	case OPT_CONNECTIONS:
		settings.connections = (uint32_t)kernel_number(name, option, value, FLOWS_MOST);
		break;
	case OPT_INFLIGHT:
		settings.inflight = (uint32_t)kernel_number(name, option, value, FLOWS_MOST);
		break;
	case OPT_SIZE:
		settings.size = (uint32_t)kernel_number(name, option, value, KERNEL_SIZE_MOST);
		break;
	case OPT_SECONDS:
		settings.seconds = take_seconds(option, value);
		break;
	case OPT_WARM_UP:
		settings.warm_up = take_seconds(option, value);
		break;
	case OPT_CORE:
		settings.core = (int)kernel_number(name, option, value, CPU_SETSIZE - 1);
		break;
	case OPT_SERVER_PIDS:
		take_pids(option, value);
		break;
	default:
		settings.server_core = (int)kernel_number(name, option, value, CPU_SETSIZE - 1);
	}
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {{"target", 1, NULL, OPT_TARGET},
		{"port", 1, NULL, OPT_PORT}, {"work", 1, NULL, OPT_WORK},
		{"sources", 1, NULL, OPT_SOURCES}, {"connections", 1, NULL, OPT_CONNECTIONS},
		{"inflight", 1, NULL, OPT_INFLIGHT}, {"size", 1, NULL, OPT_SIZE},
		{"seconds", 1, NULL, OPT_SECONDS}, {"warm-up", 1, NULL, OPT_WARM_UP},
		{"core", 1, NULL, OPT_CORE}, {"server-core", 1, NULL, OPT_SERVER_CORE},
		{"server-pids", 1, NULL, OPT_SERVER_PIDS}, {0}};
	int opt, index;

	while ((opt = getopt_long(argc, argv, "", options, &index)) != -1 && opt != '?')
		take(opt, options[index].name, optarg);
	if (opt == '?' || optind < argc || settings.target.sin_port == 0 || settings.size == 0 ||
		settings.connections == 0 || settings.inflight == 0) {
		fputs(usage, stderr);
		exit(2);
	}
	if (settings.core >= 0)
		kernel_tie_to_core(name, (unsigned int)settings.core);
	kernel_descriptors();
	flows = calloc(settings.connections, sizeof(*flows));
	resting = calloc(settings.connections, sizeof(*resting));
	buffer = calloc(1, settings.size);
	epoll = epoll_create1(0);
	if (flows == NULL || resting == NULL || buffer == NULL || epoll < 0)
		kernel_fail(name, "no memory");
	open_all();
	measure();
	return 0;
}
