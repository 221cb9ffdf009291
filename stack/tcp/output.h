/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TCP_OUTPUT_H
#define RILL_TCP_OUTPUT_H

#include "tcp.h"

/*
 * A connection says what it has to say, within the outbox's room; what must wait leaves it dirty.
 */
void output_conn(struct tcp *tcp, struct rill_conn *conn);

/*
 * The same for the plain case: an established connection where nothing is lost, and whose unsent data
 * lies in buffers that take headers, each of which is one segment. Returns whether the connection has
 * no more to say now; if not, output_conn goes on from where this stopped.
 */
bool output_fast(struct tcp *tcp, struct rill_conn *conn);

/* Before the first data after an idle time: the window that was known is stale [5681 4.1]. */
void output_restart_after_idle(struct tcp *tcp, struct rill_conn *conn);

#endif
