/* SPDX-License-Identifier: BSD-3-Clause */
/* From a host to a stack. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"

/* Words in --eal. */
#define EAL_WORDS_MAX 32

static void
fill_port(struct rill_port_config *port, const struct host *host, unsigned int i)
{
	port->name = host->devs[i].spec;
	port->addrs[0] = host->ips[i];
	port->addrs_count = 1;
	port->mtu = (uint16_t)host->mtu;
	if (host_gateway_port(host) == (int)i)
		port->gateway = host->gateway;
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

/* Cuts --eal at its blanks; text is changed. */
static unsigned int
split_eal(char *text, const char *words[])
{
	unsigned int n = 0;
	char *word;

	while (n < EAL_WORDS_MAX && (word = strsep(&text, " \t")) != NULL)
		if (*word != '\0')
			words[n++] = word;
	return n;
}

int
host_create_stack(const struct host *host, const char *program, struct rill_config *config,
	struct rill_stack **stack)
{
	const char *eal_words[EAL_WORDS_MAX];
	char eal[HOST_TEXT_LEN];
	int rc;

	if (host->eal[0] != '\0') {
		memcpy(eal, host->eal, sizeof(eal));
		config->eal_args_count = split_eal(eal, eal_words);
		config->eal_args = eal_words;
	}
	rc = rill_stack_create(config, stack);
	return rc == 0 ? 0 : host_failed(program, "the stack does not start", rc);
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
