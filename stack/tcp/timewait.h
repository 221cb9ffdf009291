/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TCP_TIMEWAIT_H
#define RILL_TCP_TIMEWAIT_H

/*
 * TIME-WAIT: a small object that holds the tuple for 2 MSL, answers retransmitted FINs, ignores RST
 * [1337], and lets a newer SYN take the tuple over [6191, 9293 MAY-2]. All wait equally long, so a
 * queue serves them with one timer.
 *
 * What a cookie opened ends here too, though it was reset, aborted or timed out (conn_leave_table).
 * Then the answers are those of CLOSED: the peer may still have to learn that it is over. A cookie is
 * good for longer (guard/cookie.h), but a duplicate is not older than 2 MSL.
 */

#include "tcp.h"

/*
 * Puts a TIME-WAIT entry in place of the connection in the table. With the bound timewait_max
 * reached the oldest makes room, unless it is only for a cookie. Returns false if there is no room.
 */
bool timewait_enter(struct tcp *tcp, const struct rill_conn *conn);

/* Entries that hold a tuple. */
uint32_t timewait_live(const struct tcp *tcp);

#endif
