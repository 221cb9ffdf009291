/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rill on the ring wire: a lane with the pools and the loop that a stack gives it, its port the
 * wire instead of an ethdev. A turn here is that of api/run.c: the clock, a burst, the lane's turn,
 * the flush.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rill/rill.h>
#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "config.h"
#include "lane.h"
#include "pools.h"
#include "rill_source.h"
#include "server.h"

#define SIDECARS_MAX 65536 /* holes, and recovery, are rare on this wire */

struct rill_server {
	struct server server;
	struct rill_source *source;
	struct rill_lane *lane;
	struct pools pools;
	struct rill_options options;
	uint8_t secret[RILL_SECRET_LEN];
	uint64_t paused_us;
};

static struct rill_server *
rill_of(struct server *server)
{
	return RTE_PTR_SUB(server, offsetof(struct rill_server, server));
}

/* ---- the application */

static void
echo(struct rill_conn *conn, struct rte_mbuf *data)
{
	if (rill_send(conn, data) == 0)
		return;
	rte_pktmbuf_free(data);
	rill_abort(conn); /* the player sees it */
}

static void
sink(struct rill_conn *conn, struct rte_mbuf *data)
{
	rte_pktmbuf_free(data);
}

static void
finish(struct rill_conn *conn)
{
	rill_close(conn);
}

static const struct rill_handler echoing = {.on_data = echo, .on_eof = finish};
static const struct rill_handler sinking = {.on_data = sink, .on_eof = finish};

static const struct rill_handler *
handler_of(enum player_work work)
{
	switch (work) {
	case PLAYER_SINK:
		return &sinking;
	case PLAYER_SOURCE:
		return rill_source_handler();
	default:
		return &echoing;
	}
}

/* ---- a turn */

#ifdef RILL_PROFILE
static uint64_t
read_tsc(void)
{
	return rte_rdtsc();
}

static void
begin_stages(struct rill_lane *lane)
{
	lane->stages.clock = read_tsc;
	stages_begin(&lane->stages);
}

static void
tell_stages(const struct rill_lane *lane, struct server_turn *turn)
{
	memcpy(turn->stages, lane->stages.cycles, sizeof(turn->stages));
}
#else
static void
begin_stages(struct rill_lane *lane)
{
	(void)lane;
}

static void
tell_stages(const struct rill_lane *lane, struct server_turn *turn)
{
	(void)lane;
	(void)turn;
}
#endif

static void
rill_turn(struct server *server, struct server_turn *turn)
{
	struct rill_server *rill = rill_of(server);
	struct rill_lane *lane = rill->lane;
	struct port *port = &server->wire->port;
	uint64_t now = clock_now_us() - rill->paused_us, busy = lane->counters.turns_busy;
	struct rte_mbuf *in[RILL_BURST_MAX];

	begin_stages(lane);
	turn->received = port->ops->rx(port, in, RILL_BURST_MAX);
	STAGE_ENDS(lane, STAGE_RX);
	rill_lane_turn(lane, now, in, turn->received);
	turn->sent = port_flush(port, &lane->outbox, &lane->counters, us32(now));
	STAGE_ENDS(lane, STAGE_TX);
	tell_stages(lane, turn);
	turn->worked = turn->received > 0 || turn->sent > 0 || lane->counters.turns_busy != busy;
}

static void
rill_paused(struct server *server, uint64_t cycles)
{
	rill_of(server)->paused_us += cycles * 1000 / (rte_get_tsc_hz() / 1000);
}

static uint32_t
rill_connections(const struct server *server)
{
	return lane_conns(rill_of((struct server *)(uintptr_t)server)->lane);
}

/* ---- life */

static unsigned int
rill_destroy(struct server *server)
{
	struct rill_server *rill = rill_of(server);
	unsigned int missing;

	lane_destroy(rill->lane);
	ring_wire_destroy(server->wire);
	missing = rill_source_destroy(rill->source) + rte_mempool_in_use_count(rill->pools.rx) +
		  rte_mempool_in_use_count(rill->pools.buf) +
		  rte_mempool_in_use_count(rill->pools.control);
	pools_free(&rill->pools);
	free(rill);
	return missing;
}

static int
make_lane(struct rill_server *rill, const struct server_setup *setup)
{
	const struct port *port = &rill->server.wire->port;
	struct lane_setup lane = {
		.netif_caps = port->netif_caps,
		.tx_chain_max = port->tx_chain_max,
		.rx_pool = rill->pools.rx,
		.rx_reserve = rill->pools.rx_reserve,
		.rx_posted = rte_mempool_in_use_count(rill->pools.rx),
		.buf_pool = rill->pools.buf,
		.control_pool = rill->pools.control,
		.now = clock_now_us(),
	};
	struct rill_lane_config *config = &lane.config;
	struct rill_listener *listener;
	int err;

	rill_lane_config_default(config);
	config->ethernet = true;
	config->mtu = port->mtu;
	memcpy(config->mac, port->mac.addr_bytes, sizeof(config->mac));
	rill_prefix_parse("10.0.0.1/24", &config->addrs[0]);
	config->addrs_count = 1;
	rill_addr_parse("10.0.0.254", &config->gateway);
	config->limits.max_conns = setup->flows + SERVER_SPARE;
	config->limits.timewait_max = 1024; /* the clients close first */
	config->limits.records = setup->buffers + fetch_buffers(&setup->fetch, setup->fetches);
	config->limits.buffers = setup->buffers;
	config_fill_limits(&config->limits);
	config->limits.sidecars = RTE_MIN(config->limits.sidecars, (uint32_t)SIDECARS_MAX);
	config->limits.bbrs = RTE_MIN(config->limits.bbrs, (uint32_t)SIDECARS_MAX);
	rill_options_default(&rill->options);
	config->options = &rill->options;
	config->secret = rill->secret;
	config->name = setup->name;
	config->numa_node = -1;
	err = lane_create(&lane, &rill->lane);
	if (err != 0)
		return err;
	return rill_lane_listen(rill->lane, NULL, FLOW_SERVER_PORT, NULL, handler_of(setup->work),
		rill->source, &listener);
}

static const struct server_ops rill_ops = {
	.name = "rill",
	.turn = rill_turn,
	.paused = rill_paused,
	.connections = rill_connections,
	.destroy = rill_destroy,
};

struct server *
rill_server_create(const struct server_setup *setup)
{
	const struct pools_setup pools = {.name = setup->name,
		.numa_node = -1,
		.mtu = RTE_ETHER_MTU,
		.buffers = setup->buffers,
		.rx_desc = RING_WIRE_DESC,
		.tx_desc = RING_WIRE_DESC};
	struct rill_server *rill = calloc(1, sizeof(*rill));
	struct ring_wire_setup wire = {
		.name = setup->name, .burst = setup->burst, .checksums = setup->checksums};

	if (rill == NULL || pools_create(&rill->pools, &pools) != 0) {
		fprintf(stderr, "%s\n", rill == NULL ? "no memory" : rill_error());
		free(rill);
		return NULL;
	}
	rill->source = rill_source_create(setup);
	if (rill->source == NULL)
		return NULL;
	clock_init();
	rill->server.ops = &rill_ops;
	wire.pool = rill->pools.rx;
	rill->server.wire = ring_wire_create(&wire);
	if (rill->server.wire == NULL)
		return NULL;
	if (make_lane(rill, setup) != 0) {
		fprintf(stderr, "%s\n", rill_error());
		return NULL;
	}
	return &rill->server;
}
