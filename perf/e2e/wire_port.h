/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_PERF_WIRE_PORT_H
#define RILL_PERF_WIRE_PORT_H

/* What wire_port's two roles share: the command line, and the port. */

#include <stdbool.h>
#include <stdint.h>

#include "player.h"
#include "port.h"

struct wire_settings {
	char dev[256];
	bool is_player; /* else it is the limit */
	struct rte_ether_addr server_mac;
	enum player_work work;
	uint32_t size, connections, inflight, unacked, check_every, buffers;
	uint32_t warmup_ms, time_ms;
	uint32_t messages; /* 0: as many as the time allows */
	bool no_timestamps;
};

/* Exits after a sentence when something is wrong. */
void wire_settings_parse(struct wire_settings *settings, int argc, char *argv[]);

/* Set by SIGINT and SIGTERM; by SIGUSR1. */
extern volatile bool wire_stop, wire_tell;

/* Both return the exit status. */
int wire_serve(const struct wire_settings *settings, struct port *port);
int wire_play(const struct wire_settings *settings, struct port *port, struct rte_mempool *pool);

#endif
