/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TOOLS_FLOW_H
#define RILL_TOOLS_FLOW_H

/*
 * One connection of the echo client: makes messages, frames them, cuts its writes where the seed
 * says, and compares every byte that comes back with what was sent.
 *
 * Two kinds of work: messages (a few in flight, each timed), or bulk (bytes as fast as they go, both
 * ways at once, compared by SHA-256, ended by a half-close).
 */

#include "histogram.h"
#include "pattern.h"

#include <http_parser.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>

/* Messages that may wait for their echo. */
#define FLOW_PIPELINE_MAX 64
/* One read, and one piece of bulk data. */
#define FLOW_CHUNK (256 * 1024)

enum framing {
	FRAMING_RAW,
	FRAMING_LINE,
	FRAMING_LENGTH,
	FRAMING_HTTP,
};

/* How a connection ends once all has been echoed. */
enum ending {
	ENDING_HALF,  /* shutdown, then the server's FIN is awaited */
	ENDING_CLOSE, /* close */
	ENDING_RESET, /* RST */
};

/* What all connections are to do. */
struct plan {
	struct sockaddr_storage server; /* of either family */
	enum framing framing;
	enum ending ending;
	uint32_t size_min, size_max; /* payload bytes of a message */
	uint32_t pipeline;           /* messages in flight */
	uint64_t messages;           /* for each connection; 0: until the time is over */
	uint64_t bulk_bytes;         /* not 0: bulk */
	uint64_t seed;
	bool split;                  /* cut writes at random */
};

/* What all connections did. */
struct tally {
	uint64_t opened, ended_well, failed;
	uint64_t messages, bytes_sent, bytes_verified, mismatches;
	struct histogram latency_us;
	char first_error[160];
};

enum flow_state {
	FLOW_IDLE,
	FLOW_CONNECTING,
	FLOW_OPEN,
	FLOW_ENDING, /* our FIN is sent, the server's is awaited */
	FLOW_ENDED,
};

struct bytes {
	uint8_t *data;
	size_t start, end, room;
};

struct flow {
	int fd;
	enum flow_state state;
	bool wants_write;
	uint64_t number; /* of this connection, from 0: with the seed it fixes the bytes */
	uint32_t cut;    /* longest next write under `split` */
	struct pattern pattern;
	struct bytes out;  /* to be sent */
	struct bytes want; /* to come back; for http the bodies */
	uint64_t want_total, got_total;
	uint64_t made, done; /* messages */
	struct {
		uint64_t want_end, began_us;
	} waiting[FLOW_PIPELINE_MAX];
	http_parser parser;
	bool body_failed;
	uint64_t bulk_left;
	EVP_MD_CTX *sent_digest, *got_digest;
};

uint64_t flow_clock_us(void);

/* Opens connection `number`. Returns 0, or -1 when it failed at once (counted). */
int flow_open(struct flow *f, const struct plan *plan, struct tally *tally, uint64_t number);

/* The socket is ready: goes as far as it can. `stop`: begin no more messages. */
void flow_ready(struct flow *f, const struct plan *plan, struct tally *tally, bool stop);

/* Ends a connection that did not come to its end, and counts it as failed for `why`. */
void flow_fail(struct flow *f, struct tally *tally, const char *why);

/* Frees its buffers. */
void flow_free(struct flow *f);

#endif
