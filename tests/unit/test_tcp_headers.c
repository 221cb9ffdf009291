/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The headers of a connection's segment, in both families: read by code that shares nothing with the
 * stack they say what they should, checksums included [RFC8200-2, RFC8200-15, RFC8200-19]; and where
 * the NIC sums, they leave it just what rte_ip.h says it needs.
 */
#include "packets.h"

#include <rte_ip.h>

#include "headers.h"
#include "wire.h"

#define L2 14
#define LOCAL 0xc0000201u
#define REMOTE 0xc0000202u
#define PAYLOAD 100u
#define TTL 77
#define DSCP 46

static const char payload[PAYLOAD] = "some bytes that are to be summed";
static struct option_set sets[1];
static struct netif netif;
static struct tcp tcp;
static struct rill_conn conn;
static struct neighbor next_hop;

static void
begin(uint8_t family, uint16_t caps)
{
	netif = (struct netif){.ethernet = true, .caps = caps};
	rill_options_default(&sets[0].options);
	sets[0].options.ttl = TTL;
	sets[0].options.dscp = DSCP;
	tcp = (struct tcp){.option_sets = sets, .netif = &netif, .flow_key = 0x123456789abcdef1};
	next_hop = (struct neighbor){.header_len = L2};
	memset(next_hop.header, 0xee, L2);
	conn = (struct rill_conn){.rcv_nxt = seq(77777), .ts_offset = 0xdeadbeef};
	conn.key = (struct tuple_head){
		.family = family, .lport = RTE_BE16(80), .rport = RTE_BE16(40000)};
	wire_put_ip6(conn.addrs6.laddr, LOCAL);
	wire_put_ip6(conn.addrs6.raddr, REMOTE);
	if (family == AF_INET) {
		conn.key.laddr4 = RTE_BE32(LOCAL);
		conn.key.raddr4 = RTE_BE32(REMOTE);
	}
}

static struct rte_mbuf *
write_segment(void)
{
	const struct headers fields = {.seq = seq(1000),
		.wnd = 5000,
		.flags = TCP_ACK | TCP_PSH,
		.ecn = 2,
		.options_len = HEADERS_TS_LEN};
	uint16_t l3_len = headers_l3_len(&conn);
	uint32_t len = headers_len(&next_hop, l3_len, HEADERS_TS_LEN);
	struct rte_mbuf *frame = packets_make(payload, PAYLOAD);
	uint64_t rest = checksum_chain(frame, 0);
	struct rte_tcp_hdr *header;
	struct header_sums sums;

	frame->ol_flags = RTE_MBUF_F_RX_L4_CKSUM_GOOD | RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IPV6;
	sums = headers_write(&tcp, &conn, &next_hop, rte_pktmbuf_prepend(frame, (uint16_t)len),
		l3_len, &fields, TCP_HEADER_LEN + HEADERS_TS_LEN + PAYLOAD, &header);
	rest += headers_write_timestamps(header, 11, 22);
	headers_finish(netif.caps, frame, L2, l3_len, header, &sums, rest);
	return frame;
}

static void
expect_segment(const struct rte_mbuf *frame, bool ip6)
{
	const uint8_t *bytes = rte_pktmbuf_mtod(frame, const uint8_t *);
	struct wire wire;
	const char *complaint = wire_read(bytes + L2, frame->pkt_len - L2, &wire);

	if (complaint != NULL)
		fail_msg("%s", complaint);
	assert_memory_equal(bytes, next_hop.header, L2);
	assert_int_equal(wire.ip6, ip6);
	assert_int_equal(wire.saddr, LOCAL);
	assert_int_equal(wire.daddr, REMOTE);
	assert_int_equal(wire.ttl, TTL);
	assert_int_equal(wire.tos, DSCP << 2 | 2);
	assert_int_equal(wire.flow_label, ip6 ? flow_label(tcp.flow_key, conn.ts_offset) : 0);
	assert_int_equal(wire.seq, 1000);
	assert_int_equal(wire.ack, 77777);
	assert_int_equal(wire.wnd, 5000);
	assert_int_equal(wire.flags, ACK | PSH);
	assert_int_equal(wire.tsval, 11);
	assert_int_equal(wire.tsecr, 22);
	assert_int_equal(wire.len, PAYLOAD);
	assert_memory_equal(wire.data, payload, PAYLOAD);
}

static void
test_without_help_all_is_summed_here(void **state)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};

	for (unsigned int i = 0; i < RTE_DIM(families); i++) {
		struct rte_mbuf *frame;

		begin(families[i], 0);
		frame = write_segment();
		expect_segment(frame, families[i] == AF_INET6);
		assert_int_equal(frame->ol_flags, 0);
		rte_pktmbuf_free(frame);
	}
	packets_expect_none_in_use();
}

/* A NIC that sums headers of IPv4 only has nothing to do for IPv6. */
static void
test_help_with_ip4_headers_is_none_for_ip6(void **state)
{
	struct rte_mbuf *frame;

	begin(AF_INET6, NETIF_TX_IP4_CKSUM);
	frame = write_segment();
	expect_segment(frame, true);
	assert_int_equal(frame->ol_flags, RTE_MBUF_F_TX_IPV6);
	rte_pktmbuf_free(frame);
	packets_expect_none_in_use();
}

static void
test_a_nic_that_sums_tcp_gets_what_it_needs(void **state)
{
	static const struct {
		uint8_t family;
		uint16_t caps;
		uint64_t flags;
		uint16_t l3_len;
	} rows[] = {
		{AF_INET, NETIF_TX_TCP_CKSUM, RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_TCP_CKSUM, 20},
		{AF_INET, NETIF_TX_TCP_CKSUM | NETIF_TX_IP4_CKSUM,
			RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_IP_CKSUM, 20},
		{AF_INET6, NETIF_TX_TCP_CKSUM, RTE_MBUF_F_TX_IPV6 | RTE_MBUF_F_TX_TCP_CKSUM, 40},
		{AF_INET6, NETIF_TX_TCP_CKSUM | NETIF_TX_IP4_CKSUM,
			RTE_MBUF_F_TX_IPV6 | RTE_MBUF_F_TX_TCP_CKSUM, 40},
	};

	for (unsigned int i = 0; i < RTE_DIM(rows); i++) {
		struct rte_mbuf *frame;
		const char *ip;
		const struct rte_tcp_hdr *header;

		begin(rows[i].family, rows[i].caps);
		frame = write_segment();
		assert_int_equal(frame->ol_flags, rows[i].flags);
		assert_int_equal(frame->l2_len, L2);
		assert_int_equal(frame->l3_len, rows[i].l3_len);
		assert_int_equal(frame->l4_len, TCP_HEADER_LEN + HEADERS_TS_LEN);
		ip = rte_pktmbuf_mtod_offset(frame, const char *, L2);
		header = (const struct rte_tcp_hdr *)(ip + rows[i].l3_len);
		assert_int_equal(header->cksum,
			rows[i].family == AF_INET
				? rte_ipv4_phdr_cksum((const struct rte_ipv4_hdr *)ip, 0)
				: rte_ipv6_phdr_cksum((const struct rte_ipv6_hdr *)ip, 0));
		rte_pktmbuf_free(frame);
	}
	packets_expect_none_in_use();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_help_all_is_summed_here),
		cmocka_unit_test(test_help_with_ip4_headers_is_none_for_ip6),
		cmocka_unit_test(test_a_nic_that_sums_tcp_gets_what_it_needs),
	};

	return cmocka_run_group_tests(tests, packets_start, packets_end);
}
