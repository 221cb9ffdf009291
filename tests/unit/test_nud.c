/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The neighbour cache in IPv6: how a neighbour is found, kept, doubted and given up [4861 7.2, 7.3],
 * and what an advertisement does in each state.
 */
#include "links.h"

#include "ip6.h"
#include "ndp.h"
#include "neighbor_inner.h"

#define TIMER_KIND 7
#define SECOND ((ustime)USEC_PER_SEC)

static struct neighbors *neighbors;
static struct rill_addr us, peer;

static struct rill_addr
ip6(uint16_t last)
{
	return (struct rill_addr){.family = AF_INET6,
		.u.ip6 = {0x20, 1, 0xd, 0xb8, [14] = (uint8_t)(last >> 8), (uint8_t)last}};
}

static void
begin(void)
{
	link_reset(true, 0);
	us = ip6(1);
	peer = ip6(2);
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
advance(ustime us_more)
{
	ustime until = lnk.now + us_more;

	while (lnk.now < until) {
		ustime next = RTE_MIN(wheel_next(&lnk.wheel), until);
		struct wheel_node *due;

		lnk.now = RTE_MAX(next, lnk.now + 1);
		while (wheel_expire(&lnk.wheel, lnk.now, &due, 1) == 1)
			neighbor_timer(neighbors, due, lnk.now, &lnk.outbox);
	}
}

static struct neighbor *
get(struct rill_addr addr, bool hold)
{
	uint32_t index = neighbor_get(neighbors, &addr, &us, hold, lnk.now, &lnk.outbox);

	assert_int_not_equal(index, SLAB_NONE);
	return neighbor_at(neighbors, index);
}

static void
output(struct rill_addr addr, char byte)
{
	uint32_t index = neighbor_get(neighbors, &addr, &us, false, lnk.now, &lnk.outbox);

	neighbor_output(neighbors, index, packets_make(&byte, 1), lnk.now, &lnk.outbox);
}

static void
advert(uint8_t mac, bool solicited, bool override)
{
	struct neighbor_advert said = {.addr = peer,
		.has_mac = mac != 0,
		.mac = mac_of(mac),
		.solicited = solicited,
		.override = override};

	assert_true(neighbor_advertised(neighbors, &said, lnk.now, &lnk.outbox));
}

/* A solicitation for an address, to its group or to a MAC. */
static void
expect_solicit(struct rill_addr target, struct rte_ether_addr dst)
{
	struct rte_mbuf *mbuf = link_take();
	const uint8_t *bytes;

	assert_non_null(mbuf);
	assert_int_equal(mbuf->pkt_len, 86);
	bytes = rte_pktmbuf_mtod(mbuf, const uint8_t *);
	assert_memory_equal(bytes, &dst, 6);
	assert_memory_equal(bytes + 14 + 8, us.u.ip6, 16);
	assert_int_equal(bytes[54], NDP_SOLICIT);
	assert_memory_equal(bytes + 62, target.u.ip6, 16);
	assert_memory_equal(bytes + 78, ((uint8_t[]){1, 1, 2, 0, 0, 0, 0, 1}), 8);
	rte_pktmbuf_free(mbuf);
}

static void
expect_multicast_solicit(struct rill_addr target)
{
	uint8_t group[16];

	ip6_solicited_node(group, target.u.ip6);
	expect_solicit(target, ip6_group_mac(group));
}

static void
expect_packet(uint8_t mac, char byte)
{
	struct rte_ether_hdr want[2] = {
		{mac_of(mac), mac_of(1), rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6)}};

	((char *)want)[sizeof(want[0])] = byte;
	expect_frame(want, sizeof(want[0]) + 1);
}

/* A neighbour that was found just now. */
static struct neighbor *
reachable(bool hold)
{
	struct neighbor *neighbor = get(peer, hold);

	expect_multicast_solicit(peer);
	advert(2, true, true);
	assert_int_equal(neighbor->state, NEIGHBOR_REACHABLE);
	return neighbor;
}

static struct neighbor *
stale(bool hold)
{
	struct neighbor *neighbor = reachable(hold);

	advance(NEIGHBOR6_REACHABLE_US + 8);
	assert_int_equal(neighbor->state, NEIGHBOR_STALE);
	expect_silence();
	return neighbor;
}

/* Three solicitations to the group, a second apart; then those who wait hear of it [RFC4861-6], and
 * what waited is bounded, the newest kept [RFC4861-7]. */
static void
test_resolution(void **state)
{
	enum neighbor_event event;
	uint32_t index;

	begin();
	for (char byte = 0; byte < 100; byte++)
		output(peer, byte);
	assert_int_equal(lnk.counters.drops[RILL_DROP_neighbor_queue], 100 - NEIGHBOR_QUEUE);
	for (unsigned int i = 0; i < 3; i++) {
		expect_multicast_solicit(peer);
		expect_silence();
		advance(SECOND - 16);
		expect_silence();
		advance(16 + 8);
	}
	assert_int_equal(lnk.counters.drops[RILL_DROP_neighbor_failed], NEIGHBOR_QUEUE);
	event = neighbors_next_event(neighbors, &index);
	assert_int_equal(event, NEIGHBOR_EVENT_FAILED);
	end();
	begin();
	for (char byte = 0; byte < 9; byte++)
		output(peer, byte);
	expect_multicast_solicit(peer);
	advert(2, true, true);
	for (char byte = 9 - NEIGHBOR_QUEUE; byte < 9; byte++)
		expect_packet(2, byte);
	expect_silence();
	end();
}

/* REACHABLE, STALE, and when it is used again DELAY and three unicast probes; what an upper layer
 * sees arrive makes all that needless [RFC4861-12], and nothing asks more than once a second
 * [RFC4861-13]. */
static void
test_unreachability_detection(void **state)
{
	struct neighbor *neighbor;

	begin();
	neighbor = reachable(true);
	advance(NEIGHBOR6_REACHABLE_US - 16);
	assert_int_equal(neighbor->state, NEIGHBOR_REACHABLE);
	advance(32);
	assert_int_equal(neighbor->state, NEIGHBOR_STALE);
	advance(1000 * SECOND); /* nobody sends: nobody asks */
	assert_int_equal(neighbor->state, NEIGHBOR_STALE);
	expect_silence();
	output(peer, 7);
	expect_packet(2, 7);
	assert_int_equal(neighbor->state, NEIGHBOR_DELAY);
	advance(NEIGHBOR_DELAY_US - 16);
	expect_silence();
	advance(32);
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(neighbor->state, NEIGHBOR_PROBE);
		expect_solicit(peer, mac_of(2));
		expect_silence();
		output(peer, 8); /* it is still sent to */
		expect_packet(2, 8);
		advance(SECOND);
	}
	expect_multicast_solicit(peer); /* it may have another MAC now */
	assert_int_equal(neighbor->state, NEIGHBOR_INCOMPLETE);
	end();
}

static void
test_progress_is_confirmation(void **state)
{
	struct neighbor *neighbor;

	begin();
	neighbor = reachable(true);
	for (unsigned int i = 0; i < 1000; i++) { /* a long transfer */
		neighbor->used = true;
		neighbor_confirm(neighbor);
		advance(SECOND);
		assert_int_equal(neighbor->state, NEIGHBOR_REACHABLE);
	}
	expect_silence();
	advance(2 * NEIGHBOR6_REACHABLE_US); /* it is over */
	assert_int_equal(neighbor->state, NEIGHBOR_STALE);
	assert_true(neighbor_is_ready(neighbors, neighbor, lnk.now));
	assert_int_equal(neighbor->state, NEIGHBOR_DELAY);
	neighbor_confirm(neighbor);
	advance(NEIGHBOR_DELAY_US + 8);
	assert_int_equal(neighbor->state, NEIGHBOR_REACHABLE);
	advance(2 * NEIGHBOR6_REACHABLE_US);
	assert_true(neighbor_is_ready(neighbors, neighbor, lnk.now));
	advance(NEIGHBOR_DELAY_US + 8);
	expect_solicit(peer, mac_of(2));
	neighbor_confirm(neighbor); /* while it is being probed */
	advance(SECOND);
	assert_int_equal(neighbor->state, NEIGHBOR_REACHABLE);
	expect_silence();
	end();
}

/* Who suspects it, and how often, makes no difference [RFC4861-13]. */
static void
test_no_more_than_one_a_second(void **state)
{
	struct neighbor *neighbor;
	uint32_t index, asked = 0;

	begin();
	neighbor = reachable(true);
	index = (uint32_t)(neighbor - neighbor_at(neighbors, 0));
	advance(SECOND);
	for (unsigned int i = 0; i < 1000; i++) {
		neighbor_suspect(neighbors, index, lnk.now, &lnk.outbox);
		if (i % 7 == 0)
			advert(2, true, true);
		advance(10000);
		asked += link_flush();
	}
	assert_in_range(asked, 9, 11);
	end();
}

/* The table of [4861 7.2.5] and appendix C: state, MAC, solicited, override; what comes of it
 * [RFC4861-10]. A MAC of 0 is none. */
static void
test_what_an_advertisement_does(void **state)
{
	static const struct {
		enum neighbor_state from;
		uint8_t mac;
		bool solicited, override;
		enum neighbor_state to;
		uint8_t then;
	} rows[] = {
		{NEIGHBOR_INCOMPLETE, 0, true, true, NEIGHBOR_INCOMPLETE, 0},
		{NEIGHBOR_INCOMPLETE, 2, false, false, NEIGHBOR_STALE, 2},
		{NEIGHBOR_INCOMPLETE, 2, false, true, NEIGHBOR_STALE, 2},
		{NEIGHBOR_INCOMPLETE, 2, true, false, NEIGHBOR_REACHABLE, 2},
		{NEIGHBOR_REACHABLE, 2, false, false, NEIGHBOR_REACHABLE, 2},
		{NEIGHBOR_REACHABLE, 3, false, false, NEIGHBOR_STALE, 2},
		{NEIGHBOR_REACHABLE, 3, true, false, NEIGHBOR_STALE, 2},
		{NEIGHBOR_REACHABLE, 3, false, true, NEIGHBOR_STALE, 3},
		{NEIGHBOR_REACHABLE, 0, false, true, NEIGHBOR_REACHABLE, 2},
		{NEIGHBOR_STALE, 3, true, false, NEIGHBOR_STALE, 2},
		{NEIGHBOR_STALE, 3, false, false, NEIGHBOR_STALE, 2},
		{NEIGHBOR_STALE, 3, false, true, NEIGHBOR_STALE, 3},
		{NEIGHBOR_STALE, 2, false, true, NEIGHBOR_STALE, 2},
		{NEIGHBOR_STALE, 2, true, true, NEIGHBOR_STALE, 2}, /* nobody had asked */
		{NEIGHBOR_DELAY, 2, false, true, NEIGHBOR_DELAY, 2},
		{NEIGHBOR_DELAY, 3, false, false, NEIGHBOR_DELAY, 2},
		{NEIGHBOR_DELAY, 3, false, true, NEIGHBOR_STALE, 3},
		{NEIGHBOR_PROBE, 2, true, true, NEIGHBOR_REACHABLE, 2},
		{NEIGHBOR_PROBE, 2, true, false, NEIGHBOR_REACHABLE, 2},
		{NEIGHBOR_PROBE, 0, true, false, NEIGHBOR_REACHABLE, 2},
		{NEIGHBOR_PROBE, 3, true, true, NEIGHBOR_REACHABLE, 3},
		{NEIGHBOR_PROBE, 3, true, false, NEIGHBOR_PROBE, 2},
		{NEIGHBOR_PROBE, 3, false, true, NEIGHBOR_STALE, 3},
		{NEIGHBOR_PROBE, 2, false, true, NEIGHBOR_PROBE, 2},
	};

	for (size_t i = 0; i < RTE_DIM(rows); i++) {
		struct neighbor *neighbor;

		begin();
		neighbor = rows[i].from == NEIGHBOR_INCOMPLETE ? get(peer, true)
			   : rows[i].from == NEIGHBOR_REACHABLE ? reachable(true)
								: stale(true);
		if (rows[i].from >= NEIGHBOR_DELAY)
			neighbor_is_ready(neighbors, neighbor, lnk.now);
		if (rows[i].from == NEIGHBOR_PROBE)
			advance(NEIGHBOR_DELAY_US + 8);
		assert_int_equal(neighbor->state, rows[i].from);
		advert(rows[i].mac, rows[i].solicited, rows[i].override);
		if (neighbor->state != rows[i].to || neighbor->header[5] != rows[i].then)
			fail_msg("row %zu: state %u, MAC %u", i, neighbor->state, neighbor->header[5]);
		end();
	}
}

/* A solicitation's sender is known, and doubted at its first use. */
static void
test_hints(void **state)
{
	struct rte_ether_addr mac = mac_of(2), other = mac_of(3);
	struct neighbor *neighbor;

	begin();
	assert_true(neighbor_hinted(neighbors, &peer, &mac, lnk.now, &lnk.outbox));
	neighbor = get(peer, true);
	assert_int_equal(neighbor->state, NEIGHBOR_STALE);
	expect_silence();
	output(peer, 1);
	expect_packet(2, 1);
	assert_int_equal(neighbor->state, NEIGHBOR_DELAY);
	assert_true(neighbor_hinted(neighbors, &peer, &mac, lnk.now, &lnk.outbox));
	assert_int_equal(neighbor->state, NEIGHBOR_DELAY); /* nothing new */
	assert_true(neighbor_hinted(neighbors, &peer, &other, lnk.now, &lnk.outbox));
	assert_int_equal(neighbor->state, NEIGHBOR_STALE);
	output(peer, 2);
	expect_packet(3, 2);
	end();
}

/*
 * Who claims a million addresses displaces his own claims, and nothing that was used: the cache is
 * bounded, what is held and what was resolved stays [RFC4861-15] [ATK-40].
 */
static void
test_a_flood_of_claims(void **state)
{
	struct rte_ether_addr mac = mac_of(9);
	struct neighbor *held, *resolved;

	begin();
	held = reachable(true);
	resolved = get(ip6(3), false);
	neighbor_advertised(neighbors,
		&(struct neighbor_advert){.addr = ip6(3), .has_mac = true, .mac = mac_of(3)},
		lnk.now, &lnk.outbox);
	for (uint32_t i = 0; i < 1000000; i++) {
		struct rill_addr addr = ip6((uint16_t)i);

		memcpy(addr.u.ip6 + 4, &i, sizeof(i));
		addr.u.ip6[8] = 1;
		assert_true(neighbor_hinted(neighbors, &addr, &mac, lnk.now, &lnk.outbox));
	}
	assert_int_equal(neighbors_count(neighbors), NEIGHBORS_MAX);
	assert_true(get(peer, false) == held && held->header[5] == 2);
	assert_true(get(ip6(3), false) == resolved && resolved->header[5] == 3);
	advance(2 * NEIGHBOR_STALE_US); /* and they are forgotten */
	assert_in_range(neighbors_count(neighbors), 1, 2);
	end();
}

/* Who does not know the secret cannot tell which addresses are found in one place. */
static void
test_places_depend_on_the_secret(void **state)
{
	struct siphash_key key = {3, 4};
	struct neighbors *other;
	struct rill_addr addr;
	unsigned int moved = 0;

	begin();
	other = neighbors_create(&lnk.netif, &lnk.wheel, TIMER_KIND, &key, SOCKET_ID_ANY);
	for (uint16_t i = 1; i <= 100; i++) {
		addr = ip6(i);
		neighbor_get(neighbors, &addr, &us, false, lnk.now, &lnk.outbox);
		neighbor_get(other, &addr, &us, false, lnk.now, &lnk.outbox);
	}
	for (unsigned int i = 0; i < NEIGHBOR_BUCKETS; i++)
		moved += neighbors->buckets[i] != other->buckets[i];
	assert_in_range(moved, 150, 200); /* each in two places, but for what falls together */
	neighbors_destroy(other);
	end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resolution),
		cmocka_unit_test(test_unreachability_detection),
		cmocka_unit_test(test_progress_is_confirmation),
		cmocka_unit_test(test_no_more_than_one_a_second),
		cmocka_unit_test(test_what_an_advertisement_does),
		cmocka_unit_test(test_hints),
		cmocka_unit_test(test_a_flood_of_claims),
		cmocka_unit_test(test_places_depend_on_the_secret),
	};

	return cmocka_run_group_tests(tests, packets_start, packets_end);
}
