/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TCP_RCVWND_H
#define RILL_TCP_RCVWND_H

/*
 * The window that we offer: rcvbuf less what was not read, never taken back [9293 SHLD-14], and
 * opened only in steps that are worth a segment [9293 3.8.6.2.2].
 */

#include "tcp.h"

/* The MSS option that we send: the MTU less IP and TCP headers, or the option mss if lower
 * [MUST-67]. */
uint16_t rcvwnd_mss_to_offer(
	const struct tcp *tcp, const struct rill_options *options, uint8_t family);

/* The least shift with which a buffer of that size fits into the 16-bit field [7323 2.3]. */
unsigned int rcvwnd_scale_for(uint32_t rcvbuf);

/* The least step by which the right edge moves [9293 3.8.6.2.2]. */
uint32_t rcvwnd_step(const struct tcp *tcp, const struct rill_options *options, uint8_t family);

/* Bytes that may still be received: rcvbuf less unread and kept ones. */
uint32_t rcvwnd_space(const struct tcp *tcp, const struct rill_conn *conn);

/* Moves rcv_adv if it is time, and returns the window field for a segment that goes out now. */
uint16_t rcvwnd_advertise(struct tcp *tcp, struct rill_conn *conn);

/* Would an ACK sent now open the window by a step, while less than half of it is open? */
bool rcvwnd_update_due(const struct tcp *tcp, const struct rill_conn *conn);

/*
 * Pools that were too low for windows to open have recovered: of the connections that may have
 * been held back it looks at the next ones, TCP_REOPENS_PER_TURN at most, and those whose window may
 * open now speak. Peers would find out by probes only, a minute apart.
 */
void rcvwnd_reopen(struct tcp *tcp);

#endif
