/* SPDX-License-Identifier: BSD-3-Clause */
#include "twist.h"

#include <string.h>

#include "parts.h"
#include "wire.h"

#define PIECE_MAX 1600 /* of a frame in one buffer */
#define FRAGMENT_LEN 8
#define TCP_AT WIRE_IP6_LEN

enum {
	TWIST_NONE,
	TWIST_IP_SUM,     /* IPv6 has none: the version is wrong */
	TWIST_TCP_SUM,
	TWIST_IP_LENGTH,
	TWIST_PADDED,
	TWIST_CUT,
	TWIST_FRAGMENT,
	TWIST_IP_OPTIONS, /* extension headers: see parts.h */
	TWIST_FLIP = STEP_FLIPS, /* one byte, checksums right */
	TWIST_FLIP_WRONG, /* one byte, checksums as before */
	TWIST_SPLIT,
	TWIST_SPLIT_SMALL,
	TWIST_TTL,
	TWIST_ECN,
	TWIST_PROTOCOL,
	TWIST_ADDRESS,
	TWIST_PARTS, /* fragments: see parts.h */
	TWIST_COUNT
};

static void
put16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

void
twist_fix_ip4(uint8_t *packet)
{
	put16(packet + 10, 0);
	put16(packet + 10, wire_fold(wire_sum(packet, (packet[0] & 15u) * 4, 0)));
}

void
twist_fix_ip6(uint8_t *packet, size_t len)
{
	uint8_t protocol = packet[6];
	size_t at = protocol == 6 ? 16 : protocol == 58 ? 2 : protocol == 17 ? 6 : 0;
	size_t upper = len - WIRE_IP6_LEN;

	if (at == 0 || upper < at + 2)
		return;
	put16(packet + WIRE_IP6_LEN + at, 0);
	put16(packet + WIRE_IP6_LEN + at,
		wire_fold(wire_sum(packet + WIRE_IP6_LEN, upper, wire_pseudo_sum(packet, protocol, upper))));
}

/* ---- IPv4 */

/* Puts 4 bytes of options behind the IP header. Returns the packet's length. */
static size_t
add_ip_options(uint8_t *packet, size_t len, uint8_t which)
{
	static const uint8_t options[4][4] = {{1, 1, 1, 0}, {7, 4, 4, 0}, {131, 3, 4, 0}, {148, 4, 0, 0}};

	memmove(packet + 24, packet + 20, len - 20);
	memcpy(packet + 20, options[which & 3], 4);
	packet[0] = 0x46;
	len += 4;
	put16(packet + 2, len);
	twist_fix_ip4(packet);
	return len;
}

/* Returns the packet's length. */
static size_t
twist4(uint8_t *packet, size_t len, const struct step *step)
{
	uint8_t extra = step->extra;

	switch (step->twist % 32) {
	case TWIST_IP_SUM:
		packet[10] ^= extra | 1;
		return len;
	case TWIST_TCP_SUM:
		packet[36] ^= extra | 1;
		return len;
	case TWIST_IP_LENGTH:
		put16(packet + 2, len + (size_t)(int8_t)extra);
		break;
	case TWIST_FRAGMENT:
		packet[6] = extra & 0x7f;
		packet[7] = step->urg;
		break;
	case TWIST_IP_OPTIONS:
		return add_ip_options(packet, len, extra);
	case TWIST_FLIP:
		twist_byte(packet, 20 + extra % 64, len, step->urg | 1);
		wire_fix_checksums(packet, len);
		return len;
	case TWIST_TTL:
		packet[8] = extra;
		break;
	case TWIST_ECN:
		packet[1] = extra;
		break;
	case TWIST_PROTOCOL:
		packet[9] = extra;
		break;
	case TWIST_ADDRESS:
		packet[12 + extra % 8] ^= step->urg;
		wire_fix_checksums(packet, len);
		return len;
	default:
		return len;
	}
	twist_fix_ip4(packet);
	return len;
}

/* ---- IPv6 */

/* Says that the packet is one of several, or, with an offset of 0 and no more to come, all of it. */
static size_t
add_fragment_header(uint8_t *packet, size_t len, const struct step *step)
{
	uint8_t *header = packet + WIRE_IP6_LEN;

	memmove(header + FRAGMENT_LEN, header, len - WIRE_IP6_LEN);
	memcpy(header, (const uint8_t[FRAGMENT_LEN]){packet[6], 0, step->extra, step->urg, 0, 0, 0, 1},
		FRAGMENT_LEN);
	packet[6] = 44;
	put16(packet + 4, len + FRAGMENT_LEN - WIRE_IP6_LEN);
	return len + FRAGMENT_LEN;
}

static size_t
twist6(uint8_t *packet, size_t len, const struct step *step)
{
	uint8_t extra = step->extra;

	switch (step->twist % 32) {
	case TWIST_IP_SUM:
		packet[0] ^= (uint8_t)(extra << 4 | 0x10);
		return len;
	case TWIST_TCP_SUM:
		twist_byte(packet, WIRE_IP6_LEN + (packet[6] == 6 ? 16 : 2), len, extra | 1);
		return len;
	case TWIST_IP_LENGTH:
		put16(packet + 4, len - WIRE_IP6_LEN + (size_t)(int8_t)extra);
		return len;
	case TWIST_FRAGMENT:
		return add_fragment_header(packet, len, step);
	case TWIST_IP_OPTIONS:
		return put_behind_chain(packet, len, step);
	case TWIST_FLIP:
		twist_byte(packet, WIRE_IP6_LEN + extra % 64, len, step->urg | 1);
		break;
	case TWIST_TTL:
		packet[7] = extra;
		return len;
	case TWIST_ECN:
		packet[0] = 0x60 | extra >> 4;
		packet[1] = (uint8_t)(extra << 4);
		return len;
	case TWIST_PROTOCOL:
		packet[6] = extra;
		break;
	case TWIST_ADDRESS: /* another host, or another address of the lane's network */
		packet[20 + extra % 4 + (extra & 4) * 4] ^= step->urg;
		break;
	default:
		return len;
	}
	twist_fix_ip6(packet, len);
	return len;
}

/* ---- both */

static size_t
twist(struct flow *flow, uint8_t *packet, size_t len, const struct step *step)
{
	uint8_t extra = step->extra;

	switch (step->twist % 32) {
	case TWIST_PADDED:
		memset(packet + len, 0xa5, extra);
		return len + extra;
	case TWIST_CUT:
		return len > extra ? len - extra : 0;
	case TWIST_FLIP_WRONG:
		flow->wild = true; /* the NIC may vouch for it */
		twist_byte(packet, extra % 64, len, step->urg | 1);
		return len;
	case TWIST_FLIP:
		flow->wild = true;
		break;
	default:
		break;
	}
	return packet[0] >> 4 == 6 ? twist6(packet, len, step) : twist4(packet, len, step);
}

uint32_t
twist_piece_len(const struct step *step)
{
	switch (step->twist % 32) {
	case TWIST_SPLIT:
		return 40 + step->extra;
	case TWIST_SPLIT_SMALL:
		return 1 + (step->extra & 31u);
	default:
		return PIECE_MAX;
	}
}

void
twist_and_put(struct flow *flow, uint8_t *packet, size_t len, const struct step *step)
{
	uint16_t type = packet[0] >> 4 == 6 ? 0x86dd : 0x0800;

	len = twist(flow, packet, len, step);
	if (step->twist % 32 == TWIST_PARTS)
		put_in_parts(packet, len, step);
	else
		put_frame(packet, len, type, twist_piece_len(step), step->twist >> 6);
}
