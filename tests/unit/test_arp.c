/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ARP: requests for our addresses and no others are answered, by unicast [RFC826-1, RFC5227-8];
 * the cache is merged as RFC 826 says [RFC826-2]; each wrong field and each truncation is dropped
 * [RFC826-3], as are impossible senders [RFC826-8]; probes are answered and not learned
 * [RFC5227-7]; an announcement has the form of [RFC5227-4]. Other lanes are told of each sender that
 * may be believed, and of no other.
 */
#include "links.h"

#include "arp.h"

static struct neighbors *neighbors;
static struct rill_addr us, us_too, peer;
static struct arp_claim claim; /* of the last packet */

static enum arp_whose
whose(const void *arg, const struct rill_addr *addr)
{
	struct rill_addr probed = ip4(10, 0, 0, 50);

	assert_ptr_equal(arg, &us);
	if (memcmp(addr->u.ip4, probed.u.ip4, 4) == 0)
		return ARP_PROBED;
	return memcmp(addr->u.ip4, us.u.ip4, 4) == 0 || memcmp(addr->u.ip4, us_too.u.ip4, 4) == 0
		       ? ARP_OURS
		       : ARP_THEIRS;
}

static void
begin(void)
{
	link_reset(true, 0);
	us = ip4(10, 0, 0, 1);
	us_too = ip4(10, 0, 0, 100);
	peer = ip4(10, 0, 0, 2);
	neighbors = neighbors_create(&lnk.netif, &lnk.wheel, 1, &neighbors_key, SOCKET_ID_ANY);
	assert_non_null(neighbors);
}

static void
end(void)
{
	neighbors_destroy(neighbors);
	link_flush();
	packets_expect_none_in_use();
}

static void
arrives(const struct arp_frame *frame, uint32_t len)
{
	uint64_t before = lnk.counters.arp_in;

	arp_input(neighbors, &lnk.netif, packets_cut(frame, len, len / 3, len / 2),
		RTE_ETHER_HDR_LEN, whose, &us, &claim, lnk.now, &lnk.outbox);
	assert_int_equal(lnk.counters.arp_in, before + 1);
	assert_int_equal(rte_mempool_in_use_count(packets_pool), 0);
}

static bool
is_known(struct rill_addr addr)
{
	/* An unsolicited claim that changes nothing tells. */
	struct rte_ether_addr mac = mac_of(2);

	return neighbor_learn(neighbors, &addr, &mac, false, lnk.now, &lnk.outbox);
}

static void
test_requests_for_ours_are_answered(void **state)
{
	struct rill_addr both[2] = {ip4(10, 0, 0, 1), ip4(10, 0, 0, 100)};

	for (int i = 0; i < 2; i++) {
		struct arp_frame request, want;

		begin();
		request = arp_frame(
			RTE_ARP_OP_REQUEST, mac_of(2), mac_broadcast, peer, mac_zero, both[i]);
		want = arp_frame(RTE_ARP_OP_REPLY, mac_of(1), mac_of(2), both[i], mac_of(2), peer);
		arrives(&request, sizeof(request));
		expect_frame(&want, sizeof(want));
		expect_silence();
		expect_only_drops(RILL_DROP_COUNT, 0);
		assert_int_equal(lnk.counters.arp_replies_out, 1);
		assert_int_equal(
			neighbors_count(neighbors), 1); /* who asks us will be answered soon */
		assert_true(is_known(peer));
		end();
	}
}

static void
test_what_concerns_others_leaves_no_trace(void **state)
{
	struct arp_frame frames[3];

	begin();
	frames[0] = arp_frame(
		RTE_ARP_OP_REQUEST, mac_of(2), mac_broadcast, peer, mac_zero, ip4(10, 0, 0, 3));
	frames[1] = arp_frame(RTE_ARP_OP_REQUEST, mac_of(2), mac_broadcast, peer, mac_zero, peer);
	frames[2] = arp_frame(RTE_ARP_OP_REPLY, mac_of(2), mac_of(1), peer, mac_of(1), us);
	for (int i = 0; i < 3; i++)
		arrives(&frames[i], sizeof(frames[i]));
	expect_silence();
	expect_only_drops(RILL_DROP_arp_not_ours, 3);
	assert_int_equal(neighbors_count(neighbors), 0);
	end();
}

/* A reply, a request for somebody else, and a gratuitous one all resolve what we ask for. */
static void
test_known_senders_are_merged(void **state)
{
	for (int kind = 0; kind < 3; kind++) {
		struct arp_frame frame;
		uint32_t index;

		begin();
		index = neighbor_get(neighbors, &peer, &us, true, lnk.now, &lnk.outbox);
		link_flush();
		if (kind == 0)
			frame = arp_frame(
				RTE_ARP_OP_REPLY, mac_of(2), mac_of(1), peer, mac_of(1), us);
		else
			frame = arp_frame(RTE_ARP_OP_REQUEST, mac_of(2), mac_broadcast, peer,
				mac_zero, kind == 1 ? ip4(10, 0, 0, 3) : peer);
		arrives(&frame, sizeof(frame));
		assert_true(neighbor_is_usable(neighbor_at(neighbors, index)));
		expect_silence();
		expect_only_drops(RILL_DROP_COUNT, 0);
		end();
	}
}

static void
test_each_wrong_field_and_truncation(void **state)
{
	struct arp_frame good;

	begin();
	good = arp_frame(RTE_ARP_OP_REQUEST, mac_of(2), mac_broadcast, peer, mac_zero, us);
	for (uint32_t len = RTE_ETHER_HDR_LEN; len < sizeof(good); len++)
		arrives(&good, len);
	expect_only_drops(RILL_DROP_arp_malformed, sizeof(struct rte_arp_hdr));
	for (uint32_t at = RTE_ETHER_HDR_LEN; at < RTE_ETHER_HDR_LEN + 8; at++) {
		for (unsigned int value = 1; value < 256; value++) {
			struct arp_frame frame = good;

			((uint8_t *)&frame)[at] ^= (uint8_t)value;
			if (frame.arp.arp_opcode == rte_cpu_to_be_16(RTE_ARP_OP_REPLY))
				continue; /* operation 2 is as good */
			lnk.counters.drops[RILL_DROP_arp_malformed] = 0;
			arrives(&frame, sizeof(frame));
			expect_only_drops(RILL_DROP_arp_malformed, 1);
		}
	}
	expect_silence();
	assert_int_equal(neighbors_count(neighbors), 0);
	end();
}

static void
test_impossible_senders(void **state)
{
	static const struct rte_ether_addr macs[] = {{{0}}, {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
		{{1, 0, 0x5e, 0, 0, 1}}};
	static const uint8_t ips[][4] = {{10, 0, 0, 1}, {10, 0, 0, 100}, {255, 255, 255, 255},
		{224, 0, 0, 1}, {240, 0, 0, 1}, {127, 0, 0, 1}, {0, 0, 0, 1}};
	unsigned int count = 0;

	begin();
	for (uint16_t op = RTE_ARP_OP_REQUEST; op <= RTE_ARP_OP_REPLY; op++) {
		struct arp_frame frame = arp_frame(op, mac_of(2), mac_of(1), peer, mac_zero, us);

		for (unsigned int i = 0; i < RTE_DIM(macs); i++, count++) {
			frame.arp.arp_data.arp_sha = macs[i];
			arrives(&frame, sizeof(frame));
		}
		frame.arp.arp_data.arp_sha = mac_of(2);
		for (unsigned int i = 0; i < RTE_DIM(ips); i++, count++) {
			memcpy(&frame.arp.arp_data.arp_sip, ips[i], 4);
			arrives(&frame, sizeof(frame));
		}
	}
	expect_only_drops(RILL_DROP_arp_bad_sender, count);
	expect_silence();
	assert_int_equal(neighbors_count(neighbors), 0);
	end();
}

static void
test_probes_are_answered_and_not_learned(void **state)
{
	struct rill_addr none = ip4(0, 0, 0, 0);
	struct arp_frame frame, want;

	begin();
	frame = arp_frame(RTE_ARP_OP_REQUEST, mac_of(2), mac_broadcast, none, mac_zero, us);
	want = arp_frame(RTE_ARP_OP_REPLY, mac_of(1), mac_of(2), us, mac_of(2), none);
	arrives(&frame, sizeof(frame));
	expect_frame(&want, sizeof(want));
	assert_int_equal(neighbors_count(neighbors), 0);
	expect_only_drops(RILL_DROP_COUNT, 0);
	frame = arp_frame(RTE_ARP_OP_REQUEST, mac_of(2), mac_broadcast, none, mac_zero, peer);
	arrives(&frame, sizeof(frame));
	frame = arp_frame(RTE_ARP_OP_REPLY, mac_of(2), mac_of(1), none, mac_zero, us);
	arrives(&frame, sizeof(frame));
	expect_silence();
	assert_int_equal(lnk.counters.drops[RILL_DROP_arp_not_ours], 1);
	assert_int_equal(lnk.counters.drops[RILL_DROP_arp_bad_sender], 1);
	end();
}

static void
test_announcement(void **state)
{
	struct arp_frame want;

	begin();
	want = arp_frame(RTE_ARP_OP_REQUEST, mac_of(1), mac_broadcast, us, mac_zero, us);
	arp_announce(&lnk.netif, &us, &lnk.outbox);
	expect_frame(&want, sizeof(want));
	assert_int_equal(lnk.counters.arp_requests_out, 1);
	end();
}

static void
test_no_buffer_no_reply(void **state)
{
	struct rte_mbuf *all[PACKETS_POOL];
	struct arp_frame frame;

	begin();
	frame = arp_frame(RTE_ARP_OP_REQUEST, mac_of(2), mac_broadcast, peer, mac_zero, us);
	assert_int_equal(rte_pktmbuf_alloc_bulk(control_pool, all, PACKETS_POOL), 0);
	arrives(&frame, sizeof(frame));
	rte_pktmbuf_free_bulk(all, PACKETS_POOL);
	expect_only_drops(RILL_DROP_no_mbuf, 1);
	expect_silence();
	assert_int_equal(lnk.counters.arp_replies_out, 0);
	lnk.outbox.put = OUTBOX_SIZE;
	arrives(&frame, sizeof(frame));
	assert_int_equal(lnk.counters.drops[RILL_DROP_outbox_full], 1);
	lnk.outbox.put = 0;
	end();
}

static bool
is_peer(const struct rill_addr *addr)
{
	return addr->family == AF_INET && memcmp(addr->u.ip4, peer.u.ip4, 4) == 0;
}

/* Where this lane has no use for an answer, another may be waiting for it. */
static void
test_other_lanes_are_told_who_is_where(void **state)
{
	struct arp_frame frame;

	begin();
	claim.shared = true;
	frame = arp_frame(RTE_ARP_OP_REPLY, mac_of(2), mac_of(1), peer, mac_of(1), us);
	arrives(&frame, sizeof(frame));
	assert_true(is_peer(&claim.addr) && !claim.asks_us);
	assert_memory_equal(&claim.mac, &frame.ether.src_addr, sizeof(claim.mac));
	expect_only_drops(RILL_DROP_COUNT, 0);
	frame = arp_frame(RTE_ARP_OP_REQUEST, mac_of(3), mac_broadcast, peer, mac_zero, us);
	arrives(&frame, sizeof(frame));
	assert_true(is_peer(&claim.addr) && claim.asks_us);
	link_flush();
	frame = arp_frame(RTE_ARP_OP_REPLY, mac_of(2), mac_of(1), us_too, mac_of(1), us);
	arrives(&frame, sizeof(frame));
	assert_true(claim.is_on_us); /* it calls itself by our name */
	frame = arp_frame(RTE_ARP_OP_REQUEST, mac_of(3), mac_broadcast, ip4(0, 0, 0, 0), mac_zero, us);
	arrives(&frame, sizeof(frame));
	assert_int_equal(claim.addr.family, 0); /* a probe */
	arrives(&frame, sizeof(frame) - 1);
	assert_int_equal(claim.addr.family, 0);
	claim.shared = false;
	end();
}

/* Who is in conflict with us, and who is not [RFC5227-2]: nobody by an echo of our own packets. */
static void
test_conflicts(void **state)
{
	struct rill_addr none = ip4(0, 0, 0, 0), probed = ip4(10, 0, 0, 50);
	const struct {
		uint16_t op;
		uint8_t mac;
		struct rill_addr sender, target;
		bool conflict;
	} rows[] = {
		{RTE_ARP_OP_REQUEST, 2, ip4(10, 0, 0, 1), ip4(10, 0, 0, 1), true},
		{RTE_ARP_OP_REQUEST, 2, ip4(10, 0, 0, 1), ip4(10, 0, 0, 9), true},
		{RTE_ARP_OP_REPLY, 2, ip4(10, 0, 0, 100), ip4(10, 0, 0, 9), true},
		{RTE_ARP_OP_REQUEST, 2, none, ip4(10, 0, 0, 1), false}, /* it asks, and is answered */
		{RTE_ARP_OP_REQUEST, 1, ip4(10, 0, 0, 1), ip4(10, 0, 0, 1), false},
		{RTE_ARP_OP_REQUEST, 2, probed, ip4(10, 0, 0, 9), true},
		{RTE_ARP_OP_REPLY, 2, probed, ip4(10, 0, 0, 9), true},
		{RTE_ARP_OP_REQUEST, 2, none, probed, true}, /* at the same time */
		{RTE_ARP_OP_REQUEST, 1, none, probed, false},
		{RTE_ARP_OP_REQUEST, 2, ip4(10, 0, 0, 2), probed, false},
	};

	for (size_t i = 0; i < RTE_DIM(rows); i++) {
		struct arp_frame frame = arp_frame(rows[i].op, mac_of(rows[i].mac), mac_broadcast,
			rows[i].sender, mac_zero, rows[i].target);

		begin();
		arrives(&frame, sizeof(frame));
		assert_int_equal(claim.is_on_us, rows[i].conflict);
		if (rows[i].conflict)
			assert_memory_equal(&claim.mac, &frame.ether.src_addr, sizeof(claim.mac));
		if (rows[i].conflict)
			assert_int_equal(neighbors_count(neighbors), 0);
		assert_int_equal(link_flush(), i == 3 ? 1 : 0); /* a probed one is not answered for */
		end();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests_for_ours_are_answered),
		cmocka_unit_test(test_what_concerns_others_leaves_no_trace),
		cmocka_unit_test(test_known_senders_are_merged),
		cmocka_unit_test(test_each_wrong_field_and_truncation),
		cmocka_unit_test(test_impossible_senders),
		cmocka_unit_test(test_probes_are_answered_and_not_learned),
		cmocka_unit_test(test_announcement),
		cmocka_unit_test(test_no_buffer_no_reply),
		cmocka_unit_test(test_other_lanes_are_told_who_is_where),
		cmocka_unit_test(test_conflicts),
	};

	return cmocka_run_group_tests(tests, packets_start, packets_end);
}
