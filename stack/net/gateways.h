/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_NET_GATEWAYS_H
#define RILL_NET_GATEWAYS_H

/*
 * The gateways of routes, of one family. Those of one prefix are a list, the lowest metric first; the
 * first that does not keep silent is taken. One that nobody answers for is in doubt from then on, and
 * asked for every GATEWAY_RETRY_US, without anybody waiting for it: when it answers, it is taken again
 * [1122 3.3.1.4].
 */

#include <stdbool.h>
#include <stdint.h>

#include <rill/types.h>

#include "ustime.h"

#define ROUTES_MAX 256 /* beside the connected ones */
#define GATEWAY_NONE UINT16_MAX
#define GATEWAY_RETRY_US (5ull * USEC_PER_SEC)

struct gateway {
	struct rill_addr via; /* family 0: a free slot */
	uint32_t metric;
	uint16_t next; /* in the list of its prefix; GATEWAY_NONE */
	bool in_doubt;
};

struct gateways {
	struct gateway slots[ROUTES_MAX];
	unsigned int count;
};

/* Puts one into a list, whose head is GATEWAY_NONE while it is empty. 0; -EEXIST: that gateway or that
 * metric is in the list; -ENOBUFS. */
int gateways_add(struct gateways *gateways, uint16_t *head, const struct rill_addr *via,
	uint32_t metric);

/* Takes one out of a list, or all if via is NULL. 0; -ENOENT. */
int gateways_del(struct gateways *gateways, uint16_t *head, const struct rill_addr *via);

/* The one to take, of those that can_be(arg, via): the first that is not in doubt, or else the first.
 * NULL: none. */
const struct rill_addr *gateways_choose(const struct gateways *gateways, uint16_t head,
	bool (*can_be)(const void *arg, const struct rill_addr *via), const void *arg);

/* Nobody answers at via. Returns whether it is in doubt now: if a list that it is in has another one. */
bool gateways_failed(struct gateways *gateways, const struct rill_addr *via);

#endif
