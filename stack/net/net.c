/* SPDX-License-Identifier: BSD-3-Clause */
#include "net.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <rte_common.h>
#include <rte_malloc.h>
#include <rte_rib.h>

#include "acd.h"
#include "arp.h"
#include "autoconf.h"
#include "check.h"
#include "icmp4.h"
#include "ip6_fragment.h"
#include "net_state.h"
#include "siphash.h"

#define IP4_BITS 32
/* A route takes a node, and at most one more where two branches part. */
#define RIB_NODES (2 * (ROUTES_MAX + RILL_ADDRS_MAX))

static uint32_t
ip_of(const struct rill_addr *addr)
{
	rte_be32_t ip;

	memcpy(&ip, addr->u.ip4, sizeof(ip));
	return rte_be_to_cpu_32(ip);
}

static struct rill_addr
addr_of(uint32_t ip)
{
	struct rill_addr addr = {.family = AF_INET};
	rte_be32_t wire = rte_cpu_to_be_32(ip);

	memcpy(addr.u.ip4, &wire, sizeof(wire));
	return addr;
}

static bool
net_make(struct net *net, const struct net_setup *setup)
{
	struct siphash_key fragments_key = siphash_derive(setup->secret, "fragments");
	struct siphash_key neighbors_key = siphash_derive(setup->secret, "neighbours");
	struct rte_rib_conf conf = {.max_nodes = RIB_NODES};

	net6_init(net, setup->name, setup->numa_node);
	net->rib = rte_rib_create(setup->name, setup->numa_node, &conf);
	net->neighbors = neighbors_create(setup->netif, setup->wheel, setup->neighbor_kind,
		&neighbors_key, setup->numa_node);
	net->fragments = fragments_create(setup->netif->wait_pool, setup->wheel,
		setup->fragments_kind, &fragments_key, setup->netif->counters, setup->numa_node);
	return net->rib != NULL && net->neighbors != NULL && net->fragments != NULL;
}

struct net *
net_create(const struct net_setup *setup)
{
	struct net *net = rte_zmalloc_socket(
		"rill_net", sizeof(*net), RTE_CACHE_LINE_SIZE, setup->numa_node);

	if (net == NULL)
		return NULL;
	net->netif = setup->netif;
	net->wheel = setup->wheel;
	net->announce_kind = net->gateways_timer.kind = setup->announce_kind;
	token_init(&net->icmp_errors, ICMP_ERROR_EVERY_US, ICMP_ERROR_BURST, setup->now);
	token_init(&net->icmp_echoes, ICMP_ECHO_EVERY_US, ICMP_ECHO_BURST, setup->now);
	token_init(&net->splits, ICMP_SPLIT_EVERY_US, ICMP_SPLIT_BURST, setup->now);
	net->ids.key = siphash_derive(setup->secret, "ip4 ids");
	net->ip6.ids.key = siphash_derive(setup->secret, "ip6 ids");
	rng_init(&net->rng, siphash_derive(setup->secret, "acd"));
	token_init(&net->icmp_hints, ICMP_HINT_EVERY_US, ICMP_HINT_BURST, setup->now);
	if (net_make(net, setup))
		return net;
	net_destroy(net);
	return NULL;
}

void
net_destroy(struct net *net)
{
	if (net == NULL)
		return;
	for (unsigned int i = 0; i < net->slots; i++)
		wheel_cancel(net->wheel, &net->addrs[i].timer);
	wheel_cancel(net->wheel, &net->gateways_timer);
	fragments_destroy(net->fragments);
	neighbors_destroy(net->neighbors);
	rte_rib_free(net->rib);
	net6_fini(net);
	rte_free(net);
}

void
net_set_ip4(struct net *net, const struct net_ip4 *setup)
{
	RILL_DCHECK(net->slots == 0);
	net->ip4 = *setup;
}

const struct net_trouble *
net_trouble(const struct net *net)
{
	return &net->trouble;
}

struct neighbors *
net_neighbors(const struct net *net)
{
	return net->neighbors;
}

bool
net_addr_is_ours(const struct net *net, const struct rill_addr *addr)
{
	if (addr->family == AF_INET6)
		return net6_ip_is_ours(&net->ip6, addr->u.ip6);
	return addr->family == AF_INET && net_ip_is_ours(net, ip_of(addr));
}

bool
net_addr_is_unicast(const struct net *net, const struct rill_addr *addr)
{
	if (addr->family == AF_INET6)
		return ip6_is_unicast(addr->u.ip6);
	return addr->family == AF_INET && net_ip_is_unicast(net, ip_of(addr));
}

/* The address of ours on the smallest network that ip lies in. */
static const struct net_addr *
addr_towards(const struct net *net, uint32_t ip)
{
	const struct net_connected *best = NULL;

	for (unsigned int i = 0; i < net->connected_count; i++) {
		const struct net_connected *network = &net->connected[i];

		if (((network->ip ^ ip) & network->mask) == 0 &&
			(best == NULL || network->mask > best->mask))
			best = network;
	}
	return best != NULL ? &net->addrs[best->source] : NULL;
}

static struct net_addr *
free_slot(struct net *net)
{
	for (unsigned int i = 0; i < net->slots; i++)
		if (net->addrs[i].ip == 0)
			return &net->addrs[i];
	return net->slots < RILL_ADDRS_MAX ? &net->addrs[net->slots] : NULL;
}

bool
net_ip_is_in_range(const struct net *net, uint32_t ip)
{
	for (unsigned int i = 0; i < net->ranges_count; i++)
		if (ip - net->ranges[i].first <= net->ranges[i].more)
			return true;
	return false;
}

struct net_addr *
net_addr_find(const struct net *net, const struct rill_addr *which)
{
	uint32_t ip = ip_of(which);

	if (which->family != AF_INET || ip == 0)
		return NULL;
	for (unsigned int i = 0; i < net->slots; i++)
		if (net->addrs[i].ip != 0 && ip - net->addrs[i].ip <= net->addrs[i].more)
			return (struct net_addr *)&net->addrs[i];
	return NULL;
}

enum arp_whose
net_addr_whose(const struct net *net, const struct rill_addr *addr)
{
	const struct net_addr *found;

	if (net_addr_is_ours(net, addr))
		return ARP_OURS;
	found = net->probing > 0 ? net_addr_find(net, addr) : NULL;
	return found != NULL && found->state == NET_ADDR_PROBED ? ARP_PROBED : ARP_THEIRS;
}

/* Is there an address in this network, whether it is ours already or not? */
static bool
network_is_used(const struct net *net, uint32_t network, uint32_t mask)
{
	for (unsigned int i = 0; i < net->slots; i++) {
		const struct net_addr *addr = &net->addrs[i];

		if (addr->ip != 0 && addr->mask == mask && (addr->ip & mask) == network)
			return true;
	}
	return false;
}

static bool
network_is_connected(const struct net *net, uint32_t network, uint32_t mask)
{
	for (unsigned int i = 0; i < net->connected_count; i++) {
		if (net->connected[i].mask == mask && net->connected[i].ip == network)
			return true;
	}
	return false;
}

/* Is it in the network of an address, whether that is ours already or not? */
static bool
is_near(const struct net *net, uint32_t ip)
{
	for (unsigned int i = 0; i < net->slots; i++) {
		const struct net_addr *addr = &net->addrs[i];

		if (addr->ip != 0 && ((addr->ip ^ ip) & addr->mask) == 0)
			return true;
	}
	return false;
}

/* Those that have broadcast addresses are the first. */
static void
network_append(struct net *net, struct net_connected network)
{
	struct net_connected *end = &net->connected[net->connected_count++];

	*end = network;
	if (~network.mask <= 1)
		return;
	*end = net->connected[net->broadcast_count];
	net->connected[net->broadcast_count++] = network;
}

void
net_addrs_changed(struct net *net)
{
	memset(net->ours, 0, sizeof(net->ours));
	memset(net->passed, 0, sizeof(net->passed));
	net->connected_count = net->broadcast_count = net->probing = net->ranges_count = 0;
	for (unsigned int slot = 0; slot < net->slots; slot++) {
		uint32_t ip = net->addrs[slot].ip, mask = net->addrs[slot].mask;
		uint32_t i = net_set_index(ip);

		net->probing += ip != 0 && net->addrs[slot].state == NET_ADDR_PROBED;
		if (ip == 0 || net->addrs[slot].state != NET_ADDR_OURS)
			continue;
		if (net->addrs[slot].more > 0) {
			net->ranges[net->ranges_count++] =
				(struct net_range){ip, net->addrs[slot].more};
		} else {
			while (net->ours[i] != 0)
				i = (i + 1) % NET_SET_SIZE;
			net->ours[i] = ip;
		}
		if (!network_is_connected(net, ip & mask, mask))
			network_append(net,
				(struct net_connected){.ip = ip & mask, .mask = mask, .source = slot});
	}
}

static int
rib_add(struct net *net, uint32_t ip, uint8_t len, uint64_t next_hop)
{
	struct rte_rib_node *node;

	if (rte_rib_lookup_exact(net->rib, ip, len) != NULL)
		return -EEXIST;
	node = rte_rib_insert(net->rib, ip, len);
	if (node == NULL)
		return -ENOBUFS;
	rte_rib_set_nh(node, next_hop);
	return 0;
}

/* Are any of these ours, or meant to be? */
static bool
is_given(const struct net *net, uint32_t ip, uint32_t more)
{
	for (unsigned int i = 0; i < net->slots; i++) {
		const struct net_addr *addr = &net->addrs[i];

		if (addr->ip != 0 && (ip - addr->ip <= addr->more || addr->ip - ip <= more))
			return true;
	}
	return false;
}

/* Can an interface have this address? Not a broadcast address of its own network. */
static bool
is_assignable(const struct net *net, uint32_t ip, uint32_t mask)
{
	uint32_t host = ~mask;

	return net_ip_is_unicast(net, ip) &&
	       (host <= 1 || ((ip & host) != 0 && (ip & host) != host));
}

int
net_addr_add(struct net *net, const struct rill_prefix *prefix, ustime now)
{
	uint32_t ip = ip_of(&prefix->addr), more = prefix->more, mask;
	struct net_addr *addr = free_slot(net);
	int rc = 0;

	if (prefix->addr.family == AF_INET6)
		return prefix->more == 0 ? net6_addr_add(net, prefix, now) : -EINVAL;
	if (prefix->addr.family != AF_INET || prefix->len == 0 || prefix->len > IP4_BITS)
		return -EINVAL;
	mask = rte_rib_depth_to_mask(prefix->len);
	if (!is_assignable(net, ip, mask) || more > ~mask - (ip & ~mask) ||
		!is_assignable(net, ip + more, mask))
		return -EINVAL;
	if (is_given(net, ip, more))
		return -EEXIST;
	if (addr == NULL || (more > 0 && net->ranges_count == RILL_RANGES_MAX))
		return -ENOBUFS;
	if (!network_is_used(net, ip & mask, mask))
		rc = rib_add(net, ip & mask, prefix->len, NET_CONNECTED);
	if (rc != 0)
		return rc;
	if (addr == &net->addrs[net->slots])
		net->slots++;
	*addr = (struct net_addr){
		.ip = ip, .mask = mask, .more = more, .timer.kind = net->announce_kind};
	acd_begin(net, addr, now);
	net_addrs_changed(net);
	return 0;
}

int
net_addr_del(struct net *net, const struct rill_addr *which)
{
	uint32_t ip = ip_of(which), mask, more;
	struct net_addr *addr;

	if (which->family == AF_INET6)
		return net6_addr_del(net, which);
	addr = net_addr_find(net, which);
	if (addr == NULL || addr->ip != ip) /* a range goes as a whole */
		return -ENOENT;
	mask = addr->mask;
	more = addr->more;
	wheel_cancel(net->wheel, &addr->timer);
	*addr = (struct net_addr){0};
	while (net->slots > 0 && net->addrs[net->slots - 1].ip == 0)
		net->slots--;
	net_addrs_changed(net);
	if (!network_is_used(net, ip & mask, mask))
		rte_rib_remove(net->rib, ip & mask, (uint8_t)__builtin_popcount(mask));
	neighbors_forget_source(net->neighbors, which, more);
	return 0;
}

/* A prefix whose gateways begin at head. */
static int
rib_add_or_undo(struct net *net, uint32_t ip, uint8_t len, uint16_t head)
{
	int rc = rib_add(net, ip, len, head);

	if (rc != 0)
		gateways_del(&net->gateways, &head, NULL);
	return rc;
}

/* Is it a next hop as long as it is on a network of ours? */
static bool
can_be_gateway(const void *net, const struct rill_addr *via)
{
	return addr_towards(net, ip_of(via)) != NULL;
}

int
net_route_add(struct net *net, const struct rill_prefix *dst, const struct rill_addr *gateway,
	uint32_t metric)
{
	uint32_t via = ip_of(gateway), ip = ip_of(&dst->addr);
	struct rte_rib_node *node;
	uint64_t next_hop = GATEWAY_NONE;
	uint16_t head;
	int rc;

	if (dst->addr.family == AF_INET6)
		return net6_route_add(net, dst, gateway, metric);
	if (dst->addr.family != AF_INET || dst->len > IP4_BITS || dst->more != 0 ||
		gateway->family != AF_INET)
		return -EINVAL;
	if (!net_ip_is_unicast(net, via) || net_addr_find(net, gateway) != NULL || !is_near(net, via))
		return -EINVAL;
	node = rte_rib_lookup_exact(net->rib, ip, dst->len);
	if (node != NULL)
		rte_rib_get_nh(node, &next_hop);
	if (next_hop == NET_CONNECTED)
		return -EEXIST;
	head = (uint16_t)next_hop;
	rc = gateways_add(&net->gateways, &head, gateway, metric);
	if (rc != 0)
		return rc;
	if (node == NULL)
		return rib_add_or_undo(net, ip, dst->len, head);
	rte_rib_set_nh(node, head);
	return 0;
}

int
net_route_del(struct net *net, const struct rill_prefix *dst, const struct rill_addr *gateway)
{
	struct rte_rib_node *node;
	uint64_t next_hop = NET_CONNECTED;
	uint16_t head;
	int rc;

	if (dst->addr.family == AF_INET6)
		return net6_route_del(net, dst, gateway);
	if (dst->addr.family != AF_INET || dst->len > IP4_BITS)
		return -EINVAL;
	node = rte_rib_lookup_exact(net->rib, ip_of(&dst->addr), dst->len);
	if (node != NULL)
		rte_rib_get_nh(node, &next_hop);
	if (next_hop == NET_CONNECTED)
		return -ENOENT;
	head = (uint16_t)next_hop;
	rc = gateways_del(&net->gateways, &head, gateway);
	if (head == GATEWAY_NONE)
		rte_rib_remove(net->rib, ip_of(&dst->addr), dst->len);
	else
		rte_rib_set_nh(node, head);
	return rc;
}

int
net_route(const struct net *net, const struct rill_addr *dst, struct rill_addr *next_hop,
	struct rill_addr *source)
{
	uint32_t ip = ip_of(dst);
	struct rte_rib_node *node;

	if (dst->family == AF_INET6)
		return net6_route(net, dst, next_hop, source);
	if (!net_addr_is_unicast(net, dst))
		return -EINVAL;
	if (net_ip_is_ours(net, ip))
		return -ENETUNREACH;
	for (node = rte_rib_lookup(net->rib, ip); node != NULL;
		node = rte_rib_lookup_parent(node)) {
		uint64_t first = NET_CONNECTED;
		const struct rill_addr *via = dst;
		const struct net_addr *from = NULL;

		rte_rib_get_nh(node, &first);
		if (first != NET_CONNECTED)
			via = gateways_choose(&net->gateways, (uint16_t)first, can_be_gateway, net);
		if (via != NULL)
			from = addr_towards(net, ip_of(via));
		if (from == NULL)
			continue; /* a resting route: a shorter prefix may do */
		*next_hop = *via;
		*source = addr_of(from->ip);
		return 0;
	}
	return net->probing > 0 ? -EAGAIN : -ENETUNREACH;
}

void
net_announce_all(struct net *net, ustime now)
{
	if (!net->netif->ethernet || net->netif->silent)
		return;
	net6_announce_all(net, now);
	acd_announce_all(net, now);
}

/* Those of a family that are in doubt: true if some still are. */
static bool
ask_doubtful(struct net *net, struct gateways *gateways, ustime now, struct outbox *outbox)
{
	bool doubt = false;

	for (unsigned int i = 0; i < ROUTES_MAX; i++) {
		struct gateway *gateway = &gateways->slots[i];
		struct rill_addr hop, source;

		if (gateway->via.family == 0 || !gateway->in_doubt)
			continue;
		gateway->in_doubt =
			neighbors_state(net->neighbors, &gateway->via) < NEIGHBOR_STALE;
		doubt |= gateway->in_doubt;
		if (gateway->in_doubt && net_route(net, &gateway->via, &hop, &source) == 0)
			neighbor_get(net->neighbors, &gateway->via, &source, false, now, outbox);
	}
	return doubt;
}

static void
ask_gateways(struct net *net, ustime now, struct outbox *outbox)
{
	bool doubt4 = ask_doubtful(net, &net->gateways, now, outbox);
	bool doubt6 = ask_doubtful(net, &net->ip6.gateways, now, outbox);

	if ((doubt4 || doubt6) && !wheel_is_armed(&net->gateways_timer))
		wheel_arm(net->wheel, &net->gateways_timer, now + GATEWAY_RETRY_US);
}

bool
net_neighbor_failed(struct net *net, uint32_t index, ustime now)
{
	struct rill_addr addr = neighbor_at(net->neighbors, index)->addr;
	struct gateways *gateways =
		addr.family == AF_INET6 ? &net->ip6.gateways : &net->gateways;

	if (gateways->count == 0 || !gateways_failed(gateways, &addr))
		return autoconf_router_failed(net, &addr);
	if (!wheel_is_armed(&net->gateways_timer))
		wheel_arm(net->wheel, &net->gateways_timer, now + GATEWAY_RETRY_US);
	neighbors_abandon(net->neighbors, &addr);
	return true;
}

void
net_announce_timer(struct net *net, struct wheel_node *node, ustime now, struct outbox *outbox)
{
	struct net_addr *addr = container_of(node, struct net_addr, timer);

	if (node == &net->gateways_timer) {
		ask_gateways(net, now, outbox);
		return;
	}
	if (node == &net->ip6.timer) {
		if (!wheel_is_armed(node))
			net6_timer(net, now, outbox);
		return;
	}
	/* Taken away, or even given anew, since the node was taken off the wheel. */
	if (addr->ip != 0 && !wheel_is_armed(node))
		acd_timer(net, addr, now, outbox);
}

void
net_fragments_timer(struct net *net, ustime now, struct outbox *outbox)
{
	struct fragments_late late;

	while (fragments_expire(net->fragments, now, &late)) {
		if (late.first == NULL)
			continue;
		if (late.family == AF_INET)
			icmp4_reassembly_exceeded(net, late.first, late.l2_len, now, outbox);
		else
			ip6_reassembly_exceeded(net, late.first, late.l2_len, now, outbox);
	}
}
