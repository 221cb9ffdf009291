/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TCP_EMIT_H
#define RILL_TCP_EMIT_H

/* Segments of connections, built into frames: TCP, IP and link header in front of the payload. */

#include "tcp.h"
#include "tso.h"

/* Bytes of options that a segment of this connection carries now: timestamps and SACK blocks. */
unsigned int emit_options_len(const struct tcp *tcp, const struct rill_conn *conn);

/*
 * Sends the bytes of `count` whole records from `index` on, in one segment (count 0: no payload),
 * and notes time and ticket in the records. The next hop is usable and the outbox has room.
 * With TCP_ACK the ACK that was owed is settled. Returns false without a buffer: nothing was sent.
 */
bool emit_segment(struct tcp *tcp, struct rill_conn *conn, uint8_t flags, seq_t seq, uint32_t index,
	unsigned int count);

/* The same of new data that may be a train, at snd_nxt. */
bool emit_train(
	struct tcp *tcp, struct rill_conn *conn, uint8_t flags, const struct train *train);

/*
 * A pure ACK. Its SEQ is snd_nxt, but not beyond the peer's window, where the peer would have to
 * refuse it with its ACK: as while a probe of a closed window is out. Returns false if it could not
 * be sent now.
 */
bool emit_ack(struct tcp *tcp, struct rill_conn *conn);

/* SYN, or SYN,ACK in a simultaneous open, with all options that are on offer. */
bool emit_syn(struct tcp *tcp, struct rill_conn *conn);

/*
 * RST at the end of what was sent, with our ACK [9293 3.10.5]. Best effort: needs a usable next hop.
 * To a segment whose ACK is not acceptable reply_rst answers.
 */
void emit_rst(struct tcp *tcp, struct rill_conn *conn);

/*
 * Prepares a frame's tail for its checksums: the TCP header (checksum field 0) is at data start +
 * l2_len + l3_len. Sets the field, or what the NIC needs for it.
 */
void emit_checksum(const struct tcp *tcp, const struct tuple *tuple, struct rte_mbuf *frame,
	uint16_t l2_len, uint16_t l3_len, uint16_t tcp_len);

/* Is the way out known? Looks the route and next hop up if needed; false: parked, or failed. */
bool emit_path_ready(struct tcp *tcp, struct rill_conn *conn);

#endif
