/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_WIRE_CHECKSUM_H
#define RILL_WIRE_CHECKSUM_H

/*
 * Internet checksums [1071] over chains of mbufs. Words are summed as they stand in memory, eight
 * bytes at a time: modulo 2^16 - 1 every power of 2^16 is 1, so that wide words add up to what
 * their 16-bit words do [1071 2(C)].
 */

#include <stdbool.h>
#include <stdint.h>

#include <netinet/in.h>
#include <rte_branch_prediction.h>
#include <rte_byteorder.h>

#include "tuple.h"

struct rte_mbuf;

/* A sum of 16-bit words to 16 bits, carries added back. */
static inline uint16_t
checksum_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

/* Is this the sum of bytes whose checksum is in place, and right? They are not all 0. */
static inline bool
checksum_is_good(uint64_t sum)
{
	return sum % 0xffff == 0;
}

/* The sum of any bytes, not folded: less than 2^36. */
uint64_t checksum_bytes(const void *bytes, uint32_t len);

/*
 * The sum of an IPv4 or IPv6 TCP pseudo-header without the length, not complemented: constant for a
 * connection, so that a segment adds only its length.
 */
static inline uint32_t
checksum_pseudo(const struct tuple *tuple)
{
	uint64_t sum = rte_cpu_to_be_16(IPPROTO_TCP);

	if (likely(tuple->head.family == AF_INET))
		sum += (uint64_t)tuple->head.laddr4 + tuple->head.raddr4;
	else
		sum += checksum_bytes(&tuple->addrs6, sizeof(tuple->addrs6));
	sum = (sum & UINT32_MAX) + (sum >> 32);
	return (uint32_t)(sum + (sum >> 32));
}

/* The sum, not complemented, of the bytes from offset off to the end of the chain; folded, or not. */
uint64_t checksum_chain(const struct rte_mbuf *mbuf, uint32_t off);
uint16_t checksum_sum(const struct rte_mbuf *mbuf, uint32_t off);

/*
 * The TCP checksum field of the segment whose TCP header (its checksum field 0) starts at offset
 * off of the chain and which ends with the chain. pseudo as above. Of a received segment, its
 * checksum in place, this is 0 if and only if the segment is intact.
 */
rte_be16_t checksum_tcp(const struct rte_mbuf *mbuf, uint32_t off, uint32_t pseudo);

/* Is checksum_tcp 0? Asked so, it costs less. */
bool checksum_tcp_is_good(const struct rte_mbuf *mbuf, uint32_t off, uint32_t pseudo);

/*
 * The sum, folded and not complemented, of an ICMPv6 message from offset off to the end of the chain,
 * len bytes, with its pseudo-header [8200 8.1]; addrs6: both addresses, as they stand in its IPv6
 * header. 0xffff if the checksum is in place and right.
 */
uint16_t checksum_icmp6(const struct rte_mbuf *mbuf, uint32_t off, uint32_t len, const void *addrs6);

/* What the TCP checksum field holds when the NIC computes it (RTE_MBUF_F_TX_TCP_CKSUM). */
rte_be16_t checksum_tcp_offload(uint32_t pseudo, uint16_t tcp_len);

#endif
