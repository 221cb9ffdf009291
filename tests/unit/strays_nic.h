/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TESTS_STRAYS_NIC_H
#define RILL_TESTS_STRAYS_NIC_H

/*
 * A NIC with RSS, in front of DPDK's ring device, for test_strays.c: it takes a key and a table, or not, and
 * chooses the queues of what arrives by them, or not.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <rte_mbuf.h>
#include <rte_thash.h>
#include <stdalign.h>
#include <string.h>

#include "rss.h"
#include "rss_calls.h"
#include "whose.h"

#define LANES 3

enum choice {
	CHOICE_STEER,      /* as agreed */
	CHOICE_FIRST,      /* all on one queue */
	CHOICE_NEXT,       /* on the queue beside */
	CHOICE_NEXT_LATER, /* the same, of connections that it has not seen before it began to */
};

static struct {
	bool claims; /* it says that it has RSS */
	const char *driver; /* NULL: the ring's own */
	bool hides_key;
	bool forgets; /* what it is told */
	uint16_t id;
	alignas(uint32_t) uint8_t key[RSS_KEY_MOST];
	uint16_t reta[128];
	enum choice choice;
	bool seen[UINT16_MAX + 1]; /* ports of the client's, as they stand on the wire */
} nic;

int
__wrap_rte_eth_dev_info_get(uint16_t id, struct rte_eth_dev_info *info)
{
	int err = __real_rte_eth_dev_info_get(id, info);

	if (id == nic.id && nic.driver != NULL)
		info->driver_name = nic.driver;
	if (id != nic.id || !nic.claims)
		return err;
	info->flow_type_rss_offloads =
		RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV6_TCP;
	info->hash_key_size = 40;
	info->reta_size = 128;
	return err;
}

/* The ring device itself knows no RSS. */
int
__wrap_rte_eth_dev_configure(uint16_t id, uint16_t rx, uint16_t tx, const struct rte_eth_conf *conf)
{
	struct rte_eth_conf plain = *conf;

	plain.rxmode.mq_mode = RTE_ETH_MQ_RX_NONE;
	plain.rx_adv_conf.rss_conf.rss_hf = 0;
	return __real_rte_eth_dev_configure(id, rx, tx, &plain);
}

int
__wrap_rte_eth_dev_rss_hash_update(uint16_t id, struct rte_eth_rss_conf *conf)
{
	if (!nic.forgets)
		memcpy(nic.key, conf->rss_key, conf->rss_key_len);
	return 0;
}

int
__wrap_rte_eth_dev_rss_hash_conf_get(uint16_t id, struct rte_eth_rss_conf *conf)
{
	if (nic.hides_key)
		return -ENOTSUP;
	memcpy(conf->rss_key, nic.key, conf->rss_key_len);
	conf->rss_hf = RTE_ETH_RSS_NONFRAG_IPV4_TCP;
	return 0;
}

int
__wrap_rte_eth_dev_rss_reta_update(
	uint16_t id, struct rte_eth_rss_reta_entry64 *groups, uint16_t size)
{
	for (unsigned int i = 0; i < size && !nic.forgets; i++)
		nic.reta[i] = groups[i / 64].reta[i % 64];
	return 0;
}

int
__wrap_rte_eth_dev_rss_reta_query(
	uint16_t id, struct rte_eth_rss_reta_entry64 *groups, uint16_t size)
{
	for (unsigned int i = 0; i < size; i++)
		groups[i / 64].reta[i % 64] = nic.reta[i];
	return 0;
}

/* Of what the frame says, in its order: its source is the remote end. */
static uint32_t
nic_hash(const struct tuple *tuple)
{
	const struct tuple_head *head = &tuple->head;
	unsigned int n = head->family == AF_INET ? 1 : 4; /* words of an address */
	rte_be32_t words[9];
	uint32_t input[9];

	if (head->family == AF_INET) {
		words[0] = head->raddr4;
		words[1] = head->laddr4;
	} else {
		memcpy(words, tuple->addrs6.raddr, 16);
		memcpy(words + 4, tuple->addrs6.laddr, 16);
	}
	memcpy(words + 2 * n, &head->rport, 2);
	memcpy((char *)(words + 2 * n) + 2, &head->lport, 2);
	for (unsigned int i = 0; i < 2 * n + 1; i++)
		input[i] = rte_be_to_cpu_32(words[i]);
	return rte_softrss(input, 2 * n + 1, nic.key);
}

/* Where it puts a frame; what is no segment comes on the first queue. */
static unsigned int
nic_queue(const struct rte_mbuf *frame)
{
	struct whose whose;
	unsigned int queue;
	bool seen;

	if (!whose_read(frame, &whose))
		return 0;
	queue = nic.reta[nic_hash(&whose.tuple) % 128];
	seen = nic.seen[whose.tuple.head.rport];
	if (nic.choice != CHOICE_NEXT_LATER)
		nic.seen[whose.tuple.head.rport] = true;
	switch (nic.choice) {
	case CHOICE_STEER:
		return queue;
	case CHOICE_FIRST:
		return 0;
	case CHOICE_NEXT:
		break;
	case CHOICE_NEXT_LATER:
		if (seen)
			return queue;
	}
	return (queue + 1) % LANES;
}

#endif
