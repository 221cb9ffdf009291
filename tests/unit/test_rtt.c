/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RTT and RTO against RFC 6298 computed in floating point: first sample [RFC6298-2], later ones
 * [RFC6298-3], no variance left [RFC6298-8], bounds [RFC6298-5], back-off [RFC6298-14].
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rtt.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct model {
	double srtt, rttvar, rto;
	bool sampled;
};

static void
model_sample(struct model *m, double r, double rto_min)
{
	double margin;

	if (m->sampled) {
		double error = m->srtt > r ? m->srtt - r : r - m->srtt;

		m->rttvar = 0.75 * m->rttvar + 0.25 * error;
		m->srtt = 0.875 * m->srtt + 0.125 * r;
	} else {
		m->srtt = r;
		m->rttvar = r / 2;
		m->sampled = true;
	}
	margin = 4 * m->rttvar > RTO_GRANULARITY_US ? 4 * m->rttvar : RTO_GRANULARITY_US;
	m->rto = m->srtt + margin;
	if (m->rto < rto_min)
		m->rto = rto_min;
	if (m->rto > RTO_MAX_US)
		m->rto = RTO_MAX_US;
}

/* Rounding to whole µs each time adds up to less than 1/2 / (1 - 7/8) µs in srtt, and in rttvar to
 * less than (1/2 + 4/4) / (1 - 3/4): six, of which RTO has four times as many. */
#define SRTT_SLACK 4.0
#define RTTVAR_SLACK 6.0
#define RTO_SLACK (SRTT_SLACK + 4 * RTTVAR_SLACK)

static void
assert_near(double got, double expected, double slack)
{
	double off = got > expected ? got - expected : expected - got;

	if (off <= slack)
		return;
	print_error("got %.1f, expected %.1f\n", got, expected);
	fail();
}

static void
test_before_the_first_sample(void **state)
{
	struct rtt rtt;

	rtt_init(&rtt, 1000000);
	assert_int_equal(rtt.srtt_us, 0);
	assert_int_equal(rtt.rttvar_us, 0);
	assert_int_equal(rtt_rto(&rtt, 1000, 0), 1000000); /* [6298 2.1] */
	assert_int_equal(rtt_min(&rtt), 0);
	rtt_init(&rtt, UINT32_MAX);
	assert_int_equal(rtt_rto(&rtt, 1000, 0), RTO_MAX_US);
}

static void
test_first_sample(void **state)
{
	static const struct {
		uint32_t sample, rto_min;
		uint32_t srtt, rttvar, rto;
	} cases[] = {
		{100000, 1000, 100000, 50000, 300000},
		{100000, 200000, 100000, 50000, 300000},
		{20, 1000, 20, 10, 1020},        /* G, not four times 10 */
		{20, 200000, 20, 10, 200000},    /* the floor */
		{0, 1000, 1, 0, 1001},           /* a sample of 0 counts as 1 */
		{1, 1000, 1, 0, 1001},
		{20000000, 1000, 20000000, 10000000, 60000000},
		{30000000, 1000, 30000000, 15000000, 60000000}, /* the ceiling */
		{UINT32_MAX, 1000, UINT32_MAX, UINT32_MAX / 2, 60000000},
		{100, UINT32_MAX, 100, 50, 60000000}, /* the ceiling wins */
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct rtt rtt;

		rtt_init(&rtt, 1000000);
		rtt_sample(&rtt, cases[i].sample);
		assert_int_equal(rtt.srtt_us, cases[i].srtt);
		assert_int_equal(rtt.rttvar_us, cases[i].rttvar);
		assert_int_equal(rtt_rto(&rtt, cases[i].rto_min, 0), cases[i].rto);
	}
}

/* By hand: the variance is measured against the srtt from before the sample. */
static void
test_second_sample(void **state)
{
	struct rtt rtt;

	rtt_init(&rtt, 1000000);
	rtt_sample(&rtt, 80000);
	rtt_sample(&rtt, 160000);
	assert_int_equal(rtt.rttvar_us, 50000); /* 3/4 * 40000 + 1/4 * 80000 */
	assert_int_equal(rtt.srtt_us, 90000);   /* 7/8 * 80000 + 1/8 * 160000 */
	assert_int_equal(rtt_rto(&rtt, 1000, 0), 290000);
	assert_int_equal(rtt_min(&rtt), 80000);
}

static void
test_random_samples_match_the_reference(void **state)
{
	static const uint32_t scales[] = {2, 50, 3000, 100000, 2000000, 40000000};
	static const uint32_t floors[] = {1000, 200000, 1000000};

	srand(6298);
	for (size_t s = 0; s < COUNT(scales) * COUNT(floors); s++) {
		uint32_t scale = scales[s % COUNT(scales)], rto_min = floors[s / COUNT(scales)];
		struct model model = {0};
		struct rtt rtt;

		rtt_init(&rtt, 1000000);
		for (int i = 0; i < 20000; i++) {
			/* Every now and then a stretch that is ten times slower. */
			uint32_t base = i / 500 % 7 == 3 ? scale : scale / 10 + 1;
			uint32_t sample = 1 + (uint32_t)rand() % base;

			rtt_sample(&rtt, sample);
			model_sample(&model, sample, rto_min);
			assert_near(rtt.srtt_us, model.srtt, SRTT_SLACK);
			assert_near(rtt.rttvar_us, model.rttvar, RTTVAR_SLACK);
			assert_near(rtt_rto(&rtt, rto_min, 0), model.rto, RTO_SLACK);
			assert_true(rtt_rto(&rtt, rto_min, 0) >= rto_min &&
				    rtt_rto(&rtt, rto_min, 0) <= RTO_MAX_US);
		}
	}
}

static void
test_constant_rtt_keeps_a_granule_of_margin(void **state)
{
	static const uint32_t rtts[] = {1, 7, 250, 30000, 1000000};

	for (size_t i = 0; i < COUNT(rtts); i++) {
		struct rtt rtt;

		rtt_init(&rtt, 1000000);
		for (int n = 0; n < 1000; n++)
			rtt_sample(&rtt, rtts[i]);
		assert_int_equal(rtt.srtt_us, rtts[i]);
		assert_true(rtt.rttvar_us <= 2);
		assert_int_equal(rtt_rto(&rtt, 1000, 0), rtts[i] + RTO_GRANULARITY_US);
	}
}

static void
test_timeout_doubles_up_to_the_ceiling(void **state)
{
	static const struct {
		uint32_t rto;
		unsigned int backoff;
		uint32_t expect;
	} cases[] = {
		{1000000, 0, 1000000},
		{1000000, 1, 2000000},
		{1000000, 2, 4000000},
		{1000000, 5, 32000000},
		{1000000, 6, 60000000},
		{1000000, 255, 60000000},
		{200000, 8, 51200000},
		{200000, 9, 60000000},
		{1000, 15, 32768000},
		{1000, 16, 60000000},
		{1000, 31, 60000000},
		{1000, 32, 60000000},
		{1000, 64, 60000000},
		{1000, UINT32_MAX, 60000000},
		{RTO_MAX_US, 0, 60000000},
		{RTO_MAX_US, 31, 60000000},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct rtt rtt;

		rtt_init(&rtt, cases[i].rto);
		assert_int_equal(rtt_rto(&rtt, 1000, cases[i].backoff), cases[i].expect);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_before_the_first_sample),
		cmocka_unit_test(test_first_sample),
		cmocka_unit_test(test_second_sample),
		cmocka_unit_test(test_random_samples_match_the_reference),
		cmocka_unit_test(test_constant_rtt_keeps_a_granule_of_margin),
		cmocka_unit_test(test_timeout_doubles_up_to_the_ceiling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
