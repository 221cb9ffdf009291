/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The list of algorithms, the initial window for each kind of segment size [RFC5681-2], the high first
 * ssthresh [RFC5681-5], the restart window after idling [RFC5681-18], and that `none` changes nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <rill/options.h>

#include "cc.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
test_algorithms_have_numbers_and_names(void **state)
{
	static const struct {
		enum rill_cc number;
		const struct cc_ops *ops;
		const char *name;
	} list[] = {
		{RILL_CC_CUBIC, &cc_cubic_ops, "cubic"},
		{RILL_CC_NEWRENO, &cc_newreno_ops, "newreno"},
		{RILL_CC_NONE, &cc_none_ops, "none"},
		{RILL_CC_DCTCP, &cc_dctcp_ops, "dctcp"},
		{RILL_CC_BBR, &cc_bbr_ops, "bbr"},
	};
	struct rill_options options;

	assert_int_equal(COUNT(list), RILL_CC_COUNT);
	for (size_t i = 0; i < COUNT(list); i++) {
		assert_ptr_equal(cc_ops(list[i].number), list[i].ops);
		assert_string_equal(rill_cc_name(list[i].number), list[i].name);
		assert_int_equal(rill_cc_by_name(list[i].name), list[i].number);
	}
	assert_null(cc_ops(RILL_CC_COUNT));
	assert_null(cc_ops(UINT32_MAX));
	assert_null(rill_cc_name(RILL_CC_COUNT));
	assert_int_equal(rill_cc_by_name("vegas"), RILL_CC_COUNT);
	rill_options_default(&options);
	assert_int_equal(options.congestion_control, RILL_CC_CUBIC);
}

/* Another algorithm begins where the window stands; the same one goes on with what it knows. */
static void
test_changing_the_algorithm_keeps_the_window(void **state)
{
	for (unsigned int from = 0; from < RILL_CC_BBR; from++)
		for (unsigned int to = 0; to < RILL_CC_BBR; to++) { /* BBR has state elsewhere */
			struct cc_event event = {.flight = 100000, .mss = 1000, .first = true};
			struct cc cc, before;

			cc_init(&cc, from, 1000, 100000);
			cc_ops(from)->on_loss(&cc, &event);
			cc.cwnd = 77000;
			before = cc;
			cc_change(&cc, to, 1000);
			assert_int_equal(cc.cwnd, before.cwnd);
			assert_int_equal(cc.ssthresh, before.ssthresh);
			assert_int_equal(cc.algorithm, to);
			if (from == to)
				assert_memory_equal(&cc, &before, sizeof(cc));
		}
}

static void
test_initial_window_follows_rfc_6928(void **state)
{
	static const struct {
		uint32_t mss, segments, expect;
	} cases[] = {
		{536, 10, 5360},
		{1095, 10, 10950},
		{1460, 10, 14600},
		{1461, 10, 14600}, /* ten would be 14610 */
		{2190, 10, 14600},
		{7300, 10, 14600},
		{8960, 10, 17920}, /* two segments, however large */
		{65495, 10, 130990},
		{1460, 1, 1460},
		{1460, 3, 4380},
		{8960, 1, 8960},
		{1u << 16, 1u << 16, 1u << 17}, /* the product does not wrap */
		{1, 10, 10},
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(
			cc_initial_window(cases[i].mss, cases[i].segments), cases[i].expect);
}

static void
test_starts_at_the_initial_window_with_ssthresh_out_of_the_way(void **state)
{
	struct cc cc;

	memset(&cc, 0xa5, sizeof(cc));
	cc_init(&cc, RILL_CC_NEWRENO, 1460, 14600);
	assert_int_equal(cc.cwnd, 14600);
	assert_int_equal(cc.ssthresh, CC_SSTHRESH_MAX);
	assert_int_equal(cc.algorithm, RILL_CC_NEWRENO);
	assert_int_equal(cc.u.newreno.acked, 0);
	cc_init(&cc, RILL_CC_NONE, 536, 1072);
	assert_int_equal(cc.cwnd, 1072);
	assert_int_equal(cc.algorithm, RILL_CC_NONE);
}

static void
test_idling_only_ever_lowers_the_window(void **state)
{
	static const struct {
		uint32_t cwnd, initial, expect;
	} cases[] = {
		{146000, 14600, 14600},
		{14601, 14600, 14600},
		{14600, 14600, 14600},
		{1460, 14600, 1460}, /* after an RTO: not raised by idling */
		{CC_CWND_MAX, 14600, 14600},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct cc cc;

		cc_init(&cc, RILL_CC_NEWRENO, 1460, cases[i].cwnd);
		cc.ssthresh = 29200;
		cc_after_idle(&cc, 0, 0, cases[i].initial);
		assert_int_equal(cc.cwnd, cases[i].expect);
		assert_int_equal(cc.ssthresh, 29200); /* what was learnt stays [5681 4.1] */
	}
}

static void
test_none_never_moves(void **state)
{
	static const struct cc_ack ack = {
		.acked = 1460, .flight = 14600, .mss = 1460, .cwnd_limited = true};
	static const struct cc_event event = {.flight = 14600, .mss = 1460, .first = true};
	const struct cc_ops *ops = cc_ops(RILL_CC_NONE);
	struct cc cc, before;

	cc_init(&cc, RILL_CC_NONE, 1460, 1u << 20);
	before = cc;
	ops->on_ack(&cc, &ack);
	ops->on_loss(&cc, &event);
	ops->on_recovered(&cc, &event);
	ops->on_rto(&cc, &event);
	assert_memory_equal(&cc, &before, sizeof(cc));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_algorithms_have_numbers_and_names),
		cmocka_unit_test(test_changing_the_algorithm_keeps_the_window),
		cmocka_unit_test(test_initial_window_follows_rfc_6928),
		cmocka_unit_test(test_starts_at_the_initial_window_with_ssthresh_out_of_the_way),
		cmocka_unit_test(test_idling_only_ever_lowers_the_window),
		cmocka_unit_test(test_none_never_moves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
