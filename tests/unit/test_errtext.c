/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The sentence behind rill_error(): empty at first, one per thread, cut at its bound, and able to
 * quote the one before it.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <rill/types.h>

#include "errtext.h"

static void *
use_in_another_thread(void *arg)
{
	char *seen = arg;

	strcpy(seen, rill_error());
	error_set(-ENOMEM, "the other thread's");
	strcat(seen, rill_error());
	return NULL;
}

/* First of all tests: nothing has failed yet. */
static void
test_empty_at_first(void **state)
{
	assert_string_equal(rill_error(), "");
}

static void
test_returns_the_code_and_keeps_the_sentence(void **state)
{
	assert_int_equal(error_set(-EINVAL, "mtu is %d, not %s", 17, "more"), -EINVAL);
	assert_string_equal(rill_error(), "mtu is 17, not more");
	assert_int_equal(error_set(-ENODEV, "port %s: %s", "net_tap0", rill_error()), -ENODEV);
	assert_string_equal(rill_error(), "port net_tap0: mtu is 17, not more");
}

static void
test_each_thread_has_its_own(void **state)
{
	char seen[64];
	pthread_t thread;

	error_set(-EINVAL, "ours");
	assert_int_equal(pthread_create(&thread, NULL, use_in_another_thread, seen), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_string_equal(seen, "the other thread's");
	assert_string_equal(rill_error(), "ours");
}

static void
test_cut_at_its_bound(void **state)
{
	char longer[2 * ERRTEXT_MAX];

	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	error_set(-EINVAL, "%s", longer);
	assert_int_equal(strlen(rill_error()), ERRTEXT_MAX - 1);
	error_set(-EINVAL, "%.255s", longer);
	assert_int_equal(strlen(rill_error()), 255);
	error_set(-EINVAL, "short");
	assert_string_equal(rill_error(), "short");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty_at_first),
		cmocka_unit_test(test_returns_the_code_and_keeps_the_sentence),
		cmocka_unit_test(test_each_thread_has_its_own),
		cmocka_unit_test(test_cut_at_its_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
