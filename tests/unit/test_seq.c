/* SPDX-License-Identifier: BSD-3-Clause */
/* Sequence numbers compare modulo 2^32 wherever the numbers lie [RFC9293-E34]. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "seq.h"

static void
test_order_holds_across_every_wrap(void **state)
{
	static const uint32_t starts[] = {0, 1, 0x7ffffff0u, 0x80000000u, 0xfffffff0u, 0xffffffffu};
	static const uint32_t steps[] = {1, 2, 15, 16, 17, 65535, 0x7fffffffu};

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		for (size_t j = 0; j < sizeof(steps) / sizeof(steps[0]); j++) {
			seq_t a = seq(starts[i]), b = seq_add(a, steps[j]);

			assert_true(seq_lt(a, b) && seq_leq(a, b) && !seq_geq(a, b) && !seq_gt(a, b));
			assert_true(seq_gt(b, a) && seq_geq(b, a) && !seq_eq(a, b));
			assert_int_equal(seq_diff(b, a), (int32_t)steps[j]);
			assert_true(seq_eq(seq_max(a, b), b) && seq_eq(seq_min(a, b), a));
			assert_true(seq_eq(seq_sub(b, steps[j]), a));
		}
	}
}

static void
test_equal_is_neither_before_nor_after(void **state)
{
	seq_t a = seq(0xffffffffu), b = seq_add(seq(0xfffffffeu), 1);

	assert_true(seq_eq(a, b) && seq_leq(a, b) && seq_geq(a, b));
	assert_false(seq_lt(a, b) || seq_gt(a, b));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_holds_across_every_wrap),
		cmocka_unit_test(test_equal_is_neither_before_nor_after),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
