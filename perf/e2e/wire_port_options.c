/* SPDX-License-Identifier: BSD-3-Clause */
/* wire_port's command line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rill/types.h>

#include "../../apps/common/options.h"
#include "wire_port.h"

/* Position of value among words; -1: it is none of them. */
static int
word(const char *value, const char *const words[], int count)
{
	for (int i = 0; i < count; i++)
		if (strcmp(value, words[i]) == 0)
			return i;
	return -1;
}

static int
set_dev(void *settings, const struct option_def *def, const char *value, char *why)
{
	struct wire_settings *s = settings;

	if (value[0] == '\0' || strlen(value) >= sizeof(s->dev))
		return option_wrong(why, "is not a device; give a DPDK device's name and arguments, "
			"such as net_memif0,role=client,socket=/tmp/wire.sock");
	snprintf(s->dev, sizeof(s->dev), "%s", value);
	return 0;
}

static int
set_role(void *settings, const struct option_def *def, const char *value, char *why)
{
	static const char *const roles[] = {"limit", "player"};
	int role = word(value, roles, 2);

	if (role < 0)
		return option_wrong(why, "is not a role; give limit or player");
	((struct wire_settings *)settings)->is_player = role == 1;
	return 0;
}

static int
set_work(void *settings, const struct option_def *def, const char *value, char *why)
{
	static const char *const works[] = {
		[PLAYER_ECHO] = "echo", [PLAYER_SINK] = "sink", [PLAYER_RATE] = "rate"};
	int work = word(value, works, 3);

	if (work < 0)
		return option_wrong(why, "is not known; give echo, sink or rate");
	((struct wire_settings *)settings)->work = (enum player_work)work;
	return 0;
}

static int
set_mac(void *settings, const struct option_def *def, const char *value, char *why)
{
	if (rte_ether_unformat_addr(value, &((struct wire_settings *)settings)->server_mac) != 0)
		return option_wrong(why, "is not a MAC address; give one such as 02:00:00:00:00:01");
	return 0;
}

static int
set_power(void *settings, const struct option_def *def, const char *value, char *why)
{
	const uint32_t *field = (const uint32_t *)((char *)settings + def->offset);

	if (option_set_count(settings, def, value, why) != 0)
		return -1;
	return (*field & (*field - 1)) == 0 ? 0 : option_wrong(why, "is not a power of two; give one");
}

#define FIELD(name) offsetof(struct wire_settings, name)
#define DAY_MS (24u * 3600 * 1000)

static const struct option_def defs[] = {
	{"role", "limit|player", "limit: swaps headers until a signal, and tells its counters at "
		"SIGUSR1; player: plays clients, and prints its figures as JSON", set_role},
	{"dev", "NAME[,args]", "a DPDK device", set_dev},
	{"work", "echo|sink|rate", "request and echo; bulk in; open, request, echo, close (default "
		"echo)", set_work},
	{"connections", "N", "flows (default 1000)", option_set_count, FIELD(connections), 1,
		20000000},
	{"size", "BYTES", "player: of a message, or of a segment of bulk (default 64)",
		option_set_count, FIELD(size), 1, FLOW_PAYLOAD_MAX - FLOW_TIMESTAMPS},
	{"inflight", "N", "player: messages under way at most (default 512, or connections)",
		option_set_count, FIELD(inflight), 1, PLAYER_INFLIGHT_MAX},
	{"unacked", "N", "player: responses that may wait for their ACK, a power of two (default 8192)",
		set_power, FIELD(unacked), PLAYER_UNACKED_LEAST, PLAYER_UNACKED_MOST},
	{"check", "N", "player: one frame of N is checked in full, a power of two (default 64)",
		set_power, FIELD(check_every), 1, 1u << 20},
	{"server-mac", "MAC", "player: whom it speaks to (default 02:00:00:00:00:01)", set_mac},
	{"no-timestamps", NULL, "player: it offers none (RFC 7323)", option_set_flag,
		FIELD(no_timestamps)},
	{"warmup", "S", "player: the same before that, unmeasured (default 0.5)", option_set_seconds,
		FIELD(warmup_ms), 0, DAY_MS},
	{"time", "S", "player: the time that is measured (default 2)", option_set_seconds,
		FIELD(time_ms), 1, DAY_MS},
	{"messages", "N", "player: that many instead of a time", option_set_count, FIELD(messages), 0,
		UINT32_MAX},
	{"buffers", "N", "of the pool (default 16384)", option_set_count, FIELD(buffers), 4096,
		1u << 24},
};

static void
set_default(void *settings)
{
	*(struct wire_settings *)settings =
		(struct wire_settings){.server_mac = {.addr_bytes = {2, 0, 0, 0, 0, 1}},
			.connections = 1000,
			.size = 64,
			.inflight = 512,
			.unacked = 8192,
			.check_every = 64,
			.warmup_ms = 500,
			.time_ms = 2000,
			.buffers = 16384};
}

static enum options_result
finish(void *settings)
{
	struct wire_settings *s = settings;

	if (s->dev[0] == '\0') {
		fprintf(stderr, "wire_port: --dev: is missing; give a DPDK device\n");
		return OPTIONS_WRONG;
	}
	if (s->work != PLAYER_SINK && s->inflight > s->connections)
		s->inflight = s->connections;
	return OPTIONS_RUN;
}

static const struct options options = {
	.program = "wire_port",
	.about = "the limit (header swap with lookup), or the flow player, at a DPDK device",
	.version = RILL_VERSION,
	.defs = defs,
	.count = sizeof(defs) / sizeof(defs[0]),
	.set_default = set_default,
	.finish = finish,
};

void
wire_settings_parse(struct wire_settings *settings, int argc, char *argv[])
{
	switch (options_parse(&options, settings, argc, argv)) {
	case OPTIONS_DONE:
		exit(0);
	case OPTIONS_WRONG:
		exit(OPTIONS_EXIT_WRONG);
	case OPTIONS_RUN:
		break;
	}
}
