/* SPDX-License-Identifier: BSD-3-Clause */
#include "draw.h"

#include <stdio.h>
#include <string.h>

#include "netif.h"

#define BUFFERS 1536 /* of each of a lane's pools */
#define SEGMENT 1500

/* Kinds of faults; a world has some of them. */
enum {
	LOSS = 1 << 0,
	BURST_LOSS = 1 << 1,
	DUPLICATION = 1 << 2,
	REORDERING = 1 << 3,
	CORRUPTION = 1 << 4,
	JITTER = 1 << 5,
	BANDWIDTH = 1 << 6,
	MARKING = 1 << 7,
	OUTAGE = 1 << 8,
	PATH_MTU = 1 << 9,
	SLOW_NIC = 1 << 10,
	PICKY_NIC = 1 << 11,
	NIC_RESET = 1 << 12,
	STALLED_THREAD = 1 << 13,
	SCARCE_BUFFERS = 1 << 14,
	KINDS = 15,
};

static const char *const kind_names[KINDS] = {"loss", "bursts of loss", "duplication", "reordering",
	"corruption", "jitter", "bandwidth", "marking", "outage", "path MTU", "slow NIC",
	"picky NIC", "NIC reset", "stalled thread", "scarce buffers"};

static const char *const family_names[] = {"IPv4", "IPv6", "both families"};

static uint32_t
draw_kinds(struct chance *c)
{
	uint32_t kinds = (uint32_t)chance_next(c) & ((1u << KINDS) - 1);

	/* One world in eight is a good one, but for what tells most. */
	if (chance_one_in(c, 8))
		kinds &= BANDWIDTH | MARKING | SLOW_NIC;
	/* These make a run long: not so often. */
	if (chance_one_in(c, 2))
		kinds &= ~(uint32_t)(OUTAGE | NIC_RESET | BURST_LOSS);
	return kinds;
}

static void
draw_rate(struct chance *c, uint32_t kinds, struct link_setup *link)
{
	uint64_t in_flight;

	link->rate = chance_size(c, 100 * 1000, 200 * 1000 * 1000);
	in_flight = link->rate * link->delay_us / SECOND;
	link->queue_bytes =
		(uint32_t)(chance_below(c, 4) * in_flight / 2) + chance_size(c, 8, 64) * SEGMENT;
	if (kinds & MARKING)
		link->mark_bytes = chance_size(c, SEGMENT, link->queue_bytes);
}

static void
draw_link(struct chance *c, uint32_t kinds, struct link_setup *link)
{
	memset(link, 0, sizeof(*link));
	link->delay_us = chance_size(c, 2, 70 * MS);
	if (kinds & LOSS)
		link->loss = 100 + chance_below(c, chance_one_in(c, 2) ? 60000 : 5000);
	if (kinds & BURST_LOSS) {
		link->burst_starts = 100 + chance_below(c, 4000);
		link->burst_ends = 250000 + chance_below(c, 500000);
		link->burst_loss = 300000 + chance_below(c, 700000);
	}
	if (kinds & DUPLICATION)
		link->duplicate = 100 + chance_below(c, 50000);
	if (kinds & (REORDERING | DUPLICATION))
		link->reorder_us = chance_size(c, 1, 50 * MS);
	if (kinds & REORDERING)
		link->reorder = 100 + chance_below(c, 200000);
	if (kinds & CORRUPTION)
		link->corrupt = 100 + chance_below(c, 20000);
	if (kinds & JITTER)
		link->jitter_us = chance_size(c, 1, link->delay_us + 1);
	if (kinds & BANDWIDTH)
		draw_rate(c, kinds, link);
}

/* A third each: IPv4, which is as it was before there was another; IPv6; sessions of either. */
static void
draw_families(struct world *world)
{
	struct chance *c = &world->extra;

	world->families = (enum families)chance_below(c, 3);
	world->extensions = chance_one_in(c, 2) ? 0 : chance_size(c, 1000, 300000);
}

/* What happens once, at a time of its own. */
static void
draw_mishaps(struct chance *c, uint32_t kinds, struct host_setup *host)
{
	if ((kinds & OUTAGE) && chance_one_in(c, 2)) {
		host->down.down_at = SIM_START_US + chance_size(c, 1, 2 * SECOND);
		host->down.down_us = chance_size(c, MS, 3 * SECOND);
		host->up.down_at = host->down.down_at;
		host->up.down_us = chance_one_in(c, 2) ? 0 : host->down.down_us;
	}
	if (kinds & PATH_MTU) {
		host->down.mtu = (uint16_t)(PATH_MTU_LEAST + chance_below(c, 900));
		host->down.mtu_at =
			SIM_START_US + (chance_one_in(c, 3) ? 0 : chance_size(c, 1, 2 * SECOND));
		host->down.mtu_us =
			chance_one_in(c, 3) ? UINT64_MAX : chance_size(c, 10 * MS, 20 * SECOND);
		host->down.mtu_silent = chance_one_in(c, 3);
	}
	if ((kinds & NIC_RESET) && chance_one_in(c, 2)) {
		host->nic.reset_at = SIM_START_US + chance_size(c, 1, 2 * SECOND);
		host->nic.reset_us = chance_size(c, 1, 3 * SECOND);
	}
	if ((kinds & STALLED_THREAD) && chance_one_in(c, 2)) {
		host->stall_at = SIM_START_US + chance_size(c, 1, 2 * SECOND);
		host->stall_us = chance_size(c, 1, SECOND / 2);
	}
}

static void
draw_nic(struct chance *c, uint32_t kinds, bool ethernet, struct nic_setup *nic)
{
	memset(nic, 0, sizeof(*nic));
	nic->rx_desc = (uint16_t)chance_size(c, 16, 128);
	nic->tx_desc = (uint16_t)chance_size(c, 8, 128);
	nic->ethernet = ethernet;
	nic->tx_chain_max = (uint16_t)(3 + chance_below(c, 30));
	if (chance_one_in(c, 2))
		nic->caps |= NETIF_TX_IP4_CKSUM;
	if (chance_one_in(c, 2))
		nic->caps |= NETIF_TX_TCP_CKSUM;
	if (chance_one_in(c, 2))
		nic->caps |= NETIF_RX_CKSUM;
	if (!chance_one_in(c, 4))
		nic->caps |= NETIF_TX_CHAINS;
	nic->tso_chain_max = (uint16_t)(4 + chance_below(c, 61));
	if (chance_one_in(c, 3))
		nic->caps |= NETIF_TX_IP4_CKSUM | NETIF_TX_TCP_CKSUM | NETIF_TX_CHAINS | NETIF_TX_TSO;
	if (kinds & SLOW_NIC) {
		nic->send_us = chance_one_in(c, 2) ? 0 : chance_size(c, 1, 2 * MS);
		nic->hold_us = chance_size(c, 1, 20 * MS);
	}
	if (kinds & PICKY_NIC) {
		nic->picky = 1000 + chance_below(c, 500000);
		nic->scatter = chance_below(c, 200000);
	}
}

static void
draw_host(struct chance *c, uint32_t kinds, bool ethernet, struct host_setup *host)
{
	static const unsigned int turns[] = {1, 2, 7, 32, 64, 64};

	memset(host, 0, sizeof(*host));
	host->lanes = ethernet || chance_one_in(c, 2) ? 1 : 1 + chance_below(c, LANES_MAX);
	host->turn_max = turns[chance_below(c, RTE_DIM(turns))];
	host->turn_us = chance_size(c, 1, 50);
	host->poll_us = chance_size(c, 20, MS);
	draw_link(c, kinds, &host->up);
	draw_link(c, kinds, &host->down);
	/* A second flipped bit could undo for the checksum what the first did: once on a way. */
	host->up.corrupt = 0;
	draw_nic(c, kinds, ethernet, &host->nic);
	draw_mishaps(c, kinds, host);
	if (kinds & SCARCE_BUFFERS)
		host->hogs = chance_below(c, HOGS_MAX / 2);
	host->limits.max_conns = 64;
	host->limits.syn_max = 64;
	host->limits.records = kinds & SCARCE_BUFFERS ? chance_size(c, 256, 4096) : 4096;
	if (kinds & SCARCE_BUFFERS)
		host->limits.bbrs = chance_size(c, 1, 8);
	host->limits.sidecars = kinds & SCARCE_BUFFERS ? chance_size(c, 1, 64) : 64;
	if (chance_one_in(c, 4))
		host->limits.timewait_max = chance_size(c, 1, 64);
	host->limits.msl_ms = chance_one_in(c, 2) ? 0 : chance_size(c, 2000, 60000);
}

void
draw_world(struct world *world, uint64_t seed)
{
	uint32_t kinds, count;
	struct host_setup host;
	struct chance *c = &world->net;
	bool ethernet;

	chance_seed(c, seed);
	kinds = draw_kinds(c);
	/* A switch does not look at IP, and a few lost ARP packets close a session that has just
	 * begun. */
	ethernet = chance_one_in(c, 4) &&
		   !(kinds & (PATH_MTU | OUTAGE | NIC_RESET | BURST_LOSS | LOSS));
	world_init(world, seed, ethernet);
	draw_families(world);
	draw_kinds(c);
	world_trace(world, "   of %s%s", family_names[world->families],
		world->families != FAMILY_IP4 && world->extensions > 0 ? ", with extension headers" : "");
	for (unsigned int i = 0; i < KINDS; i++)
		if (kinds & 1u << i)
			world_trace(world, "   with %s", kind_names[i]);
	count = 2 + (chance_one_in(c, 3) ? chance_below(c, 7) : 0);
	for (uint32_t i = 0; i < count; i++) {
		draw_host(c, kinds, ethernet, &host);
		if (host.down.mtu != 0 && world->families != FAMILY_IP4) /* no link of IPv6's is narrower */
			host.down.mtu = (uint16_t)(PATH_MTU_LEAST6 + host.down.mtu % (SEGMENT - PATH_MTU_LEAST6));
		world_add_host(world, &host, BUFFERS);
		world_trace(world,
			"   host %u: %u lanes, turns of %u; up %u us %u B/ms, down %u us %u B/ms, queue %u, loss %u ppm",
			i, host.lanes, host.turn_max, host.up.delay_us,
			(unsigned int)(host.up.rate / MS), host.down.delay_us,
			(unsigned int)(host.down.rate / MS), host.down.queue_bytes, host.down.loss);
	}
}
