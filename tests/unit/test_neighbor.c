/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The neighbour cache: asks once a second and no more [RFC826-5], keeps packets meanwhile within a
 * bound [RFC826-6], tells users of success and failure [RFC826-7], times entries out after asking
 * by unicast, and follows a MAC that moved [RFC826-4]; does not believe what contradicts it unasked
 * [RFC826-9]; is bounded, and forgets the longest unused.
 */
#include "links.h"

#include "neighbor.h"

#define TIMER_KIND 7
#define SECOND USEC_PER_SEC

static struct neighbors *neighbors;
static struct rill_addr us;

static void
begin(bool ethernet)
{
	link_reset(ethernet, 0);
	us = ip4(10, 0, 0, 1);
	neighbors = neighbors_create(&lnk.netif, &lnk.wheel, TIMER_KIND, &neighbors_key, SOCKET_ID_ANY);
	assert_non_null(neighbors);
}

static void
end(void)
{
	neighbors_destroy(neighbors);
	link_flush();
	assert_int_equal(lnk.wheel.armed, 0);
	packets_expect_none_in_use();
}

static void
fire(void)
{
	struct wheel_node *due[8];
	unsigned int n;

	while ((n = wheel_expire(&lnk.wheel, lnk.now, due, 8)) > 0) {
		for (unsigned int i = 0; i < n; i++) {
			assert_int_equal(due[i]->kind, TIMER_KIND);
			neighbor_timer(neighbors, due[i], lnk.now, &lnk.outbox);
		}
	}
}

/* Time passes from one timer to the next, as a lane would see it. */
static void
advance(ustime us_more)
{
	ustime until = lnk.now + us_more;

	while (lnk.now < until) {
		ustime next = RTE_MIN(wheel_next(&lnk.wheel), until);

		lnk.now = RTE_MAX(next, lnk.now + 1);
		fire();
	}
}

static struct neighbor *
get(struct rill_addr addr, bool hold)
{
	uint32_t index = neighbor_get(neighbors, &addr, &us, hold, lnk.now, &lnk.outbox);

	assert_int_not_equal(index, SLAB_NONE);
	return neighbor_at(neighbors, index);
}

static uint32_t
index_of(struct rill_addr addr)
{
	struct neighbor *neighbor = get(addr, true);
	uint32_t index = (uint32_t)(neighbor - neighbor_at(neighbors, 0));

	neighbor_release(neighbors, index);
	return index;
}

static void
learn(struct rill_addr addr, struct rte_ether_addr mac)
{
	neighbor_learn(neighbors, &addr, &mac, false, lnk.now, &lnk.outbox);
}

static void
output(struct rill_addr addr, char byte)
{
	uint32_t index = index_of(addr);

	neighbor_output(neighbors, index, packets_make(&byte, 1), lnk.now, &lnk.outbox);
}

static void
expect_request(struct rill_addr target, struct rte_ether_addr dst)
{
	struct arp_frame want = arp_frame(RTE_ARP_OP_REQUEST, mac_of(1), dst, us, mac_zero, target);

	expect_frame(&want, sizeof(want));
}

static void
expect_packet(struct rte_ether_addr dst, char byte)
{
	struct rte_ether_hdr want[2] = {{dst, mac_of(1), rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4)}};

	((char *)want)[sizeof(want[0])] = byte;
	expect_frame(want, sizeof(want[0]) + 1);
}

static void
expect_event(enum neighbor_event want, const struct neighbor *of)
{
	uint32_t index;

	assert_int_equal(neighbors_next_event(neighbors, &index), want);
	if (of != NULL)
		assert_ptr_equal(neighbor_at(neighbors, index), of);
}

static void
test_resolution_sends_what_waited(void **state)
{
	struct rill_addr peer = ip4(10, 0, 0, 2);
	struct neighbor *neighbor;

	begin(true);
	neighbor = get(peer, true);
	assert_int_equal(neighbor->state, NEIGHBOR_INCOMPLETE);
	expect_request(peer, mac_broadcast);
	for (char byte = 'a'; byte < 'a' + NEIGHBOR_QUEUE + 2; byte++)
		output(peer, byte);
	expect_silence();
	expect_only_drops(RILL_DROP_neighbor_queue, 2); /* the oldest made room */
	expect_event(NEIGHBOR_EVENT_NONE, NULL);
	learn(peer, mac_of(2));
	for (char byte = 'a' + 2; byte < 'a' + NEIGHBOR_QUEUE + 2; byte++)
		expect_packet(mac_of(2), byte);
	expect_event(NEIGHBOR_EVENT_RESOLVED, neighbor);
	expect_event(NEIGHBOR_EVENT_NONE, NULL);
	assert_true(neighbor_is_usable(neighbor) && neighbor->header_len == 14);
	output(peer, 'z');
	expect_packet(mac_of(2), 'z');
	assert_int_equal(neighbors_count(neighbors), 1);
	end();
}

static void
test_one_request_a_second_then_failure(void **state)
{
	struct rill_addr dead = ip4(10, 0, 0, 66);
	struct neighbor *neighbor;

	begin(true);
	neighbor = get(dead, true);
	output(dead, 'x');
	for (int second = 0; second < NEIGHBOR_TRIES; second++) {
		expect_request(dead, mac_broadcast);
		for (int i = 0; i < 1000; i++) /* as many connects want it */
			assert_ptr_equal(get(dead, false), neighbor);
		advance(SECOND - 100);
		expect_silence();
		expect_event(NEIGHBOR_EVENT_NONE, NULL);
		advance(108); /* a tick later than a second */
	}
	expect_silence();
	expect_only_drops(RILL_DROP_neighbor_failed, 1);
	expect_event(NEIGHBOR_EVENT_FAILED, neighbor);
	assert_int_equal(neighbor->state, NEIGHBOR_FAILED);
	/* Nobody wants it: it rests, for as long as it is held. */
	advance(100 * SECOND);
	expect_silence();
	output(dead, 'y');
	expect_request(dead, mac_broadcast);
	learn(dead, mac_of(3));
	expect_packet(mac_of(3), 'y');
	expect_event(NEIGHBOR_EVENT_RESOLVED, neighbor);
	end();
}

/* What is wanted while it is FAILED is asked for again by itself: parked connections only wait. */
static void
test_wanted_while_failed(void **state)
{
	struct rill_addr dead = ip4(10, 0, 0, 66);
	struct neighbor *neighbor;
	uint32_t index;

	begin(true);
	neighbor = get(dead, true);
	index = index_of(dead);
	advance(3 * SECOND + 100);
	assert_int_equal(neighbor->state, NEIGHBOR_FAILED);
	link_flush();
	neighbor_suspect(neighbors, index, lnk.now, &lnk.outbox);
	neighbor_output(neighbors, index, packets_make("x", 1), lnk.now, &lnk.outbox);
	expect_only_drops(RILL_DROP_neighbor_failed, 1);
	expect_silence();
	advance(NEIGHBOR_FAILED_US);
	expect_request(dead, mac_broadcast);
	assert_int_equal(neighbor->state, NEIGHBOR_INCOMPLETE);
	expect_event(NEIGHBOR_EVENT_NONE, NULL); /* what had failed is no longer so */
	neighbor_release(neighbors, index);
	advance(3 * SECOND + 100);
	link_flush();
	advance(NEIGHBOR_FAILED_US);
	assert_int_equal(neighbors_count(neighbors), 0);
	expect_silence();
	end();
}

static void
test_old_entries_are_asked_by_unicast(void **state)
{
	struct rill_addr peer = ip4(10, 0, 0, 2);
	struct neighbor *neighbor;

	begin(true);
	neighbor = get(peer, true);
	learn(peer, mac_of(2));
	link_flush();
	advance(NEIGHBOR_REACHABLE_US + 10); /* not used: nothing is asked */
	expect_silence();
	assert_int_equal(neighbor->state, NEIGHBOR_REACHABLE);
	neighbor->used = true;
	advance(NEIGHBOR_REACHABLE_US + 10);
	expect_request(peer, mac_of(2));
	assert_true(neighbor_is_usable(neighbor));
	learn(peer, mac_of(2));
	assert_int_equal(neighbor->state, NEIGHBOR_REACHABLE);
	advance(2 * SECOND);
	expect_silence();
	/* The next time it is silent: broadcast, and the new MAC is followed. */
	neighbor->used = true;
	advance(NEIGHBOR_REACHABLE_US - 2 * SECOND + 8);
	for (int i = 0; i < NEIGHBOR_TRIES; i++) {
		expect_request(peer, mac_of(2));
		expect_silence();
		advance(SECOND + 8);
	}
	expect_request(peer, mac_broadcast);
	assert_false(neighbor_is_usable(neighbor));
	output(peer, 'm');
	learn(peer, mac_of(77));
	expect_packet(mac_of(77), 'm');
	end();
}

static void
test_unused_entries_are_forgotten(void **state)
{
	struct rill_addr peer = ip4(10, 0, 0, 2), other = ip4(10, 0, 0, 3);

	begin(true);
	get(peer, false);
	learn(peer, mac_of(2));
	assert_true(neighbor_learn(neighbors, &other, &mac_broadcast, true, lnk.now, &lnk.outbox));
	link_flush();
	assert_int_equal(neighbors_count(neighbors), 2);
	advance(NEIGHBOR_REACHABLE_US - 10);
	assert_int_equal(neighbors_count(neighbors), 2);
	advance(20);
	assert_int_equal(neighbors_count(neighbors), 0);
	expect_silence();
	/* Used once, then no more: asked in vain, and forgotten without a broadcast. */
	output(peer, 'a');
	learn(peer, mac_of(2));
	link_flush();
	advance(NEIGHBOR_REACHABLE_US + 10);
	for (int i = 0; i < NEIGHBOR_TRIES; i++) {
		expect_request(peer, mac_of(2));
		advance(SECOND + 8);
	}
	expect_silence();
	assert_int_equal(neighbors_count(neighbors), 0);
	end();
}

static void
test_contradiction_is_probed_not_believed(void **state)
{
	struct rill_addr peer = ip4(10, 0, 0, 2), stranger = ip4(10, 0, 0, 9);
	struct neighbor *neighbor;
	struct rte_ether_addr spoof = mac_of(66);

	begin(true);
	assert_false(neighbor_learn(neighbors, &stranger, &spoof, false, lnk.now, &lnk.outbox));
	assert_int_equal(neighbors_count(neighbors), 0);
	neighbor = get(peer, true);
	learn(peer, mac_of(2));
	link_flush();
	advance(10 * SECOND);
	for (int i = 0; i < 1000; i++)
		learn(peer, spoof);
	expect_request(peer, mac_of(2));
	expect_silence();
	output(peer, 'a');
	expect_packet(mac_of(2), 'a');
	learn(peer, mac_of(2));
	assert_int_equal(neighbor->state, NEIGHBOR_REACHABLE);
	learn(peer, spoof); /* at most one a second */
	expect_silence();
	/* The old owner is gone: after three seconds of silence the claim is believed. */
	advance(2 * SECOND);
	learn(peer, spoof);
	expect_request(peer, mac_of(2));
	advance(SECOND + 8);
	expect_request(peer, mac_of(2));
	advance(SECOND + 8);
	expect_request(peer, mac_of(2));
	advance(SECOND + 8);
	expect_request(peer, mac_broadcast);
	learn(peer, spoof);
	output(peer, 'b');
	expect_packet(spoof, 'b');
	end();
}

static void
test_negative_advice(void **state)
{
	struct rill_addr peer = ip4(10, 0, 0, 2);
	uint32_t index;

	begin(true);
	get(peer, true);
	index = index_of(peer);
	learn(peer, mac_of(2));
	link_flush();
	neighbor_suspect(neighbors, index, lnk.now, &lnk.outbox); /* it was asked just now */
	expect_silence();
	advance(SECOND);
	for (int i = 0; i < 100; i++)
		neighbor_suspect(neighbors, index, lnk.now, &lnk.outbox);
	expect_request(peer, mac_of(2));
	expect_silence();
	end();
}

static void
test_full_cache_forgets_the_longest_unused(void **state)
{
	struct rill_addr addr;
	struct neighbor *first;

	begin(true);
	for (uint32_t i = 0; i < NEIGHBORS_MAX; i++) {
		get(ip4(10, 1, (uint8_t)(i >> 8), (uint8_t)i), i >= 2);
		link_flush();
	}
	first = get(ip4(10, 1, 0, 0), false); /* 10.1.0.1 is now the longest unused */
	get(ip4(10, 2, 0, 0), true);
	link_flush();
	assert_int_equal(neighbors_count(neighbors), NEIGHBORS_MAX);
	assert_ptr_equal(get(ip4(10, 1, 0, 0), true), first);
	expect_silence(); /* it was still there */
	addr = ip4(10, 2, 0, 1);
	assert_int_equal(
		neighbor_get(neighbors, &addr, &us, true, lnk.now, &lnk.outbox), SLAB_NONE);
	neighbor_release(neighbors, index_of(ip4(10, 1, 9, 9)));
	get(addr, true);
	expect_request(addr, mac_broadcast);
	end();
}

/* Entries that share a bucket come and go without losing each other. */
static void
test_many_entries_come_and_go(void **state)
{
	uint32_t index;

	begin(true);
	for (uint32_t i = 0; i < NEIGHBORS_MAX; i++) {
		struct rill_addr addr = ip4(10, 1, (uint8_t)(i >> 8), (uint8_t)i);

		get(addr, i % 2);
		learn(addr, mac_of(2));
		link_flush();
	}
	advance(NEIGHBOR_REACHABLE_US + 8);
	assert_int_equal(neighbors_count(neighbors), NEIGHBORS_MAX / 2);
	for (uint32_t i = 0; i < NEIGHBORS_MAX; i++) {
		struct rte_ether_addr mac = mac_of(2);
		struct rill_addr addr = ip4(10, 1, (uint8_t)(i >> 8), (uint8_t)i);

		assert_int_equal(
			neighbor_learn(neighbors, &addr, &mac, false, lnk.now, &lnk.outbox), i % 2);
	}
	/* Of those that are gone nothing is told any more, nor of what took their places. */
	for (uint8_t i = 1; i < 100; i++)
		get(ip4(10, 7, 0, i), true);
	link_flush();
	for (uint32_t i = 0; i < NEIGHBORS_MAX / 2; i++) {
		assert_int_equal(neighbors_next_event(neighbors, &index), NEIGHBOR_EVENT_RESOLVED);
		assert_int_equal(index % 2, 1);
	}
	expect_event(NEIGHBOR_EVENT_NONE, NULL);
	end();
}

/* A node that fired, but whose entry was asked for, or forgotten, before its turn came. */
static void
test_a_late_timer_is_harmless(void **state)
{
	struct rill_addr dead = ip4(10, 0, 0, 66), addr;
	struct neighbor *neighbor;
	struct wheel_node *due[4];

	begin(true);
	neighbor = get(dead, false);
	advance(3 * SECOND + 100);
	link_flush();
	lnk.now += NEIGHBOR_FAILED_US;
	assert_int_equal(wheel_expire(&lnk.wheel, lnk.now, due, 4), 1);
	get(dead, false);
	expect_request(dead, mac_broadcast);
	neighbor_timer(neighbors, due[0], lnk.now, &lnk.outbox);
	expect_silence();
	lnk.now += SECOND + 8;
	assert_int_equal(wheel_expire(&lnk.wheel, lnk.now, due, 4), 1);
	for (uint32_t i = 0; neighbor->state != NEIGHBOR_FREE; i++) {
		addr = ip4(10, 1, (uint8_t)(i >> 8), (uint8_t)i);
		get(addr, true);
		link_flush();
		if (neighbors_count(neighbors) == NEIGHBORS_MAX)
			break;
	}
	get(ip4(10, 3, 0, 0), true); /* takes its place */
	link_flush();
	neighbor_timer(neighbors, due[0], lnk.now, &lnk.outbox);
	expect_silence();
	end();
}

static void
test_failures_to_send_are_counted(void **state)
{
	struct rill_addr peer = ip4(10, 0, 0, 2);
	struct rte_mbuf *packet, *all[PACKETS_POOL];

	begin(true);
	assert_int_equal(rte_pktmbuf_alloc_bulk(control_pool, all, PACKETS_POOL), 0);
	get(peer, true);
	rte_pktmbuf_free_bulk(all, PACKETS_POOL);
	expect_only_drops(RILL_DROP_no_mbuf, 1);
	expect_silence();
	advance(SECOND + 8); /* the next request finds a buffer */
	expect_request(peer, mac_broadcast);
	learn(peer, mac_of(2));
	packet = packets_make("x", 1);
	assert_non_null(rte_pktmbuf_prepend(packet, rte_pktmbuf_headroom(packet) - 13));
	neighbor_output(neighbors, index_of(peer), packet, lnk.now, &lnk.outbox);
	expect_only_drops(RILL_DROP_no_mbuf, 2);
	lnk.outbox.put = lnk.outbox.taken + OUTBOX_SIZE;
	output(peer, 'x');
	assert_int_equal(lnk.counters.drops[RILL_DROP_outbox_full], 1);
	lnk.outbox.put = lnk.outbox.taken;
	end();
}

static void
test_bare_ip_has_nothing_to_resolve(void **state)
{
	struct neighbor *neighbor;

	begin(false);
	for (uint32_t i = 0; i < 2 * NEIGHBORS_MAX; i++) {
		neighbor = get(ip4(10, 1, (uint8_t)(i >> 8), (uint8_t)i), true);
		assert_true(neighbor_is_usable(neighbor) && neighbor->header_len == 0);
	}
	output(ip4(10, 9, 9, 9), 'q');
	expect_frame("q", 1);
	neighbor_suspect(neighbors, 0, lnk.now, &lnk.outbox);
	learn(ip4(10, 9, 9, 9), mac_of(2));
	expect_silence();
	assert_int_equal(lnk.wheel.armed, 0);
	end();
}

/* Requests are never sent from an address that is no longer ours. */
static void
test_forgotten_source(void **state)
{
	struct rill_addr peer = ip4(10, 0, 0, 2);

	begin(true);
	get(peer, true);
	expect_request(peer, mac_broadcast);
	neighbors_forget_source(neighbors, &us, 0);
	advance(SECOND + 8);
	us = ip4(0, 0, 0, 0);
	expect_request(peer, mac_broadcast);
	us = ip4(10, 0, 0, 5);
	index_of(peer);
	advance(SECOND + 8);
	expect_request(peer, mac_broadcast);
	end();
}

/* As whoever doubts that the port hears asks; what does not answer any more is counted. */
static void
test_who_is_known_is_asked(void **state)
{
	struct rill_addr dead = ip4(10, 0, 0, 66), idle = ip4(10, 0, 0, 3), peer = ip4(10, 0, 0, 2);

	begin(true);
	get(dead, true);
	link_flush();
	assert_false(neighbors_ask_known(neighbors, lnk.now, &lnk.outbox)); /* it has never answered */
	expect_silence();
	get(idle, false);
	learn(idle, mac_of(3));
	get(peer, true);
	learn(peer, mac_of(2));
	advance(2 * SECOND);
	link_flush();
	assert_true(neighbors_ask_known(neighbors, lnk.now, &lnk.outbox));
	expect_request(peer, mac_of(2)); /* somebody uses it */
	assert_true(neighbors_ask_known(neighbors, lnk.now, &lnk.outbox));
	expect_silence(); /* it is being asked */
	learn(peer, mac_of(2));
	assert_int_equal(lnk.counters.neighbors_lost, 0);
	advance(2 * SECOND);
	link_flush();
	assert_true(neighbors_ask_known(neighbors, lnk.now, &lnk.outbox));
	advance(3 * SECOND - 100);
	assert_int_equal(lnk.counters.neighbors_lost, 0);
	advance(200);
	assert_int_equal(lnk.counters.neighbors_lost, 1);
	advance(60 * SECOND); /* those that never answered are none of these */
	assert_int_equal(lnk.counters.neighbors_lost, 1);
	end();
}

static void
test_another_mac_of_ours_is_in_all_headers(void **state)
{
	struct rill_addr peer = ip4(10, 0, 0, 2);
	struct rte_ether_hdr want[2] = {
		{mac_of(2), mac_of(9), rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4)}};

	begin(true);
	get(peer, true);
	learn(peer, mac_of(2));
	link_flush();
	lnk.netif.mac = mac_of(9);
	neighbors_follow_mac(neighbors);
	output(peer, 'x');
	((char *)want)[sizeof(want[0])] = 'x';
	expect_frame(want, sizeof(want[0]) + 1);
	end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resolution_sends_what_waited),
		cmocka_unit_test(test_one_request_a_second_then_failure),
		cmocka_unit_test(test_wanted_while_failed),
		cmocka_unit_test(test_old_entries_are_asked_by_unicast),
		cmocka_unit_test(test_unused_entries_are_forgotten),
		cmocka_unit_test(test_contradiction_is_probed_not_believed),
		cmocka_unit_test(test_negative_advice),
		cmocka_unit_test(test_full_cache_forgets_the_longest_unused),
		cmocka_unit_test(test_many_entries_come_and_go),
		cmocka_unit_test(test_a_late_timer_is_harmless),
		cmocka_unit_test(test_failures_to_send_are_counted),
		cmocka_unit_test(test_bare_ip_has_nothing_to_resolve),
		cmocka_unit_test(test_forgotten_source),
		cmocka_unit_test(test_who_is_known_is_asked),
		cmocka_unit_test(test_another_mac_of_ours_is_in_all_headers),
	};

	return cmocka_run_group_tests(tests, packets_start, packets_end);
}
