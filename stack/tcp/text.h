/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TCP_TEXT_H
#define RILL_TCP_TEXT_H

/* The payload and FIN of an acceptable segment [9293 3.10.7.4, seventh and eighth step]. */

#include "tcp.h"

/* Takes the segment's mbuf. Afterwards the connection may have ended. */
void text_process(struct tcp *tcp, struct rill_conn *conn, struct segment *segment);

/* Exactly the next bytes, no FIN, nothing beyond a hole: the fast path's. */
void text_in_order(struct tcp *tcp, struct rill_conn *conn, struct segment *segment);

/* [left, right) was received before: the peer is told so in an ACK of its own, where SACK is on
 * [2883 4]. */
void text_report_duplicate(struct tcp *tcp, struct rill_conn *conn, seq_t left, seq_t right);

#endif
