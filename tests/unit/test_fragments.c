/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Datagrams in fragments: put together from any order, whatever their size [RFC791-13], told apart by
 * source, destination, protocol and ID [RFC791-14]; given up after a minute, which their sender hears
 * of if the first fragment came [RFC791-15]; refused in pieces that split a TCP header [RFC791-16],
 * overlap [RFC791-17], reach too far [RFC791-18] or are no multiple of 8 [RFC791-19].
 */
#include "parts.h"

#include "checksum.h"

/* Time goes on; what is late is told. */
static void
later(ustime us)
{
	struct wheel_node *due[8];

	lnk.now += us;
	for (unsigned int n; (n = wheel_expire(&lnk.wheel, lnk.now, due, 8)) > 0;)
		for (unsigned int i = 0; i < n; i++)
			if (due[i]->kind == FRAGMENTS_KIND)
				net_fragments_timer(net, lnk.now, &lnk.outbox);
			else
				assert_int_equal(due[i]->kind, ANNOUNCE_KIND);
}

/* ---- putting together */

/* Fragment number i of so many that are as long as they may be. */
static enum ip_verdict
part_comes(uint32_t i, uint32_t parts, uint32_t len)
{
	uint32_t each = RTE_ALIGN_CEIL((len + parts - 1) / parts, 8u), from = i * each;
	bool last = i == parts - 1;

	return comes(from, last ? len - from : each, !last);
}

static void
test_every_order(void **state)
{
	static const uint32_t lens[] = {576 - 20, 1480};

	begin();
	for (uint32_t n = 0; n < 2 * 120; n++) {
		uint8_t left[] = {0, 1, 2, 3, 4};
		uint32_t pick = n / 2, len = lens[n % 2];

		for (uint32_t of = 5; of > 0; pick /= of, of--) {
			uint8_t at = (uint8_t)(pick % of), i = left[at];
			enum ip_verdict verdict = part_comes(i, 5, len);

			memmove(left + at, left + at + 1, 4u - at);
			assert_int_equal(verdict, of == 1 ? IP_TCP_JOINED : IP_CONSUMED);
		}
		expect_whole(len);
		assert_int_equal(fragments_datagrams(net->fragments), 0);
		assert_int_equal(fragments_buffers(net->fragments), 0);
		packets_expect_none_in_use();
	}
	assert_int_equal(lnk.counters.fragments_joined, 240);
	assert_int_equal(lnk.counters.fragments_in, 1200);
	expect_only_drops(RILL_DROP_COUNT, 0);
	net_end();
}

/* The longest datagram, in as many fragments as it may have, first, last or middle ones first. */
static void
test_the_longest(void **state)
{
	begin();
	for (uint32_t n = 0; n < 2 * FRAGMENTS_OF_DATAGRAM; n++)
		for (uint32_t i = 0; i < FRAGMENTS_OF_DATAGRAM; i++) {
			uint32_t at = (i + n / 2) % FRAGMENTS_OF_DATAGRAM;
			enum ip_verdict verdict =
				part_comes(n % 2 ? FRAGMENTS_OF_DATAGRAM - 1 - at : at,
					FRAGMENTS_OF_DATAGRAM, WHOLE_MAX);

			if (i == FRAGMENTS_OF_DATAGRAM - 1) {
				assert_int_equal(verdict, IP_TCP_JOINED);
				expect_whole(WHOLE_MAX);
			} else {
				assert_int_equal(verdict, IP_CONSUMED);
			}
		}
	expect_only_drops(RILL_DROP_COUNT, 0);
	net_end();
}

/* Options of the first fragment stay; those of others are nothing. */
static void
test_what_the_header_becomes(void **state)
{
	begin();
	is.options_len = 8;
	assert_int_equal(comes(0, 24, true), IP_CONSUMED);
	is.options_len = 12;
	assert_int_equal(comes(32, 5, false), IP_CONSUMED);
	is.options_len = 0;
	assert_int_equal(comes(24, 8, true), IP_TCP_JOINED);
	assert_int_equal(seg.l3_len, 28);
	expect_whole(37);
	net_end();
}

/* [RFC3168-11] Every three values: a mark of one is a mark of the whole, and all know ECN, or none. */
static void
test_congestion_marks(void **state)
{
	begin();
	for (uint8_t n = 0; n < 64; n++) {
		uint8_t a = n & 3, b = n >> 2 & 3, c = n >> 4;
		bool mixed = (a == 0 || b == 0 || c == 0) && (a | b | c) != 0;
		bool marked = a == 3 || b == 3 || c == 3;

		is.id++;
		is.tos = a;
		assert_int_equal(comes(0, 24, true), IP_CONSUMED);
		is.tos = c;
		assert_int_equal(comes(32, 5, false), IP_CONSUMED);
		is.tos = b;
		if (mixed) {
			comes_in_vain(24, 8, true, RILL_DROP_ip_fragment_ecn, 3);
			continue;
		}
		assert_int_equal(comes(24, 8, true), IP_TCP_JOINED);
		assert_int_equal(seg.ecn == RTE_IPV4_HDR_ECN_CE, marked);
		expect_whole(37);
	}
	net_end();
}

static void
test_keys(void **state)
{
	begin();
	assert_int_equal(comes(0, 24, true), IP_CONSUMED);
	is.id++;
	assert_int_equal(comes(24, 8, false), IP_CONSUMED);
	is.id--;
	is.protocol = IPPROTO_UDP;
	assert_int_equal(comes(24, 8, false), IP_CONSUMED);
	is.protocol = IPPROTO_TCP;
	is.src = ip4(10, 0, 0, 3);
	assert_int_equal(comes(24, 8, false), IP_CONSUMED);
	is.src = PEER;
	is.dst = ip4(10, 0, 0, 9);
	assert_int_equal(net_addr_add(net, &(struct rill_prefix){is.dst, 24}, lnk.now), 0);
	assert_int_equal(comes(24, 8, false), IP_CONSUMED);
	assert_int_equal(fragments_datagrams(net->fragments), 5);
	assert_int_equal(comes(0, 24, true), IP_TCP_JOINED);
	expect_whole(32);
	is.dst = US;
	assert_int_equal(comes(24, 8, false), IP_TCP_JOINED);
	expect_whole(32);
	assert_int_equal(fragments_datagrams(net->fragments), 3);
	expect_only_drops(RILL_DROP_COUNT, 0);
	net_end();
}

/* ---- refusing */

static void
test_refused_alone(void **state)
{
	begin();
	comes_in_vain(0, 0, true, RILL_DROP_ip_fragment_malformed, 1);
	comes_in_vain(64, 0, false, RILL_DROP_ip_fragment_malformed, 1);
	for (uint32_t len = 1; len < 64; len++)
		if (len % 8 != 0)
			comes_in_vain(64, len, true, RILL_DROP_ip_fragment_malformed, 1);
	comes_in_vain(65528, 100, false, RILL_DROP_ip_fragment_malformed, 1);
	comes_in_vain(65512, 4, false, RILL_DROP_ip_fragment_malformed, 1);
	assert_int_equal(fragments_datagrams(net->fragments), 0);
	assert_int_equal(comes(65512, 3, false), IP_CONSUMED); /* just not too long; */
	assert_int_equal(fragments_datagrams(net->fragments), 1);
	net_end();
}

/* The end came under a short header, the beginning under a long one: too long by that. */
static void
test_too_long_with_the_first_header(void **state)
{
	begin();
	for (uint32_t i = FRAGMENTS_OF_DATAGRAM - 1; i > 0; i--)
		assert_int_equal(part_comes(i, FRAGMENTS_OF_DATAGRAM, WHOLE_MAX), IP_CONSUMED);
	is.options_len = 4;
	assert_int_equal(part_comes(0, FRAGMENTS_OF_DATAGRAM, WHOLE_MAX), IP_CONSUMED);
	expect_only_drops(RILL_DROP_ip_fragment_malformed, FRAGMENTS_OF_DATAGRAM);
	packets_expect_none_in_use();
	net_end();
}

/* [ATK-34] Neither a first fragment without the flags, nor a second one on top of them. */
static void
test_a_tcp_header_is_not_split(void **state)
{
	begin();
	comes_in_vain(0, 8, true, RILL_DROP_ip_fragment_tiny, 1);
	comes_in_vain(0, 16, true, RILL_DROP_ip_fragment_tiny, 1);
	comes_in_vain(8, 64, true, RILL_DROP_ip_fragment_tiny, 1);
	comes_in_vain(8, 64, false, RILL_DROP_ip_fragment_tiny, 1);
	comes_in_vain(16, 3, false, RILL_DROP_ip_fragment_tiny, 1);
	assert_int_equal(fragments_datagrams(net->fragments), 0);
	assert_int_equal(comes(0, 24, true), IP_CONSUMED);
	comes_in_vain(8, 16, true, RILL_DROP_ip_fragment_tiny, 1);
	assert_int_equal(comes(24, 8, false), IP_TCP_JOINED);
	expect_whole(32);
	is.protocol = IPPROTO_ICMP; /* which has no such header */
	assert_int_equal(comes(0, 8, true), IP_CONSUMED);
	assert_int_equal(comes(8, 8, true), IP_CONSUMED);
	assert_int_equal(fragments_datagrams(net->fragments), 1);
	net_end();
}

/* Do [a, b) and [c, d), not the same, have bytes in common? */
static bool
overlap(uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
	return a < d && c < b && (a != c || b != d);
}

/*
 * [ATK-33, ATK-34] Two fragments of every position and length within 6 units of 8 bytes, the second
 * perhaps the last: where they overlap, nothing of the datagram is delivered, though all of it comes
 * afterwards, until its time is over; where they are the same, one is ignored; else they go together.
 */
static void
test_every_overlap(void **state)
{
	begin();
	is.protocol = IPPROTO_ICMP;
	for (uint32_t n = 0; n < 6 * 6 * 6 * 6 * 2; n++) {
		uint32_t a = n % 6, b = n / 6 % 6 + 1, c = n / 36 % 6, d = n / 216 % 6 + 1;
		bool last = n / 1296, behind = last && b > d;
		uint64_t spoilt = lnk.counters.drops[RILL_DROP_ip_fragment_overlap];
		uint64_t twice = lnk.counters.drops[RILL_DROP_ip_fragment_duplicate];

		if (a >= b || c >= d || (c == 0 && last))
			continue;
		is.id++;
		comes(a * 8, (b - a) * 8, true);
		comes(c * 8, (d - c) * 8, !last);
		spoilt = lnk.counters.drops[RILL_DROP_ip_fragment_overlap] - spoilt;
		twice = lnk.counters.drops[RILL_DROP_ip_fragment_duplicate] - twice;
		if (overlap(a, b, c, d) || behind || (last && a == c && b == d))
			assert_true(spoilt == 2 && twice == 0);
		else
			assert_true(spoilt == 0 && twice == (a == c && b == d));
		if (spoilt == 0)
			continue;
		comes_in_vain(0, 32, true, RILL_DROP_ip_fragment_overlap, 1);
		comes_in_vain(32, 8, false, RILL_DROP_ip_fragment_overlap, 1);
	}
	expect_silence();
	net_end();
}

static void
test_a_spoilt_datagram_ends(void **state)
{
	begin();
	comes(0, 32, true);
	comes_in_vain(24, 32, true, RILL_DROP_ip_fragment_overlap, 2);
	packets_expect_none_in_use();
	later(FRAGMENTS_TIMEOUT_US - 100);
	comes_in_vain(0, 32, true, RILL_DROP_ip_fragment_overlap, 1);
	later(200);
	expect_silence(); /* [5722 4] */
	assert_int_equal(fragments_datagrams(net->fragments), 0);
	assert_int_equal(comes(0, 32, true), IP_CONSUMED);
	assert_int_equal(comes(32, 8, false), IP_TCP_JOINED);
	expect_whole(40);
	net_end();
}

/* Two ends, a piece behind the end, an end before what came: no datagram is like that. */
static void
test_ends_that_do_not_agree(void **state)
{
	static const struct {
		uint32_t from, len;
		bool more;
	} rows[][2] = {
		{{32, 8, false}, {40, 8, false}},
		{{32, 8, false}, {40, 8, true}},
		{{32, 8, true}, {24, 8, false}},
		{{32, 8, false}, {32, 8, true}},
		{{32, 8, true}, {32, 8, false}},
		{{32, 8, false}, {32, 7, false}},
	};

	for (unsigned int i = 0; i < RTE_DIM(rows); i++) {
		begin();
		comes(rows[i][0].from, rows[i][0].len, rows[i][0].more);
		comes_in_vain(rows[i][1].from, rows[i][1].len, rows[i][1].more,
			RILL_DROP_ip_fragment_overlap, 2);
		packets_expect_none_in_use();
		net_end();
	}
}

static void
test_duplicates_are_ignored(void **state)
{
	begin();
	assert_int_equal(comes(0, 24, true), IP_CONSUMED);
	comes_in_vain(0, 24, true, RILL_DROP_ip_fragment_duplicate, 1);
	assert_int_equal(comes(32, 8, false), IP_CONSUMED);
	comes_in_vain(32, 8, false, RILL_DROP_ip_fragment_duplicate, 1);
	assert_int_equal(comes(24, 8, true), IP_TCP_JOINED);
	expect_whole(40);
	net_end();
}

static void
test_too_many_fragments(void **state)
{
	begin();
	for (uint32_t i = 0; i < FRAGMENTS_OF_DATAGRAM; i++)
		assert_int_equal(comes(24 * (i + 1), 8, true), IP_CONSUMED);
	comes_in_vain(0, 24, true, RILL_DROP_ip_fragment_many, FRAGMENTS_OF_DATAGRAM + 1);
	packets_expect_none_in_use();
	net_end();
}

/* ---- time */

static uint32_t
error_make(uint8_t *want, uint32_t quote_len)
{
	struct rte_ether_hdr ether = {mac_of(2), mac_of(1), rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4)};
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(want + L2);

	memcpy(want, &ether, sizeof(ether));
	*ip = (struct rte_ipv4_hdr){.version_ihl = 0x45,
		.total_length = rte_cpu_to_be_16((uint16_t)(28 + quote_len)),
		.fragment_offset = rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG),
		.time_to_live = 64,
		.next_proto_id = IPPROTO_ICMP,
		.src_addr = wire(US),
		.dst_addr = wire(PEER)};
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	return L2 + 28;
}

/* The datagram was given up at this moment, its sender told: type 11, code 1, quoting the first. */
static void
expect_time_exceeded(uint32_t len)
{
	uint8_t want[128], *icmp = want + L2 + 20;
	struct rte_mbuf *frame = link_take();
	const uint8_t *got;

	assert_non_null(frame);
	error_make(want, 20 + len);
	got = rte_pktmbuf_mtod(frame, const uint8_t *);
	assert_memory_equal(got, want, L2 + 20);
	memcpy(want, got, RTE_MIN(frame->data_len, (uint16_t)sizeof(want)));
	assert_true(icmp[0] == 11 && icmp[1] == 1);
	assert_int_equal(checksum_sum(frame, L2 + 20), 0xffff);
	assert_memory_equal(icmp + 8 + 20, data, len);
	rte_pktmbuf_free(frame);
}

static void
test_timeout(void **state)
{
	begin();
	assert_int_equal(comes(0, 24, true), IP_CONSUMED);
	later(1000);
	is.id++;
	assert_int_equal(comes(24, 8, false), IP_CONSUMED); /* of another, whose first never comes */
	later(FRAGMENTS_TIMEOUT_US / 2);
	is.id--;
	assert_int_equal(comes(32, 8, true), IP_CONSUMED); /* which gives it no more time */
	later(FRAGMENTS_TIMEOUT_US / 2 - 1100);
	expect_silence();
	assert_int_equal(fragments_datagrams(net->fragments), 2);
	later(200);
	expect_time_exceeded(24);
	expect_silence();
	expect_only_drops(RILL_DROP_ip_fragment_late, 2);
	later(1000);
	expect_silence();
	expect_only_drops(RILL_DROP_ip_fragment_late, 3);
	assert_int_equal(fragments_datagrams(net->fragments), 0);
	assert_int_equal(fragments_buffers(net->fragments), 0);
	packets_expect_none_in_use();
	assert_int_equal(comes(24, 8, false), IP_CONSUMED); /* the rest of the first, too late */
	later(3 * FRAGMENTS_TIMEOUT_US);
	expect_silence();
	net_end();
}

/* Errors are as limited as all others. */
static void
test_timeouts_are_told_within_a_rate(void **state)
{
	begin();
	for (unsigned int i = 0; i < 60; i++) {
		is.src = ip4(10, 0, 0, (uint8_t)(20 + i));
		assert_int_equal(comes(0, 24, true), IP_CONSUMED);
	}
	later(FRAGMENTS_TIMEOUT_US + 8);
	assert_int_equal(link_flush(), ICMP_ERROR_BURST);
	expect_only_drops(RILL_DROP_ip_fragment_late, 60);
	net_end();
}

/* A NIC that found a fragment's sums right, or wrong, has not seen those of the whole. */
static void
test_what_the_nic_said_is_of_no_use(void **state)
{
	static const uint64_t said[] = {RTE_MBUF_F_RX_L4_CKSUM_GOOD, RTE_MBUF_F_RX_L4_CKSUM_BAD};

	begin();
	lnk.netif.caps |= NETIF_RX_CKSUM;
	for (unsigned int i = 0; i < RTE_DIM(said); i++) {
		is.ol_flags = RTE_MBUF_F_RX_IP_CKSUM_GOOD | said[i];
		assert_int_equal(comes(0, 24, true), IP_CONSUMED);
		assert_int_equal(comes(24, 8, false), IP_TCP_JOINED);
		assert_int_equal(seg.mbuf->ol_flags, 0);
		expect_whole(32);
	}
	net_end();
}

/* What waits is a copy: the buffer that it came in is free again. */
static void
test_buffers_of_the_nic_are_given_back(void **state)
{
	begin();
	assert_int_equal(comes(0, 24, true), IP_CONSUMED);
	assert_int_equal(rte_mempool_in_use_count(packets_pool), 0);
	assert_int_equal(fragments_buffers(net->fragments), 1);
	net_end();
}

static void
test_without_a_buffer(void **state)
{
	struct rte_mbuf *all[PACKETS_POOL];

	begin();
	assert_int_equal(rte_pktmbuf_alloc_bulk(control_pool, all, PACKETS_POOL), 0);
	comes_in_vain(0, 24, true, RILL_DROP_no_mbuf, 1);
	rte_pktmbuf_free_bulk(all, PACKETS_POOL);
	assert_int_equal(comes(24, 8, false), IP_CONSUMED);
	assert_int_equal(comes(0, 24, true), IP_TCP_JOINED);
	expect_whole(32);
	net_end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_order),
		cmocka_unit_test(test_the_longest),
		cmocka_unit_test(test_what_the_header_becomes),
		cmocka_unit_test(test_congestion_marks),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_refused_alone),
		cmocka_unit_test(test_too_long_with_the_first_header),
		cmocka_unit_test(test_a_tcp_header_is_not_split),
		cmocka_unit_test(test_every_overlap),
		cmocka_unit_test(test_a_spoilt_datagram_ends),
		cmocka_unit_test(test_ends_that_do_not_agree),
		cmocka_unit_test(test_duplicates_are_ignored),
		cmocka_unit_test(test_too_many_fragments),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_what_the_nic_said_is_of_no_use),
		cmocka_unit_test(test_timeouts_are_told_within_a_rate),
		cmocka_unit_test(test_buffers_of_the_nic_are_given_back),
		cmocka_unit_test(test_without_a_buffer),
	};

	return cmocka_run_group_tests(tests, packets_start, packets_end);
}
