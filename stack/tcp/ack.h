/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TCP_ACK_H
#define RILL_TCP_ACK_H

/* The ACK field of a segment in a synchronized state [9293 3.10.7.4, fifth step]. */

#include "tcp.h"

/* Everything that an ACK tells, gathered once. Bytes unless said otherwise. */
struct ack_facts {
	uint32_t acked;  /* sequence numbers newly acknowledged */
	uint32_t bytes;  /* of these, payload */
	uint32_t sacked; /* newly SACKed */
	uint32_t known;  /* newly acknowledged, but told of before: SACKed, or by duplicate ACKs */
	uint32_t lost;   /* newly held for lost */
	uint32_t first_lost; /* record, with lost > 0: the rest follows it in the list of what is
			      * lost */
	uint32_t flight; /* in flight before */
	uint32_t outstanding; /* sequence numbers outstanding before, less what was SACKed */
	uint32_t rtt_us;      /* sample from the newest segment that allows one; 0: none [6298 3] */
	uint32_t sack_rtt_us; /* the same from what was newly SACKed, for congestion control */
	uint32_t tsecr_ms;    /* ms32 of the echoed time of sending, with has_tsecr */
	uint32_t reorder_us;  /* the reordering timer is wanted after so long; 0: not */
	bool has_tsecr;
	bool duplicate; /* says nothing new, in a way that hints at loss [5681 2] */
	bool dsack;     /* reports a duplicate [2883 4] */
	bool original;  /* acknowledges or SACKs first what was sent once only, before the last RTO
			 */
	bool reorders;  /* the path is known to reorder, before this ACK */
	bool undone;    /* shows that the recovery was a mistake */
	bool retx_lost; /* a retransmission was lost: a second sign of congestion [5681 4.3] */
};

/* Bytes that the ACK tells of for the first time [9937 6.2]. */
static inline uint32_t
ack_delivered(const struct ack_facts *facts)
{
	return facts->bytes - facts->known + facts->sacked;
}

/*
 * Takes acknowledged data off the queue, samples the RTT, tells recovery, congestion control and
 * the application, updates the send window. The caller has made sure of snd_una - snd_wnd_max <=
 * SEG.ACK <= snd_nxt. Afterwards the connection may have ended.
 */
void ack_process(struct tcp *tcp, struct rill_conn *conn, const struct segment *segment);

/*
 * The same of an ACK that input_fast lets through (an established connection without a side-car or a
 * FIN sent, no duplicate), where neither recovery nor congestion control nor a router's marks want to
 * know of it. Returns false if one of them does: nothing was done.
 */
bool ack_fast(struct tcp *tcp, struct rill_conn *conn, const struct segment *segment);

/* The peer's window as of this segment [9293 3.10.7.4]; SEG.ACK >= snd_una. */
void ack_update_window(struct tcp *tcp, struct rill_conn *conn, const struct segment *segment);

#endif
