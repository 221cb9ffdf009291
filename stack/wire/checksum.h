/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_WIRE_CHECKSUM_H
#define RILL_WIRE_CHECKSUM_H

/*
 * Internet checksums [1071] over chains of mbufs. The words are summed by DPDK's rte_raw_cksum
 * family, as they stand in memory; sums are folded before a byte swap, which rte_raw_cksum_mbuf of
 * DPDK 22.11 forgets, so that chains with odd pieces are added up here.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_byteorder.h>

struct rte_mbuf;
struct tuple;

/*
 * The sum of an IPv4 or IPv6 TCP pseudo-header without the length, not complemented: constant for a
 * connection, so that a segment adds only its length.
 */
uint32_t checksum_pseudo(const struct tuple *tuple);

/* A sum of 16-bit words to 16 bits, carries added back. */
static inline uint16_t
checksum_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

/* The folded sum, not complemented, of the bytes from offset off to the end of the chain. */
uint16_t checksum_sum(const struct rte_mbuf *mbuf, uint32_t off);

/*
 * The TCP checksum field of the segment whose TCP header (its checksum field 0) starts at offset
 * off of the chain and which ends with the chain. pseudo as above. Of a received segment, its
 * checksum in place, this is 0 if and only if the segment is intact.
 */
rte_be16_t checksum_tcp(const struct rte_mbuf *mbuf, uint32_t off, uint32_t pseudo);

/* What the TCP checksum field holds when the NIC computes it (RTE_MBUF_F_TX_TCP_CKSUM). */
rte_be16_t checksum_tcp_offload(uint32_t pseudo, uint16_t tcp_len);

#endif
