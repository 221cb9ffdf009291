/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FUZZ_TWIST_H
#define FUZZ_TWIST_H

/*
 * What is wrong with a packet below TCP, in either family: a step's `twist` says what, `extra` and
 * `urg` where. Unless the checksum is what is wrong, it is mended, so that the packet gets far.
 */

#include "say.h"

/* Twists the packet, in which there is room for TWIST_ROOM bytes more, and sends it as the step says. */
void twist_and_put(struct flow *flow, uint8_t *packet, size_t len, const struct step *step);

#define TWIST_ROOM 512

/* The longest frame that goes into one buffer, as the step says. */
uint32_t twist_piece_len(const struct step *step);

/* Changes a byte, if there is one. */
static inline void
twist_byte(uint8_t *packet, size_t at, size_t len, uint8_t with)
{
	if (at < len)
		packet[at] ^= with;
}

/* Sets the IPv4 header's checksum. */
void twist_fix_ip4(uint8_t *packet);
/* Sets the checksum of what an IPv6 packet without extension headers carries, if it has one. */
void twist_fix_ip6(uint8_t *packet, size_t len);

#endif
