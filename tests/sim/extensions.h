/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_EXTENSIONS_H
#define SIM_EXTENSIONS_H

/*
 * Extension headers that an IPv6 packet has got on its way, as some tunnels and hosts put them there:
 * options of no consequence, a routing header that has no segment left, a Fragment header of a packet
 * that is whole. What is in the packet must arrive as if they were not there.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chance.h"

#define EXTENDED_MAX 1600

/* The frame with such headers in front of its TCP header into out (EXTENDED_MAX); *out_len is its
 * length. False: it has no TCP header right behind a sound IPv6 one, or would be longer than the link
 * takes. */
bool extensions_add(struct chance *chance, const uint8_t *frame, uint32_t len, size_t l2_len, uint8_t *out,
	uint32_t *out_len);

#endif
