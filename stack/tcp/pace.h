/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TCP_PACE_H
#define RILL_TCP_PACE_H

/*
 * Connections whose congestion control paces (BBR): its state, from a bounded slab; the stamps of
 * their segments, from which delivery rates are measured; and the moments at which they may send.
 * All others pay one comparison per record.
 */

#include "bbr.h"
#include "tcp.h"

static inline bool
conn_paces(const struct rill_conn *conn)
{
	return conn->cc.algorithm == RILL_CC_BBR;
}

/*
 * The algorithm that the options name begins with the window that is given; 0: with the one that
 * there is. When no state is left for one that paces, it is CUBIC, and counted.
 */
void pace_choose(struct tcp *tcp, struct rill_conn *conn, unsigned int algorithm, uint32_t window);

/* The connection is over: gives the state back. */
void pace_release(struct tcp *tcp, struct rill_conn *conn);

/* ---- for connections that pace */

/* A record leaves, with so many bytes in flight before it. */
void pace_sent(struct tcp *tcp, struct rill_conn *conn, uint32_t index, uint32_t in_flight);

/* len bytes at the front of a record are heard of for the first time. */
void pace_delivered(struct tcp *tcp, struct rill_conn *conn, uint32_t index, uint32_t len);

/* A record and those behind it in its list of the scoreboard are newly held for lost, by an ACK, by
 * a timer, whatever found it: each is looked at with what was in flight when it was sent. */
void pace_lost(struct tcp *tcp, struct rill_conn *conn, uint32_t index);

/* What an ACK told, after pace_delivered and pace_lost for all of it. Valid until pace_sampled. */
const struct rate_sample *pace_sample(struct rill_conn *conn);
void pace_sampled(struct rill_conn *conn);

/* May a segment leave now? If not, the timer is armed for when it may. */
bool pace_allows(struct tcp *tcp, struct rill_conn *conn);

/* All that was queued has been sent: was it the application that had no more? */
void pace_drained(struct tcp *tcp, struct rill_conn *conn);

/* With MODE_PACED: when to go on. */
ustime pace_wake(const struct rill_conn *conn);

#endif
