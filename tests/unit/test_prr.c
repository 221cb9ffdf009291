/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Proportional rate reduction against the text of RFC 9937: what is sent in a recovery follows what is
 * delivered, for one loss, for many, and for ACKs that somebody splits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "prr.h"

#define MSS 1000u

/* cwnd - flight: what may be sent after this ACK. */
static uint32_t
allowance(struct prr *prr, uint32_t delivered, uint32_t flight, uint32_t ssthresh, bool safe)
{
	const struct prr_ack ack = {.delivered = delivered,
		.flight = flight,
		.ssthresh = ssthresh,
		.mss = MSS,
		.safe = safe};
	uint32_t cwnd = prr_cwnd(prr, &ack);

	assert_true(cwnd >= flight); /* [RFC9937-7] */
	return cwnd - flight;
}

/* [RFC9937-1] [RFC9937-8] */
static void
test_begins_with_nothing_delivered_and_nothing_sent(void **state)
{
	struct prr prr = {.delivered = 5, .out = 6};

	prr_begin(&prr, 100 * MSS);
	assert_int_equal(prr.recover_fs, 100 * MSS);
	assert_int_equal(prr.delivered, 0);
	assert_int_equal(prr.out, 0);
	allowance(&prr, 2 * MSS, 98 * MSS, 50 * MSS, false);
	prr_sent(&prr, MSS);
	prr_sent(&prr, 10);
	assert_int_equal(prr.recover_fs, 100 * MSS); /* constant */
	assert_int_equal(prr.out, MSS + 10);
}

/* [RFC9937-4] [RFC9937-12] a window of 100 with one loss: one segment for every two ACKs, never two
 * in a row, and ssthresh in flight at the end. */
static void
test_one_loss_spreads_the_reduction_over_the_round_trip(void **state)
{
	uint32_t flight = 99 * MSS, sent = 0;
	struct prr prr;

	prr_begin(&prr, 100 * MSS);
	for (unsigned int i = 0; i < 99; i++) {
		uint32_t may;

		flight -= MSS;
		may = allowance(&prr, MSS, flight, 50 * MSS, false);
		assert_true(may < 2 * MSS);
		if (may >= MSS) {
			prr_sent(&prr, MSS);
			flight += MSS;
			sent += MSS;
		}
	}
	assert_in_range(sent, 49 * MSS, 51 * MSS);
	assert_in_range(flight, 48 * MSS, 50 * MSS);
}

/* [RFC9937-6] */
static void
test_the_first_ack_lets_the_retransmission_out(void **state)
{
	struct prr prr;

	prr_begin(&prr, 10 * MSS);
	assert_int_equal(allowance(&prr, 1, 9 * MSS, 5 * MSS, false), MSS);
	prr_sent(&prr, MSS);
	assert_int_equal(allowance(&prr, 1, 9 * MSS, 5 * MSS, false), 0);
}

/* [RFC9937-5] half of the window is lost: below ssthresh only what is delivered is sent, and a segment
 * more only when snd_una advances without new losses. */
static void
test_heavy_loss_makes_no_burst(void **state)
{
	struct prr prr;

	prr_begin(&prr, 100 * MSS);
	allowance(&prr, MSS, 40 * MSS, 50 * MSS, false);
	prr_sent(&prr, MSS);
	assert_int_equal(allowance(&prr, MSS, 40 * MSS, 50 * MSS, false), MSS);
	prr_sent(&prr, MSS);
	assert_int_equal(allowance(&prr, MSS, 40 * MSS, 50 * MSS, true), 2 * MSS);
	prr_sent(&prr, 2 * MSS);
	assert_int_equal(allowance(&prr, 3 * MSS, 49 * MSS, 50 * MSS, true), MSS); /* to ssthresh */
	assert_int_equal(allowance(&prr, 3 * MSS, 50 * MSS, 50 * MSS, true), 0);
}

/* [RFC9937-11] 1000 ACKs of a byte each allow what one ACK of a segment would. */
static void
test_splitting_acks_gains_nothing(void **state)
{
	uint32_t flight = 90 * MSS, sent = 0;
	struct prr prr;

	prr_begin(&prr, 100 * MSS);
	prr_sent(&prr, MSS);
	for (unsigned int i = 0; i < 10 * MSS; i++) {
		uint32_t may = allowance(&prr, 1, flight, 50 * MSS, false);

		if (may >= MSS) {
			prr_sent(&prr, MSS);
			sent += MSS;
		}
	}
	assert_in_range(sent, 3 * MSS, 4 * MSS); /* 5 were due, one was out */
}

/* The promise of the header, over random episodes. */
static void
test_random_episodes_keep_the_bounds(void **state)
{
	srand(9937);
	for (unsigned int episode = 0; episode < 2000; episode++) {
		uint32_t fs = (10 + (uint32_t)rand() % 1000) * MSS, ssthresh = fs * 7 / 10;
		uint32_t left = fs, flight;
		struct prr prr;

		prr_begin(&prr, fs);
		flight = fs - (uint32_t)rand() % (fs / 2);
		while (left > 0) {
			uint32_t delivered = 1 + (uint32_t)rand() % (2 * MSS), may;

			delivered = delivered < left ? delivered : left;
			left -= delivered;
			flight -= delivered < flight ? delivered : flight;
			may = allowance(&prr, delivered, flight, ssthresh, rand() % 2);
			if (flight > ssthresh && prr.out > 0)
				assert_true(prr.out + may <=
					    (uint64_t)prr.delivered * ssthresh / fs + 2 * MSS);
			else if (prr.out > 0)
				assert_true(flight + may <= ssthresh || may == 0);
			prr_sent(&prr, may);
			flight += may;
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_begins_with_nothing_delivered_and_nothing_sent),
		cmocka_unit_test(test_one_loss_spreads_the_reduction_over_the_round_trip),
		cmocka_unit_test(test_the_first_ack_lets_the_retransmission_out),
		cmocka_unit_test(test_heavy_loss_makes_no_burst),
		cmocka_unit_test(test_splitting_acks_gains_nothing),
		cmocka_unit_test(test_random_episodes_keep_the_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
