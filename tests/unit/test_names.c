/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every state, close reason, counter and drop reason has a name of its own, in the order of its
 * list; numbers beyond have none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <rill/conn.h>
#include <rill/stats.h>

static const char *
state_name(unsigned int i)
{
	return rill_state_name((enum rill_state)i);
}

static const char *
close_reason_name(unsigned int i)
{
	return rill_close_reason_name((enum rill_close_reason)i);
}

static const char *
drop_name(unsigned int i)
{
	return rill_drop_name((enum rill_drop)i);
}

static const char *
drop_text(unsigned int i)
{
	return rill_drop_text((enum rill_drop)i);
}

enum {
#define X(name, text) COUNTER_##name,
	RILL_COUNTER_LIST(X)
#undef X
	COUNTERS
};

static void
test_each_has_a_name_of_its_own(void **state)
{
	static const struct {
		const char *(*name)(unsigned int i);
		unsigned int count;
	} lists[] = {
		{state_name, RILL_STATE_COUNT},
		{close_reason_name, RILL_CLOSE_REASON_COUNT},
		{rill_counter_name, COUNTERS},
		{drop_name, RILL_DROP_COUNT},
		{drop_text, RILL_DROP_COUNT},
	};

	for (size_t l = 0; l < sizeof(lists) / sizeof(lists[0]); l++) {
		for (unsigned int i = 0; i < lists[l].count; i++) {
			assert_non_null(lists[l].name(i));
			assert_true(strlen(lists[l].name(i)) > 0);
			for (unsigned int j = 0; j < i; j++)
				assert_string_not_equal(lists[l].name(i), lists[l].name(j));
		}
		assert_null(lists[l].name(lists[l].count));
		assert_null(lists[l].name(UINT32_MAX));
	}
}

static void
test_names_are_where_they_belong(void **state)
{
	assert_string_equal(rill_state_name(RILL_CLOSED), "CLOSED");
	assert_string_equal(rill_state_name(RILL_SYN_RECEIVED), "SYN-RECEIVED");
	assert_string_equal(rill_state_name(RILL_FIN_WAIT_1), "FIN-WAIT-1");
	assert_string_equal(rill_state_name(RILL_CLOSE_WAIT), "CLOSE-WAIT");
	assert_string_equal(rill_state_name(RILL_CLOSING), "CLOSING");
	assert_string_equal(rill_state_name(RILL_TIME_WAIT), "TIME-WAIT");
	assert_string_equal(rill_close_reason_name(RILL_CLOSE_RESET), "reset by peer");
	assert_string_equal(rill_close_reason_name(RILL_CLOSE_TIMEOUT), "timed out");
	assert_string_equal(rill_counter_name(0), "turns");
	assert_string_equal(rill_counter_name(COUNTER_rtos), "rtos");
	assert_string_equal(rill_drop_name(RILL_DROP_tcp_paws), "tcp_paws");
	assert_string_equal(rill_drop_text(RILL_DROP_no_route), "no route to the destination");
}

static void
test_counter_values_go_with_their_names(void **state)
{
	struct rill_stats stats;
	uint64_t next = 1ull << 32;

	memset(&stats, 0, sizeof(stats));
#define X(name, text) stats.name = next++;
	RILL_COUNTER_LIST(X)
#undef X
	for (unsigned int i = 0; i < COUNTERS; i++)
		assert_int_equal(rill_counter_value(&stats, i), (1ull << 32) + i);
	stats.drops[0] = 77; /* what follows the counters is none */
	assert_int_equal(rill_counter_value(&stats, COUNTERS), 0);
	assert_int_equal(rill_counter_value(&stats, UINT32_MAX), 0);
}

static void
test_version_is_that_of_the_build(void **state)
{
	assert_string_equal(rill_version(), RILL_VERSION);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_has_a_name_of_its_own),
		cmocka_unit_test(test_names_are_where_they_belong),
		cmocka_unit_test(test_counter_values_go_with_their_names),
		cmocka_unit_test(test_version_is_that_of_the_build),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
