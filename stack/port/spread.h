/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_PORT_SPREAD_H
#define RILL_PORT_SPREAD_H

/*
 * Several lanes on a port with one queue: the lane that owns the queue, the carrier, is the NIC of
 * the others. It looks at each frame that arrives and lends those of other lanes' connections to
 * them, over a ring for each; they copy what they get into buffers of their own and give the loan
 * back. To send, a lane writes into blank buffers that the carrier has lent it, and the carrier
 * transmits these.
 *
 *     carrier  ── in ──►  lane     frames that arrived
 *              ◄─ back ──          the same buffers, read
 *              ── blanks ►         buffers to write into
 *              ◄─ out ───          the same buffers, to be sent
 *
 * So every buffer is taken from its pool and given back to it by the one lane that owns the pool,
 * nothing that a connection refers to is ever seen by another thread, and a lane that holds buffers
 * for long holds its own. The price is a copy each way, which a NIC with a queue for each lane
 * makes by DMA. The carrier's own frames are not copied.
 *
 * Where the NIC takes less than all have to send, they take turns by bursts of PORT_BURST, the
 * carrier among them, so that none waits for longer than a burst of each other.
 *
 * Bounds: SPREAD_LOANS frames of each kind for each lane. A frame for a lane that has not given
 * back as many is dropped (spread_full); a lane without blanks waits, as it does for a NIC. What the
 * NIC takes nothing of for PORT_STALL_US is dropped, the lane's as well as the carrier's own.
 *
 * What is no whole TCP segment stays with the carrier; see lane/siblings.h.
 */

#include "port.h"
#include "steer.h"

#define SPREAD_LOANS 512
#define SPREAD_LANES_MAX 16

/* Buffers of the carrier's RX pool that other lanes may hold at the most. */
#define SPREAD_LENT_MAX(lanes) (((uint32_t)(lanes)-1) * SPREAD_LOANS)
/* Blanks: what lanes hold, and what the carrier has not yet handed to the NIC. */
#define SPREAD_BLANKS(lanes) (((uint32_t)(lanes)-1) * (SPREAD_LOANS + PORT_BURST))

struct rte_ring;
struct spreader;

struct spread_setup {
	const char *name; /* begins those of its rings */
	int numa_node;
	unsigned int lanes; /* 2 .. SPREAD_LANES_MAX; the carrier is number 0 */
	const struct steer *steer;
	struct rte_mempool *blank_pool; /* the carrier's: SPREAD_BLANKS, and what the NIC holds */
};

/* NULL without memory. steer and the pool stay the caller's and outlive it. */
struct spreader *spreader_create(const struct spread_setup *setup);

/* Frees what is in its rings, and it. No lane runs. */
void spreader_destroy(struct spreader *spreader);

/* The carrier's port, open, becomes one that spreads. */
void spread_carrier(struct port *carrier, struct spreader *spreader);

/* Makes the port of lane number `lane` (1 ..), which copies what it gets into buffers of rx_pool.
 */
void spread_port(struct port *port, const struct port *carrier, unsigned int lane,
	struct rte_mempool *rx_pool);

/*
 * Up to n frames, n of a burst at most, that `in` lends to the lane of this port, copied into buffers
 * of its rx_pool; those that were lent go into `back`, which has room for them. Returns how many.
 */
uint16_t spread_borrow(struct port *port, struct rte_ring *in, struct rte_ring *back,
	struct rte_mbuf **frames, uint16_t n);

/* Drops what other lanes have handed to the carrier, whose MAC has changed, to be sent. On its thread. */
void spread_drop_waiting(struct port *carrier);

/* Gives all frames on their way back to the carrier's pools. No lane runs. */
void spreader_drain(struct spreader *spreader);

#endif
