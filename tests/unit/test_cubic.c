/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CUBIC's window over time after congestion, beside a model in floating point and beside a golden
 * curve; its answers to loss, ECN, timeouts, idling and an application that sends little; and that
 * no time, window or round trip makes its integers overflow.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cc_flow.h"
#include "rng.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* In congestion avoidance, just after a loss with a window of that many segments. */
static void
flow_lost(struct flow *flow, uint32_t segments, uint32_t rtt_us)
{
	flow_start(flow, RILL_CC_CUBIC, SEGMENTS(segments), rtt_us);
	flow_lose(flow, SEGMENTS(segments));
}

/* [9438 4.2] in segments and seconds. */
static double
model_k(double w_max, double cwnd)
{
	return cbrt((w_max - cwnd) / 0.4);
}

static double
model_w(double t, double w_max, double k)
{
	return 0.4 * pow(t - k, 3) + w_max;
}

static void
assert_near(double value, double expect, double tolerance)
{
	if (fabs(value - expect) <= tolerance)
		return;
	print_error("%f, expected %f within %f\n", value, expect, tolerance);
	fail();
}

/* A loss at 200 segments, 100 ms away: the whole curve, concave up to W_max at K = 5.3 s, convex
 * after it [RFC9438-2, RFC9438-3, RFC9438-6, RFC9438-7]. */
static void
test_golden_curve(void **state)
{
	/* cwnd in bytes, half a second apart. */
	static const uint32_t golden[] = {
		140000, 155271, 167787, 177714, 185353, 190995, 194966, 197519, 198997,
		199697, 199898, 199909, 200093, 200649, 201898, 204162, 207740,
	};
	const double k = model_k(200, 140);
	struct flow flow;

	flow_lost(&flow, 200, 100000);
	for (size_t i = 0; i < COUNT(golden); i++) {
		assert_near(flow.cc.cwnd / (double)MSS, model_w((double)i / 2, 200, k), 1.0);
		assert_int_equal(flow.cc.cwnd, golden[i]);
		flow_run(&flow, 500000, true);
	}
	assert_near(k, 5.313, 0.001);
}

/* Windows from 50 segments to 100 thousand, round trips from 50 ms to 1 s: at every moment the
 * window is the model's within what it grows in a round trip, and 1 segment, until long after K
 * [RFC9438-2, RFC9438-3]. */
static void
test_curve_follows_the_model(void **state)
{
	static const uint32_t windows[] = {50, 100, 1000, 20000, 100000};
	static const uint32_t rtts[] = {50000, 100000, 300000, 1000000};

	for (size_t w = 0; w < COUNT(windows); w++)
		for (size_t r = 0; r < COUNT(rtts); r++) {
			double w_max = windows[w], k = model_k(w_max, 0.7 * w_max), t, w_est, swing;
			double rtt = rtts[r] / 1e6;
			struct flow flow;
			ustime start;

			flow_lost(&flow, windows[w], rtts[r]);
			flow.per_ack = flow.cc.cwnd / 20;
			start = flow.now;
			w_est = 0.7 * w_max + 0.53 * 2 * k / rtt;
			if (w_est > w_max) /* Reno's region: another test's */
				continue;
			while ((t = (flow.now - start) / 1e6) < 1.5 * k) {
				double cwnd = flow.cc.cwnd / (double)MSS;

				swing = model_w(t + rtt, w_max, k) - model_w(t - rtt, w_max, k);
				assert_near(cwnd, model_w(t, w_max, k), swing / 2 + 1);
				flow_round(&flow, true);
			}
		}
}

/* However many segments an ACK stands for, the window is the same but for a segment [RFC9438-6]. */
static void
test_stretch_acks_make_no_difference(void **state)
{
	static const uint32_t per_ack[] = {200, MSS, 4 * MSS, 16 * MSS, 64 * MSS};

	for (size_t i = 0; i < COUNT(per_ack); i++) {
		const double k = model_k(200, 140);
		struct flow flow;

		flow_lost(&flow, 200, 100000);
		flow.per_ack = per_ack[i];
		flow_run(&flow, 3000000, true);
		assert_near(flow.cc.cwnd / (double)MSS, model_w(3, 200, k), 1.5);
	}
}

/* A loss leaves 0.7 of what was in flight, not of cwnd, and two segments at least
 * [RFC9438-1]; after ECN it may be one. */
static void
test_congestion_leaves_seven_tenths_of_the_flight(void **state)
{
	static const struct {
		uint32_t cwnd, flight, loss_cwnd, ecn_cwnd, ssthresh;
	} cases[] = {
		{100000, 100000, 70000, 70000, 70000},
		{100000, 50000, 35000, 35000, 35000}, /* the application sent less */
		{10000, 9999, 7000, 7000, 7000}, /* in whole segments, the nearest number */
		{6000, 6000, 4000, 4000, 4000},
		{5000, 5000, 4000, 4000, 4000},
		{4000, 4000, 3000, 3000, 3000},
		{3000, 3000, 2000, 2000, 2000},
		{2000, 2000, 2000, 1000, 2000},
		{1000, 1000, 2000, 1000, 2000},
		{CC_CWND_MAX, UINT32_MAX, CC_CWND_MAX, CC_CWND_MAX, CC_CWND_MAX},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct cc_event event;
		struct flow flow;

		flow_start(&flow, RILL_CC_CUBIC, cases[i].cwnd, 10000);
		event = event_now(&flow, cases[i].flight);
		cc_cubic_ops.on_loss(&flow.cc, &event);
		assert_int_equal(flow.cc.cwnd, cases[i].loss_cwnd);
		assert_int_equal(flow.cc.ssthresh, cases[i].ssthresh);
		flow_start(&flow, RILL_CC_CUBIC, cases[i].cwnd, 10000);
		cc_cubic_ops.on_ecn(&flow.cc, &event);
		assert_int_equal(flow.cc.cwnd, cases[i].ecn_cwnd);
		assert_int_equal(flow.cc.ssthresh, cases[i].ssthresh);
	}
}

/* A window that is smaller than at the last loss makes room: W_max is 0.85 of it [RFC9438-8]. */
static void
test_fast_convergence(void **state)
{
	struct flow flow;

	flow_lost(&flow, 100, 100000);
	assert_int_equal(flow.cc.u.cubic.w_max, 100000);
	flow_lose(&flow, 70000); /* at cwnd 70000: falling */
	assert_int_equal(flow.cc.u.cubic.w_max, 59500);
	assert_int_equal(flow.cc.cwnd, 49000);
	flow_run(&flow, 8000000, true); /* beyond W_max */
	assert_true(flow.cc.cwnd > 59500);
	flow_lose(&flow, flow.cc.cwnd);
	assert_in_range(flow.cc.u.cubic.w_max, 59501, 200000);
}

/* The window never grows to more than 1.5 times itself in a round trip, and never shrinks, wherever
 * the curve is [RFC9438-4]. */
static void
test_growth_is_clamped(void **state)
{
	static const uint32_t rtts[] = {1000000, 10000000};

	for (size_t i = 0; i < COUNT(rtts); i++) {
		struct flow flow;

		flow_lost(&flow, 10, rtts[i]);
		for (unsigned int round = 0; round < 200; round++) {
			uint32_t before = flow.cc.cwnd;

			/* in few ACKs, each of which may be answered with the clamped target only */
			flow.per_ack = before / 8;
			flow_round(&flow, true);
			assert_true(flow.cc.cwnd >= before);
			assert_true(flow.cc.cwnd <= CC_CWND_MAX);
			assert_true(flow.cc.cwnd <= before + (uint64_t)before * 65 / 100);
		}
		assert_true(flow.cc.cwnd > CC_CWND_MAX - MSS);
	}
}

/* One ACK of a whole window: 1.5 times and not a byte more [RFC9438-4]. */
static void
test_one_ack_adds_half_a_window_at_most(void **state)
{
	struct flow flow;

	flow_lost(&flow, 10, 100000);
	flow_ack(&flow, MSS, true, false);
	flow.now += 100000000;
	flow.rtt_us = 10000000;
	for (unsigned int i = 0; i < 8; i++) {
		uint32_t before = flow.cc.cwnd;

		flow_ack(&flow, UINT32_MAX, true, false);
		assert_int_equal(flow.cc.cwnd, before + before / 2);
	}
}

/* On short round trips the window is W_est: 9/17 of a segment per round trip from 0.7 of the last
 * window, a segment per round trip once it is there again [RFC9438-5]. */
static void
test_reno_friendly_region(void **state)
{
	struct flow flow;
	uint32_t rounds = 0;

	flow_lost(&flow, 20, 1000);
	assert_int_equal(flow.cc.cwnd, 14000);
	while (flow.cc.cwnd < 20000) {
		flow_round(&flow, true);
		rounds++;
		assert_near(flow.cc.cwnd / (double)MSS, 14 + rounds * 9 / 17.0, 1.01);
	}
	assert_in_range(rounds, 11, 13);
	for (unsigned int i = 0; i < 20; i++) {
		uint32_t before = flow.cc.cwnd;

		flow_round(&flow, true);
		assert_int_equal(flow.cc.cwnd, before + MSS);
	}
}

/* With a loss at the same window each time, it sends as much as Reno [RFC9438-5]. */
static void
test_sends_no_less_than_reno(void **state)
{
	static const struct {
		uint32_t segments, rtt_us;
	} cases[] = {{10, 100}, {20, 1000}, {50, 10000}, {20, 100000}, {400, 100000}};

	for (size_t i = 0; i < COUNT(cases); i++) {
		static const enum rill_cc algorithms[2] = {RILL_CC_NEWRENO, RILL_CC_CUBIC};
		double mean[2];

		for (size_t a = 0; a < COUNT(algorithms); a++) {
			uint64_t sum = 0;
			struct flow flow;

			flow_start(&flow, algorithms[a], SEGMENTS(cases[i].segments), cases[i].rtt_us);
			flow_lose(&flow, flow.cc.cwnd);
			for (unsigned int round = 0; round < 5000; round++) {
				flow_round(&flow, true);
				sum += flow.cc.cwnd;
				if (flow.cc.cwnd > SEGMENTS(cases[i].segments))
					flow_lose(&flow, flow.cc.cwnd);
			}
			mean[a] = (double)sum / 5000;
		}
		assert_true(mean[1] >= 0.97 * mean[0]);
	}
}

/* After a timeout: one segment, slow start up to 0.7 of the flight, then a curve that begins
 * flat where it stands [RFC9438-9]; without HyStart++, whatever the delay does [RFC9406-8]. */
static void
test_timeout(void **state)
{
	struct cc_event event;
	struct flow flow;

	flow_lost(&flow, 100, 100000);
	event = event_now(&flow, 60000);
	cc_cubic_ops.on_rto(&flow.cc, &event);
	assert_int_equal(flow.cc.cwnd, MSS);
	assert_int_equal(flow.cc.ssthresh, 42000);
	event = (struct cc_event){.flight = MSS, .mss = MSS, .first = false};
	cc_cubic_ops.on_rto(&flow.cc, &event);
	assert_int_equal(flow.cc.ssthresh, 42000); /* the same loss */
	flow.per_ack = MSS;
	for (uint32_t expect = 2000; expect < 42000; expect *= 2) {
		flow.rtt_us += 40000; /* a queue, by its looks */
		flow_round(&flow, true);
		assert_int_equal(flow.cc.cwnd, expect);
	}
	flow_round(&flow, true);
	assert_near(flow.cc.cwnd, 42000, MSS);
	flow.rtt_us = 100000;
	flow_round(&flow, true);
	assert_int_equal(flow.cc.u.cubic.w_max, 42000);
	assert_int_equal(flow.cc.u.cubic.k, 0);
	assert_near(flow.cc.cwnd, 42000, 2000);
}

/* The first slow start doubles per round trip; a growing delay makes it grow by a quarter
 * [RFC9406-3] and then ends it, and the curve begins there, flat, without a jump [RFC9438-10]. */
static void
test_first_slow_start_ends_by_delay(void **state)
{
	struct flow flow;
	uint32_t end;

	flow_start(&flow, RILL_CC_CUBIC, SEGMENTS(10), 50000);
	flow_round(&flow, true);
	flow_round(&flow, true);
	assert_int_equal(flow.cc.cwnd, 40000);
	flow.rtt_us = 60000;
	flow.per_ack = MSS;
	/* 50 to 60 ms is above the threshold of 6.25 ms; the eighth ACK of the round tells. */
	flow_round(&flow, true);
	assert_int_equal(flow.cc.cwnd, 40000 + 7 * MSS + 33 * MSS / 4);
	flow.per_ack = 2 * MSS;
	for (unsigned int round = 0; round < 3; round++) {
		uint32_t before = flow.cc.cwnd;

		flow_round(&flow, true);
		assert_near(flow.cc.cwnd, before + before / 4, MSS);
	}
	assert_int_equal(flow.cc.ssthresh, CC_SSTHRESH_MAX);
	for (unsigned int round = 0; round < 3; round++)
		flow_round(&flow, true);
	assert_true(flow.cc.ssthresh < CC_SSTHRESH_MAX);
	end = flow.cc.ssthresh;
	assert_near(flow.cc.cwnd, end, 2 * MSS);
	assert_int_equal(flow.cc.u.cubic.w_max, end);
	assert_int_equal(flow.cc.u.cubic.k, 0);
}

/* One ACK for 64 segments adds 8 in slow start, a quarter of that in the conservative one
 * [RFC9406-7]; an ACK for less adds what it acknowledges, split or not [RFC5681-6]. */
static void
test_an_ack_adds_eight_segments_at_most(void **state)
{
	struct flow flow;

	flow_start(&flow, RILL_CC_CUBIC, SEGMENTS(200), 50000);
	flow_ack(&flow, SEGMENTS(64), true, false);
	assert_int_equal(flow.cc.cwnd, SEGMENTS(208));
	flow_ack(&flow, SEGMENTS(3), true, false);
	assert_int_equal(flow.cc.cwnd, SEGMENTS(211));
	for (unsigned int i = 0; i < MSS; i++)
		flow_ack(&flow, 1, true, false);
	assert_int_equal(flow.cc.cwnd, SEGMENTS(212));
	flow.cc.u.hystart.css_rounds = 1;
	flow.cc.u.hystart.baseline_us = flow.rtt_us;
	flow_ack(&flow, SEGMENTS(64), true, false);
	assert_int_equal(flow.cc.cwnd, SEGMENTS(214));
}

/* Loss, ECN and a timeout end the first slow start, conservative or not, in the ordinary way
 * [RFC9406-6]. */
static void
test_congestion_ends_the_first_slow_start(void **state)
{
	for (unsigned int conservative = 0; conservative < 2; conservative++)
		for (unsigned int kind = 0; kind < 3; kind++) {
			struct cc_event event;
			struct flow flow;

			flow_start(&flow, RILL_CC_CUBIC, SEGMENTS(10), 50000);
			flow_round(&flow, true);
			flow.rtt_us += conservative * 50000;
			flow_round(&flow, true);
			event = event_now(&flow, 20000);
			if (kind == 0)
				cc_cubic_ops.on_loss(&flow.cc, &event);
			else if (kind == 1)
				cc_cubic_ops.on_ecn(&flow.cc, &event);
			else
				cc_cubic_ops.on_rto(&flow.cc, &event);
			assert_int_equal(flow.cc.ssthresh, 14000);
			assert_int_equal(flow.cc.cwnd, kind == 2 ? 1000 : 14000);
			flow.rtt_us = 50000;
			flow_run(&flow, 1000000, true);
			assert_in_range(flow.cc.cwnd, 14000, 40000);
		}
}

/* While the application does not use the window up, it does not grow, and the curve waits: a minute
 * of little use, or of none at all, changes nothing [RFC9438-11]. */
static void
test_time_stands_still_without_use(void **state)
{
	static const ustime pauses[] = {1000000, 60000000, 3600000000ull, 90000000000ull};

	for (size_t i = 0; i < COUNT(pauses); i++) {
		struct flow busy, slack, idle;
		uint32_t before;

		flow_lost(&busy, 100, 100000);
		flow_run(&busy, 2000000, true);
		slack = idle = busy;
		before = busy.cc.cwnd;
		for (ustime end = slack.now + pauses[i]; slack.now < end;) {
			slack.now += slack.rtt_us / 2;
			flow_ack(&slack, 2 * MSS, false, false);
			assert_int_equal(slack.cc.cwnd, before);
		}
		idle.now += pauses[i];
		cc_after_idle(&idle.cc, idle.now, pauses[i], 0);
		flow_run(&busy, 1000000, true);
		flow_run(&slack, 1000000, true);
		flow_run(&idle, 1000000, true);
		assert_near(slack.cc.cwnd, busy.cc.cwnd, MSS);
		assert_near(idle.cc.cwnd, busy.cc.cwnd, MSS);
	}
}

/* Idling is told in whole milliseconds, which may be more than the epoch is old: t is 0 then, and does
 * not lie beyond every window [RFC9438-11]. */
static void
test_idling_longer_than_the_epoch(void **state)
{
	struct flow flow;
	uint32_t before;

	flow_lost(&flow, 20, 100);
	flow_ack(&flow, MSS, true, false); /* t = 0 */
	flow.now += 150;
	cc_after_idle(&flow.cc, flow.now, 1000, 0);
	before = flow.cc.cwnd;
	for (unsigned int round = 0; round < 10; round++)
		flow_round(&flow, true);
	assert_in_range(flow.cc.cwnd, before, before + 10 * MSS);
}

/* Sending again with the restart window: slow start to ssthresh, then a new epoch. */
static void
test_restart_after_idling_begins_a_new_epoch(void **state)
{
	struct flow flow;

	flow_lost(&flow, 100, 100000);
	flow_run(&flow, 2000000, true);
	flow.now += 60000000;
	cc_after_idle(&flow.cc, flow.now, 60000000, 10000);
	assert_int_equal(flow.cc.cwnd, 10000);
	flow_round(&flow, true);
	assert_int_equal(flow.cc.cwnd, 20000);
	flow_round(&flow, true);
	flow_round(&flow, true);
	assert_near(flow.cc.cwnd, 70000, MSS);
	flow_run(&flow, 1000000, true);
	assert_near(flow.cc.cwnd / (double)MSS, model_w(1, 100, model_k(100, 70)), 2);
}

/* Recovery's ACKs do not grow the window [RFC9438-14]. */
static void
test_no_growth_in_recovery(void **state)
{
	struct cc_event event;
	struct flow flow;

	flow_lost(&flow, 100, 100000);
	flow_run(&flow, 6000000, true);
	event = event_now(&flow, flow.cc.cwnd);
	cc_cubic_ops.on_loss(&flow.cc, &event);
	for (unsigned int i = 0; i < 100; i++) {
		flow.now += 100000;
		flow_ack(&flow, 2 * MSS, true, true);
		assert_int_equal(flow.cc.cwnd, flow.cc.ssthresh);
	}
	flow_ack(&flow, 0, true, false); /* SACK news only */
	assert_int_equal(flow.cc.cwnd, flow.cc.ssthresh);
}

/* A loss that never happened: window and curve go on as before, and nothing above is taken away
 * [RFC9438-13]. */
static void
test_undo_goes_on_as_before(void **state)
{
	struct flow undone, calm;
	struct cc_event event;
	struct cc before;

	flow_lost(&undone, 100, 100000);
	flow_run(&undone, 2000000, true);
	calm = undone;
	before = undone.cc;
	event = event_now(&undone, undone.cc.cwnd);
	cc_cubic_ops.on_loss(&undone.cc, &event);
	cc_undo(&undone.cc, &before);
	assert_int_equal(undone.cc.cwnd, calm.cc.cwnd);
	flow_run(&undone, 4000000, true);
	flow_run(&calm, 4000000, true);
	assert_int_equal(undone.cc.cwnd, calm.cc.cwnd);
	before = undone.cc;
	cc_cubic_ops.on_loss(&undone.cc, &event);
	undone.cc.cwnd = before.cwnd + 5000;
	cc_undo(&undone.cc, &before);
	assert_int_equal(undone.cc.cwnd, before.cwnd + 5000);
}

/* Any window up to 2^31 bytes, segment size, round trip from 1 µs to 10 s and time up to hours:
 * growth is never negative, never more than half a window per ACK, never beyond the top
 * [RFC9438-14, ATK-52]. */
static void
test_nothing_overflows(void **state)
{
	struct rng rng;

	rng_init(&rng, (struct siphash_key){.k0 = 9438});
	for (unsigned int run = 0; run < 3000; run++) {
		uint32_t mss = 64 + rng_next(&rng) % 65432, window;
		struct flow flow;

		window = (uint32_t)rng_next(&rng) >> (1 + rng_next(&rng) % 20);
		flow_start(&flow, RILL_CC_CUBIC, window > 2 * mss ? window : 2 * mss,
			(uint32_t)(1 + rng_next(&rng) % (rng_next(&rng) % 2 ? 10000000 : 1000)));
		flow.mss = mss;
		flow.now = rng_next(&rng) >> 16;
		flow_lose(&flow, flow.cc.cwnd);
		for (unsigned int i = 0; i < 60; i++) {
			uint32_t before = flow.cc.cwnd;

			flow_ack(&flow, (uint32_t)rng_next(&rng) >> rng_next(&rng) % 32,
				rng_next(&rng) % 8 > 0, false);
			assert_true(flow.cc.cwnd >= before);
			assert_true(flow.cc.cwnd <= CC_CWND_MAX);
			assert_true(flow.cc.cwnd <= (uint64_t)before + before / 2 + mss);
			flow.now += rng_next(&rng) % (rng_next(&rng) % 4 ? 1000000 : 3600000000ull);
		}
	}
}

/* An hour of growth without a loss, at W_max = 2^20 segments: up to the top, and it stays there
 * [RFC9438-14]. */
static void
test_an_hour_of_growth(void **state)
{
	static const uint32_t rtts[] = {1, 100, 100000, 10000000};

	for (size_t i = 0; i < COUNT(rtts); i++) {
		uint32_t before, last = 0;
		struct flow flow;

		flow_start(&flow, RILL_CC_CUBIC, 1u << 30, rtts[i]);
		flow.mss = 1u << 10;
		flow_lose(&flow, 1u << 30);
		before = flow.cc.cwnd;
		for (unsigned int second = 0; second < 3 * 3600; second++) {
			flow_ack(&flow, flow.cc.cwnd, true, false);
			flow.now += 1000000;
			assert_true(flow.cc.cwnd >= last);
			last = flow.cc.cwnd;
		}
		assert_true(before < last);
		assert_int_equal(flow.cc.cwnd, CC_CWND_MAX);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden_curve),
		cmocka_unit_test(test_curve_follows_the_model),
		cmocka_unit_test(test_stretch_acks_make_no_difference),
		cmocka_unit_test(test_congestion_leaves_seven_tenths_of_the_flight),
		cmocka_unit_test(test_fast_convergence),
		cmocka_unit_test(test_growth_is_clamped),
		cmocka_unit_test(test_one_ack_adds_half_a_window_at_most),
		cmocka_unit_test(test_reno_friendly_region),
		cmocka_unit_test(test_sends_no_less_than_reno),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_first_slow_start_ends_by_delay),
		cmocka_unit_test(test_an_ack_adds_eight_segments_at_most),
		cmocka_unit_test(test_congestion_ends_the_first_slow_start),
		cmocka_unit_test(test_time_stands_still_without_use),
		cmocka_unit_test(test_idling_longer_than_the_epoch),
		cmocka_unit_test(test_restart_after_idling_begins_a_new_epoch),
		cmocka_unit_test(test_no_growth_in_recovery),
		cmocka_unit_test(test_undo_goes_on_as_before),
		cmocka_unit_test(test_nothing_overflows),
		cmocka_unit_test(test_an_hour_of_growth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
