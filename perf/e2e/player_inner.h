/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_PERF_PLAYER_INNER_H
#define RILL_PERF_PLAYER_INNER_H

/* What the player's two halves share: player.c hears, player_say.c speaks. */

#include <sys/mman.h>

#include "player.h"

#define PLAYER_QUEUE 65536     /* frames that wait to be said; a power of two */
#define PLAYER_FLUSH_POLLS 16  /* after so many idle polls an incomplete batch is published */
#define PLAYER_IDLE_POLLS 512  /* and the wire reports what it has sent */
#define PLAYER_ROUND_MAX_US 50 /* a longer one was interrupted */
#define PLAYER_AHEAD 16        /* flows drawn before they are used, a power of two */
#define PLAYER_HUGE_PAGE (2u << 20)

enum flow_state {
	FLOW_CLOSED,
	FLOW_OPENING, /* SYN sent */
	FLOW_OPEN,
	FLOW_LOST,    /* its request was: it is sent again in some time */
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
	uint32_t ack; /* SAY_ACK: what had come when it was queued */
	uint8_t kind;
};

/* A response that waits for its acknowledgment. */
struct unacked {
	uint32_t number;
	uint32_t rcv_nxt; /* later ones of the flow stand further back */
	uint64_t at;      /* TSC */
};

/* A request that is to be sent again. */
struct resend {
	uint32_t number;
	uint64_t at; /* TSC */
};

/* The open loop: each request has its moment, and each lost one another. */
struct open_loop {
	double interval;       /* cycles between requests */
	uint64_t begins_at;    /* TSC */
	uint64_t rto;          /* cycles */
	uint64_t *due;         /* of each flow: when its request was */
	struct resend *resend; /* a ring, oldest first */
	uint32_t *idle;        /* a ring of flows that wait for nothing */
	uint32_t mask;         /* of the rings' indices */
	uint32_t resend_put, resend_taken;
	uint32_t idle_put, idle_taken;
	bool over; /* the time to offer */
	uint64_t answered_before;
	struct player_offered offered;
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
	bool lossy; /* what finds no empty buffer is lost */
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

	struct open_loop open;

	/* PLAYER_SOURCE. */
	uint32_t *left; /* of each flow: bytes of the fetch at hand that are still to come */
	uint32_t spare; /* bytes that came and do not make a message yet */
	uint8_t pattern[FETCH_PIECE_MAX];

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

/* A request on a flow that is fit for it; the wire has room. */
void player_say_request(struct player *player, uint32_t number);

#define PLAYER_NONE UINT32_MAX

/* Any flow. */
uint32_t player_draw(struct player *player);

/* Payload of a fetch. */
void player_hear_fetch(struct player *player, uint32_t number, struct flow *flow,
	const struct flow_frame *frame, bool check);
bool player_fetch_create(struct player *player);
void player_fetch_destroy(struct player *player);

/* PLAYER_OFFER: begins it, offers what is due, hears that a request is answered, looks at the time.
 */
bool player_open_loop_create(struct player *player);
void player_open_loop_destroy(struct player *player);
void player_open_loop_begin(struct player *player, const struct player_task *task);
unsigned int player_offer_some(struct player *player);
void player_offer_answered(struct player *player, uint32_t number);
void player_offer_look(struct player *player, uint64_t now);

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
