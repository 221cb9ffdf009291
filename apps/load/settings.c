/* SPDX-License-Identifier: BSD-3-Clause */
#include "settings.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "units.h"

#define PROGRAM "rill-load"
#define DAY_MS (24u * 3600 * 1000)
/* What could not be sent is counted one by one in the end. */
#define RATE_MAX 100000000u

static const char *const kind_names[LOAD_KINDS] = {
#define X(id, name, text) name,
	LOAD_KIND_LIST(X)
#undef X
};

const char *
load_kind_name(enum load_kind kind)
{
	return kind < LOAD_KINDS ? kind_names[kind] : "mixed";
}

static enum load_kind
kind_by_name(const char *name, size_t len)
{
	for (int i = 0; i < LOAD_KINDS; i++)
		if (strlen(kind_names[i]) == len && memcmp(kind_names[i], name, len) == 0)
			return (enum load_kind)i;
	return LOAD_KINDS;
}

/* ---- setters */

/* "7000" or "7000-7015". */
static int
parse_ports(const char *text, struct load_target *target)
{
	char first[8];
	size_t len = strcspn(text, "-");
	uint64_t from, to;

	if (len >= sizeof(first))
		return -1;
	snprintf(first, sizeof(first), "%.*s", (int)len, text);
	if (units_parse_count(first, &from) != 0)
		return -1;
	to = from;
	if (text[len] == '-' && units_parse_count(text + len + 1, &to) != 0)
		return -1;
	if (from < 1 || to < from || to > 65535)
		return -1;
	target->first = (uint16_t)from;
	target->last = (uint16_t)to;
	return 0;
}

/* "ADDR:PORTS", an IPv6 address in brackets. */
static int
parse_target(const char *text, struct load_target *target)
{
	const char *colon = strrchr(text, ':');
	char addr[RILL_ADDR_STRLEN + 2], *bare = addr;
	size_t len;

	memset(target, 0, sizeof(*target));
	if (colon == NULL || (size_t)(colon - text) >= sizeof(addr))
		return -1;
	snprintf(addr, sizeof(addr), "%.*s", (int)(colon - text), text);
	len = strlen(addr);
	if (addr[0] == '[' && addr[len - 1] == ']') {
		addr[len - 1] = '\0';
		bare = addr + 1;
	}
	return rill_addr_parse(bare, &target->addr) != 0 ? -1 : parse_ports(colon + 1, target);
}

static int
set_target(void *settings, const struct option_def *def, const char *value, char *why)
{
	struct load_settings *s = settings;

	if (s->targets_count == LOAD_TARGETS_MAX)
		return option_wrong(why, "is one too many; give at most %d, or ranges of ports",
			LOAD_TARGETS_MAX);
	if (parse_target(value, &s->targets[s->targets_count]) != 0)
		return option_wrong(why, "is not a server's address and port; give them such as "
			"10.0.0.2:7000, [2001:db8::2]:7000, or with a range of ports, "
			"10.0.0.2:7000-7015");
	s->targets_count++;
	return 0;
}

static void
clear_targets(void *settings)
{
	((struct load_settings *)settings)->targets_count = 0;
}

static int
set_mode(void *settings, const struct option_def *def, const char *value, char *why)
{
	struct load_settings *s = settings;
	enum load_kind mode = kind_by_name(value, strlen(value));

	if (mode == LOAD_KINDS && strcmp(value, "mixed") != 0)
		return option_wrong(why, "is not a mode; give echo, connect, upload, download, idle or "
			"mixed");
	s->mode = mode;
	return 0;
}

/* "echo=60,connect=20,...": what is not named has no share. */
static int
set_mix(void *settings, const struct option_def *def, const char *value, char *why)
{
	static const char *const wanted = "give shares such as echo=60,connect=20,idle=20, of echo, "
		"connect, upload, download and idle";
	struct load_settings *s = settings;
	char text[256], *rest = text, *part;
	uint64_t share, sum = 0;

	if (strlen(value) >= sizeof(text))
		return option_wrong(why, "is too long; %s", wanted);
	snprintf(text, sizeof(text), "%s", value);
	memset(s->mix, 0, sizeof(s->mix));
	while ((part = strsep(&rest, ",")) != NULL) {
		size_t len = strcspn(part, "=");
		enum load_kind kind = kind_by_name(part, len);

		if (kind == LOAD_KINDS || part[len] != '=' ||
			units_parse_count(part + len + 1, &share) != 0 || share > 1000000)
			return option_wrong(why, "is not a list of shares; %s", wanted);
		s->mix[kind] = (uint32_t)share;
	}
	for (int kind = 0; kind < LOAD_KINDS; kind++)
		sum += s->mix[kind];
	return sum > 0 ? 0 : option_wrong(why, "leaves nothing to do; %s", wanted);
}

/* One of two words. */
static int
set_word(bool *field, const char *value, const char *no, const char *yes, char *why)
{
	if (strcmp(value, no) != 0 && strcmp(value, yes) != 0)
		return option_wrong(why, "is not known; give %s or %s", no, yes);
	*field = strcmp(value, yes) == 0;
	return 0;
}

static int
set_loop(void *settings, const struct option_def *def, const char *value, char *why)
{
	return set_word(&((struct load_settings *)settings)->closed, value, "open", "closed", why);
}

static int
set_arrivals(void *settings, const struct option_def *def, const char *value, char *why)
{
	return set_word(&((struct load_settings *)settings)->random, value, "even", "random", why);
}

static int
set_close(void *settings, const struct option_def *def, const char *value, char *why)
{
	return set_word(&((struct load_settings *)settings)->reset, value, "fin", "reset", why);
}

static int
set_rate(void *settings, const struct option_def *def, const char *value, char *why)
{
	if (strcmp(value, "max") == 0)
		value = "0";
	return option_set_count(settings, def, value, why);
}

static int
set_reply(void *settings, const struct option_def *def, const char *value, char *why)
{
	struct load_settings *s = settings;

	s->reply_given = true;
	s->reply_eof = strcmp(value, "eof") == 0;
	return s->reply_eof ? 0 : option_set_bytes(settings, def, value, why);
}

/* One character of --text; *text moves on. -1: no such escape. */
static int
unescape(const char **text)
{
	static const char from[] = "rnt0\\", to[] = "\r\n\t\0\\";
	const char *at = *text;
	const char *known;
	int high, low;

	*text = at + 1;
	if (*at != '\\')
		return (uint8_t)*at;
	*text = at + 2;
	known = at[1] != '\0' ? strchr(from, at[1]) : NULL;
	if (known != NULL)
		return to[known - from];
	if (at[1] != 'x' || !isxdigit((uint8_t)at[2]) || !isxdigit((uint8_t)at[3]))
		return -1;
	high = isdigit((uint8_t)at[2]) ? at[2] - '0' : (at[2] | 32) - 'a' + 10;
	low = isdigit((uint8_t)at[3]) ? at[3] - '0' : (at[3] | 32) - 'a' + 10;
	*text = at + 4;
	return high * 16 + low;
}

static int
set_text(void *settings, const struct option_def *def, const char *value, char *why)
{
	struct load_settings *s = settings;
	uint32_t n = 0;

	while (*value != '\0') {
		int c = unescape(&value);

		if (c < 0)
			return option_wrong(why, "has an escape that is not known; give \\r, \\n, \\t, "
				"\\0, \\\\ or \\xHH");
		if (n == LOAD_TEXT_MAX)
			return option_wrong(why, "is too long; give at most %d bytes", LOAD_TEXT_MAX);
		s->text[n++] = (char)c;
	}
	if (n == 0)
		return option_wrong(why, "is empty; give the bytes of a request, such as 'ping\\n'");
	s->request = s->text_len = n;
	return 0;
}

/* ---- the table */

#define FIELD(name) offsetof(struct load_settings, name)

static const struct option_def defs[] = {
	{"target", "ADDR:PORT[-PORT]", "the server; several, and ranges of ports, are used in turn",
		set_target, .clear = clear_targets},
	{"mode", "echo|connect|upload|download|idle|mixed", "echo: requests and replies on held "
		"connections; connect: open, one exchange, close; upload, download: bulk; idle: "
		"connections that are only held; mixed: as --mix says (default echo)", set_mode},
	{"mix", "KIND=SHARE,...", "mode mixed: shares of the connections (default "
		"echo=60,connect=20,upload=5,download=0,idle=15)", set_mix},
	{"connections", "N", "connections held; of mode connect: at one time (default 100)",
		option_set_count, FIELD(connections), 1, (1u << 30) - 1},
	{"rate", "N|max", "requests a second on all held connections; max: --pipeline of them are "
		"always under way on each (default max)", set_rate, FIELD(rate), 0, RATE_MAX},
	{"connect-rate", "N|max", "mode connect: connections begun in a second; max: --connections of "
		"them are always under way (default max)", set_rate, FIELD(connect_rate), 0, RATE_MAX},
	{"loop", "open|closed", "with a rate, open: what is due counts from then, whether or not it "
		"could be sent; closed: it counts from when it was sent (default open)", set_loop},
	{"arrivals", "even|random", "with a rate: how requests are spread over time (default even)",
		set_arrivals},
	{"pipeline", "N", "requests under way on one connection at most; 0: 16 with --rate, else 1 "
		"(default 0)", option_set_count, FIELD(pipeline), 0, LOAD_PIPELINE_MAX},
	{"request", "BYTES", "a request's size (default 64)", option_set_bytes, FIELD(request), 0,
		1u << 30},
	{"text", "TEXT", "a request's bytes, with \\r \\n \\t \\0 \\\\ \\xHH; else they are made",
		set_text},
	{"reply", "BYTES|eof", "a reply's size (default: the request's, as an echo's is); eof, in mode "
		"connect: it ends with the connection", set_reply, FIELD(reply), 0, 1u << 30},
	{"verify", NULL, "a reply must be the request's bytes; else the connection is aborted",
		option_set_flag, FIELD(verify)},
	{"close", "fin|reset", "how a connection of mode connect is ended (default fin)", set_close},
	{"time", "S", "the time that is measured, in seconds (default 10)", option_set_seconds,
		FIELD(time_ms), 1, DAY_MS},
	{"warmup", "S", "the same load before that, which is not measured, in seconds (default 1)",
		option_set_seconds, FIELD(warmup_ms), 0, DAY_MS},
	{"open-timeout", "S", "how long no further connection may open before it goes on with those "
		"that there are, in seconds (default 5)", option_set_seconds, FIELD(open_timeout_ms),
		100, DAY_MS},
	{"opening", "N", "handshakes under way on one lane while held connections are opened (default "
		"256)", option_set_count, FIELD(opening), 1, 1u << 20},
	{"sources", "N", "source addresses: each of --ip and those that follow it (default 1)",
		option_set_count, FIELD(sources), 1, LOAD_SOURCES_MAX},
	{"buffers", "N", "NIC buffers of each lane (default 16384)", option_set_count, FIELD(buffers),
		4096, 1u << 24},
	{"json", NULL, "the result as JSON; what else is said goes to stderr", option_set_flag,
		FIELD(json)},
	HOST_OPTION_ROWS("the first address of a port, or a range of them, one for each --dev (default: host 200 and so on "
		"in the first target's network, of 24 bits, of IPv6 64)"),
};

const struct options load_options = {
	.program = PROGRAM,
	.about = "loads a TCP server and says what it did, on Rill and a DPDK device",
	.version = RILL_VERSION,
	.defs = defs,
	.count = sizeof(defs) / sizeof(defs[0]),
	.set_default = load_settings_default,
	.finish = load_settings_finish,
};

void
load_settings_default(void *settings)
{
	*(struct load_settings *)settings = (struct load_settings){
		.host.congestion_control = RILL_CC_CUBIC,
		.mode = LOAD_ECHO,
		.mix = {[LOAD_ECHO] = 60, [LOAD_CONNECT] = 20, [LOAD_UPLOAD] = 5, [LOAD_IDLE] = 15},
		.connections = 100,
		.request = 64,
		.time_ms = 10000,
		.warmup_ms = 1000,
		.open_timeout_ms = 5000,
		.opening = 256,
		.sources = 1,
		.buffers = 16384,
	};
}
