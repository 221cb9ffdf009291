/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Floods of fragments: they hold what the bounds allow and no more, and others' datagrams are put
 * together meanwhile [RFC791-20].
 */
#include "parts.h"

static uint32_t
draw(void)
{
	static uint32_t x = 1;

	x = x * 1664525 + 1013904223;
	return x;
}

/* A first fragment from a stranger. */
static void
stranger_comes(bool one_source)
{
	struct rill_addr src = is.src;
	uint16_t id = is.id;
	uint32_t n = draw();

	is.src = one_source ? ip4(10, 0, 0, 66)
			    : ip4(20, (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8));
	is.id = (uint16_t)(draw() >> 16);
	comes(0, 24 + 8 * (n >> 20) % 64, true);
	is.src = src;
	is.id = id;
}

/*
 * [ATK-2] A million first fragments, from everywhere: never more is held than the bounds,
 * nobody is answered; and datagrams whose own fragments come within a hundred of them become whole.
 */
static void
test_a_flood_from_everywhere(void **state)
{
	uint32_t most = 0;

	begin();
	for (uint32_t i = 0; i < 1000000; i++) {
		stranger_comes(false);
		most = RTE_MAX(most, fragments_buffers(net->fragments));
		if (i % 1000 == 500)
			assert_int_equal(comes(0, 24, true), IP_CONSUMED);
		if (i % 1000 == 500 + 40) {
			assert_int_equal(comes(24, 8, false), IP_TCP_JOINED);
			expect_whole(32);
		}
	}
	assert_true(most <= PACKETS_POOL / FRAGMENTS_POOL_SHARE);
	assert_true(fragments_datagrams(net->fragments) <= FRAGMENTS_DATAGRAMS);
	assert_true(rte_mempool_in_use_count(control_pool) <= most);
	assert_int_equal(lnk.counters.fragments_joined, 1000);
	expect_silence();
	net_end();
}

/* From one source: it takes its own share only, and others wait for theirs as if it were not there. */
static void
test_a_flood_from_one_source(void **state)
{
	begin();
	assert_int_equal(comes(0, 24, true), IP_CONSUMED);
	for (uint32_t i = 0; i < 100000; i++) {
		stranger_comes(true);
		assert_true(fragments_datagrams(net->fragments) <= FRAGMENTS_OF_SOURCE + 1);
	}
	assert_int_equal(comes(24, 8, false), IP_TCP_JOINED);
	expect_whole(32);
	expect_silence();
	net_end();
}

/* Spoilt datagrams hold no buffer, and are bounded too. */
static void
test_a_flood_of_overlaps(void **state)
{
	begin();
	is.protocol = IPPROTO_ICMP;
	for (uint32_t i = 0; i < 10000; i++) {
		is.src = ip4(20, (uint8_t)(i >> 8), (uint8_t)i, 1);
		comes(0, 32, true);
		comes_in_vain(8, 32, true, RILL_DROP_ip_fragment_overlap, 2);
		assert_true(fragments_datagrams(net->fragments) <= FRAGMENTS_DATAGRAMS);
		assert_int_equal(fragments_buffers(net->fragments), 0);
	}
	is.src = PEER;
	is.protocol = IPPROTO_TCP;
	comes(0, 24, true);
	assert_int_equal(comes(24, 8, false), IP_TCP_JOINED);
	expect_whole(32);
	net_end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_flood_from_everywhere),
		cmocka_unit_test(test_a_flood_from_one_source),
		cmocka_unit_test(test_a_flood_of_overlaps),
	};

	return cmocka_run_group_tests(tests, packets_start, packets_end);
}
