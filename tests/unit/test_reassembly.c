/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Out-of-order data [SHLD-31]: whatever pieces come in whatever order, what comes out is the stream; the number
 * of islands and what they pin is bounded [ATK-1]; SACK blocks are the newest islands and only data
 * that is held [RFC2018-3, RFC2018-4, RFC2018-6]; nothing is leaked.
 */
#include "packets.h"

#include "reassembly.h"
#include "tcp.h"

#define STREAM 4096
#define TRUE_MAX (1u << 20)

static uint8_t stream[STREAM];
static struct sidecar sidecar;

static int
start(void **state)
{
	for (unsigned int i = 0; i < STREAM; i++)
		stream[i] = (uint8_t)(i * 31 + (i >> 8));
	memset(&sidecar, 0, sizeof(sidecar));
	return 0;
}

/* base is where the stream begins in sequence space. */
static bool
insert(seq_t base, uint32_t from, uint32_t to)
{
	struct rte_mbuf *payload = packets_cut(stream + from, to - from, (to - from) / 3, (to - from) / 2);
	bool duplicate;

	if (reassembly_insert(&sidecar, payload, seq_add(base, from), TRUE_MAX, &duplicate))
		return true;
	rte_pktmbuf_free(payload);
	return false;
}

static void
test_joins_what_touches(void **state)
{
	seq_t base = seq(0xfffffff0u), end; /* across the wrap [RFC9293-E34] */
	struct rte_mbuf *chain;

	assert_true(insert(base, 300, 400) && insert(base, 100, 200) && insert(base, 500, 600));
	assert_int_equal(sidecar.ranges_count, 3);
	assert_true(insert(base, 200, 300));
	assert_int_equal(sidecar.ranges_count, 2);
	reassembly_check(&sidecar, base);
	assert_null(reassembly_take(&sidecar, seq_add(base, 99), &end));
	chain = reassembly_take(&sidecar, seq_add(base, 150), &end); /* the first half came otherwise */
	packets_expect_bytes(chain, stream + 150, 250);
	assert_int_equal(end.n, seq_add(base, 400).n);
	rte_pktmbuf_free(chain);
	reassembly_clear(&sidecar);
	packets_expect_none_in_use();
}

static void
test_newest_blocks_first(void **state)
{
	struct sack_block blocks[4];
	seq_t base = seq(1000);

	assert_true(insert(base, 700, 800) && insert(base, 100, 200) && insert(base, 300, 400) &&
		    insert(base, 500, 600) && insert(base, 900, 1000));
	assert_true(insert(base, 200, 250)); /* the second island grows: it is the newest again */
	assert_int_equal(reassembly_sack_blocks(&sidecar, blocks, 4), 4);
	assert_true(blocks[0].left.n == 1100 && blocks[0].right.n == 1250);
	assert_true(blocks[1].left.n == 1900 && blocks[1].right.n == 2000);
	assert_true(blocks[2].left.n == 1500 && blocks[3].left.n == 1300);
	reassembly_clear(&sidecar);
	assert_int_equal(reassembly_sack_blocks(&sidecar, blocks, 4), 0);
	packets_expect_none_in_use();
}

static void
test_islands_are_bounded(void **state)
{
	seq_t base = seq(0);
	uint32_t i;

	for (i = 0; i < REASSEMBLY_RANGES; i++)
		assert_true(insert(base, 10 + 2 * i, 11 + 2 * i)); /* every second byte */
	assert_false(insert(base, 10 + 2 * i, 11 + 2 * i));
	assert_true(insert(base, 11, 12)); /* joins two: still room for what makes fewer */
	assert_int_equal(sidecar.ranges_count, REASSEMBLY_RANGES - 1);
	reassembly_check(&sidecar, base);
	reassembly_clear(&sidecar);
	packets_expect_none_in_use();
}

static void
test_pinned_bytes_are_bounded(void **state)
{
	struct rte_mbuf *payload = packets_make(stream, 10);
	uint32_t one = mbuf_true_size(payload);
	bool duplicate;

	assert_true(reassembly_insert(&sidecar, payload, seq(10), one, &duplicate));
	payload = packets_make(stream, 10);
	assert_false(reassembly_insert(&sidecar, payload, seq(30), 2 * one - 1, &duplicate));
	assert_true(reassembly_insert(&sidecar, payload, seq(30), 2 * one, &duplicate));
	reassembly_clear(&sidecar);
	packets_expect_none_in_use();
}

/* Random pieces against a bitmap of what was accepted. */
static void
test_random_pieces_make_the_stream(void **state)
{
	uint64_t x = 88172645463325252ull;

	for (unsigned int round = 0; round < 300; round++) {
		seq_t base = seq((uint32_t)x), end;
		uint32_t next = 0, tries = 0;

		while (next < STREAM) {
			struct rte_mbuf *chain;
			uint32_t from, to;

			x ^= x << 13, x ^= x >> 7, x ^= x << 17;
			from = next + 1 + (uint32_t)(x >> 40) % 600;
			to = from + 1 + (uint32_t)(x >> 20) % 300;
			if (to > STREAM)
				to = STREAM;
			if (from < to)
				insert(base, from, to);
			reassembly_check(&sidecar, seq_add(base, next));
			if (++tries % 4 != 0)
				continue;
			next += 1 + (uint32_t)(x >> 50) % 200; /* in-order data arrives otherwise */
			if (next > STREAM)
				next = STREAM;
			while ((chain = reassembly_take(&sidecar, seq_add(base, next), &end)) != NULL) {
				packets_expect_bytes(chain, stream + next, end.n - base.n - next);
				next = end.n - base.n;
				rte_pktmbuf_free(chain);
			}
		}
		assert_int_equal(sidecar.ranges_count, 0);
		assert_int_equal(sidecar.ranges_true, 0);
		packets_expect_none_in_use();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_joins_what_touches, start),
		cmocka_unit_test_setup(test_newest_blocks_first, start),
		cmocka_unit_test_setup(test_islands_are_bounded, start),
		cmocka_unit_test_setup(test_pinned_bytes_are_bounded, start),
		cmocka_unit_test_setup(test_random_pieces_make_the_stream, start),
	};

	return cmocka_run_group_tests(tests, packets_start, packets_end);
}
