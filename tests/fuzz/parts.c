/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets in fragments, and behind extension headers: as they should be, and as they should not. */
#include "parts.h"

#include <string.h>

#include "frames.h"
#include "hosts6.h"
#include "twist.h"
#include "wire.h"

#define PARTS_MAX 12 /* more than are put together */
#define PIECE_MAX 2048
#define EXT_LEN 8
#define CHAIN_MAX 320 /* longer than anything that is gone through */
#define HEADERS_MAX 10

enum { HOP_BY_HOP = 0, ROUTING = 43, FRAGMENT = 44, AUTHENTICATION = 51, DESTINATION = 60 };

static void
put16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* What a fragment says of itself. */
struct part {
	uint16_t id;
	size_t from;
	bool more, options; /* another extension header in front of the Fragment header */
	uint8_t ecn;
};

static void
part_say4(uint8_t *part, const struct part *says, const uint8_t *data, size_t len)
{
	memcpy(part + WIRE_IP4_LEN, data, len);
	part[0] = 0x45;
	part[1] |= says->ecn;
	put16(part + 2, WIRE_IP4_LEN + len);
	put16(part + 4, says->id);
	put16(part + 6, (says->more ? 0x2000 : 0) | (says->from >> 3 & 0x1fff));
	twist_fix_ip4(part);
	put_frame(part, WIRE_IP4_LEN + len, 0x0800, FRAME_MAX, 0);
}

static void
part_say6(uint8_t *part, const struct part *says, const uint8_t *data, size_t len)
{
	static const uint8_t nothing[EXT_LEN] = {FRAGMENT, 0, 1, 4};
	uint8_t protocol = part[6], *at = part + WIRE_IP6_LEN;

	part[1] |= (uint8_t)(says->ecn << 4);
	part[6] = says->options ? DESTINATION : FRAGMENT;
	if (says->options) {
		memcpy(at, nothing, sizeof(nothing));
		at += sizeof(nothing);
	}
	memset(at, 0, EXT_LEN);
	at[0] = protocol;
	put16(at + 2, (says->from & 0xfff8) | says->more);
	put16(at + 6, says->id);
	at += EXT_LEN;
	memcpy(at, data, len);
	len += (size_t)(at - part);
	put16(part + 4, len - WIRE_IP6_LEN);
	put_frame(part, len, 0x86dd, FRAME_MAX, 0);
}

/* A fragment with the packet's IP header. */
static void
part_say(const uint8_t *packet, const struct part *says, const uint8_t *data, size_t len)
{
	static uint8_t part[FRAME_MAX];

	memcpy(part, packet, WIRE_IP6_LEN); /* or less */
	if (packet[0] >> 4 == 6)
		part_say6(part, says, data, len);
	else
		part_say4(part, says, data, len);
}

void
put_in_parts(const uint8_t *packet, size_t len, const struct step *step)
{
	size_t header = packet[0] >> 4 == 6 ? WIRE_IP6_LEN : WIRE_IP4_LEN;
	size_t data = len < header ? 0 : len - header, each = 8 + (step->extra & 0xf8u);
	unsigned int count, last;

	each = each * PARTS_MAX < data ? (data / PARTS_MAX + 8) & ~(size_t)7 : each;
	count = (unsigned int)((data + each - 1) / each);
	last = count - 1;
	for (unsigned int i = 0; i < count; i++) {
		/* in order, backwards, or from somewhere in the middle on */
		unsigned int at = step->extra & 1 ? last - i : (i + step->urg / 32) % count;
		size_t from = at * each, n = at == last ? data - from : each;
		struct part part = {.id = (uint16_t)(step->flow | step->wnd << 8), .more = at != last, .options = step->urg & 0x10};

		if ((step->urg & 3) == 1 && at == last && from >= 8)
			from -= 8, n += 8; /* over the end of the one before */
		part.from = from;
		if ((step->urg & 3) == 2 && i == 1)
			part_say(packet, &part, packet + header + from, n); /* twice */
		if ((step->urg & 7) != 3 || i != 2) /* or one is missing */
			part_say(packet, &part, packet + header + from, n);
	}
}

void
put_piece(const struct flow *flow, const struct step *step)
{
	static const uint8_t protocols[8] = {6, 58, 17, 59, DESTINATION, FRAGMENT, HOP_BY_HOP, 253};
	static const uint16_t lens[8] = {8, 16, 0, 24, 64, 1232, 1448, 7};
	uint8_t header[WIRE_IP6_LEN] = {0}, data[PIECE_MAX];
	struct part part = {
		.id = step->ack & 3,
		.from = (size_t)(step->seq | step->seq_delta << 8) << 3,
		.more = !(step->flags & 1),
		.options = step->flags & 2,
		.ecn = step->flags >> 2 & 3,
	};
	size_t len = lens[step->len & 7] + (step->len >> 3);

	for (size_t i = 0; i < len; i++)
		data[i] = pattern((uint32_t)(part.from + i));
	if (part.from == 0 && len >= 4) {
		put16(data, flow->peer_port);
		put16(data + 2, flow->lane_port);
	}
	if (hosts6_are_there() && !(step->flags & 0x10)) {
		header[0] = 0x60;
		header[6] = protocols[step->wnd & 7];
		header[7] = 64;
		hosts6_addr(header + 8, step->options, step->ts_delta);
		hosts6_addr(header + 24, step->sack_from ^ HOST6_LANE, 0);
	} else {
		header[8] = 64;
		header[9] = step->wnd & 1 ? 1 : protocols[step->wnd & 7];
		memcpy(header + 12, (const uint8_t[]){192, 0, 2, 2, 192, 0, 2, 1}, 8);
		if (step->options != 0)
			memcpy(header + 12, (const uint8_t[]){20, 0, step->options, step->ts_delta}, 4);
	}
	part_say(header, &part, data, len);
}

/* ---- extension headers */

static uint32_t
draw(uint32_t *state, uint32_t below)
{
	*state = *state * 1664525u + 1013904223u;
	return (uint32_t)((uint64_t)(*state >> 8) * below >> 24);
}

/* Options that fill the header from its third byte on. */
static void
fill_options(uint8_t *header, size_t len, bool sound, uint32_t *state)
{
	static const uint8_t types[8] = {0, 1, 5, 0x1e, 0x5e, 0x9e, 0xde, 0xc2};

	for (size_t at = 2; at < len;) {
		size_t room = len - at, n;

		header[at] = sound ? (draw(state, 2) ? 0x1e : 1) : types[draw(state, 8)];
		if (room == 1 || header[at] == 0) {
			header[at] = sound ? 0 : header[at];
			at++;
			continue;
		}
		n = draw(state, sound ? (uint32_t)room - 1 : 12);
		header[at + 1] = (uint8_t)n;
		at += 2 + n;
	}
}

/* One header, but for its first byte. Returns its length. */
static size_t
make_header(uint8_t *header, uint8_t kind, bool sound, uint32_t *state)
{
	size_t len = kind == FRAGMENT ? EXT_LEN : EXT_LEN * (1 + draw(state, 3));

	memset(header, 0, len);
	if (kind == FRAGMENT) {
		header[7] = 9;
		if (!sound)
			put16(header + 2, draw(state, 65536));
		return len;
	}
	header[1] = (uint8_t)(len / EXT_LEN - 1);
	if (kind == ROUTING) {
		header[2] = (uint8_t)draw(state, 5);
		header[3] = sound ? 0 : (uint8_t)draw(state, 3);
	} else {
		fill_options(header, len, sound, state);
	}
	if (!sound && draw(state, 8) == 0)
		header[1] = (uint8_t)draw(state, 256);
	return len;
}

size_t
put_behind_chain(uint8_t *packet, size_t len, const struct step *step)
{
	static const uint8_t kinds[8] = {DESTINATION, HOP_BY_HOP, ROUTING, FRAGMENT, DESTINATION, ROUTING,
		AUTHENTICATION, 59};
	uint32_t state = step->extra | (uint32_t)step->urg << 8;
	bool sound = step->urg < 0x80;
	unsigned int count = 1 + step->extra % HEADERS_MAX;
	uint8_t chain[CHAIN_MAX], *next = packet + 6, last = packet[6];
	size_t at = 0;

	for (unsigned int i = 0; i < count && at + 3 * EXT_LEN <= sizeof(chain); i++) {
		uint8_t kind = kinds[draw(&state, sound ? 6 : 8)];

		if (sound && kind == HOP_BY_HOP && i > 0)
			kind = DESTINATION;
		*next = kind;
		next = chain + at;
		at += make_header(chain + at, kind, sound, &state);
	}
	*next = last;
	memmove(packet + WIRE_IP6_LEN + at, packet + WIRE_IP6_LEN, len - WIRE_IP6_LEN);
	memcpy(packet + WIRE_IP6_LEN, chain, at);
	put16(packet + 4, len + at - WIRE_IP6_LEN);
	return len + at;
}
