/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets in fragments: as they should be, and as they should not. */
#include "parts.h"

#include <string.h>

#include "frames.h"
#include "wire.h"

#define HEADER_LEN 20
#define PARTS_MAX 12 /* more than are put together */

static void
part_say(const uint8_t *packet, uint16_t id, size_t from, size_t len, bool more)
{
	static uint8_t part[FRAME_MAX];
	uint16_t sum;

	memcpy(part, packet, HEADER_LEN);
	memcpy(part + HEADER_LEN, packet + HEADER_LEN + from, len);
	part[0] = 0x45;
	part[2] = (uint8_t)((HEADER_LEN + len) >> 8);
	part[3] = (uint8_t)(HEADER_LEN + len);
	part[4] = (uint8_t)(id >> 8);
	part[5] = (uint8_t)id;
	part[6] = (uint8_t)((more ? 0x20 : 0) | from >> 11);
	part[7] = (uint8_t)(from >> 3);
	part[10] = part[11] = 0;
	sum = wire_fold(wire_sum(part, HEADER_LEN, 0));
	part[10] = (uint8_t)(sum >> 8);
	part[11] = (uint8_t)sum;
	put_frame(part, HEADER_LEN + len, 0x0800, FRAME_MAX, 0);
}

void
put_in_parts(const uint8_t *packet, size_t len, const struct step *step)
{
	size_t data = len < HEADER_LEN ? 0 : len - HEADER_LEN, each = 8 + (step->extra & 0xf8u);
	unsigned int count, last;

	each = each * PARTS_MAX < data ? (data / PARTS_MAX + 8) & ~(size_t)7 : each;
	count = (unsigned int)((data + each - 1) / each);
	last = count - 1;
	for (unsigned int i = 0; i < count; i++) {
		/* in order, backwards, or from somewhere in the middle on */
		unsigned int at = step->extra & 1 ? last - i : (i + step->urg / 32) % count;
		size_t from = at * each, n = at == last ? data - from : each;
		bool more = at != last;

		if ((step->urg & 3) == 1 && at == last && from >= 8)
			from -= 8, n += 8; /* over the end of the one before */
		if ((step->urg & 3) == 2 && i == 1)
			part_say(packet, step->flow, from, n, more); /* twice */
		if ((step->urg & 7) != 3 || i != 2) /* or one is missing */
			part_say(packet, step->flow, from, n, more);
	}
}
