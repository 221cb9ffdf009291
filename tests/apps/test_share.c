/* SPDX-License-Identifier: BSD-3-Clause */
/* How rill-load divides its work over lanes and kinds: nothing is lost, nobody gets much more than
 * another, and a rate goes where its connections are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "share.h"

static void
test_parts(void **state)
{
	for (uint32_t whole = 0; whole < 50; whole++)
		for (unsigned int lanes = 1; lanes <= 16; lanes++) {
			uint32_t sum = 0, least = whole, most = 0;

			for (unsigned int i = 0; i < lanes; i++) {
				uint32_t part = share_part(whole, i, lanes);

				sum += part;
				least = part < least ? part : least;
				most = part > most ? part : most;
			}
			assert_int_equal(sum, whole);
			assert_true(most - least <= 1);
		}
}

static void
test_weights(void **state)
{
	static const struct {
		uint32_t whole, weights[LOAD_KINDS], parts[LOAD_KINDS];
	} cases[] = {
		{100, {60, 20, 5, 0, 15}, {60, 20, 5, 0, 15}},
		{10, {1, 1, 1, 0, 0}, {4, 3, 3, 0, 0}},
		{1, {1, 2, 3, 4, 5}, {0, 0, 0, 0, 1}},
		{7, {0, 9, 0, 0, 0}, {0, 7, 0, 0, 0}},
		{0, {1, 1, 1, 1, 1}, {0, 0, 0, 0, 0}},
		{1000000000, {1000000, 1, 0, 0, 0}, {999999000, 1000, 0, 0, 0}},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t parts[LOAD_KINDS];

		share_by_weight(cases[i].whole, cases[i].weights, parts);
		assert_memory_equal(parts, cases[i].parts, sizeof(parts));
	}
}

/* Five connections on eight lanes: three have none, and must have none of the rate. */
static void
test_rates(void **state)
{
	static struct load_settings settings;
	struct load_share share;
	uint64_t rate = 0, connect_rate = 0, connections = 0;

	settings.connections = 10;
	settings.mix[LOAD_ECHO] = settings.mix[LOAD_CONNECT] = 1;
	settings.rate = 1000003;
	settings.connect_rate = 7;
	for (unsigned int i = 0; i < 8; i++) {
		share_of_lane(&share, &settings, i, 8);
		assert_int_equal(share.rate > 0, share.wanted[LOAD_ECHO] > 0);
		rate += share.rate;
		connect_rate += share.connect_rate;
		connections += share_connections(&share);
	}
	assert_int_equal(rate, settings.rate);
	assert_int_equal(connect_rate, settings.connect_rate);
	assert_int_equal(connections, settings.connections);
}

static void
test_ports(void **state)
{
	static const unsigned int six[] = {0, 0, 1, 1, 2, 2};

	for (unsigned int lane = 0; lane < 6; lane++) {
		assert_int_equal(share_port(lane, 6, 3), six[lane]);
		assert_int_equal(share_port(lane, 6, 6), lane);
		assert_int_equal(share_port(lane, 6, 1), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_weights),
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
