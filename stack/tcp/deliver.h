/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TCP_DELIVER_H
#define RILL_TCP_DELIVER_H

/*
 * What the application is told, and received data on its way to it. After each of these the
 * connection may have ended (CONN_ENDED): the callback may have aborted it.
 */

#include "tcp.h"

void deliver_open(struct tcp *tcp, struct rill_conn *conn);
void deliver_sent(struct tcp *tcp, struct rill_conn *conn, uint32_t bytes);
void deliver_urgent(struct tcp *tcp, struct rill_conn *conn, uint32_t bytes_left);
void deliver_error(struct tcp *tcp, struct rill_conn *conn, int err);

/*
 * Can data that comes next in order be taken? Handed over at once it always can; kept, it needs a
 * side-car and room among the buffers. May put a copy in place of *data. On refusal the reason is
 * counted, and the caller frees it.
 */
bool deliver_can_take(struct tcp *tcp, struct rill_conn *conn, struct rte_mbuf **data);

/*
 * Data in order, which deliver_can_take agreed to and rcv_nxt covers already: to on_data, or kept.
 */
void deliver_data(struct tcp *tcp, struct rill_conn *conn, struct rte_mbuf *data);

/* Is data kept that the application has not been given? */
bool deliver_is_pending(const struct tcp *tcp, const struct rill_conn *conn);

/* After rill_resume: hands over what was kept, then EOF if it came meanwhile. */
void deliver_kept(struct tcp *tcp, struct rill_conn *conn);

/* The peer's FIN is in order: on_eof, unless data before it is still kept. */
void deliver_eof(struct tcp *tcp, struct rill_conn *conn);

#endif
