/* SPDX-License-Identifier: BSD-3-Clause */
#include "host.h"

#include <stdio.h>
#include <string.h>

#include "units.h"

int
host_set_ip(void *settings, const struct option_def *def, const char *value, char *why)
{
	struct host *host = settings;
	char text[HOST_TEXT_LEN], *rest = text, *part;
	unsigned int port = host->ips_count;

	if (port == RILL_PORTS_MAX)
		return option_wrong(why, "is one too many; give at most %d", RILL_PORTS_MAX);
	if (strlen(value) >= sizeof(text))
		return option_wrong(why, "is too long; give at most %zu bytes", sizeof(text) - 1);
	snprintf(text, sizeof(text), "%s", value);
	host->ips_each[port] = 0;
	while ((part = strsep(&rest, ",")) != NULL) {
		unsigned int n = host->ips_each[port];

		if (n == HOST_IPS_MAX)
			return option_wrong(why, "are too many; give at most %d", HOST_IPS_MAX);
		if (strchr(part, '/') == NULL || rill_range_parse(part, &host->ips[port][n]) != 0)
			return option_wrong(why, "is not an address with the length of its network's "
				"prefix, a range of IPv4, or several; give one such as 192.0.2.10/24, "
				"192.0.2.10/24,2001:db8::10/64 or 10.1.0.1-10.1.255.254/16");
		host->ips_each[port]++;
	}
	host->ips_count++;
	return 0;
}

void
host_clear_ips(void *settings)
{
	((struct host *)settings)->ips_count = 0;
}

int
host_set_gateway(void *settings, const struct option_def *def, const char *value, char *why)
{
	struct host *host = settings;

	struct rill_addr addr;

	if (rill_addr_parse(value, &addr) != 0)
		return option_wrong(why, "is not an address; give one such as 192.0.2.1 or fe80::1");
	*(addr.family == AF_INET6 ? &host->gateway6 : &host->gateway) = addr;
	return 0;
}

int
host_set_route(void *settings, const struct option_def *def, const char *value, char *why)
{
	struct host *host = settings;
	struct rill_route *route = &host->routes[host->routes_count];
	char text[HOST_TEXT_LEN], *rest = text;
	const char *dst, *gateway, *metric;
	uint64_t number = 0;

	if (host->routes_count == RILL_ROUTES_MAX)
		return option_wrong(why, "is one too many; give at most %d", RILL_ROUTES_MAX);
	snprintf(text, sizeof(text), "%s", value);
	dst = strsep(&rest, ",");
	gateway = strsep(&rest, ",");
	metric = strsep(&rest, ",");
	if (strlen(value) >= sizeof(text) || rest != NULL || gateway == NULL ||
		strchr(dst, '/') == NULL || rill_prefix_parse(dst, &route->dst) != 0 ||
		rill_addr_parse(gateway, &route->gateway) != 0 ||
		(metric != NULL && units_parse_count(metric, &number) != 0) || number > UINT32_MAX)
		return option_wrong(why, "is no route; give a network, a gateway, and a metric if there "
			"are several, such as 198.51.100.0/24,192.0.2.1,10");
	route->metric = (uint32_t)number;
	host->routes_count++;
	return 0;
}

void
host_clear_routes(void *settings)
{
	((struct host *)settings)->routes_count = 0;
}

int
host_set_exception(void *settings, const struct option_def *def, const char *value, char *why)
{
	struct host *host = settings;

	if (strlen(value) >= sizeof(host->exception))
		return option_wrong(why, "is too long; give at most %zu bytes", sizeof(host->exception) - 1);
	snprintf(host->exception, sizeof(host->exception), "%s", value);
	return 0;
}

int
host_set_dev(void *settings, const struct option_def *def, const char *value, char *why)
{
	struct host *host = settings;
	size_t name_len = strcspn(value, ",");
	struct host_dev *dev;

	if (host->devs_count == RILL_PORTS_MAX)
		return option_wrong(why, "is one too many; give at most %d", RILL_PORTS_MAX);
	if (name_len == 0 || strlen(value) >= HOST_TEXT_LEN)
		return option_wrong(why, "is not a device; give a DPDK device's name or PCI address, "
			"such as net_tap0,iface=tap0 or 0000:03:10.0");
	dev = &host->devs[host->devs_count++];
	snprintf(dev->spec, sizeof(dev->spec), "%s", value);
	snprintf(dev->name, sizeof(dev->name), "%.*s", (int)name_len, value);
	return 0;
}

void
host_clear_devs(void *settings)
{
	((struct host *)settings)->devs_count = 0;
}

int
host_set_congestion_control(
	void *settings, const struct option_def *def, const char *value, char *why)
{
	struct host *host = settings;
	enum rill_cc algorithm = rill_cc_by_name(value);

	if (algorithm == RILL_CC_COUNT)
		return option_wrong(why, "is not a congestion control; give cubic, newreno, dctcp, "
			"bbr or none");
	host->congestion_control = algorithm;
	return 0;
}

int
host_set_tso(void *settings, const struct option_def *def, const char *value, char *why)
{
	struct host *host = settings;

	if (strcmp(value, "auto") != 0 && strcmp(value, "off") != 0)
		return option_wrong(why, "says neither; give auto or off");
	host->tso = value[0] == 'a' ? RILL_TSO_AUTO : RILL_TSO_OFF;
	return 0;
}

int
host_set_eal(void *settings, const struct option_def *def, const char *value, char *why)
{
	struct host *host = settings;

	if (strlen(value) >= sizeof(host->eal))
		return option_wrong(why, "is too long; give at most %zu bytes", sizeof(host->eal) - 1);
	snprintf(host->eal, sizeof(host->eal), "%s", value);
	return 0;
}

bool
host_prefix_covers(const struct rill_prefix *prefix, const struct rill_addr *addr)
{
	unsigned int most = prefix->addr.family == AF_INET6 ? 128 : 32;
	unsigned int bits = prefix->len < most ? prefix->len : most;

	if (prefix->addr.family != addr->family)
		return false;
	if (memcmp(prefix->addr.u.ip6, addr->u.ip6, bits / 8) != 0)
		return false;
	return bits % 8 == 0 ||
		(prefix->addr.u.ip6[bits / 8] ^ addr->u.ip6[bits / 8]) >> (8 - bits % 8) == 0;
}

bool
host_port_covers(const struct host *host, unsigned int port, const struct rill_addr *addr)
{
	for (unsigned int n = 0; n < host->ips_each[port]; n++)
		if (host_prefix_covers(&host->ips[port][n], addr))
			return true;
	return false;
}

static bool
port_has_ip6(const struct host *host, unsigned int port)
{
	for (unsigned int n = 0; n < host->ips_each[port]; n++)
		if (host->ips[port][n].addr.family == AF_INET6)
			return true;
	return false;
}

static bool
is_link_local(const struct rill_addr *addr)
{
	return addr->family == AF_INET6 && addr->u.ip6[0] == 0xfe && (addr->u.ip6[1] & 0xc0) == 0x80;
}

const struct rill_addr *
host_gateway(const struct host *host, uint8_t family)
{
	return family == AF_INET6 ? &host->gateway6 : &host->gateway;
}

int
host_gateway_port(const struct host *host, uint8_t family)
{
	return host_port_of(host, host_gateway(host, family));
}

int
host_port_of(const struct host *host, const struct rill_addr *gateway)
{
	for (unsigned int i = 0; gateway->family != 0 && i < host->ips_count; i++)
		if (host_port_covers(host, i, gateway) ||
			(is_link_local(gateway) && port_has_ip6(host, i)))
			return (int)i;
	return -1;
}

void
host_default_dev(struct host *host)
{
	char why[OPTION_WHY_LEN];

	if (host->devs_count == 0)
		host_set_dev(host, NULL, "net_tap0", why);
}

enum options_result
host_check(const struct host *host, const char *program)
{
	if (host->ips_count != host->devs_count) {
		fprintf(stderr, "%s: --ip: is given %u times for %u device%s; give one for each "
			"--dev, such as --ip 192.0.2.10/24\n", program, host->ips_count,
			host->devs_count, host->devs_count == 1 ? "" : "s");
		return OPTIONS_WRONG;
	}
	if (host->exception[0] != '\0' && host->devs_count != 1) {
		fprintf(stderr, "%s: --exception: is for one --dev, and %u are given; run one program "
			"for each\n", program, host->devs_count);
		return OPTIONS_WRONG;
	}
	for (unsigned int i = 0; i < host->routes_count; i++) {
		char text[RILL_ADDR_STRLEN];

		if (host_port_of(host, &host->routes[i].gateway) >= 0)
			continue;
		fprintf(stderr, "%s: --route: its gateway %s lies in the network of no --ip; give the "
			"address of a router in one of them\n", program,
			rill_addr_format(&host->routes[i].gateway, text));
		return OPTIONS_WRONG;
	}
	for (unsigned int i = 0; i < 2; i++) {
		uint8_t family = i == 0 ? AF_INET : AF_INET6;

		if (host_gateway(host, family)->family == 0 || host_gateway_port(host, family) >= 0)
			continue;
		fprintf(stderr, "%s: --gateway: lies in the network of no --ip; give the address of "
			"a router in one of them\n", program);
		return OPTIONS_WRONG;
	}
	return OPTIONS_RUN;
}
