/* SPDX-License-Identifier: BSD-3-Clause */
#include "strays.h"

#include <stdatomic.h>
#include <stdio.h>

#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "check.h"
#include "counters.h"
#include "whose.h"

/* From one lane to one other. */
struct stray_path {
	struct rte_ring *in;   /* frames that arrived on the former's queue and are the latter's */
	struct rte_ring *back; /* the same buffers, copied */
};

/* One lane's alone. */
struct stray_lane {
	uint32_t lent[SPREAD_LANES_MAX]; /* frames in `in`, in that lane's hands and in `back` */
	uint32_t to_compare;             /* segments, before only SYNs are looked at */
	unsigned int first;              /* whose frames are taken first in the next turn */
} __rte_cache_aligned;

struct strays {
	/* Written once. */
	atomic_bool strayed; /* a stray has been seen */
	atomic_bool handed;  /* something has been lent: by that, or put together from fragments */
	unsigned int lanes;
	const struct steer *steer;
	struct stray_path path[SPREAD_LANES_MAX][SPREAD_LANES_MAX]; /* [from][to] */
	struct stray_lane lane[SPREAD_LANES_MAX];
};

/* ---- lending */

static void
free_returned(struct strays *strays, unsigned int self, unsigned int to)
{
	struct rte_mbuf *frames[PORT_BURST];
	struct rte_ring *back = strays->path[self][to].back;
	unsigned int n;

	while ((n = rte_ring_sc_dequeue_burst(back, (void **)frames, PORT_BURST, NULL)) > 0) {
		strays->lane[self].lent[to] -= n;
		rte_pktmbuf_free_bulk(frames, n);
	}
}

static void
take_back(struct port *port)
{
	struct strays *strays = port->strays;
	uint32_t *lent = strays->lane[port->lane].lent;

	port->lent = 0;
	for (unsigned int to = 0; to < strays->lanes; to++) {
		if (lent[to] == 0)
			continue;
		free_returned(strays, port->lane, to);
		port->lent += lent[to];
	}
}

/* Within the bound there is room in the ring. */
static void
lend(struct port *port, unsigned int to, struct rte_mbuf **frames, unsigned int n)
{
	uint32_t *lent = &port->strays->lane[port->lane].lent[to];
	unsigned int taken = rte_ring_sp_enqueue_burst(port->strays->path[port->lane][to].in,
		(void **)frames, RTE_MIN(n, SPREAD_LOANS - *lent), NULL);

	*lent += taken;
	port->lent += taken;
	port->counters->frames_handed += taken;
	for (unsigned int i = taken; i < n; i++)
		drop_packet(port->counters, frames[i], RILL_DROP_spread_full);
}

/* Lanes take turns in being first. */
static uint16_t
borrow_from_all(struct port *port, struct rte_mbuf **frames, uint16_t n)
{
	struct strays *strays = port->strays;
	unsigned int from = strays->lane[port->lane].first;
	uint16_t got = 0;

	for (unsigned int i = 0; i < strays->lanes; i++) {
		const struct stray_path *path = &strays->path[from][port->lane];

		if (from != port->lane)
			got += spread_borrow(port, path->in, path->back, frames + got, n - got);
		from = from + 1 == strays->lanes ? 0 : from + 1;
	}
	strays->lane[port->lane].first = from + 1 == strays->lanes ? 0 : from + 1;
	return got;
}

/* ---- arriving */

static bool
has_strayed(const struct strays *strays)
{
	return atomic_load_explicit(&strays->strayed, memory_order_relaxed);
}

static bool
has_handed(const struct strays *strays)
{
	return atomic_load_explicit(&strays->handed, memory_order_relaxed);
}

static void
note_handed(struct strays *strays)
{
	if (!has_handed(strays)) /* a line that all lanes read */
		atomic_store_explicit(&strays->handed, true, memory_order_relaxed);
}

static void
queue_hand(struct port *port, unsigned int lane, struct rte_mbuf *frame)
{
	note_handed(port->strays);
	lend(port, lane, &frame, 1);
}

/* Keeps this lane's own of n frames, in order, and lends the strays; returns how many it kept. */
static uint16_t
sort(struct port *port, struct rte_mbuf **frames, uint16_t n)
{
	struct strays *strays = port->strays;
	struct stray_lane *me = &strays->lane[port->lane];
	struct rte_mbuf *theirs[SPREAD_LANES_MAX][PORT_BURST];
	uint16_t counts[SPREAD_LANES_MAX] = {0}, kept = 0;
	bool all = me->to_compare > 0 || has_strayed(strays);
	uint32_t agreed = 0, strayed = 0;

	for (uint16_t i = 0; i < n; i++) {
		unsigned int lane = port->lane;
		struct whose whose;

		if (i + 2 < n)
			rte_prefetch0(rte_pktmbuf_mtod(frames[i + 2], void *));
		if (whose_read(frames[i], &whose) && (all || whose.syn)) {
			lane = steer_lane(strays->steer, &whose.tuple);
			agreed += lane == port->lane;
			strayed += lane != port->lane;
		}
		if (lane == port->lane)
			frames[kept++] = frames[i];
		else
			theirs[lane][counts[lane]++] = frames[i];
	}
	port->counters->rss_agreed += agreed;
	me->to_compare -= RTE_MIN(me->to_compare, agreed);
	if (strayed == 0)
		return kept;
	port->counters->rss_strayed += strayed;
	if (!has_strayed(strays)) /* a line that all lanes read */
		atomic_store_explicit(&strays->strayed, true, memory_order_relaxed);
	note_handed(strays);
	for (unsigned int lane = 0; lane < strays->lanes; lane++)
		if (counts[lane] > 0)
			lend(port, lane, theirs[lane], counts[lane]);
	return kept;
}

/* Strays get up to half of the room, so that neither they nor the queue's own wait for long. */
static uint16_t
queue_rx(struct port *port, struct rte_mbuf **frames, uint16_t n)
{
	uint16_t got = 0, mine;

	if (unlikely(has_handed(port->strays))) {
		take_back(port);
		got = borrow_from_all(port, frames, n / 2);
	}
	mine = rte_eth_rx_burst(
		port->ethdev_id, port->queue, frames + got, RTE_MIN(n - got, PORT_BURST));
	return mine == 0 ? got : got + sort(port, frames + got, mine);
}

void
strays_port(struct port *port, struct strays *strays, struct rte_mempool *rx_pool)
{
	/* Of the ports of one device only the first has anything to close. */
	static const struct port_ops ops = {
		.rx = queue_rx, .tx = port_tx_ethdev, .close = port_close_ethdev, .hand = queue_hand};

	port->ops = &ops;
	port->strays = strays;
	port->lane = port->queue;
	port->rx_pool = rx_pool;
}

void
strays_restarted(struct strays *strays, bool agreed)
{
	for (unsigned int i = 0; i < strays->lanes; i++)
		strays->lane[i].to_compare = STRAYS_COMPARED;
	if (!agreed)
		atomic_store_explicit(&strays->strayed, true, memory_order_relaxed);
}

/* ---- its life */

static struct rte_ring *
make_ring(const struct strays_setup *setup, const char *what, unsigned int from, unsigned int to)
{
	char name[RTE_RING_NAMESIZE];

	snprintf(name, sizeof(name), "%s_%s%ux%u", setup->name, what, from, to);
	return rte_ring_create(name, SPREAD_LOANS, setup->numa_node,
		RING_F_SP_ENQ | RING_F_SC_DEQ | RING_F_EXACT_SZ);
}

static bool
make_paths(struct strays *strays, const struct strays_setup *setup, unsigned int from)
{
	for (unsigned int to = 0; to < setup->lanes; to++) {
		struct stray_path *path = &strays->path[from][to];

		if (to == from)
			continue;
		path->in = make_ring(setup, "in", from, to);
		path->back = make_ring(setup, "back", from, to);
		if (path->in == NULL || path->back == NULL)
			return false;
	}
	return true;
}

struct strays *
strays_create(const struct strays_setup *setup)
{
	struct strays *strays = rte_zmalloc_socket(
		"rill_strays", sizeof(*strays), RTE_CACHE_LINE_SIZE, setup->numa_node);

	RILL_ASSERT(setup->lanes > 1 && setup->lanes <= SPREAD_LANES_MAX);
	if (strays == NULL)
		return NULL;
	strays->lanes = setup->lanes;
	strays->steer = setup->steer;
	atomic_init(&strays->strayed, setup->is_random);
	for (unsigned int i = 0; i < setup->lanes; i++) {
		strays->lane[i].to_compare = STRAYS_COMPARED;
		if (make_paths(strays, setup, i))
			continue;
		strays_destroy(strays);
		return NULL;
	}
	return strays;
}

static void
empty_ring(struct rte_ring *ring)
{
	struct rte_mbuf *frame;

	while (ring != NULL && rte_ring_sc_dequeue(ring, (void **)&frame) == 0)
		rte_pktmbuf_free(frame);
}

void
strays_drain(struct strays *strays)
{
	for (unsigned int from = 0; from < strays->lanes; from++)
		for (unsigned int to = 0; to < strays->lanes; to++) {
			empty_ring(strays->path[from][to].in);
			empty_ring(strays->path[from][to].back);
			strays->lane[from].lent[to] = 0;
		}
}

void
strays_destroy(struct strays *strays)
{
	if (strays == NULL)
		return;
	strays_drain(strays);
	for (unsigned int from = 0; from < strays->lanes; from++)
		for (unsigned int to = 0; to < strays->lanes; to++) {
			rte_ring_free(strays->path[from][to].in);
			rte_ring_free(strays->path[from][to].back);
		}
	rte_free(strays);
}

uint64_t
strays_bytes(unsigned int lanes)
{
	/* A ring of exactly so many slots has room for twice as many. */
	uint64_t ring = 2ull * SPREAD_LOANS * sizeof(void *) + sizeof(struct rte_ring) +
			sizeof(struct rte_memzone);

	return sizeof(struct strays) + 2ull * lanes * (lanes - 1) * ring;
}
