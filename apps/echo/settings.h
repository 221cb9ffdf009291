/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ECHO_SETTINGS_H
#define ECHO_SETTINGS_H

/* What rill-echo was told: by the command line, by an INI file, or by default. */

#include <stdint.h>

#include "host.h"

struct proto;

enum echo_log { ECHO_LOG_ERROR, ECHO_LOG_QUIET, ECHO_LOG_INFO, ECHO_LOG_DEBUG };

struct echo_settings {
	struct host host;
	const struct proto *proto;
	uint32_t port, max_conns;
	uint32_t max_message, hold_bytes;
	uint32_t idle_timeout_ms, drain_ms, user_timeout_ms;
	uint32_t keepalive_idle_ms, keepalive_interval_ms, keepalive_count; /* idle 0: no probes */
	enum echo_log log_level;
};

extern const struct options echo_options;

/* Of a struct echo_settings, for the table. */
void settings_default(void *settings);
enum options_result settings_finish(void *settings);

#endif
