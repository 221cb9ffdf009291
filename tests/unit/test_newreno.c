/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * NewReno's window after each event, as tables of {event, what cwnd and ssthresh must be then}:
 * slow start [RFC5681-6, ATK-27], congestion avoidance [RFC5681-7], loss [RFC5681-14, RFC5681-16,
 * RFC6582-5, RFC6582-8], timeouts [RFC5681-8, RFC5681-9, RFC5681-10], and no overflow at the top.
 */
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
#define HIGH CC_SSTHRESH_MAX

enum event {
	ACK,           /* bytes acknowledged, the window being used up */
	ACK_IDLE,      /* the same, the window not used up */
	ACK_RECOVERY,  /* the same, in fast recovery */
	LOSS,          /* bytes in flight, and so for the following */
	RECOVERED,
	RTO_FIRST,
	RTO_AGAIN,
};

struct step {
	enum event event;
	uint32_t bytes;
	uint32_t cwnd, ssthresh; /* expected */
};

static void
apply(struct cc *cc, enum event event, uint32_t bytes)
{
	const struct cc_ops *ops = cc_ops(cc->algorithm);
	struct cc_ack ack = {
		.acked = bytes,
		.flight = cc->cwnd,
		.mss = MSS,
		.in_recovery = event == ACK_RECOVERY,
		.cwnd_limited = event != ACK_IDLE,
	};
	struct cc_event congestion = {.flight = bytes, .mss = MSS, .first = event == RTO_FIRST};

	switch (event) {
	case ACK:
	case ACK_IDLE:
	case ACK_RECOVERY:
		ops->on_ack(cc, &ack);
		break;
	case LOSS:
		ops->on_loss(cc, &congestion);
		break;
	case RECOVERED:
		ops->on_recovered(cc, &congestion);
		break;
	case RTO_FIRST:
	case RTO_AGAIN:
		ops->on_rto(cc, &congestion);
		break;
	}
}

static void
run(const char *file, int line, struct cc *cc, const struct step *steps, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		apply(cc, steps[i].event, steps[i].bytes);
		if (cc->cwnd == steps[i].cwnd && cc->ssthresh == steps[i].ssthresh)
			continue;
		print_error("%s:%d: step %zu: cwnd %u ssthresh %u, expected %u %u\n", file, line, i,
			cc->cwnd, cc->ssthresh, steps[i].cwnd, steps[i].ssthresh);
		fail();
	}
}
#define RUN(cc, steps) run(__FILE__, __LINE__, cc, steps, COUNT(steps))

static void
start(struct cc *cc, uint32_t cwnd, uint32_t ssthresh)
{
	cc_init(cc, RILL_CC_NEWRENO, MSS, cwnd);
	cc->ssthresh = ssthresh;
}

static void
test_slow_start_adds_what_is_acknowledged_up_to_a_segment(void **state)
{
	static const struct step steps[] = {
		{ACK, 1000, 11000, HIGH},
		{ACK, 2000, 12000, HIGH}, /* an ACK for two segments still adds one */
		{ACK, 500, 12500, HIGH},
		{ACK, 1, 12501, HIGH},
		{ACK, 64000, 13501, HIGH},
		{ACK_IDLE, 1000, 13501, HIGH},
		{ACK_RECOVERY, 1000, 13501, HIGH},
		{ACK, 1000, 14501, HIGH},
	};
	struct cc cc;

	start(&cc, 10000, HIGH);
	RUN(&cc, steps);
}

static void
test_splitting_an_ack_gains_nothing(void **state)
{
	struct cc cc;

	start(&cc, 10000, HIGH);
	for (unsigned int i = 0; i < MSS; i++)
		apply(&cc, ACK, 1);
	assert_int_equal(cc.cwnd, 10000 + MSS);
	start(&cc, 10000, 10000); /* and in congestion avoidance: one window of bytes, one segment */
	for (unsigned int i = 0; i < 9999; i++)
		apply(&cc, ACK, 1);
	assert_int_equal(cc.cwnd, 10000);
	apply(&cc, ACK, 1);
	assert_int_equal(cc.cwnd, 11000);
}

static void
test_congestion_avoidance_adds_a_segment_per_window(void **state)
{
	static const struct step steps[] = {
		{ACK, 1000, 4000, 4000},
		{ACK, 1000, 4000, 4000},
		{ACK, 1000, 4000, 4000},
		{ACK, 1000, 5000, 4000},
		{ACK, 2000, 5000, 4000},
		{ACK, 2000, 5000, 4000},
		{ACK, 2000, 6000, 4000}, /* 6000 counted: 1000 are carried over */
		{ACK, 2000, 6000, 4000},
		{ACK_IDLE, 2000, 6000, 4000},
		{ACK_RECOVERY, 2000, 6000, 4000},
		{ACK, 2000, 6000, 4000},
		{ACK, 1000, 7000, 4000},
		{ACK, 60000, 8000, 4000}, /* one ACK, however much it covers: one segment */
		{ACK, 7999, 8000, 4000},
		{ACK, 1, 9000, 4000},
	};
	struct cc cc;

	start(&cc, 4000, 4000);
	RUN(&cc, steps);
}

/* Windows of full segments, acknowledged one, two or all at a time: a segment per round trip. */
static void
test_congestion_avoidance_grows_a_segment_per_round_trip(void **state)
{
	static const uint32_t per_ack[] = {1, 700, MSS, 2 * MSS, 5 * MSS, UINT32_MAX};

	for (size_t i = 0; i < COUNT(per_ack); i++) {
		struct cc cc;

		start(&cc, 20 * MSS, 10 * MSS);
		for (uint32_t round = 0; round < 30; round++) {
			uint32_t left = cc.cwnd, before = cc.cwnd;

			while (left > 0) {
				uint32_t bytes = left < per_ack[i] ? left : per_ack[i];

				apply(&cc, ACK, bytes);
				left -= bytes;
			}
			assert_int_equal(cc.cwnd, before + MSS);
		}
	}
}

static void
test_slow_start_ends_at_ssthresh(void **state)
{
	static const struct step steps[] = {
		{ACK, 1000, 5000, 6000},
		{ACK, 1000, 6000, 6000},
		{ACK, 1000, 6000, 6000}, /* from here on by the window */
		{ACK, 5000, 7000, 6000},
	};
	struct cc cc;

	start(&cc, 4000, 6000);
	RUN(&cc, steps);
}

static void
test_loss_halves_the_flight(void **state)
{
	static const struct step steps[] = {
		{LOSS, 20000, 10000, 10000},
		{ACK_RECOVERY, 1000, 10000, 10000}, /* no growth by ACKs of recovery */
		{ACK_RECOVERY, 10000, 10000, 10000},
		{RECOVERED, 15000, 10000, 10000}, /* [9937 6.4] */
		{ACK, 9999, 10000, 10000},
		{LOSS, 10000, 5000, 5000},        /* the half-counted window is forgotten */
		{RECOVERED, 0, 5000, 5000},       /* little in flight: still ssthresh */
		{LOSS, 3000, 2000, 2000},         /* never below two segments */
		{RECOVERED, 3000, 2000, 2000},
		{ACK, 1000, 2000, 2000},
		{ACK, 1000, 3000, 2000},
		{LOSS, 9001, 4500, 4500},
		{RECOVERED, 3000, 4500, 4500},
	};
	struct cc cc;

	start(&cc, 30000, HIGH); /* the flight counts, not the window */
	RUN(&cc, steps);
}

static void
test_timeout_starts_again_from_one_segment(void **state)
{
	static const struct step steps[] = {
		{RTO_FIRST, 12000, 1000, 6000},
		{RTO_AGAIN, 1000, 1000, 6000}, /* the same loss: ssthresh is held */
		{RTO_AGAIN, 1000, 1000, 6000},
		{ACK, 1000, 2000, 6000},       /* slow start */
		{ACK, 1000, 3000, 6000},
		{RTO_FIRST, 3000, 1000, 2000}, /* another loss */
		{ACK, 1000, 2000, 2000},
		{ACK, 2000, 3000, 2000},
		{ACK, 2999, 3000, 2000},
		{RTO_FIRST, 6000, 1000, 3000}, /* forgets the half-counted window */
		{ACK, 1000, 2000, 3000},
		{ACK, 1000, 3000, 3000},
		{ACK, 2999, 3000, 3000},
		{ACK, 1, 4000, 3000},
	};
	struct cc cc;

	start(&cc, 40000, HIGH);
	RUN(&cc, steps);
}

static void
test_nothing_wraps_at_the_top(void **state)
{
	static const struct step slow[] = {
		{ACK, 1000, CC_CWND_MAX - 500, HIGH},
		{ACK, 1000, CC_CWND_MAX, HIGH},
		{ACK, UINT32_MAX, CC_CWND_MAX, HIGH},
		{RECOVERED, UINT32_MAX, CC_CWND_MAX, HIGH},
		{ACK, 1000, CC_CWND_MAX, HIGH},
		{LOSS, UINT32_MAX, CC_CWND_MAX, CC_CWND_MAX},
	};
	static const struct step avoidance[] = {
		{ACK, CC_CWND_MAX - 2, CC_CWND_MAX - 1, 2000},
		{ACK, UINT32_MAX, CC_CWND_MAX, 2000},
		{ACK, UINT32_MAX, CC_CWND_MAX, 2000},
		{ACK, CC_CWND_MAX, CC_CWND_MAX, 2000},
	};
	struct cc cc;

	start(&cc, CC_CWND_MAX - 1500, HIGH);
	RUN(&cc, slow);
	start(&cc, CC_CWND_MAX - 1, 2000);
	RUN(&cc, avoidance);
	assert_true(cc.u.newreno.acked < cc.cwnd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slow_start_adds_what_is_acknowledged_up_to_a_segment),
		cmocka_unit_test(test_splitting_an_ack_gains_nothing),
		cmocka_unit_test(test_congestion_avoidance_adds_a_segment_per_window),
		cmocka_unit_test(test_congestion_avoidance_grows_a_segment_per_round_trip),
		cmocka_unit_test(test_slow_start_ends_at_ssthresh),
		cmocka_unit_test(test_loss_halves_the_flight),
		cmocka_unit_test(test_timeout_starts_again_from_one_segment),
		cmocka_unit_test(test_nothing_wraps_at_the_top),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
