/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_API_CONFIG_H
#define RILL_API_CONFIG_H

/*
 * What may stand in a configuration. Each refusal is a sentence (rill_error) that names the option, its
 * value, and what would be right.
 */

#include <rill/stack.h>

#define CONFIG_NAME_MAX 15           /* characters of a lane's name: mempools add to it */
#define CONFIG_MTU_LEAST 68          /* every IPv4 module must forward as much [791 3.2] */
#define CONFIG_MTU_MOST 65000        /* with headers and headroom it fits an mbuf */
#define CONFIG_VLAN_MOST 4094
#define CONFIG_VLAN_PRIORITY_MOST 7
#define CONFIG_BUFFERS_DEFAULT 16384
#define CONFIG_BUFFERS_LEAST 512
#define CONFIG_CONNS_DEFAULT 16384
#define CONFIG_INDEX_MOST ((1u << 30) - 1) /* the table's handles have 30 bits for the index */
#define CONFIG_SYN_DEFAULT 4096
#define CONFIG_MSL_DEFAULT_MS 30000
#define CONFIG_MSL_MOST_MS 3600000
#define CONFIG_IDLE_SLEEP_MOST_US 1000000

/* 0, or -EINVAL or -ENOTSUP with a sentence. */
int config_check(const struct rill_config *config);
int config_check_lane(const struct rill_lane_config *config);

/* Puts the default in place of each 0. */
void config_fill_limits(struct rill_limits *limits);

#endif
