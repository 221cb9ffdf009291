/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_PERF_PLAYER_INNER_H
#define RILL_PERF_PLAYER_INNER_H

/* What the player's two halves share: player.c hears, player_say.c speaks. */

#include <sys/mman.h>

#include "player.h"

#define PLAYER_QUEUE 4096      /* frames that wait to be said; a power of two */
#define PLAYER_FLUSH_POLLS 16  /* after so many idle polls an incomplete batch is published */
#define PLAYER_IDLE_POLLS 512  /* and the wire reports what it has sent */
#define PLAYER_ROUND_MAX_US 50 /* a longer one was interrupted */
#define PLAYER_AHEAD 16        /* flows drawn before they are used, a power of two */
#define PLAYER_HUGE_PAGE (2u << 20)

enum flow_state {
	FLOW_CLOSED,
	FLOW_OPENING, /* SYN sent */
	FLOW_OPEN,
	FLOW_CLOSING, /* FIN sent */
};

enum say_kind {
	SAY_ACK,
	SAY_REQUEST,
	SAY_FIN,
	SAY_LAST_ACK,
	SAY_ARP,
};

struct say {
	uint32_t number;
	uint8_t kind;
};

/* A response that waits for its acknowledgment. */
struct unacked {
	uint32_t number;
	uint32_t rcv_nxt; /* later ones of the flow stand further back */
	uint64_t at;      /* TSC */
};

struct player {
	struct player_setup setup;
	struct flow *flows;
	struct flow_frames frames;
	struct player_counts counts;
	uint64_t now; /* TSC */
	uint32_t now_ms;
	uint64_t tsc_per_ms;
	uint64_t round_max; /* cycles */

	enum player_job job;
	uint64_t begun, to_begin, ends_at;
	uint32_t inflight;
	uint32_t cursor;
	uint64_t random;
	uint32_t ahead[PLAYER_AHEAD];
	uint32_t ahead_at;

	uint32_t queue_put, queue_taken;
	struct say queue[PLAYER_QUEUE];
	uint32_t unacked_put, unacked_taken;
	struct unacked *unacked;

	uint8_t arp[42]; /* the request that is to be answered */
	char problem[160];
};

/* The run ends: the first sentence counts. */
void player_fail(struct player *player, uint32_t number, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* To be said as soon as the wire has room. */
void player_queue(struct player *player, uint32_t number, enum say_kind kind);

/* The flow owes an ACK, which may wait for its next request. */
void player_later_ack(struct player *player, uint32_t number, struct flow *flow);

/* Says what is queued, and ACKs that have waited long enough. Returns the number of frames. */
unsigned int player_speak(struct player *player);

/* Begins messages, or opens or closes flows, as the job and inflight allow. Returns how many. */
unsigned int player_begin_some(struct player *player);

static inline bool
player_has_said_all(const struct player *player)
{
	return player->queue_put == player->queue_taken;
}

/* Large arrays that are read at random: asked for in huge pages, for both sides of a comparison
 * alike. */
static inline void
player_huge_pages(void *at, size_t bytes)
{
	(void)madvise(at, bytes, MADV_HUGEPAGE);
}

#endif
