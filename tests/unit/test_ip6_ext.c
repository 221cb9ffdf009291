/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Extension headers: what is good is passed over and counts as part of the IP header; what is bad is
 * dropped under its reason, and its sender told as the RFC says, exactly where.
 */
#include "icmp6.h" /* before nets6.h, whose net it shadows else */
#include "ip6_ext.h"
#include "packet.h"

#include "nets6.h"

#define TCP_LEN 20

enum {
	HBH = 0,
	ROUTING = 43,
	FRAGMENT = 44,
	DEST = 60,
};

/* Headers, in front of a TCP header: their bytes, with the last one's next header to be filled in. */
static void
chain_make(uint8_t first, const uint8_t *headers, uint32_t len, uint8_t last, uint32_t payload_len)
{
	static const uint8_t tcp[TCP_LEN] = {1, 2, 3, 4, [12] = 0x50};
	uint8_t bytes[4096] = {0};

	if (len > 0)
		memcpy(bytes, headers, len);
	memcpy(bytes + len, tcp, sizeof(tcp));
	pkt_make(len == 0 ? last : first, bytes, len + payload_len);
}

static void
expect_behind(uint32_t l3_len)
{
	assert_int_equal(arrive(), IP_TCP);
	assert_int_equal(seg.l3_len, l3_len);
	assert_in_range(seg.mbuf->data_len, L2 + l3_len + TCP_LEN, pkt.len);
	packets_expect_bytes(seg.mbuf, pkt.bytes, pkt.len);
	rte_pktmbuf_free(seg.mbuf);
	expect_silence();
}

/* Dropped, and the sender hears of it: code and pointer. */
static void
expect_problem(enum rill_drop reason, uint8_t code, uint32_t pointer)
{
	rte_be32_t word;

	expect_drop_and_answer(reason);
	expect_icmp(ICMP6_PARAMETER_PROBLEM, code);
	expect_said_addrs(OURS, PEER);
	memcpy(&word, said.icmp + 4, 4);
	assert_int_equal(rte_be_to_cpu_32(word), pointer);
	assert_memory_equal(said.icmp + 8, pkt.bytes + L2, pkt.len - L2);
	expect_silence();
	packets_expect_none_in_use();
}

static void
test_a_long_chain(void **state)
{
	static const uint8_t headers[] = {
		DEST, 0, 5, 2, 0, 0, 1, 0,           /* hop by hop: router alert, PadN */
		ROUTING, 1, 1, 1, 0, 0, 0, 1, 4, 0, 0, 0, 0, 0, 1, 0, /* padding of all kinds */
		FRAGMENT, 0, 0, 0, 0, 0, 0, 0,       /* routing, no segment left */
		DEST, 0, 0, 0, 9, 9, 9, 9,           /* an atomic fragment */
		IPPROTO_TCP, 0, 0x3e, 4, 1, 2, 3, 4, /* an option that may be skipped */
	};

	net_begin(0);
	chain_make(HBH, headers, sizeof(headers), IPPROTO_TCP, TCP_LEN);
	expect_behind(IP6_HEADER_LEN + sizeof(headers));
	net_end();
}

/* Cut in three at any two bytes: the headers lie together afterwards. */
static void
test_cut_anywhere(void **state)
{
	static const uint8_t headers[] = {
		DEST, 0, 1, 4, 0, 0, 0, 0, IPPROTO_TCP, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};

	net_begin(0);
	chain_make(HBH, headers, sizeof(headers), IPPROTO_TCP, TCP_LEN);
	for (uint32_t a = 0; a <= pkt.len; a++)
		for (uint32_t b = a; b <= pkt.len; b++) {
			assert_int_equal(
				arrive_mbuf(packets_cut(pkt.bytes, pkt.len, a, b), false), IP_TCP);
			assert_int_equal(seg.l3_len, IP6_HEADER_LEN + sizeof(headers));
			assert_in_range(seg.mbuf->data_len, L3 + sizeof(headers) + TCP_LEN, pkt.len);
			packets_expect_bytes(seg.mbuf, pkt.bytes, pkt.len);
			rte_pktmbuf_free(seg.mbuf);
		}
	net_end();
}

/* Hop-by-Hop anywhere but first is an unknown next header, told at the field that names it
 * [RFC8200-3]. */
static void
test_hop_by_hop_comes_first(void **state)
{
	static const uint8_t second[] = {HBH, 0, 1, 4, 0, 0, 0, 0, IPPROTO_TCP, 0, 1, 4, 0, 0, 0, 0};

	net_begin(0);
	chain_make(DEST, second, sizeof(second), IPPROTO_TCP, TCP_LEN);
	expect_problem(RILL_DROP_ip6_extension, 1, 40);
	chain_make(HBH, second, sizeof(second), IPPROTO_TCP, TCP_LEN);
	expect_problem(RILL_DROP_ip6_extension, 1, 40);
	net_end();
}

/* What is not known is told at the field that names it, wherever that is [RFC8200-4]
 * [RFC4443-12]; UDP is a port that nobody has [RFC4443-11]; and "nothing follows" is nothing. */
static void
test_unknown_next_headers(void **state)
{
	static const uint8_t header[] = {253, 0, 1, 4, 0, 0, 0, 0};
	uint8_t udp[] = {IPPROTO_UDP, 0, 1, 4, 0, 0, 0, 0};

	net_begin(0);
	for (unsigned int protocol = 0; protocol < 256; protocol++) {
		if (protocol == HBH || protocol == DEST || protocol == ROUTING ||
			protocol == FRAGMENT || protocol == IPPROTO_TCP ||
			protocol == IPPROTO_ICMPV6 || protocol == IPPROTO_NONE ||
			protocol == IPPROTO_UDP)
			continue;
		chain_make(0, NULL, 0, (uint8_t)protocol, TCP_LEN);
		expect_problem(RILL_DROP_ip_protocol, 1, 6);
		lnk.now += USEC_PER_SEC;
	}
	chain_make(DEST, header, sizeof(header), 0, TCP_LEN);
	expect_problem(RILL_DROP_ip_protocol, 1, 40);
	chain_make(0, NULL, 0, IPPROTO_NONE, TCP_LEN);
	expect_drop(RILL_DROP_ip_protocol);
	for (unsigned int i = 0; i < 2; i++) {
		chain_make(DEST, udp, i * sizeof(udp), IPPROTO_UDP, TCP_LEN);
		expect_drop_and_answer(RILL_DROP_ip_protocol);
		expect_icmp(ICMP6_UNREACHABLE, 4);
		assert_memory_equal(said.icmp + 4, ((uint8_t[]){0, 0, 0, 0}), 4);
	}
	net_end();
}

/* The two highest bits of an unknown option's type say what is done, in both headers, sent to us or to
 * a group [RFC8200-5]. */
static void
test_option_actions(void **state)
{
	static const uint8_t kinds[] = {HBH, DEST};

	net_begin(0);
	for (unsigned int i = 0; i < 16; i++) {
		uint8_t action = i & 3, type = (uint8_t)(action << 6 | 0x1e), kind = kinds[i >> 2 & 1];
		bool group = i & 8;
		uint8_t header[] = {IPPROTO_TCP, 0, 1, 0, type, 2, 0, 0};

		chain_make(kind, header, sizeof(header), IPPROTO_TCP, TCP_LEN);
		if (group) {
			pkt_addrs(PEER, "ff02::1");
			if (action == 2) {
				expect_drop_and_answer(RILL_DROP_ip6_option);
				expect_icmp(ICMP6_PARAMETER_PROBLEM, 2);
				expect_said_addrs(OURS, PEER);
			} else {
				expect_drop(action == 0 ? RILL_DROP_ip_broadcast
							: RILL_DROP_ip6_option);
			}
		} else if (action == 0) {
			expect_behind(48);
		} else if (action == 1) {
			expect_drop(RILL_DROP_ip6_option);
		} else {
			expect_problem(RILL_DROP_ip6_option, 2, 44);
		}
	}
	net_end();
}

/* Every type with every length, as the last of a header: it ends within the header or the packet is
 * dropped [RFC8200-6] [ATK-9]. */
static void
test_option_lengths(void **state)
{
	net_begin(0);
	for (unsigned int n = 0; n < 65536; n++) {
		uint8_t type = (uint8_t)(n >> 8), len = (uint8_t)n;
		uint8_t header[] = {IPPROTO_TCP, 0, 1, 0, type, len, 0, 0};

		if (type == 0) {
			if (len == 1 || len == 0) /* Pad1, and then an empty PadN or more of it */
				continue;
			header[4] = 1;
			header[5] = 0; /* the length stands where an option begins */
			header[6] = len;
			type = len;
			len = 0;
		}
		chain_make(DEST, header, sizeof(header), IPPROTO_TCP, TCP_LEN);
		if (len > 2) {
			expect_drop(RILL_DROP_ip6_extension);
		} else if (type == 1 || type >> 6 == 0) {
			expect_behind(48);
		} else {
			expect_drop_and_answer(RILL_DROP_ip6_option);
			link_flush();
			lnk.now += ICMP_ERROR_EVERY_US;
		}
	}
	/* A type without a length, at the very end. */
	chain_make(DEST, (const uint8_t[]){IPPROTO_TCP, 0, 1, 3, 0, 0, 0, 5}, 8, IPPROTO_TCP, TCP_LEN);
	expect_drop(RILL_DROP_ip6_extension);
	net_end();
}

/* Routing headers of any type: passed over when nothing is left to visit, else refused at their type
 * field [RFC8200-7]. */
static void
test_routing(void **state)
{
	net_begin(0);
	for (unsigned int type = 0; type < 256; type++) {
		uint8_t header[24] = {IPPROTO_TCP, 2, (uint8_t)type, 0};

		chain_make(ROUTING, header, sizeof(header), IPPROTO_TCP, TCP_LEN);
		expect_behind(64);
		for (unsigned int left = 1; left < 256; left += 127) {
			header[3] = (uint8_t)left;
			chain_make(ROUTING, header, sizeof(header), IPPROTO_TCP, TCP_LEN);
			expect_problem(RILL_DROP_ip6_routing, 0, 42);
			lnk.now += USEC_PER_SEC;
		}
	}
	net_end();
}

/* One of several is left to whoever puts them together; one that is alone is a packet as any. */
static void
test_fragments(void **state)
{
	net_begin(0);
	for (unsigned int bit = 0; bit < 16; bit++) {
		uint8_t header[] = {IPPROTO_TCP, 0, (uint8_t)(1u << bit >> 8), (uint8_t)(1u << bit), 0,
			0, 0, 1};

		chain_make(FRAGMENT, header, sizeof(header), IPPROTO_TCP, TCP_LEN);
		if (bit == 1 || bit == 2) /* reserved */
			expect_behind(48);
		else
			assert_int_equal(arrive(), IP_CONSUMED);
		link_flush();
		fragments_give_up(net);
	}
	net_end();
}

/* However many headers there are, and however long: so many are looked at and no more
 * [RFC8200-18]. */
static void
test_bounds(void **state)
{
	uint8_t headers[2048];

	net_begin(0);
	for (unsigned int count = 1; count <= 100; count++) {
		memset(headers, 0, sizeof(headers));
		for (unsigned int i = 0; i < count; i++)
			headers[8 * i] = i + 1 < count ? DEST : IPPROTO_TCP;
		chain_make(DEST, headers, 8 * count, IPPROTO_TCP, TCP_LEN);
		if (count <= IP6_EXT_HEADERS_MAX)
			expect_behind(IP6_HEADER_LEN + 8 * count);
		else
			expect_drop(RILL_DROP_ip6_extensions_max);
	}
	for (unsigned int units = 0; units < 256; units++) {
		uint32_t len = 8 * (units + 1);

		memset(headers, 0, sizeof(headers));
		headers[0] = IPPROTO_TCP;
		headers[1] = (uint8_t)units;
		chain_make(DEST, headers, len, IPPROTO_TCP, TCP_LEN);
		pkt.len = RTE_MIN(pkt.len, 2000u);
		pkt_ip()->payload_len = rte_cpu_to_be_16((uint16_t)(pkt.len - L3));
		if (len <= IP6_EXT_BYTES_MAX)
			expect_behind(IP6_HEADER_LEN + len);
		else
			expect_drop(len > pkt.len - L3 ? RILL_DROP_ip6_extension
						       : RILL_DROP_ip6_extensions_max);
	}
	net_end();
}

/* A chain of each kind of header, spoilt in every byte by every value, and cut off after every byte:
 * it ends in a verdict, nothing is read beyond the packet (the sanitizers see that) and at most one
 * answer is sent [ATK-9]. */
static void
test_every_byte_spoilt(void **state)
{
	static const uint8_t headers[] = {
		DEST, 0, 5, 2, 0, 0, 1, 0,
		ROUTING, 1, 1, 1, 0, 0, 0, 1, 4, 0, 0, 0, 0, 0, 1, 0,
		FRAGMENT, 0, 0, 0, 0, 0, 0, 0,
		DEST, 0, 0, 0, 9, 9, 9, 9,
		IPPROTO_ICMPV6, 0, 0x3e, 4, 1, 2, 3, 4,
		128, 0, 0, 0, 0, 1, 0, 2,
	};
	uint32_t verdicts = 0;

	net_begin(0);
	for (uint32_t at = L2 + 4; at < L3 + sizeof(headers); at++)
		for (unsigned int value = 0; value < 256; value++) {
			enum ip_verdict verdict;

			chain_make(HBH, headers, sizeof(headers), IPPROTO_ICMPV6, 0);
			pkt.bytes[at] = (uint8_t)value;
			verdict = arrive();
			if (verdict == IP_TCP)
				rte_pktmbuf_free(seg.mbuf);
			fragments_give_up(net);
			verdicts++;
			assert_in_range(link_flush(), 0, 1);
		}
	for (uint32_t len = L2; len < L3 + sizeof(headers); len++) {
		chain_make(HBH, headers, sizeof(headers), IPPROTO_ICMPV6, 0);
		pkt.len = len;
		if (len >= L3)
			pkt_ip()->payload_len = rte_cpu_to_be_16((uint16_t)(len - L3));
		assert_int_equal(arrive(), IP_CONSUMED);
		assert_in_range(link_flush(), 0, 1);
	}
	assert_int_equal(verdicts, (36 + sizeof(headers)) * 256);
	packets_expect_none_in_use();
	net_end();
}

/* Behind extension headers the checksum is of the same addresses: the final destination's
 * [RFC8200-15]. */
static void
test_checksums_behind_headers(void **state)
{
	static const uint8_t routing[24] = {IPPROTO_TCP, 2, 0, 0, [8] = 0x20, 1};
	struct rte_mbuf *mbuf;
	struct tuple tuple = {.head.family = AF_INET6};
	rte_be16_t sum;

	net_begin(0);
	memcpy(tuple.addrs6.laddr, ip6(OURS).u.ip6, 16);
	memcpy(tuple.addrs6.raddr, ip6(PEER).u.ip6, 16);
	chain_make(ROUTING, routing, sizeof(routing), IPPROTO_TCP, TCP_LEN);
	mbuf = packets_make(pkt.bytes, pkt.len);
	sum = checksum_tcp(mbuf, L3 + sizeof(routing), checksum_pseudo(&tuple));
	rte_pktmbuf_free(mbuf);
	memcpy(pkt.bytes + L3 + sizeof(routing) + 16, &sum, 2);
	for (uint32_t at = 0; at <= TCP_LEN; at++) {
		if (at < TCP_LEN && at != 12)
			pkt.bytes[L3 + sizeof(routing) + at] ^= 0x40;
		assert_int_equal(arrive(), IP_TCP);
		if (at < TCP_LEN && at != 12) {
			pkt.bytes[L3 + sizeof(routing) + at] ^= 0x40;
			assert_int_equal(segment_parse(&seg, false), RILL_DROP_tcp_checksum);
		} else {
			assert_int_equal(segment_parse(&seg, false), RILL_DROP_COUNT);
		}
		rte_pktmbuf_free(seg.mbuf);
	}
	net_end();
}

/* What is not the first fragment of a packet does not show what the packet carries. */
static void
test_seen_in_the_first_fragment_only(void **state)
{
	uint8_t bytes[16] = {IPPROTO_TCP};
	uint32_t at;

	bytes[3] = 1; /* more follow */
	assert_int_equal(ip6_ext_skip(bytes, sizeof(bytes), IPPROTO_FRAGMENT, &at), IPPROTO_TCP);
	assert_int_equal(at, 8);
	for (unsigned int field = 8; field < 65536; field += 8) {
		bytes[2] = (uint8_t)(field >> 8);
		bytes[3] = (uint8_t)field;
		assert_int_equal(ip6_ext_skip(bytes, sizeof(bytes), IPPROTO_FRAGMENT, &at), -1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_long_chain),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_hop_by_hop_comes_first),
		cmocka_unit_test(test_unknown_next_headers),
		cmocka_unit_test(test_option_actions),
		cmocka_unit_test(test_option_lengths),
		cmocka_unit_test(test_routing),
		cmocka_unit_test(test_fragments),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_every_byte_spoilt),
		cmocka_unit_test(test_checksums_behind_headers),
		cmocka_unit_test(test_seen_in_the_first_fragment_only),
	};

	return cmocka_run_group_tests(tests, packets_start, packets_end);
}
