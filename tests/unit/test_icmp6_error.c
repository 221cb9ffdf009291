/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ICMPv6 errors: what arrives about our segments is read safely and handed on, and what we send is
 * within a rate, quotes what it may, and is never said where it is forbidden.
 */
#include <errno.h>

#include "icmp6.h" /* before nets6.h, whose net it shadows else */
#include "ip6_ext.h"
#include "ndp.h"

#include "nets6.h"

/* Of the quote: from where it begins in the message. */
#define QUOTE (L3 + ICMP6_HEADER_LEN)

static const uint8_t sent_tcp[20] = {0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0, [12] = 0x50};

/* An error that quotes a segment which we sent to PEER's port 0x5678, behind these headers. */
static void
error_make(uint8_t type, uint8_t code, uint32_t word, uint8_t next, const uint8_t *headers,
	uint32_t headers_len)
{
	uint8_t bytes[ICMP6_HEADER_LEN + IP6_HEADER_LEN + 512] = {type, code, 0, 0,
		(uint8_t)(word >> 24), (uint8_t)(word >> 16), (uint8_t)(word >> 8), (uint8_t)word};
	struct rte_ipv6_hdr ip = {
		.vtc_flow = rte_cpu_to_be_32(6u << 28),
		.payload_len = rte_cpu_to_be_16((uint16_t)(headers_len + sizeof(sent_tcp))),
		.proto = next,
		.hop_limits = 60,
	};

	memcpy(ip.src_addr, ip6(OURS).u.ip6, 16);
	memcpy(ip.dst_addr, ip6("2001:db8:7::9").u.ip6, 16);
	memcpy(bytes + ICMP6_HEADER_LEN, &ip, sizeof(ip));
	if (headers_len > 0)
		memcpy(bytes + ICMP6_HEADER_LEN + IP6_HEADER_LEN, headers, headers_len);
	memcpy(bytes + ICMP6_HEADER_LEN + IP6_HEADER_LEN + headers_len, sent_tcp, sizeof(sent_tcp));
	pkt_make(IPPROTO_ICMPV6, bytes,
		ICMP6_HEADER_LEN + IP6_HEADER_LEN + headers_len + (uint32_t)sizeof(sent_tcp));
	pkt_addrs("2001:db8:5::1", OURS);
	pkt_sum_icmp(L3);
}

static void
plain_error(uint8_t type, uint8_t code, uint32_t word)
{
	error_make(type, code, word, IPPROTO_TCP, NULL, 0);
}

static void
expect_error(int want, uint16_t mtu)
{
	assert_int_equal(arrive(), IP_ICMP_ERROR);
	assert_int_equal(err.err, want);
	assert_int_equal(err.mtu, mtu);
	assert_int_equal(err.type, pkt.bytes[L3]);
	assert_int_equal(err.code, pkt.bytes[L3 + 1]);
	assert_int_equal(err.tuple.head.family, AF_INET6);
	assert_int_equal(err.tuple.head.lport, rte_cpu_to_be_16(0x1234));
	assert_int_equal(err.tuple.head.rport, rte_cpu_to_be_16(0x5678));
	assert_memory_equal(err.tuple.addrs6.laddr, ip6(OURS).u.ip6, 16);
	assert_memory_equal(err.tuple.addrs6.raddr, ip6("2001:db8:7::9").u.ip6, 16);
	assert_int_equal(err.seq.n, 0x9abcdef0);
	expect_silence();
	packets_expect_none_in_use();
}

/* Each is handed on with what it means [RFC4443-10], those of unknown types too [RFC4443-2]. */
static void
test_what_errors_mean(void **state)
{
	static const struct {
		uint8_t type, code;
		int err;
	} rows[] = {
		{1, 0, ENETUNREACH}, {1, 1, EHOSTUNREACH}, {1, 2, EHOSTUNREACH},
		{1, 3, EHOSTUNREACH}, {1, 4, ECONNREFUSED}, {1, 5, EHOSTUNREACH},
		{1, 6, ENETUNREACH}, {1, 77, EHOSTUNREACH}, {3, 0, EHOSTUNREACH},
		{3, 1, EHOSTUNREACH}, {4, 0, EPROTO}, {4, 1, ENOPROTOOPT}, {4, 2, EPROTO},
		{0, 0, EPROTO}, {5, 0, EPROTO}, {100, 3, EPROTO}, {127, 0, EPROTO},
	};

	net_begin(0);
	for (size_t i = 0; i < RTE_DIM(rows); i++) {
		plain_error(rows[i].type, rows[i].code, 0);
		expect_error(rows[i].err, 0);
	}
	net_end();
}

/* "Packet too big" tells its MTU [RFC4443-9], unless that is less than every link carries. */
static void
test_packet_too_big(void **state)
{
	static const struct {
		uint32_t said;
		uint16_t mtu; /* 0: not believed */
	} rows[] = {{0, 0}, {1, 0}, {68, 0}, {1279, 0}, {1280, 1280}, {1400, 1400}, {9000, 9000},
		{65535, 65535}, {65536, 65535}, {0xffffffff, 65535}};

	net_begin(0);
	for (size_t i = 0; i < RTE_DIM(rows); i++) {
		plain_error(ICMP6_TOO_BIG, 0, rows[i].said);
		if (rows[i].mtu == 0)
			expect_drop(RILL_DROP_icmp_mtu_low);
		else
			expect_error(EMSGSIZE, rows[i].mtu);
	}
	net_end();
}

/* A quote behind extension headers, and one cut off after every byte: what can be seen is read, and
 * nothing else [RFC4443-13]. */
static void
test_quotes(void **state)
{
	static const uint8_t headers[] = {IPPROTO_FRAGMENT, 0, 1, 4, 0, 0, 0, 0, IPPROTO_TCP, 0, 0, 1, 0, 0, 0, 7};
	uint32_t full;

	net_begin(0);
	error_make(1, 0, 0, IPPROTO_HOPOPTS, headers, sizeof(headers));
	expect_error(ENETUNREACH, 0);
	full = pkt.len;
	for (uint32_t len = L3; len < full; len++) {
		pkt.len = len;
		pkt_ip()->payload_len = rte_cpu_to_be_16((uint16_t)(len - L3));
		if (len >= L3 + 4)
			pkt_sum_icmp(L3);
		if (len < L3 + ICMP6_HEADER_LEN + IP6_HEADER_LEN)
			expect_drop(RILL_DROP_icmp_malformed);
		else if (len < QUOTE + IP6_HEADER_LEN + sizeof(headers))
			expect_drop(RILL_DROP_icmp_stale);
		else if (len < QUOTE + IP6_HEADER_LEN + sizeof(headers) + 8)
			expect_drop(RILL_DROP_icmp_malformed);
		else
			expect_error(ENETUNREACH, 0);
	}
	for (uint32_t at = QUOTE + IP6_HEADER_LEN; at < QUOTE + IP6_HEADER_LEN + 16; at++)
		for (unsigned int value = 0; value < 256; value++) { /* whatever it says */
			error_make(1, 0, 0, IPPROTO_HOPOPTS, headers, sizeof(headers));
			pkt.bytes[at] = (uint8_t)value;
			pkt_sum_icmp(L3);
			arrive();
			lnk.now += 1000;
			expect_silence();
			packets_expect_none_in_use();
		}
	net_end();
}

/* About what was not ours, or not TCP, or is no first fragment. */
static void
test_quotes_of_others(void **state)
{
	static const uint8_t later[] = {IPPROTO_TCP, 0, 0, 8, 0, 0, 0, 7};

	net_begin(0);
	plain_error(1, 0, 0);
	pkt.bytes[QUOTE + 8 + 15] ^= 4;
	pkt_sum_icmp(L3);
	expect_drop(RILL_DROP_icmp_stale);
	error_make(1, 0, 0, IPPROTO_UDP, NULL, 0);
	expect_drop(RILL_DROP_icmp_stale);
	error_make(1, 0, 0, IPPROTO_FRAGMENT, later, sizeof(later));
	expect_drop(RILL_DROP_icmp_stale);
	plain_error(1, 0, 0);
	pkt.bytes[QUOTE] = 0x40;
	pkt_sum_icmp(L3);
	expect_drop(RILL_DROP_icmp_malformed);
	plain_error(1, 0, 0);
	pkt.bytes[pkt.len - 1] ^= 1;
	expect_drop(RILL_DROP_icmp_checksum);
	net_end();
}

/* ---- those that we send */

static void
udp_make(const char *src, const char *dst, uint32_t len)
{
	pkt_make(IPPROTO_UDP, NULL, len);
	pkt_addrs(src, dst);
}

/* As much of the packet as fits into 1280 bytes [RFC4443-4], with or without chains. */
static void
test_how_much_is_quoted(void **state)
{
	for (unsigned int chains = 0; chains < 2; chains++) {
		net_begin(chains ? NETIF_TX_CHAINS : 0);
		for (uint32_t len = 0; len <= 1460; len += len < 1180 ? 59 : 1) {
			uint32_t quoted = RTE_MIN(IP6_HEADER_LEN + len, 1280u - 40 - 8);

			udp_make(PEER, OURS, len);
			expect_drop_and_answer(RILL_DROP_ip_protocol);
			expect_icmp(ICMP6_UNREACHABLE, ICMP6_UNREACHABLE_PORT);
			expect_said_addrs(OURS, PEER);
			assert_int_equal(said.icmp_len, 8 + quoted);
			assert_in_range(said.len, 0, L2 + 1280);
			assert_memory_equal(said.icmp + 8, pkt.bytes + L2, quoted);
			assert_memory_equal(
				&said.ether->dst_addr, ((uint8_t[]){2, 0, 0, 0, 0, 2}), 6);
			lnk.now += USEC_PER_SEC;
		}
		net_end();
	}
}

/* Where nothing may be said: about errors, redirects, groups, and senders that are not one host
 * [RFC4443-5]. */
static void
test_what_is_never_answered(void **state)
{
	static const uint8_t to_icmp[] = {IPPROTO_ICMPV6, 0, 0x9e, 4, 0, 0, 0, 0};
	uint8_t bytes[64] = {0};

	net_begin(0);
	memcpy(bytes, to_icmp, sizeof(to_icmp));
	for (unsigned int type = 0; type < 256; type++) { /* behind an option that we would tell of */
		bool silent = type < 128 || type == NDP_REDIRECT;

		bytes[8] = (uint8_t)type;
		pkt_make(IPPROTO_DSTOPTS, bytes, sizeof(bytes));
		if (silent) {
			expect_drop(RILL_DROP_ip6_option);
			continue;
		}
		expect_drop_and_answer(RILL_DROP_ip6_option);
		assert_int_equal(link_flush(), 1);
		lnk.now += USEC_PER_SEC;
	}
	udp_make(PEER, "ff02::1", 20);
	expect_drop(RILL_DROP_ip_protocol);
	udp_make("::", "ff02::1", 20);
	expect_drop(RILL_DROP_ip_protocol);
	udp_make("ff02::1", OURS, 20);
	expect_drop(RILL_DROP_ip_bad_source);
	udp_make("::", OURS, 20);
	expect_drop(RILL_DROP_ip_bad_source);
	udp_make(PEER, OURS, 20);
	assert_int_equal(arrive_mbuf(packets_make(pkt.bytes, pkt.len), true), IP_CONSUMED);
	expect_silence(); /* in a frame to a group */
	net_end();
}

/* However many ask for one: a burst, and then a hundred a second [RFC4443-6]. */
static void
test_rate_of_errors(void **state)
{
	uint32_t said_count = 0;

	net_begin(0);
	for (unsigned int i = 0; i < 100000; i++) { /* in one second */
		udp_make(PEER, OURS, 20);
		arrive();
		said_count += link_flush();
		lnk.now += 10;
	}
	assert_in_range(said_count, 100, ICMP_ERROR_BURST + 1 + USEC_PER_SEC / ICMP_ERROR_EVERY_US);
	assert_int_equal(lnk.counters.drops[RILL_DROP_icmp_rate], 100000 - said_count);
	net_end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_errors_mean),
		cmocka_unit_test(test_packet_too_big),
		cmocka_unit_test(test_quotes),
		cmocka_unit_test(test_quotes_of_others),
		cmocka_unit_test(test_how_much_is_quoted),
		cmocka_unit_test(test_what_is_never_answered),
		cmocka_unit_test(test_rate_of_errors),
	};

	return cmocka_run_group_tests(tests, packets_start, packets_end);
}
