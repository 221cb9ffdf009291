/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_WIRE_CHECKSUM_H
#define RILL_WIRE_CHECKSUM_H

/* Internet checksums [1071], over DPDK's rte_ip.h, chains included. */

#include <stdbool.h>
#include <stdint.h>

#include <rte_byteorder.h>

struct rte_mbuf;
struct tuple;

/*
 * The sum of an IPv4 or IPv6 TCP pseudo-header without the length, not folded to its complement: constant for a
 * connection, so that a segment adds only its length.
 */
uint32_t checksum_pseudo(const struct tuple *tuple);

/*
 * The TCP checksum field of the segment whose TCP header (its checksum field 0) starts at offset off
 * of the chain and which ends with the chain. pseudo as above.
 */
rte_be16_t checksum_tcp(const struct rte_mbuf *mbuf, uint32_t off, uint32_t pseudo);

/* What goes into the TCP checksum field when the NIC computes the rest (RTE_MBUF_F_TX_TCP_CKSUM). */
rte_be16_t checksum_tcp_offload(uint32_t pseudo, uint16_t tcp_len);

#endif
