/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Thousands of peers that hold a lane's memory and give nothing back: they never open their windows, so
 * that what is echoed to them stays queued; they send one-byte segments at every second offset, so that
 * each pins a buffer; and some talk to an application that keeps what it is given and never consumes.
 * The lane has a NIC's pool with a reserve. What is pinned has a bound, by the options of connections
 * or by the reserve; others go on; a zero window that answers probes is no reason to end a connection;
 * and when the application gives the holders up, every buffer comes back.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <rill/rill.h>
#include <rte_common.h>
#include <rte_eal.h>

#include "family.h"
#include "frames.h"
#include "lane.h"
#include "netif.h"
#include "wire.h"

#define LANE_ADDR 0xc0000201u
#define PEERS_ADDR 0x0b000000u
#define PEERS_MAX 10100u
#define RX_RESERVE 256u
#define BURST 64u
#define ROUNDS 24u
#define TURN_US 500u
#define GOOD 16u
#define KEEPERS 4u
#define PIECE 500u /* bytes of a segment of data */
#define ECHO_PORT 80
#define SINK_PORT 81
#define KEEP_PORT 82
#define HOARD_PORT 83

/* A peer as bytes: numbers are absolute. */
struct peer {
	uint16_t port;
	uint32_t nxt;     /* what the lane acknowledges; of a good peer, what it has sent */
	uint32_t ack;     /* what the lane has sent, in order */
	uint16_t lane_wnd;
	uint32_t echoed;  /* bytes of data from the lane */
	bool open, reset;
};

static struct rill_lane *lane;
static struct rte_mempool *rx, *buffers, *controls;
static uint32_t caps = NETIF_TX_CHAINS;
static struct peer peers[PEERS_MAX];
static uint64_t now = 1000000;
static struct rte_mbuf *in[BURST];
static unsigned int in_count;
static struct rte_mbuf *kept;
static uint64_t sunk;
static uint32_t most_rx, most_buffers;
static const uint8_t bytes[PIECE];

/* ---- applications */

static void
echo_data(struct rill_conn *conn, struct rte_mbuf *data)
{
	if (rill_send(conn, data) == 0)
		return;
	rte_pktmbuf_free(data);
	rill_pause(conn); /* it reads no more */
}

static void
sink_data(struct rill_conn *conn, struct rte_mbuf *data)
{
	sunk += data->pkt_len;
	rte_pktmbuf_free(data);
}

static void
keep_data(struct rill_conn *conn, struct rte_mbuf *data)
{
	rte_pktmbuf_lastseg(data)->next = kept;
	kept = data;
}

static void
kept_free(void)
{
	while (kept != NULL) {
		struct rte_mbuf *next = kept->next;

		kept->next = NULL;
		kept->nb_segs = 1;
		rte_pktmbuf_free(kept);
		kept = next;
	}
}

static const struct rill_handler echo = {.on_data = echo_data}, sink = {.on_data = sink_data},
	keeper = {.on_data = keep_data}, hoarder = {.on_data = keep_data};

/* ---- the wire */

/* What the lane says to a peer: acknowledged by the next segment of that peer. */
static void
peer_hears(const struct wire *wire)
{
	struct peer *peer = &peers[wire->daddr - PEERS_ADDR];

	assert_true(wire->daddr - PEERS_ADDR < PEERS_MAX);
	if (wire->flags & RST) {
		peer->reset = true;
		return;
	}
	if (wire->flags & SYN) {
		peer->open = true;
		peer->ack = wire->seq + 1;
	}
	if (wire->flags & SYN || (int32_t)(wire->ack - peer->nxt) > 0)
		peer->nxt = wire->ack;
	peer->lane_wnd = wire->wnd;
	if (wire->len > 0 && wire->seq == peer->ack) {
		peer->ack += wire->len;
		peer->echoed += wire->len;
	}
}

static void
turn(void)
{
	static uint8_t packet[FRAME_MAX];
	struct rte_mbuf *frame;

	now += TURN_US;
	rill_lane_turn(lane, now, in, in_count);
	in_count = 0;
	while (rill_lane_take(lane, &frame, 1) == 1) {
		struct wire wire;

		assert_null(wire_read(packet, frame_bytes(frame, packet), &wire));
		peer_hears(&wire);
		rte_pktmbuf_free(frame);
	}
	most_rx = RTE_MAX(most_rx, rte_mempool_in_use_count(rx));
	most_buffers = RTE_MAX(most_buffers, rte_mempool_in_use_count(buffers));
}

static void
says(unsigned int number, uint8_t flags, uint32_t ahead, uint32_t len, uint16_t wnd)
{
	static uint8_t packet[WIRE_HEADERS_MAX + PIECE];
	struct peer *peer = &peers[number];
	struct wire wire = {.ip6 = family_is_ip6(), .saddr = PEERS_ADDR + number, .daddr = LANE_ADDR, .sport = 1024,
		.dport = peer->port, .flags = flags, .seq = peer->nxt + ahead,
		.ack = flags & ACK ? peer->ack : 0, .wnd = wnd, .ttl = 64, .data = bytes, .len = len};

	if (flags & SYN)
		wire.has = HAS_MSS, wire.mss = 1460;
	in[in_count++] = frame_from_bytes(rx, packet, wire_write(packet, &wire));
	if (in_count == BURST)
		turn();
}

static void
peers_open(unsigned int first, unsigned int count, uint16_t port, uint16_t wnd)
{
	for (unsigned int i = first; i < first + count; i++) {
		peers[i] = (struct peer){.port = port, .nxt = i * 100003u};
		says(i, SYN, 0, 0, wnd);
	}
	turn();
	for (unsigned int i = first; i < first + count; i++) {
		assert_true(peers[i].open);
		says(i, ACK, 0, 0, wnd);
	}
	turn();
}

/* The peers that mean well each send a piece, and the next one after it. */
static void
good_round(unsigned int first)
{
	for (unsigned int i = first; i < first + GOOD; i++) {
		says(i, ACK | PSH, 0, PIECE, 65535);
		peers[i].nxt += PIECE;
	}
	turn();
}

/* ---- the lane */

static void
lane_up(uint32_t rx_count, uint32_t buffers_count, int32_t queue)
{
	static const uint8_t secret[RILL_SECRET_LEN] = "holders of memory";
	static struct rill_options options;
	static char *eal[] = {"test_holders", "--no-huge", "--no-pci", "--no-shconf", "--no-telemetry",
		"--iova-mode=va", "-m", "256", "-l", "0"};
	static bool started;
	struct rill_listener *listener;
	struct lane_setup setup = {.netif_caps = caps, .tx_chain_max = 8,
		.rx_reserve = RX_RESERVE, .now = now};

	if (!started)
		assert_true(rte_eal_init((int)RTE_DIM(eal), eal) >= 0);
	started = true;
	setup.rx_pool = rx = frames_pool("rx", rx_count);
	setup.buf_pool = buffers = frames_pool("buffers", buffers_count);
	setup.control_pool = controls = frames_pool("controls", 2048);
	rill_options_default(&options);
	options.rcvbuf = options.sndbuf = queue;
	options.backlog = PEERS_MAX;
	rill_lane_config_default(&setup.config);
	setup.config.ethernet = false;
	setup.config.mtu = family_mtu(0);
	setup.config.options = &options;
	setup.config.secret = secret;
	setup.config.name = "holders";
	setup.config.limits = (struct rill_limits){.max_conns = PEERS_MAX, .timewait_max = 16,
		.syn_max = PEERS_MAX, .sidecars = PEERS_MAX, .bbrs = 16, .records = 32768,
		.buffers = buffers_count, .msl_ms = 30000};
	setup.config.addrs[0] = family_prefix("192.0.2.1/24");
	setup.config.addrs_count = 1;
	*(family_is_ip6() ? &setup.config.gateway6 : &setup.config.gateway) =
		family_addr("192.0.2.254");
	assert_int_equal(lane_create(&setup, &lane), 0);
	assert_int_equal(rill_lane_listen(lane, NULL, ECHO_PORT, NULL, &echo, NULL, &listener), 0);
	assert_int_equal(rill_lane_listen(lane, NULL, SINK_PORT, NULL, &sink, NULL, &listener), 0);
	assert_int_equal(rill_lane_listen(lane, NULL, HOARD_PORT, NULL, &hoarder, NULL, &listener), 0);
	options.manual_consume = 1;
	assert_int_equal(rill_lane_listen(lane, NULL, KEEP_PORT, &options, &keeper, NULL, &listener), 0);
	most_rx = most_buffers = 0;
	sunk = 0;
}

static void
give_up(struct rill_conn *conn, void *arg)
{
	rill_abort(conn);
}

/* What the application gives up is free; nothing else is missing. */
static void
lane_down(void)
{
	struct rill_stats stats;

	rill_lane_each(lane, give_up, NULL);
	for (unsigned int i = 0; i < 100; i++)
		turn();
	rill_lane_stats_read(lane, &stats);
	assert_int_equal(stats.conns + stats.sidecars + stats.records, 0);
	kept_free();
	lane_destroy(lane);
	assert_int_equal(rte_mempool_in_use_count(rx), 0);
	assert_int_equal(rte_mempool_in_use_count(buffers), 0);
	assert_int_equal(rte_mempool_in_use_count(controls), 0);
	rte_mempool_free(rx);
	rte_mempool_free(buffers);
	rte_mempool_free(controls);
}

/* Every holder sends what pins most: data in order, and single bytes beyond holes. */
static void
holders_round(unsigned int first, unsigned int count, unsigned int round)
{
	for (unsigned int i = first; i < first + count; i++) {
		if (round % 2 == 0)
			says(i, ACK | PSH, 0, PIECE, 0);
		else
			says(i, ACK, 1 + 2 * round, 1, 0);
	}
	turn();
}

/* Minutes go by in which holders acknowledge every probe, and open nothing. */
static void
holders_wait(unsigned int first, unsigned int count)
{
	for (unsigned int minute = 0; minute < 5; minute++) {
		now += 60000000;
		for (unsigned int i = 0; i < count / LANE_TIMERS_PER_TURN + 2; i++)
			turn();
		for (unsigned int i = first; i < first + count; i++)
			says(i, ACK, 0, 0, 0);
		turn();
	}
}

/* [ATK-24, ATK-44] */
static void
test_queues_bound_what_holders_pin(void **state)
{
	/* EACH: buffers to send, and four times the receive queue's bytes for kept data and for islands. */
	enum { HOLDERS = 4000, QUEUE = 2048, EACH = 4 + 3 + 3 };
	const unsigned int good = HOLDERS, keepers = HOLDERS + GOOD;
	struct rill_stats stats;

	lane_up(HOLDERS * EACH + 4096, 4096, QUEUE);
	peers_open(0, HOLDERS, ECHO_PORT, 0);
	peers_open(good, GOOD, ECHO_PORT, 65535);
	peers_open(keepers, KEEPERS, KEEP_PORT, 65535);
	for (unsigned int round = 0; round < ROUNDS; round++) {
		holders_round(0, HOLDERS, round);
		for (unsigned int i = keepers; i < keepers + KEEPERS; i++)
			if (peers[i].lane_wnd >= PIECE)
				says(i, ACK, 0, PIECE, 65535);
		good_round(good);
		for (unsigned int i = good; i < good + GOOD; i++)
			assert_int_equal(peers[i].echoed, (round + 1) * PIECE);
	}
	printf("%u buffers pinned at most by %u holders\n", most_rx, (unsigned int)HOLDERS);
	assert_true(most_rx <= HOLDERS * EACH);
	for (unsigned int i = keepers; i < keepers + KEEPERS; i++)
		assert_true(peers[i].lane_wnd < PIECE);
	holders_wait(0, HOLDERS);
	rill_lane_stats_read(lane, &stats);
	assert_int_equal(stats.conns, HOLDERS + GOOD + KEEPERS);
	assert_true(stats.window_probes >= HOLDERS);
	assert_int_equal(stats.drops[RILL_DROP_no_mbuf], 0);
	lane_down();
}

/* [ATK-24, ATK-44] Pools far too small for what the options allow: the reserve stays free. */
static void
test_the_reserve_outlasts_holders(void **state)
{
	enum { HOLDERS = 10000, RX = 4096, BUFFERS = 2048 };
	const unsigned int good = HOLDERS, late = HOLDERS + GOOD;
	struct rill_stats stats;

	lane_up(RX, BUFFERS, 262144);
	peers_open(0, HOLDERS, ECHO_PORT, 0);
	peers_open(good, GOOD, SINK_PORT, 65535);
	for (unsigned int round = 0; round < ROUNDS; round++) {
		holders_round(0, HOLDERS, round);
		good_round(good);
	}
	printf("%u of %u NIC buffers, %u of %u others in use at most\n", most_rx, (unsigned int)RX,
		most_buffers, (unsigned int)BUFFERS);
	/* A turn that begins above the reserve keeps one burst at most. */
	assert_true(most_rx <= RX - RX_RESERVE + BURST);
	assert_true(most_rx >= RX - RX_RESERVE - BURST);
	assert_true(most_buffers <= BUFFERS - BUFFERS / 16);
	assert_int_equal(sunk, GOOD * ROUNDS * PIECE);
	peers_open(late, GOOD, SINK_PORT, 65535); /* who comes now is served as well */
	good_round(late);
	assert_int_equal(sunk, GOOD * (ROUNDS + 1) * PIECE);
	rill_lane_stats_read(lane, &stats);
	assert_true(stats.drops[RILL_DROP_tcp_rcv_reserve] > 0);
	assert_int_equal(stats.conns, HOLDERS + 2 * GOOD);
	lane_down();
}

/* Two buffers, which leave in one segment. */
static void
send_two(struct rill_conn *conn, void *arg)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct rte_mbuf *data;

		assert_int_equal(rill_buf_alloc(lane, 100, &data), 0);
		assert_non_null(rte_pktmbuf_append(data, 100));
		assert_int_equal(rill_send(conn, data), 0);
	}
}

/* Urgent data is queued whole or not at all. */
static void
send_urgent(struct rill_conn *conn, void *arg)
{
	static const uint8_t urgent[1 << 20];
	uint32_t *total = arg, before = rill_send_room(conn), taken = 0;

	for (uint32_t len = sizeof(urgent); len > 0 && taken == 0; len -= 1024)
		if (rill_send_urgent(conn, urgent, len) == 0)
			taken = len;
	assert_int_equal(before - rill_send_room(conn), taken);
	*total += taken;
}

/*
 * [ATK-24] A port that takes no chains: what was sent was copied, and as long as it waits for the NIC
 * these copies are missing in the pool that applications write into, between turns as well.
 */
static void
test_copies_for_the_port_are_not_given_twice(void **state)
{
	enum { CONNS = 100, BUFFERS = 512 };
	uint32_t total = 0;

	caps = 0;
	lane_up(2048, BUFFERS, 1 << 20);
	peers_open(0, CONNS, SINK_PORT, 65535);
	rill_lane_each(lane, send_two, NULL);
	now += TURN_US;
	rill_lane_turn(lane, now, NULL, 0);
	assert_int_equal(rte_mempool_in_use_count(buffers), 3 * CONNS);
	rill_lane_each(lane, send_urgent, &total);
	assert_true(total > 0);
	lane_down();
	caps = NETIF_TX_CHAINS;
}

/*
 * [ATK-24] An application that keeps all that it is given, and calls it read: half of the reserve is
 * left to the NIC. ACKs arrive, connections open, and when it lets go all is as before.
 */
static void
test_the_reserve_outlasts_an_application_that_keeps_everything(void **state)
{
	enum { HOARDERS = 64, RX = 2048, BUFFERS = 512, OFTEN = 200 };
	const unsigned int good = HOARDERS, late = good + GOOD;
	struct rill_stats stats;

	lane_up(RX, BUFFERS, 262144);
	peers_open(0, HOARDERS, HOARD_PORT, 65535);
	peers_open(good, GOOD, ECHO_PORT, 65535);
	good_round(good);
	for (unsigned int round = 0; round < OFTEN; round++) {
		for (unsigned int i = 0; i < HOARDERS; i++)
			says(i, ACK | PSH, 0, PIECE, 65535);
		turn();
	}
	assert_true(most_rx > RX - RX_RESERVE);
	assert_true(most_rx <= RX - RX_RESERVE / 2);
	rill_lane_stats_read(lane, &stats);
	assert_true(stats.drops[RILL_DROP_tcp_rcv_reserve] > 0);
	assert_true(stats.records > 0);
	for (unsigned int i = good; i < good + GOOD; i++)
		says(i, ACK, 0, 0, 65535);
	turn();
	rill_lane_stats_read(lane, &stats);
	assert_int_equal(stats.records, 0);
	peers_open(late, GOOD, SINK_PORT, 65535);
	kept_free();
	good_round(good);
	for (unsigned int i = good; i < good + GOOD; i++)
		assert_int_equal(peers[i].echoed, 2 * PIECE);
	lane_down();
}

/* So many buffers of a pool, linked. */
static struct rte_mbuf *
taken_from(struct rte_mempool *pool, unsigned int n)
{
	struct rte_mbuf *all = NULL;

	for (; n > 0; n--) {
		struct rte_mbuf *mbuf = rte_pktmbuf_alloc(pool);

		assert_non_null(mbuf);
		mbuf->next = all;
		all = mbuf;
	}
	return all;
}

/* A chain that begins in the lane's own pool and ends in the NIC's. */
static void
send_joined(struct rill_conn *conn, void *arg)
{
	struct rte_mbuf *data, *tail = rte_pktmbuf_alloc(rx);
	unsigned int before = rte_mempool_in_use_count(rx);

	assert_int_equal(rill_buf_alloc(lane, 100, &data), 0);
	assert_non_null(rte_pktmbuf_append(data, 100));
	assert_non_null(rte_pktmbuf_append(tail, 100));
	assert_int_equal(rte_pktmbuf_chain(data, tail), 0);
	assert_int_equal(rill_send(conn, data), 0);
	assert_int_equal(rte_mempool_in_use_count(rx), before - 1);
}

/* [ATK-24] Any buffer of the NIC's in a chain that is to wait counts, not just its first. */
static void
test_joined_chains_pin_nothing_of_the_reserve(void **state)
{
	enum { RX = 1024 };

	lane_up(RX, 512, 262144);
	peers_open(0, 1, SINK_PORT, 65535);
	kept = taken_from(rx, RX - RX_RESERVE * 3 / 4);
	turn();
	rill_lane_each(lane, send_joined, NULL);
	lane_down();
}

/* The application has taken the whole pool itself. */
static void
send_urgent_without(struct rill_conn *conn, void *arg)
{
	struct rte_mbuf *all = taken_from(buffers, rte_mempool_avail_count(buffers));

	assert_int_equal(rill_send_urgent(conn, bytes, PIECE), -ENOBUFS);
	rte_pktmbuf_free(all);
	assert_int_equal(rill_send_urgent(conn, bytes, PIECE), 0);
}

static void
test_urgent_data_without_a_buffer_left_is_refused(void **state)
{
	lane_up(1024, 512, 262144);
	peers_open(0, 1, SINK_PORT, 65535);
	rill_lane_each(lane, send_urgent_without, NULL);
	turn();
	assert_int_equal(peers[0].echoed, PIECE);
	lane_down();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_queues_bound_what_holders_pin),
		cmocka_unit_test(test_the_reserve_outlasts_holders),
		cmocka_unit_test(test_copies_for_the_port_are_not_given_twice),
		cmocka_unit_test(test_the_reserve_outlasts_an_application_that_keeps_everything),
		cmocka_unit_test(test_joined_chains_pin_nothing_of_the_reserve),
		cmocka_unit_test(test_urgent_data_without_a_buffer_left_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
