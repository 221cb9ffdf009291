/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_BASE_SIPHASH_H
#define RILL_BASE_SIPHASH_H

/*
 * SipHash-1-3 (Aumasson and Bernstein): a keyed hash that an outsider can neither predict nor
 * steer. Used for the connection table, initial sequence numbers, timestamp offsets and port
 * choice, each with a key of its own.
 */

#include <stddef.h>
#include <stdint.h>

#include "tuple.h"

struct siphash_key {
	uint64_t k0, k1;
};

/* Of any bytes. */
uint64_t siphash(const struct siphash_key *key, const void *data, size_t len);

/*
 * Of a tuple's key. IPv4: the 13 bytes of addresses, ports and family. IPv6: 37, the addresses
 * first.
 */
uint64_t siphash_tuple(const struct siphash_key *key, const struct tuple *tuple);

/* Derives the key for one purpose from a secret of 32 bytes. */
struct siphash_key siphash_derive(const uint8_t secret[32], const char *purpose);

#endif
