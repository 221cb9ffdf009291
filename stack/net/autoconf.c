/* SPDX-License-Identifier: BSD-3-Clause */
#include "autoconf.h"

#include "ndp.h"
#include "neighbor.h"
#include "net_state.h"

#define SOLICITS 3 /* of routers, unless one answers [4861 10] */
#define SOLICIT_EVERY_US (4ull * USEC_PER_SEC)
#define SOLICIT_DELAY_US USEC_PER_SEC /* up to that, so that not all hosts ask at once */
#define LIFETIME_FOREVER UINT32_MAX
#define TWO_HOURS_US (7200ull * USEC_PER_SEC) /* [4862 5.5.3 (e)] */
#define IDENTIFIER_BITS 64
/* What a router may make of neighbour discovery's times: beyond these nobody means it well. */
#define REACHABLE_LEAST_MS 5000u
#define REACHABLE_MOST_MS 3600000u /* [4861 6.2.1] */
#define RETRY_LEAST_MS 100u
#define RETRY_MOST_MS 60000u

static ustime
until(uint32_t lifetime_s, ustime now)
{
	return lifetime_s == LIFETIME_FOREVER ? USTIME_NEVER
					      : now + (ustime)lifetime_s * USEC_PER_SEC;
}

static struct rill_addr
addr_of(const uint8_t *ip)
{
	struct rill_addr addr = {.family = AF_INET6};

	memcpy(addr.u.ip6, ip, sizeof(addr.u.ip6));
	return addr;
}

void
autoconf_start(struct net *net, ustime now)
{
	struct net6 *ip6 = &net->ip6;

	ip6->solicits_left = SOLICITS;
	ip6->solicit_at = now + rng_below(&ip6->rng, SOLICIT_DELAY_US);
	net6_rearm(net, now);
}

/* ---- routers */

static struct net6_router *
router_find(struct net6 *ip6, const uint8_t *ip)
{
	for (unsigned int i = 0; i < NET6_ROUTERS_MAX; i++)
		if (ip6->routers[i].until != 0 && ip6_is_same(ip6->routers[i].ip, ip))
			return &ip6->routers[i];
	return NULL;
}

static struct net6_router *
router_make(struct net *net, const uint8_t *ip)
{
	for (unsigned int i = 0; i < NET6_ROUTERS_MAX; i++) {
		struct net6_router *router = &net->ip6.routers[i];

		if (router->until != 0)
			continue;
		memcpy(router->ip, ip, IP6_ADDR_LEN);
		return router;
	}
	net->netif->counters->ra_refused++;
	return NULL;
}

/* Whoever sends through it looks for another way. */
static void
router_remove(struct net *net, struct net6_router *router)
{
	struct rill_addr addr = addr_of(router->ip);

	router->until = 0;
	neighbors_abandon(net->neighbors, &addr);
}

void
autoconf_router_gone(struct net *net, const uint8_t *ip, ustime now)
{
	struct net6_router *router = router_find(&net->ip6, ip);

	if (router != NULL)
		router_remove(net, router);
	net6_rearm(net, now);
}

/* The link's parameters; 0 means that the router says nothing about one [4861 6.3.4]. */
static void
take_parameters(struct net *net, const struct ndp_router *said, ustime now)
{
	struct net6 *ip6 = &net->ip6;

	if (said->hop_limit != 0)
		ip6->hop_limit = said->hop_limit;
	if (said->mtu >= IP6_MTU_LEAST && said->mtu <= net->netif->mtu)
		net->netif->mtu6 = (uint16_t)said->mtu;
	if (said->retry_ms >= RETRY_LEAST_MS && said->retry_ms <= RETRY_MOST_MS)
		ip6->retry_us = (ustime)said->retry_ms * USEC_PER_MSEC;
	if (said->reachable_ms >= REACHABLE_LEAST_MS && said->reachable_ms <= REACHABLE_MOST_MS)
		ip6->reachable_base_us = (ustime)said->reachable_ms * USEC_PER_MSEC;
	ip6->times_at = 0;
	net6_spread_times(net, now);
}

void
autoconf_router(struct net *net, const struct ndp_router *said, ustime now)
{
	struct net6 *ip6 = &net->ip6;
	struct net6_router *router = router_find(ip6, said->addr.u.ip6);

	take_parameters(net, said, now);
	if (said->lifetime_s == 0) {
		if (router != NULL)
			router_remove(net, router);
	} else {
		if (router == NULL)
			router = router_make(net, said->addr.u.ip6);
		if (router != NULL)
			router->until = until(said->lifetime_s, now);
		ip6->solicits_left = 0;
	}
	net6_rearm(net, now);
}

/* Those that the neighbour cache can send to, then those that it has not given up. */
const uint8_t *
autoconf_router_choose(const struct net *net)
{
	const uint8_t *choice = NULL;
	unsigned int best = 0;

	for (unsigned int i = 0; i < NET6_ROUTERS_MAX; i++) {
		const struct net6_router *router = &net->ip6.routers[i];
		struct rill_addr addr = addr_of(router->ip);
		enum neighbor_state state;
		unsigned int worth;

		if (router->until == 0)
			continue;
		state = neighbors_state(net->neighbors, &addr);
		worth = state >= NEIGHBOR_STALE ? 3 : state == NEIGHBOR_FAILED ? 1 : 2;
		if (worth > best) {
			best = worth;
			choice = router->ip;
		}
	}
	return choice;
}

bool
autoconf_router_failed(struct net *net, const struct rill_addr *addr)
{
	const uint8_t *other;

	if (addr->family != AF_INET6 || router_find(&net->ip6, addr->u.ip6) == NULL)
		return false;
	other = autoconf_router_choose(net);
	if (ip6_is_same(other, addr->u.ip6))
		return false;
	neighbors_abandon(net->neighbors, addr);
	return true;
}

/* ---- networks on the link */

static struct net6_prefix *
prefix_find(struct net6 *ip6, const uint8_t *network, uint8_t len)
{
	for (unsigned int i = 0; i < NET6_PREFIXES_MAX; i++) {
		struct net6_prefix *prefix = &ip6->prefixes[i];

		if (prefix->until != 0 && prefix->len == len && ip6_is_same(prefix->ip, network))
			return prefix;
	}
	return NULL;
}

static struct net6_prefix *
prefix_make(struct net *net, const uint8_t *network, uint8_t len)
{
	for (unsigned int i = 0; i < NET6_PREFIXES_MAX; i++) {
		struct net6_prefix *prefix = &net->ip6.prefixes[i];

		if (prefix->until != 0)
			continue;
		if (net6_connect(net, network, len) != 0)
			break;
		memcpy(prefix->ip, network, IP6_ADDR_LEN);
		prefix->len = len;
		return prefix;
	}
	net->netif->counters->ra_refused++;
	return NULL;
}

static void
prefix_remove(struct net *net, struct net6_prefix *prefix)
{
	prefix->until = 0;
	net6_disconnect(net, prefix->ip, prefix->len);
}

static void
on_link(struct net *net, const uint8_t *network, const struct ndp_prefix *said, ustime now)
{
	struct net6_prefix *prefix = prefix_find(&net->ip6, network, said->len);

	if (said->valid_s == 0) {
		if (prefix != NULL)
			prefix_remove(net, prefix);
		return;
	}
	if (prefix == NULL)
		prefix = prefix_make(net, network, said->len);
	if (prefix != NULL)
		prefix->until = until(said->valid_s, now);
}

/* ---- addresses */

/*
 * An address that is there lives on, but nobody can make it end in less than two hours that was
 * meant to live longer [4862 5.5.3 (e)].
 */
static void
lifetimes_take(struct net6_addr *addr, const struct ndp_prefix *said, ustime now)
{
	ustime valid = until(said->valid_s, now), soon = now + TWO_HOURS_US;

	if (valid > soon || valid > addr->valid_until)
		addr->valid_until = valid;
	else if (addr->valid_until > soon)
		addr->valid_until = soon;
	addr->preferred_until = RTE_MIN(until(said->preferred_s, now), addr->valid_until);
	if (addr->state >= NET6_ADDR_DEPRECATED)
		addr->state =
			addr->preferred_until > now ? NET6_ADDR_PREFERRED : NET6_ADDR_DEPRECATED;
}

static void
autonomous(struct net *net, const uint8_t *network, const struct ndp_prefix *said, ustime now)
{
	struct net6_addr *addr;
	uint8_t ip[IP6_ADDR_LEN];

	if (said->len != IP6_ADDR_BITS - IDENTIFIER_BITS || said->preferred_s > said->valid_s)
		return;
	memcpy(ip, network, IP6_ADDR_LEN);
	net6_identifier(ip, &net->netif->mac);
	addr = (struct net6_addr *)net6_find(&net->ip6, ip);
	if (addr == NULL && said->valid_s != 0) {
		addr = net6_addr_make(net, ip, said->len, now);
		if (addr == NULL) {
			net->netif->counters->ra_refused++;
			return;
		}
		addr->valid_until = addr->preferred_until = now;
	}
	if (addr != NULL && addr->automatic)
		lifetimes_take(addr, said, now);
}

void
autoconf_prefix(struct net *net, const struct ndp_prefix *said, ustime now)
{
	uint8_t network[IP6_ADDR_LEN];

	if (said->len > IP6_ADDR_BITS || ip6_is_link_local(said->ip) || !ip6_is_unicast(said->ip))
		return;
	ip6_network(network, said->ip, said->len);
	if (said->on_link && said->len > 0)
		on_link(net, network, said, now);
	if (said->autonomous)
		autonomous(net, network, said, now);
	net6_rearm(net, now);
}

/* ---- time */

static void
solicit(struct net *net, ustime now, struct outbox *outbox)
{
	struct net6 *ip6 = &net->ip6;
	static const uint8_t near[IP6_ADDR_LEN] = {0xfe, 0x80};
	const struct net6_addr *from = net6_source(net, near);
	struct rill_addr source = {.family = 0};

	if (ip6->solicits_left == 0 || now < ip6->solicit_at)
		return;
	ip6->solicits_left--;
	ip6->solicit_at = now + SOLICIT_EVERY_US;
	if (from != NULL)
		source = addr_of(from->ip);
	if (!net->netif->silent)
		ndp_solicit_routers(net->netif, &source, outbox);
}

void
autoconf_timer(struct net *net, ustime now, struct outbox *outbox)
{
	struct net6 *ip6 = &net->ip6;

	solicit(net, now, outbox);
	for (unsigned int i = 0; i < NET6_ROUTERS_MAX; i++)
		if (ip6->routers[i].until != 0 && now >= ip6->routers[i].until)
			router_remove(net, &ip6->routers[i]);
	for (unsigned int i = 0; i < NET6_PREFIXES_MAX; i++)
		if (ip6->prefixes[i].until != 0 && now >= ip6->prefixes[i].until)
			prefix_remove(net, &ip6->prefixes[i]);
}

ustime
autoconf_deadline(const struct net6 *ip6)
{
	ustime at = ip6->solicits_left > 0 ? ip6->solicit_at : USTIME_NEVER;

	for (unsigned int i = 0; i < NET6_ROUTERS_MAX; i++)
		if (ip6->routers[i].until != 0)
			at = RTE_MIN(at, ip6->routers[i].until);
	for (unsigned int i = 0; i < NET6_PREFIXES_MAX; i++)
		if (ip6->prefixes[i].until != 0)
			at = RTE_MIN(at, ip6->prefixes[i].until);
	return at;
}
