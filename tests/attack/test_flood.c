/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A flood of a million SYNs from forged sources, 100,000 in each second of the virtual clock, upon a lane
 * that meanwhile serves 100 clients of another lane: each connects at a time of its own and has its data
 * echoed. None is lost, one that was there before is served all the time, what the flood makes the lane
 * keep is bounded and constant, and nobody is sent more than the bound for what he sent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <rill/rill.h>
#include <rte_malloc.h>

#include "family.h"
#include "frames.h"
#include "wire.h"

#define SYNS 1000000u
#define BURST 64u
#define TURN_US 640u /* 64 SYNs in this time: 100,000 a second */
#define CLIENTS 100u
#define MESSAGE 3000u
#define SERVER_ADDR 0xc0000201u
#define CLIENT_ADDR 0xc0000202u
#define PORT 80
#define BACKLOG 256
#define WINDOW_FRAMES 4096

struct client {
	struct rill_conn *conn;
	unsigned int opened, closed, rounds; /* rounds: messages that came back whole */
	uint32_t received;
};

static struct rill_lane *server, *origin;
static struct rte_mempool *pool;
static struct client clients[CLIENTS];
static uint64_t now = 1000000;
static uint64_t flood_answers;
static const uint8_t secret[RILL_SECRET_LEN] = "a flood of SYNs";
static uint8_t message[MESSAGE];

/* ---- applications */

static void
server_data(struct rill_conn *conn, struct rte_mbuf *data)
{
	if (rill_send(conn, data) != 0)
		rte_pktmbuf_free(data);
}

static void
server_eof(struct rill_conn *conn)
{
	rill_close(conn);
}

static const struct rill_handler server_handler = {.on_data = server_data, .on_eof = server_eof};

static void
client_open(struct rill_conn *conn)
{
	struct client *client = rill_conn_user(conn);

	client->opened++;
	assert_int_equal(rill_write(conn, message, MESSAGE), MESSAGE);
}

static void
client_data(struct rill_conn *conn, struct rte_mbuf *data)
{
	struct client *client = rill_conn_user(conn);

	client->received += data->pkt_len;
	rte_pktmbuf_free(data);
	if (client->received < (client->rounds + 1) * MESSAGE)
		return;
	client->rounds++;
	if (client == &clients[0]) /* it goes on for as long as the flood lasts */
		assert_int_equal(rill_write(conn, message, MESSAGE), MESSAGE);
}

static void
client_close(struct rill_conn *conn, enum rill_close_reason why)
{
	struct client *client = rill_conn_user(conn);

	client->closed++;
	client->conn = NULL;
}

static const struct rill_handler client_handler = {
	.on_open = client_open, .on_data = client_data, .on_close = client_close};

/* ---- lanes and the wire between them */

static struct rill_lane *
lane_up(const char *name, const char *addr)
{
	struct rill_lane_config config;
	struct rill_lane *lane;

	rill_lane_config_default(&config);
	config.ethernet = false;
	config.addrs[0] = family_prefix(addr);
	config.addrs_count = 1;
	config.mtu = family_mtu(0);
	*(family_is_ip6() ? &config.gateway6 : &config.gateway) = family_addr("192.0.2.254");
	config.limits.max_conns = 1024;
	config.limits.syn_max = 1024;
	config.limits.buffers = 4096;
	config.secret = secret;
	config.name = name;
	config.numa_node = -1;
	assert_int_equal(rill_lane_create(&config, &lane), 0);
	return lane;
}

/* Frames to the other lane are copied into in[]; others, to the forged sources, are counted. */
static unsigned int
carry(struct rill_lane *from, struct rte_mbuf *in[], unsigned int room)
{
	static uint8_t bytes[FRAME_MAX];
	struct rte_mbuf *frame;
	unsigned int n = 0;

	while (n < room && rill_lane_take(from, &frame, 1) == 1) {
		size_t len = frame_bytes(frame, bytes);
		struct wire wire;

		rte_pktmbuf_free(frame);
		assert_null(wire_read(bytes, len, &wire));
		if (wire.daddr == SERVER_ADDR || wire.daddr == CLIENT_ADDR)
			in[n++] = frame_from_bytes(pool, bytes, len);
		else
			flood_answers++;
	}
	return n;
}

/* What is on its way arrives: one round trip. */
static void
both_turn(void)
{
	struct rte_mbuf *in[RILL_BURST_MAX];

	rill_lane_turn(origin, now, in, carry(server, in, RILL_BURST_MAX));
	rill_lane_turn(server, now, in, carry(origin, in, RILL_BURST_MAX));
}

/* ---- the flood */

static struct rte_mbuf *
forged_syn(uint32_t n)
{
	static uint8_t packet[WIRE_HEADERS_MAX];
	uint32_t hash = n * 2654435761u;
	struct wire wire = {.ip6 = family_is_ip6(), .saddr = 0x0b000000u + (hash & 0xffffff), .daddr = SERVER_ADDR,
		.sport = (uint16_t)(1024 + n % 60000), .dport = PORT, .flags = SYN, .seq = hash,
		.wnd = 65535, .ttl = 64, .has = n % 2 ? HAS_MSS | HAS_TS | HAS_WSCALE | HAS_SACK_OK : HAS_MSS,
		.mss = 1460, .wscale = 7, .tsval = n};

	return frame_from_bytes(pool, packet, wire_write(packet, &wire));
}

static void
flood_turn(uint32_t first)
{
	struct rte_mbuf *in[RILL_BURST_MAX];

	for (uint32_t i = 0; i < BURST; i++)
		in[i] = forged_syn(first + i);
	rill_lane_turn(server, now, in, BURST);
}

static void
client_connects(unsigned int i)
{
	struct rill_endpoint to = {.addr = family_addr_of(SERVER_ADDR), .port = PORT};

	assert_int_equal(rill_connect(origin, NULL, &to, NULL, &client_handler, &clients[i],
		&clients[i].conn), 0);
}

static size_t
heap_in_use(void)
{
	struct rte_malloc_socket_stats heap;

	assert_int_equal(rte_malloc_get_socket_stats(0, &heap), 0);
	return heap.heap_allocsz_bytes;
}

static struct rill_stats
server_stats(void)
{
	struct rill_stats stats;

	assert_int_equal(rill_lane_stats_read(server, &stats), 0);
	return stats;
}

static void
lanes_up(void)
{
	struct rill_listener *listener;
	struct rill_options options;

	server = lane_up("server", "192.0.2.1/24");
	origin = lane_up("origin", "192.0.2.2/24");
	pool = frames_pool("flood_frames", WINDOW_FRAMES);
	rill_options_default(&options);
	options.backlog = BACKLOG;
	assert_int_equal(rill_lane_listen(server, NULL, PORT, &options, &server_handler, NULL, &listener), 0);
	client_connects(0);
	for (unsigned int i = 0; i < 3; i++)
		both_turn();
	assert_int_equal(clients[0].opened, 1);
}

/* [RFC4987-1, RFC4987-2, RFC4987-7, ATK-22, ATK-41] half-open entries have at most 128 bytes (conn.h) */
static void
test_a_million_syns_keep_nobody_out(void **state)
{
	struct rill_stats seen;
	uint32_t most_buffers = 0;
	unsigned int next = 1;
	size_t heap;

	lanes_up();
	heap = heap_in_use();
	for (uint32_t n = 0; n < SYNS; n += BURST) {
		flood_turn(n);
		if (next < CLIENTS && n >= (uint64_t)SYNS * next / CLIENTS)
			client_connects(next++);
		both_turn();
		seen = server_stats();
		assert_true(seen.syn_received <= BACKLOG);
		most_buffers = seen.mbufs > most_buffers ? seen.mbufs : most_buffers;
		now += TURN_US;
	}
	for (unsigned int i = 0; i < 10; i++, now += TURN_US)
		both_turn();
	for (unsigned int i = 0; i < CLIENTS; i++) {
		assert_int_equal(clients[i].opened, 1);
		assert_int_equal(clients[i].closed, 0);
		assert_true(clients[i].rounds >= 1);
	}
	seen = server_stats();
	/* Not one was held up, to be repeated; and the first was served in every turn. */
	assert_int_equal(seen.passive_opens, CLIENTS);
	assert_true(seen.syn_cookies_good >= CLIENTS / 2);
	assert_true(clients[0].rounds > SYNS / BURST / 2);
	assert_true(seen.syn_cookies_sent > SYNS / 2);
	assert_int_equal(heap_in_use(), heap);
	assert_true(most_buffers <= 64 + 2 * CLIENTS);
	/* One SYN,ACK for a SYN, and one more for those that were kept. */
	assert_true(flood_answers <= SYNS + seen.retransmits);
	assert_true(seen.retransmits <= SYNS / 100);
	printf("%u cookies sent, %u good; %u SYNs kept at most; %u buffers in use at most\n",
		(unsigned int)seen.syn_cookies_sent, (unsigned int)seen.syn_cookies_good, BACKLOG,
		most_buffers);
	rill_lane_destroy(origin);
	rill_lane_destroy(server);
	assert_int_equal(rte_mempool_in_use_count(pool), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_million_syns_keep_nobody_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
