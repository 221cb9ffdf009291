/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TCP_REPLY_H
#define RILL_TCP_REPLY_H

/*
 * Replies that need no connection: RST, the SYN,ACK of a half-open one, TIME-WAIT's ACK. Built in
 * the received mbuf where it is ours alone, and sent back where it came from.
 */

#include "tcp.h"

struct reply {
	uint8_t flags;
	uint8_t ttl, dscp; /* ttl 0: 64 */
	uint16_t wnd;
	seq_t seq, ack;
	struct segment_options options;
};

/* Answers a segment, and uses up its mbuf. Without a buffer or room the reply is counted as
 * dropped. */
void reply_send(struct tcp *tcp, struct segment *segment, const struct reply *reply);

/* A reply to a tuple whose segment is gone (a SYN,ACK sent again): along the route. */
void reply_send_to(struct tcp *tcp, const struct tuple *tuple, const struct reply *reply);

/*
 * RST for a segment that belongs to nobody, as CLOSED answers [9293 3.10.7.1]: never to a RST,
 * within the rate limit. Uses up the mbuf, counting it under reason.
 */
void reply_rst(struct tcp *tcp, struct segment *segment, enum rill_drop reason);

#endif
