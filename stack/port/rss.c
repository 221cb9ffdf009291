/* SPDX-License-Identifier: BSD-3-Clause */
#include "rss.h"

#include <errno.h>
#include <stdalign.h>
#include <string.h>

#include <rte_common.h>
#include <rte_errno.h>

#include "errtext.h"

/*
 * Fragments have no ports: they are spread by their addresses. A NIC that does not spread TCP over IPv6
 * as wanted is taken all the same: what then arrives on the wrong queue are strays.
 */
#define RSS_WANTED                                                                                 \
	(RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_FRAG_IPV4 |                 \
		RTE_ETH_RSS_NONFRAG_IPV6_TCP | RTE_ETH_RSS_IPV6_TCP_EX | RTE_ETH_RSS_IPV6 |        \
		RTE_ETH_RSS_FRAG_IPV6)

/*
 * net_tap claims RSS, which it makes of a program and traffic classes in the kernel: with most kernels
 * nothing comes of it (seen with DPDK 22.11), and whether it has is not told.
 */
int
rss_check_claims(const char *name, const struct rte_eth_dev_info *info, unsigned int queues)
{
	if (strcmp(info->driver_name, "net_tap") == 0)
		return error_set(-ENOTSUP, "port \"%s\": net_tap offers no RSS that works", name);
	if (info->max_rx_queues < queues || info->max_tx_queues < queues)
		return error_set(-ENOTSUP,
			"port \"%s\": %s has %u RX and %u TX queues, too few for %u lanes", name,
			info->driver_name, info->max_rx_queues, info->max_tx_queues, queues);
	if (!(info->flow_type_rss_offloads & RTE_ETH_RSS_NONFRAG_IPV4_TCP))
		return error_set(-ENOTSUP, "port \"%s\": %s offers no RSS of TCP over IPv4", name,
			info->driver_name);
	if (info->hash_key_size < RSS_KEY_LEAST || info->hash_key_size > RSS_KEY_MOST)
		return error_set(-ENOTSUP,
			"port \"%s\": %s offers RSS with a key of %u bytes; those of %u .. %u can be used",
			name, info->driver_name, info->hash_key_size, RSS_KEY_LEAST, RSS_KEY_MOST);
	return 0;
}

/*
 * net_af_packet: the kernel's fan-out over its sockets. net_memif: the peer sends on what it calls queue i
 * to ours. net_vhost, net_virtio_user, net_virtio: the guest's or host's choice. Seen with DPDK 22.11, but
 * for net_virtio.
 */
bool
rss_is_spread_anyway(const struct rte_eth_dev_info *info, unsigned int queues)
{
	static const char *const drivers[] = {
		"net_af_packet", "net_memif", "net_vhost", "net_virtio_user", "net_virtio"};

	for (size_t i = 0; i < RTE_DIM(drivers); i++)
		if (strcmp(info->driver_name, drivers[i]) == 0)
			return info->max_rx_queues >= queues && info->max_tx_queues >= queues;
	return false;
}

void
rss_ask(struct rte_eth_conf *conf, const struct rte_eth_dev_info *info, struct steer *steer)
{
	conf->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
	conf->rx_adv_conf.rss_conf = (struct rte_eth_rss_conf){
		.rss_key = steer->key,
		.rss_key_len = info->hash_key_size,
		.rss_hf = info->flow_type_rss_offloads & RSS_WANTED,
	};
}

/* ---- the key */

/* What the device hashes by; false: it does not tell, or does not hash TCP over IPv4. */
static bool
read_key(uint16_t ethdev_id, uint8_t len, uint8_t key[RSS_KEY_MOST])
{
	struct rte_eth_rss_conf conf = {.rss_key = key, .rss_key_len = len};

	memset(key, 0, RSS_KEY_MOST);
	return rte_eth_dev_rss_hash_conf_get(ethdev_id, &conf) == 0 && conf.rss_key == key &&
	       conf.rss_key_len >= RSS_KEY_LEAST && (conf.rss_hf & RTE_ETH_RSS_NONFRAG_IPV4_TCP);
}

/* Drivers exist that take a key in one of these two ways only, and say nothing in the other. */
static int
agree_on_key(const char *name, uint16_t ethdev_id, const struct rte_eth_dev_info *info,
	unsigned int queues, struct steer *steer, bool *device_key)
{
	struct rte_eth_conf asked = {.rxmode.mq_mode = RTE_ETH_MQ_RX_NONE};
	alignas(uint32_t) uint8_t key[RSS_KEY_MOST]; /* DPDK reads it by words */
	int err;

	rss_ask(&asked, info, steer);
	err = rte_eth_dev_rss_hash_update(ethdev_id, &asked.rx_adv_conf.rss_conf);
	if (!read_key(ethdev_id, info->hash_key_size, key))
		return error_set(-ENOTSUP,
			"port \"%s\": %s does not tell the key of its RSS, or does not hash TCP over IPv4 (it was "
			"given a key: %s)",
			name, info->driver_name, err == 0 ? "taken" : rte_strerror(-err));
	*device_key = memcmp(key, steer->key, info->hash_key_size) != 0;
	if (!*device_key)
		return 0;
	if (!steer_key_reaches_all(key))
		return error_set(-ENOTSUP,
			"port \"%s\": %s does not take a key for its RSS, and its own leaves queues without "
			"source ports",
			name, info->driver_name);
	steer_init_key(steer, key, queues);
	return 0;
}

/* ---- the indirection table */

#define RETA_GROUPS (RSS_RETA_MOST / RTE_ETH_RETA_GROUP_SIZE)

/* Asks for all entries, or tells them to be the steer's. */
static void
reta_fill(struct rte_eth_rss_reta_entry64 *groups, unsigned int size, const struct steer *steer)
{
	memset(groups, 0, RETA_GROUPS * sizeof(*groups));
	for (unsigned int i = 0; i < size; i++) {
		struct rte_eth_rss_reta_entry64 *group = &groups[i / RTE_ETH_RETA_GROUP_SIZE];

		group->mask |= UINT64_C(1) << i % RTE_ETH_RETA_GROUP_SIZE;
		if (steer != NULL)
			group->reta[i % RTE_ETH_RETA_GROUP_SIZE] =
				(uint16_t)steer_lane_of_hash(steer, i);
	}
}

static bool
reta_is_of(
	const struct rte_eth_rss_reta_entry64 *groups, unsigned int size, const struct steer *steer)
{
	for (unsigned int i = 0; i < size; i++)
		if (groups[i / RTE_ETH_RETA_GROUP_SIZE].reta[i % RTE_ETH_RETA_GROUP_SIZE] !=
			steer_lane_of_hash(steer, i))
			return false;
	return true;
}

static bool
give_reta(uint16_t ethdev_id, struct rte_eth_rss_reta_entry64 *groups, uint16_t size,
	const struct steer *steer)
{
	reta_fill(groups, size, steer);
	return rte_eth_dev_rss_reta_update(ethdev_id, groups, size) == 0;
}

static bool
has_reta(uint16_t ethdev_id, struct rte_eth_rss_reta_entry64 *groups, uint16_t size,
	const struct steer *steer)
{
	reta_fill(groups, size, NULL);
	return rte_eth_dev_rss_reta_query(ethdev_id, groups, size) == 0 &&
	       reta_is_of(groups, size, steer);
}

static int
agree_on_reta(const char *name, uint16_t ethdev_id, const struct rte_eth_dev_info *info,
	unsigned int queues, struct steer *steer)
{
	struct rte_eth_rss_reta_entry64 groups[RETA_GROUPS];
	uint16_t size = info->reta_size;

	/* Its index is the hash's low bits. */
	if (size < queues || size > RSS_RETA_MOST || (size & (size - 1)) != 0)
		return error_set(-ENOTSUP,
			"port \"%s\": %s offers RSS with a table of %u entries, which cannot be used",
			name, info->driver_name, size);
	steer_fit_reta(steer, size, queues);
	if (!give_reta(ethdev_id, groups, size, steer))
		return error_set(-ENOTSUP, "port \"%s\": %s does not take a table for its RSS",
			name, info->driver_name);
	if (!has_reta(ethdev_id, groups, size, steer))
		return error_set(-ENOTSUP,
			"port \"%s\": %s does not tell the table of its RSS, or tells another than it was given",
			name, info->driver_name);
	return 0;
}

/* The table's length may depend on how the device was configured. */
int
rss_agree(const char *name, uint16_t ethdev_id, unsigned int queues, struct steer *steer,
	bool *device_key)
{
	struct rte_eth_dev_info info;
	int err = rte_eth_dev_info_get(ethdev_id, &info);

	if (err != 0)
		return error_set(-ENOTSUP,
			"port \"%s\": the device does not say what it can do (%s)", name,
			rte_strerror(-err));
	err = rss_check_claims(name, &info, queues);
	if (err == 0)
		err = agree_on_key(name, ethdev_id, &info, queues, steer, device_key);
	return err == 0 ? agree_on_reta(name, ethdev_id, &info, queues, steer) : err;
}

bool
rss_restore(uint16_t ethdev_id, unsigned int queues, struct steer *steer)
{
	struct rte_eth_rss_reta_entry64 groups[RETA_GROUPS];
	struct rte_eth_conf asked = {.rxmode.mq_mode = RTE_ETH_MQ_RX_NONE};
	alignas(uint32_t) uint8_t key[RSS_KEY_MOST];
	struct rte_eth_dev_info info;

	if (rte_eth_dev_info_get(ethdev_id, &info) != 0 || info.reta_size < queues ||
		info.reta_size > RSS_RETA_MOST || info.hash_key_size > RSS_KEY_MOST)
		return false;
	rss_ask(&asked, &info, steer);
	rte_eth_dev_rss_hash_update(ethdev_id, &asked.rx_adv_conf.rss_conf);
	return read_key(ethdev_id, info.hash_key_size, key) &&
		memcmp(key, steer->key, info.hash_key_size) == 0 &&
		give_reta(ethdev_id, groups, info.reta_size, steer) &&
		has_reta(ethdev_id, groups, info.reta_size, steer);
}
