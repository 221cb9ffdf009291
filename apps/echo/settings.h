/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ECHO_SETTINGS_H
#define ECHO_SETTINGS_H

/* What rill-echo was told: by the command line, by an INI file, or by default. */

#include <stdint.h>

#include <rill/stack.h>

#include "options.h"

struct proto;

/* Room for an argument of --dev or --eal. */
#define ECHO_TEXT_LEN 256

enum echo_log { ECHO_LOG_ERROR, ECHO_LOG_QUIET, ECHO_LOG_INFO, ECHO_LOG_DEBUG };

struct echo_dev {
	char spec[ECHO_TEXT_LEN]; /* as given: NAME[,args] */
	char name[ECHO_TEXT_LEN]; /* NAME */
};

struct echo_settings {
	const struct proto *proto;
	struct echo_dev devs[RILL_PORTS_MAX];
	unsigned int devs_count;
	struct rill_prefix ips[RILL_PORTS_MAX];
	unsigned int ips_count;
	struct rill_addr gateway; /* family 0: none */
	uint32_t port, lanes, mtu, msl_ms, max_conns, idle_sleep_us;
	uint32_t max_message, hold_bytes;
	uint32_t idle_timeout_ms, drain_ms, user_timeout_ms;
	uint32_t keepalive_idle_ms, keepalive_interval_ms, keepalive_count; /* idle 0: no probes */
	enum rill_cc congestion_control;
	enum echo_log log_level;
	char eal[ECHO_TEXT_LEN]; /* empty: Rill chooses */
};

extern const struct options echo_options;

void settings_default(struct echo_settings *settings);

/* Fills in what follows from other settings, and checks those that concern each other. Returns
 * OPTIONS_RUN, or OPTIONS_WRONG after a sentence on stderr. */
enum options_result settings_finish(struct echo_settings *settings);

/* The port of whose network the gateway is part; -1: there is no gateway. */
int settings_gateway_port(const struct echo_settings *settings);

#endif
