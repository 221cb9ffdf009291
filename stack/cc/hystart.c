/* SPDX-License-Identifier: BSD-3-Clause */
#include "hystart.h"

#include <stdbool.h>

#include "bounds.h"

#define MIN_RTT_THRESH_US 4000u  /* [9406 4.3] */
#define MAX_RTT_THRESH_US 16000u /* [9406 4.3] */
#define MIN_RTT_SHIFT 3          /* MIN_RTT_DIVISOR is 8 [9406 4.3] */
#define N_RTT_SAMPLE 8           /* [9406 4.3] */
#define CSS_ROUNDS 5             /* [9406 4.3] */
#define QUEUE_RTT_SHIFT 2        /* a quarter above the last round is a queue, */
#define QUEUE_LEAST_US 8000u     /* unless it is the jitter of a short path */
#define NO_RTT UINT32_MAX

void
hystart_init(struct hystart *hystart)
{
	*hystart = (struct hystart){
		.last_min_us = NO_RTT,
		.round_min_us = NO_RTT,
		.baseline_us = NO_RTT,
		.recent_min_us = NO_RTT,
	};
}

/* An end beyond snd_nxt was left behind 2^31 bytes ago or more, by an application that did not use
 * its window for so long. */
static bool
round_is_over(const struct hystart *hystart, seq_t snd_una, seq_t snd_nxt)
{
	return seq_geq(snd_una, hystart->round_end) || seq_gt(hystart->round_end, snd_nxt);
}

/* With nothing outstanding, the round begins with what is sent next. */
static void
round_begin(struct hystart *hystart, seq_t snd_una, seq_t snd_nxt)
{
	hystart->started = !seq_eq(snd_una, snd_nxt);
	hystart->round_end = snd_nxt;
	hystart->last_min_us = hystart->round_min_us;
	hystart->round_min_us = NO_RTT;
	hystart->samples = 0;
	hystart->recent = 0;
	hystart->recent_min_us = NO_RTT;
}

static void
take_sample(struct hystart *hystart, uint32_t rtt_us)
{
	hystart->round_min_us = least(hystart->round_min_us, rtt_us);
	if (hystart->samples < N_RTT_SAMPLE)
		hystart->samples++;
	if (hystart->recent == N_RTT_SAMPLE) {
		hystart->recent = 0;
		hystart->recent_min_us = NO_RTT;
	}
	hystart->recent_min_us = least(hystart->recent_min_us, rtt_us);
	hystart->recent++;
}

/* How much above the last round's least RTT is too much. */
static uint32_t
threshold_us(uint32_t last_min_us)
{
	uint32_t eighth = last_min_us >> MIN_RTT_SHIFT;

	if (eighth < MIN_RTT_THRESH_US)
		return MIN_RTT_THRESH_US;
	return eighth > MAX_RTT_THRESH_US ? MAX_RTT_THRESH_US : eighth;
}

static bool
has_delay_grown(const struct hystart *hystart)
{
	return hystart->samples >= N_RTT_SAMPLE && hystart->last_min_us != NO_RTT &&
	       hystart->round_min_us >=
		       (uint64_t)hystart->last_min_us + threshold_us(hystart->last_min_us);
}

/* Does this window queue, beyond doubt? */
static bool
has_queue(const struct hystart *hystart)
{
	uint32_t last_us = hystart->last_min_us;

	return hystart->recent == N_RTT_SAMPLE && last_us != NO_RTT &&
	       hystart->recent_min_us >=
		       (uint64_t)last_us + most(last_us >> QUEUE_RTT_SHIFT, QUEUE_LEAST_US);
}

/* Into conservative slow start and out of it [9406 4.2]. */
static void
judge_delay(struct hystart *hystart)
{
	if (hystart->css_rounds == 0) {
		if (has_delay_grown(hystart)) {
			hystart->baseline_us = hystart->round_min_us;
			hystart->css_rounds = 1; /* what is left of the round counts as one */
		}
	} else if (hystart->samples >= N_RTT_SAMPLE &&
		   hystart->round_min_us < hystart->baseline_us) {
		hystart->baseline_us = NO_RTT;
		hystart->css_rounds = 0;
	}
}

enum hystart_verdict
hystart_on_ack(struct hystart *hystart, seq_t snd_una, seq_t snd_nxt, uint32_t rtt_us)
{
	if (!hystart->started) {
		hystart->started = true;
		hystart->round_end = snd_nxt;
	}
	/* The ACK that ends a round is still of that round. */
	if (rtt_us > 0)
		take_sample(hystart, rtt_us);
	if (has_queue(hystart))
		return HYSTART_EXIT;
	judge_delay(hystart);
	if (round_is_over(hystart, snd_una, snd_nxt)) {
		if (hystart->css_rounds >= CSS_ROUNDS)
			return HYSTART_EXIT;
		if (hystart->css_rounds > 0)
			hystart->css_rounds++;
		round_begin(hystart, snd_una, snd_nxt);
	}
	return hystart->css_rounds > 0 ? HYSTART_CONSERVATIVE : HYSTART_SLOW_START;
}
