/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FUZZ_WORLD_H
#define FUZZ_WORLD_H

/*
 * One lane under a virtual clock, with an application that does what it is told and a peer that may say
 * anything. A world is made afresh for every input, so that an input alone decides what happens.
 *
 * After every step it is checked that: the stack's own checks hold (conn_check, the table); sequence
 * numbers that may not go back do not; every frame that the lane sends is well-formed and carries what
 * the application wrote; what is delivered is what the peer sent, in order; callbacks come in a legal
 * order; no lane spins; caches keep their bounds. At the end nothing may be left: connections, records,
 * side-cars, buffers, fragments (within their time); and the lane still serves (alive.h).
 *
 * Payload is a function of the absolute sequence number, in both directions, so that whatever overlaps
 * agrees; segments whose payload was damaged mark their flow, and bytes are not looked at any more.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rill/rill.h>

#include "lane.h"

#define FLOWS 8
#define FLOWS_ALL (FLOWS + 2) /* and one of each family that only alive.c speaks on */
#define CONNS_MAX 64
#define LANE_PORT 80
#define PEER_PORT 40000
#define ACTIVE_PORT 50000
#define LANE_ADDR 0xc0000201u /* 192.0.2.1 */
#define PEER_ADDR 0xc0000202u
#define ROUTER_ADDR 0xc00002feu
#define START_US 1000000000ull

/* A 4-tuple between the lane and its peer, and what the peer remembers of it. */
struct flow {
	uint16_t lane_port, peer_port;
	bool wild;    /* damaged payload went in: delivered bytes are not compared */
	bool echoes;  /* the application sends what it received: sent bytes are not compared */
	uint8_t reaction; /* what the application does in a callback: event | action << 3 */
	uint32_t rcv_nxt, rcv_edge, snd_una, snd_nxt, ts_recent; /* the lane's, last seen */
	uint32_t tsval; /* of its last SYN */
	bool ts;
	bool ip6;
	uint32_t heard; /* bytes of payload that the lane sent, what it sent again included */
};

/* One connection as the application sees it; found by the connection's index. */
struct app {
	struct rill_conn *conn; /* NULL: none */
	struct flow *flow;      /* NULL: a tuple that the peer made up */
	bool opened, eof, looked;
	uint32_t received, wrote, acked;
	uint32_t rcv_first, snd_first; /* absolute numbers of the first byte each way */
	uint32_t snd_una, rcv_adv;     /* when last looked at: they never go back */
};

#define FRAMES_KEPT 128

struct world {
	struct rill_lane *lane;
	uint8_t kind; /* WORLD_... */
	uint64_t now;
	uint32_t frames_in;
	struct rill_listener *listener;
	struct flow flows[FLOWS_ALL];
	struct app apps[CONNS_MAX];
	struct rte_mbuf *burst[RILL_BURST_MAX];
	unsigned int burst_count;
	unsigned int opens_left;        /* rill_connect calls that the input may still make */
	/* The NIC. */
	bool nic_full;                  /* takes nothing */
	bool nic_keeps;                 /* frees late, and checks then that nobody changed the bytes */
	struct rte_mbuf *kept[FRAMES_KEPT];
	uint64_t kept_hash[FRAMES_KEPT];
	unsigned int kept_count;
	bool arp_silent;
	bool in_callback;
	unsigned int flood_left;        /* frames that the input may still flood it with */
	unsigned int pongs4, pongs6;    /* answers to alive.c's pings */
	struct rte_mbuf *hoard[1024];   /* buffers taken out of the application's pool */
	unsigned int hoarded;
};

extern struct world world;

/* What the bits of an input's first byte choose. */
enum {
	WORLD_ETHERNET = 0x01,
	WORLD_RX_CKSUM = 0x02, /* the NIC says which checksums are right */
	WORLD_COPIES = 0x04,   /* it cannot send chains */
	WORLD_LATE = 0x08,     /* the clock's 32-bit forms wrap soon */
	WORLD_TIGHT = 0x10,    /* few records, side-cars, half-open places and buffers */
	WORLD_SMALL_MTU = 0x20,
	WORLD_IP6 = 0x40,      /* both families; */
	WORLD_IP6_ASKS = 0x80, /* the same, and addresses are asked for; with both, routers are heard */
};

/* EAL and the pools, once. */
void world_init(void);
/* options: for the lane's connections; flows6: a bit for each flow that speaks IPv6, if the world does. */
void world_up(uint8_t kind, const struct rill_options *options, uint8_t flows6);
/* Ends all; at_once: by destroying the lane, else by aborting and waiting until nothing is left. */
void world_down(bool at_once);

/* A frame for the next turn. */
void world_frame(struct rte_mbuf *frame);
/* Turns at this time until the lane wants none; then looks at everything. */
void world_turn(void);
void world_pass(uint64_t us);
/* So much time that addresses that are asked for are the lane's, deadline by deadline. */
void world_settle(void);

/* Ends the program: that is how a fuzzer hears of it. */
void world_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

static inline uint8_t
pattern(uint32_t seq)
{
	return (uint8_t)(seq * 7 + (seq >> 8) * 13 + (seq >> 16) * 31 + 5);
}

/* A frame; often its buffer ends where it does, and reading on is found. */
struct rte_mbuf *world_mbuf(const uint8_t *bytes, uint32_t len);

/* ---- application (app.c) */

enum app_action {
	ACT_NONE, ACT_WRITE, ACT_SEND, ACT_ECHO, ACT_SHUTDOWN, ACT_CLOSE, ACT_ABORT, ACT_PAUSE, ACT_RESUME,
	ACT_CONSUME, ACT_HOLD, ACT_RELEASE, ACT_URGENT, ACT_SET, ACT_CONNECT, ACT_LISTEN, ACT_UNLISTEN,
	ACT_HOARD, ACT_GIVE_BACK, ACT_ABORT_ALL, ACT_INFO, ACT_COUNT
};

extern const struct rill_handler app_handler;
/* Does it on the flow's connection; arg chooses sizes and options. */
void app_acts(struct flow *flow, enum app_action action, uint8_t arg);
struct app *app_of_flow(const struct flow *flow);
void app_release(void);

#endif
