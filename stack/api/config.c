/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <string.h>

#include <numa.h>
#include <rte_byteorder.h>
#include <rte_ether.h>

#include "errtext.h"
#include "ip6.h"

/* Where a value stands: "ports[1].", or "" for a lane's own. */
#define WHERE_LEN 32

void
rill_config_default(struct rill_config *config)
{
	memset(config, 0, sizeof(*config)); /* limits: 0 takes the default, some of which follow others */
	rill_options_default(&config->options);
}

void
rill_lane_config_default(struct rill_lane_config *config)
{
	memset(config, 0, sizeof(*config));
	config->ethernet = true;
	config->mtu = RTE_ETHER_MTU;
	config->numa_node = -1;
}

static void
fill(uint32_t *value, uint32_t fallback)
{
	if (*value == 0)
		*value = fallback;
}

void
config_fill_limits(struct rill_limits *limits)
{
	fill(&limits->max_conns, CONFIG_CONNS_DEFAULT);
	fill(&limits->timewait_max, limits->max_conns);
	fill(&limits->syn_max, CONFIG_SYN_DEFAULT);
	fill(&limits->sidecars, limits->max_conns / 8 + 64);
	fill(&limits->bbrs, limits->max_conns / 16 + 64);
	fill(&limits->records, limits->max_conns > CONFIG_INDEX_MOST / 8
			? CONFIG_INDEX_MOST
			: 4 * limits->max_conns + 4096);
	fill(&limits->buffers, CONFIG_BUFFERS_DEFAULT);
	fill(&limits->msl_ms, CONFIG_MSL_DEFAULT_MS);
}

/* ---- numbers */

/* 0 stands for the default everywhere here. */
static int
check_number(const char *where, const char *option, uint32_t value, uint32_t least, uint32_t most)
{
	if (value == 0 || (value >= least && value <= most))
		return 0;
	return error_set(-EINVAL, "%s%s: %u is not within %u .. %u (or 0 for the default)", where, option,
		value, least, most);
}

static int
check_limits(const struct rill_limits *limits)
{
	const struct {
		const char *option;
		uint32_t value, least, most;
	} rows[] = {
		{"max_conns", limits->max_conns, 1, CONFIG_INDEX_MOST},
		{"timewait_max", limits->timewait_max, 1, CONFIG_INDEX_MOST},
		{"syn_max", limits->syn_max, 1, CONFIG_INDEX_MOST},
		{"sidecars", limits->sidecars, 1, CONFIG_INDEX_MOST},
		{"bbrs", limits->bbrs, 1, CONFIG_INDEX_MOST},
		{"records", limits->records, 16, CONFIG_INDEX_MOST},
		{"buffers", limits->buffers, CONFIG_BUFFERS_LEAST, CONFIG_INDEX_MOST},
		{"msl_ms", limits->msl_ms, 1, CONFIG_MSL_MOST_MS},
	};
	int err = 0;

	for (size_t i = 0; err == 0 && i < sizeof(rows) / sizeof(rows[0]); i++)
		err = check_number("limits.", rows[i].option, rows[i].value, rows[i].least, rows[i].most);
	return err;
}

/* ---- addresses */

static unsigned int
bits_of(const struct rill_addr *addr)
{
	return addr->family == AF_INET ? 8 * sizeof(addr->u.ip4) : 8 * sizeof(addr->u.ip6);
}

/* Leading bits that two addresses of one family have in common. */
static unsigned int
common_bits(const struct rill_addr *a, const struct rill_addr *b)
{
	unsigned int most = bits_of(a), i = 0;

	while (i < most && ((a->u.ip6[i / 8] ^ b->u.ip6[i / 8]) >> (7 - i % 8) & 1) == 0)
		i++;
	return i;
}

static bool
is_same(const struct rill_addr *a, const struct rill_addr *b)
{
	return a->family == b->family && common_bits(a, b) == bits_of(a);
}

static uint32_t
number_of(const struct rill_addr *addr)
{
	const uint8_t *ip = addr->u.ip4;

	return (uint32_t)ip[0] << 24 | (uint32_t)ip[1] << 16 | (uint32_t)ip[2] << 8 | ip[3];
}

/* The last address of a range, of which it is known that it is one of IPv4. */
static struct rill_prefix
last_of(const struct rill_prefix *range)
{
	uint32_t last = number_of(&range->addr) + range->more;

	return (struct rill_prefix){.addr = {.family = AF_INET,
					    .u.ip4 = {(uint8_t)(last >> 24), (uint8_t)(last >> 16),
						    (uint8_t)(last >> 8), (uint8_t)last}},
		.len = range->len};
}

/* Have two entries an address in common? */
static bool
overlap(const struct rill_prefix *a, const struct rill_prefix *b)
{
	if (a->addr.family != AF_INET || b->addr.family != AF_INET)
		return is_same(&a->addr, &b->addr);
	return number_of(&b->addr) - number_of(&a->addr) <= a->more ||
	       number_of(&a->addr) - number_of(&b->addr) <= b->more;
}

static bool
is_on_network(const struct rill_addr *addr, const struct rill_prefix *prefix)
{
	return addr->family == prefix->addr.family &&
	       common_bits(addr, &prefix->addr) >= prefix->len;
}

/* Not 0/8, loopback, multicast or reserved; of IPv6, not multicast, nor of ::/64. */
static bool
is_host_address(const struct rill_addr *addr)
{
	uint8_t first = addr->u.ip4[0];

	if (addr->family == AF_INET6)
		return ip6_is_unicast(addr->u.ip6);
	return first != 0 && first != 127 && first < 224;
}

/* The first or the last address of an IPv4 network, which has them unless it is of two or one [3021]. */
static bool
is_end_of_network(const struct rill_prefix *prefix)
{
	uint32_t host = number_of(&prefix->addr), mask;

	if (prefix->addr.family != AF_INET || prefix->len >= 31)
		return false;
	mask = UINT32_MAX >> prefix->len;
	return (host & mask) == 0 || (host & mask) == mask;
}

static int
check_family(const char *where, const struct rill_addr *addr)
{
	if (addr->family == AF_INET || addr->family == AF_INET6)
		return 0;
	return error_set(-EINVAL,
		"%saddrs: address family %u is none: give an address of IPv4 (AF_INET) or IPv6 (AF_INET6)",
		where, addr->family);
}

static int
check_range(const char *where, const struct rill_prefix *range)
{
	char first[RILL_ADDR_STRLEN], text[RILL_ADDR_STRLEN];
	struct rill_prefix last;

	if (range->more == 0)
		return 0;
	rill_addr_format(&range->addr, first);
	if (range->addr.family != AF_INET)
		return error_set(-EINVAL,
			"%saddrs: %s and %u more: a range is of IPv4: name addresses of IPv6 one by one",
			where, first, range->more);
	last = last_of(range);
	if (UINT32_MAX - number_of(&range->addr) < range->more ||
		!is_on_network(&last.addr, range) || is_end_of_network(&last))
		return error_set(-EINVAL,
			"%saddrs: %s/%u and %u more: the range ends at %s, beyond the hosts of its "
			"network: make it shorter, or the prefix",
			where, first, range->len, range->more, rill_addr_format(&last.addr, text));
	return 0;
}

static int
check_address(const char *where, const struct rill_prefix *prefix)
{
	char text[RILL_ADDR_STRLEN];
	int err = check_family(where, &prefix->addr);

	if (err != 0)
		return err;
	rill_addr_format(&prefix->addr, text);
	if (prefix->len < 1 || prefix->len > bits_of(&prefix->addr))
		return error_set(-EINVAL, "%saddrs: %s/%u: a prefix has 1 to %u bits, as in %s/%u", where,
			text, prefix->len, bits_of(&prefix->addr), text,
			prefix->addr.family == AF_INET ? 24 : 64);
	if (!is_host_address(&prefix->addr) || is_end_of_network(prefix))
		return error_set(-EINVAL,
			"%saddrs: %s/%u is not an address that a host may have: give a unicast address%s",
			where, text, prefix->len,
			prefix->addr.family == AF_INET
				? " that is neither the first nor the last of its network"
				: "");
	return check_range(where, prefix);
}

/* A gateway of one family, under the name of its option. */
static int
check_gateway(const char *where, const char *option, uint8_t family,
	const struct rill_addr *gateway, const struct rill_prefix *addrs, unsigned int count)
{
	char text[RILL_ADDR_STRLEN];
	bool connected = false, has_family = false;

	if (gateway->family == 0)
		return 0;
	rill_addr_format(gateway, text);
	if (gateway->family != family)
		return error_set(-EINVAL, "%s%s: %s is no address of %s: give one, or leave it out", where,
			option, gateway->family == AF_INET || gateway->family == AF_INET6 ? text : "it",
			family == AF_INET ? "IPv4" : "IPv6");
	for (unsigned int i = 0; i < count; i++) {
		const struct rill_prefix single = {.addr = *gateway};

		if (overlap(&addrs[i], &single))
			return error_set(-EINVAL,
				"%s%s: %s is this port's own address: give that of the router", where,
				option, text);
		has_family |= addrs[i].addr.family == family;
		connected |= is_on_network(gateway, &addrs[i]);
	}
	if (family == AF_INET6 && ip6_is_link_local(gateway->u.ip6))
		connected = has_family; /* each port with IPv6 has a link-local network */
	if (!connected || !is_host_address(gateway))
		return error_set(-EINVAL,
			"%s%s: %s is on no network of this port: give an address within that of one of "
			"its addrs",
			where, option, text);
	return 0;
}

static int
check_addresses(const char *where, const struct rill_prefix *addrs, unsigned int count)
{
	unsigned int ranges = 0;
	char text[RILL_ADDR_STRLEN];

	if (count > RILL_ADDRS_MAX)
		return error_set(-EINVAL, "%saddrs_count: %u addresses are too many: a port has at most %u",
			where, count, RILL_ADDRS_MAX);
	for (unsigned int i = 0; i < count; i++) {
		int err = check_address(where, &addrs[i]);

		if (err != 0)
			return err;
		for (unsigned int j = 0; j < i; j++)
			if (overlap(&addrs[i], &addrs[j]))
				return error_set(-EINVAL, "%saddrs: %s stands there twice: name it once",
					where, rill_addr_format(&addrs[i].addr, text));
		ranges += addrs[i].more > 0;
	}
	if (ranges > RILL_RANGES_MAX)
		return error_set(-EINVAL, "%saddrs: %u ranges are too many: a port has at most %u", where,
			ranges, RILL_RANGES_MAX);
	return 0;
}

/* Every link of IPv6 carries 1280 bytes [8200 5]. */
static int
check_ip6_mtu(const char *where, uint32_t mtu, const struct rill_prefix *addrs, unsigned int count)
{
	char text[RILL_ADDR_STRLEN];

	for (unsigned int i = 0; mtu != 0 && mtu < IP6_MTU_LEAST && i < count; i++)
		if (addrs[i].addr.family == AF_INET6)
			return error_set(-EINVAL,
				"%smtu: %u is too small for %s: a port with IPv6 has %u or more", where,
				mtu, rill_addr_format(&addrs[i].addr, text), IP6_MTU_LEAST);
	return 0;
}

/* What a port and a lane without one are told alike. */
struct hosts {
	const struct rill_prefix *addrs;
	unsigned int count;
	const struct rill_addr *gateway, *gateway6;
	const struct rill_route *routes;
	unsigned int routes_count;
	uint32_t mtu;
};

/* Route i: its gateway as the default route's, its network and metric its own. */
static int
check_route(const char *where, const struct hosts *hosts, unsigned int i)
{
	const struct rill_route *route = &hosts->routes[i];
	char option[WHERE_LEN], text[RILL_ADDR_STRLEN];
	uint8_t family = route->dst.addr.family;

	snprintf(option, sizeof(option), "routes[%u].gateway", i);
	if ((family != AF_INET && family != AF_INET6) || route->dst.more != 0 ||
		route->dst.len > bits_of(&route->dst.addr))
		return error_set(-EINVAL,
			"%sroutes[%u].dst: %s/%u is no network: give one such as 198.51.100.0/24, or "
			"0.0.0.0/0 for all", where, i, rill_addr_format(&route->dst.addr, text),
			route->dst.len);
	if (route->gateway.family == 0)
		return error_set(-EINVAL, "%s%s: is missing: give the address of a router", where, option);
	for (unsigned int j = 0; j < i; j++)
		if (hosts->routes[j].metric == route->metric &&
			hosts->routes[j].dst.len == route->dst.len &&
			is_on_network(&hosts->routes[j].dst.addr, &route->dst))
			return error_set(-EINVAL,
				"%sroutes[%u].metric: %u is that of another route to %s/%u: give each "
				"its own", where, i, route->metric,
				rill_addr_format(&route->dst.addr, text), route->dst.len);
	return check_gateway(where, option, family, &route->gateway, hosts->addrs, hosts->count);
}

static int
check_routes(const char *where, const struct hosts *hosts)
{
	int err = 0;

	if (hosts->routes_count > RILL_ROUTES_MAX)
		return error_set(-EINVAL, "%sroutes_count: %u routes are too many: give at most %u", where,
			hosts->routes_count, RILL_ROUTES_MAX);
	for (unsigned int i = 0; err == 0 && i < hosts->routes_count; i++)
		err = check_route(where, hosts, i);
	return err;
}

static int
check_hosts(const char *where, const struct hosts *hosts)
{
	int err = check_number(where, "mtu", hosts->mtu, CONFIG_MTU_LEAST, CONFIG_MTU_MOST);

	if (err == 0)
		err = check_addresses(where, hosts->addrs, hosts->count);
	if (err == 0)
		err = check_gateway(
			where, "gateway", AF_INET, hosts->gateway, hosts->addrs, hosts->count);
	if (err == 0)
		err = check_gateway(
			where, "gateway6", AF_INET6, hosts->gateway6, hosts->addrs, hosts->count);
	if (err == 0)
		err = check_routes(where, hosts);
	return err == 0 ? check_ip6_mtu(where, hosts->mtu, hosts->addrs, hosts->count) : err;
}

static int
check_vlan(const char *where, uint16_t vlan, uint8_t priority)
{
	int err = check_number(where, "vlan", vlan, 1, CONFIG_VLAN_MOST);

	if (err == 0)
		err = check_number(where, "vlan_priority", priority, 0, CONFIG_VLAN_PRIORITY_MOST);
	if (err == 0 && vlan == 0 && priority != 0)
		err = error_set(-EINVAL, "%svlan_priority: %u stands in the tag of a VLAN: set vlan too",
			where, priority);
	return err;
}

/* ---- a lane without a port */

static int
check_mac(const uint8_t mac[6])
{
	struct rte_ether_addr addr;

	memcpy(&addr, mac, sizeof(addr));
	if (!rte_is_multicast_ether_addr(&addr))
		return 0;
	return error_set(-EINVAL,
		"mac: %02x:%02x:%02x:%02x:%02x:%02x is a group's: give a unicast one (first byte even), or "
		"zeros for one to be chosen",
		mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

static int
check_node(int node)
{
	int most = numa_available() < 0 ? 0 : numa_max_node();

	if (node >= -1 && node <= most)
		return 0;
	return error_set(-EINVAL, "numa_node: %d is not a node of this machine: give 0 .. %d, or -1 for any",
		node, most);
}

static int
check_name(const char *name)
{
	size_t len = name == NULL ? 1 : strlen(name);

	if (len >= 1 && len <= CONFIG_NAME_MAX)
		return 0;
	return error_set(-EINVAL, "name: \"%s\" has %zu characters: give 1 to %u, or NULL for one to be chosen",
		name, len, CONFIG_NAME_MAX);
}

int
config_check_lane(const struct rill_lane_config *config)
{
	const struct hosts hosts = {config->addrs, config->addrs_count, &config->gateway,
		&config->gateway6, config->routes, config->routes_count, config->mtu};
	int err = check_mac(config->mac);

	if (err == 0)
		err = check_vlan("", config->vlan, config->vlan_priority);
	if (err == 0 && config->vlan != 0 && !config->ethernet)
		err = error_set(-EINVAL, "vlan: %u: bare IP packets have no tag: set it to 0", config->vlan);
	if (err == 0)
		err = check_hosts("", &hosts);
	if (err == 0)
		err = check_limits(&config->limits);
	if (err == 0 && config->options != NULL)
		err = rill_options_check(config->options);
	if (err == 0)
		err = check_name(config->name);
	if (err == 0)
		err = check_node(config->numa_node);
	return err;
}

/* ---- a stack */

/* Up to the arguments that a name may carry after a comma. */
static bool
is_same_port(const char *a, const char *b)
{
	size_t len = strcspn(a, ",");

	return len == strcspn(b, ",") && memcmp(a, b, len) == 0;
}

static int
check_port(const struct rill_config *config, unsigned int i)
{
	const struct rill_port_config *port = &config->ports[i];
	const struct hosts hosts = {
		port->addrs, port->addrs_count, &port->gateway, &port->gateway6, port->routes,
		port->routes_count, port->mtu};
	char where[WHERE_LEN];
	int err;

	snprintf(where, sizeof(where), "ports[%u].", i);
	if (port->name == NULL || port->name[0] == 0)
		return error_set(-EINVAL,
			"%sname: is missing: give the name of an ethdev (net_tap0) or a PCI address "
			"(0000:03:00.0)",
			where);
	for (unsigned int j = 0; j < i; j++)
		if (is_same_port(port->name, config->ports[j].name))
			return error_set(-EINVAL, "%sname: \"%s\" is ports[%u] already: name each port once",
				where, port->name, j);
	if ((unsigned int)port->tso >= RILL_TSO_COUNT)
		return error_set(-EINVAL, "%stso: %u is neither RILL_TSO_AUTO (0) nor RILL_TSO_OFF (1)",
			where, (unsigned int)port->tso);
	err = check_vlan(where, port->vlan, port->vlan_priority);
	return err == 0 ? check_hosts(where, &hosts) : err;
}

/* Ports are shared evenly. */
static int
check_lanes(const struct rill_config *config)
{
	unsigned int lanes = config->lanes, ports = config->ports_count;

	if (lanes % ports != 0)
		return error_set(-EINVAL,
			"lanes: %u lanes cannot be shared evenly by %u ports: set lanes to a multiple, such "
			"as %u, or to 0 for one each",
			lanes, ports, (lanes / ports + 1) * ports);
	if (lanes / ports > RILL_PORT_LANES_MAX || lanes > RILL_LANES_MAX)
		return error_set(-EINVAL,
			"lanes: %u are too many: a port has at most %u, and a stack %u", lanes,
			RILL_PORT_LANES_MAX, RILL_LANES_MAX);
	return 0;
}

static int
check_run(const struct rill_config *config)
{
	if (config->idle_sleep_us > CONFIG_IDLE_SLEEP_MOST_US)
		return error_set(-EINVAL,
			"idle_sleep_us: %u is not within 0 .. %u: a lane that sleeps hears nobody",
			config->idle_sleep_us, CONFIG_IDLE_SLEEP_MOST_US);
	if (config->eal_args == NULL && config->eal_args_count > 0)
		return error_set(-EINVAL,
			"eal_args: is NULL, and eal_args_count %u: give the arguments, or set the count to 0",
			config->eal_args_count);
	return 0;
}

int
config_check(const struct rill_config *config)
{
	int err = 0;

	if (config->ports_count < 1 || config->ports_count > RILL_PORTS_MAX)
		return error_set(-EINVAL, "ports_count: %u is not within 1 .. %u", config->ports_count,
			RILL_PORTS_MAX);
	for (unsigned int i = 0; err == 0 && i < config->ports_count; i++)
		err = check_port(config, i);
	if (err == 0)
		err = check_lanes(config);
	if (err == 0)
		err = check_limits(&config->limits);
	if (err == 0)
		err = rill_options_check(&config->options);
	if (err == 0)
		err = check_run(config);
	return err;
}
