/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * counts WORK N: does N pieces of a kind of work on one lane, with injected secrets and time, so
 * that it is the same to the instruction. Only rill_lane_turn and rill_lane_take, and the
 * application's callbacks in them, are counted by callgrind (--collect-atstart=no); the peer, who
 * crafts the frames, is not. See perf/counts.sh.
 *
 *   echo        a message of 64 bytes on one connection and its echo, each in a turn of its own
 *   echo_burst  the same on 64 connections, all in one turn
 *   connection  SYN to the last ACK: opened, a request, a response, closed by the peer
 *   bulk_in     a segment of 1448 bytes received, 32 in a turn
 *   bulk_out    a segment of 1448 bytes sent, acknowledged in pairs, as far as a window of 64 goes
 *
 * and echo_burst_ip6 and connection_ip6, which are the same over IPv6.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rill/rill.h>
#include <rte_eal.h>
#include <rte_mbuf.h>
#include <valgrind/callgrind.h>

#include "frames.h"
#include "wire.h"

#define MESSAGE_BYTES 64
#define SEGMENT_BYTES 1448 /* with timestamps, of 1500 */
#define ECHO_PORT 7000
#define SINK_PORT 7001
#define SOURCE_PORT 7002
#define FIRST_PORT 1024
#define FLOWS 64
#define BULK_BURST 32
#define SNDBUF 262144
#define STEP_US 20
#define OUT_MAX 256

/* The peer's side of a connection: the next segment that it sends, and what it heard. */
struct flow {
	struct wire next, heard;
	unsigned int frames; /* that the lane sent */
	uint64_t bytes;      /* of data in them */
};

static struct rill_lane *lane;
static struct rte_mempool *pool;
static bool ip6;
static uint64_t now = 1000000, sunk;
static struct flow flows[FLOWS];
static struct rte_mbuf *burst[RILL_BURST_MAX];
static unsigned int burst_count;
static const uint8_t data[SEGMENT_BYTES];

static void
die(const char *what)
{
	fprintf(stderr, "counts: %s\n", what);
	exit(1);
}

/* ---- applications */

static void
echo_data(struct rill_conn *conn, struct rte_mbuf *mbuf)
{
	if (rill_send(conn, mbuf) != 0)
		die("rill_send refused an echo");
}

static void
close_at_eof(struct rill_conn *conn)
{
	rill_close(conn);
}

static void
sink_data(struct rill_conn *conn, struct rte_mbuf *mbuf)
{
	sunk += mbuf->pkt_len;
	rte_pktmbuf_free(mbuf);
}

/* Keeps the send queue full. */
static void
fill(struct rill_conn *conn, uint32_t acked)
{
	struct rte_mbuf *mbuf;

	while (rill_send_room(conn) >= SEGMENT_BYTES) {
		if (rill_buf_alloc(lane, SEGMENT_BYTES, &mbuf) != 0)
			die("no buffer");
		rte_pktmbuf_append(mbuf, SEGMENT_BYTES);
		if (rill_send(conn, mbuf) != 0)
			die("rill_send refused though there is room");
	}
}

static void
fill_first(struct rill_conn *conn)
{
	fill(conn, 0);
}

static const struct rill_handler echo = {.on_data = echo_data, .on_eof = close_at_eof},
				 sink = {.on_data = sink_data},
				 source = {.on_data = sink_data,
					 .on_open = fill_first,
					 .on_sent = fill};

/* ---- the peer */

static void
hear(struct rte_mbuf *frame)
{
	static uint8_t bytes[FRAME_MAX];
	size_t len = frame_bytes(frame, bytes);
	struct wire wire;
	struct flow *flow;

	rte_pktmbuf_free(frame);
	if (wire_read(bytes, len, &wire) != NULL)
		die("the lane sent nonsense");
	flow = &flows[(wire.dport - FIRST_PORT) % FLOWS];
	flow->heard = wire;
	flow->frames++;
	flow->bytes += wire.len;
	flow->next.tsecr = wire.tsval;
}

/* One turn with the frames that were said. */
static void
turn(bool counted)
{
	struct rte_mbuf *out[OUT_MAX];
	unsigned int n;

	now += STEP_US;
	if (counted)
		CALLGRIND_TOGGLE_COLLECT;
	rill_lane_turn(lane, now, burst, burst_count);
	n = rill_lane_take(lane, out, OUT_MAX);
	if (counted)
		CALLGRIND_TOGGLE_COLLECT;
	burst_count = 0;
	for (unsigned int i = 0; i < n; i++)
		hear(out[i]);
}

static void
say(struct flow *flow, uint8_t flags, uint32_t len)
{
	uint8_t bytes[WIRE_HEADERS_MAX + SEGMENT_BYTES];

	flow->next.flags = flags;
	flow->next.tsval = (uint32_t)(now / 1000);
	flow->next.data = data;
	flow->next.len = len;
	burst[burst_count++] = frame_from_bytes(pool, bytes, wire_write(bytes, &flow->next));
	flow->next.seq += len + ((flags & (SYN | FIN)) != 0);
}

/* The handshake, up to its last ACK: said, and its turn still to come. */
static void
open_flow(struct flow *flow, uint16_t sport, uint16_t dport, bool counted)
{
	*flow = (struct flow){.next = {.ip6 = ip6,
				      .saddr = 0xc0000202,
				      .daddr = 0xc0000201,
				      .sport = sport,
				      .dport = dport,
				      .seq = 1000u * sport,
				      .wnd = 65535,
				      .mss = 1460,
				      .wscale = 7,
				      .has = HAS_MSS | HAS_SACK_OK | HAS_TS | HAS_WSCALE}};
	say(flow, SYN, 0);
	turn(counted);
	if (!(flow->heard.flags & SYN))
		die("no SYN,ACK");
	flow->next.has = HAS_TS;
	flow->next.ack = flow->heard.seq + 1;
	flow->next.wnd = 1024; /* 128 KiB */
	say(flow, ACK, 0);
}

/* ---- work: returns how much was done */

static unsigned int
do_echoes(unsigned int n, unsigned int at_once)
{
	unsigned int rounds = n / at_once;

	for (unsigned int i = 0; i < at_once; i++) {
		open_flow(&flows[i], (uint16_t)(FIRST_PORT + i), ECHO_PORT, false);
		turn(false);
		flows[i].bytes = 0;
	}
	for (unsigned int round = 0; round < rounds; round++) {
		for (unsigned int i = 0; i < at_once; i++)
			say(&flows[i], ACK | PSH, MESSAGE_BYTES);
		turn(true);
		for (unsigned int i = 0; i < at_once; i++)
			flows[i].next.ack = flows[i].heard.seq + flows[i].heard.len;
	}
	for (unsigned int i = 0; i < at_once; i++)
		if (flows[i].bytes != (uint64_t)rounds * MESSAGE_BYTES)
			die("not every message was echoed");
	return rounds * at_once;
}

static unsigned int
do_echo(unsigned int n)
{
	return do_echoes(n, 1);
}

static unsigned int
do_echo_burst(unsigned int n)
{
	return do_echoes(n, FLOWS);
}

static unsigned int
do_connection(unsigned int n)
{
	struct rill_stats stats;

	for (unsigned int i = 0; i < n; i++) {
		struct flow *flow = &flows[i % FLOWS];

		open_flow(flow, (uint16_t)(FIRST_PORT + i % 32768), ECHO_PORT, true);
		say(flow, ACK | PSH, MESSAGE_BYTES);
		turn(true);
		flow->next.ack += MESSAGE_BYTES;
		say(flow, ACK | FIN, 0);
		turn(true);
		if (!(flow->heard.flags & FIN) || flow->bytes != MESSAGE_BYTES)
			die("a connection did not answer and close");
		flow->next.ack++;
		say(flow, ACK, 0);
		turn(true);
	}
	rill_lane_stats_read(lane, &stats);
	if (stats.conns != 0)
		die("a connection is left");
	return n;
}

static unsigned int
do_bulk_in(unsigned int n)
{
	unsigned int rounds = n / BULK_BURST;

	open_flow(&flows[0], FIRST_PORT, SINK_PORT, false);
	turn(false);
	for (unsigned int round = 0; round < rounds; round++) {
		for (unsigned int i = 0; i < BULK_BURST; i++)
			say(&flows[0], ACK, SEGMENT_BYTES);
		turn(true);
	}
	if (sunk != (uint64_t)rounds * BULK_BURST * SEGMENT_BYTES)
		die("not every byte arrived");
	return rounds * BULK_BURST;
}

static unsigned int
do_bulk_out(unsigned int n)
{
	struct flow *flow = &flows[0];
	uint32_t end;

	open_flow(flow, FIRST_PORT, SOURCE_PORT, false);
	turn(false);
	for (unsigned int warm = 0; warm < 2; warm++) { /* until the window is open */
		for (unsigned int i = 0; i < FLOWS; i++) {
			flow->next.ack = flow->heard.seq + flow->heard.len;
			say(flow, ACK, 0);
			turn(false);
		}
	}
	flow->bytes = 0;
	while (flow->bytes < (uint64_t)n * SEGMENT_BYTES) {
		end = flow->heard.seq + flow->heard.len;
		while (end != flow->next.ack) {
			flow->next.ack += RTE_MIN(end - flow->next.ack, 2u * SEGMENT_BYTES);
			say(flow, ACK, 0);
		}
		if (burst_count == 0)
			die("nothing is sent");
		turn(true);
	}
	return (unsigned int)(flow->bytes / SEGMENT_BYTES);
}

static const struct {
	const char *name;
	unsigned int (*work)(unsigned int n);
	bool ip6;
} works[] = {
	{"echo", do_echo, false},
	{"echo_burst", do_echo_burst, false},
	{"echo_burst_ip6", do_echo_burst, true},
	{"connection", do_connection, false},
	{"connection_ip6", do_connection, true},
	{"bulk_in", do_bulk_in, false},
	{"bulk_out", do_bulk_out, false},
};

/* ---- the lane */

/* Without hugepages, be there some: valgrind has no room for what EAL reserves with them. */
static void
eal_up(void)
{
	char *args[] = {"counts", "--no-huge", "--no-pci", "--no-shconf", "--no-telemetry",
		"--log-level=*:warning", "--lcores=0@(0-1)", "-m", "512"};

	if (rte_eal_init(RTE_DIM(args), args) < 0)
		die("EAL does not start");
}

static void
listen_on(uint16_t port, const struct rill_handler *handler)
{
	struct rill_listener *listener;
	struct rill_options options;

	rill_options_default(&options);
	options.sndbuf = SNDBUF;
	if (rill_lane_listen(lane, NULL, port, &options, handler, NULL, &listener) != 0)
		die("no listener");
}

static void
lane_up(void)
{
	static const uint8_t secret[RILL_SECRET_LEN] = "instructions do not jitter";
	struct rill_lane_config config;

	rill_lane_config_default(&config);
	config.ethernet = false;
	rill_prefix_parse("192.0.2.1/24", &config.addrs[0]);
	rill_prefix_parse("2001:db8::c000:201/64", &config.addrs[1]);
	config.addrs_count = 2;
	config.limits.max_conns = 1024;
	config.limits.buffers = 2048;
	config.secret = secret;
	config.name = "counts";
	config.numa_node = -1;
	if (rill_lane_create(&config, &lane) != 0)
		die(rill_error());
	pool = frames_pool("counts_in", 1024);
	listen_on(ECHO_PORT, &echo);
	listen_on(SINK_PORT, &sink);
	listen_on(SOURCE_PORT, &source);
}

int
main(int argc, char **argv)
{
	if (argc != 3 || atoi(argv[2]) < FLOWS) {
		fprintf(stderr, "usage: counts WORK N, with N of %u at least\n", FLOWS);
		return 2;
	}
	for (unsigned int i = 0; i < RTE_DIM(works); i++) {
		if (strcmp(works[i].name, argv[1]) != 0)
			continue;
		ip6 = works[i].ip6;
		eal_up();
		lane_up();
		printf("%u\n", works[i].work((unsigned int)atoi(argv[2])));
		rill_lane_destroy(lane);
		return 0;
	}
	fprintf(stderr, "counts: %s: there is no such work\n", argv[1]);
	return 2;
}
