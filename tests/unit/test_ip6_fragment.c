/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IPv6 packets in fragments: told apart by source, destination and ID, given up after a minute, which
 * their sender hears of if the first came [RFC8200-8]; of a wrong length [RFC8200-9], beyond 65535
 * bytes [RFC8200-10], without all headers in the first [RFC8200-11]: refused, and told; overlapping:
 * dropped in silence [RFC8200-12, RFC5722-1]; alone: as if whole [RFC8200-13]; and neighbour
 * discovery in fragments is dropped [RFC4861-20].
 */
#include "exceptions.h"
#include "icmp6.h"
#include "ip6_ext.h"

#include "parts6.h"

static void
test_every_order(void **state)
{
	begin();
	for (uint32_t n = 0; n < 24; n++) {
		uint8_t left[] = {0, 1, 2, 3};
		uint32_t pick = n;

		is.headers_len = n % 2 ? 16 : 0; /* options to be skipped, in some */
		is.first_header = n % 2 ? IPPROTO_DSTOPTS : IPPROTO_FRAGMENT;
		memcpy(is.headers, (uint8_t[]){IPPROTO_FRAGMENT, 1, 1, 12}, 4);
		for (uint32_t of = 4; of > 0; pick /= of, of--) {
			uint8_t at = (uint8_t)(pick % of), i = left[at];
			enum ip_verdict verdict =
				comes(i * 400u, i == 3 ? 333 : 400, i < 3);

			memmove(left + at, left + at + 1, 3u - at);
			assert_int_equal(verdict, of == 1 ? IP_TCP_JOINED : IP_CONSUMED);
		}
		expect_whole(1533);
		packets_expect_none_in_use();
	}
	expect_only_drops(RILL_DROP_COUNT, 0);
	net_end();
}

/* The longest there is; and its end is not passed. */
static void
test_the_longest(void **state)
{
	begin();
	for (uint32_t i = 0; i < 8; i++)
		assert_int_equal(comes(i * 8192, i == 7 ? 8191 : 8192, i < 7),
			i == 7 ? IP_TCP_JOINED : IP_CONSUMED);
	expect_whole(WHOLE_MAX);
	comes_in_vain(65528, 8, false, RILL_DROP_ip_fragment_malformed, 4, 0, 42);
	comes_in_vain(65520, 24, true, RILL_DROP_ip_fragment_malformed, 4, 0, 42);
	net_end();
}

static void
test_keys_and_alone(void **state)
{
	begin();
	assert_int_equal(comes(0, 24, true), IP_CONSUMED);
	is.src = "2001:db8::3";
	assert_int_equal(comes(24, 8, false), IP_CONSUMED);
	is.src = PEER;
	is.dst = LINK_LOCAL;
	assert_int_equal(comes(24, 8, false), IP_CONSUMED);
	is.dst = OURS;
	is.id++;
	assert_int_equal(comes(24, 8, false), IP_CONSUMED);
	is.id--;
	assert_int_equal(comes(0, 32, false), IP_TCP); /* one alone has nothing to do with them */
	assert_int_equal(seg.l3_len, IP6_HEADER_LEN + 8);
	rte_pktmbuf_free(seg.mbuf);
	is.next = IPPROTO_UDP; /* nor does the next header make a difference [8200 4.5] */
	assert_int_equal(comes(24, 8, false), IP_TCP_JOINED);
	expect_whole(32);
	expect_only_drops(RILL_DROP_COUNT, 0);
	net_end();
}

static void
test_lengths(void **state)
{
	begin();
	for (uint32_t len = 1; len < 32; len++)
		if (len % 8 != 0)
			comes_in_vain(64, len, true, RILL_DROP_ip_fragment_malformed, 4, 0, 4);
	comes_in_vain(64, 0, true, RILL_DROP_ip_fragment_malformed, 0, 0, 0);
	net_end();
}

/* Cut within TCP's header, or before it is reached. */
static void
test_the_first_has_all_headers(void **state)
{
	begin();
	comes_in_vain(0, 8, true, RILL_DROP_ip_fragment_tiny, 4, 3, 0);
	comes_in_vain(0, 16, true, RILL_DROP_ip_fragment_tiny, 4, 3, 0);
	is.next = IPPROTO_DSTOPTS;
	memcpy(data, (uint8_t[]){IPPROTO_TCP, 1, 1, 12}, 4);
	comes_in_vain(0, 8, true, RILL_DROP_ip_fragment_tiny, 4, 3, 0);
	comes_in_vain(0, 16, true, RILL_DROP_ip_fragment_tiny, 4, 3, 0);
	comes_in_vain(0, 32, true, RILL_DROP_ip_fragment_tiny, 4, 3, 0);
	is.id++;
	memset(data + 4, 0, 12);
	data[16 + 12] = 5 << 4;
	assert_int_equal(comes(0, 40, true), IP_CONSUMED);
	assert_int_equal(comes(40, 8, false), IP_TCP_JOINED); /* options, gone through when whole */
	assert_int_equal(seg.l3_len, IP6_HEADER_LEN + 16);
	rte_pktmbuf_free(seg.mbuf);
	net_end();
}

static void
test_overlaps(void **state)
{
	begin();
	assert_int_equal(comes(0, 32, true), IP_CONSUMED);
	comes_in_vain(24, 32, true, RILL_DROP_ip_fragment_overlap, 0, 0, 0);
	comes_in_vain(0, 32, true, RILL_DROP_ip_fragment_overlap, 0, 0, 0);
	comes_in_vain(32, 8, false, RILL_DROP_ip_fragment_overlap, 0, 0, 0);
	packets_expect_none_in_use();
	net_end();
}

static void
test_timeout(void **state)
{
	struct wheel_node *due[8];
	struct rte_mbuf *frame;
	const uint8_t *icmp;
	unsigned int n;

	begin();
	assert_int_equal(comes(0, 24, true), IP_CONSUMED);
	is.id++;
	assert_int_equal(comes(24, 8, false), IP_CONSUMED);
	link_flush();
	lnk.now += FRAGMENTS_TIMEOUT_US - 100;
	net_fragments_timer(net, lnk.now, &lnk.outbox);
	assert_int_equal(fragments_datagrams(net->fragments), 2);
	expect_silence();
	lnk.now += 200;
	while ((n = wheel_expire(&lnk.wheel, lnk.now, due, 8)) > 0)
		for (unsigned int i = 0; i < n; i++)
			if (due[i]->kind == FRAGMENTS_KIND)
				net_fragments_timer(net, lnk.now, &lnk.outbox);
	expect_only_drops(RILL_DROP_ip_fragment_late, 2);
	assert_int_equal(fragments_buffers(net->fragments), 0);
	frame = link_take();
	assert_non_null(frame);
	icmp = rte_pktmbuf_mtod_offset(frame, const uint8_t *, L3);
	assert_true(icmp[0] == ICMP6_TIME_EXCEEDED && icmp[1] == 1);
	assert_memory_equal(icmp + 8 + IP6_HEADER_LEN + 8, data, 24);
	rte_pktmbuf_free(frame);
	expect_silence();
	net_end();
}

/* A fragment of a fragment: nobody sends these. */
static void
test_nested(void **state)
{
	begin();
	is.next = IPPROTO_FRAGMENT;
	memset(data, 0, 8);
	data[0] = IPPROTO_TCP;
	data[3] = 1; /* more follow */
	data[8 + 12] = 5 << 4;
	assert_int_equal(comes(0, 40, true), IP_CONSUMED);
	expect_silence();
	comes(40, 8, false);
	expect_only_drops(RILL_DROP_ip_fragment_malformed, 1);
	expect_silence();
	assert_int_equal(fragments_datagrams(net->fragments), 0);
	packets_expect_none_in_use();
	net_end();
}

/* A solicitation that is answered when it comes whole. */
static void
test_neighbour_discovery_in_fragments(void **state)
{
	begin();
	memset(data, 0, 64);
	data[0] = 135;
	memcpy(data + 8, ip6(OURS).u.ip6, 16);
	memcpy(data + 24, (uint8_t[]){1, 1, 2, 0, 0, 0, 0, 2}, 8);
	pkt_make(IPPROTO_ICMPV6, data, 32);
	pkt_ip()->hop_limits = 255;
	pkt_sum_icmp(L3);
	memcpy(data, pkt.bytes + L3, 32);
	assert_int_equal(arrive(), IP_CONSUMED);
	assert_int_equal(link_flush(), 1);
	is.next = IPPROTO_ICMPV6;
	is.hop_limit = 255;
	comes(0, 24, true);
	comes(24, 8, false);
	assert_int_equal(lnk.counters.fragments_joined, 1);
	expect_silence();
	comes(0, 32, false); /* nor if one fragment is all of it [6980 5] */
	expect_only_drops(RILL_DROP_nd_malformed, 2);
	expect_silence();
	packets_expect_none_in_use();
	net_end();
}

static void
test_without_a_buffer(void **state)
{
	struct rte_mbuf *all[PACKETS_POOL];

	begin();
	for (int headers = 0; headers < 2; headers++) {
		is.headers_len = headers ? 16 : 0;
		is.first_header = headers ? IPPROTO_DSTOPTS : IPPROTO_FRAGMENT;
		memcpy(is.headers, (uint8_t[]){IPPROTO_FRAGMENT, 1, 1, 12}, 4);
		assert_int_equal(rte_pktmbuf_alloc_bulk(control_pool, all, PACKETS_POOL), 0);
		assert_int_equal(comes(0, 24, true), IP_CONSUMED);
		rte_pktmbuf_free_bulk(all, PACKETS_POOL);
		expect_only_drops(RILL_DROP_no_mbuf, headers + 1u);
		packets_expect_none_in_use();
	}
	net_end();
}

/* Of what Rill does not speak, the kernel behind us puts the fragments together itself. */
static void
test_fragments_for_the_kernel(void **state)
{
	static struct exceptions kernel;
	static const struct {
		uint8_t next;
		bool kernels;
	} rows[] = {{IPPROTO_UDP, true}, {IPPROTO_GRE, true}, {IPPROTO_TCP, false},
		{IPPROTO_ICMPV6, false}, {IPPROTO_DSTOPTS, false}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin();
		lnk.netif.exceptions = &kernel;
		kernel.count = 0;
		is.next = rows[i].next;
		assert_int_equal(comes(400, 400, true), IP_CONSUMED);
		assert_int_equal(kernel.count, rows[i].kernels);
		if (rows[i].kernels)
			assert_int_equal(kernel.frames[0]->pkt_len, L3 + 8 + 400);
		rte_pktmbuf_free_bulk(kernel.frames, kernel.count);
		expect_only_drops(RILL_DROP_COUNT, 0);
		lnk.netif.exceptions = NULL;
		net_end();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_order),
		cmocka_unit_test(test_the_longest),
		cmocka_unit_test(test_keys_and_alone),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_the_first_has_all_headers),
		cmocka_unit_test(test_overlaps),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_neighbour_discovery_in_fragments),
		cmocka_unit_test(test_without_a_buffer),
		cmocka_unit_test(test_fragments_for_the_kernel),
	};

	return cmocka_run_group_tests(tests, packets_start, packets_end);
}
