/* SPDX-License-Identifier: BSD-3-Clause */
#include "settings.h"

#include <stdio.h>
#include <string.h>

#include "proto.h"
#include "units.h"

#define PROGRAM "rill-echo"
#define MESSAGE_MOST (1u << 28)
#define DAY_MS (24u * 3600 * 1000)

static int
set_protocol(void *settings, const struct option_def *def, const char *value, char *why)
{
	struct echo_settings *s = settings;
	const struct proto *proto = proto_by_name(value);

	if (proto == NULL)
		return option_wrong(why, "is not a protocol of this program; give raw, line, length "
			"or http");
	s->proto = proto;
	return 0;
}

/* "IDLE,INTERVAL,COUNT", or "0" for none. */
static int
set_keepalive(void *settings, const struct option_def *def, const char *value, char *why)
{
	struct echo_settings *s = settings;
	char text[64], *rest = text, *part[3] = {NULL};
	uint64_t idle_ms, interval_ms, count;

	if (strcmp(value, "0") == 0) {
		s->keepalive_idle_ms = 0;
		return 0;
	}
	snprintf(text, sizeof(text), "%s", value);
	for (int i = 0; i < 3; i++)
		part[i] = strsep(&rest, ",");
	if (rest != NULL || part[1] == NULL || part[2] == NULL ||
		units_parse_seconds(part[0], &idle_ms) != 0 ||
		units_parse_seconds(part[1], &interval_ms) != 0 ||
		units_parse_count(part[2], &count) != 0)
		return option_wrong(why, "is not IDLE,INTERVAL,COUNT; give two times in seconds and a "
			"count, such as 60,5,3, or 0 for no probes");
	if (idle_ms < 1 || idle_ms > DAY_MS || interval_ms < 1 || interval_ms > DAY_MS || count < 1 ||
		count > 255)
		return option_wrong(why, "is out of bounds; give times above 0 and up to %u seconds, "
			"and a count from 1 to 255", DAY_MS / 1000);
	s->keepalive_idle_ms = (uint32_t)idle_ms;
	s->keepalive_interval_ms = (uint32_t)interval_ms;
	s->keepalive_count = (uint32_t)count;
	return 0;
}

static int
set_log_level(void *settings, const struct option_def *def, const char *value, char *why)
{
	static const char *const names[] = {
		[ECHO_LOG_ERROR] = "error",
		[ECHO_LOG_QUIET] = "quiet",
		[ECHO_LOG_INFO] = "info",
		[ECHO_LOG_DEBUG] = "debug",
	};
	struct echo_settings *s = settings;

	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(value, names[i]) == 0) {
			s->log_level = (enum echo_log)i;
			return 0;
		}
	return option_wrong(why, "is not a log level; give error, quiet, info or debug");
}

#define FIELD(name) offsetof(struct echo_settings, name)

static const struct option_def defs[] = {
	{"protocol", "raw|line|length|http", "how bytes become messages (default raw)", set_protocol},
	{"port", "N", "TCP port to listen on (default 7000)", option_set_count, FIELD(port), 1, 65535},
	HOST_OPTION_ROWS("the addresses of a port, of either family, or ranges of IPv4: the i-th --ip belongs to the i-th "
		"--dev"),
	{"max-conns", "N", "connections of one lane; 0: Rill's default (default 0)", option_set_count,
		FIELD(max_conns), 0, (1u << 30) - 1},
	{"max-message", "BYTES", "longest message: a line without its end, a length's message, a "
		"request's body (default 1M; raw has none)", option_set_bytes, FIELD(max_message), 1,
		MESSAGE_MOST},
	{"hold", "BYTES", "memory of one lane for unfinished messages (default 256M)",
		option_set_bytes, FIELD(hold_bytes), 1u << 20, 1u << 31},
	{"idle-timeout", "S", "ends a connection without traffic for that long, in seconds; 0: never "
		"(default 0)", option_set_seconds, FIELD(idle_timeout_ms), 0, DAY_MS},
	{"keepalive", "IDLE,INTERVAL,COUNT", "probes a silent peer: seconds, seconds, count; 0: none "
		"(default 0)", set_keepalive},
	{"user-timeout", "S", "ends a connection whose data stays unacknowledged for that long, in "
		"seconds; 0: by retries (default 0)", option_set_seconds, FIELD(user_timeout_ms), 0,
		DAY_MS},
	{"drain", "S", "at SIGINT or SIGTERM, connections may finish for that long, in seconds "
		"(default 5)", option_set_seconds, FIELD(drain_ms), 0, DAY_MS},
	{"log-level", "error|quiet|info|debug", "error: errors only; quiet: start and summary too; info: "
		"a line each second too; debug: each connection too (default info)", set_log_level},
};

const struct options echo_options = {
	.program = PROGRAM,
	.about = "a TCP echo server with four kinds of messages, on Rill and a DPDK device",
	.version = RILL_VERSION,
	.defs = defs,
	.count = sizeof(defs) / sizeof(defs[0]),
	.set_default = settings_default,
	.finish = settings_finish,
};

void
settings_default(void *settings)
{
	*(struct echo_settings *)settings = (struct echo_settings){
		.proto = proto_by_name("raw"),
		.port = 7000,
		.max_message = 1u << 20,
		.hold_bytes = 256u << 20,
		.drain_ms = 5000,
		.host.congestion_control = RILL_CC_CUBIC,
		.log_level = ECHO_LOG_INFO,
	};
}

enum options_result
settings_finish(void *settings)
{
	struct echo_settings *s = settings;

	host_default_dev(&s->host);
	if (host_check(&s->host, PROGRAM) != OPTIONS_RUN)
		return OPTIONS_WRONG;
	if (s->hold_bytes / 2 < s->max_message) {
		fprintf(stderr, PROGRAM ": --hold %u: is too small for --max-message %u; give at least "
			"twice the longest message\n", s->hold_bytes, s->max_message);
		return OPTIONS_WRONG;
	}
	return OPTIONS_RUN;
}
