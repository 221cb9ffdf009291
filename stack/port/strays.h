/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_PORT_STRAYS_H
#define RILL_PORT_STRAYS_H

/*
 * Several lanes on a port whose NIC spreads what arrives over as many queues (rss.h): each lane has
 * the queue of its number to itself, and nothing is copied. That the NIC spreads as it agreed to is
 * looked at, and not relied upon: a segment that arrives on the queue of another lane is a stray.
 *
 * Each lane compares the first STRAYS_COMPARED segments of its queue with the steer, and each SYN
 * after them, since a NIC puts all segments of a connection where it put the first. The first stray
 * of the port switches all its lanes over: from then on they compare every segment and lend the
 * strays to the lanes that they belong to, which copy and return them, as a carrier does
 * (spread.h). So connections work whatever the NIC does, and what it does is counted (rss_agreed,
 * rss_strayed).
 *
 * Bounds: SPREAD_LOANS frames from each lane to each; what is beyond is dropped (spread_full). What
 * is no whole TCP segment stays where it arrived; see lane/siblings.h.
 */

#include "port.h"
#include "spread.h"
#include "steer.h"

#define STRAYS_COMPARED 64

struct strays;

struct strays_setup {
	const char *name; /* begins those of its rings */
	int numa_node;
	unsigned int lanes; /* 2 .. SPREAD_LANES_MAX, of which number i has queue i */
	const struct steer *steer;
	bool is_random; /* any lane's segments arrive on any queue: they are compared from the start */
};

/* NULL without memory. The steer stays the caller's and outlives it. */
struct strays *strays_create(const struct strays_setup *setup);

/* Frees what is in its rings, and it. No lane runs. */
void strays_destroy(struct strays *strays);

/* The port of a queue becomes one that looks for strays, and takes copies of its own in buffers of
 * rx_pool; up to SPREAD_LENT_MAX of the same pool's are lent. */
void strays_port(struct port *port, struct strays *strays, struct rte_mempool *rx_pool);

/* The NIC has been restarted, and agreed again or not: what it does is looked at anew. All lanes' ports
 * are parked. */
void strays_restarted(struct strays *strays, bool agreed);

/* Gives all frames on their way back to their pools. No lane runs. */
void strays_drain(struct strays *strays);

/* Bytes that the rings of so many lanes take. */
uint64_t strays_bytes(unsigned int lanes);

#endif
