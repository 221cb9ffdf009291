/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The keyed hash of the destination says where in the range the search begins, and a counter, one
 * of a few that destinations share by another keyed hash, moves it on: a destination sees its ports
 * come round as late as possible, and learns nothing of the ports that others see.
 */

#include "ports.h"

#include <errno.h>

#include "rng.h"

#define PORT_RANGE (PORT_LAST - PORT_FIRST + 1)

static_assert((PORT_COUNTERS & (PORT_COUNTERS - 1)) == 0, "the index is a mask");

void
ports_init(struct ports *ports, const uint8_t secret[32])
{
	struct rng rng;

	ports->offset_key = siphash_derive(secret, "port offset");
	ports->index_key = siphash_derive(secret, "port counter");
	rng_init(&rng, siphash_derive(secret, "port start"));
	for (unsigned int i = 0; i < PORT_COUNTERS; i++)
		ports->counters[i] = rng_below(&rng, PORT_RANGE);
}

int
ports_choose(struct ports *ports, struct tuple *tuple,
	bool (*is_free)(void *arg, const struct tuple *tuple), void *arg)
{
	uint32_t *counter, offset, at;

	tuple->head.lport = 0;
	offset = (uint32_t)(siphash_tuple(&ports->offset_key, tuple) % PORT_RANGE);
	counter = &ports->counters[siphash_tuple(&ports->index_key, tuple) & (PORT_COUNTERS - 1)];
	at = (offset + *counter) % PORT_RANGE; /* both below PORT_RANGE */
	for (uint32_t tried = 0; tried < PORT_RANGE; tried++) {
		tuple->head.lport = rte_cpu_to_be_16((uint16_t)(PORT_FIRST + at));
		at = at + 1 < PORT_RANGE ? at + 1 : 0;
		*counter = *counter + 1 < PORT_RANGE ? *counter + 1 : 0;
		if (is_free(arg, tuple))
			return 0;
	}
	tuple->head.lport = 0;
	return -EADDRNOTAVAIL;
}
