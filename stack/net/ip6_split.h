/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_NET_IP6_SPLIT_H
#define RILL_NET_IP6_SPLIT_H

/*
 * As ip4_split.h, for IPv6: echo replies that are longer than the link's MTU, sent in fragments [8200 4.5].
 *
 * Their identification is the number of the datagram in a secret order of all 2^32: nobody can guess
 * it, or count by it what we send to others, and none comes twice [7739 5.3].
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_ip.h>

#include "netif.h"
#include "outbox.h"
#include "siphash.h"

#define IP6_SPLIT_MAX 64 /* fragments of a datagram */
#define IP6_FRAGMENT_LEN 8

struct ip6_ids {
	struct siphash_key key;
	uint32_t count;
};

uint32_t ip6_ids_next(struct ip6_ids *ids);

/* Can so many bytes behind an IPv6 header be sent in IP6_SPLIT_MAX fragments? */
static inline bool
ip6_split_is_possible(const struct netif *netif, uint32_t payload_len)
{
	uint32_t room = RTE_ALIGN_FLOOR(
		netif->mtu6 - sizeof(struct rte_ipv6_hdr) - IP6_FRAGMENT_LEN, 8u);

	return payload_len <= IP6_SPLIT_MAX * room;
}

/*
 * Puts the fragments of an IPv6 datagram without extension headers into the outbox; each gets the
 * l2_len bytes in front of it. Takes the frame. Returns RILL_DROP_COUNT, or why nothing was sent, and
 * the frame was dropped.
 */
enum rill_drop ip6_split_send(const struct netif *netif, struct rte_mbuf *frame, uint16_t l2_len,
	uint32_t id, struct outbox *outbox);

#endif
