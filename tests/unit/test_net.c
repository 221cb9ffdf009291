/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Addresses and routes: the longest prefix wins, off-link goes through a gateway, no route is an
 * error [RFC791-24]; broadcast forms of every own network are known [RFC791-25]; the source is ours
 * [RFC791-7]; a new address is announced twice, 2 s apart [RFC5227-4].
 */
#include <errno.h>

#include "nets.h"

static struct rill_prefix
prefix(struct rill_addr addr, uint8_t len)
{
	return (struct rill_prefix){addr, len};
}

static int
addr_add(struct rill_addr addr, uint8_t len)
{
	struct rill_prefix p = prefix(addr, len);

	return net_addr_add(net, &p, lnk.now);
}

static int
range_add(struct rill_addr first, uint8_t len, uint32_t more)
{
	struct rill_prefix p = {first, len, more};

	return net_addr_add(net, &p, lnk.now);
}

static int
route_add(struct rill_addr dst, uint8_t len, struct rill_addr gateway)
{
	struct rill_prefix p = prefix(dst, len);

	return net_route_add(net, &p, &gateway, 0);
}

static int
route_del(struct rill_addr dst, uint8_t len)
{
	struct rill_prefix p = prefix(dst, len);

	return net_route_del(net, &p, NULL);
}

static void
expect_way(struct rill_addr dst, struct rill_addr next_hop, struct rill_addr source)
{
	struct rill_addr hop, from;

	assert_int_equal(net_route(net, &dst, &hop, &from), 0);
	assert_memory_equal(&hop, &next_hop, sizeof(hop));
	assert_memory_equal(&from, &source, sizeof(from));
	assert_true(net_addr_is_ours(net, &from));
}

static void
expect_no_way(struct rill_addr dst, int rc)
{
	struct rill_addr hop, from;

	assert_int_equal(net_route(net, &dst, &hop, &from), rc);
}

static void
test_longest_prefix(void **state)
{
	struct rill_addr us = ip4(10, 0, 0, 1);

	net_begin(0);
	expect_way(ip4(10, 0, 0, 77), ip4(10, 0, 0, 77), us);
	expect_no_way(ip4(192, 0, 2, 1), -ENETUNREACH);
	assert_int_equal(route_add(ip4(0, 0, 0, 0), 0, ip4(10, 0, 0, 254)), 0);
	assert_int_equal(route_add(ip4(192, 0, 2, 99), 24, ip4(10, 0, 0, 253)), 0);
	assert_int_equal(route_add(ip4(192, 0, 2, 128), 25, ip4(10, 0, 0, 252)), 0);
	assert_int_equal(route_add(ip4(192, 0, 2, 129), 32, ip4(10, 0, 0, 251)), 0);
	expect_way(ip4(8, 8, 8, 8), ip4(10, 0, 0, 254), us);
	expect_way(ip4(192, 0, 2, 1), ip4(10, 0, 0, 253), us);
	expect_way(ip4(192, 0, 2, 130), ip4(10, 0, 0, 252), us);
	expect_way(ip4(192, 0, 2, 129), ip4(10, 0, 0, 251), us);
	expect_way(ip4(10, 0, 0, 77), ip4(10, 0, 0, 77), us);
	assert_int_equal(route_del(ip4(192, 0, 2, 129), 32), 0);
	expect_way(ip4(192, 0, 2, 129), ip4(10, 0, 0, 252), us);
	assert_int_equal(route_del(ip4(0, 0, 0, 0), 0), 0);
	expect_no_way(ip4(8, 8, 8, 8), -ENETUNREACH);
	net_end();
}

static void
test_no_destination(void **state)
{
	net_begin(0);
	assert_int_equal(route_add(ip4(0, 0, 0, 0), 0, ip4(10, 0, 0, 254)), 0);
	expect_no_way(ip4(10, 0, 0, 255), -EINVAL);
	expect_no_way(ip4(10, 0, 0, 0), -EINVAL);
	expect_no_way(ip4(255, 255, 255, 255), -EINVAL);
	expect_no_way(ip4(224, 0, 0, 1), -EINVAL);
	expect_no_way(ip4(127, 0, 0, 1), -EINVAL);
	expect_no_way(ip4(0, 0, 0, 0), -EINVAL);
	expect_no_way((struct rill_addr){.family = AF_INET6}, -EINVAL);
	expect_no_way(ip4(10, 0, 0, 1), -ENETUNREACH); /* ours: nothing loops back */
	net_end();
}

static int
gateway_add(uint8_t last, uint32_t metric)
{
	struct rill_prefix all = prefix(ip4(0, 0, 0, 0), 0);
	struct rill_addr via = ip4(10, 0, 0, last);

	return net_route_add(net, &all, &via, metric);
}

static int
gateway_del(uint8_t last)
{
	struct rill_prefix all = prefix(ip4(0, 0, 0, 0), 0);
	struct rill_addr via = ip4(10, 0, 0, last);

	return net_route_del(net, &all, &via);
}

/* Of several gateways to one network the lowest metric wins, whatever their order; each can go. */
static void
test_metrics(void **state)
{
	struct rill_addr us = ip4(10, 0, 0, 1), far = ip4(8, 8, 8, 8);

	net_begin(0);
	assert_int_equal(gateway_add(254, 10), 0);
	assert_int_equal(gateway_add(253, 5), 0);
	assert_int_equal(gateway_add(252, 20), 0);
	assert_int_equal(gateway_add(251, 5), -EEXIST); /* a metric twice, */
	assert_int_equal(gateway_add(253, 6), -EEXIST); /* a gateway twice */
	assert_int_equal(route_add(ip4(8, 0, 0, 0), 8, ip4(10, 0, 0, 250)), 0);
	expect_way(ip4(9, 9, 9, 9), ip4(10, 0, 0, 253), us);
	expect_way(far, ip4(10, 0, 0, 250), us); /* the longest prefix first */
	assert_int_equal(route_del(ip4(8, 0, 0, 0), 8), 0);
	expect_way(far, ip4(10, 0, 0, 253), us);
	assert_int_equal(gateway_del(251), -ENOENT);
	assert_int_equal(gateway_del(253), 0);
	expect_way(far, ip4(10, 0, 0, 254), us);
	assert_int_equal(gateway_del(252), 0);
	expect_way(far, ip4(10, 0, 0, 254), us);
	assert_int_equal(gateway_add(252, 0), 0);
	expect_way(far, ip4(10, 0, 0, 252), us);
	assert_int_equal(route_del(ip4(0, 0, 0, 0), 0), 0); /* all of them */
	expect_no_way(far, -ENETUNREACH);
	assert_int_equal(gateway_del(254), -ENOENT);
	assert_int_equal(net->gateways.count, 0);
	net_end();
}

/* Time passes, and what neighbours do not say is told; returns how often they are asked for this one. */
static unsigned int
pass(ustime us, struct rill_addr asked)
{
	unsigned int count = 0;

	for (ustime until = lnk.now + us; lnk.now < until; lnk.now += 1000) {
		struct wheel_node *due;
		struct rte_mbuf *mbuf;
		uint32_t index;
		enum neighbor_event event;

		while (wheel_expire(&lnk.wheel, lnk.now, &due, 1) == 1) {
			if (due->kind == NEIGHBOR_KIND)
				neighbor_timer(net_neighbors(net), due, lnk.now, &lnk.outbox);
			else
				net_announce_timer(net, due, lnk.now, &lnk.outbox);
		}
		while ((event = neighbors_next_event(net_neighbors(net), &index)) !=
			NEIGHBOR_EVENT_NONE)
			if (event == NEIGHBOR_EVENT_FAILED)
				net_neighbor_failed(net, index, lnk.now);
		while ((mbuf = link_take()) != NULL) {
			const struct arp_frame *frame = rte_pktmbuf_mtod(mbuf, struct arp_frame *);

			count += memcmp(&frame->arp.arp_data.arp_tip, asked.u.ip4, 4) == 0;
			rte_pktmbuf_free(mbuf);
		}
	}
	return count;
}

/* A gateway that keeps silent is passed over, and asked for now and then, until it answers; the last one
 * that is left is kept. */
static void
test_a_silent_gateway(void **state)
{
	struct rill_addr us = ip4(10, 0, 0, 1), far = ip4(8, 8, 8, 8);
	struct rill_addr first = ip4(10, 0, 0, 254), second = ip4(10, 0, 0, 253);
	struct rte_ether_addr mac = mac_of(9);
	uint32_t held;

	net_begin(0);
	assert_int_equal(gateway_add(254, 0), 0);
	assert_int_equal(gateway_add(253, 1), 0);
	held = neighbor_get(net_neighbors(net), &first, &us, true, lnk.now, &lnk.outbox);
	expect_way(far, first, us);
	pass(4 * USEC_PER_SEC, first);
	assert_int_equal(neighbor_at(net_neighbors(net), held)->state, NEIGHBOR_ABANDONED);
	expect_way(far, second, us);
	assert_in_range(pass(60 * USEC_PER_SEC, first), 20, 40);
	expect_way(far, second, us);
	/* The second falls silent, too: there is no other to go to. */
	neighbor_get(net_neighbors(net), &second, &us, true, lnk.now, &lnk.outbox);
	pass(10 * USEC_PER_SEC, first);
	expect_way(far, second, us);
	assert_int_equal(neighbors_state(net_neighbors(net), &second), NEIGHBOR_FAILED);
	/* The first one answers. */
	while (pass(1000, first) == 0)
		;
	assert_true(neighbor_learn(
		net_neighbors(net), &first, &mac, false, lnk.now, &lnk.outbox));
	pass(6 * USEC_PER_SEC, first);
	expect_way(far, first, us);
	assert_int_equal(pass(60 * USEC_PER_SEC, first), 0);
	neighbor_release(net_neighbors(net), held);
	net_end();
}

/* As many addresses as there may be, in one network and in many: each is ours, the neighbours are not,
 * and while they go, one by one, the rest stay ours, and the network lasts as long as one of them. */
static void
test_many_addresses(void **state)
{
	struct rill_addr addr, other;

	net_begin(0);
	addr = ip4(10, 0, 0, 1);
	assert_int_equal(net_addr_del(net, &addr), 0);
	for (uint32_t i = 0; i < RILL_ADDRS_MAX; i++)
		assert_int_equal(addr_add(ip4(10, 7, (uint8_t)(1 + i / 200), (uint8_t)(1 + i % 200)),
			i % 2 == 0 ? 16 : 24), 0);
	for (uint32_t i = 0; i < RILL_ADDRS_MAX; i++) {
		addr = ip4(10, 7, (uint8_t)(1 + i / 200), (uint8_t)(1 + i % 200));
		other = ip4(10, 7, (uint8_t)(3 + i / 200), (uint8_t)(1 + i % 200));
		assert_true(net_addr_is_ours(net, &addr));
		assert_false(net_addr_is_ours(net, &other));
		expect_no_way(addr, -ENETUNREACH);
	}
	/* the smaller network's first address; and the larger one's, beyond both smaller ones */
	expect_way(ip4(10, 7, 1, 250), ip4(10, 7, 1, 250), ip4(10, 7, 1, 2));
	expect_way(ip4(10, 7, 9, 9), ip4(10, 7, 9, 9), ip4(10, 7, 1, 1));
	expect_no_way(ip4(10, 7, 1, 255), -EINVAL);
	expect_no_way(ip4(10, 7, 255, 255), -EINVAL);
	for (uint32_t i = 0; i < RILL_ADDRS_MAX; i++) {
		addr = ip4(10, 7, (uint8_t)(1 + i / 200), (uint8_t)(1 + i % 200));
		assert_int_equal(net_addr_del(net, &addr), 0);
		assert_false(net_addr_is_ours(net, &addr));
		if (i + 2 < RILL_ADDRS_MAX) {
			other = ip4(10, 7, (uint8_t)(1 + (i + 2) / 200), (uint8_t)(1 + (i + 2) % 200));
			assert_true(net_addr_is_ours(net, &other));
			expect_no_way(ip4(10, 7, 255, 255), -EINVAL);
		}
	}
	expect_no_way(ip4(10, 7, 9, 9), -ENETUNREACH);
	net_end();
}

/* A /16 is ours as one address is, costs one comparison, and goes as a whole; what overlaps it, or does
 * not fit into its network, is refused. */
static void
test_a_range(void **state)
{
	struct rill_addr first = ip4(10, 1, 0, 1), last = ip4(10, 1, 255, 254), us = ip4(10, 0, 0, 1);
	struct rill_addr middle = ip4(10, 1, 99, 0), peer = ip4(10, 0, 0, 9);
	struct rill_addr beyond[] = {ip4(10, 1, 0, 0), ip4(10, 1, 255, 255), ip4(10, 2, 0, 1)};
	struct neighbor *neighbor;
	struct rte_ether_addr other = mac_of(7);

	net_begin(0);
	assert_int_equal(range_add(first, 16, 65534), -EINVAL);
	assert_int_equal(range_add(first, 16, UINT32_MAX), -EINVAL);
	assert_int_equal(range_add(ip4(10, 1, 0, 0), 16, 5), -EINVAL);
	assert_int_equal(range_add(ip4(9, 255, 255, 0), 4, 1u << 17), -EEXIST);
	assert_int_equal(range_add(first, 16, 65533), 0);
	assert_true(net_addr_is_ours(net, &first) && net_addr_is_ours(net, &middle) &&
		net_addr_is_ours(net, &last) && net_addr_is_ours(net, &us));
	for (size_t i = 0; i < RTE_DIM(beyond); i++)
		assert_false(net_addr_is_ours(net, &beyond[i]));
	assert_int_equal(net_addr_whose(net, &middle), ARP_OURS);
	assert_int_equal(addr_add(middle, 16), -EEXIST);
	assert_int_equal(range_add(ip4(10, 0, 255, 1), 8, 65535), -EEXIST);
	assert_int_equal(route_add(ip4(1, 0, 0, 0), 8, middle), -EINVAL);
	expect_no_way(middle, -ENETUNREACH);
	expect_no_way(ip4(10, 1, 255, 255), -EINVAL);
	/* A conflict about one of them is defended for that one. */
	assert_false(net_addr_claimed(net, &middle, &other, lnk.now, &lnk.outbox));
	assert_int_equal(link_flush(), 1);
	assert_memory_equal(&net_trouble(net)->addr, &middle, sizeof(middle));
	/* A neighbour that is asked for from one of them is asked for from none later. */
	neighbor = neighbor_at(net_neighbors(net), neighbor_get(net_neighbors(net), &peer, &middle,
							  true, lnk.now, &lnk.outbox));
	assert_int_equal(net_addr_del(net, &middle), -ENOENT);
	assert_int_equal(net_addr_del(net, &first), 0);
	assert_int_equal(neighbor->source.family, 0);
	assert_false(net_addr_is_ours(net, &first) || net_addr_is_ours(net, &middle));
	expect_no_way(middle, -ENETUNREACH);
	for (uint8_t i = 0; i < RILL_RANGES_MAX; i++)
		assert_int_equal(range_add(ip4(10, 2, i, 1), 24, 9), 0);
	assert_int_equal(range_add(ip4(10, 3, 0, 1), 24, 9), -ENOBUFS);
	assert_int_equal(addr_add(ip4(10, 3, 0, 1), 24), 0);
	net_end();
}

static void
test_refused_addresses_and_routes(void **state)
{
	struct rill_addr gateway = ip4(10, 0, 0, 254), six = {.family = AF_INET6};
	struct rill_addr ours = ip4(10, 0, 0, 1), other = ip4(10, 0, 0, 9);

	net_begin(0);
	assert_int_equal(addr_add(ip4(10, 0, 0, 1), 16), -EEXIST);
	assert_int_equal(addr_add(ip4(10, 0, 1, 1), 0), -EINVAL);
	assert_int_equal(addr_add(ip4(10, 0, 1, 1), 33), -EINVAL);
	assert_int_equal(addr_add(six, 24), -EINVAL);
	assert_int_equal(addr_add(ip4(10, 0, 1, 255), 24), -EINVAL);
	assert_int_equal(addr_add(ip4(10, 0, 1, 0), 24), -EINVAL);
	assert_int_equal(addr_add(ip4(127, 0, 0, 1), 8), -EINVAL);
	assert_int_equal(addr_add(ip4(239, 0, 0, 1), 24), -EINVAL);
	for (uint32_t i = 1; i < RILL_ADDRS_MAX; i++)
		assert_int_equal(addr_add(ip4(10, 1, (uint8_t)i, 1), 24), 0);
	assert_int_equal(addr_add(ip4(10, 2, 0, 1), 24), -ENOBUFS);
	assert_int_equal(net_addr_del(net, &other), -ENOENT);
	assert_int_equal(net_addr_del(net, &six), -ENOENT);

	assert_int_equal(route_add(ip4(10, 0, 0, 0), 24, gateway), -EEXIST); /* connected */
	assert_int_equal(route_del(ip4(10, 0, 0, 0), 24), -ENOENT);
	assert_int_equal(route_add(ip4(1, 0, 0, 0), 8, ip4(11, 0, 0, 1)), -EINVAL);
	assert_int_equal(route_add(ip4(1, 0, 0, 0), 8, ip4(10, 0, 0, 255)), -EINVAL);
	assert_int_equal(route_add(ip4(1, 0, 0, 0), 8, ours), -EINVAL);
	assert_int_equal(route_add(ip4(1, 0, 0, 0), 33, gateway), -EINVAL);
	assert_int_equal(route_add(six, 8, gateway), -EINVAL);
	assert_int_equal(route_add(ip4(1, 0, 0, 0), 8, six), -EINVAL);
	for (uint32_t i = 0; i < ROUTES_MAX; i++)
		assert_int_equal(
			route_add(ip4(20, (uint8_t)i, (uint8_t)(i * 3), 0), 24, gateway), 0);
	assert_int_equal(route_add(ip4(1, 0, 0, 0), 8, gateway), -ENOBUFS);
	assert_int_equal(route_add(ip4(20, 1, 3, 0), 24, gateway), -EEXIST);
	expect_way(ip4(20, 5, 15, 9), gateway, ours);
	assert_int_equal(route_del(ip4(20, 5, 15, 0), 24), 0);
	assert_int_equal(route_del(ip4(20, 5, 15, 0), 24), -ENOENT);
	assert_int_equal(route_add(ip4(1, 0, 0, 0), 8, gateway), 0);
	net_end();
}

/* Two addresses on one network, one nested in another, and what is left when they go. */
static void
test_several_addresses(void **state)
{
	struct rill_addr first = ip4(10, 0, 0, 1), second = ip4(10, 0, 0, 2),
			 inner = ip4(10, 0, 0, 129);

	net_begin(0);
	assert_int_equal(addr_add(second, 24), 0);
	assert_int_equal(addr_add(inner, 25), 0);
	assert_int_equal(route_add(ip4(9, 0, 0, 0), 8, ip4(10, 0, 0, 3)), 0);
	assert_int_equal(route_add(ip4(0, 0, 0, 0), 0, ip4(10, 0, 0, 130)), 0);
	assert_true(net_addr_is_ours(net, &second) && net_addr_is_ours(net, &inner));
	expect_way(ip4(10, 0, 0, 50), ip4(10, 0, 0, 50), first);
	expect_way(ip4(10, 0, 0, 200), ip4(10, 0, 0, 200), inner);
	assert_int_equal(net_addr_del(net, &first), 0);
	assert_false(net_addr_is_ours(net, &first));
	expect_way(ip4(10, 0, 0, 50), ip4(10, 0, 0, 50), second);
	expect_way(ip4(9, 9, 9, 9), ip4(10, 0, 0, 3), second);
	/* With its network, a gateway goes to rest: the shorter prefix serves. */
	assert_int_equal(net_addr_del(net, &second), 0);
	expect_way(ip4(9, 9, 9, 9), ip4(10, 0, 0, 130), inner);
	expect_way(ip4(10, 0, 0, 50), ip4(10, 0, 0, 130), inner);
	assert_int_equal(net_addr_del(net, &inner), 0);
	expect_no_way(ip4(9, 9, 9, 9), -ENETUNREACH);
	assert_int_equal(addr_add(first, 24), 0);
	expect_way(ip4(9, 9, 9, 9), ip4(10, 0, 0, 3), first);
	net_end();
}

static void
test_broadcast_forms(void **state)
{
	static const struct {
		uint8_t addr[4], len, dst[4];
		bool unicast;
	} rows[] = {
		{{10, 9, 2, 7}, 23, {10, 9, 3, 255}, false},
		{{10, 9, 2, 7}, 23, {10, 9, 2, 0}, false},
		{{10, 9, 2, 7}, 23, {10, 9, 2, 255}, true},
		{{10, 9, 2, 7}, 23, {10, 9, 3, 0}, true},
		{{10, 9, 2, 6}, 30, {10, 9, 2, 7}, false},
		{{10, 9, 2, 6}, 30, {10, 9, 2, 4}, false},
		{{10, 9, 2, 6}, 30, {10, 9, 2, 5}, true},
		{{10, 9, 2, 6}, 31, {10, 9, 2, 7}, true}, /* [3021] */
		{{10, 9, 2, 6}, 31, {10, 9, 2, 6}, true},
		{{10, 9, 2, 6}, 32, {10, 9, 2, 6}, true},
		{{10, 9, 2, 6}, 8, {10, 255, 255, 255}, false},
	};

	for (size_t i = 0; i < RTE_DIM(rows); i++) {
		struct rill_addr addr = {.family = AF_INET}, dst = {.family = AF_INET};

		memcpy(addr.u.ip4, rows[i].addr, 4);
		memcpy(dst.u.ip4, rows[i].dst, 4);
		net_begin(0);
		assert_int_equal(addr_add(addr, rows[i].len), 0);
		assert_int_equal(net_addr_is_unicast(net, &dst), rows[i].unicast);
		net_end();
	}
}

/* Single addresses, of which a client may have hundreds, cost packets nothing. */
static void
test_only_networks_with_broadcast_addresses_are_walked(void **state)
{
	struct rill_addr middle = ip4(10, 9, 2, 7), end = ip4(10, 9, 2, 255);
	unsigned int added = 0;

	net_begin(0);
	for (uint8_t i = 1; i < 200; i++) {
		if (i == 100)
			assert_int_equal(addr_add(middle, 24), 0);
		else
			added += addr_add(ip4(10, 10, i, 1), 31 + i % 2) == 0;
	}
	assert_int_equal(added, 198);
	assert_int_equal(net->broadcast_count, 2);
	assert_false(net_addr_is_unicast(net, &end));
	assert_int_equal(net_addr_del(net, &middle), 0);
	assert_int_equal(net->broadcast_count, 1);
	assert_true(net_addr_is_unicast(net, &end));
	net_end();
}

static unsigned int
fire(void)
{
	struct wheel_node *due[8];
	unsigned int n = wheel_expire(&lnk.wheel, lnk.now, due, 8);

	for (unsigned int i = 0; i < n; i++) {
		assert_int_equal(due[i]->kind, ANNOUNCE_KIND);
		net_announce_timer(net, due[i], lnk.now, &lnk.outbox);
	}
	return n;
}

static void
test_announcements(void **state)
{
	struct rill_addr us = ip4(10, 0, 0, 1);
	struct arp_frame want;
	struct wheel_node *due[8];

	net_begin(0);
	want = arp_frame(RTE_ARP_OP_REQUEST, mac_of(1), mac_broadcast, us, mac_zero, us);
	lnk.now += 8;
	fire();
	expect_frame(&want, sizeof(want));
	lnk.now += 2 * USEC_PER_SEC - 8;
	fire();
	expect_silence();
	lnk.now += 16;
	fire();
	expect_frame(&want, sizeof(want));
	lnk.now += 3600ull * USEC_PER_SEC;
	assert_int_equal(fire(), 0);
	expect_silence();
	assert_int_equal(addr_add(ip4(10, 0, 0, 2), 24), 0);
	us = ip4(10, 0, 0, 2);
	lnk.now += 8;
	assert_int_equal(wheel_expire(&lnk.wheel, lnk.now, due, 8), 1);
	assert_int_equal(net_addr_del(net, &us), 0); /* gone between firing and its turn */
	net_announce_timer(net, due[0], lnk.now, &lnk.outbox);
	expect_silence();
	net_end();
	link_reset(false, 0);
	net = net_make();
	assert_int_equal(addr_add(ip4(10, 0, 0, 2), 24), 0);
	assert_int_equal(lnk.wheel.armed, 0); /* bare IP has no ARP */
	net_end();
}

/* The link was down, say: an address is announced twice more. */
static void
test_announcements_begin_anew(void **state)
{
	struct rill_addr us = ip4(10, 0, 0, 1);
	struct arp_frame want;

	net_begin(0);
	want = arp_frame(RTE_ARP_OP_REQUEST, mac_of(1), mac_broadcast, us, mac_zero, us);
	lnk.now += USEC_PER_SEC;
	fire(); /* and it is half-way through the first time */
	link_flush();
	lnk.now += USEC_PER_SEC;
	net_announce_all(net, lnk.now);
	lnk.now += 8;
	for (int i = 0; i < 2; i++, lnk.now += 2 * USEC_PER_SEC + 8) {
		fire();
		expect_frame(&want, sizeof(want));
		expect_silence();
	}
	fire();
	expect_silence();
	lnk.netif.silent = true; /* another lane does */
	net_announce_all(net, lnk.now);
	lnk.now += USEC_PER_SEC;
	assert_int_equal(fire(), 0);
	net_end();
}

/* A neighbour that is being asked for is no longer asked from an address that was taken away. */
static void
test_requests_come_from_ours(void **state)
{
	struct rill_addr us = ip4(10, 0, 0, 1), none = ip4(0, 0, 0, 0), peer = ip4(10, 0, 0, 9);
	struct wheel_node *due[8];
	struct arp_frame want;

	net_begin(0);
	neighbor_get(net_neighbors(net), &peer, &us, true, lnk.now, &lnk.outbox);
	link_flush();
	assert_int_equal(net_addr_del(net, &us), 0);
	lnk.now += USEC_PER_SEC + 8;
	assert_int_equal(wheel_expire(&lnk.wheel, lnk.now, due, 8), 1);
	assert_int_equal(due[0]->kind, NEIGHBOR_KIND);
	neighbor_timer(net_neighbors(net), due[0], lnk.now, &lnk.outbox);
	want = arp_frame(RTE_ARP_OP_REQUEST, mac_of(1), mac_broadcast, none, mac_zero, peer);
	expect_frame(&want, sizeof(want));
	net_end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_longest_prefix),
		cmocka_unit_test(test_no_destination),
		cmocka_unit_test(test_metrics),
		cmocka_unit_test(test_a_silent_gateway),
		cmocka_unit_test(test_many_addresses),
		cmocka_unit_test(test_a_range),
		cmocka_unit_test(test_refused_addresses_and_routes),
		cmocka_unit_test(test_several_addresses),
		cmocka_unit_test(test_broadcast_forms),
		cmocka_unit_test(test_only_networks_with_broadcast_addresses_are_walked),
		cmocka_unit_test(test_announcements),
		cmocka_unit_test(test_announcements_begin_anew),
		cmocka_unit_test(test_requests_come_from_ours),
	};

	return cmocka_run_group_tests(tests, packets_start, packets_end);
}
