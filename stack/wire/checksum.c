/* SPDX-License-Identifier: BSD-3-Clause */
#include "checksum.h"

#include <netinet/in.h>

#include <rte_ip.h>
#include <rte_mbuf.h>

#include "tuple.h"

uint32_t
checksum_pseudo(const struct tuple *tuple)
{
	uint32_t sum = rte_cpu_to_be_16(IPPROTO_TCP);

	if (tuple->head.family == AF_INET6)
		return __rte_raw_cksum(&tuple->addrs6, sizeof(tuple->addrs6), sum);
	return __rte_raw_cksum(&tuple->head, sizeof(rte_be32_t) * 2, sum);
}
static_assert(offsetof(struct tuple_head, laddr4) == 0 && offsetof(struct tuple_head, raddr4) == 4,
	"both addresses are summed as one piece");

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
		piece = checksum_fold(__rte_raw_cksum(
			rte_pktmbuf_mtod_offset(mbuf, const char *, off), mbuf->data_len - off, 0));
		sum += odd ? rte_bswap16(piece) : piece;
		odd ^= (mbuf->data_len - off) & 1;
		off = 0;
	}
	return checksum_fold(sum);
}

uint16_t
checksum_sum(const struct rte_mbuf *mbuf, uint32_t off)
{
	if (likely(mbuf->next == NULL && off <= mbuf->data_len))
		return checksum_fold(__rte_raw_cksum(
			rte_pktmbuf_mtod_offset(mbuf, const char *, off), mbuf->data_len - off, 0));
	return sum_chain(mbuf, off);
}

rte_be16_t
checksum_tcp(const struct rte_mbuf *mbuf, uint32_t off, uint32_t pseudo)
{
	rte_be16_t len = rte_cpu_to_be_16((uint16_t)(mbuf->pkt_len - off));

	return (rte_be16_t)~checksum_fold((uint64_t)pseudo + len + checksum_sum(mbuf, off));
}

rte_be16_t
checksum_tcp_offload(uint32_t pseudo, uint16_t tcp_len)
{
	return checksum_fold((uint64_t)pseudo + rte_cpu_to_be_16(tcp_len));
}
