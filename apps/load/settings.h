/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LOAD_SETTINGS_H
#define LOAD_SETTINGS_H

/* What rill-load was told: by the command line, by an INI file, or by default. */

#include <stdbool.h>
#include <stdint.h>

#include <rill/stack.h>

#include "host.h"

/* What a connection is for. Name, what it does. */
#define LOAD_KIND_LIST(X)                                                                          \
	X(ECHO, "echo", "requests and replies on held connections")                               \
	X(CONNECT, "connect", "open, one exchange, close, and again")                             \
	X(UPLOAD, "upload", "bytes to the server as fast as they go")                             \
	X(DOWNLOAD, "download", "one request, then bytes from the server as fast as they come")   \
	X(IDLE, "idle", "held, and silent")

enum load_kind {
#define X(id, name, text) LOAD_##id,
	LOAD_KIND_LIST(X)
#undef X
	LOAD_KINDS
};

const char *load_kind_name(enum load_kind kind);

#define LOAD_TARGETS_MAX 64
#define LOAD_SOURCES_MAX (1u << 20) /* source addresses of each --ip */
#define LOAD_TEXT_MAX 4096
#define LOAD_PIPELINE_MAX 1024u
/* TCP ports that Rill chooses from, for one pair of source address and target. */
#define LOAD_PORTS_EACH 64512u

/* An address, and ports first to last. */
struct load_target {
	struct rill_addr addr;
	uint16_t first, last;
};

struct load_settings {
	struct host host;
	struct load_target targets[LOAD_TARGETS_MAX];
	unsigned int targets_count;
	enum load_kind mode;        /* LOAD_KINDS: mixed */
	uint32_t mix[LOAD_KINDS];   /* shares; those of one mode are 0 but for its own */
	uint32_t connections;       /* of all lanes: held, or (connect) at one time */
	uint32_t rate;              /* requests a second on held connections; 0: the most */
	uint32_t connect_rate;      /* connections a second; 0: the most */
	bool closed;                /* requests wait for one another, and count from when they left */
	bool random;                /* arrivals of a Poisson process */
	uint32_t pipeline;          /* requests under way on a connection at most */
	uint32_t request, reply;    /* bytes */
	bool reply_given, reply_eof; /* the reply ends with the connection */
	bool reset;                 /* a connection ends by RST */
	bool verify;
	uint32_t time_ms, warmup_ms, open_timeout_ms;
	uint32_t opening;           /* handshakes of one lane at one time */
	uint32_t sources;           /* addresses of each --ip: 1 .. LOAD_SOURCES_MAX */
	uint32_t buffers;           /* of each lane */
	bool json;
	uint32_t text_len;          /* the request's bytes; 0: they are made */
	char text[LOAD_TEXT_MAX];
};

extern const struct options load_options;

/* Of a struct load_settings, for the table. */
void load_settings_default(void *settings);
enum options_result load_settings_finish(void *settings);

/* Does a connection of mode connect do anything but open and close? */
static inline bool
load_settings_exchange(const struct load_settings *settings)
{
	return settings->request > 0 || settings->reply > 0 || settings->reply_eof;
}

/* All endpoints of the targets. */
uint32_t load_targets_total(const struct load_settings *settings);

/* Endpoint number n, below load_targets_total. */
struct rill_endpoint load_target_at(const struct load_settings *settings, uint32_t n);

/* Source address number n of port i. */
struct rill_prefix load_source_at(const struct load_settings *settings, unsigned int i,
	unsigned int ip, uint32_t n);

/* The n-th source address of a port to send from to dst: of an --ip in its network, else of the first one
 * of its family. The caller knows that there is one: load_settings_finish has looked. */
struct rill_addr load_source_towards(const struct load_settings *settings, unsigned int i,
	const struct rill_addr *dst, uint32_t n);

/* All addresses of a port, as a configuration takes them. Returns how many. */
unsigned int load_sources(const struct load_settings *settings, unsigned int i,
	struct rill_prefix addrs[RILL_ADDRS_MAX]);

#endif
