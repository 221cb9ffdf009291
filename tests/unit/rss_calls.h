/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TESTS_RSS_CALLS_H
#define RILL_TESTS_RSS_CALLS_H

/* DPDK's calls about RSS, which the linker turns into those of a test (meson.build, rss_calls). */

#include <rte_ethdev.h>

/* used: only the linker knows that somebody calls them, and LTO is done before it says so. */
int __real_rte_eth_dev_info_get(uint16_t id, struct rte_eth_dev_info *info);
__rte_used int __wrap_rte_eth_dev_info_get(uint16_t id, struct rte_eth_dev_info *info);
int __real_rte_eth_dev_configure(
	uint16_t id, uint16_t rx, uint16_t tx, const struct rte_eth_conf *conf);
__rte_used int __wrap_rte_eth_dev_configure(
	uint16_t id, uint16_t rx, uint16_t tx, const struct rte_eth_conf *conf);
__rte_used int __wrap_rte_eth_dev_rss_hash_update(uint16_t id, struct rte_eth_rss_conf *conf);
__rte_used int __wrap_rte_eth_dev_rss_hash_conf_get(uint16_t id, struct rte_eth_rss_conf *conf);
__rte_used int __wrap_rte_eth_dev_rss_reta_update(
	uint16_t id, struct rte_eth_rss_reta_entry64 *groups, uint16_t size);
__rte_used int __wrap_rte_eth_dev_rss_reta_query(
	uint16_t id, struct rte_eth_rss_reta_entry64 *groups, uint16_t size);

#endif
