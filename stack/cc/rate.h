/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_CC_RATE_H
#define RILL_CC_RATE_H

/*
 * Delivery rate: how fast the path takes data, measured with every ACK
 * [draft-cheng-iccrg-delivery-rate-estimation].
 *
 *   rate = bytes delivered since a segment was sent / max(time to send them, time to hear of them)
 *
 * Each segment carries a stamp of what was known when it left. The longer of the two times counts,
 * so that neither a burst of sending nor ACKs that arrive in a bunch make the path look faster than
 * it is. A sample says whether the application let the pipe run empty meanwhile: then it is a lower
 * bound only.
 */

#include <stdbool.h>
#include <stdint.h>

#include "ustime.h"

/* Of a connection. Counts of bytes wrap. */
struct rate {
	uint32_t delivered;     /* bytes ever, cumulatively acknowledged or SACKed */
	uint32_t delivered_us;  /* us32: when that last grew */
	uint32_t first_sent_us; /* us32: when the segment that was last delivered had been sent */
	uint32_t lost;          /* bytes ever held for lost */
	uint32_t limited_until; /* the application lets the pipe run empty until so much is
				   delivered, */
	bool limited;           /* if so */
};

/* Of a segment, written when it is sent. */
struct rate_stamp {
	uint32_t delivered, delivered_us, first_sent_us, lost; /* the connection's, then */
	uint32_t in_flight : 31;                               /* bytes, itself included */
	uint32_t limited : 1;
};

/* What an ACK tells. Filled in by rate_delivered for each segment, then by rate_finish. */
struct rate_sample {
	uint64_t rate;                           /* bytes a second; 0: no sample */
	uint32_t delivered;                      /* bytes since prior_delivered */
	uint32_t prior_delivered;                /* when the newest delivered segment was sent */
	uint32_t lost;                           /* bytes since then */
	uint32_t in_flight;                      /* bytes just after it was sent */
	bool limited;                            /* by the application, then */
	bool valid;                              /* a segment was delivered */
	uint32_t send_us, delivered_us, sent_us; /* for rate_finish */
};

void rate_init(struct rate *rate, ustime now);

/* A segment of len bytes leaves, with so many in flight before it. */
void rate_sent(
	struct rate *rate, struct rate_stamp *stamp, uint32_t in_flight, uint32_t len, ustime now);

/* Measuring begins with a segment out already, sent at sent_us (us32): its sample counts, over the
 * time until it is heard of, what is delivered from now on. in_flight: before it. */
void rate_was_sent(struct rate *rate, struct rate_stamp *stamp, uint32_t in_flight, uint32_t len,
	uint32_t sent_us);

/* A segment of len bytes, sent at sent_us (us32), is heard of for the first time. */
void rate_delivered(struct rate *rate, struct rate_sample *sample, const struct rate_stamp *stamp,
	uint32_t sent_us, uint32_t len, ustime now);

/* The ACK has been looked at. min_rtt_us: what is faster is not a sample; 0: not known. */
void rate_finish(struct rate *rate, struct rate_sample *sample, uint32_t min_rtt_us);

/* A segment of len bytes is held for lost. Returns how many bytes are, since it was sent. */
uint32_t rate_lost(struct rate *rate, const struct rate_stamp *stamp, uint32_t len);

/* There is nothing more to send, though the window would take it: in_flight bytes are out. */
void rate_limited(struct rate *rate, uint32_t in_flight);

#endif
