/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The checksum equals a byte-by-byte model for every length and every way to cut a packet into
 * mbufs, odd ones included; a segment with its checksum in place sums to 0, and with any bit
 * flipped, of header, payload or pseudo-header, it does not [MUST-2, MUST-3].
 */
#include "packets.h"

#include "checksum.h"
#include "tuple.h"

static uint8_t bytes[3000];

static void
fill(unsigned int seed)
{
	for (size_t i = 0; i < sizeof(bytes); i++) {
		seed = seed * 1103515245u + 12345u;
		bytes[i] = (uint8_t)(seed >> 16);
	}
}

static uint16_t
model_fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* In host order, as [1071] puts it: big-endian words, an odd last byte followed by 0. */
static uint64_t
model_sum(const uint8_t *from, uint32_t len)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < len; i++)
		sum += i % 2 == 0 ? (uint32_t)from[i] << 8 : from[i];
	return sum;
}

static struct tuple
tuple4(void)
{
	struct tuple tuple = {.head = {.family = AF_INET}};
	uint8_t laddr[4] = {192, 0, 2, 1}, raddr[4] = {198, 51, 100, 255};

	memcpy(&tuple.head.laddr4, laddr, 4);
	memcpy(&tuple.head.raddr4, raddr, 4);
	return tuple;
}

static void
test_every_length_and_cut_agrees_with_the_model(void **state)
{
	for (uint32_t len = 20; len < 70; len++) {
		for (uint32_t a = 0; a <= len; a++) {
			for (uint32_t off = 0; off <= 20; off += 5) {
				struct rte_mbuf *mbuf =
					packets_cut(bytes, len, a, a + (len - a) / 3);

				assert_int_equal(rte_be_to_cpu_16(checksum_sum(mbuf, off)),
					model_fold(model_sum(bytes + off, len - off)));
				rte_pktmbuf_free(mbuf);
			}
		}
	}
	packets_expect_none_in_use();
}

/* All ones: the sums of pieces carry, which a swap before folding would lose. */
static void
test_carries_survive_odd_pieces(void **state)
{
	memset(bytes, 0xff, sizeof(bytes));
	for (uint32_t a = 0; a < 1999; a += 37) {
		struct rte_mbuf *mbuf = packets_cut(bytes, 1999, a, 1998);

		assert_int_equal(rte_be_to_cpu_16(checksum_sum(mbuf, 0)),
			model_fold(model_sum(bytes, 1999)));
		rte_pktmbuf_free(mbuf);
	}
	fill(7);
	packets_expect_none_in_use();
}

static const uint8_t pseudo4[12] = {192, 0, 2, 1, 198, 51, 100, 255, 0, 6, 0, 0};

static void
test_pseudo_header_of_both_families(void **state)
{
	struct tuple tuple = tuple4();

	assert_int_equal(rte_be_to_cpu_16(checksum_fold(checksum_pseudo(&tuple))),
		model_fold(model_sum(pseudo4, sizeof(pseudo4))));
	assert_int_equal(rte_be_to_cpu_16(checksum_tcp_offload(checksum_pseudo(&tuple), 1234)),
		model_fold(model_sum(pseudo4, sizeof(pseudo4)) + 1234));
	tuple.head = (struct tuple_head){.family = AF_INET6};
	memcpy(&tuple.addrs6, bytes, sizeof(tuple.addrs6));
	assert_int_equal(rte_be_to_cpu_16(checksum_fold(checksum_pseudo(&tuple))),
		model_fold(model_sum(bytes, sizeof(tuple.addrs6)) + 6));
}

static void
test_a_segment_sums_to_zero_until_a_bit_flips(void **state)
{
	enum { OFF = 34, LEN = OFF + 20 + 11 };
	struct tuple tuple = tuple4();
	struct rte_mbuf *mbuf = packets_cut(bytes, LEN, OFF + 20, OFF + 23);
	uint8_t *tcp = rte_pktmbuf_mtod_offset(mbuf, uint8_t *, OFF);
	uint32_t pseudo = checksum_pseudo(&tuple);
	rte_be16_t sum;

	memset(tcp + 16, 0, 2);
	memset(bytes + OFF + 16, 0, 2);
	sum = checksum_tcp(mbuf, OFF, pseudo);
	assert_int_equal(rte_be_to_cpu_16((rte_be16_t)~sum),
		model_fold(model_sum(pseudo4, sizeof(pseudo4)) + 31 + model_sum(bytes + OFF, 31)));
	memcpy(tcp + 16, &sum, 2);
	assert_int_equal(checksum_tcp(mbuf, OFF, pseudo), 0);
	assert_true(checksum_tcp_is_good(mbuf, OFF, pseudo));
	for (struct rte_mbuf *piece = mbuf; piece != NULL; piece = piece->next) {
		for (uint32_t bit = piece == mbuf ? OFF * 8 : 0; bit < piece->data_len * 8u;
			bit++) {
			uint8_t *at = rte_pktmbuf_mtod_offset(piece, uint8_t *, bit / 8);

			*at ^= 1 << bit % 8;
			assert_int_not_equal(checksum_tcp(mbuf, OFF, pseudo), 0);
			assert_false(checksum_tcp_is_good(mbuf, OFF, pseudo));
			*at ^= 1 << bit % 8;
		}
	}
	for (uint32_t bit = 0; bit < 64; bit++) {
		struct tuple wrong = tuple;

		((uint8_t *)&wrong.head)[bit / 8] ^= 1 << bit % 8;
		assert_int_not_equal(checksum_tcp(mbuf, OFF, checksum_pseudo(&wrong)), 0);
	}
	assert_int_equal(rte_pktmbuf_trim(mbuf, 1), 0); /* the length counts as well */
	assert_int_not_equal(checksum_tcp(mbuf, OFF, pseudo), 0);
	rte_pktmbuf_free(mbuf);
	packets_expect_none_in_use();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_length_and_cut_agrees_with_the_model),
		cmocka_unit_test(test_carries_survive_odd_pieces),
		cmocka_unit_test(test_pseudo_header_of_both_families),
		cmocka_unit_test(test_a_segment_sums_to_zero_until_a_bit_flips),
	};

	fill(1);
	return cmocka_run_group_tests(tests, packets_start, packets_end);
}
