/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TCP_INPUT_H
#define RILL_TCP_INPUT_H

/* A segment's way, inside tcp/. Each of these takes the segment's mbuf. */

#include "tcp.h"

/* A connection in ESTABLISHED that gets just the next data or ACK; false: nothing was done, ask
 * input_slow. */
bool input_fast(struct tcp *tcp, struct rill_conn *conn, struct segment *segment);

/* A connection in SYN-RECEIVED (simultaneous open) or a synchronized state [9293 3.10.7.4]. */
void input_slow(struct tcp *tcp, struct rill_conn *conn, struct segment *segment);

/* A connection in SYN-SENT [9293 3.10.7.3] (open.c). */
void input_syn_sent(struct tcp *tcp, struct rill_conn *conn, struct segment *segment);

/* No connection: a listener's, or nobody's [9293 3.10.7.1, 3.10.7.2] (listen.c). */
void input_listen(struct tcp *tcp, struct segment *segment, seq_t iss_above, bool has_iss_above);

/*
 * What a listener makes of the SYN of a tuple in TIME-WAIT: would its new connection have timestamps?
 * Can it be opened now? In a slot at a sequence number above the old one's; or, since a cookie's
 * cannot be chosen, with timestamps on both to keep old segments out.
 */
bool listen_offers_ts(const struct tcp *tcp, const struct segment *syn);
bool listen_reopens(const struct tcp *tcp, const struct segment *syn, bool had_ts);

/* A half-open passive connection (half_open.c). */
void input_half_open(struct tcp *tcp, uint32_t index, struct segment *segment);

/*
 * An ICMP error about the SYN,ACK of a half-open connection, if it has this sequence number: a hard
 * one ends it. Returns why it changes nothing, or RILL_DROP_COUNT (half_open.c).
 */
enum rill_drop half_open_unreachable(struct tcp *tcp, uint32_t index, seq_t at, bool hard);

/* A tuple in TIME-WAIT (timewait.c). */
void input_time_wait(struct tcp *tcp, uint32_t index, struct segment *segment);

/* The segment's payload as a chain without headers; NULL if it has none. The mbuf is used up either
 * way. */
struct rte_mbuf *input_payload(struct segment *segment);

#endif
