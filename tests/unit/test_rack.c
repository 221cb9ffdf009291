/* SPDX-License-Identifier: BSD-3-Clause */
/* RACK's arithmetic: which delivery counts, the reordering window, and who is lost [RFC 8985, 6.2]. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rack.h"

#define MIN_RTT 100000u
#define SRTT 120000u
#define T0 0xfffff000u /* times wrap in the middle */
#define S0 0xfffffff0u /* sequence numbers too */

static struct rack_delivery
segment(uint32_t sent_us, uint32_t end)
{
	return (struct rack_delivery){.sent_us = T0 + sent_us, .end = seq(S0 + end)};
}

static struct rack
fresh(void)
{
	struct rack rack;

	rack_init(&rack, seq(S0));
	return rack;
}

/* [RFC8985-3] [RFC8985-4] */
static void
test_earlier_is_by_time_then_by_number(void **state)
{
	struct rack rack = fresh();
	struct rack_delivery delivery = segment(5000, 3000);

	assert_false(rack_is_earlier(&rack, T0, seq(S0 + 1000)));
	rack_delivered(&rack, &delivery, MIN_RTT, T0 + 105000);
	assert_int_equal(rack.rtt_us, 100000);
	assert_true(rack_is_earlier(&rack, T0 + 4999, seq(S0 + 9000)));
	assert_true(rack_is_earlier(&rack, T0 + 5000, seq(S0 + 2000)));
	assert_false(rack_is_earlier(&rack, T0 + 5000, seq(S0 + 3000)));
	assert_false(rack_is_earlier(&rack, T0 + 5000, seq(S0 + 4000)));
	assert_false(rack_is_earlier(&rack, T0 + 5001, seq(S0 + 1000)));
	/* Lost once it is late by the window. */
	assert_int_equal(rack_remaining_us(&rack, T0 + 4000, 25000, T0 + 105000), 24000);
	assert_int_equal(rack_remaining_us(&rack, T0 + 4000, 25000, T0 + 129000), 0);
	assert_true(rack_remaining_us(&rack, T0 + 4000, 0, T0 + 105000) < 0);
}

/* [RFC8985-5] */
static void
test_a_retransmission_that_may_be_the_original_does_not_count(void **state)
{
	struct rack rack = fresh();
	struct rack_delivery first = segment(0, 1000), again = segment(90000, 2000);

	rack_delivered(&rack, &first, MIN_RTT, T0 + 100000);
	again.retransmitted = true;
	rack_delivered(&rack, &again, MIN_RTT, T0 + 100000); /* 10 ms: younger than the least */
	assert_int_equal(rack.sent_us, T0);
	again.ambiguous = true;
	rack_delivered(&rack, &again, MIN_RTT, T0 + 200000); /* the echoed time shows the original */
	assert_int_equal(rack.sent_us, T0);
	assert_int_equal(rack.rtt_us, 100000);
	again.ambiguous = false;
	rack_delivered(&rack, &again, MIN_RTT, T0 + 200000);
	assert_int_equal(rack.sent_us, T0 + 90000);
	assert_int_equal(rack.rtt_us, 110000);
}

/* [RFC8985-7] */
static void
test_reordering_is_a_first_transmission_below_the_highest(void **state)
{
	struct rack rack = fresh();
	struct rack_delivery high = segment(0, 3000), low = segment(0, 1000);

	assert_false(rack_delivered(&rack, &high, MIN_RTT, T0 + 100000));
	assert_false(rack_delivered(&rack, &low, MIN_RTT, T0 + 100000)); /* told by the same ACK */
	rack_ack_done(&rack);
	low.retransmitted = true;
	assert_false(rack_delivered(&rack, &low, MIN_RTT, T0 + 100000));
	low.retransmitted = false;
	assert_true(rack_delivered(&rack, &low, MIN_RTT, T0 + 100000));
}

/* [RFC8985-6] [RFC8985-7] */
static void
test_the_window_grows_by_dsack_and_falls_back(void **state)
{
	struct rack rack = fresh();

	assert_int_equal(rack_window_us(&rack, MIN_RTT, SRTT, false, true), 0);
	assert_int_equal(rack_window_us(&rack, MIN_RTT, SRTT, false, false), MIN_RTT / 4);
	assert_int_equal(rack_window_us(&rack, MIN_RTT, SRTT, true, true), MIN_RTT / 4);
	rack_dsack(&rack, seq(S0), seq(S0 + 5000));
	rack_dsack(&rack, seq(S0 + 4999), seq(S0 + 9000)); /* the same round trip */
	assert_int_equal(rack_window_us(&rack, MIN_RTT, SRTT, true, true), MIN_RTT / 2);
	rack_dsack(&rack, seq(S0 + 5000), seq(S0 + 9000));
	assert_int_equal(rack_window_us(&rack, MIN_RTT, SRTT, true, true), 3 * (MIN_RTT / 4));
	for (uint32_t i = 2; i < 300; i++)
		rack_dsack(&rack, seq(S0 + 5000 * i), seq(S0 + 5000 * i + 5000));
	assert_int_equal(rack_window_us(&rack, MIN_RTT, SRTT, true, true), SRTT);
	for (unsigned int i = 0; i < 15; i++)
		rack_recovered(&rack);
	assert_int_equal(rack_window_us(&rack, MIN_RTT, SRTT, true, true), SRTT);
	rack_recovered(&rack);
	assert_int_equal(rack_window_us(&rack, MIN_RTT, SRTT, true, true), MIN_RTT / 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_earlier_is_by_time_then_by_number),
		cmocka_unit_test(test_a_retransmission_that_may_be_the_original_does_not_count),
		cmocka_unit_test(test_reordering_is_a_first_transmission_below_the_highest),
		cmocka_unit_test(test_the_window_grows_by_dsack_and_falls_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
