/* SPDX-License-Identifier: BSD-3-Clause */
#include "peer.h"

#include <stdlib.h>
#include <string.h>

#include "offload.h"
#include "peer_inner.h"

#define POOL_FRAMES 1024
#define HELD_MAX 1024
#define SPIN_MAX 10000 /* turns without time passing before we call it a spin */

struct peer peer;

static struct rte_mempool *pool;
static const uint8_t secret[RILL_SECRET_LEN] = "the very same secret every time";
static struct {
	bool on;
	struct rte_mbuf *frames[RILL_BURST_MAX];
	unsigned int count;
} burst;

static struct {
	bool on;
	unsigned int per_turn, count;
	struct rte_mbuf *frames[HELD_MAX];
	uint64_t hashes[HELD_MAX];
} held;

static uint32_t
env_seq(const char *name, uint32_t otherwise)
{
	const char *text = getenv(name);

	return text != NULL ? (uint32_t)strtoul(text, NULL, 0) : otherwise;
}

struct rill_options
default_options(void)
{
	struct rill_options options;

	rill_options_default(&options);
	return options;
}

static void
flows_init(void)
{
	for (unsigned int i = 0; i < PEER_FLOWS; i++)
		peer.flows[i] = (struct flow){
			.peer_port = (uint16_t)(PEER_PORT + i),
			.lane_port = LANE_PORT,
			.ip6 = family_is_ip6(),
			.irs = env_seq("RILL_TEST_IRS", 10000) + i * 100003,
		};
	peer.flow = &peer.flows[0];
}

static void
lane_up(const struct peer_setup *setup)
{
	struct rill_lane_config config;
	int rc;

	rill_lane_config_default(&config);
	config.ethernet = false;
	config.mtu = family_mtu(setup->mtu);
	config.addrs[0] = family_prefix("192.0.2.1/24");
	config.addrs_count = 1;
	*(family_is_ip6() ? &config.gateway6 : &config.gateway) = family_addr("192.0.2.254");
	config.limits = setup->limits;
	if (config.limits.max_conns == 0)
		config.limits.max_conns = 256;
	if (config.limits.buffers == 0)
		config.limits.buffers = 2048;
	config.options = setup->options.ttl != 0 ? &setup->options : NULL;
	config.secret = secret;
	config.name = "peer";
	config.numa_node = -1;
	rc = rill_lane_create(&config, &peer.lane);
	if (rc != 0)
		peer_fail(__FILE__, __LINE__, "no lane: %d %s", rc, rill_error());
}

void
peer_restart(const struct peer_setup *wanted)
{
	const struct peer_setup copy = *wanted, *setup = &copy; /* it may be the present one */

	if (peer.lane != NULL)
		peer_down(NULL);
	memset(&peer, 0, sizeof(peer));
	dialogue_reset();
	hear_reset();
	app_reset();
	burst.on = false;
	peer.setup = *setup;
	peer.now = START_US;
	flows_init();
	lane_up(setup);
	if (pool == NULL)
		pool = frames_pool("peer_frames", POOL_FRAMES);
	turn();
	peer.seen = stats();
}

int
peer_up(void **state)
{
	peer_restart(&(struct peer_setup){.mss = 0});
	return 0;
}

/* Whatever the test left the lane in, its end gives every buffer back. */
int
peer_down(void **state)
{
	struct rill_lane *lane = peer.lane;

	if (lane == NULL)
		return 0;
	peer_releases();
	peer.lane = NULL;
	app_reset();
	rill_lane_destroy(lane);
	if (rte_mempool_in_use_count(pool) != 0)
		peer_fail(__FILE__, __LINE__, "%u frames leaked", rte_mempool_in_use_count(pool));
	return 0;
}

/* ---- flows */

struct flow *
flow_find(const struct wire *wire)
{
	uint16_t lane_port = wire->sport;

	for (unsigned int i = 0; i < PEER_FLOWS; i++) {
		struct flow *flow = &peer.flows[i];

		if (flow->peer_port != wire->dport || flow->ip6 != wire->ip6)
			continue;
		if (flow->lane_port == 0)
			flow->lane_port = lane_port;
		if (flow->lane_port == lane_port)
			return flow;
	}
	return NULL;
}

void
peer_uses_flow(unsigned int number)
{
	peer.flow = &peer.flows[number];
}

void
peer_forgets(uint32_t ahead)
{
	struct flow fresh = {.peer_port = peer.flow->peer_port,
		.lane_port = peer.flow->lane_port,
		.ip6 = peer.flow->ip6,
		.irs = peer.flow->irs + ahead};

	*peer.flow = fresh;
}

void
flow_note_said(struct flow *flow, const struct wire *wire)
{
	bool scaled = flow->peer_ws && flow->lane_ws && !(wire->flags & SYN);
	uint32_t limit;

	if (wire->flags & SYN) {
		flow->peer_ts = wire->has & HAS_TS;
		flow->peer_sack = wire->has & HAS_SACK_OK;
		flow->peer_ws = wire->has & HAS_WSCALE;
		flow->peer_wscale = wire->wscale > 14 ? 14 : wire->wscale;
		*(is_ecn_setup(wire) ? &flow->peer_ecn : &flow->peer_plain) = true;
	}
	if (!(wire->flags & ACK))
		return;
	limit = wire->ack + ((uint32_t)wire->wnd << (scaled ? flow->peer_wscale : 0));
	if (!flow->limit_known || seq_minus(limit, flow->limit) > 0)
		flow->limit = limit;
	flow->limit_known = true;
}

/* ---- saying */

static void
say_syn_options(const struct say *say, struct wire *wire)
{
	const struct peer_setup *setup = &peer.setup;
	bool answer = say->flags & ACK;
	const struct flow *flow = peer.flow;

	if (setup->mss != 1)
		wire->has |= HAS_MSS;
	wire->mss = say->mss ? say->mss : setup->mss ? setup->mss : 1460;
	if (setup->ws && (!answer || flow->lane_ws))
		wire->has |= HAS_WSCALE;
	wire->wscale = say->wscale ? say->wscale : setup->wscale;
	if (setup->sack && (!answer || flow->lane_sack))
		wire->has |= HAS_SACK_OK;
	if (setup->ts && (!answer || flow->lane_ts))
		wire->has |= HAS_TS;
	if (say->has & ~HAS_UTO)
		wire->has = say->has;
	wire->has |= say->has & HAS_UTO;
}

static void
say_options(const struct say *say, struct wire *wire)
{
	const struct flow *flow = peer.flow;

	wire->options = say->options;
	wire->options_len = say->options_len;
	if (say->bare)
		return;
	if (say->flags & SYN) {
		say_syn_options(say, wire);
	} else {
		wire->has = say->has;
		wire->mss = say->mss;
		wire->wscale = say->wscale;
		if (flow->peer_ts && flow->lane_ts && !(say->flags & RST))
			wire->has |= HAS_TS;
	}
	wire->tsval = say->has & HAS_TS ? say->tsval : (uint32_t)(peer.now / 1000);
	wire->tsecr = say->has & HAS_TS ? say->tsecr : say->flags & ACK ? flow->lane_tsval : 0;
	wire->uto = say->uto;
	wire->sack_count = say->sack_count;
	for (unsigned int i = 0; i < say->sack_count; i++) {
		wire->sack[i].left = flow->iss + say->sack[i].left;
		wire->sack[i].right = flow->iss + say->sack[i].right;
	}
}

size_t
peer_packet(uint8_t *packet, const struct say *say)
{
	static uint8_t data[FRAME_MAX];
	const struct flow *flow = peer.flow;
	struct wire wire = {
		.ip6 = flow->ip6,
		.saddr = say->saddr ? say->saddr : PEER_ADDR,
		.daddr = say->daddr ? say->daddr : LANE_ADDR,
		.sport = flow->peer_port,
		.dport = flow->lane_port,
		.flags = say->flags,
		.seq = flow->irs + say->seq,
		.ack = say->flags & ACK ? flow->iss + say->ack : 0,
		.wnd = say->wnd == 0 ? 65535 : say->wnd == WND_ZERO ? 0 : (uint16_t)say->wnd,
		.urg = say->urg,
		.len = say->len,
		.data = data,
		.reserved = say->reserved,
		.tos = (uint8_t)(say->tos | (say->ecn & 3)),
		.ttl = say->ttl,
	};
	uint32_t first = say->seq + (say->flags & SYN ? 1 : 0);

	for (uint32_t i = 0; i < say->len; i++)
		data[i] = pattern(first + i);
	say_options(say, &wire);
	flow_note_said(peer.flow, &wire);
	return wire_write(packet, &wire);
}

static void
hears_sent(void *arg, const uint8_t *bytes, uint32_t len)
{
	hear_frame(bytes, len);
}

static void
take_frame(struct rte_mbuf *frame)
{
	const char *complaint = offload_frame(frame, hears_sent, NULL);
	static uint8_t bytes[FRAME_MAX];
	size_t len = frame_bytes(frame, bytes);

	if (complaint != NULL)
		peer_fail(__FILE__, __LINE__, "the lane's frame: %s", complaint);
	if (held.on) {
		check(held.count < HELD_MAX);
		held.hashes[held.count] = frame_hash(FRAME_HASH_START, bytes, len);
		held.frames[held.count++] = frame;
	} else {
		rte_pktmbuf_free(frame);
	}
}

static void
lane_turns(struct rte_mbuf *in[], unsigned int n)
{
	struct rte_mbuf *out[16];
	unsigned int left = held.on ? held.per_turn : UINT32_MAX, count;

	check(rill_lane_turn(peer.lane, peer.now, in, n) >= 0);
	while ((count = rill_lane_take(peer.lane, out, RTE_MIN(16u, left))) > 0) {
		for (unsigned int i = 0; i < count; i++)
			take_frame(out[i]);
		left -= count;
	}
}

void
peer_holds(unsigned int per_turn)
{
	held.on = true;
	held.per_turn = per_turn;
}

void
peer_releases(void)
{
	static uint8_t bytes[FRAME_MAX];

	while (held.count > 0) {
		struct rte_mbuf *frame = held.frames[--held.count];
		size_t len = frame_bytes(frame, bytes);

		if (frame_hash(FRAME_HASH_START, bytes, len) != held.hashes[held.count])
			peer_fail(__FILE__, __LINE__, "frame %u changed after it was taken", held.count);
		rte_pktmbuf_free(frame);
	}
	held.on = false;
}

void
peer_sends_raw(const uint8_t *packet, size_t len)
{
	struct rte_mbuf *frame = frame_from_bytes(pool, packet, len);

	if (burst.on) {
		check(burst.count < RILL_BURST_MAX);
		burst.frames[burst.count++] = frame;
		return;
	}
	lane_turns(&frame, 1);
	turn();
}

void
peer_say(const struct say *say)
{
	static uint8_t packet[FRAME_MAX];
	size_t len = peer_packet(packet, say);
	char text[256];
	struct wire wire;

	wire_read(packet, len, &wire);
	wire.seq = say->seq;
	wire.ack = say->ack;
	for (unsigned int i = 0; i < wire.sack_count; i++)
		wire.sack[i] = i < say->sack_count ? say->sack[i] : wire.sack[i];
	peer_note("peer  %s", wire_text(text, sizeof(text), &wire));
	peer_sends_raw(packet, len);
}

void
burst_begin(void)
{
	burst.on = true;
	burst.count = 0;
}

void
burst_end(void)
{
	burst.on = false;
	lane_turns(burst.frames, burst.count);
	turn();
}

/* ---- time */

void
turn(void)
{
	unsigned int spins = 0;

	do {
		lane_turns(NULL, 0);
		if (++spins > SPIN_MAX)
			peer_fail(__FILE__, __LINE__, "the lane wants turn after turn, now is %lu",
				(unsigned long)peer.now);
	} while (rill_lane_deadline(peer.lane) <= peer.now && !(held.on && held.per_turn == 0));
}

void
advance_us(uint64_t us)
{
	uint64_t until = peer.now + us, deadline;

	while ((deadline = rill_lane_deadline(peer.lane)) <= until) {
		peer.now = RTE_MAX(peer.now, deadline);
		turn();
	}
	peer.now = until;
	turn();
}

void
advance(uint32_t ms)
{
	advance_us((uint64_t)ms * 1000);
}

struct rill_stats
stats(void)
{
	struct rill_stats now;

	check_equal(rill_lane_stats_read(peer.lane, &now), 0);
	return now;
}
