/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TCP_TIMERS_H
#define RILL_TCP_TIMERS_H

/*
 * A connection's timers, offered as protocol events. One node on the wheel serves them all: it
 * stands at or before the earliest deadline, and when it fires early it is simply armed again.
 *
 *   retransmission  rto_at: while something is outstanding: RTO after the last progress [6298 5]
 *   loss probe      rto_at, with MODE_PTO: before the retransmission, where SACK is on [8985 7.2]
 *   reordering      rto_at, with MODE_REORDER_TIMER: until what is late counts as lost [8985 6.2]
 *   window probe    rto_at: data waits for a closed or silly window [9293 3.8.6.1]
 *   cork            rto_at: a partial segment is held back, 200 ms at most
 *   pacing          the pacer's, with MODE_PACED: data waits for its moment
 *   delayed ACK     delack_at [9293 3.8.6.3]
 *   user timeout    stall_ms + uto_ms(), while something is outstanding, or data waits for the
 *                   peer's window or for the way to it [9293 3.9.1.5, 5482]
 *   keepalive       heard_ms + idle, then + interval for each probe [9293 3.8.4]; the end after the
 *                   last one not before heard_ms + uto_keepalive_ms() [5482 4.2]
 *   FIN-WAIT-2      stall_ms + fin_wait2_ms, after rill_close
 *   linger          linger_at_ms, after rill_close
 */

#include "tcp.h"

#define TIMERS_CROWD 16384 /* armed nodes, a cache line each, that a core's cache does not hold */

/* The retransmission timeout now, backed off. */
uint32_t timers_rto_us(const struct tcp *tcp, const struct rill_conn *conn);

/* Something was sent that wants an ACK; first: nothing else was outstanding [6298 5.1]. */
void timers_data_sent(struct tcp *tcp, struct rill_conn *conn, bool first);

/* The retransmission timer expired and what it does was done: it starts again, backed off
 * [6298 5.6]. */
void timers_restart_rto(struct tcp *tcp, struct rill_conn *conn);

/* The head of the queue was sent again: its time runs anew, after the reordering timer if that
 * runs. */
void timers_head_sent_again(struct tcp *tcp, struct rill_conn *conn);

/* What was late is lost after so long, unless an ACK tells of it before. */
void timers_reorder(struct tcp *tcp, struct rill_conn *conn, uint32_t delay_us);

/* New data was acknowledged: the retransmission timer starts afresh, or stops [6298 5.2, 5.3]. */
void timers_data_acked(struct tcp *tcp, struct rill_conn *conn);

/* Data waits for the window: probe it, after backed-off RTOs [9293 SHLD-29, SHLD-30]. */
void timers_window_blocked(struct tcp *tcp, struct rill_conn *conn);

/* Something is to be sent, but the next hop is not resolved: it counts as if it had been sent. */
void timers_path_blocked(struct tcp *tcp, struct rill_conn *conn);

/* Something waits for buffers or room that no ACK will make: the pools are low. */
void timers_room_wanted(struct tcp *tcp, struct rill_conn *conn);

/* Data waits for the pacer. */
void timers_paced(struct tcp *tcp, struct rill_conn *conn);

/* A partial segment is held back by cork. */
void timers_corked(struct tcp *tcp, struct rill_conn *conn);

/* Nothing waits and nothing is outstanding. */
void timers_nothing_to_send(struct rill_conn *conn);

/* There is no buffer for an ACK that is owed at once: it is tried again a little later. */
void timers_ack_held_up(struct tcp *tcp, struct rill_conn *conn);

/* An ACK is owed, but not at once. */
void timers_ack_owed(struct tcp *tcp, struct rill_conn *conn);

/* Deadlines that depend on options or state changed: looks at all of them again. */
void timers_review(struct tcp *tcp, struct rill_conn *conn);

/* The true earliest deadline, or USTIME_NEVER. */
ustime timers_deadline(const struct tcp *tcp, const struct rill_conn *conn);

/* Are there so many nodes that one is rather taken off the wheel than left to fire in vain? */
static inline bool
timers_are_crowded(const struct tcp *tcp)
{
	return tcp->wheel->armed > TIMERS_CROWD;
}

/* A valid segment came: silence begins anew, and the next probe may be due sooner than it was. */
static inline void
timers_peer_heard(struct tcp *tcp, struct rill_conn *conn)
{
	bool probed = conn_keep_probes(conn) > 0;

	conn->heard_ms = tcp->now_ms;
	conn_keep_probes(conn) = 0;
	if (unlikely(probed))
		timers_review(tcp, conn);
}

#endif
