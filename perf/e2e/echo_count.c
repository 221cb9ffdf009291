/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * echo_count N: N echoes of 64 bytes on one connection of one lane, with injected secrets and time, so
 * that the work is the same to the instruction. Only rill_lane_turn and rill_lane_take are counted by
 * callgrind (--collect-atstart=no); the peer, who crafts the frames, is not. See perf/echo_count.sh.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rill/rill.h>
#include <rte_mbuf.h>
#include <valgrind/callgrind.h>

#include "frames.h"
#include "wire.h"

#define MESSAGE_BYTES 64
#define PORT 7000
#define STEP_US 20

static struct {
	struct rill_lane *lane;
	struct rte_mempool *pool;
	uint64_t now;
	struct wire heard;      /* the last frame of the lane */
	unsigned int frames;    /* that it sent */
	uint64_t bytes_echoed;
} bench = {.now = 1000000};

static void
die(const char *what)
{
	fprintf(stderr, "echo_count: %s\n", what);
	exit(1);
}

static void
on_data(struct rill_conn *conn, struct rte_mbuf *data)
{
	if (rill_send(conn, data) != 0)
		die("rill_send refused an echo");
}

static const struct rill_handler handler = {.on_data = on_data};

static void
hear(struct rte_mbuf *frame)
{
	static uint8_t bytes[FRAME_MAX];
	size_t len = frame_bytes(frame, bytes);

	rte_pktmbuf_free(frame);
	if (wire_read(bytes, len, &bench.heard) != NULL)
		die("the lane sent nonsense");
	bench.frames++;
	bench.bytes_echoed += bench.heard.len;
}

static void
say(const struct wire *wire, bool counted)
{
	uint8_t bytes[WIRE_HEADERS_MAX + MESSAGE_BYTES];
	struct rte_mbuf *in = frame_from_bytes(bench.pool, bytes, wire_write(bytes, wire)), *out[8];
	unsigned int n;

	if (counted)
		CALLGRIND_TOGGLE_COLLECT;
	rill_lane_turn(bench.lane, bench.now += STEP_US, &in, 1);
	n = rill_lane_take(bench.lane, out, 8);
	if (counted)
		CALLGRIND_TOGGLE_COLLECT;
	for (unsigned int i = 0; i < n; i++)
		hear(out[i]);
}

static void
lane_up(void)
{
	static const uint8_t secret[RILL_SECRET_LEN] = "instructions do not jitter";
	struct rill_lane_config config;
	struct rill_listener *listener;

	rill_lane_config_default(&config);
	config.ethernet = false;
	rill_prefix_parse("192.0.2.1/24", &config.addrs[0]);
	config.addrs_count = 1;
	config.limits.max_conns = 1024;
	config.limits.buffers = 2048;
	config.secret = secret;
	config.name = "echo_count";
	config.numa_node = -1;
	if (rill_lane_create(&config, &bench.lane) != 0)
		die(rill_error());
	bench.pool = frames_pool("echo_count_in", 256);
	if (rill_lane_listen(bench.lane, NULL, PORT, NULL, &handler, NULL, &listener) != 0)
		die("no listener");
}

int
main(int argc, char **argv)
{
	unsigned int messages = argc > 1 ? (unsigned int)atoi(argv[1]) : 10000;
	uint8_t data[MESSAGE_BYTES];
	struct wire wire = {.saddr = 0xc0000202, .daddr = 0xc0000201, .sport = 40000, .dport = PORT,
		.flags = SYN, .seq = 999, .wnd = 65535, .mss = 1460, .wscale = 7,
		.has = HAS_MSS | HAS_SACK_OK | HAS_TS | HAS_WSCALE, .tsval = 1};

	memset(data, 'x', sizeof(data));
	lane_up();
	say(&wire, false);
	wire.flags = ACK;
	wire.has = HAS_TS;
	wire.seq = 1000;
	wire.ack = bench.heard.seq + 1;
	wire.tsecr = bench.heard.tsval;
	wire.wnd = 512;
	say(&wire, false);
	bench.frames = 0;
	wire.flags = ACK | PSH;
	wire.data = data;
	wire.len = MESSAGE_BYTES;
	for (unsigned int i = 0; i < messages; i++) {
		wire.tsval = 2 + i / 50;
		say(&wire, true);
		wire.seq += MESSAGE_BYTES;
		wire.ack += MESSAGE_BYTES;
		wire.tsecr = bench.heard.tsval;
	}
	if (bench.frames != messages || bench.bytes_echoed != (uint64_t)messages * MESSAGE_BYTES)
		die("not every message was echoed in a frame of its own");
	rill_lane_destroy(bench.lane);
	return 0;
}
