/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_PERF_FAR_H
#define RILL_PERF_FAR_H

/*
 * The far end of a wire, as the player uses it. A program is linked with one implementation:
 *
 *   far_ring.c   the ring wire, another core of the server's process
 *   far_port.c   a DPDK port, and the server is another process
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_ether.h>

/* Frames of one far_take, at most. */
#define FAR_BURST 32

/* First member of an implementation's own structure. */
struct far_wire {
	struct rte_ether_addr server_mac;
	bool vouches; /* checksums are the wire's work: the server's frames carry none */
};

struct far_frame {
	const uint8_t *data;
	uint32_t len;
};

/*
 * Where the next frame is to be written, or NULL while the wire has no room. The same until
 * far_filled.
 */
uint8_t *far_slot(struct far_wire *far);

/* A frame of len bytes stands there now. It leaves with its batch, or with the flush. */
void far_filled(struct far_wire *far, uint16_t len);

/* What is filled leaves, be it less than a batch. */
void far_flush(struct far_wire *far);

/* Up to FAR_BURST frames; returns how many. They stand until the next call. */
unsigned int far_take(struct far_wire *far, struct far_frame frames[FAR_BURST]);

/* For when nothing moves: what the wire owes the server, if it keeps anything back. */
void far_report(struct far_wire *far);

#endif
