/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TCP_COOKIES_H
#define RILL_TCP_COOKIES_H

/*
 * SYN cookies at work (guard/cookie.h has the numbers): used only while there is no room for a
 * half-open connection, and believed only if the listener used them lately [RFC4987-5].
 */

#include "open.h"
#include "tcp.h"

/* Answers a SYN by a cookie. Takes the mbuf; false: not possible, and nothing was done. */
bool cookies_answer(struct tcp *tcp, struct rill_listener *listener, struct segment *segment,
	const struct agreement *agreement);

/* Has the listener sent cookies that may still be good? */
static inline bool
cookies_are_out(const struct tcp *tcp, const struct rill_listener *listener)
{
	return tcp->now < listener->cookies_until;
}

/* Does this ACK (no SYN) bring back a good one? Then what it keeps of the SYN is in *syn. */
bool cookies_recognise(struct tcp *tcp, const struct rill_listener *listener,
	const struct segment *segment, struct cookie_syn *syn);

/* Opens the connection of an ACK whose cookie was recognised, if there is room. Takes the mbuf. */
void cookies_open(struct tcp *tcp, const struct rill_listener *listener, struct segment *segment,
	const struct cookie_syn *syn);

/*
 * An ACK for a listener that has no half-open connection: opens the connection if it brings a
 * cookie back. Takes the mbuf; false: it is for others to refuse.
 */
bool cookies_take_ack(
	struct tcp *tcp, const struct rill_listener *listener, struct segment *segment);

#endif
