/* SPDX-License-Identifier: BSD-3-Clause */
#include "gateways.h"

#include <errno.h>
#include <string.h>

static bool
is_same(const struct rill_addr *a, const struct rill_addr *b)
{
	return a->family == b->family &&
	       memcmp(&a->u, &b->u, a->family == AF_INET ? 4 : sizeof(a->u)) == 0;
}

static uint16_t
free_slot(const struct gateways *gateways)
{
	uint16_t slot = 0;

	while (slot < ROUTES_MAX && gateways->slots[slot].via.family != 0)
		slot++;
	return slot;
}

int
gateways_add(struct gateways *gateways, uint16_t *head, const struct rill_addr *via,
	uint32_t metric)
{
	uint16_t slot = free_slot(gateways), *link = head;

	for (uint16_t at = *head; at != GATEWAY_NONE; at = gateways->slots[at].next)
		if (gateways->slots[at].metric == metric || is_same(&gateways->slots[at].via, via))
			return -EEXIST;
	if (slot == ROUTES_MAX)
		return -ENOBUFS;
	while (*link != GATEWAY_NONE && gateways->slots[*link].metric < metric)
		link = &gateways->slots[*link].next;
	gateways->slots[slot] = (struct gateway){.via = *via, .metric = metric, .next = *link};
	*link = slot;
	gateways->count++;
	return 0;
}

int
gateways_del(struct gateways *gateways, uint16_t *head, const struct rill_addr *via)
{
	uint16_t *link = head;
	int rc = -ENOENT;

	while (*link != GATEWAY_NONE) {
		struct gateway *gateway = &gateways->slots[*link];

		if (via != NULL && !is_same(&gateway->via, via)) {
			link = &gateway->next;
			continue;
		}
		*link = gateway->next;
		gateway->via.family = 0;
		gateways->count--;
		rc = 0;
	}
	return rc;
}

const struct rill_addr *
gateways_choose(const struct gateways *gateways, uint16_t head,
	bool (*can_be)(const void *arg, const struct rill_addr *via), const void *arg)
{
	const struct rill_addr *last_resort = NULL;

	for (uint16_t at = head; at != GATEWAY_NONE; at = gateways->slots[at].next) {
		const struct gateway *gateway = &gateways->slots[at];

		if (!can_be(arg, &gateway->via))
			continue;
		if (!gateway->in_doubt)
			return &gateway->via;
		if (last_resort == NULL)
			last_resort = &gateway->via;
	}
	return last_resort;
}

/* Has the list another one than this from here on that is not in doubt, if it comes by this? */
static bool
has_other(const struct gateways *gateways, uint16_t from, uint16_t slot)
{
	bool passed = false, other = false;

	for (uint16_t at = from; at != GATEWAY_NONE; at = gateways->slots[at].next) {
		passed |= at == slot;
		other |= at != slot && !gateways->slots[at].in_doubt;
	}
	return passed && other;
}

static bool
is_spare(const struct gateways *gateways, uint16_t slot)
{
	for (uint16_t from = 0; from < ROUTES_MAX; from++)
		if (gateways->slots[from].via.family != 0 && has_other(gateways, from, slot))
			return true;
	return false;
}

bool
gateways_failed(struct gateways *gateways, const struct rill_addr *via)
{
	bool spare = false;

	for (uint16_t slot = 0; slot < ROUTES_MAX; slot++)
		spare |= is_same(&gateways->slots[slot].via, via) && is_spare(gateways, slot);
	for (uint16_t slot = 0; slot < ROUTES_MAX && spare; slot++)
		if (is_same(&gateways->slots[slot].via, via))
			gateways->slots[slot].in_doubt = true;
	return spare;
}
