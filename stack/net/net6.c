/* SPDX-License-Identifier: BSD-3-Clause */
#include "net6.h"

#include <errno.h>
#include <stdio.h>

#include <rte_rib6.h>

#include "autoconf.h"
#include "check.h"
#include "mld.h"
#include "net_state.h"

#define LINK_LOCAL_LEN 64
#define PROBES 1                    /* of DAD: DupAddrDetectTransmits [4862 5.1] */
#define PROBE_DELAY_US USEC_PER_SEC /* up to that, so that not all hosts ask at once [4862 5.4.2]  \
				     */
#define HOP_LIMIT 64
/* A route takes a node, and at most one more where two branches part. */
#define RIB_NODES (2 * (ROUTES_MAX + NET6_ADDRS_MAX))

static struct rill_addr
addr_of(const uint8_t *ip)
{
	struct rill_addr addr = {.family = AF_INET6};

	memcpy(addr.u.ip6, ip, sizeof(addr.u.ip6));
	return addr;
}

void
net6_init(struct net *net, const char *name, int numa_node)
{
	struct net6 *ip6 = &net->ip6;

	ip6->numa_node = numa_node;
	ip6->hop_limit = HOP_LIMIT;
	ip6->reachable_base_us = NEIGHBOR6_REACHABLE_US;
	ip6->retry_us = NEIGHBOR_RETRY_US;
	ip6->timer.kind = net->announce_kind;
	snprintf(ip6->name, sizeof(ip6->name), "%s_6", name);
	net->netif->mtu6 = net->netif->mtu;
}

int
net_set_ip6(struct net *net, const struct net_ip6 *setup, ustime now)
{
	int rc;

	RILL_DCHECK(net->ip6.rib == NULL);
	net->ip6.setup = *setup;
	rng_init(&net->ip6.rng, setup->key);
	if (!setup->autoconf || !net->netif->ethernet)
		return 0;
	rc = net6_start(net, now);
	if (rc == 0)
		autoconf_start(net, now);
	return rc;
}

void
net6_fini(struct net *net)
{
	wheel_cancel(net->wheel, &net->ip6.timer);
	rte_rib6_free(net->ip6.rib);
}

/* ---- what packets look at */

/* The addresses have changed: the set of ours and the groups follow them. */
static void
index_rebuild(struct net *net)
{
	struct netif_groups *groups = &net->netif->groups;
	struct net6 *ip6 = &net->ip6;

	memset(ip6->set, 0, sizeof(ip6->set));
	memset(groups->last, 0, sizeof(groups->last));
	groups->joined = ip6->rib != NULL;
	groups->changes++;
	for (unsigned int slot = 0; slot < ip6->slots; slot++) {
		const uint8_t *ip = ip6->addrs[slot].ip;
		uint8_t last = ip[IP6_ADDR_LEN - 1];
		uint32_t i = net6_index(ip);

		if (ip6->addrs[slot].state == NET6_ADDR_FREE)
			continue;
		while (ip6->set[i] != 0)
			i = (i + 1) % NET6_SET_SIZE;
		ip6->set[i] = (uint16_t)(slot + 1);
		groups->last[last / 64] |= 1ull << last % 64;
	}
}

bool
net6_is_joined(const struct net *net, const uint8_t *group)
{
	const struct net6 *ip6 = &net->ip6;
	uint8_t solicited[IP6_ADDR_LEN];

	if (ip6->rib == NULL)
		return false;
	if (ip6_is_same(group, ip6_all_nodes))
		return true;
	ip6_solicited_node(solicited, group);
	if (!ip6_is_same(group, solicited))
		return false;
	for (unsigned int slot = 0; slot < ip6->slots; slot++)
		if (ip6->addrs[slot].state != NET6_ADDR_FREE &&
			memcmp(ip6->addrs[slot].ip + 13, group + 13, 3) == 0)
			return true;
	return false;
}

/* Is it among the first n? */
static bool
is_listed(const struct rte_ether_addr *macs, unsigned int n, const struct rte_ether_addr *mac)
{
	for (unsigned int i = 0; i < n; i++)
		if (rte_is_same_ether_addr(&macs[i], mac))
			return true;
	return false;
}

unsigned int
net_groups(const struct net *net, struct rte_ether_addr *macs, unsigned int most)
{
	unsigned int n = 0;

	if (net->ip6.rib == NULL)
		return 0;
	macs[n++] = ip6_group_mac(ip6_all_nodes);
	for (unsigned int slot = 0; slot < net->ip6.slots; slot++) {
		uint8_t group[IP6_ADDR_LEN];
		struct rte_ether_addr mac;

		if (net->ip6.addrs[slot].state == NET6_ADDR_FREE)
			continue;
		ip6_solicited_node(group, net->ip6.addrs[slot].ip);
		mac = ip6_group_mac(group);
		if (is_listed(macs, n, &mac))
			continue;
		if (n == most)
			return most + 1;
		macs[n++] = mac;
	}
	return n;
}

/* ---- addresses */

static bool
network_is_used(const struct net6 *ip6, const uint8_t *network, uint8_t len)
{
	for (unsigned int slot = 0; slot < ip6->slots; slot++) {
		const struct net6_addr *addr = &ip6->addrs[slot];

		if (addr->state != NET6_ADDR_FREE && !addr->automatic && addr->len == len &&
			ip6_common_bits(addr->ip, network) >= len)
			return true;
	}
	for (unsigned int i = 0; i < NET6_PREFIXES_MAX; i++) {
		const struct net6_prefix *prefix = &ip6->prefixes[i];

		if (prefix->until != 0 && prefix->len == len && ip6_is_same(prefix->ip, network))
			return true;
	}
	return false;
}

static int
rib_add(struct net6 *ip6, const uint8_t *network, uint8_t len, uint64_t next_hop)
{
	struct rte_rib6_node *node;

	if (rte_rib6_lookup_exact(ip6->rib, network, len) != NULL)
		return -EEXIST;
	node = rte_rib6_insert(ip6->rib, network, len);
	if (node == NULL)
		return -ENOBUFS;
	rte_rib6_set_nh(node, next_hop);
	return 0;
}

/* Those that routers made, and the others: each have their own room. */
static unsigned int
addrs_count(const struct net6 *ip6, bool automatic)
{
	unsigned int count = 0;

	for (unsigned int slot = 0; slot < ip6->slots; slot++)
		count += ip6->addrs[slot].state != NET6_ADDR_FREE &&
			 ip6->addrs[slot].automatic == automatic;
	return count;
}

/* There is one. */
static struct net6_addr *
slot_find(struct net6 *ip6)
{
	for (unsigned int slot = 0; slot < ip6->slots; slot++)
		if (ip6->addrs[slot].state == NET6_ADDR_FREE)
			return &ip6->addrs[slot];
	RILL_ASSERT(ip6->slots < NET6_ADDRS_MAX);
	return &ip6->addrs[ip6->slots++];
}

int
net6_connect(struct net *net, const uint8_t *network, uint8_t len)
{
	if (network_is_used(&net->ip6, network, len))
		return 0;
	return rib_add(&net->ip6, network, len, NET_CONNECTED);
}

void
net6_disconnect(struct net *net, const uint8_t *network, uint8_t len)
{
	if (!network_is_used(&net->ip6, network, len))
		rte_rib6_remove(net->ip6.rib, network, len);
}

/* Asked for at once, or after a while that others do not know; on bare IP nobody else could have
 * it. */
static void
addr_begin(struct net *net, struct net6_addr *addr, ustime now)
{
	struct net6 *ip6 = &net->ip6;

	addr->state = NET6_ADDR_PREFERRED;
	if (ip6->setup.unprobed || !net->netif->ethernet)
		return;
	addr->state = NET6_ADDR_TENTATIVE;
	addr->probes_left = PROBES;
	/* Who does not ask himself waits as long as whoever does may need. */
	addr->probe_at =
		now + (net->netif->silent ? PROBE_DELAY_US : rng_below(&ip6->rng, PROBE_DELAY_US));
}

static struct net6_addr *
addr_make(struct net *net, const uint8_t *ip, uint8_t len, bool automatic, ustime now)
{
	unsigned int most = automatic ? NET6_AUTO_MAX : NET6_ADDRS_MAX - NET6_AUTO_MAX;
	struct net6_addr *addr;

	if (addrs_count(&net->ip6, automatic) == most)
		return NULL;
	addr = slot_find(&net->ip6);
	*addr = (struct net6_addr){.len = len,
		.automatic = automatic,
		.preferred_until = USTIME_NEVER,
		.valid_until = USTIME_NEVER};
	memcpy(addr->ip, ip, IP6_ADDR_LEN);
	addr_begin(net, addr, now);
	index_rebuild(net);
	mld_changed(net, addr->state == NET6_ADDR_TENTATIVE ? addr->probe_at : now, now);
	net6_rearm(net, now);
	return addr;
}

struct net6_addr *
net6_addr_make(struct net *net, const uint8_t *ip, uint8_t len, ustime now)
{
	return addr_make(net, ip, len, true, now);
}

void
net6_addr_drop(struct net *net, struct net6_addr *addr)
{
	struct net6 *ip6 = &net->ip6;
	struct rill_addr gone = addr_of(addr->ip);
	uint8_t network[IP6_ADDR_LEN], len = addr->len;
	bool automatic = addr->automatic;

	ip6_network(network, addr->ip, len);
	*addr = (struct net6_addr){.state = NET6_ADDR_FREE};
	while (ip6->slots > 0 && ip6->addrs[ip6->slots - 1].state == NET6_ADDR_FREE)
		ip6->slots--;
	index_rebuild(net);
	if (!automatic)
		net6_disconnect(net, network, len);
	neighbors_forget_source(net->neighbors, &gone, 0);
}

static int
addr_add(struct net *net, const uint8_t *ip, uint8_t len, ustime now)
{
	uint8_t network[IP6_ADDR_LEN];
	int rc;

	if (net6_find(&net->ip6, ip) != NULL)
		return -EEXIST;
	ip6_network(network, ip, len);
	rc = net6_connect(net, network, len);
	if (rc != 0)
		return rc;
	if (addr_make(net, ip, len, false, now) != NULL)
		return 0;
	net6_disconnect(net, network, len);
	return -ENOBUFS;
}

/* The MAC with ff:fe in its middle, and its "universal" bit inverted. */
void
net6_identifier(uint8_t *ip, const struct rte_ether_addr *mac)
{
	const uint8_t *bytes = mac->addr_bytes;
	const uint8_t identifier[8] = {
		bytes[0] ^ 2, bytes[1], bytes[2], 0xff, 0xfe, bytes[3], bytes[4], bytes[5]};

	memcpy(ip + IP6_ADDR_LEN - sizeof(identifier), identifier, sizeof(identifier));
}

int
net6_start(struct net *net, ustime now)
{
	struct rte_rib6_conf conf = {.max_nodes = RIB_NODES};
	struct net6 *ip6 = &net->ip6;
	uint8_t link_local[IP6_ADDR_LEN] = {0xfe, 0x80};

	if (ip6->rib != NULL)
		return 0;
	if (net->netif->mtu < IP6_MTU_LEAST)
		return -EINVAL;
	ip6->rib = rte_rib6_create(ip6->name, ip6->numa_node, &conf);
	if (ip6->rib == NULL)
		return -ENOMEM;
	net6_spread_times(net, now);
	if (!net->netif->ethernet)
		return 0;
	net6_identifier(link_local, &net->netif->mac);
	return addr_add(net, link_local, LINK_LOCAL_LEN, now);
}

int
net6_addr_add(struct net *net, const struct rill_prefix *prefix, ustime now)
{
	int rc;

	if (prefix->len == 0 || prefix->len > IP6_ADDR_BITS || !ip6_is_unicast(prefix->addr.u.ip6))
		return -EINVAL;
	rc = net6_start(net, now);
	return rc == 0 ? addr_add(net, prefix->addr.u.ip6, prefix->len, now) : rc;
}

int
net6_addr_del(struct net *net, const struct rill_addr *which)
{
	struct net6_addr *addr = (struct net6_addr *)net6_find(&net->ip6, which->u.ip6);

	if (addr == NULL)
		return -ENOENT;
	net6_addr_drop(net, addr);
	return 0;
}

/* Wider scopes have larger numbers [6724 3.1]. */
static unsigned int
scope_of(const uint8_t *ip)
{
	return ip6_is_link_local(ip) ? 2 : 14;
}

/* Unique local addresses and the rest of the world are better not mixed [6724 2.1]. */
static unsigned int
label_of(const uint8_t *ip)
{
	return (ip[0] & 0xfe) == 0xfc ? 13 : 1;
}

/* Is a the better address to send from to dst? By the rules of [6724 5], in their order. */
static bool
source_is_better(const struct net6_addr *a, const struct net6_addr *b, const uint8_t *dst)
{
	unsigned int label = label_of(dst);

	if (scope_of(a->ip) != scope_of(b->ip))
		return scope_of(a->ip) < scope_of(b->ip);
	if (a->state != b->state)
		return a->state == NET6_ADDR_PREFERRED;
	if ((label_of(a->ip) == label) != (label_of(b->ip) == label))
		return label_of(a->ip) == label;
	return RTE_MIN(ip6_common_bits(a->ip, dst), a->len) >
	       RTE_MIN(ip6_common_bits(b->ip, dst), b->len);
}

const struct net6_addr *
net6_source(const struct net *net, const uint8_t *dst)
{
	const struct net6_addr *best = NULL;

	for (unsigned int slot = 0; slot < net->ip6.slots; slot++) {
		const struct net6_addr *addr = &net->ip6.addrs[slot];

		if (addr->state < NET6_ADDR_DEPRECATED || scope_of(addr->ip) < scope_of(dst))
			continue;
		if (best == NULL || source_is_better(addr, best, dst))
			best = addr;
	}
	return best;
}

/* ---- routes */

/* Is there a network of ours that ip is in? */
static bool
is_on_link(const struct net6 *ip6, const uint8_t *ip)
{
	struct rte_rib6_node *node = rte_rib6_lookup(ip6->rib, ip);

	for (; node != NULL; node = rte_rib6_lookup_parent(node)) {
		uint64_t next_hop = 0;

		rte_rib6_get_nh(node, &next_hop);
		if (next_hop == NET_CONNECTED)
			return true;
	}
	return false;
}

/* Is it a next hop as long as it is on a network of ours? */
static bool
can_be_gateway(const void *ip6, const struct rill_addr *via)
{
	return is_on_link(ip6, via->u.ip6);
}

int
net6_route_add(struct net *net, const struct rill_prefix *dst, const struct rill_addr *gateway,
	uint32_t metric)
{
	struct net6 *ip6 = &net->ip6;
	struct rte_rib6_node *node;
	uint8_t network[IP6_ADDR_LEN];
	uint64_t next_hop = GATEWAY_NONE;
	uint16_t head;
	int rc;

	if (dst->len > IP6_ADDR_BITS || gateway->family != AF_INET6 || ip6->rib == NULL ||
		!ip6_is_unicast(gateway->u.ip6) || net6_find(ip6, gateway->u.ip6) != NULL ||
		!is_on_link(ip6, gateway->u.ip6))
		return -EINVAL;
	ip6_network(network, dst->addr.u.ip6, dst->len);
	node = rte_rib6_lookup_exact(ip6->rib, network, dst->len);
	if (node != NULL)
		rte_rib6_get_nh(node, &next_hop);
	if (next_hop == NET_CONNECTED)
		return -EEXIST;
	head = (uint16_t)next_hop;
	rc = gateways_add(&ip6->gateways, &head, gateway, metric);
	if (rc == 0 && node == NULL) {
		node = rte_rib6_insert(ip6->rib, network, dst->len);
		if (node == NULL)
			gateways_del(&ip6->gateways, &head, NULL);
	}
	if (rc == 0 && node == NULL)
		return -ENOBUFS;
	if (rc == 0)
		rte_rib6_set_nh(node, head);
	return rc;
}

int
net6_route_del(struct net *net, const struct rill_prefix *dst, const struct rill_addr *gateway)
{
	struct net6 *ip6 = &net->ip6;
	struct rte_rib6_node *node = NULL;
	uint8_t network[IP6_ADDR_LEN];
	uint64_t next_hop = NET_CONNECTED;
	uint16_t head;
	int rc;

	if (dst->len > IP6_ADDR_BITS)
		return -EINVAL;
	ip6_network(network, dst->addr.u.ip6, dst->len);
	if (ip6->rib != NULL)
		node = rte_rib6_lookup_exact(ip6->rib, network, dst->len);
	if (node != NULL)
		rte_rib6_get_nh(node, &next_hop);
	if (next_hop == NET_CONNECTED)
		return -ENOENT;
	head = (uint16_t)next_hop;
	rc = gateways_del(&ip6->gateways, &head, gateway);
	if (head == GATEWAY_NONE)
		rte_rib6_remove(ip6->rib, network, dst->len);
	else
		rte_rib6_set_nh(node, head);
	return rc;
}

/* The next hop of the narrowest route that does not rest, or a router: NULL if there is none. */
static const uint8_t *
next_hop_of(const struct net *net, const uint8_t *dst)
{
	const struct net6 *ip6 = &net->ip6;
	struct rte_rib6_node *node = ip6->rib != NULL ? rte_rib6_lookup(ip6->rib, dst) : NULL;

	for (; node != NULL; node = rte_rib6_lookup_parent(node)) {
		uint64_t next_hop = NET_CONNECTED;
		const struct rill_addr *via;

		rte_rib6_get_nh(node, &next_hop);
		if (next_hop == NET_CONNECTED)
			return dst;
		via = gateways_choose(&ip6->gateways, (uint16_t)next_hop, can_be_gateway, ip6);
		if (via != NULL)
			return via->u.ip6;
	}
	return autoconf_router_choose(net);
}

int
net6_route(const struct net *net, const struct rill_addr *dst, struct rill_addr *next_hop,
	struct rill_addr *source)
{
	const struct net6_addr *from;
	const uint8_t *via;

	if (!ip6_is_unicast(dst->u.ip6))
		return -EINVAL;
	via = next_hop_of(net, dst->u.ip6);
	from = net6_source(net, dst->u.ip6);
	if (via == NULL || net6_find(&net->ip6, dst->u.ip6) != NULL)
		return -ENETUNREACH;
	if (from == NULL)
		return net6_is_settling(net) ? -EAGAIN : -ENETUNREACH;
	*next_hop = addr_of(via);
	*source = addr_of(from->ip);
	return 0;
}
