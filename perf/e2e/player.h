/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_PERF_PLAYER_H
#define RILL_PERF_PLAYER_H

/*
 * The flow player: what speaks at a wire's far end. It plays any number of clients, each from 16
 * bytes of state, so that it does not limit what it measures: it keeps no send queue, and repeats
 * nothing, for it waits until the wire has room. Only in an open loop (PLAYER_OFFER) it does not
 * wait: what finds the receive ring full is lost, as at a NIC, and a request is then sent again
 * after setup.rto_ms. What it hears must be what TCP demands (sequence numbers,
 * acknowledgments), and the content of samples what was sent; else the run ends with a sentence.
 *
 * It acknowledges as clients do: with the next request, or within DELAYED_ACK_MS by itself. While
 * many responses wait for their acknowledgment, the oldest is acknowledged at once: what the server
 * must keep is bounded.
 */

#include <stdbool.h>
#include <stdint.h>

#include "../../apps/common/histogram.h"
#include "far.h"
#include "fetch.h"
#include "flow_frame.h"

enum player_work {
	PLAYER_ECHO,   /* a request, its echo */
	PLAYER_SINK,   /* segments as fast as they are acknowledged */
	PLAYER_RATE,   /* open, request, echo, close from the client's side */
	PLAYER_SOURCE, /* fetches, as fast as their segments are acknowledged: see fetch.h */
	PLAYER_WORKS,
};

/* One connection. */
struct flow {
	uint32_t snd_nxt, rcv_nxt;
	uint32_t tsval;   /* the last that was heard */
	uint16_t waiting; /* bytes that must come back, or be acknowledged; or fetches */
	uint8_t state;
	bool ack_due;
};

#define PLAYER_INFLIGHT_MAX 768 /* below the wire's descriptors: nothing finds its ring full */
#define PLAYER_UNACKED_LEAST 4096
#define PLAYER_UNACKED_MOST 65536

struct player_setup {
	struct far_wire *wire;
	enum player_work work;
	uint32_t flows;
	uint16_t payload;         /* bytes of a message, or of a segment that the client sends */
	struct fetch_shape fetch; /* PLAYER_SOURCE */
	uint32_t inflight;        /* messages, segments, fetches or exchanges under way, at most */
	uint32_t unacked; /* responses that may wait for their acknowledgment, a power of two */
	bool in_order;    /* flows take turns; else they are drawn at random */
	bool timestamps;
	uint32_t rto_ms;      /* of a request that was lost */
	uint32_t check_every; /* of so many frames one is checked in full, a power of two */
	uint64_t seed;
};

/* Ever, since the player was made. */
struct player_counts {
	uint64_t opened, closed;
	uint64_t messages;   /* echoes, segments acknowledged or fetched, exchanges ended */
	uint64_t frames_out; /* to the server */
	uint64_t frames_in;
	uint64_t pure_acks; /* of frames_out: delayed ACKs */
	uint64_t repeated;  /* segments that the server sent twice */
	uint64_t checked;   /* frames checked in full */
	uint64_t cycles;    /* of rounds in which something moved, interrupted ones left out */
	uint64_t lost;      /* requests that found no empty buffer, each time */
	uint64_t lost_acks; /* and ACKs */
};

/* What is to be done in one run; all of it is answered when the run has ended. */
enum player_job {
	PLAYER_OPEN,  /* every flow that is closed; PLAYER_RATE: nothing */
	PLAYER_PLAY,  /* messages, until so many are begun or the time is over */
	PLAYER_ALL,   /* one message on each flow */
	PLAYER_OFFER, /* requests on schedule, for some time, whether or not echoes come */
	PLAYER_CLOSE, /* every flow that is open */
};

struct player_task {
	enum player_job job;
	uint64_t messages; /* PLAYER_PLAY: to begin; 0: no bound but the time. For PLAYER_SOURCE at
			    * least so many: fetches are whole */
	uint64_t cycles;   /* of the TSC; 0: no bound */
	double per_second; /* PLAYER_OFFER */
};

/* Of the last PLAYER_OFFER. Latencies count from when a request was due. */
struct player_offered {
	uint64_t begun;           /* requests that were sent, or lost, in time */
	uint64_t tried;           /* transmissions of requests in time, lost ones included */
	uint64_t lost;            /* of these, how many found no empty buffer */
	uint64_t answered;        /* in time */
	uint64_t cycles;          /* that the requests were offered */
	struct histogram latency; /* of all that were begun, in cycles */
};

struct player;

/* Returns NULL with a sentence on stderr. */
struct player *player_create(const struct player_setup *setup);
void player_destroy(struct player *player);

/*
 * Does what is asked, on the calling thread. Returns true when all is answered; false when the
 * server did what it must not, or nothing for PLAYER_STALL_S: player_problem says what.
 */
#define PLAYER_STALL_S 10
bool player_run(struct player *player, const struct player_task *task);

const char *player_problem(const struct player *player);
const struct player_counts *player_counts(const struct player *player);
const struct player_offered *player_offered(const struct player *player);

/* Bytes that a player of this kind holds, beside the wire. */
uint64_t player_bytes(const struct player_setup *setup);

#endif
