/* SPDX-License-Identifier: BSD-3-Clause */
#include "hosts6.h"

#include <string.h>

#include <rte_mbuf.h>

#include "frames.h"
#include "net_state.h"
#include "parts.h"
#include "twist.h"
#include "wire.h"

#define ICMP6 58
#define ICMP_AT WIRE_IP6_LEN
#define MESSAGE_MAX 1600
#define FLOOD_EACH 4    /* frames for each count of a step's */
#define PING_ID 0xa11e
#define PING_LEN 16

enum {
	TOO_BIG = 2, ECHO = 128, ECHO_REPLY = 129, ROUTER_SOLICIT = 133, ROUTER_ADVERT = 134,
	SOLICIT = 135, ADVERT = 136, REDIRECT = 137,
};

static const uint8_t peer_mac[6] = {2, 0, 0, 0, 0, 2};

static void
put16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void
put32(uint8_t *p, size_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

bool
hosts6_are_there(void)
{
	return world.kind & (WORLD_IP6 | WORLD_IP6_ASKS);
}

unsigned int
hosts6_pongs(void)
{
	return world.pongs6;
}

void
hosts6_addr(uint8_t *addr, unsigned int host, unsigned int n)
{
	static const uint8_t fixed[HOSTS6][16] = {
		[HOST6_PEER_NEAR] = {0xfe, 0x80, [11] = 0xff, 0xfe, [15] = 2},
		[HOST6_ROUTER] = {0xfe, 0x80, [13] = 0xfe},
		[HOST6_STRANGER] = {0x20, 1, 0x0d, 0xb8, [13] = 1},
		[HOST6_LANE_NEAR] = {0xfe, 0x80, [11] = 0xff, 0xfe, [15] = 1},
		[HOST6_LANE_AUTO] = {0x20, 1, 0x0d, 0xb8, [11] = 0xff, 0xfe, [15] = 1},
		[HOST6_FAR] = {0x20, 1, 0x0d, 0xb8, 0xff, 0xff},
		[HOST6_ALL_NODES] = {0xff, 2, [15] = 1},
		[HOST6_ALL_ROUTERS] = {0xff, 2, [15] = 2},
		[HOST6_LANE_GROUP] = {0xff, 2, [11] = 1, 0xff, 0, 2, 1},
		[HOST6_NEAR_GROUP] = {0xff, 2, [11] = 1, 0xff, 0, 0, 1},
		[HOST6_GROUP] = {0xff, 2, [11] = 1, 0xff},
		[HOST6_LOOPBACK] = {[15] = 1},
		[HOST6_NETWORK] = {0x20, 1, 0x0d, 0xb8},
	};

	host %= HOSTS6;
	if (host == HOST6_PEER || host == HOST6_LANE) {
		wire_put_ip6(addr, host == HOST6_PEER ? PEER_ADDR : LANE_ADDR);
		return;
	}
	memcpy(addr, fixed[host], 16);
	if (host == HOST6_NETWORK || host == HOST6_LANE_AUTO)
		put16(addr + 4, n);
	else if (host == HOST6_ROUTER || host == HOST6_STRANGER || host == HOST6_FAR || host == HOST6_GROUP)
		put16(addr + 14, n);
}

/* ---- messages */

struct message {
	uint8_t bytes[MESSAGE_MAX + TWIST_ROOM];
	size_t len; /* of the packet */
};

static void
message_begin(struct message *message, const uint8_t *src, const uint8_t *dst, uint8_t type, size_t len)
{
	memset(message->bytes, 0, ICMP_AT + len);
	message->bytes[0] = 0x60;
	message->bytes[6] = ICMP6;
	message->bytes[7] = 255;
	memcpy(message->bytes + 8, src, 16);
	memcpy(message->bytes + 24, dst, 16);
	message->bytes[ICMP_AT] = type;
	message->len = ICMP_AT + len;
}

/* Bytes behind the message; NULL: zeros. */
static uint8_t *
message_add(struct message *message, const void *bytes, size_t len)
{
	uint8_t *at = message->bytes + message->len;

	if (bytes != NULL)
		memcpy(at, bytes, len);
	else
		memset(at, 0, len);
	message->len += len;
	return at;
}

static void
message_say(struct message *message, struct flow *flow, const struct step *step)
{
	put16(message->bytes + 4, message->len - WIRE_IP6_LEN);
	twist_fix_ip6(message->bytes, message->len);
	if (step != NULL)
		twist_and_put(flow, message->bytes, message->len, step);
	else
		put_frame(message->bytes, message->len, 0x86dd, FRAME_MAX, 0);
}

static void
add_mac(struct message *message, uint8_t type, uint8_t host)
{
	const uint8_t option[8] = {type, 1, 2, 0, 0, 0, host >> 4, (uint8_t)(host + 2)};

	message_add(message, option, sizeof(option));
}

/* which: bit 0 the sender's MAC, 1 the target's, 2 an unknown one, 3 one without length, 4 one beyond
 * the end, 5 what a redirect is about. */
static void
add_options(struct message *message, uint8_t which, uint8_t mac)
{
	if (which & 1)
		add_mac(message, 1, mac);
	if (which & 2)
		add_mac(message, 2, mac);
	if (which & 4)
		message_add(message, (const uint8_t[8]){14, 1}, 8);
	if (which & 8)
		message_add(message, (const uint8_t[8]){1, 0}, 8);
	if (which & 16)
		message_add(message, (const uint8_t[8]){2, 40}, 8);
	if (which & 32)
		message_add(message, (const uint8_t[16]){4, 2}, 16);
}

/*
 * flags: what it is, and an advertisement's bits; seq, seq_delta: from whom; ack, ack_delta: to whom;
 * len, wnd: about whom; options, ts_delta: what follows; sack_from: the code; sack_shape: how many
 * routers it has passed.
 */
void
hosts6_discover(struct flow *flow, const struct step *step)
{
	static const uint8_t types[8] = {SOLICIT, ADVERT, SOLICIT, ADVERT, SOLICIT, ADVERT, REDIRECT,
		ROUTER_SOLICIT};
	static struct message message;
	uint8_t type = types[step->flags & 7], src[16], dst[16];
	bool asks = type == SOLICIT;

	hosts6_addr(src, step->seq, step->seq_delta);
	hosts6_addr(dst, step->ack ^ HOST6_LANE, step->ack_delta);
	message_begin(&message, src, dst, type, type == ROUTER_SOLICIT ? 8 : 24);
	message.bytes[7] -= step->sack_shape;
	message.bytes[ICMP_AT + 1] = step->sack_from;
	message.bytes[ICMP_AT + 4] = (uint8_t)(step->flags & 0xe0);
	if (type != ROUTER_SOLICIT)
		hosts6_addr(message.bytes + ICMP_AT + 8, asks ? step->len ^ HOST6_LANE : step->len, step->wnd);
	if (type == REDIRECT)
		hosts6_addr(message_add(&message, NULL, 16), HOST6_FAR, step->wnd);
	add_options(&message, step->options, step->ts_delta);
	message_say(&message, flow, step);
}

static const uint32_t lifetimes[8] = {1800, 0, 1, 30, 7200, 7201, 86400, UINT32_MAX};

static void
add_prefix(struct message *message, unsigned int n, uint8_t len, uint8_t flags, uint8_t lives)
{
	uint8_t *option = message_add(message, NULL, 32);

	option[0] = 3;
	option[1] = 4;
	option[2] = len;
	option[3] = flags;
	put32(option + 4, lifetimes[lives & 7]);
	put32(option + 8, lifetimes[lives >> 3 & 7]);
	hosts6_addr(option + 16, lives & 0x40 ? HOST6_ROUTER : HOST6_NETWORK, n);
}

/*
 * flags: bit 0 from anybody, bit 1 to the lane alone; seq: which router; len: its lifetime and times;
 * wnd: its hop limit; options: what follows (bit 0 the MAC, 1 the MTU, 2 and 3 bad ones) and, from
 * bit 4 on, how many networks; seq_delta: the first of them; sack_from: their length; sack_shape: their
 * flags; ack: how long they live; ts_delta: the MTU.
 */
void
hosts6_advertise_router(struct flow *flow, const struct step *step)
{
	static const uint32_t times[4] = {0, 30000, 100, 3600001};
	static const uint16_t mtus[8] = {1280, 1500, 1279, 0, 9000, 1400, 68, 65535};
	static const uint8_t lens[8] = {64, 64, 128, 0, 48, 65, 129, 255};
	static struct message message;
	uint8_t src[16], dst[16], *body;

	hosts6_addr(src, step->flags & 1 ? step->ack_delta : HOST6_ROUTER, step->seq);
	hosts6_addr(dst, step->flags & 2 ? HOST6_LANE : HOST6_ALL_NODES, 0);
	message_begin(&message, src, dst, ROUTER_ADVERT, 16);
	body = message.bytes + ICMP_AT;
	message.bytes[7] -= (uint8_t)(step->flags >> 4);
	body[4] = step->wnd;
	put16(body + 6, lifetimes[step->len & 7]);
	put32(body + 8, times[step->len >> 3 & 3]);
	put32(body + 12, times[step->len >> 5 & 3]);
	add_options(&message, (uint8_t)((step->options & 1) | (step->options & 12) << 1), step->seq);
	if (step->options & 2)
		put32(message_add(&message, (const uint8_t[8]){5, 1}, 8) + 4, mtus[step->ts_delta & 7]);
	for (unsigned int i = 0; i < step->options >> 4; i++)
		add_prefix(&message, step->seq_delta + i, lens[step->sack_from & 7],
			(uint8_t)~step->sack_shape, step->ack);
	message_say(&message, flow, step);
}

/*
 * flags: the type; wnd: the code; seq, seq_delta: from whom; options: bit 0 the quoted segment had
 * extension headers, bit 1 the word is as extra and urg say, else a path MTU; len: how much is quoted,
 * or asked; sack_from: to whom.
 */
void
hosts6_complain(struct flow *flow, const struct step *step)
{
	static const uint8_t types[16] = {TOO_BIG, 1, 3, 4, TOO_BIG, ECHO, ECHO, ECHO_REPLY, 127, 130, 143,
		255, 0, 5, 100, 1};
	static struct message message;
	uint8_t type = types[step->flags & 15], src[16], dst[16], quote[WIRE_HEADERS_MAX + TWIST_ROOM];
	uint32_t word = step->extra | (uint32_t)step->urg << 8;
	size_t quoted;

	hosts6_addr(src, step->seq, step->seq_delta);
	hosts6_addr(dst, step->sack_from ^ HOST6_LANE, 0);
	message_begin(&message, src, dst, type, 8);
	message.bytes[ICMP_AT + 1] = step->wnd;
	put32(message.bytes + ICMP_AT + 4, step->options & 2 ? word << (step->wnd & 16) : 1280 + word % 256);
	if (type >= ECHO) {
		message_add(&message, NULL, step->len * (step->options & 4 ? 6u : 1u));
		message_say(&message, flow, step);
		return;
	}
	quoted = peer_heard(flow, step, quote);
	if (flow->ip6 && step->options & 1)
		quoted = put_behind_chain(quote, quoted, step);
	message_add(&message, quote, step->len == 0 ? quoted : RTE_MIN(quoted, (size_t)step->len));
	message_say(&message, flow, step);
}

/* ---- many of one kind */

enum { FLOOD_PIECES, FLOOD_PIECES4, FLOOD_SOLICITS, FLOOD_ROUTERS, FLOOD_NETWORKS, FLOOD_ECHOES,
	FLOOD_TOO_BIG, FLOOD_SEGMENTS, FLOODS };

/* The step of the i-th frame: nobody's source, or content, is that of another. */
static void
flood_one(struct flow *flow, unsigned int kind, struct step one, unsigned int i)
{
	one.twist = 0;
	one.flags = 0;
	one.seq = HOST6_STRANGER;
	one.seq_delta = (uint8_t)i;
	one.options = 1;
	switch (kind) {
	case FLOOD_PIECES:
	case FLOOD_PIECES4:
		one.seq = one.seq_delta = 0;
		one.options = kind == FLOOD_PIECES4 ? (uint8_t)(i >> 6 | 0x10) : HOST6_FAR;
		one.ts_delta = (uint8_t)i;
		one.ack = (uint8_t)(i >> 8);
		one.flags = kind == FLOOD_PIECES4 ? 0x10 : 0;
		put_piece(flow, &one);
		return;
	case FLOOD_SOLICITS:
		one.seq = i & 0x100 ? HOST6_FAR : HOST6_STRANGER;
		hosts6_discover(flow, &one);
		return;
	case FLOOD_ROUTERS:
		one.seq = (uint8_t)i;
		one.options = 0x11;
		hosts6_advertise_router(flow, &one);
		return;
	case FLOOD_NETWORKS:
		one.seq = 0;
		one.options = 0xf1;
		hosts6_advertise_router(flow, &one);
		return;
	case FLOOD_SEGMENTS: /* of hosts that nobody knows */
		one.twist = 15;
		one.flags = 2;
		one.extra = 3 - (i >> 8 & 1);
		one.urg = (uint8_t)(i | 1);
		peer_says(flow, &one);
		return;
	default:
		one.flags = kind == FLOOD_ECHOES ? 5 : 0;
		hosts6_complain(flow, &one);
		return;
	}
}

void
hosts6_flood(struct flow *flow, const struct step *step)
{
	unsigned int count = RTE_MIN((step->seq + 1u) * FLOOD_EACH, world.flood_left);

	world.flood_left -= count;
	for (unsigned int i = 0; i < count; i++)
		flood_one(flow, step->flags % FLOODS, *step, i);
}

/* ---- what the lane has */

void
hosts6_change(const struct step *step)
{
	struct rill_prefix prefix = {.addr.family = AF_INET6, .len = step->len == 0 ? 64 : step->len};
	struct rill_addr gateway = {.family = AF_INET6};

	unsigned int host = (step->seq ^ HOST6_LANE) % HOSTS6;

	if (host == HOST6_PEER) /* nobody else's would be left for the peer to speak from */
		return;
	hosts6_addr(prefix.addr.u.ip6, host, step->seq_delta);
	hosts6_addr(gateway.u.ip6, step->ack, step->ack_delta);
	switch (step->flags & 3) {
	case 0:
		rill_lane_addr_del(world.lane, &prefix.addr);
		return;
	case 1:
		rill_lane_addr_add(world.lane, &prefix);
		return;
	case 2:
		rill_lane_route_add(world.lane, &prefix, &gateway, prefix.addr.u.ip6[15] % 4);
		return;
	default:
		rill_lane_route_del(world.lane, &prefix, NULL);
		return;
	}
}

/* ---- what the lane says */

/* "That is me": as its owner would, if it is not the lane's own. */
static void
answer(const uint8_t *solicit)
{
	static struct message message;
	const uint8_t *target = solicit + ICMP_AT + 8;

	if (world.arp_silent || world.burst_count == RILL_BURST_MAX || solicit[23] == 0 ||
		net6_find(&world.lane->net->ip6, target) != NULL)
		return;
	message_begin(&message, target, solicit + 8, ADVERT, 24);
	message.bytes[ICMP_AT + 4] = 0x60;
	memcpy(message.bytes + ICMP_AT + 8, target, 16);
	memcpy(message_add(&message, (const uint8_t[8]){2, 1}, 8) + 2, peer_mac, sizeof(peer_mac));
	message_say(&message, NULL, NULL);
}

static void
hear_icmp(const uint8_t *packet, size_t len)
{
	static const uint8_t nobody[16];
	size_t icmp_len = len - WIRE_IP6_LEN;
	uint8_t type = packet[ICMP_AT];
	bool discovers = type >= ROUTER_SOLICIT && type <= REDIRECT;

	if (icmp_len < 8 ||
		wire_fold(wire_sum(packet + ICMP_AT, icmp_len, wire_pseudo_sum(packet, ICMP6, icmp_len))) != 0)
		world_fail("the lane's ICMPv6 message is too short, or its checksum wrong");
	if (type == REDIRECT || type == ROUTER_ADVERT)
		world_fail("the lane speaks as a router, in a message of type %u [RFC4861-16]", type);
	if (discovers && packet[7] != 255)
		world_fail("the lane's neighbour discovery could have passed a router");
	if (!discovers && (packet[24] == 0xff || memcmp(packet + 8, nobody, 16) == 0))
		world_fail("ICMPv6 of type %u to a group, or from nobody", type);
	if (type < ECHO && len > 1280)
		world_fail("an ICMPv6 error of %zu bytes", len);
	if (type == SOLICIT)
		answer(packet);
	if (type == ECHO_REPLY && packet[ICMP_AT + 4] == PING_ID >> 8 && packet[ICMP_AT + 5] == (PING_ID & 255))
		world.pongs6++;
}

/* Which groups it listens to, to the routers of its link alone. */
static void
hear_report(const uint8_t *packet, size_t len)
{
	const uint8_t *icmp = packet + ICMP_AT + 8;
	size_t icmp_len = len - ICMP_AT - 8;

	if (len < ICMP_AT + 8 + 24 || packet[ICMP_AT] != ICMP6 || packet[ICMP_AT + 1] != 0 ||
		packet[ICMP_AT + 2] != 5 || packet[7] != 1 || packet[24] != 0xff ||
		(icmp[0] != 131 && icmp[0] != 143))
		world_fail("the lane sends hop-by-hop options, and no report of its groups [RFC3810-1]");
	if (wire_fold(wire_sum(icmp, icmp_len, wire_pseudo_sum(packet, ICMP6, icmp_len))) != 0)
		world_fail("the lane's report has a wrong checksum");
}

/* Nothing but answers to pings is sent in fragments. */
static void
hear_fragment(const uint8_t *packet, size_t len)
{
	const uint8_t *header = packet + ICMP_AT;
	unsigned int field = (unsigned int)(header[2] << 8 | header[3]);

	if (len <= ICMP_AT + 8 || header[0] != ICMP6 || ((field & 1) && (len - ICMP_AT) % 8 != 0) ||
		(field >> 3 == 0 && (header[8] != ECHO_REPLY || !(field & 1))))
		world_fail("the lane's fragment is of no echo reply, or cut where it must not be [RFC8200-16]");
}

void
hosts6_hear(const uint8_t *packet, size_t len)
{
	if (len < WIRE_IP6_LEN || (size_t)(packet[4] << 8 | packet[5]) != len - WIRE_IP6_LEN)
		world_fail("the lane's IPv6 packet is not as long as it says");
	if (!hosts6_are_there())
		world_fail("the lane speaks IPv6, which is off");
	if (packet[8] == 0xff)
		world_fail("the lane's source is a group");
	if (packet[6] == ICMP6)
		hear_icmp(packet, len);
	else if (packet[6] == 0)
		hear_report(packet, len);
	else if (packet[6] == 44)
		hear_fragment(packet, len);
	else if (packet[6] != 6)
		world_fail("the lane sends an IPv6 packet with next header %u", packet[6]);
}

void
hosts6_ping(const uint8_t *lane_addr)
{
	static struct message message;
	uint8_t src[16];

	hosts6_addr(src, HOST6_PEER, 0);
	message_begin(&message, src, lane_addr, ECHO, PING_LEN);
	put16(message.bytes + ICMP_AT + 4, PING_ID);
	message_say(&message, NULL, NULL);
}
