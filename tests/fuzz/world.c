/* SPDX-License-Identifier: BSD-3-Clause */
#include "world.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_mbuf.h>

#include "alive.h"
#include "frames.h"
#include "hosts6.h"
#include "net_state.h"
#include "poison.h"
#include "reassembly.h"
#include "wire.h"

#define FRAMES 4096 /* more than an outbox that no NIC empties holds */
#define FENCE 64 /* bytes behind a frame's buffer that nobody may touch */
#define BUFFERS 1024
#define CONTROLS 4096
#define FLOOD_MAX 8192
#define SPIN_MAX 2000 /* turns without time passing */
#define SETTLE_US 2100000 /* an address is asked for that long at most */
#define LATE_US 1000   /* that a timer may be */
#define WAIT_MAX 5000 /* turns until nothing is left */

struct world world;

static struct rte_mempool *frames, *buffers, *controls;
static struct rill_options lane_options;
static const uint8_t secret[RILL_SECRET_LEN] = "the very same secret every time";
static const uint8_t lane_mac[6] = {2, 0, 0, 0, 0, 1}, peer_mac[6] = {2, 0, 0, 0, 0, 2};

void
world_fail(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "fuzz at %" PRIu64 " us: ", world.now);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\n");
	abort();
}

static struct rte_mempool *
make_pool(const char *name, unsigned int count)
{
	struct rte_mempool *pool = rte_pktmbuf_pool_create(
		name, count, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);

	if (pool == NULL)
		world_fail("no memory for pool %s", name);
	return pool;
}

/* The buffer gets shorter by as much as must not be touched behind it. */
static void
fence(struct rte_mempool *pool, void *opaque, void *object, unsigned int index)
{
	struct rte_mbuf *mbuf = object;

	mbuf->buf_len -= FENCE;
	poison((char *)mbuf->buf_addr + mbuf->buf_len, FENCE);
}

void
world_init(void)
{
	char *argv[] = {"fuzz", "--no-huge", "--no-pci", "--no-shconf", "--no-telemetry", "--iova-mode=va",
		"-m", "64", "-l", "0", "--log-level=*:error"};

	if (rte_eal_init((int)RTE_DIM(argv), argv) < 0)
		world_fail("EAL does not start");
	frames = make_pool("frames", FRAMES);
	rte_mempool_obj_iter(frames, fence, NULL);
	buffers = make_pool("buffers", BUFFERS);
	controls = make_pool("controls", CONTROLS);
}

/* ---- frames in */

struct rte_mbuf *
world_mbuf(const uint8_t *bytes, uint32_t len)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(frames);

	if (mbuf == NULL)
		world_fail("no frame left: they are not given back");
	/* Every other frame ends where its buffer does; the others have room that the stack may use. */
	if (world.frames_in++ % 2 == 0)
		mbuf->data_off = (mbuf->buf_len - (uint16_t)len) & ~1u; /* Ethernet headers are even */
	memcpy(rte_pktmbuf_append(mbuf, (uint16_t)len), bytes, len);
	return mbuf;
}

void
world_frame(struct rte_mbuf *frame)
{
	if (world.burst_count == RILL_BURST_MAX)
		world_turn();
	world.burst[world.burst_count++] = frame;
}

/* ---- frames out */

static void
answer_arp(const uint8_t *bytes, size_t len)
{
	uint8_t reply[42];

	/* A request for an address of the peer's [826]. */
	if (world.arp_silent || len < 42 || bytes[21] != 1 || bytes[41] == (LANE_ADDR & 0xff))
		return;
	memcpy(reply, bytes, sizeof(reply));
	memcpy(reply, bytes + 6, 6);
	memcpy(reply + 6, peer_mac, 6);
	reply[21] = 2;
	memcpy(reply + 22, peer_mac, 6);
	memcpy(reply + 28, bytes + 38, 4);
	memcpy(reply + 32, bytes + 22, 10);
	if (world.burst_count < RILL_BURST_MAX)
		world.burst[world.burst_count++] = world_mbuf(reply, sizeof(reply));
}

static struct flow *
flow_by_ports(uint16_t lane_port, uint16_t peer_port)
{
	for (unsigned int i = 0; i < FLOWS_ALL; i++)
		if (world.flows[i].lane_port == lane_port && world.flows[i].peer_port == peer_port)
			return &world.flows[i];
	return NULL;
}

/* A SYN,ACK may be all that there is of a connection yet: the peer remembers what it said. */
static void
hear_syn(struct flow *flow, const struct wire *wire)
{
	flow->snd_una = wire->seq;
	flow->snd_nxt = wire->seq + 1;
	flow->ts = wire->has & HAS_TS;
	flow->tsval = wire->tsval;
	if (wire->flags & ACK) {
		flow->rcv_nxt = wire->ack;
		flow->rcv_edge = wire->ack + wire->wnd;
		flow->ts_recent = wire->tsecr;
	}
}

static void
check_segment(const uint8_t *packet, size_t len)
{
	struct wire wire;
	const char *complaint = wire_read(packet, len, &wire);
	struct flow *flow;

	/* Of and to the addresses that routers made, the peer knows only that they are. */
	if (packet[0] >> 4 == 6 && (wire_get_ip6(packet + 8) == 0 || wire_get_ip6(packet + 24) == 0))
		return;
	if (complaint != NULL)
		world_fail("the lane's segment: %s", complaint);
	if (!(wire.flags & (ACK | SYN | RST)) || (wire.flags & (SYN | RST)) == (SYN | RST) ||
		(wire.flags & (SYN | FIN)) == (SYN | FIN))
		world_fail("the lane's segment has flags %#x", wire.flags);
	if (wire.len > 0 && wire.flags & (SYN | RST))
		world_fail("payload on SYN or RST");
	flow = flow_by_ports(wire.sport, wire.dport);
	if (flow == NULL)
		return;
	if (wire.flags & SYN)
		hear_syn(flow, &wire);
	flow->heard += wire.len;
	if (flow->echoes)
		return;
	for (uint32_t i = 0; i < wire.len; i++)
		if (wire.data[i] != pattern(wire.seq + i))
			world_fail("byte %u of the lane's segment is not what the application wrote", i);
}

static void
check_frame(const uint8_t *bytes, size_t len)
{
	size_t l2 = world.lane->netif.ethernet ? 14 : 0;

	if (len < l2 + 20 || len > l2 + world.lane->netif.mtu)
		world_fail("the lane sends a frame of %zu bytes", len);
	if (l2 > 0 && bytes[12] == 8 && bytes[13] == 6) {
		answer_arp(bytes, len);
		return;
	}
	bytes += l2;
	len -= l2;
	if (bytes[0] >> 4 == 6) {
		hosts6_hear(bytes, len);
		if (bytes[6] == 6)
			check_segment(bytes, len);
	} else if (bytes[9] == 6) {
		check_segment(bytes, len);
	} else if (bytes[9] == 1 && len >= 28 && bytes[20] == 0) {
		world.pongs4++;
	}
}

static void
nic_frees(void)
{
	static uint8_t bytes[FRAME_MAX];

	while (world.kept_count > 0) {
		struct rte_mbuf *frame = world.kept[--world.kept_count];
		size_t len = frame_bytes(frame, bytes);

		if (frame_hash(FRAME_HASH_START, bytes, len) != world.kept_hash[world.kept_count])
			world_fail("a frame changed while the NIC had it");
		rte_pktmbuf_free(frame);
	}
}

static void
take_frames(void)
{
	static uint8_t bytes[FRAME_MAX];
	struct rte_mbuf *out[RILL_BURST_MAX];
	unsigned int n;

	if (!world.nic_keeps)
		nic_frees();
	while (!world.nic_full && (n = rill_lane_take(world.lane, out, RILL_BURST_MAX)) > 0) {
		for (unsigned int i = 0; i < n; i++) {
			size_t len = frame_bytes(out[i], bytes);

			check_frame(bytes, len);
			if (!world.nic_keeps || world.kept_count == FRAMES_KEPT) {
				rte_pktmbuf_free(out[i]);
				continue;
			}
			world.kept_hash[world.kept_count] = frame_hash(FRAME_HASH_START, bytes, len);
			world.kept[world.kept_count++] = out[i];
		}
	}
}

/* ---- looking */

static void
look_at(struct rill_conn *conn, void *unused)
{
	struct tcp *tcp = &world.lane->tcp;
	struct app *app = &world.apps[tcp_conn_index(tcp, conn)];
	bool known = conn->state != RILL_SYN_SENT;

	conn_check(tcp, conn);
	if (app->conn != conn)
		return;
	if (app->looked && (int32_t)(conn->snd_una.n - app->snd_una) < 0)
		world_fail("snd_una went back from %u to %u", app->snd_una, conn->snd_una.n);
	if (app->looked && known && (int32_t)(conn->rcv_adv.n - app->rcv_adv) < 0)
		world_fail("the window's edge went back from %u to %u", app->rcv_adv, conn->rcv_adv.n);
	app->looked = known;
	app->snd_una = conn->snd_una.n;
	app->rcv_adv = conn->rcv_adv.n;
}

/* Nothing grows with what strangers say. */
static void
look_at_net(void)
{
	const struct net *net = world.lane->net;

	if (neighbors_count(net->neighbors) > NEIGHBORS_MAX)
		world_fail("%u neighbours", neighbors_count(net->neighbors));
	if (fragments_datagrams(net->fragments) > FRAGMENTS_DATAGRAMS ||
		fragments_buffers(net->fragments) > FRAGMENTS_BUFFERS)
		world_fail("%u incomplete datagrams, %u buffers", fragments_datagrams(net->fragments),
			fragments_buffers(net->fragments));
	if (net->ip6.slots > NET6_ADDRS_MAX || net->ip6.facts_count > NET_FACTS_MAX)
		world_fail("%u IPv6 addresses, %u facts", net->ip6.slots, net->ip6.facts_count);
	if (world.lane->tcp.pmtu.count > PMTU_PATHS_MAX)
		world_fail("%u paths", world.lane->tcp.pmtu.count);
}

static void
look(void)
{
	look_at_net();
	rill_lane_each(world.lane, look_at, NULL);
	if (!table_check(world.lane->tcp.table))
		world_fail("the table is not consistent");
}

/* ---- time */

void
world_turn(void)
{
	for (unsigned int spins = 0;; spins++) {
		struct rte_mbuf *in[RILL_BURST_MAX];
		unsigned int n = world.burst_count;

		memcpy(in, world.burst, n * sizeof(in[0]));
		world.burst_count = 0;
		rill_lane_turn(world.lane, world.now, in, n);
		take_frames();
		if (world.burst_count == 0 && (world.nic_full || rill_lane_deadline(world.lane) > world.now))
			break;
		if (spins > SPIN_MAX)
			world_fail("turn after turn while no time passes");
	}
	look();
}

void
world_pass(uint64_t us)
{
	world.now += us;
	world_turn();
}

void
world_settle(void)
{
	uint64_t until = world.now + SETTLE_US;

	while (rill_lane_deadline(world.lane) < until)
		world_pass(RTE_MAX(rill_lane_deadline(world.lane), world.now + 1) - world.now);
	world_pass(until - world.now);
}

/* ---- up and down */

static void
limits_for(uint8_t kind, struct rill_limits *limits)
{
	bool tight = kind & WORLD_TIGHT;

	*limits = (struct rill_limits){
		.max_conns = tight ? FLOWS : CONNS_MAX,
		.timewait_max = tight ? 2 : CONNS_MAX,
		.syn_max = tight ? 2 : CONNS_MAX,
		.sidecars = tight ? 2 : CONNS_MAX,
		.records = tight ? 24 : 1024,
		.buffers = BUFFERS,
		.msl_ms = 30000,
	};
}

static void
flows_up(uint8_t flows6)
{
	for (unsigned int i = 0; i < FLOWS_ALL; i++) {
		bool active = i % 2 && i < FLOWS;

		world.flows[i] = (struct flow){
			.lane_port = (uint16_t)(active ? ACTIVE_PORT + i : LANE_PORT),
			.peer_port = (uint16_t)(PEER_PORT + i),
			.rcv_nxt = 1000,
			.rcv_edge = 2000,
			.snd_una = 3000,
			.snd_nxt = 4000,
			.ip6 = i < FLOWS ? hosts6_are_there() && flows6 >> i & 1 : i > FLOWS,
		};
	}
}

/* Addresses and what goes with them, of both families. */
static void
addresses_for(uint8_t kind, struct rill_lane_config *config)
{
	memcpy(config->mac, lane_mac, sizeof(lane_mac));
	config->ethernet = kind & WORLD_ETHERNET;
	config->mtu = kind & WORLD_SMALL_MTU ? (hosts6_are_there() ? 1280 : 576) : 1500;
	rill_prefix_parse("192.0.2.1/24", &config->addrs[0]);
	config->addrs_count = 1;
	rill_addr_parse("192.0.2.254", &config->gateway);
	if (!hosts6_are_there())
		return;
	rill_prefix_parse("2001:db8::c000:201/64", &config->addrs[config->addrs_count++]);
	config->ip6_unprobed = !(kind & WORLD_IP6_ASKS);
	config->ip6_autoconf = kind & WORLD_IP6 && kind & WORLD_IP6_ASKS;
	if (!config->ip6_autoconf && config->ethernet)
		rill_addr_parse("fe80::fe:0", &config->gateway6);
}

void
world_up(uint8_t kind, const struct rill_options *options, uint8_t flows6)
{
	struct lane_setup setup = {
		.netif_caps = (kind & WORLD_COPIES ? 0 : NETIF_TX_CHAINS) |
			(kind & WORLD_RX_CKSUM ? NETIF_RX_CKSUM : 0),
		.tx_chain_max = 8,
		.rx_pool = frames,
		.rx_reserve = kind & WORLD_TIGHT ? FRAMES - 16 : 128,
		.buf_pool = buffers,
		.control_pool = controls,
	};
	int rc;

	memset(&world, 0, sizeof(world));
	world.kind = kind;
	/* The µs of 32 bits wrap in 2 s, the ms of 32 bits in 4. */
	world.now = kind & WORLD_LATE ? (1ull << 32) * 1000 - 4000000 : START_US;
	setup.now = world.now;
	lane_options = *options;
	rill_lane_config_default(&setup.config);
	addresses_for(kind, &setup.config);
	limits_for(kind, &setup.config.limits);
	setup.config.options = &lane_options;
	setup.config.secret = secret;
	setup.config.name = "fuzz";
	setup.config.numa_node = -1;
	rc = lane_create(&setup, &world.lane);
	if (rc != 0)
		world_fail("no lane: %d %s", rc, rill_error());
	world.opens_left = CONNS_MAX;
	world.flood_left = FLOOD_MAX;
	flows_up(flows6);
	app_acts(&world.flows[0], ACT_LISTEN, 0);
	world_turn();
}

static void
abort_one(struct rill_conn *conn, void *unused)
{
	rill_abort(conn);
}

static void
expect_none(const char *what, unsigned int count)
{
	if (count != 0)
		world_fail("%u %s left", count, what);
}

static void
give_all_back(void)
{
	app_release();
	app_acts(&world.flows[0], ACT_GIVE_BACK, 0);
}

/* Everything is aborted; then time must clear what is left by itself, fragments within theirs. */
static void
wait_for_nothing(void)
{
	const struct tcp *tcp = &world.lane->tcp;
	const struct fragments *fragments = world.lane->net->fragments;
	uint64_t until = world.now + FRAGMENTS_TIMEOUT_US + LATE_US;

	world.opens_left = 0;
	rill_lane_each(world.lane, abort_one, NULL);
	world_turn();
	/* An entry of TIME-WAIT that a new SYN took over is freed when its time has come. */
	for (unsigned int i = 0;
		table_count(tcp->table) > 0 || tcp->conns.used > 0 || tcp->timewaits.used > 0 ||
		fragments_datagrams(fragments) > 0;
		i++) {
		uint64_t next = rill_lane_deadline(world.lane);

		if (next == RILL_NEVER || i > WAIT_MAX)
			break;
		if (next > until)
			expect_none("datagrams beyond their time", fragments_datagrams(fragments));
		world_pass(next - world.now);
		rill_lane_each(world.lane, abort_one, NULL);
	}
	give_all_back(); /* what callbacks took meanwhile */
}

static void
expect_nothing_left(void)
{
	const struct tcp *tcp = &world.lane->tcp;

	expect_none("connections", tcp->conns.used);
	expect_none("half-open connections", tcp->half_opens.used);
	expect_none("entries in the table", table_count(tcp->table));
	expect_none("TIME-WAIT entries", tcp->timewaits.used);
	expect_none("incomplete datagrams", fragments_datagrams(world.lane->net->fragments));
	expect_none("buffers of fragments", fragments_buffers(world.lane->net->fragments));
	expect_none("records", tcp->records.used);
	expect_none("side-cars", tcp->sidecars.used);
	for (unsigned int i = 0; i < TCP_LISTENERS_MAX; i++)
		if (tcp->listeners[i].tcp != NULL)
			expect_none("half-open connections of a listener", tcp->listeners[i].half_open);
	expect_none("buffers", rte_mempool_in_use_count(buffers));
	expect_none("frames", rte_mempool_in_use_count(frames));
}

void
world_down(bool at_once)
{
	world.nic_full = world.nic_keeps = false;
	world.arp_silent = false;
	give_all_back();
	world_turn();
	for (unsigned int i = 0; !at_once && i < 2; i++) {
		wait_for_nothing();
		expect_nothing_left();
		for (unsigned int flow = 0; flow < FLOWS_ALL; flow++)
			world.flows[flow].reaction = 0;
		if (i == 0)
			alive_check();
	}
	give_all_back();
	lane_destroy(world.lane);
	app_acts(&world.flows[0], ACT_GIVE_BACK, 0); /* what on_close took */
	world.lane = NULL;
	expect_none("buffers after the lane", rte_mempool_in_use_count(buffers));
	expect_none("frames after the lane", rte_mempool_in_use_count(frames));
	expect_none("headers after the lane", rte_mempool_in_use_count(controls));
}
