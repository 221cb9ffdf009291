/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bytes become a segment in host order or one drop reason: every data offset against every length
 * [RFC9293-E40], wrong checksums [MUST-3], port 0, broken options [MUST-7]; a payload in several
 * mbufs counts; options are taken from any segment [MUST-5].
 */
#include "packets.h"

#include "checksum.h"
#include "segment.h"

#define L2 14
#define L3 20

static uint8_t frame[L2 + L3 + 60 + 200];

static struct segment
blank(struct rte_mbuf *mbuf)
{
	struct segment segment;

	memset(&segment, 0xee, sizeof(segment));
	memset(&segment.tuple, 0, sizeof(segment.tuple));
	segment.mbuf = mbuf;
	segment.l2_len = L2;
	segment.l3_len = L3;
	segment.tuple.head.family = AF_INET;
	segment.tuple.head.laddr4 = rte_cpu_to_be_32(0xc0000201);
	segment.tuple.head.raddr4 = rte_cpu_to_be_32(0xc0000202);
	return segment;
}

static void
store32(uint8_t *at, uint32_t value)
{
	rte_be32_t word = rte_cpu_to_be_32(value);

	memcpy(at, &word, 4);
}

/* A TCP header with this data offset, options of NOPs. */
static uint8_t *
header_make(unsigned int doff, uint8_t flags)
{
	uint8_t *tcp = frame + L2 + L3;

	for (size_t i = 0; i < sizeof(frame); i++)
		frame[i] = (uint8_t)(i * 7);
	store32(tcp, 0xc3501b58); /* ports 50000, 7000 */
	store32(tcp + 4, 0x80000000);
	store32(tcp + 8, 0xfffffffe);
	store32(tcp + 12, doff << 28 | 0x0f000000 | (uint32_t)flags << 16 | 0xfdea);
	store32(tcp + 16, 0x00001234);
	memset(tcp + 20, 1, 40);
	return tcp;
}

static struct rte_mbuf *
segment_make(uint32_t tcp_len, uint32_t cut)
{
	uint32_t len = L2 + L3 + tcp_len;
	struct rte_mbuf *mbuf = packets_cut(frame, len, cut < len ? cut : len, len);
	struct segment segment = blank(mbuf);

	if (tcp_len >= 20) {
		uint8_t *field = rte_pktmbuf_mtod_offset(mbuf, uint8_t *, L2 + L3 + 16);
		rte_be16_t sum;

		memset(field, 0, 2);
		sum = checksum_tcp(mbuf, L2 + L3, checksum_pseudo(&segment.tuple));
		memcpy(field, &sum, 2);
	}
	return mbuf;
}

static enum rill_drop
parse(struct rte_mbuf *mbuf, struct segment *segment, bool good)
{
	enum rill_drop reason;

	*segment = blank(mbuf);
	reason = segment_parse(segment, good);
	rte_pktmbuf_free(mbuf);
	packets_expect_none_in_use();
	return reason;
}

static void
test_data_offset_against_length(void **state)
{
	for (unsigned int doff = 0; doff <= 15; doff++) {
		for (uint32_t tcp_len = 0; tcp_len <= 80; tcp_len++) {
			enum rill_drop want = RILL_DROP_COUNT;
			struct segment segment;

			if (tcp_len < 20)
				want = RILL_DROP_tcp_short;
			else if (doff < 5 || doff * 4 > tcp_len)
				want = RILL_DROP_tcp_data_offset;
			header_make(doff, TCP_ACK);
			assert_int_equal(
				parse(segment_make(tcp_len, 0xffff), &segment, false), want);
			if (want == RILL_DROP_COUNT) {
				assert_int_equal(segment.header_len, doff * 4);
				assert_int_equal(segment.payload_len, tcp_len - doff * 4);
			}
		}
	}
}

static void
test_fields_in_host_order(void **state)
{
	struct segment segment;

	header_make(5, TCP_ACK | TCP_URG | TCP_FIN);
	assert_int_equal(
		parse(segment_make(20 + 33, L2 + L3 + 20), &segment, false), RILL_DROP_COUNT);
	assert_int_equal(rte_be_to_cpu_16(segment.tuple.head.rport), 50000);
	assert_int_equal(rte_be_to_cpu_16(segment.tuple.head.lport), 7000);
	assert_int_equal(segment.seq.n, 0x80000000);
	assert_int_equal(segment.ack.n, 0xfffffffe);
	assert_int_equal(segment.wnd, 0xfdea);
	assert_int_equal(segment.urg, 0x1234);
	assert_int_equal(segment.flags, TCP_ACK | TCP_URG | TCP_FIN);
	assert_int_equal(segment.payload_len, 33);
	assert_int_equal(segment_len(&segment), 34);
	assert_true(segment.has == 0 && segment.sack_count == 0);
}

static void
test_checksum_is_verified_unless_vouched_for(void **state)
{
	struct segment segment;

	for (uint32_t at = L2 + L3; at < L2 + L3 + 20 + 15; at++) {
		for (int known_good = 0; known_good <= 1; known_good++) {
			struct rte_mbuf *mbuf;

			header_make(5, TCP_ACK);
			mbuf = segment_make(20 + 15, 0xffff);
			rte_pktmbuf_mtod(mbuf, uint8_t *)[at] ^= 0x01;
			/* The data offset's low half is reserved: 0x01 leaves the rest legal. */
			assert_int_equal(parse(mbuf, &segment, known_good),
				known_good ? RILL_DROP_COUNT : RILL_DROP_tcp_checksum);
		}
	}
	header_make(5, TCP_ACK);
	assert_int_equal(parse(segment_make(20 + 15, L2 + L3 + 20 + 7), &segment, false),
		RILL_DROP_COUNT);
}

/* [ATK-10] A header that claims more than there is is refused for that, whatever its checksum says. */
static void
test_claimed_header_is_refused_before_the_checksum(void **state)
{
	for (unsigned int doff = 6; doff <= 15; doff++) {
		struct segment segment;
		struct rte_mbuf *mbuf;

		header_make(doff, TCP_ACK);
		mbuf = segment_make(doff * 4 - 1, 0xffff);
		rte_pktmbuf_mtod(mbuf, uint8_t *)[L2 + L3 + 16] ^= 0x55;
		assert_int_equal(parse(mbuf, &segment, false), RILL_DROP_tcp_data_offset);
	}
}

static void
test_port_zero(void **state)
{
	for (int port = 0; port <= 1; port++) {
		struct segment segment;
		uint8_t *tcp = header_make(5, TCP_SYN);

		memset(tcp + port * 2, 0, 2);
		assert_int_equal(parse(segment_make(20, 0xffff), &segment, false),
			RILL_DROP_tcp_port_zero);
	}
}

static void
test_options_of_the_common_and_the_rare_kind(void **state)
{
	static const uint8_t ts[] = {1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8};
	static const uint8_t rare[] = {8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 254, 2};
	static const uint8_t flags[] = {TCP_SYN, TCP_ACK, TCP_RST, TCP_ACK | TCP_FIN};
	struct segment segment;

	for (size_t i = 0; i < sizeof(flags); i++) {
		for (int layout = 0; layout <= 1; layout++) {
			memcpy(header_make(8, flags[i]) + 20, layout ? rare : ts, 12);
			assert_int_equal(parse(segment_make(40, 0xffff), &segment, false),
				RILL_DROP_COUNT);
			assert_int_equal(segment.has, SEG_HAS_TS);
			assert_int_equal(segment.tsval, 0x01020304);
			assert_int_equal(segment.tsecr, 0x05060708);
			assert_int_equal(segment.sack_count, 0);
		}
	}
	header_make(6, TCP_ACK)[23] = 253; /* a kind without a length */
	assert_int_equal(parse(segment_make(30, 0xffff), &segment, false), RILL_DROP_tcp_options);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_data_offset_against_length),
		cmocka_unit_test(test_fields_in_host_order),
		cmocka_unit_test(test_checksum_is_verified_unless_vouched_for),
		cmocka_unit_test(test_claimed_header_is_refused_before_the_checksum),
		cmocka_unit_test(test_port_zero),
		cmocka_unit_test(test_options_of_the_common_and_the_rare_kind),
	};

	return cmocka_run_group_tests(tests, packets_start, packets_end);
}
