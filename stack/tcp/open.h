/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TCP_OPEN_H
#define RILL_TCP_OPEN_H

/* What both kinds of open share: options agreed on in the handshake. */

#include "tcp.h"

/* What the handshake settled for a connection. */
struct agreement {
	uint16_t peer_mss; /* as received, or the default */
	uint8_t has;       /* SEG_HAS_WSCALE, _SACK_OK, _TS: on both sides */
	uint8_t snd_wscale, rcv_wscale;
	uint16_t modes; /* MODE_ECN: both sides want it */
};

/* What a SYN (or SYN,ACK) and our own options agree on. */
struct agreement open_agree(const struct rill_options *options, const struct segment *syn);

/*
 * Payload per segment: what the peer takes, but mss_floor at least, and what our MTU and option mss
 * allow; less timestamps [9293 3.7.1, MUST-16].
 */
uint16_t open_send_mss(const struct tcp *tcp, const struct rill_options *options, uint8_t family,
	uint16_t peer_mss, bool timestamps);

/*
 * The handshake told all: window scales, MSS, congestion window. rcv_nxt, snd_una, snd_nxt are set.
 */
void open_settle(struct tcp *tcp, struct rill_conn *conn, const struct agreement *agreement);

#endif
