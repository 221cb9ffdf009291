/* SPDX-License-Identifier: BSD-3-Clause */
#include "rate.h"

#define IN_FLIGHT_MAX 0x7fffffffu

void
rate_init(struct rate *rate, ustime now)
{
	*rate = (struct rate){.delivered_us = us32(now), .first_sent_us = us32(now)};
}

static void
stamp_segment(const struct rate *rate, struct rate_stamp *stamp, uint32_t in_flight, uint32_t len)
{
	*stamp = (struct rate_stamp){
		.delivered = rate->delivered,
		.delivered_us = rate->delivered_us,
		.first_sent_us = rate->first_sent_us,
		.lost = rate->lost,
		.in_flight = (in_flight + len) & IN_FLIGHT_MAX,
		.limited = rate->limited,
	};
}

void
rate_sent(struct rate *rate, struct rate_stamp *stamp, uint32_t in_flight, uint32_t len, ustime now)
{
	/* The first of a flight: neither interval reaches back into the silence before it. */
	if (in_flight == 0)
		rate->first_sent_us = rate->delivered_us = us32(now);
	stamp_segment(rate, stamp, in_flight, len);
}

void
rate_was_sent(struct rate *rate, struct rate_stamp *stamp, uint32_t in_flight, uint32_t len,
	uint32_t sent_us)
{
	rate->first_sent_us = rate->delivered_us = sent_us;
	stamp_segment(rate, stamp, in_flight, len);
}

/* Was the segment sent after the one that the sample is made from? */
static bool
is_newer(const struct rate_sample *sample, const struct rate_stamp *stamp, uint32_t sent_us)
{
	int32_t later = (int32_t)(stamp->delivered - sample->prior_delivered);

	return !sample->valid || later > 0 ||
	       (later == 0 && (int32_t)(sent_us - sample->sent_us) >= 0);
}

void
rate_delivered(struct rate *rate, struct rate_sample *sample, const struct rate_stamp *stamp,
	uint32_t sent_us, uint32_t len, ustime now)
{
	rate->delivered += len;
	rate->delivered_us = us32(now);
	if (!is_newer(sample, stamp, sent_us))
		return;
	sample->valid = true;
	sample->prior_delivered = stamp->delivered;
	sample->delivered_us = stamp->delivered_us;
	sample->sent_us = sent_us;
	sample->send_us = sent_us - stamp->first_sent_us;
	sample->in_flight = stamp->in_flight;
	sample->lost = stamp->lost;
	sample->limited = stamp->limited;
}

uint32_t
rate_lost(struct rate *rate, const struct rate_stamp *stamp, uint32_t len)
{
	rate->lost += len;
	return rate->lost - stamp->lost;
}

void
rate_finish(struct rate *rate, struct rate_sample *sample, uint32_t min_rtt_us)
{
	uint32_t interval, heard;

	if (rate->limited && (int32_t)(rate->delivered - rate->limited_until) > 0)
		rate->limited = false;
	if (!sample->valid)
		return;
	rate->first_sent_us = sample->sent_us;
	heard = rate->delivered_us - sample->delivered_us;
	interval = sample->send_us > heard ? sample->send_us : heard;
	sample->delivered = rate->delivered - sample->prior_delivered;
	sample->lost = rate->lost - sample->lost;
	/* Too fast to be true: data that was sent twice, as a rule. */
	if (interval == 0 || interval < min_rtt_us)
		return;
	sample->rate = (uint64_t)sample->delivered * USEC_PER_SEC / interval;
}

void
rate_limited(struct rate *rate, uint32_t in_flight)
{
	rate->limited = true;
	rate->limited_until = rate->delivered + in_flight;
}
