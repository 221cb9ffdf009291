/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TESTS_NETS6_H
#define RILL_TESTS_NETS6_H

/*
 * A net with the address 2001:db8::1/64 (MAC 02:00:00:00:00:01, so that its link-local address is
 * fe80::ff:fe00:1), and IPv6 frames to it from 2001:db8::2 (MAC ...:02), built in `pkt` for a test to
 * spoil and `arrive`.
 */

#include "make_net.h"

#include <netinet/in.h>

#include <rill/types.h>
#include <rte_ip.h>

#include "checksum.h"
#include "ether.h"
#include "ip6.h"
#include "net.h"

#define L2 RTE_ETHER_HDR_LEN
#define L3 (L2 + IP6_HEADER_LEN)

#define OURS "2001:db8::1"
#define PEER "2001:db8::2"
#define LINK_LOCAL "fe80::ff:fe00:1"

static struct net *net;

static struct {
	uint8_t bytes[4096];
	uint32_t len; /* of the frame */
} pkt;

static inline struct rill_addr
ip6(const char *text)
{
	struct rill_addr addr;

	assert_int_equal(rill_addr_parse(text, &addr), 0);
	assert_int_equal(addr.family, AF_INET6);
	return addr;
}

static inline struct rill_prefix
prefix6(const char *text)
{
	struct rill_prefix prefix;

	assert_int_equal(rill_prefix_parse(text, &prefix), 0);
	return prefix;
}

static inline void
expect_addr(const struct rill_addr *addr, const char *text)
{
	char have[RILL_ADDR_STRLEN];

	assert_string_equal(rill_addr_format(addr, have), text);
}

static inline struct rte_ipv6_hdr *
pkt_ip(void)
{
	return (struct rte_ipv6_hdr *)(pkt.bytes + L2);
}

static inline void
net_begin(uint16_t caps)
{
	const struct net_ip6 setup = {.unprobed = true, .key = {1, 2}};
	struct rill_prefix prefix = prefix6(OURS "/64");

	link_reset(true, caps);
	net = net_make();
	assert_non_null(net);
	assert_int_equal(net_set_ip6(net, &setup, lnk.now), 0);
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

/* Time passes from one timer to the next, as a lane would see it. */
static inline void
net_advance(ustime us_more)
{
	ustime until = lnk.now + us_more;

	while (lnk.now < until) {
		ustime next = RTE_MIN(wheel_next(&lnk.wheel), until);
		struct wheel_node *due;

		lnk.now = RTE_MAX(next, lnk.now + 1);
		while (wheel_expire(&lnk.wheel, lnk.now, &due, 1) == 1) {
			if (due->kind == NEIGHBOR_KIND)
				neighbor_timer(net_neighbors(net), due, lnk.now, &lnk.outbox);
			else
				net_announce_timer(net, due, lnk.now, &lnk.outbox);
		}
	}
}

static inline void
pkt_addrs(const char *src, const char *dst)
{
	memcpy(pkt_ip()->src_addr, ip6(src).u.ip6, 16);
	memcpy(pkt_ip()->dst_addr, ip6(dst).u.ip6, 16);
}

/* A frame whose payload is this, or, if NULL, 0, 1, 2 ... */
static inline void
pkt_make(uint8_t protocol, const void *payload, uint32_t len)
{
	struct rte_ether_hdr ether = {mac_of(1), mac_of(2), rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6)};

	memset(&pkt, 0, sizeof(pkt));
	memcpy(pkt.bytes, &ether, sizeof(ether));
	*pkt_ip() = (struct rte_ipv6_hdr){
		.vtc_flow = rte_cpu_to_be_32(0x60212345),
		.payload_len = rte_cpu_to_be_16((uint16_t)len),
		.proto = protocol,
		.hop_limits = 33,
	};
	pkt_addrs(PEER, OURS);
	for (uint32_t i = 0; i < len; i++)
		pkt.bytes[L3 + i] = payload != NULL ? ((const uint8_t *)payload)[i] : (uint8_t)i;
	pkt.len = L3 + len;
}

/* Sets the checksum of the ICMPv6 message at offset `at`, which the frame ends with. */
static inline void
pkt_sum_icmp(uint32_t at)
{
	struct rte_mbuf *mbuf;
	uint16_t sum;

	memset(pkt.bytes + at + 2, 0, 2);
	mbuf = packets_make(pkt.bytes, pkt.len);
	sum = (uint16_t)~checksum_icmp6(mbuf, at, pkt.len - at, pkt_ip()->src_addr);
	rte_pktmbuf_free(mbuf);
	memcpy(pkt.bytes + at + 2, &sum, 2);
}

static struct segment seg;
static struct icmp_error err;

static inline enum ip_verdict
arrive_mbuf(struct rte_mbuf *mbuf, bool group)
{
	memset(&seg, 0xee, sizeof(seg));
	memset(&err, 0xee, sizeof(err));
	return ip6_input(net, mbuf, L2, group, lnk.now, &lnk.outbox, &seg, &err);
}

static inline enum ip_verdict
arrive(void)
{
	return arrive_mbuf(packets_make(pkt.bytes, pkt.len), ip6_is_multicast(pkt_ip()->dst_addr));
}

static inline uint64_t
drops_sum(void)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < RILL_DROP_COUNT; i++)
		sum += lnk.counters.drops[i];
	return sum;
}

/* The frame is dropped for this reason; what is said stays in the outbox. */
static inline void
expect_drop_and_answer(enum rill_drop reason)
{
	uint64_t before = lnk.counters.drops[reason], sum = drops_sum();

	assert_int_equal(arrive(), IP_CONSUMED);
	if (lnk.counters.drops[reason] != before + 1)
		fail_msg("not dropped as %s", rill_drop_name(reason));
	assert_int_equal(drops_sum(), sum + 1);
}

/* The same, and nothing is said. */
static inline void
expect_drop(enum rill_drop reason)
{
	expect_drop_and_answer(reason);
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

/* The next frame that was sent is well-formed ICMPv6; it is left in `said`, for tests to look at. */
static struct {
	uint8_t bytes[4096];
	uint32_t len;
	struct rte_ether_hdr *ether;
	struct rte_ipv6_hdr *ip;
	uint8_t *icmp;
	uint32_t icmp_len;
} said;

static inline void
expect_icmp(uint8_t type, uint8_t code)
{
	struct rte_mbuf *mbuf = link_take();
	const void *bytes;
	const char *why;

	assert_non_null(mbuf);
	assert_int_equal(rte_mbuf_check(mbuf, 1, &why), 0);
	memset(&said, 0, sizeof(said));
	said.len = mbuf->pkt_len;
	assert_in_range(said.len, L3 + 4, sizeof(said.bytes));
	bytes = rte_pktmbuf_read(mbuf, 0, said.len, said.bytes);
	if (bytes != said.bytes)
		memcpy(said.bytes, bytes, said.len);
	said.ether = (struct rte_ether_hdr *)said.bytes;
	said.ip = (struct rte_ipv6_hdr *)(said.bytes + L2);
	said.icmp = said.bytes + L3;
	said.icmp_len = said.len - L3;
	assert_int_equal(rte_be_to_cpu_32(said.ip->vtc_flow) >> 28, 6);
	assert_int_equal(rte_be_to_cpu_16(said.ip->payload_len), said.icmp_len);
	assert_int_equal(said.ip->proto, IPPROTO_ICMPV6);
	assert_int_equal(
		checksum_icmp6(mbuf, L3, said.icmp_len, said.ip->src_addr), 0xffff);
	assert_int_equal(said.icmp[0], type);
	assert_int_equal(said.icmp[1], code);
	assert_true(rte_is_same_ether_addr(&said.ether->src_addr, &lnk.netif.mac));
	rte_pktmbuf_free(mbuf);
}

static inline void
expect_said_addrs(const char *src, const char *dst)
{
	struct rill_addr addr = {.family = AF_INET6};

	memcpy(addr.u.ip6, said.ip->src_addr, 16);
	expect_addr(&addr, src);
	memcpy(addr.u.ip6, said.ip->dst_addr, 16);
	expect_addr(&addr, dst);
}

#endif
