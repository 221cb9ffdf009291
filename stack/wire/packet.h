/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_WIRE_PACKET_H
#define RILL_WIRE_PACKET_H

/*
 * Received packets as mbufs come: in several pieces cut anywhere, longer than what they carry,
 * shared with somebody else. These calls make them what the parsers expect. They may replace the
 * first mbuf of a packet; if they return false they changed nothing, for want of a buffer.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

/* May the bytes of this mbuf (the first of a packet, say) be overwritten? */
static inline bool
packet_is_exclusive(const struct rte_mbuf *mbuf)
{
	return RTE_MBUF_DIRECT(mbuf) && rte_mbuf_refcnt_read(mbuf) == 1;
}

/* Slow halves of the inline calls below. */
bool packet_pull_cold(struct rte_mbuf **mbuf, uint32_t len, struct rte_mempool *pool);
bool packet_pull_tcp_cold(struct rte_mbuf **mbuf, uint32_t off, struct rte_mempool *pool);
bool packet_trim_cold(struct rte_mbuf **mbuf, uint32_t len, struct rte_mempool *pool);

/*
 * Brings the first len bytes (at most pkt_len) together in the first mbuf; if they are not, in a
 * fresh one of pool in front of the rest.
 */
static inline bool
packet_pull(struct rte_mbuf **mbuf, uint32_t len, struct rte_mempool *pool)
{
	return likely((*mbuf)->data_len >= len) || packet_pull_cold(mbuf, len, pool);
}

/* Brings the TCP header that begins at off together, as far as there is one; segment_parse judges it. */
static inline bool
packet_pull_tcp(struct rte_mbuf **mbuf, uint32_t off, struct rte_mempool *pool)
{
	return likely((*mbuf)->nb_segs == 1) || packet_pull_tcp_cold(mbuf, off, pool);
}

/* Cuts the packet off after len bytes (at most pkt_len). */
static inline bool
packet_trim(struct rte_mbuf **mbuf, uint32_t len, struct rte_mempool *pool)
{
	if (likely((*mbuf)->pkt_len == len))
		return true;
	if ((*mbuf)->nb_segs != 1 || rte_mbuf_refcnt_read(*mbuf) != 1)
		return packet_trim_cold(mbuf, len, pool);
	(*mbuf)->pkt_len = len; /* what Ethernet padded */
	(*mbuf)->data_len = (uint16_t)len;
	return true;
}

#endif
