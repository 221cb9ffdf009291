/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Each option has its default, its bounds on both sides, its number and its name; and a value out
 * of bounds is refused with a sentence that says what would be right.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "options.h"

static const struct {
	const char *name;
	int64_t initial, least, most;
} list[] = {
#define X(name, def, least, most, text) {#name, def, least, most},
	RILL_OPTION_LIST(X)
#undef X
};

/* By member, against the implementation's way by number. */
static int32_t
member(const struct rill_options *options, enum rill_option option)
{
	switch (option) {
#define X(name, def, least, most, text)                                                            \
	case RILL_OPT_##name:                                                                      \
		return options->name;
		RILL_OPTION_LIST(X)
#undef X
	case RILL_OPT_COUNT:
		break;
	}
	fail();
	return 0;
}

static void
test_defaults_are_those_of_the_list_and_pass(void **state)
{
	struct rill_options options;

	memset(&options, 0xa5, sizeof(options));
	rill_options_default(&options);
	for (unsigned int i = 0; i < RILL_OPT_COUNT; i++) {
		assert_int_equal(member(&options, i), list[i].initial);
		assert_int_equal(options_get(&options, i), list[i].initial);
	}
	assert_int_equal(rill_options_check(&options), 0);
	assert_int_equal(options.rcvbuf, 262144); /* one by hand for each kind */
	assert_int_equal(options.linger_ms, -1);
	assert_int_equal(options.nodelay, 0);
}

/* Value, whether it fits, and the option of that number alone has changed. */
static void
try_value(enum rill_option option, int64_t value, bool fits)
{
	struct rill_options options, before;
	char expected[64];

	if (value < INT32_MIN || value > INT32_MAX)
		return; /* cannot be written down */
	rill_options_default(&options);
	before = options;
	assert_int_equal(options_set(&options, option, (int32_t)value), fits ? 0 : -EINVAL);
	for (unsigned int i = 0; i < RILL_OPT_COUNT; i++)
		assert_int_equal(member(&options, i),
			i == option && fits ? (int32_t)value : member(&before, i));
	((int32_t *)&options)[option] = (int32_t)value;
	assert_int_equal(rill_options_check(&options), fits ? 0 : -EINVAL);
	if (fits)
		return;
	snprintf(expected, sizeof(expected), "option %s is %d,", list[option].name, (int)value);
	assert_non_null(strstr(rill_error(), expected));
	snprintf(expected, sizeof(expected), "from %d to %d", (int)list[option].least,
		(int)list[option].most);
	assert_non_null(strstr(rill_error(), expected));
}

static void
test_bounds_hold_on_both_sides(void **state)
{
	for (unsigned int i = 0; i < RILL_OPT_COUNT; i++) {
		try_value(i, list[i].least, true);
		try_value(i, list[i].most, true);
		try_value(i, list[i].least - 1, false);
		try_value(i, list[i].most + 1, false);
		try_value(i, INT32_MIN, false);
	}
}

static void
test_sentence_reads_well(void **state)
{
	struct rill_options options;

	rill_options_default(&options);
	options.ttl = 0;
	options.dscp = 64; /* the first wrong one is named */
	assert_int_equal(rill_options_check(&options), -EINVAL);
	assert_string_equal(rill_error(),
		"option ttl is 0, but must be from 1 to 255 (IPv4 time to live, IPv6 hop limit [9293 3.9.2, 8200 3])");
}

static void
test_names_and_numbers_go_both_ways(void **state)
{
	for (unsigned int i = 0; i < RILL_OPT_COUNT; i++) {
		assert_string_equal(rill_option_name(i), list[i].name);
		assert_int_equal(rill_option_by_name(list[i].name), i);
	}
	assert_int_equal(rill_option_by_name("rto_min_us"), RILL_OPT_rto_min_us);
	assert_null(rill_option_name(RILL_OPT_COUNT));
	assert_null(rill_option_name((enum rill_option)-1));
	assert_int_equal(rill_option_by_name("no_such_option"), RILL_OPT_COUNT);
	assert_int_equal(rill_option_by_name(""), RILL_OPT_COUNT);
	assert_int_equal(rill_option_by_name("NODELAY"), RILL_OPT_COUNT);
	assert_int_equal(rill_option_by_name("nodela"), RILL_OPT_COUNT);
}

static void
test_numbers_that_are_no_option_are_refused(void **state)
{
	struct rill_options options, before;

	rill_options_default(&options);
	before = options;
	assert_int_equal(options_set(&options, RILL_OPT_COUNT, 1), -EINVAL);
	assert_int_equal(options_set(&options, (enum rill_option)-1, 1), -EINVAL);
	assert_int_equal(options_set(&options, (enum rill_option)INT32_MAX, 1), -EINVAL);
	assert_memory_equal(&options, &before, sizeof(options));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults_are_those_of_the_list_and_pass),
		cmocka_unit_test(test_bounds_hold_on_both_sides),
		cmocka_unit_test(test_sentence_reads_well),
		cmocka_unit_test(test_names_and_numbers_go_both_ways),
		cmocka_unit_test(test_numbers_that_are_no_option_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
