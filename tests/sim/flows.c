/* SPDX-License-Identifier: BSD-3-Clause */
#include "flows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_mbuf.h>

#include "lane.h"

#define BUFFERS 16384
#define PORT 80
#define CLIENT_PORT 20000

static struct rill_options flow_options;
static uint64_t received[FLOWS_MAX];
static unsigned int accepted;

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
opened_there(struct rill_conn *conn)
{
	rill_conn_set_user(conn, &received[accepted++]);
}

static void
data(struct rill_conn *conn, struct rte_mbuf *mbuf)
{
	*(uint64_t *)rill_conn_user(conn) += mbuf->pkt_len;
	rte_pktmbuf_free(mbuf);
}

static const struct rill_handler sender = {.on_open = fill, .on_sent = sent};
static const struct rill_handler receiver = {.on_open = opened_there, .on_data = data};

static void
begin_flow(void *arg, uint64_t number)
{
	struct world *world = arg;
	const struct host *from = &world->hosts[0], *to = &world->hosts[1];
	struct rill_endpoint local = {.port = (uint16_t)(CLIENT_PORT + number)},
			     remote = {.port = PORT};
	struct rill_conn *conn;

	remote.addr = host_addr(to, world->families == FAMILY_IP6);
	if (rill_connect(
		    from->lanes[0].lane, &local, &remote, &flow_options, &sender, NULL, &conn) != 0)
		world_fail(world, "rill_connect failed");
}

/* ---- the world */

void
flows_begin(struct world *world, const struct flows_setup *setup)
{
	struct host_setup host = {
		.lanes = 1, .turn_max = RILL_BURST_MAX, .turn_us = 1, .poll_us = 20};
	struct rill_listener *listener;

	host.limits.records = BUFFERS;
	host.nic.rx_desc = host.nic.tx_desc = NIC_DESC_MAX;
	host.nic.tx_chain_max = PORT_CHAIN_MAX;
	host.nic.caps = NETIF_TX_CHAINS;
	flow_options = setup->options;
	memset(received, 0, sizeof(received));
	accepted = 0;
	world_init(world, setup->seed, false);
	host.up = setup->there;
	world_add_host(world, &host, BUFFERS);
	host.up = setup->back;
	world_add_host(world, &host, BUFFERS);
	if (rill_lane_listen(world->hosts[1].lanes[0].lane, NULL, PORT, &flow_options, &receiver,
		    NULL, &listener) != 0)
		world_fail(world, "rill_lane_listen failed");
	for (unsigned int i = 0; i < setup->count; i++)
		world_after(world, i * FLOWS_STAGGER_US, begin_flow, world, i);
}

void
flows_run_until(struct world *world, uint64_t end_us)
{
	while (world->now < end_us && !world->failed && world_step(world))
		;
}

uint64_t
flows_received(unsigned int flow)
{
	return received[flow];
}

void
flows_start_eal(char *name)
{
	char *args[] = {name, "--no-huge", "--no-pci", "--no-shconf", "--no-telemetry", "-m", "1024",
		"--log-level=*:error", "-l", "0"};

	if (rte_eal_init(RTE_DIM(args), args) < 0) {
		fprintf(stderr, "EAL does not start\n");
		exit(2);
	}
}
