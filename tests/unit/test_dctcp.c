/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DCTCP: what part of the data was marked, as alpha beside a model in floating point, and how much
 * the window goes down for it.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <rill/options.h>

#include "cc.h"

#define MSS 1000u
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct flow {
	struct cc cc;
	seq_t una, nxt;
};

static void
flow_start(struct flow *flow, enum rill_cc algorithm, uint32_t cwnd, uint32_t first)
{
	cc_init(&flow->cc, algorithm, MSS, cwnd);
	flow->una = seq(first);
	flow->nxt = seq_add(flow->una, cwnd);
}

static void
flow_ack(struct flow *flow, uint32_t bytes, bool ece, bool limited)
{
	struct cc_ack ack = {.acked = bytes, .delivered = bytes, .mss = MSS, .cwnd_limited = limited,
		.ece = ece};

	flow->una = seq_add(flow->una, bytes);
	ack.snd_una = flow->una;
	ack.snd_nxt = flow->nxt;
	cc_ops(flow->cc.algorithm)->on_ack(&flow->cc, &ack);
	flow->nxt = seq_add(flow->nxt, bytes);
}

/* So many segments, the first `marked` of them with ECE. */
static void
flow_acks(struct flow *flow, unsigned int segments, unsigned int marked)
{
	for (unsigned int i = 0; i < segments; i++)
		flow_ack(flow, MSS, i < marked, false);
}

static double
alpha(const struct flow *flow)
{
	return flow->cc.u.dctcp.alpha / (double)DCTCP_ALPHA_ONE;
}

static void
assert_near(double value, double expect, double tolerance)
{
	if (fabs(value - expect) <= tolerance)
		return;
	print_error("%f, expected %f within %f\n", value, expect, tolerance);
	fail();
}

/* alpha begins at 1 and moves by a sixteenth towards what part of each window was marked
 * [RFC8257-3, RFC8257-4], wherever sequence numbers wrap. */
static void
test_alpha_follows_the_marks(void **state)
{
	static const unsigned int marked[] = {0, 0, 20, 20, 5, 1, 0, 0, 10, 10, 10, 10, 10, 10, 10};
	static const uint32_t firsts[] = {0, 0x7fffb000, 0xffffb000};

	for (size_t i = 0; i < COUNT(firsts); i++) {
		double model = 1;
		struct flow flow;

		flow_start(&flow, RILL_CC_DCTCP, 20000, firsts[i]);
		assert_near(alpha(&flow), 1, 0);
		/* The first ACK begins a window; the first one beyond its 20 segments ends it. */
		flow_acks(&flow, 20, 0);
		assert_near(alpha(&flow), 1, 0);
		flow_acks(&flow, 1, 0);
		model = 15.0 / 16;
		for (size_t round = 0; round < COUNT(marked); round++) {
			assert_near(alpha(&flow), model, 1e-4);
			flow_acks(&flow, 19, marked[round]);
			assert_near(alpha(&flow), model, 1e-4);
			flow_acks(&flow, 1, marked[round] == 20);
			model = model * 15 / 16 + marked[round] / 20.0 / 16;
		}
	}
}

/* Bytes count, not ACKs: an ACK for many segments weighs as many [RFC8257-3]. */
static void
test_marks_are_counted_in_bytes(void **state)
{
	struct flow flow;

	flow_start(&flow, RILL_CC_DCTCP, 20000, 0);
	flow_ack(&flow, 15000, true, false);
	flow_ack(&flow, 5000, false, false);
	flow_ack(&flow, 10000, false, false);
	assert_near(alpha(&flow), 15.0 / 16 + 0.5 / 16, 1e-5);
}

static void
test_alpha_stays_within_its_bounds(void **state)
{
	struct flow flow;

	flow_start(&flow, RILL_CC_DCTCP, 20000, 0);
	flow_acks(&flow, 3000, 3000);
	assert_near(alpha(&flow), 1, 1e-4);
	flow_acks(&flow, 30000, 0);
	assert_near(alpha(&flow), 0, 1e-4);
	flow.una = seq_add(flow.una, 0x90000000); /* the window was left far behind */
	flow.nxt = seq_add(flow.nxt, 0x90000000);
	flow_ack(&flow, MSS, false, false);
	assert_true(seq_geq(flow.cc.u.dctcp.window_end, flow.una));
}

/* Marks lower the window by alpha / 2, to two segments at least [RFC8257-5]. */
static void
test_the_window_goes_down_by_half_of_alpha(void **state)
{
	static const struct {
		uint32_t cwnd;
		double alpha;
		uint32_t expect;
	} cases[] = {
		{100000, 1, 50000},
		{100000, 0.5, 75000},
		{100000, 0.0625, 96875},
		{100000, 0, 100000},
		{3000, 1, 2000},
		{CC_CWND_MAX, 1, CC_CWND_MAX / 2 + 1},
	};
	struct cc_event event = {.mss = MSS};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct cc cc;

		cc_init(&cc, RILL_CC_DCTCP, MSS, cases[i].cwnd);
		cc.u.dctcp.alpha = (uint32_t)(cases[i].alpha * DCTCP_ALPHA_ONE);
		event.flight = cc.cwnd;
		cc_dctcp_ops.on_ecn(&cc, &event);
		assert_int_equal(cc.cwnd, cases[i].expect);
		assert_int_equal(cc.ssthresh, cases[i].expect);
	}
}

/* Growth, loss and timeout are NewReno's, whatever alpha is and whether ACKs carry ECE [RFC8257-6,
 * RFC8257-7]; without marks it is NewReno altogether [RFC8257-9]. */
static void
test_all_else_is_newreno(void **state)
{
	for (unsigned int marks = 0; marks < 2; marks++) {
		struct cc_event event = {.mss = MSS, .first = true};
		struct flow dctcp, reno;

		flow_start(&dctcp, RILL_CC_DCTCP, 10000, 0);
		flow_start(&reno, RILL_CC_NEWRENO, 10000, 0);
		for (unsigned int i = 0; i < 3000; i++) {
			const struct cc_ops *ops[2] = {&cc_dctcp_ops, &cc_newreno_ops};
			struct flow *flows[2] = {&dctcp, &reno};

			for (unsigned int f = 0; f < 2; f++) {
				flow_ack(flows[f], i % 7 * 400, marks && i % 3 == 0, true);
				event.flight = flows[f]->cc.cwnd;
				if (i % 500 == 499)
					ops[f]->on_loss(&flows[f]->cc, &event);
				if (i % 500 == 20)
					ops[f]->on_recovered(&flows[f]->cc, &event);
				if (i % 1000 == 700)
					ops[f]->on_rto(&flows[f]->cc, &event);
			}
			assert_int_equal(dctcp.cc.cwnd, reno.cc.cwnd);
			assert_int_equal(dctcp.cc.ssthresh, reno.cc.ssthresh);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alpha_follows_the_marks),
		cmocka_unit_test(test_marks_are_counted_in_bytes),
		cmocka_unit_test(test_alpha_stays_within_its_bounds),
		cmocka_unit_test(test_the_window_goes_down_by_half_of_alpha),
		cmocka_unit_test(test_all_else_is_newreno),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
