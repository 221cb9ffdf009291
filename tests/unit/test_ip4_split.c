/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Echo requests longer than the MTU are answered in fragments: each a multiple of 8 bytes but the last,
 * one behind the other [RFC791-22, RFC5722-2], under IDs that nobody can guess and that do not come
 * again while their datagram may live [RFC791-12].
 */
#include "nets.h"

#include "checksum.h"

static uint8_t request[L2 + 20 + 12000];

static struct rte_mbuf *
request_make(uint32_t data_len)
{
	struct rte_ether_hdr ether = {mac_of(1), mac_of(2), rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4)};
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(request + L2);
	uint8_t *icmp = (uint8_t *)(ip + 1);
	uint32_t len = 8 + data_len, at = 0;
	struct rte_mbuf *chain = NULL;
	rte_be16_t sum;

	memcpy(request, &ether, sizeof(ether));
	*ip = (struct rte_ipv4_hdr){.version_ihl = 0x45, .type_of_service = 0x20,
		.total_length = rte_cpu_to_be_16((uint16_t)(20 + len)), .time_to_live = 9,
		.next_proto_id = IPPROTO_ICMP, .src_addr = wire(ip4(10, 0, 0, 2)),
		.dst_addr = wire(ip4(10, 0, 0, 1))};
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	for (uint32_t i = 0; i < len; i++)
		icmp[i] = (uint8_t)(i * 3 + (i >> 8));
	memcpy(icmp, (uint8_t[]){8, 0, 0, 0}, 4);
	sum = (rte_be16_t)~rte_raw_cksum(icmp, len);
	memcpy(icmp + 2, &sum, 2);
	for (uint32_t n; at < L2 + 20 + len; at += n) {
		struct rte_mbuf *piece;

		n = RTE_MIN(L2 + 20 + len - at, 1501u);
		piece = packets_piece(request + at, n);
		if (chain == NULL)
			chain = piece;
		else
			assert_int_equal(rte_pktmbuf_chain(chain, piece), 0);
	}
	return chain;
}

/* The fragments that were sent, in order, make the reply to the request; returns their ID. */
static uint16_t
expect_fragments(uint32_t data_len)
{
	static uint8_t got[12000], copy[2048];
	struct rte_ether_addr peer_mac = mac_of(2);
	uint32_t at = 0, len = 8 + data_len;
	uint16_t id = 0;
	bool more = true;

	while (more) {
		struct rte_mbuf *frame = link_take();
		const struct rte_ipv4_hdr *ip;
		uint16_t field, n;
		const char *why;

		assert_non_null(frame);
		assert_int_equal(rte_mbuf_check(frame, 1, &why), 0);
		assert_true(netif_takes_chain(&lnk.netif, frame));
		assert_true(frame->pkt_len <= (uint32_t)L2 + lnk.netif.mtu);
		ip = rte_pktmbuf_mtod_offset(frame, const void *, L2);
		field = rte_be_to_cpu_16(ip->fragment_offset);
		n = (uint16_t)(rte_be_to_cpu_16(ip->total_length) - 20);
		assert_int_equal(frame->pkt_len, L2 + 20 + n);
		assert_int_equal((uint32_t)(field & RTE_IPV4_HDR_OFFSET_MASK) * 8, at);
		assert_int_equal(field & RTE_IPV4_HDR_DF_FLAG, 0);
		more = field & RTE_IPV4_HDR_MF_FLAG;
		assert_true(!more || n % 8 == 0);
		if (lnk.netif.caps & NETIF_TX_IP4_CKSUM)
			assert_true((frame->ol_flags & RTE_MBUF_F_TX_IP_CKSUM) &&
				    ip->hdr_checksum == 0 && frame->l2_len == L2 &&
				    frame->l3_len == 20);
		else
			assert_int_equal(rte_raw_cksum(ip, 20), 0xffff);
		assert_true(ip->src_addr == wire(ip4(10, 0, 0, 1)) &&
			    ip->dst_addr == wire(ip4(10, 0, 0, 2)) && ip->time_to_live == 64);
		assert_memory_equal(rte_pktmbuf_mtod(frame, void *), &peer_mac, sizeof(peer_mac));
		assert_true(at == 0 || id == ip->packet_id);
		id = ip->packet_id;
		memcpy(got + at, rte_pktmbuf_read(frame, L2 + 20, n, copy), n);
		at += n;
		rte_pktmbuf_free(frame);
	}
	assert_int_equal(at, len);
	assert_int_equal(got[0], 0);
	assert_int_equal(rte_raw_cksum(got, len), 0xffff);
	assert_memory_equal(got + 4, request + L2 + 20 + 4, len - 4);
	expect_silence();
	return rte_be_to_cpu_16(id);
}

static void
test_replies_of_many_sizes(void **state)
{
	static const uint16_t caps[] = {
		0, NETIF_TX_CHAINS, NETIF_TX_CHAINS | NETIF_TX_IP4_CKSUM};

	for (unsigned int c = 0; c < RTE_DIM(caps); c++)
		for (uint32_t len = 1473; len < 11000; len += 97) {
			net_begin(caps[c]);
			assert_int_equal(arrive_mbuf(request_make(len), false), IP_CONSUMED);
			assert_int_equal(lnk.counters.fragments_out, (8 + len + 1479) / 1480);
			expect_fragments(len);
			expect_only_drops(RILL_DROP_COUNT, 0);
			assert_int_equal(lnk.counters.icmp_out, 1);
			net_end();
		}
}

/* All or nothing: a reply that does not find room for its last fragment is not begun. */
static void
test_no_room_and_no_buffer(void **state)
{
	struct rte_mbuf *all[PACKETS_POOL];

	net_begin(NETIF_TX_CHAINS);
	lnk.outbox.put = OUTBOX_SIZE - 2;
	assert_int_equal(arrive_mbuf(request_make(3000), false), IP_CONSUMED);
	assert_int_equal(lnk.outbox.put, OUTBOX_SIZE - 2);
	expect_only_drops(RILL_DROP_outbox_full, 1);
	lnk.outbox.put = 0;
	for (unsigned int left = 0; left < 7; left++) { /* a header and a reference each, at least */
		unsigned int n = PACKETS_POOL - left;

		assert_int_equal(rte_pktmbuf_alloc_bulk(control_pool, all, n), 0);
		assert_int_equal(arrive_mbuf(request_make(3000), false), IP_CONSUMED);
		rte_pktmbuf_free_bulk(all, n);
		expect_silence();
		assert_int_equal(lnk.counters.drops[RILL_DROP_no_mbuf], left + 1);
		packets_expect_none_in_use();
	}
	net_end();
}

/* More fragments than IP4_SPLIT_MAX, or more replies than there are IDs for. */
static void
test_bounds(void **state)
{
	net_begin(NETIF_TX_CHAINS);
	lnk.netif.mtu = 68;
	assert_int_equal(arrive_mbuf(request_make(IP4_SPLIT_MAX * 48 - 7), false), IP_CONSUMED);
	expect_only_drops(RILL_DROP_icmp_too_long, 1);
	assert_int_equal(arrive_mbuf(request_make(IP4_SPLIT_MAX * 48 - 8), false), IP_CONSUMED);
	assert_int_equal(lnk.counters.fragments_out, IP4_SPLIT_MAX);
	link_flush();
	net_end();
	net_begin(NETIF_TX_CHAINS);
	for (unsigned int i = 0; i < ICMP_SPLIT_BURST + 10; i++) {
		arrive_mbuf(request_make(2000), false);
		link_flush();
	}
	expect_only_drops(RILL_DROP_icmp_rate, 10);
	net_end();
}

/* A shared request is copied, and its bytes stay as they are. */
static void
test_a_shared_request(void **state)
{
	struct rte_mbuf *mbuf;

	net_begin(NETIF_TX_CHAINS);
	mbuf = request_make(3000);
	rte_mbuf_refcnt_update(mbuf, 1);
	rte_mbuf_refcnt_update(mbuf->next, 1);
	rte_mbuf_refcnt_update(mbuf->next->next, 1);
	arrive_mbuf(mbuf, false);
	expect_fragments(3000);
	packets_expect_bytes(mbuf, request, L2 + 20 + 3008);
	rte_pktmbuf_free(mbuf);
	net_end();
}

static void
test_ids(void **state)
{
	static uint32_t last[UINT16_MAX + 1];
	struct ip4_ids ids = {.key = {1, 2}}, other = {.key = {1, 3}};
	unsigned int follow = 0, same = 0;
	uint16_t before = 0;

	for (uint32_t i = 1; i <= 4 * UINT16_MAX; i++) {
		uint16_t id = ip4_ids_next(&ids);

		assert_true(last[id] == 0 || i - last[id] > IP4_IDS_DISTINCT);
		last[id] = i;
		follow += (uint16_t)(id - before) <= 16;
		same += id == ip4_ids_next(&other);
		before = id;
	}
	/* as rarely as by chance, more or less: 17 and 4 in 2^16 times 4 (the two high bits agree) */
	assert_in_range(follow, 1, 1000);
	assert_in_range(same, 1, 100);
}

/* What one host sees of the IDs does not tell how many another got. */
static void
test_ids_on_the_wire(void **state)
{
	unsigned int follow = 0;
	uint16_t before = 0;

	net_begin(NETIF_TX_CHAINS);
	for (unsigned int i = 0; i < 1000; i++) {
		uint16_t id;

		arrive_mbuf(request_make(1600), false);
		id = expect_fragments(1600);
		follow += (uint16_t)(id - before) < 100;
		before = id;
		lnk.now += ICMP_SPLIT_EVERY_US;
	}
	assert_in_range(follow, 0, 30);
	net_end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replies_of_many_sizes),
		cmocka_unit_test(test_no_room_and_no_buffer),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_a_shared_request),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_ids_on_the_wire),
	};

	return cmocka_run_group_tests(tests, packets_start, packets_end);
}
