/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packets cut into mbufs anywhere are pulled together and trimmed without losing a byte, a flag or
 * a buffer; what is shared with somebody else is copied, not changed; without a buffer nothing
 * changes [ATK-43].
 */
#include "packets.h"

#include "packet.h"

#define LEN 60
static uint8_t bytes[LEN];

static void
test_pull_at_every_cut(void **state)
{
	for (uint32_t a = 0; a <= LEN; a++) {
		for (uint32_t b = a; b <= LEN; b += 3) {
			for (uint32_t len = 1; len <= LEN; len += 13) {
				struct rte_mbuf *mbuf = packets_cut(bytes, LEN, a, b);

				mbuf->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_GOOD;
				mbuf->port = 3;
				assert_true(packet_pull(&mbuf, len, control_pool));
				assert_in_range(mbuf->data_len, len, LEN);
				packets_expect_bytes(mbuf, bytes, LEN);
				assert_int_equal(mbuf->ol_flags, RTE_MBUF_F_RX_IP_CKSUM_GOOD);
				assert_int_equal(mbuf->port, 3);
				rte_pktmbuf_free(mbuf);
			}
		}
	}
	packets_expect_none_in_use();
}

static void
test_trim_at_every_cut(void **state)
{
	for (uint32_t a = 0; a <= LEN; a++) {
		for (uint32_t len = 1; len <= LEN; len++) {
			struct rte_mbuf *mbuf = packets_cut(bytes, LEN, a, a + (LEN - a) / 2);

			assert_true(packet_trim(&mbuf, len, control_pool));
			packets_expect_bytes(mbuf, bytes, len);
			rte_pktmbuf_free(mbuf);
		}
	}
	packets_expect_none_in_use();
}

static void
test_shared_packets_are_copied(void **state)
{
	for (int trim = 0; trim <= 1; trim++) {
		for (int piece = 0; piece <= 2; piece++) {
			struct rte_mbuf *theirs = packets_cut(bytes, LEN, 10, 20), *mbuf = theirs;
			struct rte_mbuf *shared = theirs;

			for (int i = 0; i < piece; i++)
				shared = shared->next;
			rte_mbuf_refcnt_update(shared, 1);
			if (trim)
				assert_true(packet_trim(&mbuf, 15, control_pool));
			else
				assert_true(packet_pull(&mbuf, 30, control_pool));
			packets_expect_bytes(mbuf, bytes, trim ? 15 : LEN);
			assert_true(mbuf != theirs && mbuf->data_len >= (trim ? 15 : 30));
			assert_int_equal(shared->data_len, piece == 2 ? 40 : 10);
			assert_memory_equal(
				rte_pktmbuf_mtod(shared, char *), bytes + piece * 10, 10);
			rte_pktmbuf_free(mbuf);
			rte_pktmbuf_free_seg(shared);
			packets_expect_none_in_use();
		}
	}
}

static void
test_without_a_buffer_nothing_changes(void **state)
{
	struct rte_mbuf *all[PACKETS_POOL], *mbuf = packets_cut(bytes, LEN, 10, 20), *same = mbuf;

	assert_int_equal(rte_pktmbuf_alloc_bulk(control_pool, all, PACKETS_POOL), 0);
	assert_false(packet_pull(&mbuf, 30, control_pool));
	rte_mbuf_refcnt_update(mbuf, 1);
	assert_false(packet_pull(&mbuf, 30, control_pool));
	assert_false(packet_trim(&mbuf, 30, control_pool));
	rte_mbuf_refcnt_update(mbuf, -1);
	assert_true(packet_trim(&mbuf, LEN, control_pool)); /* nothing to do: needs none */
	assert_ptr_equal(mbuf, same);
	packets_expect_bytes(mbuf, bytes, LEN);
	assert_int_equal(mbuf->data_len, 10);
	rte_pktmbuf_free(mbuf);
	rte_pktmbuf_free_bulk(all, PACKETS_POOL);
	packets_expect_none_in_use();
}

static void
test_exclusive(void **state)
{
	struct rte_mbuf *mbuf = packets_make(bytes, LEN);
	struct rte_mbuf *clone = rte_pktmbuf_clone(mbuf, control_pool);

	assert_false(packet_is_exclusive(mbuf));
	assert_false(packet_is_exclusive(clone));
	rte_pktmbuf_free(clone);
	assert_true(packet_is_exclusive(mbuf));
	rte_pktmbuf_free(mbuf);
	packets_expect_none_in_use();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pull_at_every_cut),
		cmocka_unit_test(test_trim_at_every_cut),
		cmocka_unit_test(test_shared_packets_are_copied),
		cmocka_unit_test(test_without_a_buffer_nothing_changes),
		cmocka_unit_test(test_exclusive),
	};

	for (int i = 0; i < LEN; i++)
		bytes[i] = (uint8_t)(i + 1);
	return cmocka_run_group_tests(tests, packets_start, packets_end);
}
