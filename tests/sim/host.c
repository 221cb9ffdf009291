/* SPDX-License-Identifier: BSD-3-Clause */
/* A host: its lanes, each driven as api/run.c drives one, behind a simulated NIC. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_mbuf.h>

#include "config.h"
#include "extensions.h"
#include "lane.h"
#include "wire.h"
#include "world.h"

#define PREFIX 24
#define SPIN_MAX 100000 /* turns that did nothing, in a row */
#define RINGS 128       /* descriptors that the pools are laid out for */
#define IP6_PREFIX_MORE 96 /* bits in front of a host's number */
#define IP_PROTO_ICMP 1
#define IP_PROTO_ICMP6 58
#define IP_PROTO_TCP 6
#define ICMP_HEADER_LEN 8

/* Made once for each lane that ever was: a mempool is dear, and whole again after each run. */
static struct pools pools[HOSTS_MAX][LANES_MAX];
static uint32_t pools_buffers[HOSTS_MAX][LANES_MAX];

static void
die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, rill_error());
	exit(2);
}

static struct pools *
lane_pools(unsigned int host, unsigned int lane, uint32_t buffers)
{
	struct pools *found = &pools[host][lane];
	char name[16];
	struct pools_setup setup = {.name = name,
		.numa_node = -1,
		.mtu = 1500,
		.buffers = buffers,
		.rx_desc = RINGS,
		.tx_desc = RINGS};

	if (pools_buffers[host][lane] == buffers)
		return found;
	if (pools_buffers[host][lane] != 0)
		pools_free(found);
	snprintf(name, sizeof(name), "sim%u.%u", host, lane);
	if (pools_create(found, &setup) != 0)
		die(name);
	pools_buffers[host][lane] = buffers;
	return found;
}

size_t
world_l2_len(const struct world *world)
{
	return world->ethernet ? 14 : 0;
}

/* ---- steering */

struct sim_lane *
host_lane_of(struct host *host, uint32_t peer_ip, uint16_t port, uint16_t peer_port)
{
	uint32_t hash = peer_ip * 2654435761u ^ (port * 40503u + peer_port) * 2246822519u;

	return &host->lanes[(hash >> 16) % host->setup.lanes];
}

static uint32_t
get16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t
get32(const uint8_t *p)
{
	return get16(p) << 16 | get16(p + 2);
}

static struct sim_lane *
steer6(struct host *host, const uint8_t *ip, uint32_t len)
{
	const uint8_t *tcp = ip + WIRE_IP6_LEN, *quote = tcp + ICMP_HEADER_LEN;
	const uint8_t *quoted = quote + WIRE_IP6_LEN;

	if (len >= WIRE_IP6_LEN + 20 && ip[6] == IP_PROTO_TCP)
		return host_lane_of(host, get32(ip + 20), (uint16_t)get16(tcp + 2), (uint16_t)get16(tcp));
	if (len >= 2 * WIRE_IP6_LEN + ICMP_HEADER_LEN + 4 && ip[6] == IP_PROTO_ICMP6 && tcp[0] < 128)
		return host_lane_of(
			host, get32(quote + 36), (uint16_t)get16(quoted), (uint16_t)get16(quoted + 2));
	return &host->lanes[0];
}

/* Errors go where the connection is of which they tell: their quote comes from there. */
static struct sim_lane *
steer(struct host *host, const uint8_t *ip, uint32_t len)
{
	const uint8_t *quote = ip + 20 + ICMP_HEADER_LEN;

	if (host->world->families != FAMILY_IP4 && len > 0 && ip[0] >> 4 == 6)
		return steer6(host, ip, len);
	if (len >= 40 && ip[9] == IP_PROTO_TCP)
		return host_lane_of(
			host, get32(ip + 12), (uint16_t)get16(ip + 22), (uint16_t)get16(ip + 20));
	if (len >= 20 + ICMP_HEADER_LEN + 24 && ip[9] == IP_PROTO_ICMP)
		return host_lane_of(host, get32(quote + 16), (uint16_t)get16(quote + 20),
			(uint16_t)get16(quote + 22));
	return &host->lanes[0];
}

void
host_gets(struct host *host, const struct packet *packet)
{
	size_t l2_len = world_l2_len(host->world);
	const uint8_t *ip = packet->bytes + l2_len;
	uint32_t len = (uint32_t)(packet->len - l2_len);
	struct nic *nic = &steer(host, ip, len)->nic;
	uint8_t longer[EXTENDED_MAX];

	if (host->world->watch.got != NULL)
		host->world->watch.got(host->world, host, ip, len);
	if (host->world->families != FAMILY_IP4 &&
		chance_hit(&host->world->extra, host->world->extensions) &&
		extensions_add(&host->world->extra, packet->bytes, packet->len, l2_len, longer, &len))
		nic_receives(nic, longer, len);
	else
		nic_receives(nic, packet->bytes, packet->len);
}

/* ---- turns */

uint64_t
lane_wants(const struct world *world, struct sim_lane *lane)
{
	const struct host_setup *setup = &lane->host->setup;
	uint64_t at = nic_waiting(&lane->nic) > 0 ? world->now : rill_lane_deadline(lane->lane);

	if (at == RILL_NEVER)
		return at;
	at = RTE_MAX(at, lane->free_at);
	if (setup->stall_us != 0 && at >= setup->stall_at && at < setup->stall_at + setup->stall_us)
		at = setup->stall_at + setup->stall_us;
	return at;
}

static void
look_for_spins(struct world *world, struct sim_lane *lane, bool worked)
{
	bool wants_more = rill_lane_deadline(lane->lane) <= world->now;

	lane->spins = wants_more && !worked ? lane->spins + 1 : 0;
	if (lane->spins > SPIN_MAX)
		world_fail(world, "host %u lane %u wants turn after turn, and does nothing in them",
			lane->host->number, lane->index);
}

void
lane_turn(struct world *world, struct sim_lane *lane)
{
	const struct host_setup *setup = &lane->host->setup;
	struct rte_mbuf *in[RILL_BURST_MAX];
	struct outbox *outbox = &lane->lane->outbox;
	unsigned int most = setup->turn_max, n;
	uint32_t sent;

	n = lane->nic.port.ops->rx(&lane->nic.port, in, (uint16_t)most);
	if (rill_lane_turn(lane->lane, world->now, in, n) < 0)
		world_fail(world, "a turn of host %u failed", lane->host->number);
	sent = port_flush(&lane->nic.port, outbox, &lane->lane->counters, us32(world->now));
	world->turns++;
	lane->free_at = world->now + setup->turn_us;
	if (outbox_count(outbox) > 0)
		lane->free_at = world->now + RTE_MAX(setup->poll_us, setup->turn_us);
	else
		look_for_spins(world, lane, n > 0 || sent > 0);
	if (world->watch.turned != NULL)
		world->watch.turned(world, lane);
}

/* ---- the NIC's news */

static void
nic_sends(void *arg, const uint8_t *bytes, uint32_t len)
{
	struct sim_lane *lane = arg;

	host_sends(lane->host, bytes, len);
}

static void
nic_complains(void *arg, const char *what)
{
	const struct sim_lane *lane = arg;

	world_fail(lane->host->world, "host %u lane %u: %s", lane->host->number, lane->index, what);
}

/* ---- up and down */

static void
lane_config(const struct world *world, const struct host *host, struct rill_lane_config *config)
{
	rill_lane_config_default(config);
	config->ethernet = world->ethernet;
	memcpy(config->mac, host->mac, sizeof(config->mac));
	config->mtu = 1500;
	config->addrs_count = 0;
	if (world->families != FAMILY_IP6)
		config->addrs[config->addrs_count++] =
			(struct rill_prefix){.addr = host_addr(host, false), .len = PREFIX};
	if (world->families != FAMILY_IP4)
		config->addrs[config->addrs_count++] = (struct rill_prefix){
			.addr = host_addr(host, true), .len = PREFIX + IP6_PREFIX_MORE};
	config->ip6_unprobed = true; /* sessions begin at once */
	config->limits = host->setup.limits;
	config_fill_limits(&config->limits);
	config->numa_node = -1;
}

/* Buffers that never come back, so that the pools' reserves are met. */
static void
take_hogs(struct sim_lane *lane)
{
	struct rte_mempool *from[] = {lane->pools->rx, lane->pools->buf};

	lane->hogs_count = 0;
	for (unsigned int i = 0; i < 2 * RTE_MIN(lane->host->setup.hogs, HOGS_MAX / 2u); i++)
		lane->hogs[lane->hogs_count++] = rte_pktmbuf_alloc(from[i % 2]);
}

static void
lane_up(struct world *world, struct host *host, unsigned int index, uint32_t buffers,
	const uint8_t *secret)
{
	struct sim_lane *lane = &host->lanes[index];
	const struct nic_setup *nic = &host->setup.nic;
	const struct nic_listener listener = {nic_sends, nic_complains, lane};
	struct rill_options options;
	char name[16];
	struct lane_setup setup = {.netif_caps = nic->caps, .tx_chain_max = nic->tx_chain_max,
		.tso_chain_max = nic->tso_chain_max};

	lane->host = host;
	lane->index = index;
	lane->pools = lane_pools(host->number, index, buffers);
	lane->free_at = lane->spins = 0;
	rill_options_default(&options);
	lane_config(world, host, &setup.config);
	snprintf(name, sizeof(name), "sim%u.%u", host->number, index);
	setup.config.name = name;
	setup.config.options = &options;
	setup.config.secret = secret;
	setup.rx_pool = lane->pools->rx;
	setup.buf_pool = lane->pools->buf;
	setup.control_pool = lane->pools->control;
	setup.rx_reserve = lane->pools->rx_reserve;
	setup.rx_posted = nic->rx_desc;
	setup.now = world->now;
	if (lane_create(&setup, &lane->lane) != 0)
		die("no lane");
	nic_start(&lane->nic, nic, &listener, &world->events, &world->net, &world->now,
		lane->pools->rx);
	take_hogs(lane);
}

void
host_up(struct world *world, struct host *host, uint32_t buffers)
{
	uint8_t secret[RILL_SECRET_LEN];

	for (unsigned int i = 0; i < sizeof(secret); i++)
		secret[i] = (uint8_t)chance_next(&world->net);
	for (unsigned int i = 0; i < host->setup.lanes; i++)
		lane_up(world, host, i, buffers, secret);
}

static void
check_pool_is_whole(
	struct world *world, const struct sim_lane *lane, const struct rte_mempool *pool)
{
	unsigned int missing = rte_mempool_in_use_count(pool);

	if (missing == 0)
		return;
	world_fail(world, "%u buffers of %s leaked", missing, pool->name);
	pools_buffers[lane->host->number][lane->index] = 0; /* the next run gets fresh ones */
}

static void
lane_down(struct world *world, struct sim_lane *lane)
{
	for (unsigned int i = 0; i < lane->hogs_count; i++)
		rte_pktmbuf_free(lane->hogs[i]);
	lane_destroy(lane->lane);
	nic_stop(&lane->nic);
	check_pool_is_whole(world, lane, lane->pools->rx);
	check_pool_is_whole(world, lane, lane->pools->buf);
	check_pool_is_whole(world, lane, lane->pools->control);
	if (pools_buffers[lane->host->number][lane->index] == 0)
		pools_free(lane->pools);
}

void
host_down(struct world *world, struct host *host)
{
	for (unsigned int i = 0; i < host->setup.lanes; i++)
		lane_down(world, &host->lanes[i]);
}
