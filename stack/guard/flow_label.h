/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_GUARD_FLOW_LABEL_H
#define RILL_GUARD_FLOW_LABEL_H

/*
 * The flow label of a connection's IPv6 packets [6437 3]: 20 bits, the same for all of them, spread
 * evenly over connections and not to be guessed by others. Never 0, which would mean that there is
 * none.
 *
 *     label = the top bits of key * ts_offset(tuple), modulo 2^64
 *
 * The offset is a keyed hash of the tuple already, which a connection has at hand; the other key
 * keeps what all routers read from telling it. An odd multiplier spreads evenly (Dietzfelbinger's
 * multiply-shift).
 */

#include <stdint.h>

#include "siphash.h"

#define FLOW_LABEL_BITS 20

static inline uint64_t
flow_label_key(const uint8_t secret[32])
{
	return siphash_derive(secret, "flow label").k0 | 1;
}

static inline uint32_t
flow_label(uint64_t key, uint32_t ts_offset)
{
	uint32_t label = (uint32_t)(key * ts_offset >> (64 - FLOW_LABEL_BITS));

	return label != 0 ? label : 1;
}

#endif
