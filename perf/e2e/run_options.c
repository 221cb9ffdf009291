/* SPDX-License-Identifier: BSD-3-Clause */
/* wire_ring's command line. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "wire_ring.h"

static const char usage[] =
	"usage: wire_ring [options]\n"
	"Server cycles of Rill and of the limit (header swap with lookup), on the ring wire, by turns.\n"
	"  --work echo             request and echo                                        [echo]\n"
	"         sink             bulk in\n"
	"         source           bulk out: fetches of some large records\n"
	"         rate             open, request, echo, close\n"
	"         hold             connections that do nothing, what they take; then echo, beside\n"
	"                          another Rill that has few\n"
	"  --size BYTES            of a message, or of a segment of bulk          [64; bulk: 1448]\n"
	"  --record segment|large  source: what is sent at once: a segment, or 64 KiB   [segment]\n"
	"  --connections N                                                                 [1000]\n"
	"  --few N                 hold: connections of the other Rill           [10000]\n"
	"  --inflight N            messages (source: fetches) under way at most, 1 .. 768\n"
	"                                                          [512, connections; source: 8]\n"
	"  --offered LIST          echo: after each slice of this closed loop, one of an open loop for\n"
	"                          each load: a multiple of the closed loop's rate (0.5), or requests\n"
	"                          a second (200000/s); as 0.1,0.5,0.9,2\n"
	"  --rto MS                a request that the wire has lost is sent again after        [200]\n"
	"  --order random|turns    which connection speaks next                          [random]\n"
	"  --seconds S             of a slice                                               [0.3]\n"
	"  --messages N            of a slice, instead of seconds\n"
	"  --rounds N              pairs of slices, after one that warms up                   [5]\n"
	"  --who both|rill|limit                                              [both; hold: rill]\n"
	"  --burst N               frames that the wire hands over at once, 1 .. 64          [32]\n"
	"  --checksums software|wire   who sums: the server, or the wire as a NIC would [software]\n"
	"  --timestamps on|off     RFC 7323, on both sides                                   [on]\n"
	"  --unacked N             responses that may wait for their ACK, a power of two   [8192]\n"
	"  --buffers N             of a pool          [unacked + 8192; offered: + connections]\n"
	"  --check N               one frame of N is checked in full, a power of two         [64]\n"
	"  --seed N                of the order                                               [1]\n"
	"  --cores A,B             of the server and of the player       [the first two allowed]\n"
	"  --json                  a JSON object instead of the table\n";

enum {
	OPT_WORK,
	OPT_SIZE,
	OPT_RECORD,
	OPT_FEW,
	OPT_OFFERED,
	OPT_RTO,
	OPT_CONNECTIONS,
	OPT_INFLIGHT,
	OPT_ORDER,
	OPT_SECONDS,
	OPT_MESSAGES,
	OPT_ROUNDS,
	OPT_WHO,
	OPT_BURST,
	OPT_CHECKSUMS,
	OPT_TIMESTAMPS,
	OPT_UNACKED,
	OPT_BUFFERS,
	OPT_CHECK,
	OPT_SEED,
	OPT_CORES,
	OPT_JSON,
	OPT_HELP,
};

static const struct option long_options[] = {
	{"work", required_argument, NULL, OPT_WORK},
	{"size", required_argument, NULL, OPT_SIZE},
	{"record", required_argument, NULL, OPT_RECORD},
	{"few", required_argument, NULL, OPT_FEW},
	{"offered", required_argument, NULL, OPT_OFFERED},
	{"rto", required_argument, NULL, OPT_RTO},
	{"connections", required_argument, NULL, OPT_CONNECTIONS},
	{"inflight", required_argument, NULL, OPT_INFLIGHT},
	{"order", required_argument, NULL, OPT_ORDER},
	{"seconds", required_argument, NULL, OPT_SECONDS},
	{"messages", required_argument, NULL, OPT_MESSAGES},
	{"rounds", required_argument, NULL, OPT_ROUNDS},
	{"who", required_argument, NULL, OPT_WHO},
	{"burst", required_argument, NULL, OPT_BURST},
	{"checksums", required_argument, NULL, OPT_CHECKSUMS},
	{"timestamps", required_argument, NULL, OPT_TIMESTAMPS},
	{"unacked", required_argument, NULL, OPT_UNACKED},
	{"buffers", required_argument, NULL, OPT_BUFFERS},
	{"check", required_argument, NULL, OPT_CHECK},
	{"seed", required_argument, NULL, OPT_SEED},
	{"cores", required_argument, NULL, OPT_CORES},
	{"json", no_argument, NULL, OPT_JSON},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

static void
refuse(const char *option, const char *value, const char *right)
{
	fprintf(stderr, "wire_ring: --%s %s: %s\n", option, value, right);
	exit(2);
}

static uint64_t
number(const char *option, const char *value, uint64_t least, uint64_t most)
{
	char *end, right[96];
	uint64_t n = strtoull(value, &end, 10);

	if (*end == 0 && end != value && value[0] != '-' && n >= least && n <= most)
		return n;
	snprintf(right, sizeof(right), "give a whole number within %lu .. %lu",
		(unsigned long)least, (unsigned long)most);
	refuse(option, value, right);
	return 0;
}

static uint64_t
power_of_two(const char *option, const char *value, uint64_t least, uint64_t most)
{
	uint64_t n = number(option, value, least, most);

	if ((n & (n - 1)) != 0)
		refuse(option, value, "give a power of two");
	return n;
}

/* Which of the words, separated by '|'. */
static unsigned int
word(const char *option, const char *value, const char *words)
{
	size_t len = strlen(value);
	char right[96];

	for (unsigned int n = 0; words != NULL; n++) {
		const char *end = strchrnul(words, '|');

		if ((size_t)(end - words) == len && memcmp(words, value, len) == 0)
			return n;
		words = *end == 0 ? NULL : end + 1;
	}
	snprintf(right, sizeof(right), "see --help for the words that it takes");
	refuse(option, value, right);
	return 0;
}

static void
parse_cores(struct run_options *options, const char *value)
{
	char rest;

	if (sscanf(value, "%d,%d%c", &options->core[0], &options->core[1], &rest) != 2 ||
		options->core[0] < 0 || options->core[1] < 0)
		refuse("cores", value, "give two numbers, as 0,1");
}

static void
parse_seconds(struct run_options *options, const char *value)
{
	char *end;

	options->seconds = strtod(value, &end);
	if (*end != 0 || end == value || !(options->seconds >= 0.001 && options->seconds <= 3600))
		refuse("seconds", value, "give a number within 0.001 .. 3600");
}

/* A multiple, or a rate. */
static struct load
parse_load(const char *list, const char *item)
{
	struct load load = {0};
	char *end;
	double value = strtod(item, &end);

	if (end == item || !(value > 0))
		refuse("offered", list, "give a list of numbers, as 0.5,2 or 200000/s");
	if (strcmp(end, "/s") == 0 && value >= 1 && value <= 1e9)
		load.per_second = value;
	else if (*end == 0 && value >= 0.001 && value <= 100)
		load.times = value;
	else
		refuse("offered", list,
			"give multiples within 0.001 .. 100, or rates within 1/s .. 1000000000/s");
	return load;
}

static void
parse_offered(struct run_options *options, const char *list)
{
	char copy[256], *rest = copy, *item;

	snprintf(copy, sizeof(copy), "%s", list);
	options->loads_count = 0;
	while ((item = strsep(&rest, ",")) != NULL) {
		if (options->loads_count == LOADS_MAX || strlen(list) >= sizeof(copy))
			refuse("offered", list, "give eight loads at most");
		options->loads[options->loads_count++] = parse_load(list, item);
	}
}

static void
parse_work(struct run_options *options, const char *name, const char *value)
{
	unsigned int n = word(name, value, "echo|sink|rate|source|hold");

	options->hold = n == PLAYER_WORKS;
	options->player.work = options->hold ? PLAYER_ECHO : (enum player_work)n;
}

/* Options of the load. Returns whether it was one. */
static bool
take_load(struct player_setup *player, int opt, const char *name, const char *value)
{
	switch (opt) {
	case OPT_SIZE:
		player->payload = (uint16_t)number(name, value, 1, FLOW_PAYLOAD_MAX);
		return true;
	case OPT_CONNECTIONS:
		player->flows = (uint32_t)number(name, value, 1, 20 * 1000 * 1000);
		return true;
	case OPT_INFLIGHT:
		player->inflight = (uint32_t)number(name, value, 1, PLAYER_INFLIGHT_MAX);
		return true;
	case OPT_ORDER:
		player->in_order = word(name, value, "random|turns") == 1;
		return true;
	case OPT_RTO:
		player->rto_ms = (uint32_t)number(name, value, 1, 60000);
		return true;
	case OPT_TIMESTAMPS:
		player->timestamps = word(name, value, "off|on") == 1;
		return true;
	case OPT_UNACKED:
		player->unacked = (uint32_t)power_of_two(
			name, value, PLAYER_UNACKED_LEAST, PLAYER_UNACKED_MOST);
		return true;
	case OPT_CHECK:
		player->check_every = (uint32_t)power_of_two(name, value, 1, 1u << 20);
		return true;
	case OPT_SEED:
		player->seed = number(name, value, 1, UINT32_MAX);
		return true;
	default:
		return false;
	}
}

static void
take(struct run_options *options, int opt, const char *name, const char *value)
{
	unsigned int who;

	switch (opt) {
	case OPT_WORK:
		parse_work(options, name, value);
		break;
	case OPT_RECORD:
		options->record = 1 + (int)word(name, value, "segment|large");
		break;
	case OPT_FEW:
		options->few = (uint32_t)number(name, value, 1, 1000 * 1000);
		break;
	case OPT_OFFERED:
		parse_offered(options, value);
		break;
	case OPT_SECONDS:
		parse_seconds(options, value);
		break;
	case OPT_MESSAGES:
		options->messages = number(name, value, 1, UINT64_MAX / 2);
		break;
	case OPT_ROUNDS:
		options->rounds = (unsigned int)number(name, value, 1, MEASURE_ROUNDS_MAX);
		break;
	case OPT_WHO:
		who = word(name, value, "rill|limit|both");
		options->who[SIDE_RILL] = who != SIDE_LIMIT;
		options->who[SIDE_LIMIT] = who != SIDE_RILL;
		options->who_given = true;
		break;
	case OPT_BURST:
		options->burst = (uint16_t)number(name, value, 1, PORT_BURST);
		break;
	case OPT_CHECKSUMS:
		options->checksums = word(name, value, "software|wire") == 1;
		break;
	case OPT_BUFFERS:
		options->buffers = (uint32_t)number(name, value, 4096, 1u << 24);
		break;
	case OPT_CORES:
		parse_cores(options, value);
		break;
	case OPT_JSON:
		options->json = true;
		break;
	case OPT_HELP:
		fputs(usage, stdout);
		exit(0);
	}
}

static void
remember_command(struct run_options *options, int argc, char **argv)
{
	size_t used = 0;

	for (int i = 0; i < argc && used < sizeof(options->command); i++)
		used += (size_t)snprintf(options->command + used, sizeof(options->command) - used,
			"%s%s", i > 0 ? " " : "", i > 0 ? argv[i] : "wire_ring");
}

#define SOURCE_SIZE_LEAST 216 /* what a peer may ask for at least: the option mss_floor */
#define SOURCE_INFLIGHT 8     /* as much as fills the wire, and waits in caches */
#define SOURCE_INFLIGHT_MOST 64
#define INFLIGHT_DEFAULT 512
#define RECORD_LARGE 1                  /* of the words of --record */
#define OFFERED_CONNECTIONS_MOST 131072 /* each may pin a buffer while its ACK is lost */
#define FEW_DEFAULT 10000

static uint16_t
size_most(const struct player_setup *player)
{
	return FLOW_PAYLOAD_MAX - (player->timestamps ? FLOW_TIMESTAMPS : 0);
}

static void
refuse_what_contradicts(const struct run_options *options)
{
	const struct player_setup *player = &options->player;

	if (player->payload > size_most(player))
		refuse("size", "with timestamps", "a segment has room for 1448 bytes");
	if (player->work == PLAYER_SOURCE && player->payload < SOURCE_SIZE_LEAST)
		refuse("size", "with --work source", "give 216 or more");
	if (player->work == PLAYER_SOURCE && player->inflight > SOURCE_INFLIGHT_MOST)
		refuse("inflight", "with --work source", "give 64 fetches or fewer");
	if (options->record != 0 && player->work != PLAYER_SOURCE)
		refuse("record", "with another work", "only --work source sends records");
	if (options->few != 0 && !options->hold)
		refuse("few", "with another work", "only --work hold has another Rill beside it");
	if (options->loads_count > 0 && (player->work != PLAYER_ECHO || options->hold))
		refuse("offered", "with another work", "only --work echo has an open loop");
	if (options->loads_count > 0 && player->flows > OFFERED_CONNECTIONS_MOST)
		refuse("offered", "with so many connections", "give 131072 --connections or fewer");
	if (options->hold && !options->who[SIDE_RILL])
		refuse("who", "limit", "--work hold holds connections of Rill");
}

static void
fill_hold(struct run_options *options)
{
	if (!options->who_given)
		options->who[SIDE_LIMIT] = false;
	options->who[SIDE_FEW] = true;
	if (options->few == 0)
		options->few = RTE_MIN((uint32_t)FEW_DEFAULT, options->player.flows);
}

/* What a client sends is its requests; what is measured are the segments of the server. */
static void
fill_source(struct run_options *options)
{
	struct player_setup *player = &options->player;

	player->fetch = fetch_shape_of(player->payload, options->record == 1 + RECORD_LARGE);
	player->payload = FETCH_REQUEST;
	if (player->inflight == 0)
		player->inflight = SOURCE_INFLIGHT;
}

static void
fill_defaults(struct run_options *options)
{
	struct player_setup *player = &options->player;
	bool bulk = player->work == PLAYER_SINK || player->work == PLAYER_SOURCE;

	if (player->payload == 0)
		player->payload = bulk ? size_most(player) : 64;
	refuse_what_contradicts(options);
	options->size = player->payload;
	if (player->work == PLAYER_SOURCE)
		fill_source(options);
	if (player->inflight == 0)
		player->inflight = INFLIGHT_DEFAULT;
	if (!bulk && player->inflight > player->flows)
		player->inflight = player->flows;
	if (options->hold)
		fill_hold(options);
	if (options->loads_count == 0)
		player->rto_ms = 0; /* nothing is lost */
	if (options->buffers == 0)
		options->buffers =
			player->unacked + 8192 + (options->loads_count > 0 ? player->flows : 0);
}

void
run_options_parse(struct run_options *options, int argc, char **argv)
{
	int opt, index;

	*options = (struct run_options){.player = {.work = PLAYER_ECHO,
						.flows = 1000,
						.unacked = 8192,
						.timestamps = true,
						.rto_ms = 200,
						.check_every = 64,
						.seed = 1},
		.who = {true, true},
		.burst = 32,
		.rounds = 5,
		.seconds = 0.3,
		.core = {-1, -1}};
	remember_command(options, argc, argv);
	while ((opt = getopt_long(argc, argv, "", long_options, &index)) != -1) {
		if (opt == '?') {
			fputs(usage, stderr);
			exit(2);
		}
		if (!take_load(&options->player, opt, long_options[index].name, optarg))
			take(options, opt, long_options[index].name, optarg);
	}
	if (optind < argc) {
		fputs(usage, stderr);
		exit(2);
	}
	fill_defaults(options);
}

const char *
work_name(const struct run_options *options)
{
	static const char *const names[] = {"echo", "sink", "rate", "source"};

	return options->hold ? "hold" : names[options->player.work];
}
