/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TESTS_NETS_H
#define RILL_TESTS_NETS_H

/*
 * A net with the address 10.0.0.1/24 (MAC 02:00:00:00:00:01), and IPv4 frames to it from
 * 10.0.0.2 (MAC ...:02), built in `pkt` for a test to spoil and `arrive`.
 */

#include "make_net.h"

#include <netinet/in.h>

#include <rte_ip.h>

#include "ether.h"
#include "net_state.h"

#define L2 RTE_ETHER_HDR_LEN

static struct net *net;

static struct {
	uint8_t bytes[4096];
	uint32_t len; /* of the frame */
} pkt;

static inline struct rte_ipv4_hdr *
pkt_ip(void)
{
	return (struct rte_ipv4_hdr *)(pkt.bytes + L2);
}

static inline uint8_t *
pkt_l4(void)
{
	return pkt.bytes + L2 + rte_ipv4_hdr_len(pkt_ip());
}

static inline rte_be32_t
wire(struct rill_addr addr)
{
	rte_be32_t ip;

	memcpy(&ip, addr.u.ip4, 4);
	return ip;
}

static inline void
net_begin(uint16_t caps)
{
	struct rill_prefix prefix = {ip4(10, 0, 0, 1), 24};

	link_reset(true, caps);
	net = net_make();
	assert_int_equal(net_addr_add(net, &prefix, lnk.now), 0);
}

static inline void
net_end(void)
{
	net_destroy(net);
	link_flush();
	assert_int_equal(lnk.wheel.armed, 0);
	packets_expect_none_in_use();
}

static inline void
pkt_sum_ip(void)
{
	pkt_ip()->hdr_checksum = 0;
	pkt_ip()->hdr_checksum = (rte_be16_t)~rte_raw_cksum(pkt_ip(), rte_ipv4_hdr_len(pkt_ip()));
}

/* A frame whose payload is 0, 1, 2 ... */
static inline void
pkt_make(uint8_t protocol, const void *options, uint32_t options_len, uint32_t payload_len)
{
	struct rte_ether_hdr ether = {mac_of(1), mac_of(2), rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4)};
	uint32_t total = sizeof(struct rte_ipv4_hdr) + options_len + payload_len;

	memset(&pkt, 0, sizeof(pkt));
	memcpy(pkt.bytes, &ether, sizeof(ether));
	*pkt_ip() = (struct rte_ipv4_hdr){
		.version_ihl = (uint8_t)(0x45 + options_len / 4),
		.type_of_service = 0x20,
		.total_length = rte_cpu_to_be_16((uint16_t)total),
		.packet_id = rte_cpu_to_be_16(0x1234),
		.time_to_live = 33,
		.next_proto_id = protocol,
		.src_addr = wire(ip4(10, 0, 0, 2)),
		.dst_addr = wire(ip4(10, 0, 0, 1)),
	};
	if (options_len > 0)
		memcpy(pkt_ip() + 1, options, options_len);
	for (uint32_t i = 0; i < payload_len; i++)
		pkt_l4()[i] = (uint8_t)i;
	pkt.len = L2 + total;
	pkt_sum_ip();
}

static struct segment seg;
static struct icmp_error err;

static inline enum ip_verdict
arrive_mbuf(struct rte_mbuf *mbuf, bool group)
{
	memset(&seg, 0xee, sizeof(seg));
	memset(&err, 0xee, sizeof(err));
	return ip4_input(net, mbuf, L2, group, lnk.now, &lnk.outbox, &seg, &err);
}

static inline enum ip_verdict
arrive(void)
{
	return arrive_mbuf(packets_make(pkt.bytes, pkt.len), false);
}

/* The frame is dropped for this reason and nothing is said. */
static inline void
expect_drop(enum rill_drop reason)
{
	uint64_t before = lnk.counters.drops[reason], sum = 0, sum_before = 0;

	for (unsigned int i = 0; i < RILL_DROP_COUNT; i++)
		sum_before += lnk.counters.drops[i];
	assert_int_equal(arrive(), IP_CONSUMED);
	for (unsigned int i = 0; i < RILL_DROP_COUNT; i++)
		sum += lnk.counters.drops[i];
	if (lnk.counters.drops[reason] != before + 1)
		fail_msg("not dropped as %s", rill_drop_name(reason));
	assert_int_equal(sum, sum_before + 1);
	expect_silence();
	packets_expect_none_in_use();
}

/* The frame is passed on as TCP. */
static inline void
expect_tcp(void)
{
	assert_int_equal(arrive(), IP_TCP);
	rte_pktmbuf_free(seg.mbuf);
	expect_silence();
	packets_expect_none_in_use();
}

#endif
