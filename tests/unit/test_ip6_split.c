/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Echo requests over IPv6 longer than the MTU, which a router may have lowered, are answered in
 * fragments: each a multiple of 8 bytes but the last, one behind the other, under identifications that
 * nobody can guess and none of which comes twice [RFC8200-16].
 */
#include "nets6.h"

#include <rte_ip_frag.h>

#define ICMP6_ECHO 128
#define ICMP6_ECHO_REPLY 129
#define DATA_MAX 60000
#define HEADERS (L3 + IP6_FRAGMENT_LEN)

static uint8_t request[L3 + 8 + DATA_MAX], reply[8 + DATA_MAX];

/* As it was put together here from fragments. */
static struct rte_mbuf *
request_make(uint32_t data_len)
{
	uint32_t len = 8 + data_len, at = 0;
	struct rte_mbuf *chain = NULL;
	rte_be16_t sum;

	pkt_make(IPPROTO_ICMPV6, NULL, 8);
	memcpy(request, pkt.bytes, L3);
	((struct rte_ipv6_hdr *)(request + L2))->payload_len = rte_cpu_to_be_16((uint16_t)len);
	for (uint32_t i = 0; i < len; i++)
		request[L3 + i] = (uint8_t)(i * 3 + (i >> 8));
	memcpy(request + L3, (uint8_t[]){ICMP6_ECHO, 0, 0, 0}, 4);
	for (uint32_t piece; at < L3 + len; at += piece) {
		struct rte_mbuf *next;

		piece = RTE_MIN(L3 + len - at, 1600u);
		next = packets_make(request + at, piece);
		if (chain == NULL)
			chain = next;
		else
			assert_int_equal(rte_pktmbuf_chain(chain, next), 0);
	}
	sum = (rte_be16_t)~checksum_icmp6(
		chain, L3, len, ((struct rte_ipv6_hdr *)(request + L2))->src_addr);
	memcpy(request + L3 + 2, &sum, 2);
	memcpy(rte_pktmbuf_mtod_offset(chain, uint8_t *, L3 + 2), &sum, 2);
	return chain;
}

/* Puts the fragments together; returns how many, and their identification. */
static unsigned int
hear_fragments(uint32_t data_len, uint16_t mtu, rte_be32_t *id)
{
	unsigned int count = 0;
	uint32_t at = 0;
	bool more = true;

	for (; more; count++) {
		struct rte_mbuf *mbuf = link_take();
		static uint8_t bytes[L3 + 2000];
		const struct rte_ether_hdr *ether = (const struct rte_ether_hdr *)bytes;
		const struct rte_ipv6_hdr *ip = (const struct rte_ipv6_hdr *)(bytes + L2);
		const struct rte_ipv6_fragment_ext *extension =
			(const struct rte_ipv6_fragment_ext *)(ip + 1);
		uint32_t len;
		const void *read;

		assert_non_null(mbuf);
		assert_in_range(mbuf->pkt_len, HEADERS + 1, L2 + mtu);
		len = mbuf->pkt_len - HEADERS;
		read = rte_pktmbuf_read(mbuf, 0, mbuf->pkt_len, bytes);
		if (read != bytes)
			memcpy(bytes, read, mbuf->pkt_len);
		assert_true(rte_is_same_ether_addr(&ether->src_addr, &lnk.netif.mac));
		assert_memory_equal(ip->src_addr, ip6(OURS).u.ip6, 16);
		assert_memory_equal(ip->dst_addr, ip6(PEER).u.ip6, 16);
		assert_int_equal(ip->proto, IPPROTO_FRAGMENT);
		assert_int_equal(rte_be_to_cpu_16(ip->payload_len), len + IP6_FRAGMENT_LEN);
		assert_int_equal(extension->next_header, IPPROTO_ICMPV6);
		if (count == 0)
			*id = extension->id;
		assert_int_equal(extension->id, *id);
		assert_int_equal(rte_be_to_cpu_16(extension->frag_data) & 0xfff8, at);
		more = rte_be_to_cpu_16(extension->frag_data) & 1;
		assert_true(!more || len % 8 == 0);
		assert_true(at + len <= sizeof(reply));
		memcpy(reply + at, bytes + HEADERS, len);
		at += len;
		rte_pktmbuf_free(mbuf);
	}
	assert_int_equal(at, 8 + data_len);
	return count;
}

static void
expect_reply(uint32_t data_len)
{
	struct rte_ipv6_hdr ip = {.proto = IPPROTO_ICMPV6};
	uint32_t len = 8 + data_len, sum;

	memcpy(ip.src_addr, ip6(OURS).u.ip6, 16);
	memcpy(ip.dst_addr, ip6(PEER).u.ip6, 16);
	ip.payload_len = rte_cpu_to_be_16((uint16_t)len);
	sum = rte_ipv6_phdr_cksum(&ip, 0) + (uint32_t)rte_raw_cksum(reply, len);
	sum = (sum & 0xffff) + (sum >> 16);
	assert_int_equal((sum & 0xffff) + (sum >> 16), 0xffff);
	assert_int_equal(reply[0], ICMP6_ECHO_REPLY);
	assert_memory_equal(reply + 4, request + L3 + 4, len - 4);
}

static void
test_long_echoes(void **state)
{
	static const struct {
		uint32_t data;
		uint16_t mtu;
		unsigned int fragments;
	} rows[] = {
		{1453, 1500, 2}, {1454, 1500, 2}, {2888, 1500, 2}, {2889, 1500, 3},
		{1233, 1280, 2}, {10000, 1280, 9}, {59992, 1500, 42},
	};

	for (size_t i = 0; i < RTE_DIM(rows); i++)
		for (unsigned int chains = 0; chains < 2; chains++) {
			rte_be32_t id;

			net_begin(chains ? NETIF_TX_CHAINS : 0);
			lnk.netif.mtu6 = rows[i].mtu;
			assert_int_equal(arrive_mbuf(request_make(rows[i].data), false), IP_CONSUMED);
			assert_int_equal(lnk.counters.fragments_out, rows[i].fragments);
			assert_int_equal(
				hear_fragments(rows[i].data, rows[i].mtu, &id), rows[i].fragments);
			expect_reply(rows[i].data);
			expect_silence();
			assert_int_equal(lnk.counters.icmp_out, 1);
			expect_only_drops(RILL_DROP_COUNT, 0);
			packets_expect_none_in_use();
			net_end();
		}
}

/* As IPv4's: seldom, and not beyond so many. */
static void
test_bounds(void **state)
{
	uint32_t frames;

	net_begin(NETIF_TX_CHAINS);
	lnk.netif.mtu6 = 600; /* as no router may say: fragments would be too many */
	assert_int_equal(arrive_mbuf(request_make(40000), false), IP_CONSUMED);
	expect_silence();
	expect_only_drops(RILL_DROP_icmp_too_long, 1);
	lnk.netif.mtu6 = 1500;
	for (int i = 0; i < ICMP_SPLIT_BURST + 10; i++) {
		assert_int_equal(arrive_mbuf(request_make(2000), false), IP_CONSUMED);
		frames = link_flush();
		assert_int_equal(frames, i < ICMP_SPLIT_BURST ? 2 : 0);
	}
	assert_int_equal(lnk.counters.drops[RILL_DROP_icmp_rate], 10);
	net_end();
}

/* Without a buffer for a part of it nothing is sent, and nothing is lost. */
static void
test_no_buffers(void **state)
{
	struct rte_mbuf *all[PACKETS_POOL];
	unsigned int left = 3, n;

	net_begin(NETIF_TX_CHAINS);
	n = rte_mempool_avail_count(control_pool) - left;
	assert_int_equal(rte_pktmbuf_alloc_bulk(control_pool, all, n), 0);
	assert_int_equal(arrive_mbuf(request_make(5000), false), IP_CONSUMED);
	expect_silence();
	expect_only_drops(RILL_DROP_no_mbuf, 1);
	rte_pktmbuf_free_bulk(all, n);
	packets_expect_none_in_use();
	net_end();
}

static int
compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void
test_identifications(void **state)
{
	static uint32_t seen[100000];
	struct ip6_ids ids = {.key = {1, 2}}, others = {.key = {1, 3}};
	unsigned int steps = 0, same = 0;

	for (size_t i = 0; i < RTE_DIM(seen); i++) {
		seen[i] = ip6_ids_next(&ids);
		same += seen[i] == ip6_ids_next(&others);
		steps += i > 0 && seen[i] - seen[i - 1] < 1000;
	}
	assert_true(steps < 5 && same < 5);
	qsort(seen, RTE_DIM(seen), sizeof(seen[0]), compare);
	for (size_t i = 1; i < RTE_DIM(seen); i++)
		assert_int_not_equal(seen[i], seen[i - 1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_long_echoes),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_no_buffers),
		cmocka_unit_test(test_identifications),
	};

	return cmocka_run_group_tests(tests, packets_start, packets_end);
}
