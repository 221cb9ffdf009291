/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_GUARD_PORTS_H
#define RILL_GUARD_PORTS_H

/* The choice of source ports [6056 3.3.4, algorithm 4: double-hash]. */

#include <stdbool.h>
#include <stdint.h>

#include "siphash.h"
#include "tuple.h"

#define PORT_FIRST 1024u
#define PORT_LAST 65535u
#define PORT_COUNTERS 256 /* a power of two */

struct ports {
	struct siphash_key offset_key, index_key;
	uint32_t counters[PORT_COUNTERS]; /* each below the number of ports */
};

/* Both keys come from the secret; the counters start at random. */
void ports_init(struct ports *ports, const uint8_t secret[32]);

/*
 * Sets tuple->head.lport (network order) to a port in [PORT_FIRST, PORT_LAST] for which
 * is_free(arg, tuple) holds. The addresses and the remote port are given. Returns 0, or
 * -EADDRNOTAVAIL with lport = 0 when no port is free: the whole range was tried.
 */
int ports_choose(struct ports *ports, struct tuple *tuple,
	bool (*is_free)(void *arg, const struct tuple *tuple), void *arg);

#endif
