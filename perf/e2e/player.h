/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_PERF_PLAYER_H
#define RILL_PERF_PLAYER_H

/*
 * The flow player: what speaks at a wire's far end. It plays any number of clients, each from 16
 * bytes of state, so that it does not limit what it measures: it keeps no send queue and repeats
 * nothing, as the wire loses nothing. What it hears must be what TCP demands (sequence numbers,
 * acknowledgments), and the content of samples what was sent; else the run ends with a sentence.
 *
 * It acknowledges as clients do: with the next request, or within DELAYED_ACK_MS by itself. While
 * many responses wait for their acknowledgment, the oldest is acknowledged at once: what the server
 * must keep is bounded.
 */

#include <stdbool.h>
#include <stdint.h>

#include "far.h"
#include "flow_frame.h"

enum player_work {
	PLAYER_ECHO, /* a request, its echo */
	PLAYER_SINK, /* segments as fast as they are acknowledged */
	PLAYER_RATE, /* open, request, echo, close from the client's side */
};

/* One connection. */
struct flow {
	uint32_t snd_nxt, rcv_nxt;
	uint32_t tsval;   /* the last that was heard */
	uint16_t waiting; /* bytes that must come back, or be acknowledged */
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
	uint16_t payload;  /* bytes of a message, or of a segment */
	uint32_t inflight; /* messages, segments or exchanges under way, at most */
	uint32_t unacked;  /* responses that may wait for their acknowledgment, a power of two */
	bool in_order;     /* flows take turns; else they are drawn at random */
	bool timestamps;
	uint32_t check_every; /* of so many frames one is checked in full, a power of two */
	uint64_t seed;
};

/* Ever, since the player was made. */
struct player_counts {
	uint64_t opened, closed;
	uint64_t messages;   /* echoes, segments acknowledged, exchanges ended */
	uint64_t frames_out; /* to the server */
	uint64_t frames_in;
	uint64_t pure_acks; /* of frames_out: delayed ACKs */
	uint64_t repeated;  /* segments that the server sent twice */
	uint64_t checked;   /* frames checked in full */
	uint64_t cycles;     /* of rounds in which something moved, interrupted ones left out */
};

/* What is to be done in one run; all of it is answered when the run has ended. */
enum player_job {
	PLAYER_OPEN,  /* every flow that is closed; PLAYER_RATE: nothing */
	PLAYER_PLAY,  /* messages, until so many are begun or the time is over */
	PLAYER_CLOSE, /* every flow that is open */
};

struct player;

/* Returns NULL with a sentence on stderr. */
struct player *player_create(const struct player_setup *setup);
void player_destroy(struct player *player);

/*
 * Does the job, on the calling thread. PLAYER_PLAY ends after `messages` (0: no bound) or `cycles`
 * of the TSC (0: no bound). Returns true when all is answered; false when the server did what it
 * must not, or nothing for PLAYER_STALL_S: player_problem says what.
 */
#define PLAYER_STALL_S 10
bool player_run(struct player *player, enum player_job job, uint64_t messages, uint64_t cycles);

const char *player_problem(const struct player *player);
const struct player_counts *player_counts(const struct player *player);

#endif
