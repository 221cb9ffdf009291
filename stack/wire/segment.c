/* SPDX-License-Identifier: BSD-3-Clause */
#include "segment.h"

#include <rte_byteorder.h>
#include <rte_mbuf.h>
#include <rte_tcp.h>

#include "check.h"
#include "checksum.h"

#define TIMESTAMP_ONLY_LEN 12
#define TIMESTAMP_ONLY_WORD 0x0101080au /* NOP NOP kind 8 length 10 [7323 appendix A] */

static inline uint32_t
load_be32(const uint8_t *at)
{
	uint32_t word;

	memcpy(&word, at, sizeof(word));
	return RTE_BE32(word);
}

/* Nearly every segment has no options, or just timestamps in the usual layout. */
static inline bool
parse_common_options(struct segment *segment, const uint8_t *options, unsigned int len)
{
	if (len == 0)
		return true;
	if (len == TIMESTAMP_ONLY_LEN && load_be32(options) == TIMESTAMP_ONLY_WORD) {
		segment->has = SEG_HAS_TS;
		segment->tsval = load_be32(options + 4);
		segment->tsecr = load_be32(options + 8);
		return true;
	}
	return segment_parse_options(segment, options, len);
}

enum rill_drop
segment_parse(struct segment *segment, bool checksum_known_good)
{
	const struct rte_mbuf *mbuf = segment->mbuf;
	uint32_t off = (uint32_t)segment->l2_len + segment->l3_len;
	uint32_t tcp_len = mbuf->pkt_len - off;
	const struct rte_tcp_hdr *tcp;
	uint16_t header_len;

	if (unlikely(mbuf->pkt_len < off || tcp_len < TCP_HEADER_LEN))
		return RILL_DROP_tcp_short;
	RILL_DCHECK(mbuf->data_len >= off + TCP_HEADER_LEN);
	tcp = rte_pktmbuf_mtod_offset(mbuf, const struct rte_tcp_hdr *, off);
	header_len = (tcp->data_off >> 4) * 4; /* the other half is reserved: ignored [9293 3.1] */
	if (unlikely(header_len < TCP_HEADER_LEN || header_len > tcp_len))
		return RILL_DROP_tcp_data_offset;
	RILL_DCHECK(mbuf->data_len >= off + header_len);
	if (!checksum_known_good &&
		!checksum_tcp_is_good(mbuf, off, checksum_pseudo(&segment->tuple)))
		return RILL_DROP_tcp_checksum;
	if (unlikely(tcp->src_port == 0 || tcp->dst_port == 0))
		return RILL_DROP_tcp_port_zero;
	segment->tuple.head.lport = tcp->dst_port;
	segment->tuple.head.rport = tcp->src_port;
	segment->header_len = header_len;
	segment->payload_len = (uint16_t)(tcp_len - header_len);
	segment->seq = seq(RTE_BE32(tcp->sent_seq));
	segment->ack = seq(RTE_BE32(tcp->recv_ack));
	segment->wnd = RTE_BE16(tcp->rx_win);
	segment->urg = RTE_BE16(tcp->tcp_urp);
	segment->flags = tcp->tcp_flags;
	segment->has = 0;
	segment->sack_count = 0;
	if (unlikely(!parse_common_options(segment, (const uint8_t *)(tcp + 1),
		    header_len - TCP_HEADER_LEN)))
		return RILL_DROP_tcp_options;
	return RILL_DROP_COUNT;
}
