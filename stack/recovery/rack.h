/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_RECOVERY_RACK_H
#define RILL_RECOVERY_RACK_H

/*
 * RACK: loss told by time [8985]. Of two segments sent one after the other, the earlier one is lost
 * once the later one has been delivered and a reordering window has passed besides.
 *
 * This is its arithmetic: what was delivered last, and how long to wait. Who keeps the segments in
 * the order of their transmission asks it of each whether it is lost. Times are us32.
 */

#include <stdbool.h>
#include <stdint.h>

#include "seq.h"

struct rack {
	uint32_t sent_us; /* of the delivered segment that was sent last */
	seq_t end; /* its end: among those sent at one time the later sequence number counts as
		      sent later [8985 6.2] */
	uint32_t rtt_us;     /* its round trip */
	seq_t high;          /* end of the highest sequence number told of before this ACK */
	seq_t high_next;     /* the same with this one, which may tell of several in any order */
	seq_t dsack_round;   /* DSACKs count once until snd_una passes this */
	bool delivered;      /* sent_us, end and rtt_us mean something */
	bool dsack_counted;  /* dsack_round means something */
	uint8_t wnd_mult;    /* reordering window in quarters of the least round trip */
	uint8_t wnd_persist; /* recoveries after which wnd_mult falls back to 1 */
};

/* A segment that an ACK tells of for the first time. */
struct rack_delivery {
	uint32_t sent_us; /* its last transmission */
	seq_t end;
	bool retransmitted;
	bool ambiguous; /* retransmitted, and the ACK may be that of an earlier transmission */
};

#define RACK_DUP_THRESH 3u /* [5681 3.2, 8985 6.2] */

/* high: everything before it is acknowledged already. */
void rack_init(struct rack *rack, seq_t high);

/*
 * A segment was delivered. Returns true if that shows that the path reorders: it was sent once,
 * below something that arrived before it [8985 6.2, step 3].
 */
bool rack_delivered(struct rack *rack, const struct rack_delivery *delivery, uint32_t min_rtt_us,
	uint32_t now_us);

/* All deliveries of one ACK have been told. */
void rack_ack_done(struct rack *rack);

/* A DSACK arrived: the window was too small [8985 6.2, step 4]. */
void rack_dsack(struct rack *rack, seq_t snd_una, seq_t snd_nxt);

/* A recovery is over: after 16 of them without a DSACK the window starts again. */
void rack_recovered(struct rack *rack);

/*
 * How long a segment may be late. reorders: the path has been seen to reorder. urgent: a recovery
 * is going on, or RACK_DUP_THRESH segments are SACKed.
 */
uint32_t rack_window_us(
	const struct rack *rack, uint32_t min_rtt_us, uint32_t srtt_us, bool reorders, bool urgent);

/* Was a segment sent before the one that was delivered last? Ties go by sequence number. */
bool rack_is_earlier(const struct rack *rack, uint32_t sent_us, seq_t end);

/* µs until a segment that was sent earlier counts as lost; <= 0: it does. */
int32_t rack_remaining_us(
	const struct rack *rack, uint32_t sent_us, uint32_t window_us, uint32_t now_us);

#endif
