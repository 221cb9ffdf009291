/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_PORT_RSS_H
#define RILL_PORT_RSS_H

/*
 * Agreement with a NIC that spreads what arrives over several queues by RSS: queue number i is to
 * get what belongs to lane i of the steer. The NIC is given the steer's key and table, and both are
 * read back; one that keeps a key of its own tells it to the steer instead.
 *
 * It is an agreement on what should happen. That frames do arrive where they should is another
 * thing, which only frames show: drivers exist that accept key and table and spread nothing.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_ethdev.h>

#include "steer.h"

/* Key sizes in bytes: IPv6's tuple needs the least, and the steer has no more. */
#define RSS_KEY_LEAST 40
#define RSS_KEY_MOST STEER_KEY_LEN
#define RSS_RETA_MOST 2048 /* entries of the longest indirection table that is filled */

/* Does the device say that it has what RSS over so many queues takes? Returns 0, or -ENOTSUP with
 * an error sentence about the port of this name. */
int rss_check_claims(const char *name, const struct rte_eth_dev_info *info, unsigned int queues);

/*
 * Do as many queues of this device fill without RSS, each connection's segments on one of them, but on
 * any? So it is where the kernel, a guest or a peer chooses the queue.
 */
bool rss_is_spread_anyway(const struct rte_eth_dev_info *info, unsigned int queues);

/* Has rte_eth_dev_configure ask for it. The key is the steer's, which outlives that call. */
void rss_ask(struct rte_eth_conf *conf, const struct rte_eth_dev_info *info, struct steer *steer);

/*
 * Of a started device that was asked: makes key and table the same on both sides. The steer keeps
 * its key if the device takes it (*device_key is false then), else it takes the device's, which
 * others may know and so aim at one lane; its table becomes one of the device's length. Before any
 * lane runs. Returns 0, or -ENOTSUP with an error sentence; the steer is then of no use for this
 * port until it is made anew.
 */
int rss_agree(const char *name, uint16_t ethdev_id, unsigned int queues, struct steer *steer,
	bool *device_key);

/* Of a device that agreed and has been restarted: gives it key and table once more. The steer stays as it
 * is, as lanes use it. Returns false if the device does not agree any more. */
bool rss_restore(uint16_t ethdev_id, unsigned int queues, struct steer *steer);

#endif
