/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TCP_LOSS_H
#define RILL_TCP_LOSS_H

/*
 * Loss: how it is noticed and repaired.
 *
 * With SACK, RACK tells it by time [8985], the loss probe (tlp.h) makes the end of a flight tell,
 * and a recovery sends what proportional rate reduction allows [9937]. Without SACK, the third
 * duplicate ACK tells it, and the recovery goes from hole to hole [6582]. The retransmission
 * timeout [6298] comes last. spurious.h takes back what proves to be a mistake.
 *
 * What is not in flight is counted in the scoreboard: bytes SACKed (without SACK: one mss for each
 * duplicate ACK) and bytes lost. Where no side-car is left for one, recovery goes on more simply:
 * each step sends the head of the queue again.
 */

#include "ack.h"
#include "scoreboard.h"
#include "tcp.h"

/* Bytes in flight: sent, not acknowledged, not SACKed, not known to be lost. */
uint32_t loss_flight(const struct tcp *tcp, const struct rill_conn *conn);

/* What congestion control is told of an event now. */
struct cc_event loss_event(const struct tcp *tcp, const struct rill_conn *conn, uint32_t flight);

/* Is only a probe of the path's MTU being repaired, which is no congestion? [4821 7.6.2] */
static inline bool
loss_is_quiet(const struct tcp *tcp, const struct rill_conn *conn)
{
	const struct sidecar *sidecar = conn_sidecar(tcp, conn);

	return sidecar != NULL && (sidecar->flags & SIDECAR_QUIET);
}

/* SACK blocks of any ACK, before the queue is looked at. Adds to facts. */
void loss_sack(struct tcp *tcp, struct rill_conn *conn, const struct segment *segment,
	struct ack_facts *facts);

/*
 * After the ACK has been taken off the queue and snd_una has moved: enters, continues or leaves
 * recovery. To be called if there is a side-car, a recovery, or facts->duplicate.
 */
void loss_after_ack(struct tcp *tcp, struct rill_conn *conn, const struct segment *segment,
	struct ack_facts *facts);

/* A segment of so many bytes was sent, new or again. */
static inline void
loss_sent(const struct tcp *tcp, const struct rill_conn *conn, uint32_t bytes)
{
	struct scoreboard *score;

	if ((conn->flags & CONN_RECOVERY) && (score = score_of(tcp, conn)) != NULL)
		prr_sent(&score->prr, bytes);
}

/*
 * What was sent in segments of more than `longest` bytes did not get through the path: it is sent
 * again, and congestion control hears nothing of it [1191 6.4].
 */
void loss_too_long(struct tcp *tcp, struct rill_conn *conn, uint32_t longest);

/* The deadline in rto_at has passed: of the retransmission, or of a window probe or cork. */
void loss_timer_expired(struct tcp *tcp, struct rill_conn *conn);

/* The reordering timer's: what it waited for is lost [8985 6.2]. */
void loss_reorder_timer_expired(struct tcp *tcp, struct rill_conn *conn);

#endif
