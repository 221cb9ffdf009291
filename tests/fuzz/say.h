/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FUZZ_SAY_H
#define FUZZ_SAY_H

/*
 * What the peer can say, in terms of what the lane knows: an input names places ("the window's right
 * edge, plus 3"), not sequence numbers, so that small changes of an input lead near the edges.
 */

#include "world.h"

#define STEP_LEN 16

/*
 * One step of an input. The bytes mean, for a segment:
 *
 *   what     STEP_...; STEP_SEGMENT is also what unknown numbers mean
 *   flow     which, and STEP_SAME_BURST: the next step's frames arrive in the same turn
 *   flags    as on the wire
 *   seq, seq_delta, ack, ack_delta    a place, and how far beside it
 *   len      payload
 *   wnd      window
 *   options, ts_delta, sack_from, sack_shape
 *   urg      urgent pointer
 *   twist    what is wrong with the packet below TCP
 *   extra    where it is wrong, or how it is split
 *
 * The other kinds read flags as what to do, seq as how much.
 */
struct step {
	uint8_t what, flow, flags, seq, seq_delta, ack, ack_delta, len, wnd, options, ts_delta, sack_from,
		sack_shape, urg, twist, extra;
};

#define STEP_SAME_BURST 0x80
#define STEP_FLIPS 8 /* the twist that changes one byte under a right checksum */

/* A packet with a link header, in pieces of at most piece bytes; marks: what the NIC says of its sums. */
void put_frame(const uint8_t *packet, size_t len, uint16_t type, uint32_t piece, uint8_t marks);

/* The segment that a step describes. */
void peer_says(struct flow *flow, const struct step *step);
/* A segment as a well-behaved peer would send it now. */
void peer_plain(struct flow *flow, uint8_t flags, uint32_t ahead, uint32_t len);
/* It acknowledges all that was sent, and sends len bytes. */
void peer_agrees(struct flow *flow, uint32_t len);
/* A SYN with the options that shape chooses; mss, window scale and so on. */
void peer_opens(struct flow *flow, uint8_t flags, uint32_t seq, uint8_t shape);
/* A segment as the lane may have sent it: its place is the step's ack. Returns its length. */
size_t peer_heard(struct flow *flow, const struct step *step, uint8_t *packet);
/* An ICMP error that quotes a segment of the flow, in IPv4. */
void peer_complains(struct flow *flow, const struct step *step);
/* An ARP packet, or bytes that are none. */
void peer_mumbles(struct flow *flow, const struct step *step);

#endif
