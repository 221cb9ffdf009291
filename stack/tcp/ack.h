/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TCP_ACK_H
#define RILL_TCP_ACK_H

/* The ACK field of a segment in a synchronized state [9293 3.10.7.4, fifth step]. */

#include "tcp.h"

/*
 * Takes acknowledged data off the queue, samples the RTT, tells recovery, congestion control and
 * the application, updates the send window. The caller has made sure of snd_una - snd_wnd_max <=
 * SEG.ACK <= snd_nxt. Afterwards the connection may have ended.
 */
void ack_process(struct tcp *tcp, struct rill_conn *conn, const struct segment *segment);

/* The peer's window as of this segment [9293 3.10.7.4]; SEG.ACK >= snd_una. */
void ack_update_window(struct tcp *tcp, struct rill_conn *conn, const struct segment *segment);

#endif
