/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_PERF_RING_WIRE_H
#define RILL_PERF_RING_WIRE_H

/*
 * A wire between two cores of one process that costs the lane what a NIC does.
 *
 *   lane, one core                          far side, another core
 *   posts empty buffers of its pool    ──►  copies frames into them
 *   receives them, in the order posted ◄──  says how long each is, a burst at a time
 *   gives frames, piece by piece       ──►  copies them out
 *   frees what was sent                ◄──  says how many pieces it has copied, late and in batches
 *
 * As with a NIC, only descriptors and bytes cross: the far side never sees an mbuf, and touches no
 * pool. The lane keeps the mbufs that stand behind its descriptors, and does with them what a
 * driver does: it allocates and frees them in batches, and sets their fields when a frame has
 * arrived. The four rings are rte_rings with one producer and one consumer.
 *
 * The lane's side is a struct port. Its rx hands out at most `burst` frames, which is what the far
 * side publishes at once while it has that many: so two servers of different speed are given equal
 * bursts.
 */

#include <stdbool.h>
#include <stdint.h>

#include "port.h"

#define RING_WIRE_DESC 1024      /* descriptors of each ring, a power of two */
#define RING_WIRE_FREE_BATCH 32  /* buffers posted, and sent pieces reported, at once */
#define RING_WIRE_LATE 64        /* sent pieces that the far side keeps to itself, at least */
#define RING_WIRE_FRAME_MAX 1536 /* bytes, Ethernet header included */

struct rte_ring;

/* What crosses: an empty buffer, a frame's length, or a piece of a frame to be sent. */
struct ring_desc {
	uint8_t *data;
	uint16_t len;   /* room of an empty buffer; bytes of the rest */
	uint16_t flags; /* RING_DESC_... */
	uint32_t count; /* sent pieces, in the ring that reports them */
};

enum {
	RING_DESC_END = 0x01,       /* the frame's last piece */
	RING_DESC_CKSUM_GOOD = 0x02 /* the far side vouches for IP and TCP checksum */
};

/* A frame that the far side has copied out. */
struct ring_frame {
	uint32_t len;
	uint8_t data[RING_WIRE_FRAME_MAX];
};

struct ring_wire {
	/* The lane's. */
	struct port port;
	struct rte_mempool *pool;
	uint16_t burst;        /* frames of one rx, at most */
	uint32_t posted;       /* buffers ever given to the far side */
	uint32_t received;     /* and come back with a frame */
	uint32_t given;        /* pieces ever given to be sent */
	uint32_t freed;        /* and freed */
	uint64_t rx_no_buffer; /* times that the pool had none to post */
	struct rte_mbuf *behind_rx[RING_WIRE_DESC];
	struct rte_mbuf *behind_tx[RING_WIRE_DESC];

	/* Both sides read it. */
	struct rte_ring *empty __rte_cache_aligned;
	struct rte_ring *full, *out, *done;

	/* The far side's. */
	uint16_t batch __rte_cache_aligned; /* frames published at once */
	bool vouches;                       /* frames carry RING_DESC_CKSUM_GOOD */
	unsigned int slots, slots_used;     /* of slot[] */
	unsigned int filled;                /* frames in complete[] */
	uint32_t unreported;                /* pieces copied out and not reported */
	struct ring_desc slot[RING_WIRE_FREE_BATCH];
	struct ring_desc complete[PORT_BURST];
	struct ring_frame partial; /* a frame whose end has not come yet */
};

struct ring_wire_setup {
	const char *name;         /* of the rings: a short one, its own for each wire */
	struct rte_mempool *pool; /* the lane's, for what it receives */
	uint16_t burst;           /* 1 .. PORT_BURST */
	bool checksums;           /* the wire does them, as a NIC with offload would */
};

/* Posts the first buffers. Returns NULL with a sentence on stderr. The caller's thread is the
 * lane's. */
struct ring_wire *ring_wire_create(const struct ring_wire_setup *setup);

/* Frees every buffer that the wire holds. Both sides have ended. */
void ring_wire_destroy(struct ring_wire *wire);

/* ---- far side */

/*
 * Where the next frame is to be written: RING_WIRE_FRAME_MAX bytes of an empty buffer, or NULL when
 * the lane has posted none. The same until ring_far_filled.
 */
uint8_t *ring_far_slot(struct ring_wire *wire);

/* That buffer now holds a frame of len bytes. Published with the batch it completes, or by the
 * flush. */
void ring_far_filled(struct ring_wire *wire, uint16_t len);

/* Publishes what is filled, be it less than a batch. */
void ring_far_flush(struct ring_wire *wire);

/* Copies up to n frames out, n <= PORT_BURST; returns how many. */
unsigned int ring_far_take(struct ring_wire *wire, struct ring_frame *frames, unsigned int n);

/* Reports everything that was copied out: for when nothing else moves. */
void ring_far_report(struct ring_wire *wire);

#endif
