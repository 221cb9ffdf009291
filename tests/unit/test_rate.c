/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Delivery rate samples: bytes delivered by the longer of two intervals, whatever bursts the sender
 * or the ACKs make; counts and clocks that wrap.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rate.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LEN 1000u

struct segment {
	struct rate_stamp stamp;
	ustime sent;
};

static void
segment_send(struct rate *rate, struct segment *segment, uint32_t in_flight, ustime now)
{
	rate_sent(rate, &segment->stamp, in_flight, LEN, now);
	segment->sent = now;
}

static struct rate_sample
segment_ack(struct rate *rate, const struct segment *segment, unsigned int n, ustime now,
	uint32_t lost, uint32_t min_rtt_us)
{
	struct rate_sample sample = {0};

	rate_lost(rate, &segment->stamp, lost);
	for (unsigned int i = 0; i < n; i++)
		rate_delivered(rate, &sample, &segment[i].stamp, us32(segment[i].sent), LEN, now);
	rate_finish(rate, &sample, min_rtt_us);
	return sample;
}

/* Ten segments at 1 per ms, an ACK for each after 20 ms: 1 MB/s, wherever the clock and the count
 * wrap. */
static void
test_steady_flow(void **state)
{
	static const ustime starts[] = {1000000, 0xffffffff - 15000, 0x7fffffff - 15000};

	for (size_t s = 0; s < COUNT(starts); s++) {
		struct segment segments[40];
		struct rate rate;

		rate_init(&rate, starts[s]);
		rate.delivered = 0xffffffff - 10 * LEN;
		for (unsigned int ms = 0; ms < 60; ms++) {
			ustime now = starts[s] + ms * 1000;

			if (ms >= 20) {
				struct rate_sample sample =
					segment_ack(&rate, &segments[ms - 20], 1, now, 0, 0);

				if (ms >= 40) /* a round trip after the first ACK */
					assert_int_equal(sample.rate, 1000000);
				assert_true(sample.rate <= 1000000);
				assert_int_equal(rate.delivered_us, us32(now));
			}
			if (ms < 40)
				segment_send(&rate, &segments[ms], (ms < 20 ? ms : 19) * LEN, now);
		}
	}
}

/* ACKs that come in a bunch do not make the path faster than the data was sent, nor a burst of data
 * faster than its ACKs came [BBR-2]. */
static void
test_the_longer_interval_counts(void **state)
{
	struct segment segments[10];
	struct rate_sample sample;
	struct rate rate;

	rate_init(&rate, 0);
	for (unsigned int i = 0; i < 10; i++)
		segment_send(&rate, &segments[i], i * LEN, i * 10000); /* 100 kB/s for 90 ms */
	sample = segment_ack(&rate, &segments[0], 10, 100000, 0, 0);
	assert_int_equal(sample.delivered, 10 * LEN);
	assert_int_equal(sample.rate, 100000);
	for (unsigned int i = 0; i < 10; i++)
		segment_send(&rate, &segments[i], i * LEN, 200000); /* all at once */
	for (unsigned int i = 0; i < 10; i++)
		sample = segment_ack(&rate, &segments[i], 1, 210000 + i * 10000, 0, 0);
	assert_int_equal(sample.rate, 100000);
}

/* A sample over less than the least round trip is none [BBR-2]. */
static void
test_impossibly_fast_samples_are_dropped(void **state)
{
	struct segment segment;
	struct rate_sample sample;
	struct rate rate;

	rate_init(&rate, 0);
	segment_send(&rate, &segment, 0, 1000);
	sample = segment_ack(&rate, &segment, 1, 10999, 0, 10000);
	assert_int_equal(sample.rate, 0);
	assert_true(sample.valid);
	segment_send(&rate, &segment, 0, 20000);
	sample = segment_ack(&rate, &segment, 1, 30000, 0, 10000);
	assert_int_equal(sample.rate, 100000);
	segment_send(&rate, &segment, 0, 40000);
	assert_int_equal(segment_ack(&rate, &segment, 1, 40000, 0, 0).rate, 0); /* no time at all */
}

/* Silence before a flight is not part of its interval. */
static void
test_idle_time_does_not_count(void **state)
{
	struct segment segments[2];
	struct rate rate;

	rate_init(&rate, 0);
	segment_send(&rate, &segments[0], 0, 0);
	segment_ack(&rate, &segments[0], 1, 10000, 0, 0);
	segment_send(&rate, &segments[1], 0, 9000000);
	assert_int_equal(segment_ack(&rate, &segments[1], 1, 9010000, 0, 0).rate, 100000);
}

/* Samples of segments that were sent while the application had no more say so, until what was in
 * flight then is delivered [BBR-3]. */
static void
test_application_limited_samples_say_so(void **state)
{
	struct segment segments[5];
	struct rate rate;

	rate_init(&rate, 0);
	segment_send(&rate, &segments[0], 0, 0);
	segment_send(&rate, &segments[1], LEN, 0);
	rate_limited(&rate, 2 * LEN);
	segment_send(&rate, &segments[2], 2 * LEN, 1000);
	assert_false(segment_ack(&rate, &segments[0], 1, 10000, 0, 0).limited);
	assert_false(segment_ack(&rate, &segments[1], 1, 10000, 0, 0).limited);
	segment_send(&rate, &segments[3], LEN, 10500);
	assert_true(segment_ack(&rate, &segments[2], 1, 11000, 0, 0).limited);
	segment_send(&rate, &segments[4], LEN, 11500);
	assert_true(segment_ack(&rate, &segments[3], 1, 20500, 0, 0).limited);
	assert_false(segment_ack(&rate, &segments[4], 1, 21500, 0, 0).limited);
}

/* What was lost since a segment was sent, and what was in flight then, come back with it. */
static void
test_losses_since_sending(void **state)
{
	struct segment segments[3];
	struct rate_sample sample;
	struct rate rate;

	rate_init(&rate, 0);
	segment_send(&rate, &segments[0], 0, 0);
	segment_send(&rate, &segments[1], LEN, 100);
	segment_ack(&rate, &segments[0], 1, 10000, 500, 0);
	segment_send(&rate, &segments[2], LEN, 10100);
	sample = segment_ack(&rate, &segments[1], 1, 20000, 300, 0);
	assert_int_equal(sample.lost, 800);
	assert_int_equal(sample.in_flight, 2 * LEN);
	assert_int_equal(segment_ack(&rate, &segments[2], 1, 30000, 0, 0).lost, 300);
}

/* SACKed out of order: the newest segment makes the sample. */
static void
test_the_newest_segment_counts(void **state)
{
	struct segment segments[3];
	struct rate_sample sample;
	struct rate rate;

	rate_init(&rate, 0);
	segment_send(&rate, &segments[1], 0, 0);
	segment_ack(&rate, &segments[1], 1, 10000, 0, 0);
	segment_send(&rate, &segments[2], LEN, 10000);
	segment_send(&rate, &segments[0], 2 * LEN, 12000);
	sample = segment_ack(&rate, segments, 1, 30000, 0, 0);
	assert_int_equal(sample.sent_us, 12000);
	sample = (struct rate_sample){0};
	rate_delivered(&rate, &sample, &segments[0].stamp, 12000, LEN, 31000);
	rate_delivered(&rate, &sample, &segments[2].stamp, 10000, LEN, 31000);
	assert_int_equal(sample.sent_us, 12000);
}

/* Measuring begins with ten segments out, one of them sent again meanwhile or not: a sample is what
 * was heard of since then over a round trip. So it is never more than what the path takes, and not
 * next to nothing either. */
static void
test_measuring_begins_with_data_out(void **state)
{
	for (unsigned int again = 0; again < 2; again++) {
		const ustime start = 0xffffffff - 25000;
		struct segment segments[10];
		struct rate_sample sample;
		struct rate rate;

		rate_init(&rate, start + 12000);
		for (unsigned int i = 0; i < COUNT(segments); i++) {
			segments[i].sent = start + i * 1000;
			if (i == 0 && again)
				segments[i].sent = start + 11000;
			rate_was_sent(
				&rate, &segments[i].stamp, i * LEN, LEN, us32(segments[i].sent));
			assert_int_equal(segments[i].stamp.in_flight, (i + 1) * LEN);
		}
		for (unsigned int i = 1; i < COUNT(segments); i++) {
			sample = segment_ack(
				&rate, &segments[i], 1, start + 20000 + i * 1000, 0, 20000);
			assert_int_equal(sample.rate, i * LEN * 50);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steady_flow),
		cmocka_unit_test(test_the_longer_interval_counts),
		cmocka_unit_test(test_impossibly_fast_samples_are_dropped),
		cmocka_unit_test(test_idle_time_does_not_count),
		cmocka_unit_test(test_application_limited_samples_say_so),
		cmocka_unit_test(test_losses_since_sending),
		cmocka_unit_test(test_the_newest_segment_counts),
		cmocka_unit_test(test_measuring_begins_with_data_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
