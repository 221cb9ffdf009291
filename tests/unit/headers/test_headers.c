/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * That this was built shows that every header compiles alone (meson.build beside it). Run, it shows
 * that C and C++ see the same layouts and numbers in the public headers, and that C++ links.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "facts.h"

static const struct {
	const char *text;
	uint64_t value;
} facts[] = {
#define X(fact) {#fact, fact},
	FACTS(X)
#undef X
};

#define COUNT (sizeof(facts) / sizeof(facts[0]))

static void
test_c_and_cxx_agree(void **state)
{
	uint64_t theirs[COUNT];

	(void)state;
	assert_int_equal(facts_from_cxx(theirs, COUNT), COUNT);
	for (unsigned int i = 0; i < COUNT; i++) {
		if (facts[i].value != theirs[i])
			print_error("%s differs\n", facts[i].text);
		assert_int_equal(facts[i].value, theirs[i]);
	}
}

static void
test_cxx_calls_the_library(void **state)
{
	(void)state;
	assert_string_equal(version_from_cxx(), RILL_VERSION);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_c_and_cxx_agree),
		cmocka_unit_test(test_cxx_calls_the_library),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
