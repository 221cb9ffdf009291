/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * path_mtu: a transfer over a path whose MTU changes without a word. It drops to 1400 in the
 * middle: timeouts tell, segments become short, and probes find 1400 again, no more than a few
 * bytes below it [RFC4821-1]. A quarter of an hour later the path takes 1500 again, and the
 * connection finds it [RFC4821-3]. A short outage of everything, which looks like a black hole,
 * costs the long segments for a few round trips only. Virtual time, seeded chance: each run is the
 * same.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_eal.h>
#include <rte_mbuf.h>

#include "family.h"
#include "lane.h"
#include "world.h"

#define RATE 250000u /* bytes per second: 2 Mbit/s */
#define RTT_US (40 * MS)
#define QUEUE_BYTES 20000u
#define BUFFERS 4096
#define PORT 80
#define FULL_MTU 1500
#define NARROW_MTU 1400
#define HEADERS (family_is_ip6() ? 72u : 52u) /* with timestamps */
#define FULL_MSS (FULL_MTU - HEADERS)
#define NEAR 8

static struct world world;
static struct rill_conn *flow;
static uint64_t received;

/* ---- the applications */

static void
fill(struct rill_conn *conn)
{
	static const uint8_t bytes[65536];

	while (rill_write(conn, bytes, sizeof(bytes)) > 0)
		;
}

static void
sent(struct rill_conn *conn, uint32_t bytes_acked)
{
	fill(conn);
}

static void
data(struct rill_conn *conn, struct rte_mbuf *mbuf)
{
	received += mbuf->pkt_len;
	rte_pktmbuf_free(mbuf);
}

static const struct rill_handler sender = {.on_open = fill, .on_sent = sent};
static const struct rill_handler receiver = {.on_data = data};

/* ---- the world */

/* One flow over a link that does `fault` to it on its way to the receiver. */
static void
build(const struct link_setup *fault, const char *congestion_control)
{
	struct host_setup host = {
		.lanes = 1, .turn_max = RILL_BURST_MAX, .turn_us = 1, .poll_us = 20};
	struct rill_endpoint remote = {.port = PORT};
	struct rill_listener *listener;
	struct rill_options options;

	rill_options_default(&options);
	options.congestion_control = (int32_t)rill_cc_by_name(congestion_control);
	host.limits.records = BUFFERS;
	host.nic.rx_desc = host.nic.tx_desc = NIC_DESC_MAX;
	host.nic.tx_chain_max = PORT_CHAIN_MAX;
	host.nic.caps = NETIF_TX_CHAINS;
	host.up = (struct link_setup){
		.rate = RATE, .queue_bytes = QUEUE_BYTES, .delay_us = RTT_US / 2};
	world_init(&world, 1, false);
	world_add_host(&world, &host, BUFFERS);
	host.up = (struct link_setup){.delay_us = RTT_US / 2};
	host.down = *fault;
	world_add_host(&world, &host, BUFFERS);
	received = 0;
	remote.addr = host_addr(&world.hosts[1], world.families == FAMILY_IP6);
	if (rill_lane_listen(world.hosts[1].lanes[0].lane, NULL, PORT, &options, &receiver, NULL,
		    &listener) != 0 ||
		rill_connect(world.hosts[0].lanes[0].lane, NULL, &remote, &options, &sender, NULL,
			&flow) != 0)
		world_fail(&world, "no connection");
}

static struct rill_conn_info
run_until_s(uint64_t seconds)
{
	struct rill_conn_info info;

	while (world.now < SIM_START_US + seconds * SECOND && !world.failed && world_step(&world))
		;
	rill_conn_info(flow, &info);
	return info;
}

static struct rill_stats
sender_stats(void)
{
	struct rill_stats stats;

	rill_lane_stats_read(world.hosts[0].lanes[0].lane, &stats);
	return stats;
}

static void
expect_range(const char *what, uint64_t is, uint64_t least, uint64_t most)
{
	if (is < least || is > most)
		world_fail(&world, "%s is %" PRIu64 ", should be %" PRIu64 " to %" PRIu64, what, is,
			least, most);
}

/* ---- what is shown */

/* Narrow from the tenth second to the end of the fifteenth minute. */
static void
narrow_and_wide_again(const char *congestion_control)
{
	const struct link_setup fault = {.mtu = NARROW_MTU,
		.mtu_at = SIM_START_US + 10 * SECOND,
		.mtu_us = 15ull * 60 * SECOND,
		.mtu_silent = true};
	struct rill_stats before, stats;
	uint64_t bytes;

	build(&fault, congestion_control);
	expect_range("the MSS at first", run_until_s(9).mss, FULL_MSS, FULL_MSS);
	expect_range("the MSS after a minute", run_until_s(70).mss, NARROW_MTU - HEADERS - NEAR,
		NARROW_MTU - HEADERS);
	stats = sender_stats();
	expect_range("black holes", stats.pmtu_black_holes, 1, 1);
	expect_range("lost probes", stats.pmtu_probes_lost, 1, 8);
	/* The search rests, and the transfer has what the link gives. */
	before = stats;
	bytes = received;
	expect_range("the MSS nine minutes later", run_until_s(600).mss,
		NARROW_MTU - HEADERS - NEAR, NARROW_MTU - HEADERS);
	stats = sender_stats();
	expect_range("probes in these nine minutes", stats.pmtu_probes - before.pmtu_probes, 0, 0);
	expect_range("timeouts in these nine minutes", stats.rtos - before.rtos, 0, 0);
	expect_range("bytes in these nine minutes", received - bytes, 530ull * RATE * 8 / 10,
		530ull * RATE);
	/* The next search finds the same; it costs no timeout either. */
	expect_range("the MSS in the next search", run_until_s(800).mss,
		NARROW_MTU - HEADERS - NEAR, NARROW_MTU - HEADERS);
	stats = sender_stats();
	expect_range("probes since then", stats.pmtu_probes - before.pmtu_probes, 1, 12);
	expect_range("timeouts since then", stats.rtos - before.rtos, 0, 0);
	expect_range("the MSS in the end", run_until_s(1500).mss, FULL_MSS, FULL_MSS);
	printf("%s: %u probes, %u lost, %u passed\n", congestion_control,
		(unsigned int)sender_stats().pmtu_probes,
		(unsigned int)sender_stats().pmtu_probes_lost,
		(unsigned int)sender_stats().pmtu_probes_passed);
	world_down(&world);
}

/* Nothing passes for three seconds. */
static void
false_alarm(const char *congestion_control)
{
	const struct link_setup fault = {
		.down_at = SIM_START_US + 10 * SECOND, .down_us = 3 * SECOND};
	struct rill_stats stats;

	build(&fault, congestion_control);
	run_until_s(13);
	stats = sender_stats();
	expect_range("black holes", stats.pmtu_black_holes, 1, 2);
	expect_range("the MSS soon after the outage", run_until_s(20).mss, FULL_MSS, FULL_MSS);
	stats = sender_stats();
	expect_range("probes", stats.pmtu_probes, 1, 1);
	expect_range("lost probes", stats.pmtu_probes_lost, 0, 0);
	world_down(&world);
}

int
main(void)
{
	static const char *const algorithms[] = {"newreno", "cubic", "bbr"};
	char *args[] = {"path_mtu", "--no-huge", "--no-pci", "--no-shconf", "--no-telemetry", "-m",
		"256", "--log-level=*:error", "-l", "0"};

	if (rte_eal_init(RTE_DIM(args), args) < 0) {
		fprintf(stderr, "EAL does not start\n");
		return 2;
	}
	for (unsigned int i = 0; i < RTE_DIM(algorithms) && !world.failed; i++) {
		narrow_and_wide_again(algorithms[i]);
		if (!world.failed)
			false_alarm(algorithms[i]);
	}
	return world.failed;
}
