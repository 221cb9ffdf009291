/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TCP_CLOSE_H
#define RILL_TCP_CLOSE_H

/* How connections end, and what the application is told on the way. */

#include "tcp.h"

/* RST where the state asks for one [9293 3.10.5], then the end. */
void close_by_rst(struct tcp *tcp, struct rill_conn *conn, enum rill_close_reason why);

/* Tells the application of a soft error, and remembers it for rill_conn_info. */
void close_soft_error(struct tcp *tcp, struct rill_conn *conn, int err);

/* Our FIN was acknowledged: the next state, which may be the end. */
void close_fin_acked(struct tcp *tcp, struct rill_conn *conn);

/*
 * The peer's FIN is in order. Returns true if nothing more concerns the network: the connection
 * ended, or only waits for kept data to be read.
 */
bool close_fin_received(struct tcp *tcp, struct rill_conn *conn);

#endif
