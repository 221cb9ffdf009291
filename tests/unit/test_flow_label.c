/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Flow labels are 20 bits, never 0, the same for the same connection, spread evenly over connections,
 * and others under another secret [RFC8200-19].
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow_label.h"
#include "isn.h"

#define MANY 65536u
#define PARTS 64u

static struct tuple
tuple_of(uint16_t rport)
{
	return (struct tuple){.head = {.lport = 80, .rport = rport, .family = AF_INET6}};
}

static void
test_spread_evenly_and_within_20_bits(void **state)
{
	const struct siphash_key ts_key = {1, 2};
	static const uint8_t secret[32] = {1};
	uint64_t key = flow_label_key(secret);
	unsigned int seen[PARTS] = {0};

	for (unsigned int i = 0; i < MANY; i++) {
		struct tuple tuple = tuple_of((uint16_t)i);
		uint32_t label = flow_label(key, ts_offset(&ts_key, &tuple));

		assert_in_range(label, 1, (1u << FLOW_LABEL_BITS) - 1);
		assert_int_equal(label, flow_label(key, ts_offset(&ts_key, &tuple)));
		seen[label % PARTS]++;
	}
	for (unsigned int i = 0; i < PARTS; i++)
		assert_in_range(seen[i], MANY / PARTS * 8 / 10, MANY / PARTS * 12 / 10);
}

static void
test_no_offset_gives_no_label_of_0(void **state)
{
	assert_int_equal(flow_label(1, 0), 1);
}

static void
test_another_secret_makes_other_labels(void **state)
{
	static const uint8_t one[32] = {1}, two[32] = {2};
	unsigned int same = 0;

	for (uint32_t offset = 0; offset < 10000; offset++)
		same += flow_label(flow_label_key(one), offset * 2654435761u) ==
			flow_label(flow_label_key(two), offset * 2654435761u);
	assert_in_range(same, 0, 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spread_evenly_and_within_20_bits),
		cmocka_unit_test(test_no_offset_gives_no_label_of_0),
		cmocka_unit_test(test_another_secret_makes_other_labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
