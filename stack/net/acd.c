/* SPDX-License-Identifier: BSD-3-Clause */
#include "acd.h"

#include "arp.h"
#include "nd.h"

/* The address of a range that is at such a distance from its first one. */
static struct rill_addr
addr_at(const struct net_addr *addr, uint32_t distance)
{
	struct rill_addr out = {.family = AF_INET};
	rte_be32_t wire = rte_cpu_to_be_32(addr->ip + distance);

	memcpy(out.u.ip4, &wire, sizeof(wire));
	return out;
}

static struct rill_addr
addr_of(const struct net_addr *addr)
{
	return addr_at(addr, 0);
}

/* ---- probing */

/* When the first question may be asked: who has met with many conflicts asks seldom [5227 2.1.1]. */
static ustime
may_probe_at(struct net *net, ustime now)
{
	ustime at = RTE_MAX(now, net->probe_after);

	if (net->conflicts >= ACD_MAX_CONFLICTS)
		net->probe_after = at + ACD_RATE_LIMIT_US;
	return at;
}

/* Who does not ask himself waits as long as whoever does may need. */
static void
begin_probing(struct net *net, struct net_addr *addr, ustime now)
{
	ustime at = may_probe_at(net, now);

	addr->state = NET_ADDR_PROBED;
	addr->left = net->netif->silent ? 0 : ACD_PROBE_NUM;
	addr->next_at = at + (net->netif->silent ? ACD_LONGEST_US
						 : rng_below(&net->rng, ACD_PROBE_WAIT_US));
	wheel_arm(net->wheel, &addr->timer, addr->next_at);
}

static void
probe(struct net *net, struct net_addr *addr, ustime now, struct outbox *outbox)
{
	static const struct rill_addr nobody = {.family = AF_INET};
	struct rill_addr target = addr_of(addr);
	ustime wait = ACD_ANNOUNCE_WAIT_US;

	addr->left--;
	arp_request(net->netif, &nobody, &target, NULL, outbox);
	if (addr->left > 0)
		wait = ACD_PROBE_MIN_US +
			rng_below(&net->rng, ACD_PROBE_MAX_US - ACD_PROBE_MIN_US + 1);
	addr->next_at = now + wait;
	wheel_arm(net->wheel, &addr->timer, addr->next_at);
}

/* ---- announcing */

static void
begin_announcing(struct net *net, struct net_addr *addr, ustime at)
{
	if (!net->netif->ethernet || net->netif->silent)
		return;
	addr->left = addr->more == 0 ? ARP_ANNOUNCE_NUM : 1;
	addr->at = 0;
	addr->next_at = at;
	wheel_arm(net->wheel, &addr->timer, at);
}

/* A few of a range at a time: a /16 takes a minute. */
static void
announce(struct net *net, struct net_addr *addr, ustime now, struct outbox *outbox)
{
	for (unsigned int i = 0; i < ACD_RANGE_STEP && addr->at <= addr->more; i++) {
		struct rill_addr announced = addr_at(addr, addr->at++);

		arp_announce(net->netif, &announced, outbox);
	}
	addr->announced_at = now;
	addr->next_at = now + ACD_RANGE_STEP_US;
	if (addr->at > addr->more) {
		if (--addr->left == 0)
			return;
		addr->at = 0;
		addr->next_at = now + ARP_ANNOUNCE_US;
	}
	wheel_arm(net->wheel, &addr->timer, addr->next_at);
}

void
acd_announce_all(struct net *net, ustime now)
{
	for (unsigned int i = 0; i < net->slots; i++) {
		struct net_addr *addr = &net->addrs[i];
		ustime again = addr->announced_at == 0 ? now : addr->announced_at + ACD_AGAIN_US;

		if (addr->ip != 0 && addr->state == NET_ADDR_OURS)
			begin_announcing(net, addr, RTE_MAX(now, again));
	}
}

/* ---- all of it */

void
acd_begin(struct net *net, struct net_addr *addr, ustime now)
{
	addr->state = NET_ADDR_OURS;
	if (net->ip4.probe && addr->more == 0 && net->netif->ethernet)
		begin_probing(net, addr, now);
	else
		begin_announcing(net, addr, now);
}

void
acd_settled(struct net *net, const struct rill_addr *which)
{
	struct net_addr *addr = net_addr_find(net, which);

	if (addr == NULL || addr->state != NET_ADDR_PROBED)
		return;
	wheel_cancel(net->wheel, &addr->timer);
	addr->state = NET_ADDR_OURS;
	net_addrs_changed(net);
}

void
acd_timer(struct net *net, struct net_addr *addr, ustime now, struct outbox *outbox)
{
	const struct nd_fact settled = {
		.kind = ND_FACT_SETTLED, .u.advert.addr = addr_of(addr)};

	if (now < addr->next_at) { /* beyond what the wheel reaches */
		wheel_arm(net->wheel, &addr->timer, addr->next_at);
		return;
	}
	if (addr->state == NET_ADDR_PROBED) {
		if (addr->left > 0) {
			probe(net, addr, now, outbox);
			return;
		}
		acd_settled(net, &settled.u.advert.addr);
		if (!net->netif->silent)
			nd_note(net, &settled);
		begin_announcing(net, addr, now);
	}
	if (addr->state == NET_ADDR_OURS && addr->left > 0 && !net->netif->silent)
		announce(net, addr, now, outbox);
}

/* ---- claims of others */

/* People hear of an address once, whatever is claimed how often. */
static void
tell(struct net *net, struct net_addr *addr, const struct rill_addr *which,
	enum net_trouble_kind kind, const struct rte_ether_addr *mac)
{
	if (addr->told == kind)
		return;
	addr->told = (uint8_t)kind;
	net->trouble = (struct net_trouble){
		.kind = kind, .addr = *which, .mac = *mac, .number = net->trouble.number + 1};
	net->netif->groups.changes++;
}

static void
lose(struct net *net, struct net_addr *addr)
{
	struct rill_addr lost = addr_of(addr);

	wheel_cancel(net->wheel, &addr->timer);
	addr->state = NET_ADDR_TAKEN;
	net_addrs_changed(net);
	neighbors_forget_source(net->neighbors, &lost, 0);
}

/* Somebody claims one that is in use. Returns true if it is given up. */
static bool
contested(struct net *net, struct net_addr *addr, const struct rill_addr *which,
	const struct rte_ether_addr *mac, ustime now, struct outbox *outbox)
{
	net->netif->counters->arp_conflicts++;
	if (addr->defended_at != 0 && now - addr->defended_at < ACD_DEFEND_US) {
		if (!net->ip4.yield || addr->more > 0)
			return false;
		tell(net, addr, which, NET_TROUBLE_LOST, mac);
		lose(net, addr);
		return true;
	}
	addr->defended_at = now;
	if (!net->netif->silent)
		arp_announce(net->netif, which, outbox);
	tell(net, addr, which, NET_TROUBLE_CONTESTED, mac);
	return false;
}

bool
net_addr_claimed(struct net *net, const struct rill_addr *which, const struct rte_ether_addr *mac,
	ustime now, struct outbox *outbox)
{
	struct net_addr *addr = net_addr_find(net, which);

	if (addr == NULL || addr->state == NET_ADDR_TAKEN)
		return false;
	net->conflicts++;
	if (addr->state == NET_ADDR_OURS)
		return contested(net, addr, which, mac, now, outbox);
	net->netif->counters->arp_duplicates++;
	tell(net, addr, which, NET_TROUBLE_TAKEN, mac);
	lose(net, addr);
	return false;
}
