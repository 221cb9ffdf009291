/* SPDX-License-Identifier: BSD-3-Clause */
#include "extensions.h"

#include <string.h>

#include "wire.h"

#define HEADERS_MAX 3
#define HEADER_LEN 8
#define LINK_MTU 1500
#define TCP 6

enum { HOP_BY_HOP = 0, ROUTING = 43, FRAGMENT = 44, DESTINATION = 60 };

/* The bytes of a header behind its first. */
static void
fill(uint8_t *header, uint8_t kind)
{
	static const uint8_t options[HEADER_LEN] = {0, 0, 0x1e, 2, 0xaa, 0x55, 1, 0};
	static const uint8_t padding[HEADER_LEN] = {0, 0, 1, 4};
	static const uint8_t routed[HEADER_LEN] = {0, 0, 4, 0};
	static const uint8_t whole[HEADER_LEN] = {0, 0, 0, 0, 1, 2, 3, 4};

	memcpy(header,
		kind == FRAGMENT	? whole
		: kind == ROUTING	? routed
		: kind == HOP_BY_HOP ? padding
				     : options,
		HEADER_LEN);
}

bool
extensions_add(struct chance *chance, const uint8_t *frame, uint32_t len, size_t l2_len, uint8_t *out,
	uint32_t *out_len)
{
	static const uint8_t kinds[] = {DESTINATION, ROUTING, FRAGMENT, HOP_BY_HOP};
	unsigned int count = 1 + chance_below(chance, HEADERS_MAX);
	uint32_t more = count * HEADER_LEN, payload;
	const uint8_t *ip = frame + l2_len;
	uint8_t *next, *at;

	if (len < l2_len + WIRE_IP6_LEN || ip[0] >> 4 != 6 || ip[6] != TCP ||
		len + more > l2_len + LINK_MTU)
		return false;
	payload = (uint32_t)(ip[4] << 8 | ip[5]) + more;
	if (l2_len + WIRE_IP6_LEN + payload != len + more)
		return false;
	memcpy(out, frame, l2_len + WIRE_IP6_LEN);
	next = out + l2_len + 6;
	at = out + l2_len + WIRE_IP6_LEN;
	for (unsigned int i = 0; i < count; i++, at += HEADER_LEN) {
		*next = kinds[chance_below(chance, i == 0 ? 4 : 3)];
		fill(at, *next);
		next = at;
	}
	*next = TCP;
	memcpy(at, ip + WIRE_IP6_LEN, len - l2_len - WIRE_IP6_LEN);
	out[l2_len + 4] = (uint8_t)(payload >> 8);
	out[l2_len + 5] = (uint8_t)payload;
	*out_len = len + more;
	return true;
}
