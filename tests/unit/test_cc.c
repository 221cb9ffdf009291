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

#include "cc.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
test_list_begins_with_the_default_and_ends(void **state)
{
	assert_ptr_equal(cc_ops(0), &cc_newreno_ops);
	assert_ptr_equal(cc_ops(1), &cc_none_ops);
	assert_ptr_equal(cc_ops(2), &cc_cubic_ops);
	assert_null(cc_ops(3));
	assert_null(cc_ops(UINT32_MAX));
	assert_string_equal(cc_ops(0)->name, "newreno");
	assert_string_equal(cc_ops(1)->name, "none");
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
	cc_init(&cc, 0, 1460, 14600);
	assert_int_equal(cc.cwnd, 14600);
	assert_int_equal(cc.ssthresh, CC_SSTHRESH_MAX);
	assert_int_equal(cc.algorithm, 0);
	assert_int_equal(cc.u.newreno.acked, 0);
	cc_init(&cc, 1, 536, 1072);
	assert_int_equal(cc.cwnd, 1072);
	assert_int_equal(cc.algorithm, 1);
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

		cc_init(&cc, 0, 1460, cases[i].cwnd);
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
	const struct cc_ops *ops = cc_ops(1);
	struct cc cc, before;

	cc_init(&cc, 1, 1460, 1u << 20);
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
		cmocka_unit_test(test_list_begins_with_the_default_and_ends),
		cmocka_unit_test(test_initial_window_follows_rfc_6928),
		cmocka_unit_test(test_starts_at_the_initial_window_with_ssthresh_out_of_the_way),
		cmocka_unit_test(test_idling_only_ever_lowers_the_window),
		cmocka_unit_test(test_none_never_moves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
