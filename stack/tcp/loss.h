/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TCP_LOSS_H
#define RILL_TCP_LOSS_H

/*
 * Loss: how it is noticed and repaired. Fast retransmit and recovery by SACK [6675] or by duplicate
 * ACKs [6582], and the retransmission timeout [6298].
 *
 * What is not in flight is counted in the side-car: bytes SACKed (without SACK: one mss for each
 * duplicate ACK, which inflates the window as RFC 5681 says) and bytes lost. Without a side-car,
 * recovery goes on more simply: each step sends the head of the queue again.
 */

#include "tcp.h"

/* Bytes in flight: sent, not acknowledged, not SACKed, not known to be lost. */
uint32_t loss_flight(const struct tcp *tcp, const struct rill_conn *conn);

/*
 * An ACK that acknowledges nothing new while data is outstanding, with the same window, no payload,
 * no SYN or FIN [5681 2].
 */
void loss_duplicate_ack(struct tcp *tcp, struct rill_conn *conn);

/* SACK blocks of any ACK. Returns true if they told something new [6675 2]. */
bool loss_sack_blocks(struct tcp *tcp, struct rill_conn *conn, const struct segment *segment);

/* After SACK news: enters or continues recovery. */
void loss_sack_news(struct tcp *tcp, struct rill_conn *conn);

/* `acked` sequence numbers left the queue; snd_una has moved. sacked, lost: what of them was so
 * marked. */
void loss_progress(
	struct tcp *tcp, struct rill_conn *conn, uint32_t acked, uint32_t sacked, uint32_t lost);

/* The deadline in rto_at has passed. */
void loss_timer_expired(struct tcp *tcp, struct rill_conn *conn);

#endif
