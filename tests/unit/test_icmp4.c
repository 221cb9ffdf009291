/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ICMP: echo is answered with the same data from the same address [RFC792-4], from a received mbuf
 * or a fresh one, not to groups [RFC792-5]; unknown types and bad messages are dropped [RFC792-1,
 * RFC792-12, RFC792-13], padding is not echoed [RFC792-14]; UDP and unknown protocols get an error
 * that quotes them [RFC792-3, RFC792-7], within a rate, and nothing else does [RFC792-2]; errors
 * about our segments come out parsed.
 */
#include <errno.h>

#include "nets.h"

#include "checksum.h"

static void
icmp_sum(uint32_t len)
{
	rte_be16_t sum;

	memset(pkt_l4() + 2, 0, 2);
	sum = (rte_be16_t)~rte_raw_cksum(pkt_l4(), len);
	memcpy(pkt_l4() + 2, &sum, 2);
}

static void
icmp_make(uint8_t type, uint8_t code, const void *options, uint32_t options_len, uint32_t len)
{
	pkt_make(IPPROTO_ICMP, options, options_len, len);
	pkt_l4()[0] = type;
	pkt_l4()[1] = code;
	icmp_sum(len);
}

/* The reply that is due to the echo request in pkt. */
static uint32_t
reply_make(uint8_t *reply, uint16_t caps)
{
	struct rte_ether_hdr ether = {mac_of(2), mac_of(1), rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4)};
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(reply + L2);
	uint32_t len = rte_be_to_cpu_16(pkt_ip()->total_length) - rte_ipv4_hdr_len(pkt_ip());
	rte_be16_t sum;

	memcpy(reply, &ether, sizeof(ether));
	*ip = (struct rte_ipv4_hdr){.version_ihl = 0x45, .type_of_service = 0x20,
		.total_length = rte_cpu_to_be_16((uint16_t)(20 + len)),
		.fragment_offset = rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG), .time_to_live = 64,
		.next_proto_id = IPPROTO_ICMP, .src_addr = wire(ip4(10, 0, 0, 1)),
		.dst_addr = wire(ip4(10, 0, 0, 2))};
	if (!(caps & NETIF_TX_IP4_CKSUM))
		ip->hdr_checksum = rte_ipv4_cksum(ip);
	memcpy(ip + 1, pkt_l4(), len);
	((uint8_t *)(ip + 1))[0] = 0;
	memset((uint8_t *)(ip + 1) + 2, 0, 2);
	sum = (rte_be16_t)~rte_raw_cksum(ip + 1, len);
	if (sum == 0)
		sum = 0xffff; /* the form of zero that is right for any data */
	memcpy((uint8_t *)(ip + 1) + 2, &sum, 2);
	return L2 + 20 + len;
}

static void
test_echo_of_every_shape(void **state)
{
	static const uint32_t lens[] = {8, 9, 10, 63, 64, 1000, 1479, 1480};
	static const uint8_t options[8] = {7, 7, 4, 0, 0, 0, 0, 0};
	uint8_t want[2048];

	for (size_t i = 0; i < RTE_DIM(lens); i++) {
		for (uint32_t options_len = 0; options_len <= 8; options_len += 8) {
			for (uint32_t cut = 0; cut <= L2 + 40; cut++) {
				net_begin(NETIF_TX_CHAINS);
				icmp_make(8, 0, options, options_len, lens[i]);
				if (cut > pkt.len)
					cut = L2 + 40;
				else
					assert_int_equal(
						arrive_mbuf(packets_cut(pkt.bytes, pkt.len + 3, cut,
								  cut + (pkt.len - cut) / 2),
							false),
						IP_CONSUMED);
				if (cut < L2 + 40 || pkt.len >= L2 + 40)
					expect_frame(want, reply_make(want, 0));
				expect_silence();
				expect_only_drops(RILL_DROP_COUNT, 0);
				net_end();
			}
		}
	}
}

/* Data that sums to either form of zero: an all-zero reply is intact only with 0xffff. */
static void
test_echo_checksum_of_zeros(void **state)
{
	uint8_t want[256];

	for (unsigned int fill = 0; fill < 256; fill++) {
		net_begin(0);
		icmp_make(8, 0, NULL, 0, 12);
		memset(pkt_l4() + 4, (int)fill, 8);
		if (fill == 1) /* sums to 0xffff */
			memcpy(pkt_l4() + 4, (uint8_t[]){0xff, 0xfe, 0, 1, 0, 0, 0, 0}, 8);
		icmp_sum(12);
		assert_int_equal(arrive(), IP_CONSUMED);
		reply_make(want, 0);
		assert_int_equal(rte_raw_cksum(want + L2 + 20, 12), 0xffff);
		expect_frame(want, reply_make(want, 0));
		net_end();
	}
}

static void
test_echo_uses_the_mbuf_if_it_may(void **state)
{
	struct rte_mbuf *mbuf, *reply, *hold;
	uint8_t want[2048], before[2048];

	net_begin(NETIF_TX_IP4_CKSUM);
	icmp_make(8, 0, NULL, 0, 64);
	mbuf = packets_make(pkt.bytes, pkt.len);
	mbuf->ol_flags = RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	arrive_mbuf(mbuf, false);
	reply = link_take();
	assert_ptr_equal(reply, mbuf);
	assert_true(reply->ol_flags == (RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM) &&
		    reply->l2_len == L2 && reply->l3_len == 20);
	packets_expect_bytes(reply, want, reply_make(want, NETIF_TX_IP4_CKSUM));
	rte_pktmbuf_free(reply);
	/* Shared, or indirect: a fresh one, and the bytes of the other stay as they are. */
	for (int indirect = 0; indirect <= 1; indirect++) {
		mbuf = packets_make(pkt.bytes, pkt.len);
		hold = mbuf;
		if (indirect)
			mbuf = rte_pktmbuf_clone(hold, packets_pool);
		else
			rte_mbuf_refcnt_update(hold, 1);
		memcpy(before, pkt.bytes, pkt.len);
		arrive_mbuf(mbuf, false);
		reply = link_take();
		assert_true(reply != mbuf && reply->pool == control_pool);
		packets_expect_bytes(reply, want, reply_make(want, NETIF_TX_IP4_CKSUM));
		rte_pktmbuf_free(reply);
		packets_expect_bytes(hold, before, pkt.len);
		rte_pktmbuf_free(hold);
	}
	net_end();
}

/* A port without chains gets one mbuf, or the request is dropped when none can hold it. */
static void
test_echo_to_a_port_without_chains(void **state)
{
	uint8_t want[4096];
	struct rte_mbuf *reply;

	net_begin(0);
	icmp_make(8, 0, NULL, 0, 1000);
	arrive_mbuf(packets_cut(pkt.bytes, pkt.len, 100, 200), false);
	reply = link_take();
	assert_true(reply != NULL && reply->nb_segs == 1);
	packets_expect_bytes(reply, want, reply_make(want, 0));
	rte_pktmbuf_free(reply);
	lnk.netif.mtu = 4000;
	icmp_make(8, 0, NULL, 0, 3000);
	arrive_mbuf(packets_cut(pkt.bytes, pkt.len, 1500, 2000), false);
	expect_only_drops(RILL_DROP_no_mbuf, 1);
	lnk.netif.caps = NETIF_TX_CHAINS;
	arrive_mbuf(packets_cut(pkt.bytes, pkt.len, 1500, 2000), false);
	expect_frame(want, reply_make(want, 0));
	lnk.netif.tx_chain_max = 2;
	arrive_mbuf(packets_cut(pkt.bytes, pkt.len, 1500, 2000), false);
	reply = link_take(); /* three pieces are copied into two */
	assert_true(reply != NULL && reply->nb_segs == 2);
	packets_expect_bytes(reply, want, reply_make(want, 0));
	rte_pktmbuf_free(reply);
	net_end();
}

static void
test_echo_refusals(void **state)
{
	struct rte_mbuf *all[PACKETS_POOL];

	net_begin(0);
	icmp_make(8, 0, NULL, 0, 64);
	memcpy(&pkt_ip()->dst_addr, (uint8_t[]){10, 0, 0, 255}, 4);
	pkt_sum_ip();
	expect_drop(RILL_DROP_icmp_broadcast);
	memcpy(&pkt_ip()->dst_addr, (uint8_t[]){224, 0, 0, 1}, 4);
	pkt_sum_ip();
	expect_drop(RILL_DROP_icmp_broadcast);
	icmp_make(8, 0, NULL, 0, 64);
	for (int i = 0; i < ICMP_ECHO_BURST; i++) {
		assert_int_equal(arrive(), IP_CONSUMED);
		assert_int_equal(link_flush(), 1);
	}
	expect_drop(RILL_DROP_icmp_rate);
	lnk.now += ICMP_ECHO_EVERY_US;
	arrive();
	assert_int_equal(link_flush(), 1);
	expect_drop(RILL_DROP_icmp_rate);
	lnk.now += USEC_PER_SEC;
	lnk.outbox.put = lnk.outbox.taken + OUTBOX_SIZE;
	arrive();
	assert_int_equal(lnk.counters.drops[RILL_DROP_outbox_full], 1);
	lnk.outbox.put = lnk.outbox.taken;
	assert_int_equal(rte_pktmbuf_alloc_bulk(control_pool, all, PACKETS_POOL), 0);
	arrive_mbuf(packets_cut(pkt.bytes, pkt.len, 20, 40), false);
	assert_int_equal(lnk.counters.drops[RILL_DROP_no_mbuf], 1);
	rte_pktmbuf_free_bulk(all, PACKETS_POOL);
	net_end();
}

/* What is no echo and no error is dropped in silence: redirects [RFC792-8], timestamp and mask requests
 * [RFC792-12], and what nobody knows [RFC792-1]. */
static void
test_types_short_and_spoilt(void **state)
{
	net_begin(0);
	for (unsigned int type = 0; type < 256; type++) {
		icmp_make((uint8_t)type, 0, NULL, 0, 64);
		if (type == 3 || type == 8 || type == 11 || type == 12)
			continue;
		expect_drop(RILL_DROP_icmp_type);
	}
	icmp_make(3, 16, NULL, 0, 64);
	expect_drop(RILL_DROP_icmp_type);
	for (uint32_t len = 0; len < 8; len++) {
		icmp_make(8, 0, NULL, 0, 8);
		pkt.len -= 8 - len;
		pkt_ip()->total_length = rte_cpu_to_be_16((uint16_t)(pkt.len - L2));
		pkt_sum_ip();
		expect_drop(RILL_DROP_icmp_malformed);
	}
	for (uint32_t at = 1; at < 33; at++) {
		icmp_make(8, 0, NULL, 0, 33);
		pkt_l4()[at] ^= 0x10;
		expect_drop(RILL_DROP_icmp_checksum);
	}
	net_end();
}

/* The error that is due to the frame in pkt. */
static uint32_t
unreachable_make(uint8_t *want, uint8_t code)
{
	uint32_t quote = RTE_MIN(pkt.len - L2, 548u);
	struct rte_ether_hdr ether = {mac_of(2), mac_of(1), rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4)};
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(want + L2);
	uint8_t *icmp = (uint8_t *)(ip + 1);
	rte_be16_t sum;

	memcpy(want, &ether, sizeof(ether));
	*ip = (struct rte_ipv4_hdr){.version_ihl = 0x45,
		.total_length = rte_cpu_to_be_16((uint16_t)(28 + quote)),
		.fragment_offset = rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG), .time_to_live = 64,
		.next_proto_id = IPPROTO_ICMP, .src_addr = wire(ip4(10, 0, 0, 1)),
		.dst_addr = wire(ip4(10, 0, 0, 2))};
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	memset(icmp, 0, 8);
	icmp[0] = 3;
	icmp[1] = code;
	memcpy(icmp + 8, pkt.bytes + L2, quote);
	sum = (rte_be16_t)~rte_raw_cksum(icmp, 8 + quote);
	memcpy(icmp + 2, &sum, 2);
	return L2 + 28 + quote;
}

static void
test_unreachable_quotes_its_cause(void **state)
{
	static const uint32_t lens[] = {0, 1, 8, 100, 527, 528, 529, 1480};
	static const uint8_t options[4] = {1, 1, 1, 0};
	uint8_t want[2048];

	for (size_t i = 0; i < RTE_DIM(lens); i++) {
		for (int udp = 0; udp <= 1; udp++) {
			net_begin(0);
			pkt_make(udp ? IPPROTO_UDP : 132, options, i % 2 ? 4 : 0, lens[i]);
			arrive_mbuf(
				packets_cut(pkt.bytes, pkt.len, 20, 40 < pkt.len ? 40 : 20), false);
			expect_frame(want, unreachable_make(want, udp ? 3 : 2));
			expect_only_drops(RILL_DROP_ip_protocol, 1);
			assert_int_equal(lnk.counters.icmp_out, 1);
			net_end();
		}
	}
}

static void
test_unreachable_limits(void **state)
{
	struct rte_mbuf *all[PACKETS_POOL];
	uint8_t want[2048];

	net_begin(0);
	for (unsigned int i = 0; i < ICMP_ERROR_BURST; i++) {
		pkt_make(IPPROTO_UDP, NULL, 0, 8);
		arrive();
		assert_int_equal(link_flush(), 1);
	}
	expect_drop(RILL_DROP_icmp_rate);
	lnk.now += ICMP_ERROR_EVERY_US;
	arrive();
	assert_int_equal(link_flush(), 1);
	expect_drop(RILL_DROP_icmp_rate);
	lnk.now += USEC_PER_SEC;
	assert_int_equal(rte_pktmbuf_alloc_bulk(control_pool, all, PACKETS_POOL), 0);
	arrive();
	assert_int_equal(lnk.counters.drops[RILL_DROP_no_mbuf], 1);
	rte_pktmbuf_free_bulk(all, PACKETS_POOL);
	lnk.outbox.put = lnk.outbox.taken + OUTBOX_SIZE;
	arrive();
	assert_int_equal(lnk.counters.drops[RILL_DROP_outbox_full], 1);
	lnk.outbox.put = lnk.outbox.taken;
	lnk.netif.mtu = 100; /* a small link: the quote is cut to it */
	pkt_make(IPPROTO_UDP, NULL, 0, 200);
	pkt.len = L2 + 72;
	unreachable_make(want, 3);
	pkt.len = L2 + 220;
	arrive();
	expect_frame(want, L2 + 100);
	net_end();
}

/* No error about fragments, groups, and senders that are no hosts [RFC792-2]. */
static void
test_no_error_where_none_is_due(void **state)
{
	net_begin(0);
	pkt_make(IPPROTO_UDP, NULL, 0, 8);
	pkt_ip()->fragment_offset = rte_cpu_to_be_16(1);
	pkt_sum_ip();
	assert_int_equal(arrive(), IP_CONSUMED);
	expect_silence();
	fragments_give_up(net);
	pkt_make(IPPROTO_UDP, NULL, 0, 8);
	assert_int_equal(arrive_mbuf(packets_make(pkt.bytes, pkt.len), true), IP_CONSUMED);
	expect_silence();
	pkt_ip()->src_addr = wire(ip4(10, 0, 0, 255));
	pkt_sum_ip();
	expect_drop(RILL_DROP_ip_bad_source);
	net_end();
}

/* An ICMP error in pkt that quotes tcp_len bytes of a segment of ours, behind IP options. */
static void
error_make(uint8_t type, uint8_t code, uint32_t quoted_options, uint32_t tcp_len)
{
	struct rte_ipv4_hdr quoted = {.version_ihl = (uint8_t)(0x45 + quoted_options / 4),
		.total_length = rte_cpu_to_be_16(1500), .next_proto_id = IPPROTO_TCP,
		.src_addr = wire(ip4(10, 0, 0, 1)), .dst_addr = wire(ip4(192, 0, 2, 7))};
	static const uint8_t tcp[20] = {0x1b, 0x58, 0xc3, 0x50, 0x89, 0xab, 0xcd, 0xef};
	uint32_t len = 8 + 20 + quoted_options + tcp_len;

	pkt_make(IPPROTO_ICMP, NULL, 0, len);
	memset(pkt_l4(), 0, len);
	pkt_l4()[0] = type;
	pkt_l4()[1] = code;
	pkt_l4()[6] = 0x05;
	pkt_l4()[7] = 0x14;
	memcpy(pkt_l4() + 8, &quoted, sizeof(quoted));
	memcpy(pkt_l4() + 28 + quoted_options, tcp, tcp_len);
	icmp_sum(len);
}

static void
test_errors_about_our_segments(void **state)
{
	static const struct {
		uint8_t type, code;
		int err;
	} rows[] = {{3, 0, ENETUNREACH}, {3, 1, EHOSTUNREACH}, {3, 2, ENOPROTOOPT},
		{3, 3, ECONNREFUSED}, {3, 4, EMSGSIZE}, {3, 5, EHOSTUNREACH}, {3, 13, EHOSTUNREACH},
		{3, 15, EHOSTUNREACH}, {11, 0, EHOSTUNREACH}, {11, 1, EHOSTUNREACH},
		{12, 0, EPROTO}};

	net_begin(0);
	for (size_t i = 0; i < RTE_DIM(rows); i++) {
		for (uint32_t cut = 0; cut < L2 + 20 + 8 + 40 + 20; cut++) {
			for (uint32_t tcp_len = 8; tcp_len <= 20; tcp_len += 12) {
				error_make(rows[i].type, rows[i].code, 8, tcp_len);
				lnk.now += ICMP_HINT_EVERY_US; /* within their rate */
				assert_int_equal(
					arrive_mbuf(packets_cut(pkt.bytes, pkt.len,
							  RTE_MIN(cut, pkt.len), pkt.len),
						false),
					IP_ICMP_ERROR);
				assert_int_equal(err.err, rows[i].err);
				assert_true(err.type == rows[i].type && err.code == rows[i].code);
				assert_int_equal(err.mtu, rows[i].err == EMSGSIZE ? 1300 : 0);
				assert_int_equal(err.seq.n, 0x89abcdef);
				assert_int_equal(err.tuple.head.laddr4, wire(ip4(10, 0, 0, 1)));
				assert_int_equal(err.tuple.head.raddr4, wire(ip4(192, 0, 2, 7)));
				assert_int_equal(err.tuple.head.lport, rte_cpu_to_be_16(7000));
				assert_int_equal(err.tuple.head.rport, rte_cpu_to_be_16(50000));
				assert_int_equal(err.tuple.head.family, AF_INET);
				packets_expect_none_in_use();
			}
		}
	}
	expect_silence();
	expect_only_drops(RILL_DROP_COUNT, 0);
	net_end();
}

static void
test_quotes_that_are_not_ours_or_too_short(void **state)
{
	net_begin(0);
	for (uint32_t tcp_len = 0; tcp_len < 8; tcp_len++) {
		error_make(3, 1, 0, tcp_len);
		expect_drop(RILL_DROP_icmp_malformed);
	}
	for (uint32_t quoted = 0; quoted < 20; quoted++) {
		error_make(3, 1, 0, 8);
		pkt.len = L2 + 20 + 8 + quoted;
		pkt_ip()->total_length = rte_cpu_to_be_16((uint16_t)(28 + quoted));
		pkt_sum_ip();
		icmp_sum(8 + quoted);
		expect_drop(RILL_DROP_icmp_malformed);
	}
	for (int kind = 0; kind < 5; kind++) {
		uint8_t *quoted;

		error_make(3, 1, 0, 8);
		quoted = pkt_l4() + 8;
		if (kind == 0)
			quoted[9] = IPPROTO_UDP;
		else if (kind == 1)
			quoted[7] = 1; /* a fragment that is not the first */
		else if (kind == 2)
			quoted[15] = 9; /* from somebody else */
		else
			quoted[0] = kind == 3 ? 0x44 : 0x65;
		icmp_sum(36);
		expect_drop(kind < 3 ? RILL_DROP_icmp_stale : RILL_DROP_icmp_malformed);
	}
	net_end();
}

/* [RFC5927-6] What is about nothing of ours takes no place from errors that are. */
static void
test_junk_does_not_use_up_the_rate(void **state)
{
	net_begin(0);
	for (unsigned int i = 0; i < 2 * ICMP_HINT_BURST; i++) {
		icmp_make(0, 0, NULL, 0, 64);
		expect_drop(RILL_DROP_icmp_type);
		error_make(3, 1, 0, 8);
		pkt_l4()[8 + 15] = 9; /* quotes a segment of somebody else's */
		icmp_sum(36);
		expect_drop(RILL_DROP_icmp_stale);
	}
	for (unsigned int i = 0; i < ICMP_HINT_BURST; i++) {
		error_make(3, 1, 0, 8);
		assert_int_equal(
			arrive_mbuf(packets_make(pkt.bytes, pkt.len), false), IP_ICMP_ERROR);
	}
	error_make(3, 1, 0, 8);
	expect_drop(RILL_DROP_icmp_rate);
	net_end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_echo_of_every_shape),
		cmocka_unit_test(test_echo_checksum_of_zeros),
		cmocka_unit_test(test_echo_uses_the_mbuf_if_it_may),
		cmocka_unit_test(test_echo_to_a_port_without_chains),
		cmocka_unit_test(test_echo_refusals),
		cmocka_unit_test(test_types_short_and_spoilt),
		cmocka_unit_test(test_unreachable_quotes_its_cause),
		cmocka_unit_test(test_unreachable_limits),
		cmocka_unit_test(test_no_error_where_none_is_due),
		cmocka_unit_test(test_errors_about_our_segments),
		cmocka_unit_test(test_quotes_that_are_not_ours_or_too_short),
		cmocka_unit_test(test_junk_does_not_use_up_the_rate),
	};

	return cmocka_run_group_tests(tests, packets_start, packets_end);
}
