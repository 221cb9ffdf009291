/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TCP_HALF_OPEN_H
#define RILL_TCP_HALF_OPEN_H

/*
 * Half-open connections: SYN-RECEIVED of passive opens [9293 3.10.7.4; 4987]. A listener has at
 * most `backlog` of them, a lane at most syn_max. While half of that is taken the SYN,ACK is
 * repeated less often. When all of it is, newcomers are answered with cookies (cookies.h); those
 * that are there stay: were the oldest dropped for them, a flood would push out whoever has a long
 * round trip.
 */

#include "isn.h"
#include "open.h"
#include "reply.h"
#include "tcp.h"

static inline struct half_open *
half_open_at(const struct tcp *tcp, uint32_t index)
{
	return slab_at(&tcp->half_opens, index);
}

static inline const struct rill_options *
listener_options(const struct tcp *tcp, const struct rill_listener *listener)
{
	return &tcp->option_sets[listener->option_set].options;
}

/* Is there room for one more of this listener? */
bool half_open_has_room(const struct tcp *tcp, const struct rill_listener *listener);

/* What a SYN leaves behind, in no slot: iss and irs are still to be set. */
struct half_open half_open_of(const struct tcp *tcp, const struct rill_listener *listener,
	const struct segment *segment, const struct agreement *agreement, uint32_t ts_offset);

/* Keeps a SYN in a slot and answers it. Takes the mbuf; false: no room, and nothing was done. */
bool half_open_begin(struct tcp *tcp, struct rill_listener *listener, struct segment *segment,
	const struct agreement *agreement, const struct isn *isn);

/* The SYN,ACK. */
void half_open_syn_ack(const struct tcp *tcp, const struct half_open *half, struct reply *reply);

/* Ends all of a listener, or of all (NULL); peers get RST as far as its rate limit allows. */
void half_open_abort_all(struct tcp *tcp, const struct rill_listener *listener);

/* Those at this IPv4 address of ours. */
void half_open_abort_addr(struct tcp *tcp, const struct rill_addr *addr);

/*
 * The connection that the third segment opens, in ESTABLISHED, RTT not known; holder as conn_create has
 * it. NULL: no room. And the rest of that segment's way: on_open, then its data.
 */
struct rill_conn *half_open_accept(struct tcp *tcp, const struct half_open *half,
	const struct segment *segment, uint32_t holder);
void half_open_deliver(struct tcp *tcp, struct rill_conn *conn, struct segment *segment);

#endif
