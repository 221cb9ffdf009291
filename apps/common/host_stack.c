/* SPDX-License-Identifier: BSD-3-Clause */
/* From a host to a stack. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_byteorder.h>

#include "host.h"

static void
fill_port(struct rill_port_config *port, const struct host *host, unsigned int i)
{
	port->name = host->devs[i].spec;
	memcpy(port->addrs, host->ips[i], host->ips_each[i] * sizeof(port->addrs[0]));
	port->addrs_count = host->ips_each[i];
	port->vlan = (uint16_t)host->vlan;
	port->tso = host->tso;
	port->mtu = (uint16_t)host->mtu;
	port->ip6_autoconf = host->ip6_autoconf;
	port->ip6_unprobed = host->ip6_unprobed;
	for (unsigned int r = 0; r < host->routes_count; r++)
		if (host_port_of(host, &host->routes[r].gateway) == (int)i)
			port->routes[port->routes_count++] = host->routes[r];
	port->ip4_probe = host->ip4_probe;
	port->ip4_yield = host->ip4_yield;
	port->exception = host->exception[0] != '\0' ? host->exception : NULL;
	if (host_gateway_port(host, AF_INET) == (int)i)
		port->gateway = host->gateway;
	if (host_gateway_port(host, AF_INET6) == (int)i)
		port->gateway6 = host->gateway6;
}

void
host_configure(const struct host *host, struct rill_config *config)
{
	rill_config_default(config);
	for (unsigned int i = 0; i < host->devs_count; i++)
		fill_port(&config->ports[i], host, i);
	config->ports_count = host->devs_count;
	config->lanes = host->lanes;
	config->limits.msl_ms = host->msl_ms;
	config->idle_sleep_us = host->idle_sleep_us;
	config->options.congestion_control = (int32_t)host->congestion_control;
}

void
host_configure_eal(const struct host *host, struct rill_config *config, char text[HOST_TEXT_LEN],
	const char *words[HOST_EAL_WORDS_MAX])
{
	unsigned int n = 0;
	char *rest = text, *word;

	if (host->eal[0] == '\0')
		return;
	memcpy(text, host->eal, HOST_TEXT_LEN);
	while (n < HOST_EAL_WORDS_MAX && (word = strsep(&rest, " \t")) != NULL)
		if (*word != '\0')
			words[n++] = word;
	config->eal_args = words;
	config->eal_args_count = n;
}

int
host_create_stack(const struct host *host, const char *program, struct rill_config *config,
	struct rill_stack **stack)
{
	const char *eal_words[HOST_EAL_WORDS_MAX];
	char eal[HOST_TEXT_LEN];
	int rc;

	host_configure_eal(host, config, eal, eal_words);
	rc = rill_stack_create(config, stack);
	return rc == 0 ? 0 : host_failed(program, "the stack does not start", rc);
}

const char *
host_format_ip(const struct rill_prefix *ip, char text[HOST_IP_LEN])
{
	char first[RILL_ADDR_STRLEN], last_text[RILL_ADDR_STRLEN];
	struct rill_addr last = ip->addr;
	rte_be32_t wire;

	rill_addr_format(&ip->addr, first);
	if (ip->more == 0) {
		snprintf(text, HOST_IP_LEN, "%s/%u", first, ip->len);
		return text;
	}
	memcpy(&wire, last.u.ip4, sizeof(wire));
	wire = rte_cpu_to_be_32(rte_be_to_cpu_32(wire) + ip->more);
	memcpy(last.u.ip4, &wire, sizeof(wire));
	snprintf(text, HOST_IP_LEN, "%s-%s/%u", first, rill_addr_format(&last, last_text), ip->len);
	return text;
}

void
host_say_spread(const struct host *host, const char *program, const struct rill_stack *stack, FILE *to)
{
	for (unsigned int i = 0; i < host->devs_count; i++)
		if (*rill_stack_spread(stack, i) != '\0')
			fprintf(to, "%s: %s: %s\n", program, host->devs[i].name,
				rill_stack_spread(stack, i));
}

int
host_failed(const char *program, const char *what, int rc)
{
	const char *why = rill_error();

	fprintf(stderr, "%s: %s: %s\n", program, what, *why != '\0' ? why : strerror(-rc));
	return rc;
}

int
host_exit_status(int rc)
{
	/* A value that Rill refuses is a wrong one: not of its kind, not supported, or it names
	 * nothing. */
	if (rc == -EINVAL || rc == -ENOTSUP || rc == -ENODEV)
		return OPTIONS_EXIT_WRONG;
	return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
