/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_NET_IP6_OUTPUT_H
#define RILL_NET_IP6_OUTPUT_H

/* The IPv6 header of what we send [8200 3]: no extension headers, never fragmented. */

#include <string.h>

#include <rte_byteorder.h>
#include <rte_ip.h>

#include "ip6.h"

#define IP6_FLOW_LABEL_BITS 20

/* Writes a 40-byte header; payload_len is what follows it, flow_label below 2^20. */
static inline void
ip6_write_header(struct rte_ipv6_hdr *ip, const uint8_t src[16], const uint8_t dst[16],
	uint16_t payload_len, uint8_t next_header, uint8_t hop_limit, uint8_t traffic_class,
	uint32_t flow_label)
{
	ip->vtc_flow = RTE_BE32(6u << 28 | (uint32_t)traffic_class << IP6_FLOW_LABEL_BITS | flow_label);
	ip->payload_len = RTE_BE16(payload_len);
	ip->proto = next_header;
	ip->hop_limits = hop_limit;
	memcpy(ip->src_addr, src, sizeof(ip->src_addr));
	memcpy(ip->dst_addr, dst, sizeof(ip->dst_addr));
}

#endif
