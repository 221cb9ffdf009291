/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TCP_TLP_H
#define RILL_TCP_TLP_H

/*
 * Tail loss probe [8985 7]: when the ACKs stop coming, one segment more makes the receiver tell
 * what it has, long before the retransmission timeout.
 */

#include "ack.h"
#include "scoreboard.h"

/* May the timer be the probe's, instead of the retransmission's? [8985 7.2] */
bool tlp_is_possible(const struct tcp *tcp, const struct rill_conn *conn);

/* How long to wait for an ACK before probing, µs [8985 7.2]. */
uint32_t tlp_timeout_us(const struct tcp *tcp, const struct rill_conn *conn);

/* The probe was sent: new data, or the last segment again. */
void tlp_sent(struct tcp *tcp, struct rill_conn *conn, bool again);

/* After an ACK: what it says of the probe [8985 7.4]. */
void tlp_after_ack(struct tcp *tcp, struct rill_conn *conn, struct sidecar *sidecar,
	const struct segment *segment, const struct ack_facts *facts);

#endif
