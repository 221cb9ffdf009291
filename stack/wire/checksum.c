/* SPDX-License-Identifier: BSD-3-Clause */
#include "checksum.h"

#include <string.h>

#include <rte_mbuf.h>

static inline uint64_t
load64(const char *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

/* Modulo 2^64 - 1: a carry, worth 2^64, counts as 1. */
static inline uint64_t
add_round(uint64_t a, uint64_t b)
{
	uint64_t sum = a + b;

	return sum + (sum < b);
}

/* The last bytes, less than eight. */
static inline uint64_t
sum_tail(const char *at, uint32_t len)
{
	uint64_t sum = 0;
	uint32_t four;
	uint16_t two;

	if (len & 4) {
		memcpy(&four, at, 4);
		sum += four;
		at += 4;
	}
	if (len & 2) {
		memcpy(&two, at, 2);
		sum += two;
		at += 2;
	}
	if (len & 1) {
		two = 0; /* the odd byte is the first of a word whose second is 0 [1071 4.1] */
		memcpy(&two, at, 1);
		sum += two;
	}
	return sum;
}

/* Two sums, so that their additions overlap. */
static inline uint64_t
sum_bytes(const char *at, uint32_t len)
{
	uint64_t even = 0, odd = 0, carries = 0;

	for (; len >= 32; len -= 32, at += 32) {
		carries += __builtin_add_overflow(even, load64(at), &even);
		carries += __builtin_add_overflow(odd, load64(at + 8), &odd);
		carries += __builtin_add_overflow(even, load64(at + 16), &even);
		carries += __builtin_add_overflow(odd, load64(at + 24), &odd);
	}
	for (; len >= 8; len -= 8, at += 8)
		even = add_round(even, load64(at));
	even = add_round(add_round(even, odd), carries);
	return (even & UINT32_MAX) + (even >> 32) + ((len & 7) ? sum_tail(at, len) : 0);
}

uint64_t
checksum_bytes(const void *bytes, uint32_t len)
{
	return sum_bytes(bytes, len);
}

/* Bytes of a chain from off on; a piece that starts at an odd byte counts byte-swapped. */
static uint16_t
sum_chain(const struct rte_mbuf *mbuf, uint32_t off)
{
	uint64_t sum = 0;
	bool odd = false;

	for (; mbuf != NULL; mbuf = mbuf->next) {
		uint16_t piece;

		if (off >= mbuf->data_len) {
			off -= mbuf->data_len;
			continue;
		}
		piece = checksum_fold(checksum_bytes(
			rte_pktmbuf_mtod_offset(mbuf, const char *, off), mbuf->data_len - off));
		sum += odd ? rte_bswap16(piece) : piece;
		odd ^= (mbuf->data_len - off) & 1;
		off = 0;
	}
	return checksum_fold(sum);
}

uint64_t
checksum_chain(const struct rte_mbuf *mbuf, uint32_t off)
{
	if (likely(mbuf->next == NULL && off <= mbuf->data_len))
		return sum_bytes(
			rte_pktmbuf_mtod_offset(mbuf, const char *, off), mbuf->data_len - off);
	return sum_chain(mbuf, off);
}

uint16_t
checksum_sum(const struct rte_mbuf *mbuf, uint32_t off)
{
	return checksum_fold(checksum_chain(mbuf, off));
}

/* Of the pseudo-header, its length included, and what starts at off. */
static inline uint64_t
sum_tcp(const struct rte_mbuf *mbuf, uint32_t off, uint32_t pseudo)
{
	rte_be16_t len = rte_cpu_to_be_16((uint16_t)(mbuf->pkt_len - off));

	return (uint64_t)pseudo + len + checksum_chain(mbuf, off);
}

rte_be16_t
checksum_tcp(const struct rte_mbuf *mbuf, uint32_t off, uint32_t pseudo)
{
	return (rte_be16_t)~checksum_fold(sum_tcp(mbuf, off, pseudo));
}

bool
checksum_tcp_is_good(const struct rte_mbuf *mbuf, uint32_t off, uint32_t pseudo)
{
	return checksum_is_good(sum_tcp(mbuf, off, pseudo)); /* the protocol's number is not 0 */
}

rte_be16_t
checksum_tcp_offload(uint32_t pseudo, uint16_t tcp_len)
{
	return checksum_fold((uint64_t)pseudo + rte_cpu_to_be_16(tcp_len));
}

uint16_t
checksum_icmp6(const struct rte_mbuf *mbuf, uint32_t off, uint32_t len, const void *addrs6)
{
	return checksum_fold(checksum_chain(mbuf, off) +
			     checksum_bytes(addrs6, sizeof(struct tuple_addrs6)) +
			     rte_cpu_to_be_32(len) + rte_cpu_to_be_16(IPPROTO_ICMPV6));
}
