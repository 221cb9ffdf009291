/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TCP_PATHMTU_H
#define RILL_TCP_PATHMTU_H

/*
 * The path's MTU and a connection. conn->mss follows what the lane knows of the way to the peer
 * (net/pmtu.h), and is never more than the peer and our own link allow; MODE_PATH_LOW says that it
 * is less.
 *
 * "Fragmentation needed" [1191] is believed if it fits what was sent [5927 7.2]: it quotes a
 * segment that is outstanding and was longer than the MTU that it claims. A path that has carried
 * full segments is believed to have become narrower only when the quoted segment was sent in vain
 * more than once. What was too long is sent again in smaller segments, once, and congestion control
 * hears nothing of it [1191 6.4].
 *
 * Black holes [4821 7.7]: where nobody tells, timeouts do. After as many in a row as the option
 * black_hole_retries says, of a segment of more than PMTU_BASE bytes, segments shrink to that size;
 * after as many again, to the least (option pmtu_min).
 *
 * The way up [4821 7]: when the search of the destination wants a probe, one segment of the
 * stream's next data is as long as that, followed by segments of the usual length. Its records
 * carry RECORD_PROBE. If they are acknowledged without having been sent again, it got through. If
 * nothing but them is found lost, until all that was out then has arrived, it was too long: its
 * data is sent again in segments of mss, and congestion control hears nothing of it. In all other
 * cases it tells nothing. Only SACK shows that a probe and nothing else was lost: duplicate ACKs
 * tell of one hole, and not what is behind it, so that who has not got SACK does not probe.
 */

#include "tcp.h"

/* conn->mss at the beginning, from peer_mss, CONN_TS, options, and the path. */
void pathmtu_begin(struct tcp *tcp, struct rill_conn *conn);

/* Another connection may have learned something: for pathmtu_follow. */
void pathmtu_look(struct tcp *tcp, struct rill_conn *conn);

/* Takes over what is known of the path by now; before data is sent. */
static inline void
pathmtu_follow(struct tcp *tcp, struct rill_conn *conn)
{
	if (unlikely(tcp->pmtu.count > 0 || (conn->modes & MODE_PATH_LOW)))
		pathmtu_look(tcp, conn);
}

/*
 * A router could not pass on the segment at seq, which is outstanding; mtu: what it can, 0 if it
 * does not tell. Returns why it is not believed, or RILL_DROP_COUNT.
 */
enum rill_drop pathmtu_too_big(struct tcp *tcp, struct rill_conn *conn, seq_t seq, uint16_t mtu);

/* The retransmission timer expired; conn->retries does not count it yet. */
void pathmtu_timed_out(struct tcp *tcp, struct rill_conn *conn);

/*
 * The payload of the probe that is to be sent now, 0: none. For connections with MODE_PATH_LOW; the
 * data is there, the windows have room for it and for what makes its loss tell.
 */
uint32_t pathmtu_probe_len(struct tcp *tcp, struct rill_conn *conn);

/* The same of a probe with so much payload, if the window has changed since. */
bool pathmtu_probe_fits(const struct tcp *tcp, const struct rill_conn *conn, uint32_t len);

/* `count` records from index on were sent as a probe. */
void pathmtu_probe_sent(
	struct tcp *tcp, struct rill_conn *conn, uint32_t index, unsigned int count);

/* Is a probe, sent once, all that the scoreboard holds for lost? Its payload, else 0. */
uint32_t pathmtu_probe_is_lost(
	const struct tcp *tcp, const struct rill_conn *conn, const struct scoreboard *score);

/* The probe, with so much payload, was lost, and nothing else. */
void pathmtu_probe_failed(struct tcp *tcp, struct rill_conn *conn, uint32_t len);

/* Nobody knows what became of the probe, or why. */
void pathmtu_probe_unsure(struct tcp *tcp, struct rill_conn *conn);

/* While a probe is out: so many bytes are acknowledged. */
void pathmtu_probe_acked(struct tcp *tcp, struct rill_conn *conn, uint32_t bytes);

/* mss bytes from the front of the queue are acknowledged: did one segment carry them? */
void pathmtu_prove(const struct tcp *tcp, struct rill_conn *conn);

/* So many bytes are acknowledged; before they leave the queue. */
static inline void
pathmtu_acked(struct tcp *tcp, struct rill_conn *conn, uint32_t bytes)
{
	if (unlikely(conn->modes & MODE_PROBE_OUT))
		pathmtu_probe_acked(tcp, conn, bytes);
	if (bytes >= conn->mss && !(conn->modes & MODE_PATH_PROVEN))
		pathmtu_prove(tcp, conn);
}

#endif
