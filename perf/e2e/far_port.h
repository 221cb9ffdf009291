/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_PERF_FAR_PORT_H
#define RILL_PERF_FAR_PORT_H

/*
 * The far end of a wire that leads to another process, for the player: a DPDK port. Frames are
 * written into the buffers that the port sends, and read in those that it received.
 */

#include "far.h"
#include "port.h"

#define FAR_PORT_WAITING 64 /* frames that may wait for room in the port's ring */

struct far_port {
	struct far_wire far;
	struct port *port;
	struct rte_mempool *pool;
	unsigned int spare_count, taken_count, waiting_count;
	struct rte_mbuf *spare[FAR_BURST];            /* buffers to be filled, the last one first */
	struct rte_mbuf *taken[FAR_BURST];            /* what the last far_take gave */
	struct rte_mbuf *waiting[FAR_PORT_WAITING];   /* filled, oldest first */
};

/* The port runs; its buffers, and those of frames that are sent, are of the pool. */
void far_port_init(struct far_port *far_port, struct port *port, struct rte_mempool *pool,
	const struct rte_ether_addr *server_mac);

/* Frees the buffers that it holds. */
void far_port_fini(struct far_port *far_port);

#endif
