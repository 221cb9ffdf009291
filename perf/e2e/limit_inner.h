/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_PERF_LIMIT_INNER_H
#define RILL_PERF_LIMIT_INNER_H

/* What the limit's parts share: limit.c turns frames round, limit_source.c sends bulk. */

#include <assert.h>

#include <netinet/in.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_tcp.h>

#include "segment.h"
#include "server.h"
#include "table.h"

#define L2_LEN RTE_ETHER_HDR_LEN
#define L3_LEN ((uint16_t)sizeof(struct rte_ipv4_hdr))
#define LIMIT_WINDOW 2048 /* with the player's shift: 256 KiB, as Rill's */
#define LIMIT_POOL_CACHE 256
#define LIMIT_HEADERS (RTE_ETHER_HDR_LEN + 20 + 20 + 12) /* with timestamps */

struct limit_conn {
	/* The line that the lookup fetches. */
	struct tuple_head key;
	uint32_t rcv_nxt, snd_nxt;
	uint32_t snd_una;
	uint32_t tsval;
	struct rte_mbuf *ack; /* of this burst: the frame that is to become the ACK */
	bool closing;
	bool queued;      /* bulk out: it has something to send, and room for it */
	uint32_t to_send; /* bulk out: segments */
	/* The second. */
	uint64_t bytes_in __rte_cache_aligned, bytes_out;
	uint64_t frames;
	struct limit_conn *next; /* bulk out: in the queue */
	uint32_t heard_at;
	char unused[192 - 36]; /* as far apart as Rill's */
};
static_assert(sizeof(struct limit_conn) == 256, "as large as Rill's connections");

struct limit {
	struct server server;
	struct port *port;
	struct rte_mempool *pool; /* of a wire of its own; else NULL */
	struct table *table;
	struct slab conns;
	void *memory;
	enum player_work work;
	bool verifies, computes; /* checksums, in software */
	uint32_t turns;
	uint64_t dropped;
	/* Of the turn. */
	unsigned int acks, idle_count;
	unsigned int guessed; /* arrivals whose connection is guessed */
	unsigned int frames_out, frames_sent; /* of out: to be sent; of these, taken by the wire */
	struct rte_mbuf *out[PORT_BURST];
	struct limit_conn *acked[PORT_BURST];
	struct rte_mbuf *idle[PORT_BURST]; /* to be freed */
	/* Bulk out. */
	struct fetch_shape fetch;
	struct rte_mempool *supply; /* buffers in which the bytes stand */
	struct limit_conn *queue_head, *queue_tail;
	uint8_t headers[LIMIT_HEADERS]; /* of a segment, but for what is a connection's */
	uint16_t headers_len;           /* 0: nobody has opened yet */
	uint32_t ip_sum;                /* of what never changes */
};

/* Gives the wire what stands in out; what it does not take stays. Returns how many it took. */
unsigned int limit_send(struct limit *limit);

/* ---- bulk out (limit_source.c) */

bool limit_source_make(struct limit *limit, const struct server_setup *setup);

/* The number of buffers that did not come back. */
unsigned int limit_source_missing(const struct limit *limit);

/* Learns the headers from a client's SYN. */
void limit_source_learn(struct limit *limit, const struct rte_mbuf *syn, bool timestamps);

/* A request of len bytes, or an ACK (0): there may be something to send. */
void limit_source_heard(struct limit *limit, struct limit_conn *conn, uint16_t len);

/* Sends what the clients' windows and the wire have room for. Returns the number of frames. */
unsigned int limit_source_supply(struct limit *limit);

#endif
