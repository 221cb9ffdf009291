/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Each wrong IPv4 packet is dropped in silence under its reason, and a right one becomes a segment
 * whose headers lie together and that ends where the datagram does: version [RFC791-1], checksum
 * [RFC791-2], lengths [RFC791-3, RFC791-4], destination [RFC791-5, RFC791-23, MUST-57], source
 * [RFC791-6, MUST-63], TTL [RFC791-8], options [RFC791-9, RFC791-10], cut anywhere [ATK-43].
 */
#include "nets.h"

#include "checksum.h"

/* A frame to us with a TCP header of doff words. */
static void
tcp_make(unsigned int doff, uint32_t data_len)
{
	pkt_make(IPPROTO_TCP, NULL, 0, doff * 4 + data_len);
	pkt_l4()[12] = (uint8_t)(doff << 4);
}

static void
test_a_good_packet_becomes_a_segment(void **state)
{
	net_begin(0);
	tcp_make(5, 100);
	assert_int_equal(arrive(), IP_TCP);
	assert_int_equal(seg.tuple.head.family, AF_INET);
	assert_int_equal(seg.tuple.head.laddr4, wire(ip4(10, 0, 0, 1)));
	assert_int_equal(seg.tuple.head.raddr4, wire(ip4(10, 0, 0, 2)));
	assert_true(seg.l2_len == L2 && seg.l3_len == 20);
	packets_expect_bytes(seg.mbuf, pkt.bytes, pkt.len);
	rte_pktmbuf_free(seg.mbuf);
	expect_only_drops(RILL_DROP_COUNT, 0);
	net_end();
}

static void
test_version_and_lengths(void **state)
{
	net_begin(0);
	for (unsigned int version = 0; version < 16; version++) {
		tcp_make(5, 0);
		pkt_ip()->version_ihl = (uint8_t)(version << 4 | 5);
		pkt_sum_ip();
		if (version == 4)
			expect_tcp();
		else
			expect_drop(RILL_DROP_ip_version);
	}
	for (unsigned int ihl = 0; ihl < 16; ihl++) {
		pkt_make(IPPROTO_TCP, NULL, 0, 20);
		memset(pkt_l4(), 1, 20); /* NOPs, where the header is taken to be longer */
		pkt_ip()->version_ihl = (uint8_t)(0x40 | ihl);
		if (ihl >= 5 && ihl <= 10)
			pkt_sum_ip();
		if (ihl < 5 || ihl > 10)
			expect_drop(RILL_DROP_ip_header_length);
		else
			expect_tcp();
	}
	for (uint32_t total = 0; total <= 80; total++) {
		tcp_make(5, 20);
		pkt_ip()->total_length = rte_cpu_to_be_16((uint16_t)total);
		pkt_sum_ip();
		if (total < 20 || total > 60) {
			expect_drop(RILL_DROP_ip_total_length);
			continue;
		}
		assert_int_equal(arrive(), IP_TCP); /* what is too much is padding */
		packets_expect_bytes(seg.mbuf, pkt.bytes, L2 + total);
		rte_pktmbuf_free(seg.mbuf);
	}
	net_end();
}

static void
test_truncated_at_every_byte(void **state)
{
	static const uint8_t options[8] = {1, 1, 1, 1, 1, 1, 1, 0};

	net_begin(0);
	pkt_make(IPPROTO_TCP, options, sizeof(options), 30);
	for (uint32_t len = L2, full = pkt.len; len < full; len++) {
		uint32_t ip_len = len - L2;

		pkt.len = len;
		expect_drop(ip_len < 28 ? RILL_DROP_ip_header_length : RILL_DROP_ip_total_length);
	}
	net_end();
}

static void
test_checksum_in_software_and_by_the_nic(void **state)
{
	static const struct {
		uint64_t flags;
		bool trusted_good, trusted_bad;
	} rows[] = {
		{RTE_MBUF_F_RX_IP_CKSUM_UNKNOWN, false, false},
		{RTE_MBUF_F_RX_IP_CKSUM_GOOD, true, false},
		{RTE_MBUF_F_RX_IP_CKSUM_NONE, true, false},
		{RTE_MBUF_F_RX_IP_CKSUM_BAD, false, true},
	};

	net_begin(0);
	for (uint32_t bit = 0; bit < 20 * 8; bit++) {
		tcp_make(5, 4);
		if (bit / 8 < 4) /* version and lengths have reasons of their own */
			continue;
		pkt.bytes[L2 + bit / 8] ^= 1 << bit % 8;
		expect_drop(RILL_DROP_ip_checksum);
	}
	net_end();
	for (unsigned int i = 0; i < RTE_DIM(rows) * 4; i++) {
		bool offload = i & 1, spoilt = i & 2, good = !spoilt;
		struct rte_mbuf *mbuf;

		net_begin(offload ? NETIF_RX_CKSUM : 0);
		tcp_make(5, 4);
		pkt_ip()->time_to_live ^= spoilt;
		mbuf = packets_make(pkt.bytes, pkt.len);
		mbuf->ol_flags = rows[i / 4].flags;
		if (offload && (rows[i / 4].trusted_good || rows[i / 4].trusted_bad))
			good = rows[i / 4].trusted_good;
		assert_int_equal(arrive_mbuf(mbuf, false), good ? IP_TCP : IP_CONSUMED);
		expect_only_drops(RILL_DROP_ip_checksum, !good);
		if (good)
			rte_pktmbuf_free(seg.mbuf);
		net_end();
	}
}

static void
test_tcp_checksum_that_the_nic_calls_bad(void **state)
{
	struct rte_mbuf *mbuf;

	net_begin(NETIF_RX_CKSUM);
	tcp_make(5, 4);
	mbuf = packets_make(pkt.bytes, pkt.len);
	mbuf->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_BAD;
	assert_int_equal(arrive_mbuf(mbuf, false), IP_CONSUMED);
	expect_only_drops(RILL_DROP_tcp_checksum, 1);
	net_end();
	net_begin(0); /* the flags of a port that does not offer it mean nothing */
	tcp_make(5, 4);
	mbuf = packets_make(pkt.bytes, pkt.len);
	mbuf->ol_flags = RTE_MBUF_F_RX_L4_CKSUM_BAD;
	assert_int_equal(netif_rx_tcp_cksum(&lnk.netif, mbuf), NETIF_CKSUM_UNKNOWN);
	assert_int_equal(arrive_mbuf(mbuf, false), IP_TCP);
	rte_pktmbuf_free(seg.mbuf);
	net_end();
}

static void
test_addresses(void **state)
{
	static const struct {
		uint8_t src[4], dst[4];
		enum rill_drop reason;
	} rows[] = {
		{{10, 0, 0, 2}, {10, 0, 0, 1}, RILL_DROP_COUNT},
		{{198, 51, 100, 255}, {10, 0, 0, 1}, RILL_DROP_COUNT},
		{{10, 0, 0, 2}, {10, 0, 0, 3}, RILL_DROP_ip_not_ours},
		{{10, 0, 0, 2}, {127, 0, 0, 1}, RILL_DROP_ip_not_ours},
		{{10, 0, 0, 2}, {0, 0, 0, 0}, RILL_DROP_ip_not_ours},
		{{10, 0, 0, 2}, {10, 0, 0, 255}, RILL_DROP_ip_broadcast},
		{{10, 0, 0, 2}, {10, 0, 0, 0}, RILL_DROP_ip_broadcast},
		{{10, 0, 0, 2}, {255, 255, 255, 255}, RILL_DROP_ip_broadcast},
		{{10, 0, 0, 2}, {224, 0, 0, 1}, RILL_DROP_ip_broadcast},
		{{10, 0, 0, 1}, {10, 0, 0, 1}, RILL_DROP_ip_bad_source}, /* LAND */
		{{10, 0, 0, 255}, {10, 0, 0, 1}, RILL_DROP_ip_bad_source},
		{{255, 255, 255, 255}, {10, 0, 0, 1}, RILL_DROP_ip_bad_source},
		{{0, 0, 0, 0}, {10, 0, 0, 1}, RILL_DROP_ip_bad_source},
		{{0, 1, 2, 3}, {10, 0, 0, 1}, RILL_DROP_ip_bad_source},
		{{127, 0, 0, 1}, {10, 0, 0, 1}, RILL_DROP_ip_bad_source},
		{{224, 0, 0, 1}, {10, 0, 0, 1}, RILL_DROP_ip_bad_source},
		{{240, 0, 0, 1}, {10, 0, 0, 1}, RILL_DROP_ip_bad_source},
	};
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP, 99};

	net_begin(0);
	for (size_t i = 0; i < RTE_DIM(rows); i++) {
		for (size_t p = 0; p < sizeof(protocols); p++) {
			pkt_make(protocols[p], NULL, 0, 20);
			memcpy(&pkt_ip()->src_addr, rows[i].src, 4);
			memcpy(&pkt_ip()->dst_addr, rows[i].dst, 4);
			pkt_sum_ip();
			if (rows[i].reason != RILL_DROP_COUNT)
				expect_drop(rows[i].reason);
			else if (p == 0)
				expect_tcp();
		}
	}
	tcp_make(5, 0);
	assert_int_equal(arrive_mbuf(packets_make(pkt.bytes, pkt.len), true), IP_CONSUMED);
	expect_silence();
	net_end();
}

static void
test_any_ttl_is_accepted(void **state)
{
	net_begin(0);
	for (unsigned int ttl = 0; ttl < 256; ttl++) {
		tcp_make(5, 0);
		pkt_ip()->time_to_live = (uint8_t)ttl;
		pkt_sum_ip();
		expect_tcp();
	}
	net_end();
}

/* Kept, or dropped for this reason; either way nothing comes of it yet. */
static void
expect_fragment(enum rill_drop reason)
{
	if (reason != RILL_DROP_COUNT) {
		uint64_t before = lnk.counters.drops[reason];

		assert_int_equal(arrive(), IP_CONSUMED);
		assert_int_equal(lnk.counters.drops[reason], before + 1);
	} else {
		uint32_t held = fragments_buffers(net->fragments);

		assert_int_equal(arrive(), IP_CONSUMED);
		assert_int_equal(fragments_buffers(net->fragments), held + 1);
		fragments_give_up(net);
	}
	expect_silence();
}

static void
test_fragments(void **state)
{
	net_begin(0);
	for (unsigned int bit = 0; bit < 16; bit++) {
		tcp_make(5, 0);
		pkt_ip()->fragment_offset = rte_cpu_to_be_16((uint16_t)(1u << bit));
		pkt_sum_ip();
		if (bit >= 14) /* DF, and the reserved bit, which is ignored */
			expect_tcp();
		else /* MF: no data but a TCP header of 20 bytes; or an offset: all but 8 leave it whole */
			expect_fragment(bit == 13 ? RILL_DROP_ip_fragment_malformed
					: bit < 2 ? RILL_DROP_ip_fragment_tiny
						  : RILL_DROP_COUNT);
	}
	net_end();
}

static void
test_options(void **state)
{
	static const struct {
		uint8_t bytes[8];
		enum rill_drop reason;
	} rows[] = {
		{{1, 1, 1, 1, 1, 1, 1, 1}, RILL_DROP_COUNT},
		{{0, 131, 0, 0, 0, 0, 0, 0}, RILL_DROP_COUNT}, /* behind the end */
		{{7, 7, 4, 0, 0, 0, 0, 0}, RILL_DROP_COUNT},
		{{148, 4, 0, 0, 68, 4, 5, 0}, RILL_DROP_COUNT},
		{{222, 8, 0, 0, 0, 0, 0, 0}, RILL_DROP_COUNT},
		{{222, 9, 0, 0, 0, 0, 0, 0}, RILL_DROP_ip_options},
		{{222, 255, 0, 0, 0, 0, 0, 0}, RILL_DROP_ip_options},
		{{222, 0, 0, 0, 0, 0, 0, 0}, RILL_DROP_ip_options},
		{{222, 1, 0, 0, 0, 0, 0, 0}, RILL_DROP_ip_options},
		{{1, 1, 1, 1, 1, 1, 1, 222}, RILL_DROP_ip_options},
		{{131, 7, 4, 10, 0, 0, 9, 0}, RILL_DROP_ip_source_route},
		{{1, 137, 7, 4, 10, 0, 0, 9}, RILL_DROP_ip_source_route},
	};

	net_begin(0);
	for (size_t i = 0; i < RTE_DIM(rows); i++) {
		pkt_make(IPPROTO_TCP, rows[i].bytes, sizeof(rows[i].bytes), 20);
		if (rows[i].reason != RILL_DROP_COUNT)
			expect_drop(rows[i].reason);
		else
			expect_tcp();
	}
	/* Every kind with every length byte ends, one way or another. */
	for (unsigned int n = 0; n < 256 * 256; n++) {
		uint8_t options[4] = {(uint8_t)(n >> 8), (uint8_t)n, 1, 1};
		unsigned int kind = n >> 8, len = n & 0xff;
		bool good = kind == 0 || (kind == 1 && (len <= 1 || (len != 131 && len != 137))) ||
			(len >= 2 && len <= 4);

		if (kind == 131 || kind == 137 || kind == 1)
			continue; /* above; and NOP is followed by another option */
		pkt_make(IPPROTO_TCP, options, sizeof(options), 20);
		if (good)
			expect_tcp();
		else
			expect_drop(RILL_DROP_ip_options);
	}
	net_end();
}

/* Cut in three at any two bytes, padded or not: the same segment, headers together. */
static void
test_headers_cut_anywhere(void **state)
{
	static const uint8_t options[4] = {1, 1, 1, 0};

	net_begin(0);
	for (uint32_t padding = 0; padding <= 7; padding += 7) {
		pkt_make(IPPROTO_TCP, options, sizeof(options), 60 + 9);
		pkt_l4()[12] = 0xf0;
		for (uint32_t a = 0; a <= pkt.len + padding; a++) {
			for (uint32_t b = a; b <= pkt.len + padding; b += 4) {
				struct rte_mbuf *mbuf =
					packets_cut(pkt.bytes, pkt.len + padding, a, b);

				assert_int_equal(arrive_mbuf(mbuf, false), IP_TCP);
				assert_int_equal(seg.l3_len, 24);
				assert_in_range(seg.mbuf->data_len, L2 + 24 + 60, pkt.len);
				packets_expect_bytes(seg.mbuf, pkt.bytes, pkt.len);
				rte_pktmbuf_free(seg.mbuf);
			}
		}
	}
	expect_only_drops(RILL_DROP_COUNT, 0);
	net_end();
}

#define FRAGMENT_KEPT ((enum rill_drop)(RILL_DROP_COUNT + 1))

/* What a packet that claims this total length, of which `there` bytes arrived, comes to. */
static enum rill_drop
lengths_verdict(uint32_t total, uint32_t there, bool fragment, uint8_t protocol, bool bad_sum)
{
	if (there < 20)
		return RILL_DROP_ip_header_length;
	if (total < 20 || total > there)
		return RILL_DROP_ip_total_length;
	if (bad_sum)
		return RILL_DROP_ip_checksum;
	if (fragment && (total == 20 || total % 8 != 4))
		return RILL_DROP_ip_fragment_malformed;
	if (fragment && protocol == IPPROTO_TCP && total < 40)
		return RILL_DROP_ip_fragment_tiny;
	if (fragment)
		return FRAGMENT_KEPT;
	return protocol == IPPROTO_TCP ? RILL_DROP_COUNT : RILL_DROP_ip_protocol;
}

/* A protocol that Rill does not speak is answered by an ICMP error, within a rate. */
static uint64_t
drops_of(enum rill_drop reason)
{
	if (reason >= RILL_DROP_COUNT)
		return 0;
	return lnk.counters.drops[reason] +
	       (reason == RILL_DROP_ip_protocol ? lnk.counters.drops[RILL_DROP_icmp_rate] : 0);
}

/*
 * [ATK-6, ATK-10] Claimed length, bytes that arrived, fragments, IP within IP, cut into three mbufs
 * whose rest is poison: a length beyond the bytes is refused before anything is summed over it, and
 * what passes ends where the datagram does.
 */
static void
test_claimed_lengths_against_bytes(void **state)
{
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_IPIP};

	net_begin(0);
	for (uint32_t n = 0; n < 90 * 90 * 8; n++) {
		uint32_t total = n % 90, there = n / 90 % 90, way = n / 8100;
		bool fragment = way & 1, bad_sum = way & 4;
		uint8_t protocol = protocols[way >> 1 & 1];
		enum rill_drop want = lengths_verdict(total, there, fragment, protocol, bad_sum);
		uint32_t a = L2 + n % (there + 1), b = a + (L2 + there - a) / 2;
		uint64_t before = drops_of(want);

		tcp_make(5, 70);
		pkt_ip()->next_proto_id = protocol;
		pkt_ip()->total_length = rte_cpu_to_be_16((uint16_t)total);
		pkt_ip()->fragment_offset = fragment ? rte_cpu_to_be_16(RTE_IPV4_HDR_MF_FLAG) : 0;
		pkt_sum_ip();
		pkt_ip()->hdr_checksum ^= bad_sum ? 0x5555 : 0;
		if (fragment && want == FRAGMENT_KEPT) {
			arrive_mbuf(packets_cut(pkt.bytes, L2 + there, a, b), false);
			assert_int_equal(fragments_buffers(net->fragments), 1);
			fragments_give_up(net);
			continue;
		}
		if (arrive_mbuf(packets_cut(pkt.bytes, L2 + there, a, b), false) == IP_TCP) {
			assert_int_equal(want, RILL_DROP_COUNT);
			packets_expect_bytes(seg.mbuf, pkt.bytes, L2 + total);
			rte_pktmbuf_free(seg.mbuf);
		} else {
			assert_int_not_equal(want, RILL_DROP_COUNT);
			assert_int_equal(drops_of(want), before + 1);
		}
		link_flush(); /* an ICMP error, for some */
		packets_expect_none_in_use();
	}
	net_end();
}

static void
test_no_buffer_to_pull_into(void **state)
{
	struct rte_mbuf *all[PACKETS_POOL];

	net_begin(0);
	tcp_make(5, 10);
	assert_int_equal(rte_pktmbuf_alloc_bulk(control_pool, all, PACKETS_POOL), 0);
	for (uint32_t cut = L2 + 1; cut < L2 + 40; cut++)
		assert_int_equal(
			arrive_mbuf(packets_cut(pkt.bytes, pkt.len, cut, cut), false), IP_CONSUMED);
	expect_only_drops(RILL_DROP_no_mbuf, 39);
	assert_int_equal(
		arrive_mbuf(packets_cut(pkt.bytes, pkt.len, L2 + 40, L2 + 40), false), IP_TCP);
	rte_pktmbuf_free(seg.mbuf); /* needs none */
	rte_pktmbuf_free_bulk(all, PACKETS_POOL);
	net_end();
}

/* Random headers with good checksums: one verdict, no leak, at most one frame in answer. */
static void
test_random_packets(void **state)
{
	unsigned int seed = 3, tcp = 0;

	net_begin(0);
	for (unsigned int run = 0; run < 100000; run++) {
		uint32_t len = L2 + run % 120;
		enum ip_verdict verdict;

		for (uint32_t i = L2; i < len; i++) {
			seed = seed * 1103515245u + 12345u;
			pkt.bytes[i] = (uint8_t)(seed >> 16);
		}
		pkt_ip()->version_ihl = (uint8_t)(0x45 + (seed >> 28) % 3);
		pkt_ip()->total_length = rte_cpu_to_be_16((uint16_t)(len - L2 - (seed >> 26) % 4));
		pkt_ip()->fragment_offset = 0;
		if (seed >> 31)
			pkt_ip()->src_addr = wire(ip4(10, 0, 0, 2));
		pkt_ip()->dst_addr = wire(ip4(10, 0, 0, 1));
		pkt_ip()->next_proto_id = seed & 0x10000 ? IPPROTO_ICMP : IPPROTO_TCP;
		pkt_sum_ip();
		verdict = arrive_mbuf(packets_cut(pkt.bytes, len, len / 3, len / 2), false);
		if (verdict == IP_TCP) {
			tcp++;
			segment_parse(&seg, false);
			rte_pktmbuf_free(seg.mbuf);
		}
		assert_in_range(link_flush(), 0, 1);
		packets_expect_none_in_use();
	}
	assert_in_range(tcp, 1000, 99000);
	net_end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_good_packet_becomes_a_segment),
		cmocka_unit_test(test_version_and_lengths),
		cmocka_unit_test(test_truncated_at_every_byte),
		cmocka_unit_test(test_checksum_in_software_and_by_the_nic),
		cmocka_unit_test(test_tcp_checksum_that_the_nic_calls_bad),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_any_ttl_is_accepted),
		cmocka_unit_test(test_fragments),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_headers_cut_anywhere),
		cmocka_unit_test(test_claimed_lengths_against_bytes),
		cmocka_unit_test(test_no_buffer_to_pull_into),
		cmocka_unit_test(test_random_packets),
	};

	return cmocka_run_group_tests(tests, packets_start, packets_end);
}
