/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What happens to IPv6 addresses by itself: they are asked for before they are used, announced when
 * they are, and grow old. autoconf.c does the same for what routers say.
 */
#include "autoconf.h"
#include "mld.h"
#include "nd.h"
#include "ndp.h"
#include "net_state.h"
#include "neighbor.h"

/* Not MAX_NEIGHBOR_ADVERTISEMENT, 3: as often as by ARP [4861 7.2.6, 10]. */
#define ANNOUNCES 2
#define REACHABLE_AGAIN_US (7200ull * USEC_PER_SEC) /* "every few hours" [4861 6.3.4] */

/* Between half and one and a half [4861 10]. */
static ustime
spread_around(struct rng *rng, ustime base_us)
{
	return base_us / 2 + rng_below(rng, (uint32_t)base_us);
}

void
net6_spread_times(struct net *net, ustime now)
{
	struct net6 *ip6 = &net->ip6;

	if (now < ip6->times_at)
		return;
	ip6->times_at = now + REACHABLE_AGAIN_US;
	neighbors_set_times(
		net->neighbors, spread_around(&ip6->rng, ip6->reachable_base_us), ip6->retry_us);
}

static struct rill_addr
addr_of(const struct net6_addr *addr)
{
	struct rill_addr out = {.family = AF_INET6};

	memcpy(out.u.ip6, addr->ip, sizeof(out.u.ip6));
	return out;
}

/* That an address is ours, for those who knew who had it before [4861 7.2.6]. */
static void
say(struct net *net, const struct net6_addr *addr, struct outbox *outbox)
{
	struct rill_addr who = addr_of(addr);

	if (!net->netif->silent)
		ndp_advertise(net->netif, &who, NULL, NULL, outbox);
}

/* The next question, or, when nobody answered the last one in time, the address is ours. */
static void
tentative(struct net *net, struct net6_addr *addr, ustime now, struct outbox *outbox)
{
	static const struct rill_addr nobody;
	struct rill_addr who = addr_of(addr);

	if (addr->probes_left > 0) {
		addr->probes_left--;
		addr->probe_at = now + net->ip6.retry_us;
		if (!net->netif->silent)
			ndp_solicit(net->netif, &nobody, &who, NULL, outbox);
		return;
	}
	addr->state = NET6_ADDR_PREFERRED;
	if (!net->netif->silent)
		nd_note(net, &(struct nd_fact){.kind = ND_FACT_SETTLED, .u.advert.addr = who});
	say(net, addr, outbox);
}

static void
grow_old(struct net *net, struct net6_addr *addr, ustime now)
{
	if (now >= addr->valid_until)
		net6_addr_drop(net, addr);
	else if (addr->state == NET6_ADDR_PREFERRED && now >= addr->preferred_until)
		addr->state = NET6_ADDR_DEPRECATED;
}

void
net6_announce_all(struct net *net, ustime now)
{
	struct net6 *ip6 = &net->ip6;
	ustime again = ip6->announced_at == 0 ? now : ip6->announced_at + ip6->retry_us;

	if (ip6->rib == NULL)
		return;
	ip6->announces_left = ANNOUNCES;
	ip6->announce_at = RTE_MAX(now, again);
	mld_changed(net, now, now);
	net6_rearm(net, now);
}

/* Is it time to announce all addresses? */
static bool
take_announce(struct net6 *ip6, ustime now)
{
	if (ip6->announces_left == 0 || now < ip6->announce_at)
		return false;
	ip6->announces_left--;
	ip6->announced_at = now;
	ip6->announce_at = now + ip6->retry_us;
	return true;
}

void
net6_timer(struct net *net, ustime now, struct outbox *outbox)
{
	struct net6 *ip6 = &net->ip6;
	bool announce = take_announce(ip6, now);

	net6_spread_times(net, now);
	mld_timer(net, now, outbox); /* before somebody is to answer to us in a group */
	for (unsigned int slot = 0; slot < ip6->slots; slot++) {
		struct net6_addr *addr = &ip6->addrs[slot];

		if (addr->state == NET6_ADDR_FREE)
			continue;
		if (addr->state == NET6_ADDR_TENTATIVE && now >= addr->probe_at)
			tentative(net, addr, now, outbox);
		else if (addr->state >= NET6_ADDR_DEPRECATED && announce)
			say(net, addr, outbox);
		grow_old(net, addr, now);
	}
	autoconf_timer(net, now, outbox);
	net6_rearm(net, now);
}

static ustime
addr_deadline(const struct net6_addr *addr)
{
	ustime at = addr->valid_until;

	if (addr->state == NET6_ADDR_TENTATIVE && addr->probe_at < at)
		at = addr->probe_at;
	if (addr->state == NET6_ADDR_PREFERRED && addr->preferred_until < at)
		at = addr->preferred_until;
	return at;
}

/* Making times random again is not worth waking up for. */
void
net6_rearm(struct net *net, ustime now)
{
	struct net6 *ip6 = &net->ip6;
	ustime at = autoconf_deadline(ip6);

	at = RTE_MIN(at, mld_deadline(ip6));
	if (ip6->announces_left > 0)
		at = RTE_MIN(at, ip6->announce_at);

	for (unsigned int slot = 0; slot < ip6->slots; slot++) {
		const struct net6_addr *addr = &ip6->addrs[slot];

		if (addr->state != NET6_ADDR_FREE)
			at = RTE_MIN(at, addr_deadline(addr));
	}
	if (at == USTIME_NEVER)
		wheel_cancel(net->wheel, &ip6->timer);
	else
		wheel_arm(net->wheel, &ip6->timer, RTE_MAX(at, now));
}

void
net6_claimed(struct net *net, const uint8_t *ip, ustime now)
{
	struct net6_addr *addr = (struct net6_addr *)net6_find(&net->ip6, ip);

	if (addr == NULL || addr->state == NET6_ADDR_DUPLICATE)
		return;
	if (addr->state != NET6_ADDR_TENTATIVE) {
		net->netif->counters->nd_conflicts++;
		return;
	}
	addr->state = NET6_ADDR_DUPLICATE;
	net->netif->counters->nd_duplicates++;
	net->netif->groups.changes++;
	net6_rearm(net, now);
}

void
net6_settled(struct net *net, const uint8_t *ip, ustime now)
{
	struct net6_addr *addr = (struct net6_addr *)net6_find(&net->ip6, ip);

	if (addr == NULL || addr->state != NET6_ADDR_TENTATIVE)
		return;
	addr->state = NET6_ADDR_PREFERRED;
	net6_rearm(net, now);
}

bool
net6_is_settling(const struct net *net)
{
	for (unsigned int slot = 0; slot < net->ip6.slots; slot++)
		if (net->ip6.addrs[slot].state == NET6_ADDR_TENTATIVE)
			return true;
	return false;
}

bool
net_is_settling(const struct net *net)
{
	return net->probing > 0 || net6_is_settling(net);
}
