/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FUZZ_PARTS_H
#define FUZZ_PARTS_H

#include "say.h"

/*
 * A packet of either family in fragments of 8 to 256 bytes, twelve at most, that extra chooses, with
 * their order; urg says what is wrong with them: some overlap, one comes twice, or not at all; in
 * IPv6, whether they have another extension header in front. Flow and wnd choose their ID.
 */
void put_in_parts(const uint8_t *packet, size_t len, const struct step *step);

/*
 * One fragment of a datagram that need not be: what it says of its place, of its length and of its
 * neighbours is the step's (seq and seq_delta the offset, len the length, flags the rest), as is whom
 * it comes from.
 */
void put_piece(const struct flow *flow, const struct step *step);

/*
 * Puts extension headers between the IPv6 header and what follows: one to ten, of kinds, order and
 * contents that extra and urg choose; with urg below 0x80 each is as it should be. There is room for
 * 512 bytes. Returns the packet's length.
 */
size_t put_behind_chain(uint8_t *packet, size_t len, const struct step *step);

#endif
