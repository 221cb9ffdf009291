/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TCP_TLP_H
#define RILL_TCP_TLP_H

/*
 * Tail loss probe [8985 7]: when the ACKs stop coming, one segment more makes the receiver tell
 * what it has, long before the retransmission timeout.
 */

#include "ack.h"
#include "scoreboard.h"

/* Nothing is SACKed, and no probe is out; there is a side-car. */
bool tlp_side_car_allows(const struct tcp *tcp, const struct rill_conn *conn);

/* May the timer be the probe's, instead of the retransmission's? [8985 7.2] */
static inline bool
tlp_is_possible(const struct tcp *tcp, const struct rill_conn *conn)
{
	uint32_t unfit = conn->flags & (CONN_RECOVERY | CONN_RTO_RECOVERY | CONN_PROBING);

	return (conn->flags & CONN_SACK) && unfit == 0 && !(conn->modes & MODE_TLP_SPENT) &&
	       conn->retries == 0 && conn_is_synchronized(conn) &&
	       (conn->sidecar == SLAB_NONE || tlp_side_car_allows(tcp, conn));
}

/* How long to wait for an ACK before probing, µs [8985 7.2]. */
uint32_t tlp_timeout_us(const struct tcp *tcp, const struct rill_conn *conn);

/* The probe was sent: new data, or the last segment again. */
void tlp_sent(struct tcp *tcp, struct rill_conn *conn, bool again);

/* After an ACK: what it says of the probe [8985 7.4]. */
void tlp_after_ack(struct tcp *tcp, struct rill_conn *conn, struct sidecar *sidecar,
	const struct segment *segment, const struct ack_facts *facts);

#endif
