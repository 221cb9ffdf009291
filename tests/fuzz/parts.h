/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FUZZ_PARTS_H
#define FUZZ_PARTS_H

#include "say.h"

/*
 * An IPv4 packet in fragments of 8 to 256 bytes, twelve at most, that extra chooses, with their order;
 * urg says what is wrong with them: some overlap, one comes twice, or not at all. Those of a flow have
 * one ID.
 */
void put_in_parts(const uint8_t *packet, size_t len, const struct step *step);

#endif
