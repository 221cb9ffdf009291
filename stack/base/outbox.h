/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_BASE_OUTBOX_H
#define RILL_BASE_OUTBOX_H

/*
 * The frames that a lane wants to send through one port, in order: a ring of mbufs between the
 * protocols, which put complete frames in, and the port, which takes them out. What the NIC does
 * not take at once stays: the ring is also the backlog.
 *
 * Every frame gets a ticket, the count of frames put before it. A frame has left once outbox->taken
 * has passed its ticket: until then its bytes are not to be sent a second time.
 */

#include <stdbool.h>
#include <stdint.h>

#include "check.h"

#define OUTBOX_SIZE 2048        /* a power of two: the bound of what waits for the NIC */
#define OUTBOX_CONTROL_ROOM 256 /* of that, kept for replies and control frames */
#define OUTBOX_CREDIT_BACKLOG 64 /* data frames that a turn may add while others still wait */

struct rte_mbuf;

struct outbox {
	uint32_t put;    /* frames ever put: the next ticket */
	uint32_t taken;  /* frames ever taken by the port */
	uint32_t credit; /* frames that data may still add in this turn: set by the turn */
	uint32_t late_from, late_to; /* the last tickets [from, to) that left in a later turn than
					they were put in, */
	uint32_t late_us;            /* at this time (us32) */
	uint32_t turn_us;            /* time of the turn whose frames are being taken */
	uint32_t held;               /* tickets before it were put before that turn */
	uint32_t seen;               /* put, when frames were last taken */
	struct rte_mbuf *ring[OUTBOX_SIZE];
};

static inline uint32_t
outbox_count(const struct outbox *outbox)
{
	return outbox->put - outbox->taken;
}

/* Room for data frames, within the turn's credit, which is never more than the ring has. */
static inline uint32_t
outbox_room(const struct outbox *outbox)
{
	return outbox->credit;
}

/* Can a control frame be put? */
static inline bool
outbox_has_control_room(const struct outbox *outbox)
{
	return outbox_count(outbox) < OUTBOX_SIZE;
}

/* Puts a frame; the caller has asked for room. Returns its ticket. */
static inline uint32_t
outbox_put(struct outbox *outbox, struct rte_mbuf *frame)
{
	RILL_DCHECK(outbox_count(outbox) < OUTBOX_SIZE);
	outbox->ring[outbox->put & (OUTBOX_SIZE - 1)] = frame;
	if (outbox->credit > 0)
		outbox->credit--;
	return outbox->put++;
}

/*
 * For whoever takes frames: the turn of time now_us (us32) is over. Called before each outbox_took;
 * calls of one turn after the first change nothing.
 */
static inline void
outbox_turn_over(struct outbox *outbox, uint32_t now_us)
{
	if (outbox->turn_us != now_us) {
		outbox->held = outbox->seen;
		outbox->turn_us = now_us;
	}
	outbox->seen = outbox->put;
}

/* The oldest n frames have left. */
static inline void
outbox_took(struct outbox *outbox, uint32_t n)
{
	uint32_t from = outbox->taken;

	RILL_DCHECK(n <= outbox_count(outbox));
	outbox->taken += n;
	if (n == 0 || (int32_t)(outbox->held - from) <= 0)
		return;
	if (outbox->late_us != outbox->turn_us || outbox->late_to != from)
		outbox->late_from = from;
	outbox->late_us = outbox->turn_us;
	outbox->late_to =
		(int32_t)(outbox->held - outbox->taken) < 0 ? outbox->held : outbox->taken;
}

/*
 * Sets what data may add in the next turn, all of whose frames find room in a port of this many
 * descriptors.
 */
static inline void
outbox_set_credit(struct outbox *outbox, uint32_t descriptors)
{
	uint32_t used = outbox_count(outbox) + OUTBOX_CONTROL_ROOM;
	uint32_t room = used < OUTBOX_SIZE ? OUTBOX_SIZE - used : 0;
	uint32_t credit = outbox_count(outbox) > 0 ? OUTBOX_CREDIT_BACKLOG : descriptors;

	outbox->credit = credit < room ? credit : room;
}

/* Does the frame of this ticket still wait for the NIC? */
static inline bool
outbox_waiting(const struct outbox *outbox, uint32_t ticket)
{
	return (int32_t)(ticket - outbox->taken) >= 0;
}

#endif
