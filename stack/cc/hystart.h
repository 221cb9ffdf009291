/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_CC_HYSTART_H
#define RILL_CC_HYSTART_H

/*
 * HyStart++ [9406]: when to leave the first slow start before it overflows the path.
 *
 * A round is what was outstanding when it began. When the least RTT of a round is clearly above
 * that of the round before, a queue builds up: growth goes on at a quarter of its pace
 * (conservative slow start), and if the queue is still there five rounds later, slow start is over.
 * If the RTT falls again, the rise was jitter, and slow start goes on.
 *
 * Beyond the RFC, eight samples in a row that are all a quarter above the round before end slow
 * start at once. A window leaves at twice the rate at which the ACKs before it came, so its end
 * waits for half the time that the path takes to carry it. A quarter of the round trip tells that
 * half of what the path holds was out then, so that all of it is out now; five more rounds, each a
 * quarter larger, would overflow any queue of the usual length.
 *
 * Only for the first slow start of a connection [9406 4.3].
 */

#include <stdint.h>

#include "seq.h"

#define HYSTART_GROWTH_LIMIT 8 /* L: segments that one ACK may add, not being paced [9406 4.3] */
#define HYSTART_CSS_GROWTH_SHIFT 2 /* CSS_GROWTH_DIVISOR is 4 [9406 4.3] */

struct hystart {
	seq_t round_end;       /* the round is over when this is acknowledged */
	uint32_t last_min_us;  /* least RTT of the round before, UINT32_MAX: no sample */
	uint32_t round_min_us; /* of this round, UINT32_MAX: none yet */
	uint32_t baseline_us;  /* what sent us into conservative slow start */
	uint32_t recent_min_us; /* of its last `recent` samples, UINT32_MAX: none */
	uint8_t samples;        /* of this round, saturates at HYSTART's least number of them */
	uint8_t recent;
	uint8_t css_rounds; /* begun in conservative slow start, 0: not in it */
	uint8_t started;    /* round_end is valid */
};

enum hystart_verdict {
	HYSTART_SLOW_START,   /* grow as ever */
	HYSTART_CONSERVATIVE, /* grow at a quarter of that */
	HYSTART_EXIT,         /* slow start is over: ssthresh = cwnd */
};

void hystart_init(struct hystart *hystart);

/* An ACK of new data in slow start, with its RTT sample (0: none). How to go on. */
enum hystart_verdict hystart_on_ack(
	struct hystart *hystart, seq_t snd_una, seq_t snd_nxt, uint32_t rtt_us);

#endif
