/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <string.h>

#include <numa.h>
#include <rte_byteorder.h>
#include <rte_ether.h>

#include "errtext.h"

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

static uint32_t
ip4_of(const struct rill_addr *addr)
{
	return (uint32_t)addr->u.ip4[0] << 24 | (uint32_t)addr->u.ip4[1] << 16 |
		(uint32_t)addr->u.ip4[2] << 8 | addr->u.ip4[3];
}

/* len 1 .. 32 */
static uint32_t
mask_of(uint8_t len)
{
	return UINT32_MAX << (32 - len);
}

/* Not 0/8, loopback, multicast or reserved. */
static bool
is_host_address(uint32_t ip)
{
	uint8_t first = (uint8_t)(ip >> 24);

	return first != 0 && first != 127 && first < 224;
}

static int
check_family(const char *where, const char *option, const struct rill_addr *addr)
{
	if (addr->family == AF_INET)
		return 0;
	if (addr->family == AF_INET6)
		return error_set(-ENOTSUP,
			"%s%s: IPv6 addresses are not supported in this version: give an IPv4 address", where,
			option);
	return error_set(-EINVAL, "%s%s: address family %u is none: give an IPv4 address (AF_INET)", where,
		option, addr->family);
}

/* The first and the last address of a network are not a host's, but on links of two or one [3021]. */
static int
check_address(const char *where, const struct rill_prefix *prefix)
{
	char text[RILL_ADDR_STRLEN];
	uint32_t ip, host;
	int err = check_family(where, "addrs", &prefix->addr);

	if (err != 0)
		return err;
	rill_addr_format(&prefix->addr, text);
	if (prefix->len < 1 || prefix->len > 32)
		return error_set(-EINVAL, "%saddrs: %s/%u: a prefix has 1 to 32 bits, as in %s/24", where,
			text, prefix->len, text);
	ip = ip4_of(&prefix->addr);
	host = ip & ~mask_of(prefix->len);
	if (!is_host_address(ip) ||
		(prefix->len < 31 && (host == 0 || host == ~mask_of(prefix->len))))
		return error_set(-EINVAL,
			"%saddrs: %s/%u is not an address that a host may have: give a unicast address that is "
			"neither the first nor the last of its network",
			where, text, prefix->len);
	return 0;
}

static int
check_gateway(const char *where, const struct rill_addr *gateway, const struct rill_prefix *addrs,
	unsigned int count)
{
	char text[RILL_ADDR_STRLEN];
	uint32_t ip;
	bool connected = false;
	int err;

	if (gateway->family == 0)
		return 0;
	err = check_family(where, "gateway", gateway);
	if (err != 0)
		return err;
	ip = ip4_of(gateway);
	rill_addr_format(gateway, text);
	for (unsigned int i = 0; i < count; i++) {
		if (ip == ip4_of(&addrs[i].addr))
			return error_set(-EINVAL,
				"%sgateway: %s is this port's own address: give that of the router", where,
				text);
		if (((ip ^ ip4_of(&addrs[i].addr)) & mask_of(addrs[i].len)) == 0)
			connected = true;
	}
	if (!connected || !is_host_address(ip))
		return error_set(-EINVAL,
			"%sgateway: %s is on no network of this port: give an address within that of one of "
			"its addrs",
			where, text);
	return 0;
}

static int
check_addresses(const char *where, const struct rill_prefix *addrs, unsigned int count,
	const struct rill_addr *gateway)
{
	char text[RILL_ADDR_STRLEN];
	int err = 0;

	if (count > RILL_ADDRS_MAX)
		return error_set(-EINVAL, "%saddrs_count: %u addresses are too many: a port has at most %u",
			where, count, RILL_ADDRS_MAX);
	for (unsigned int i = 0; i < count; i++) {
		err = check_address(where, &addrs[i]);
		if (err != 0)
			return err;
		for (unsigned int j = 0; j < i; j++)
			if (ip4_of(&addrs[i].addr) == ip4_of(&addrs[j].addr))
				return error_set(-EINVAL, "%saddrs: %s stands there twice: name it once",
					where, rill_addr_format(&addrs[i].addr, text));
	}
	return check_gateway(where, gateway, addrs, count);
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
	int err = check_mac(config->mac);

	if (err == 0)
		err = check_number("", "mtu", config->mtu, CONFIG_MTU_LEAST, CONFIG_MTU_MOST);
	if (err == 0)
		err = check_addresses("", config->addrs, config->addrs_count, &config->gateway);
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
	err = check_number(where, "mtu", port->mtu, CONFIG_MTU_LEAST, CONFIG_MTU_MOST);
	if (err == 0)
		err = check_addresses(where, port->addrs, port->addrs_count, &port->gateway);
	return err;
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
