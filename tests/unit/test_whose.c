/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an unchecked frame says of its connection: in both families, behind tags, IPv4 options and IPv6
 * extension headers, wherever it is cut; of a part of a packet, or of what is no TCP, nothing; and a
 * header that lies about its length leads nowhere [ATK-9].
 */
#include "packets.h"

#include <netinet/in.h>

#include "tuple.h"
#include "whose.h"

#define HOPS 0
#define ROUTE 43
#define FRAGMENT 44
#define OPTIONS 60

static uint8_t bytes[2048];
static uint32_t len;

static void
put(const void *from, uint32_t n)
{
	memcpy(bytes + len, from, n);
	len += n;
}

static void
begin(uint16_t type, bool tagged)
{
	uint8_t macs[12] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
	uint8_t tag[4] = {0x81, 0, 0, 5}, type_bytes[2] = {(uint8_t)(type >> 8), (uint8_t)type};

	memset(bytes, 0, sizeof(bytes));
	len = 0;
	put(macs, sizeof(macs));
	if (tagged)
		put(tag, sizeof(tag));
	put(type_bytes, sizeof(type_bytes));
}

static void
put_ip4(unsigned int options)
{
	uint8_t ip[60] = {(uint8_t)(0x45 + options / 4), [9] = IPPROTO_TCP, [12] = 10, 0, 0, 2, 10, 0, 0,
		1};

	put(ip, 20 + options);
}

static void
put_ip6(uint8_t next)
{
	uint8_t ip[40] = {0x60, [6] = next, [8] = 0x20, [23] = 2, [24] = 0x20, [39] = 1};

	put(ip, sizeof(ip));
}

static void
put_extension(uint8_t next, uint32_t size)
{
	uint8_t extension[256] = {next, (uint8_t)(size / 8 - 1)};

	put(extension, size);
}

static void
put_fragment(uint8_t next, uint16_t offset_more)
{
	uint8_t fragment[8] = {next, 99, (uint8_t)(offset_more >> 8), (uint8_t)offset_more};

	put(fragment, sizeof(fragment));
}

/* From port 1000 to port 80. */
static void
put_tcp(uint8_t flags)
{
	uint8_t tcp[20] = {1000 >> 8, 1000 & 255, 0, 80, [12] = 0x50, [13] = flags};

	put(tcp, sizeof(tcp));
}

static struct whose
expect_segment(uint8_t family)
{
	struct whose whose;
	struct rte_mbuf *frame = packets_make(bytes, len);

	assert_true(whose_read(frame, &whose));
	rte_pktmbuf_free(frame);
	assert_int_equal(whose.tuple.head.family, family);
	assert_int_equal(whose.tuple.head.lport, rte_cpu_to_be_16(80));
	assert_int_equal(whose.tuple.head.rport, rte_cpu_to_be_16(1000));
	if (family == AF_INET) {
		assert_int_equal(whose.tuple.head.laddr4, rte_cpu_to_be_32(0x0a000001));
		assert_int_equal(whose.tuple.head.raddr4, rte_cpu_to_be_32(0x0a000002));
	} else {
		assert_int_equal(whose.tuple.head.laddr4 | whose.tuple.head.raddr4, 0);
		assert_int_equal(whose.tuple.addrs6.laddr[15], 1);
		assert_int_equal(whose.tuple.addrs6.raddr[15], 2);
	}
	return whose;
}

static void
expect_nothing(void)
{
	struct whose whose;
	struct rte_mbuf *frame = packets_make(bytes, len);

	assert_false(whose_read(frame, &whose));
	rte_pktmbuf_free(frame);
}

static void
test_ip4(void **state)
{
	for (unsigned int options = 0; options <= 40; options += 4)
		for (int tagged = 0; tagged < 2; tagged++) {
			begin(0x0800, tagged);
			put_ip4(options);
			put_tcp(0x02);
			assert_true(expect_segment(AF_INET).syn);
		}
}

static void
test_ip6_behind_extension_headers(void **state)
{
	for (int tagged = 0; tagged < 2; tagged++) {
		begin(0x86dd, tagged);
		put_ip6(IPPROTO_TCP);
		put_tcp(0x10);
		assert_false(expect_segment(AF_INET6).syn);
		begin(0x86dd, tagged);
		put_ip6(HOPS);
		put_extension(OPTIONS, 8);
		put_extension(ROUTE, 24);
		put_extension(FRAGMENT, 8);
		put_fragment(IPPROTO_TCP, 0);
		put_tcp(0x12);
		assert_true(expect_segment(AF_INET6).syn);
	}
}

static void
test_cut_anywhere(void **state)
{
	begin(0x86dd, false);
	put_ip6(OPTIONS);
	put_extension(IPPROTO_TCP, 16);
	put_tcp(0x02);
	for (uint32_t cut = 18; cut <= len; cut++) {
		struct rte_mbuf *frame = packets_cut(bytes, len, cut, cut);
		struct whose whose;

		assert_true(whose_read(frame, &whose));
		assert_int_equal(whose.tuple.head.rport, rte_cpu_to_be_16(1000));
		rte_pktmbuf_free(frame);
	}
}

static void
test_parts_of_packets_are_nobodys(void **state)
{
	static const uint16_t parts[] = {0x0001, 0x0008, 0x0009, 0xfff8};

	for (size_t i = 0; i < RTE_DIM(parts); i++) {
		begin(0x86dd, false);
		put_ip6(FRAGMENT);
		put_fragment(IPPROTO_TCP, parts[i]);
		put_tcp(0x02);
		expect_nothing();
	}
	begin(0x0800, false);
	put_ip4(0);
	bytes[14 + 6] = 0x20;
	put_tcp(0x02);
	expect_nothing();
}

static void
test_what_is_no_tcp_is_nobodys(void **state)
{
	begin(0x86dd, false);
	put_ip6(IPPROTO_UDP);
	put_tcp(0x02);
	expect_nothing();
	begin(0x86dd, false);
	put_ip6(OPTIONS);
	put_extension(59, 8); /* no next header */
	put_tcp(0x02);
	expect_nothing();
	begin(0x0806, false);
	put_ip4(0);
	put_tcp(0x02);
	expect_nothing();
}

/* Every byte cut off, and lengths that lead out of the frame, or round and round. */
static void
test_lies_lead_nowhere(void **state)
{
	uint32_t whole;

	begin(0x86dd, false);
	put_ip6(HOPS);
	put_extension(IPPROTO_TCP, 8);
	put_tcp(0x02);
	whole = len;
	for (len = 14; len < whole - 6; len++)
		expect_nothing(); /* up to the flags */
	len = whole;
	for (unsigned int units = 1; units < 256; units++) {
		bytes[14 + 40 + 1] = (uint8_t)units;
		expect_nothing();
	}
	begin(0x86dd, false);
	put_ip6(HOPS);
	for (unsigned int i = 0; i < WHOSE_EXTENSIONS_MAX; i++)
		put_extension(OPTIONS, 8);
	put_extension(IPPROTO_TCP, 8);
	put_tcp(0x02);
	expect_nothing();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ip4),
		cmocka_unit_test(test_ip6_behind_extension_headers),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_parts_of_packets_are_nobodys),
		cmocka_unit_test(test_what_is_no_tcp_is_nobodys),
		cmocka_unit_test(test_lies_lead_nowhere),
	};

	return cmocka_run_group_tests(tests, packets_start, packets_end);
}
