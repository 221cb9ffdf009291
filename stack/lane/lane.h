/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_LANE_LANE_H
#define RILL_LANE_LANE_H

/*
 * The lane: one core and everything that it owns. See design in ARCHITECTURE.md.
 *
 * api/ makes lanes (lane_create) and drives them; tests drive them through rill_lane_turn.
 */

#include <rill/lane.h>
#include <rill/stack.h>

#include "counters.h"
#include "exceptions.h"
#include "mail.h"
#include "net.h"
#include "netif.h"
#include "outbox.h"
#include "owner.h"
#include "siblings.h"
#include "stages.h"
#include "tcp.h"
#include "wheel.h"

/* Kinds of nodes on the lane's wheel. */
enum timer_kind {
	TIMER_CONN,
	TIMER_SYN_RECEIVED,
	TIMER_TIME_WAIT,
	TIMER_NEIGHBOR,
	TIMER_ANNOUNCE,
	TIMER_FRAGMENTS,
	TIMER_APP, /* struct rill_timer */
};

#define LANE_TIMERS_PER_TURN 256

/* What a lane is made from: owned by the caller, who frees the pools after lane_destroy. */
struct lane_setup {
	struct rill_lane_config config; /* checked; options and secret not NULL; mac set */
	struct rill_stack *stack;       /* NULL for an embedder's lane */
	unsigned int index;
	uint16_t netif_caps; /* NETIF_... */
	bool exceptions;     /* frames of no use are collected, for who drives the lane to hand on */
	bool silent;         /* a lane with the same addresses announces them */
	uint16_t tx_chain_max, tso_chain_max;
	struct rte_mempool *rx_pool; /* NIC buffers, of which some stay free; NULL without a port */
	uint32_t rx_posted;  /* buffers of rx_pool that lie in the NIC's ring, full */
	uint32_t rx_reserve; /* buffers of rx_pool that nothing may keep: the ring, two bursts, loans */
	struct rte_mempool *buf_pool;     /* rill_buf_alloc, rill_write, copies of what must wait */
	struct rte_mempool *control_pool; /* headers, ACKs, ARP, indirect mbufs */
	ustime now;
	void *owner; /* api/'s: what the lane was made from */
};

struct rill_lane {
	/* Read and written every turn. */
	ustime now;
	struct tcp tcp; /* the TCP engine */
	struct wheel wheel;
	struct outbox outbox;
	struct counters counters;
	struct exceptions exceptions; /* of the last turn */
#ifdef RILL_PROFILE
	struct stages stages;
#endif

	/* Read by every turn, written at start. */
	struct netif netif;
	struct net *net;
	struct mailbox *mailbox;
	struct siblings siblings;
	struct rill_stack *stack;
	unsigned int index;
	bool retired; /* its thread has ended: posts are refused; written by that thread, read by all */
	void *user;
	bool in_turn;
	bool stopping; /* no new connections */
	int pools_node;
	struct lane_setup setup;
	struct owner owner; /* of all of this, its pools included */
};

/* Makes a lane. Returns 0 or a negative errno with an error sentence. */
int lane_create(const struct lane_setup *setup, struct rill_lane **lane);

/*
 * Aborts all, frees all; pools must then be whole again, but for what the application still holds.
 */
void lane_destroy(struct rill_lane *lane);

/* One lane's half of rill_unlisten, on its thread. Returns 0 or -EINVAL. */
int lane_unlisten(struct rill_listener *listener);

/* So many buffers of the RX pool are in the hands of other lanes (spread.h). Before a turn. */
static inline void
lane_set_lent(struct rill_lane *lane, uint32_t lent)
{
	lane->tcp.rx_lent = lent;
}

/* No more accepting: listeners answer SYN with RST. */
void lane_stop_accepting(struct rill_lane *lane);

/*
 * Ends connections: RST to the peer, on_close(why) to the application. As many as there is room for
 * RSTs: to be called in each turn until none is left.
 */
void lane_abort_some(struct rill_lane *lane, enum rill_close_reason why);

/* Connections with a handle. */
uint32_t lane_conns(const struct rill_lane *lane);

#endif
