/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TCP_UTO_H
#define RILL_TCP_UTO_H

/*
 * The user timeout, and the option by which the two sides tell each other theirs [5482].
 *
 * Option user_timeout_option is off by default: nothing is sent, what the peer says is ignored, and
 * user_timeout_ms alone says how long data may stay unacknowledged (0: until the retries are used
 * up). With it user_timeout_ms is also told to the peer (ADV_UTO; 0 is not told), on SYN and SYN,ACK
 * and once more when rill_set changes it; and what the peer says last in a valid segment
 * (REMOTE_UTO) has a say in ours:
 *
 *	min(U_LIMIT, max(user_timeout_ms, REMOTE_UTO, L_LIMIT)) [5482 3.1]
 *
 *   L_LIMIT   100 s, which is R2's least [1122 4.2.3.5]; user_timeout_ms if that is less and not 0
 *   U_LIMIT   one hour; user_timeout_ms if that is more
 *
 * So the peer can only make it longer than the application's own. As long as the peer has said
 * nothing, ours is user_timeout_ms. An application whose timeout must not change (CHANGEABLE false
 * in the RFC's words) leaves the option off.
 *
 * With the option neither the count of retries nor keepalive ends a synchronized connection before
 * the timeout that holds: unanswered keepalive probes stop, and the end waits [5482 4.2].
 *
 * The peer's value lives in the connection's side-car, which it keeps; without a side-car left it
 * is ignored (counter sidecar_misses).
 */

#include "tcp.h"

#define UTO_L_LIMIT_MS 100000u
#define UTO_U_LIMIT_MS 3600000u

/* The timeout that holds by the formula above. own_ms 0: none; remote_ms 0: the peer said nothing.
 * Returns 0 if there is none. */
uint32_t uto_adopt_ms(uint32_t own_ms, uint32_t remote_ms);

/* The same of a connection whose option is on. */
uint32_t uto_adopted_ms(const struct tcp *tcp, const struct rill_conn *conn);

/* The user timeout that holds, 0: none. */
static inline uint32_t
uto_ms(const struct tcp *tcp, const struct rill_conn *conn)
{
	const struct rill_options *options = conn_options(tcp, conn);

	return likely(!options->user_timeout_option) ? (uint32_t)options->user_timeout_ms
						     : uto_adopted_ms(tcp, conn);
}

/* What an idle connection gets at least before keepalive ends it. 0: no such bound. */
uint32_t uto_keepalive_ms(const struct tcp *tcp, const struct rill_conn *conn);

/* Does the user timeout decide, not the count of retries, when what is to be sent is given up? */
bool uto_outlasts_retries(const struct tcp *tcp, const struct rill_conn *conn);

/* ---- receiving */

/* The peer's value in a SYN for a listener with these options, in seconds, cut to U_LIMIT; 0: none,
 * or not wanted. */
uint16_t uto_of_syn(const struct rill_options *options, const struct segment *syn);

/* The peer says its timeout in a valid segment. seconds: not 0. */
void uto_take(struct tcp *tcp, struct rill_conn *conn, uint32_t seconds);

/* A valid segment. */
static inline void
uto_segment_arrived(struct tcp *tcp, struct rill_conn *conn, const struct segment *segment)
{
	if (unlikely(segment->has & SEG_HAS_UTO))
		uto_take(tcp, conn, segment->uto_s);
}

/* ---- sending */

/* Adds the option to those of a segment, if these options of the connection want it told. */
void uto_offer(const struct rill_options *set, struct segment_options *options);

/* rill_set has changed one of the two options: the peer is to know of it. */
void uto_changed(const struct tcp *tcp, struct rill_conn *conn);

#endif
