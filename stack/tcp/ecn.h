/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TCP_ECN_H
#define RILL_TCP_ECN_H

/*
 * Explicit Congestion Notification [3168, 8311]: routers mark packets instead of dropping them, the
 * receiver echoes the mark in its ACKs, the sender slows down as if it had lost something, once per
 * window.
 *
 * Option `ecn` asks for it when we connect and agrees to it when we listen; it is in use only if
 * both sides say so in the handshake. What we choose where the RFC leaves a choice:
 *
 *   a SYN that asked is lost     the next ones are plain, and nothing of ours is ECT from then on,
 *                                also if the answer to the first one comes late [3168 6.1.1.1]
 *   it is answered by RST        one plain SYN, at once; the second RST means what it says
 *   a plain SYN follows one      the listener answers plainly; marks are still echoed, for a peer
 *   that asked                   that forgets what it sent
 *   ECE on an ACK of nothing     ignored: the ACK of what was marked carries it too
 *   ECE in recovery              ignored: the window was reduced for that window already
 *   a loss where ECE came        recovery without a second reduction in the same window
 *
 * The receiver of a connection whose congestion control counts marks (exact_ece: DCTCP) does not wait
 * for CWR: ECE says whether the last data that came was marked, and where that changes, an ACK with
 * the old answer goes out first, for what came before [8257 3.2]. If that ACK finds no room to leave,
 * what it would have covered gets the new answer.
 *
 * ECT(0) is on new data only: not on SYN, pure ACKs, retransmissions, window probes, RST. ECT(1) is
 * never sent [8311 4.3].
 */

#include "tcp.h"

/* The two bits of the IP header. */
enum {
	ECN_NOT_ECT = 0,
	ECN_ECT1 = 1,
	ECN_ECT0 = 2,
	ECN_CE = 3,
};

/* ---- the handshake */

/* What conn->modes becomes of a peer's SYN or SYN,ACK under these options: MODE_ECN or nothing. */
uint16_t ecn_agree(const struct rill_options *options, const struct segment *syn);

/* A connection is to be opened: will its SYN ask? */
void ecn_ask(struct rill_conn *conn, const struct rill_options *options);

/* The handshake told what both agree on. */
void ecn_settle(struct rill_conn *conn, uint16_t agreed);

/* ECE and CWR of the SYN, or SYN,ACK of a simultaneous open, that is sent now. */
uint8_t ecn_syn_flags(struct tcp *tcp, struct rill_conn *conn);

/* The same of a listener's SYN,ACK. */
static inline uint8_t
ecn_syn_ack_flags(uint16_t modes)
{
	return (modes & (MODE_ECN | MODE_NO_ECT)) == MODE_ECN ? TCP_ECE : 0;
}

/* The peer of a half-open connection sends its SYN again. */
void ecn_syn_again(struct half_open *half, const struct segment *syn);

/* The peer's SYN,ACK in a simultaneous open: its flags are no congestion signals. */
void ecn_crossing_syn_ack(struct rill_conn *conn, struct segment *segment);

/* A proven RST for our SYN: true if a plain SYN follows, false if the attempt has failed. */
bool ecn_plain_after_rst(struct tcp *tcp, struct rill_conn *conn);

/* ---- receiving data */

void ecn_take_marks(struct tcp *tcp, struct rill_conn *conn, const struct segment *segment);

/* An acceptable segment, before its text is processed: its CE and CWR are noted. */
static inline void
ecn_segment_arrived(struct tcp *tcp, struct rill_conn *conn, const struct segment *segment)
{
	if (unlikely(conn->modes & MODE_ECN))
		ecn_take_marks(tcp, conn, segment);
}

/* ---- being told to slow down */

void ecn_take_echo(
	struct tcp *tcp, struct rill_conn *conn, const struct segment *segment, uint32_t flight);

/*
 * New data was acknowledged; recovery, congestion control and the retransmission timer know of it.
 * flight: bytes in flight before that.
 */
static inline void
ecn_ack_arrived(
	struct tcp *tcp, struct rill_conn *conn, const struct segment *segment, uint32_t flight)
{
	if (unlikely(conn->modes & MODE_ECN))
		ecn_take_echo(tcp, conn, segment, flight);
}

/* Does this ACK say that the path is congested? */
static inline bool
ecn_is_echo(const struct rill_conn *conn, const struct segment *segment)
{
	return (conn->modes & MODE_ECN) && (segment->flags & TCP_ECE);
}

/* And must cwnd not grow by it? While a timeout is repaired it may: the peer goes on echoing until
 * new data tells it CWR, and there is none yet. */
static inline bool
ecn_holds_window(const struct rill_conn *conn, const struct segment *segment)
{
	return ecn_is_echo(conn, segment) && !(conn->flags & CONN_RTO_RECOVERY);
}

/* Was cwnd reduced already for what is outstanding? */
static inline bool
ecn_was_reduced(const struct rill_conn *conn)
{
	return (conn->modes & MODE_CWR) && seq_lt(conn->snd_una, conn->recover);
}

/* cwnd was reduced, for whatever reason, and conn->recover is set: the peer is to know. */
static inline void
ecn_window_reduced(struct rill_conn *conn)
{
	if (unlikely(conn->modes & MODE_ECN))
		conn->modes |= MODE_CWR | MODE_CWR_DUE;
}

/* Must new data wait for the retransmission timer? cwnd cannot shrink any more [3168 6.1.2]. */
static inline bool
ecn_waits(const struct rill_conn *conn)
{
	return (conn->modes & MODE_ECN_WAIT) && (conn->flags & CONN_RTO_ARMED);
}

/* ---- sending */

uint8_t ecn_mark(struct rill_conn *conn, seq_t seq, bool new_data, uint8_t *flags);

/*
 * The IP bits of a segment that is sent now; ECE and CWR are added to its flags. new_data: it has
 * payload, all of which is sent for the first time.
 */
static inline uint8_t
ecn_segment_leaves(struct rill_conn *conn, seq_t seq, bool new_data, uint8_t *flags)
{
	return unlikely(conn->modes & MODE_ECN) ? ecn_mark(conn, seq, new_data, flags)
						: ECN_NOT_ECT;
}

#endif
