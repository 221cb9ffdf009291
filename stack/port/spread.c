/* SPDX-License-Identifier: BSD-3-Clause */
#include "spread.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>

#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "check.h"
#include "counters.h"
#include "netif.h"
#include "whose.h"

#define BLANKS_AT_ONCE 32 /* fewer are not worth the trouble */

/* What lies between the carrier and one lane. */
struct spread_lane {
	/* Read by both. */
	struct rte_ring *in, *back, *blanks, *out;
	/* The carrier's alone, on cache lines that the lane does not read. */
	uint32_t lent __rte_cache_aligned; /* frames in `in`, in the lane's hands and in `back` */
	uint32_t blank; /* buffers in `blanks`, in the lane's hands and in `out` */
	struct rte_mbuf *pending[PORT_BURST]; /* out of `out`, not taken by the NIC yet */
	uint16_t pending_from, pending_to;
	struct port_stall stall; /* of `pending` */
} __rte_cache_aligned;
static_assert(offsetof(struct spread_lane, lent) % RTE_CACHE_LINE_SIZE == 0 &&
		sizeof(struct spread_lane) % RTE_CACHE_LINE_SIZE == 0,
	"what the carrier writes shares no line with what others read");

struct spreader {
	unsigned int lanes;
	const struct steer *steer;
	struct rte_mempool *blank_pool;
	/* Who sends first, in this turn and in the next: whom the NIC refused first before. */
	unsigned int first, next;
	bool refused;      /* it has refused somebody in this turn */
	bool by_bursts;    /* the carrier, too, sends a burst at most while others wait */
	bool held_back;    /* which has kept it from sending all in this turn */
	uint32_t own_sent; /* the carrier's frames, of that burst */
	struct spread_lane lane[SPREAD_LANES_MAX]; /* the first, the carrier's, is not used */
};

/* ---- arriving */

/* Whose frame it is; the carrier's (0) if it is no whole TCP segment. */
static unsigned int
lane_of(const struct spreader *spreader, const struct rte_mbuf *frame)
{
	struct whose whose;

	return whose_read(frame, &whose) ? steer_lane(spreader->steer, &whose.tuple) : 0;
}

static void
free_returned(struct spread_lane *lane)
{
	struct rte_mbuf *frames[PORT_BURST];
	unsigned int n;

	while ((n = rte_ring_sc_dequeue_burst(lane->back, (void **)frames, PORT_BURST, NULL)) > 0) {
		lane->lent -= n;
		rte_pktmbuf_free_bulk(frames, n);
	}
}

/* Within the bound there is room in the ring. */
static void
lend(struct port *port, struct spread_lane *lane, struct rte_mbuf **frames, unsigned int n)
{
	unsigned int lent = RTE_MIN(n, SPREAD_LOANS - lane->lent);

	lent = rte_ring_sp_enqueue_burst(lane->in, (void **)frames, lent, NULL);
	lane->lent += lent;
	port->lent += lent;
	port->counters->frames_handed += lent;
	for (unsigned int i = lent; i < n; i++)
		drop_packet(port->counters, frames[i], RILL_DROP_spread_full);
}

static void
carrier_hand(struct port *port, unsigned int lane, struct rte_mbuf *frame)
{
	lend(port, &port->spreader->lane[lane], &frame, 1);
}

/* Keeps the carrier's own of n frames, in order, and lends the others; returns how many it kept. */
static uint16_t
spread(struct port *port, struct rte_mbuf **frames, uint16_t n)
{
	struct spreader *spreader = port->spreader;
	struct rte_mbuf *theirs[SPREAD_LANES_MAX][PORT_BURST];
	uint16_t counts[SPREAD_LANES_MAX] = {0}, kept = 0;

	for (uint16_t i = 0; i < n; i++) {
		unsigned int lane;

		if (i + 2 < n)
			rte_prefetch0(rte_pktmbuf_mtod(frames[i + 2], void *));
		lane = lane_of(spreader, frames[i]);
		if (lane == 0)
			frames[kept++] = frames[i];
		else
			theirs[lane][counts[lane]++] = frames[i];
	}
	for (unsigned int lane = 1; lane < spreader->lanes; lane++)
		if (counts[lane] > 0)
			lend(port, &spreader->lane[lane], theirs[lane], counts[lane]);
	return kept;
}

static uint16_t
carrier_rx(struct port *port, struct rte_mbuf **frames, uint16_t n)
{
	port->lent = 0;
	for (unsigned int i = 1; i < port->spreader->lanes; i++) {
		struct spread_lane *lane = &port->spreader->lane[i];

		free_returned(lane);
		port->lent += lane->lent;
	}
	n = rte_eth_rx_burst(port->ethdev_id, port->queue, frames, RTE_MIN(n, PORT_BURST));
	return n > 0 ? spread(port, frames, n) : 0;
}

uint16_t
spread_borrow(struct port *port, struct rte_ring *in, struct rte_ring *back,
	struct rte_mbuf **frames, uint16_t n)
{
	struct rte_mbuf *lent[PORT_BURST];
	uint16_t got = 0;

	n = (uint16_t)rte_ring_sc_dequeue_burst(in, (void **)lent, RTE_MIN(n, PORT_BURST), NULL);
	for (uint16_t i = 0; i < n; i++) {
		frames[got] = rte_pktmbuf_copy(lent[i], port->rx_pool, 0, UINT32_MAX);
		if (frames[got] != NULL)
			got++;
		else
			count_drop(port->counters, RILL_DROP_no_mbuf);
	}
	if (n > 0 && rte_ring_sp_enqueue_bulk(back, (void **)lent, n, NULL) == 0)
		RILL_ASSERT(!"there is room for all that is lent");
	return got;
}

static uint16_t
lane_rx(struct port *port, struct rte_mbuf **frames, uint16_t n)
{
	struct spread_lane *lane = &port->spreader->lane[port->lane];

	return spread_borrow(port, lane->in, lane->back, frames, n);
}

/* ---- leaving */

static void
write_blank(struct rte_mbuf *blank, const struct rte_mbuf *frame)
{
	char *to = rte_pktmbuf_append(blank, (uint16_t)frame->pkt_len);
	const void *from;

	RILL_ASSERT(to != NULL); /* no frame is longer than the MTU allows */
	from = rte_pktmbuf_read(frame, 0, frame->pkt_len, to);
	if (from != to) /* all in one piece */
		rte_memcpy(to, from, frame->pkt_len);
	blank->ol_flags = frame->ol_flags & ~(RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL);
	blank->tx_offload = frame->tx_offload;
}

static uint16_t
lane_tx(struct port *port, struct rte_mbuf **frames, uint16_t n)
{
	struct spread_lane *lane = &port->spreader->lane[port->lane];
	struct rte_mbuf *blanks[PORT_BURST];

	n = (uint16_t)rte_ring_sc_dequeue_burst(
		lane->blanks, (void **)blanks, RTE_MIN(n, PORT_BURST), NULL);
	if (n == 0)
		return 0;
	for (uint16_t i = 0; i < n; i++)
		write_blank(blanks[i], frames[i]);
	rte_pktmbuf_free_bulk(frames, n);
	if (rte_ring_sp_enqueue_bulk(lane->out, (void **)blanks, n, NULL) == 0)
		RILL_ASSERT(!"there is room for all blanks");
	return n;
}

/* The NIC has not taken all that lane number `who` has to send in this turn. */
static void
note_refusal(struct spreader *spreader, unsigned int who)
{
	if (!spreader->refused)
		spreader->next = who;
	spreader->refused = true;
}

static bool
carrier_has_waiting(const struct port *port)
{
	const struct spreader *spreader = port->spreader;

	for (unsigned int i = 1; i < spreader->lanes; i++) {
		const struct spread_lane *lane = &spreader->lane[i];

		if (lane->pending_from < lane->pending_to || !rte_ring_empty(lane->out))
			return true;
	}
	return false;
}

/* What is left of its burst, or as much as it likes. */
static uint16_t
carrier_may_send(const struct port *port, uint16_t n)
{
	const struct spreader *spreader = port->spreader;
	uint32_t left = PORT_BURST - RTE_MIN(spreader->own_sent, (uint32_t)PORT_BURST);

	return spreader->by_bursts && n > left && carrier_has_waiting(port) ? (uint16_t)left : n;
}

/* A carrier that was refused goes on being first until it has sent a burst. */
static uint16_t
carrier_tx(struct port *port, struct rte_mbuf **frames, uint16_t n)
{
	struct spreader *spreader = port->spreader;
	uint16_t may = carrier_may_send(port, n);
	uint16_t sent = may > 0 ? port_tx_ethdev(port, frames, may) : 0;

	spreader->own_sent += sent;
	spreader->held_back |= may < n;
	if (sent < may)
		note_refusal(spreader, spreader->own_sent < PORT_BURST ? 0 : 1);
	return sent;
}

/* All that a lane has to send. */
static void
drop_waiting(struct port *port, struct spread_lane *lane, enum rill_drop reason)
{
	struct rte_mbuf *frame;

	for (; lane->pending_from < lane->pending_to; lane->pending_from++)
		drop_packet(port->counters, lane->pending[lane->pending_from], reason);
	/* At most what was lent: it gets no new blanks meanwhile. */
	for (; rte_ring_sc_dequeue(lane->out, (void **)&frame) == 0; lane->blank--)
		drop_packet(port->counters, frame, reason);
}

void
spread_drop_waiting(struct port *carrier)
{
	for (unsigned int i = 1; i < carrier->spreader->lanes; i++)
		drop_waiting(carrier, &carrier->spreader->lane[i], RILL_DROP_mac_changed);
}

/* Hands a lane's frames to the NIC, one burst; what it does not take is first the next time. */
static uint32_t
transmit(struct port *port, unsigned int number, uint32_t now_us)
{
	struct spread_lane *lane = &port->spreader->lane[number];
	uint16_t sent;

	if (lane->pending_from == lane->pending_to) {
		lane->pending_from = 0;
		lane->pending_to = (uint16_t)rte_ring_sc_dequeue_burst(
			lane->out, (void **)lane->pending, PORT_BURST, NULL);
		lane->blank -= lane->pending_to;
		if (lane->pending_to == 0)
			return 0;
	}
	sent = port_tx_ethdev(port, lane->pending + lane->pending_from,
		lane->pending_to - lane->pending_from);
	lane->pending_from += sent;
	if (lane->pending_from < lane->pending_to)
		note_refusal(port->spreader, number);
	if (port_stall_over(&lane->stall, sent > 0, now_us)) /* a NIC that took nothing for so long */
		drop_waiting(port, lane, RILL_DROP_tx_stalled);
	return sent;
}

/* Returns how many blanks it gave. */
static unsigned int
lend_blanks(struct spreader *spreader, struct spread_lane *lane)
{
	struct rte_mbuf *blanks[PORT_BURST];
	unsigned int n = RTE_MIN(SPREAD_LOANS - lane->blank, (uint32_t)PORT_BURST);

	if (n < BLANKS_AT_ONCE || rte_pktmbuf_alloc_bulk(spreader->blank_pool, blanks, n) != 0)
		return 0;
	n = rte_ring_sp_enqueue_burst(lane->blanks, (void **)blanks, n, NULL);
	lane->blank += n;
	return n;
}

static void
begin_turn(struct spreader *spreader)
{
	spreader->first = spreader->next;
	if (spreader->first != 0 || !spreader->refused)
		spreader->own_sent = 0;
	/* Once begun it lasts for as long as it holds the carrier back: what the NIC then takes of all
	 * does not say that it would take more. */
	spreader->by_bursts = spreader->refused || (spreader->by_bursts && spreader->held_back);
	spreader->refused = spreader->held_back = false;
}

/* In the order first .. lanes - 1, the carrier itself (0), 1 .. first - 1. */
static uint32_t
carrier_carry(struct port *port, bool after_own, uint32_t now_us)
{
	struct spreader *spreader = port->spreader;
	unsigned int from = 1, to = spreader->lanes;
	uint32_t sent = 0;

	if (!after_own)
		begin_turn(spreader);
	if (spreader->first != 0 && after_own)
		to = spreader->first;
	else if (!after_own)
		from = spreader->first == 0 ? to : spreader->first;
	for (unsigned int i = from; i < to; i++) {
		sent += transmit(port, i, now_us);
		lend_blanks(spreader, &spreader->lane[i]);
	}
	return sent;
}

/* ---- its life */

static void
carrier_close(struct port *port)
{
	port->spreader = NULL;
	port_close_ethdev(port);
}

static void
lane_close(struct port *port)
{
	port->spreader = NULL;
}

void
spread_carrier(struct port *carrier, struct spreader *spreader)
{
	static const struct port_ops ops = {.rx = carrier_rx,
		.tx = carrier_tx,
		.carry = carrier_carry,
		.hand = carrier_hand,
		.has_waiting = carrier_has_waiting,
		.close = carrier_close};

	carrier->spreader = spreader;
	carrier->ops = &ops;
}

void
spread_port(struct port *port, const struct port *carrier, unsigned int lane,
	struct rte_mempool *rx_pool)
{
	static const struct port_ops ops = {.rx = lane_rx, .tx = lane_tx, .close = lane_close};

	*port = *carrier;
	port->ops = &ops;
	port->lane = lane;
	port->rx_pool = rx_pool;
	port->netif_caps |= NETIF_TX_CHAINS; /* which are copied into one piece: a blank, that has room */
	port->netif_caps &= (uint16_t)~NETIF_TX_TSO; /* for a segment only */
	port->tx_chain_max = PORT_CHAIN_MAX;
	port->tso_chain_max = 0;
	port->rx_desc = port->tx_desc = SPREAD_LOANS;
}

static struct rte_ring *
make_ring(const struct spread_setup *setup, unsigned int lane, const char *what)
{
	char name[RTE_RING_NAMESIZE];

	snprintf(name, sizeof(name), "%s_%s%u", setup->name, what, lane);
	return rte_ring_create(name, SPREAD_LOANS, setup->numa_node,
		RING_F_SP_ENQ | RING_F_SC_DEQ | RING_F_EXACT_SZ);
}

static bool
make_lane(struct spreader *spreader, const struct spread_setup *setup, unsigned int number)
{
	struct spread_lane *lane = &spreader->lane[number];

	lane->in = make_ring(setup, number, "in");
	lane->back = make_ring(setup, number, "back");
	lane->blanks = make_ring(setup, number, "blank");
	lane->out = make_ring(setup, number, "out");
	if (lane->in == NULL || lane->back == NULL || lane->blanks == NULL || lane->out == NULL)
		return false;
	while (lend_blanks(spreader, lane) > 0)
		;
	return lane->blank > 0;
}

struct spreader *
spreader_create(const struct spread_setup *setup)
{
	struct spreader *spreader = rte_zmalloc_socket(
		"rill_spreader", sizeof(*spreader), RTE_CACHE_LINE_SIZE, setup->numa_node);

	RILL_ASSERT(setup->lanes > 1 && setup->lanes <= SPREAD_LANES_MAX);
	if (spreader == NULL)
		return NULL;
	spreader->lanes = setup->lanes;
	spreader->steer = setup->steer;
	spreader->blank_pool = setup->blank_pool;
	for (unsigned int i = 1; i < setup->lanes; i++) {
		if (make_lane(spreader, setup, i))
			continue;
		spreader_destroy(spreader);
		return NULL;
	}
	return spreader;
}

/* Returns how many frames there were. */
static uint32_t
empty_ring(struct rte_ring *ring)
{
	struct rte_mbuf *frame;
	uint32_t n = 0;

	for (; ring != NULL && rte_ring_sc_dequeue(ring, (void **)&frame) == 0; n++)
		rte_pktmbuf_free(frame);
	return n;
}

void
spreader_drain(struct spreader *spreader)
{
	for (unsigned int i = 1; i < spreader->lanes; i++) {
		struct spread_lane *lane = &spreader->lane[i];

		lane->lent -= empty_ring(lane->in) + empty_ring(lane->back);
		lane->blank -= empty_ring(lane->out);
		for (; lane->pending_from < lane->pending_to; lane->pending_from++)
			rte_pktmbuf_free(lane->pending[lane->pending_from]);
		lane->stall.stalled = false;
	}
}

void
spreader_destroy(struct spreader *spreader)
{
	if (spreader == NULL)
		return;
	spreader_drain(spreader);
	for (unsigned int i = 1; i < spreader->lanes; i++) {
		struct spread_lane *lane = &spreader->lane[i];

		empty_ring(lane->blanks);
		rte_ring_free(lane->in);
		rte_ring_free(lane->back);
		rte_ring_free(lane->blanks);
		rte_ring_free(lane->out);
	}
	rte_free(spreader);
}
