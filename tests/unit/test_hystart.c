/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * HyStart++ on rounds of ACKs: when the delay makes it slow down, go on, or end slow start.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cc.h"

#define MSS 1000u
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A sender whose round i lets `acks` ACKs come back, each with the round's RTT. */
struct flow {
	struct hystart hystart;
	seq_t una, nxt;
};

static void
flow_start(struct flow *flow, uint32_t first)
{
	hystart_init(&flow->hystart);
	flow->una = flow->nxt = seq(first);
}

/* One flight of n segments, each acknowledged by one ACK. */
static enum hystart_verdict
flow_round(struct flow *flow, unsigned int n, const uint32_t *rtt_us)
{
	enum hystart_verdict verdict = HYSTART_SLOW_START;

	flow->nxt = seq_add(flow->una, n * MSS);
	for (unsigned int i = 0; i < n; i++) {
		flow->una = seq_add(flow->una, MSS);
		verdict = hystart_on_ack(&flow->hystart, flow->una, flow->nxt, rtt_us[i]);
		if (verdict == HYSTART_EXIT)
			assert_int_equal(i, n - 1);
	}
	return verdict;
}

static enum hystart_verdict
flow_steady_round(struct flow *flow, unsigned int n, uint32_t rtt_us)
{
	uint32_t rtts[64];

	for (unsigned int i = 0; i < n; i++)
		rtts[i] = rtt_us;
	return flow_round(flow, n, rtts);
}

/* Rounds end with what was outstanding when they began, also where sequence numbers wrap
 * [RFC9406-1]. */
static void
test_rounds_are_delimited_by_sequence(void **state)
{
	static const uint32_t firsts[] = {0, 5000, 0x7fffe000, 0xffffe000};

	for (size_t i = 0; i < COUNT(firsts); i++) {
		struct hystart hystart;
		seq_t una = seq(firsts[i]), nxt = seq_add(una, 10 * MSS);

		hystart_init(&hystart);
		for (unsigned int ack = 1; ack <= 30; ack++) { /* a segment leaves for each ACK */
			una = seq_add(una, MSS);
			hystart_on_ack(&hystart, una, nxt, 50000 + ack);
			nxt = seq_add(nxt, MSS);
			/* Round 1 ends with the 10th ACK, round 2 with the 19th, 3 with the 28th. */
			assert_int_equal(hystart.last_min_us, ack < 10 ? UINT32_MAX
				: ack < 19			       ? 50001u
				: ack < 28			       ? 50011u
								       : 50020u);
		}
	}
}

/* A round that was left behind by 2^31 bytes and more is over [RFC9406-1]. */
static void
test_a_round_left_far_behind_is_over(void **state)
{
	struct flow flow;

	flow_start(&flow, 1000);
	flow_steady_round(&flow, 4, 50000);
	flow.una = seq(0x90000000);
	flow.nxt = seq(0x90001000);
	hystart_on_ack(&flow.hystart, flow.una, flow.nxt, 40000);
	assert_true(seq_eq(flow.hystart.round_end, flow.nxt));
}

/* The threshold is an eighth of the last round's least RTT, within 4 and 16 ms [RFC9406-2]; on
 * paths of less than a millisecond a jitter of 500 µs is none [RFC9406-10]. */
static void
test_delay_beyond_the_threshold_slows_down(void **state)
{
	static const struct {
		uint32_t before_us, after_us;
		enum hystart_verdict expect;
	} cases[] = {
		{30, 530, HYSTART_SLOW_START},
		{30, 4029, HYSTART_SLOW_START},
		{30, 4030, HYSTART_CONSERVATIVE},
		{10000, 13999, HYSTART_SLOW_START},
		{10000, 14000, HYSTART_CONSERVATIVE},
		{64000, 71999, HYSTART_SLOW_START},
		{64000, 72000, HYSTART_CONSERVATIVE},
		{200000, 215999, HYSTART_SLOW_START},
		{200000, 216000, HYSTART_CONSERVATIVE},
		{200000, 100000, HYSTART_SLOW_START},
		{UINT32_MAX - 1, UINT32_MAX - 1, HYSTART_SLOW_START},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct flow flow;

		flow_start(&flow, 0);
		flow_steady_round(&flow, 10, cases[i].before_us);
		assert_int_equal(flow_steady_round(&flow, 8, cases[i].after_us), cases[i].expect);
	}
}

/* Fewer than 8 samples in a round say nothing, however late they are, nor do ACKs without a sample
 * [RFC9406-9]. */
static void
test_few_samples_say_nothing(void **state)
{
	uint32_t rtts[16] = {0};
	struct flow flow;

	flow_start(&flow, 0);
	for (unsigned int round = 0; round < 20; round++)
		assert_int_equal(
			flow_steady_round(&flow, 7, 10000 << round / 2), HYSTART_SLOW_START);
	flow_start(&flow, 0);
	flow_steady_round(&flow, 10, 10000);
	for (unsigned int i = 0; i < 7; i++)
		rtts[i] = 90000;
	assert_int_equal(flow_round(&flow, 10, rtts), HYSTART_SLOW_START);
	flow_start(&flow, 0);
	for (unsigned int round = 0; round < 20; round++)
		assert_int_equal(flow_steady_round(&flow, 16, 0), HYSTART_SLOW_START);
}

/* Some ACKs that are as fast as ever mean that the others were jitter. */
static void
test_the_least_sample_of_a_round_counts(void **state)
{
	uint32_t rtts[16];
	struct flow flow;

	for (unsigned int i = 0; i < COUNT(rtts); i++)
		rtts[i] = i % 8 == 3 ? 11000 : 80000;
	flow_start(&flow, 0);
	flow_steady_round(&flow, 10, 10000);
	assert_int_equal(flow_round(&flow, 16, rtts), HYSTART_SLOW_START);
}

/* If the delay falls below what began conservative slow start, slow start goes on [RFC9406-4]. */
static void
test_jitter_lets_slow_start_go_on(void **state)
{
	struct flow flow;

	flow_start(&flow, 0);
	flow_steady_round(&flow, 10, 100000);
	assert_int_equal(flow_steady_round(&flow, 10, 120000), HYSTART_CONSERVATIVE);
	assert_int_equal(flow_steady_round(&flow, 10, 120000), HYSTART_CONSERVATIVE);
	assert_int_equal(flow_steady_round(&flow, 20, 100500), HYSTART_SLOW_START);
	/* and a later rise is seen again */
	assert_int_equal(flow_steady_round(&flow, 20, 120000), HYSTART_CONSERVATIVE);
}

/* Five rounds of it, the one in which it began counted, end slow start [RFC9406-5]. */
static void
test_five_conservative_rounds_end_slow_start(void **state)
{
	struct flow flow;

	flow_start(&flow, 0);
	assert_int_equal(flow_steady_round(&flow, 10, 100000), HYSTART_SLOW_START);
	for (unsigned int round = 0; round < 4; round++)
		assert_int_equal(flow_steady_round(&flow, 10, 120000), HYSTART_CONSERVATIVE);
	assert_int_equal(flow_steady_round(&flow, 10, 120000), HYSTART_EXIT);
}

/* The index of the ACK that ends slow start in a round, n if none does. */
static unsigned int
flow_queueing_round(struct flow *flow, unsigned int n, uint32_t first_us, uint32_t more_us)
{
	seq_t nxt = seq_add(flow->una, n * MSS);

	for (unsigned int i = 0; i < n; i++) {
		flow->una = seq_add(flow->una, MSS);
		if (hystart_on_ack(&flow->hystart, flow->una, nxt, first_us + i * more_us) ==
			HYSTART_EXIT)
			return i;
	}
	return n;
}

/* A window whose end waits a quarter of the round trip, and 8 ms, ends slow start with the eighth
 * such ACK in a row. */
static void
test_a_window_that_queues_ends_slow_start(void **state)
{
	static const struct {
		uint32_t before_us, more_us;
		unsigned int ends;
	} cases[] = {
		{100000, 0, 64}, {100000, 390, 64}, /* 24.6 ms more at the end */
		{100000, 500, 63},  /* 25 ms more from the 51st ACK on: the block of 57 to 64 */
		{100000, 1000, 39}, /* from the 26th on: 33 to 40 */
		{16000, 120, 64},   /* 7.6 ms */
		{16000, 1000, 15},  /* 8 ms more from the 9th on: 9 to 16 */
		{400000, 1500, 64}, /* 94.5 ms */
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct flow flow;

		flow_start(&flow, 0);
		flow_steady_round(&flow, 10, cases[i].before_us);
		assert_int_equal(
			flow_queueing_round(&flow, 64, cases[i].before_us, cases[i].more_us),
			cases[i].ends);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rounds_are_delimited_by_sequence),
		cmocka_unit_test(test_a_round_left_far_behind_is_over),
		cmocka_unit_test(test_delay_beyond_the_threshold_slows_down),
		cmocka_unit_test(test_few_samples_say_nothing),
		cmocka_unit_test(test_the_least_sample_of_a_round_counts),
		cmocka_unit_test(test_jitter_lets_slow_start_go_on),
		cmocka_unit_test(test_five_conservative_rounds_end_slow_start),
		cmocka_unit_test(test_a_window_that_queues_ends_slow_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
