/* SPDX-License-Identifier: BSD-3-Clause */
/* ICMPv6: echo is answered as it was asked, and messages that are not good are not. */
#include "nets6.h"

enum {
	ECHO = 128,
	ECHO_REPLY = 129,
};

static void
echo_make(const char *src, const char *dst, uint32_t data_len)
{
	pkt_make(IPPROTO_ICMPV6, NULL, 8 + data_len);
	pkt.bytes[L3] = ECHO;
	pkt.bytes[L3 + 1] = 0;
	pkt_addrs(src, dst);
	pkt_sum_icmp(L3);
}

static void
expect_echo_reply(const char *src, const char *dst)
{
	uint32_t len = pkt.len - L3;

	expect_icmp(ECHO_REPLY, 0);
	expect_said_addrs(src, dst);
	assert_int_equal(said.icmp_len, len);
	assert_memory_equal(said.icmp + 4, pkt.bytes + L3 + 4, len - 4);
	assert_int_equal(said.ip->hop_limits, 64);
	assert_int_equal(rte_be_to_cpu_32(said.ip->vtc_flow), 0x60200000); /* class, no label */
	assert_true(rte_is_same_ether_addr(&said.ether->dst_addr,
		&((struct rte_ether_hdr *)pkt.bytes)->src_addr));
}

/* Identifier, sequence number and data come back, in every length that the link takes [RFC4443-8],
 * from the address that was asked [RFC4443-7]. */
static void
test_echo(void **state)
{
	net_begin(0);
	for (uint32_t len = 0; len <= 1452; len += len < 20 ? 1 : 179) {
		echo_make(PEER, OURS, len);
		assert_int_equal(arrive(), IP_CONSUMED);
		expect_echo_reply(OURS, PEER);
		echo_make("fe80::2", LINK_LOCAL, len);
		assert_int_equal(arrive(), IP_CONSUMED);
		expect_echo_reply(LINK_LOCAL, "fe80::2");
		packets_expect_none_in_use();
	}
	net_end();
}

/* Asked as a group we answer from an address of our own that suits the asker's [RFC4443-7]. */
static void
test_echo_to_a_group(void **state)
{
	net_begin(0);
	echo_make("fe80::2", "ff02::1", 10);
	assert_int_equal(arrive(), IP_CONSUMED);
	expect_echo_reply(LINK_LOCAL, "fe80::2");
	echo_make(PEER, "ff02::1", 10);
	assert_int_equal(arrive(), IP_CONSUMED);
	expect_echo_reply(OURS, PEER);
	echo_make("::", "ff02::1", 10);
	expect_drop(RILL_DROP_icmp_broadcast);
	net_end();
}

/* Every byte counts, those of the pseudo-header too [RFC4443-1]. */
static void
test_checksum(void **state)
{
	net_begin(0);
	echo_make(PEER, OURS, 30);
	for (uint32_t at = L2 + 8; at < pkt.len; at++) {
		if (at >= L2 + 24 && at <= L3) /* the destination; and the type, another message */
			continue;
		pkt.bytes[at] ^= 0x10;
		expect_drop(RILL_DROP_icmp_checksum);
		pkt.bytes[at] ^= 0x10;
	}
	assert_int_equal(arrive(), IP_CONSUMED);
	expect_echo_reply(OURS, PEER);
	net_end();
}

static void
test_truncated(void **state)
{
	net_begin(0);
	for (uint32_t len = 0; len < 8; len++) {
		pkt_make(IPPROTO_ICMPV6, (const uint8_t[]){ECHO, 0, 0, 0, 0, 0, 0, 0}, len);
		if (len >= 4)
			pkt_sum_icmp(L3);
		expect_drop(RILL_DROP_icmp_malformed);
	}
	net_end();
}

/* A chain that the port cannot send, or a buffer that somebody else holds, is copied first. */
static void
test_echo_in_pieces(void **state)
{
	net_begin(0);
	echo_make(PEER, OURS, 100);
	for (uint32_t a = 0; a <= pkt.len; a += 7) {
		struct rte_mbuf *mbuf = packets_cut(pkt.bytes, pkt.len, a, a + (pkt.len - a) / 2);

		assert_int_equal(arrive_mbuf(mbuf, false), IP_CONSUMED);
		expect_echo_reply(OURS, PEER);
	}
	{
		struct rte_mbuf *mbuf = packets_make(pkt.bytes, pkt.len);

		rte_mbuf_refcnt_update(mbuf, 1);
		assert_int_equal(arrive_mbuf(mbuf, false), IP_CONSUMED);
		expect_echo_reply(OURS, PEER);
		packets_expect_bytes(mbuf, pkt.bytes, pkt.len);
		rte_pktmbuf_free(mbuf);
	}
	net_end();
}

static void
test_echo_rate(void **state)
{
	unsigned int answered = 0;

	net_begin(0);
	for (unsigned int i = 0; i < 3 * ICMP_ECHO_BURST; i++) {
		echo_make(PEER, OURS, 1);
		arrive();
		answered += link_flush();
	}
	assert_int_equal(answered, ICMP_ECHO_BURST);
	assert_int_equal(lnk.counters.drops[RILL_DROP_icmp_rate], 2 * ICMP_ECHO_BURST);
	net_end();
}

/* Informational messages that nobody knows [RFC4443-3]. */
static void
test_unknown_types(void **state)
{
	net_begin(0);
	for (unsigned int type = 128; type < 256; type++) {
		if (type == ECHO || type == 130 || (type >= 133 && type <= 137))
			continue;
		echo_make(PEER, OURS, 30);
		pkt.bytes[L3] = (uint8_t)type;
		pkt_sum_icmp(L3);
		expect_drop(RILL_DROP_icmp_type);
	}
	net_end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_echo),
		cmocka_unit_test(test_echo_to_a_group),
		cmocka_unit_test(test_checksum),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_echo_in_pieces),
		cmocka_unit_test(test_echo_rate),
		cmocka_unit_test(test_unknown_types),
	};

	return cmocka_run_group_tests(tests, packets_start, packets_end);
}
