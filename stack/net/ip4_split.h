/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_NET_IP4_SPLIT_H
#define RILL_NET_IP4_SPLIT_H

/*
 * Datagrams that are longer than the MTU, sent in fragments: answers to such echo requests, and
 * nothing else; TCP's segments are never longer [8900 6.1].
 *
 * Fragments need an ID that no other datagram to the same host bears for two minutes [6864 4.3], and
 * that nobody can guess, or use to count what we send to others. An ID is 2 bits of the number of the
 * present 16384 and 14 bits of a secret order of these: so it comes again after three times as many
 * at the earliest. Whoever sends takes care that this does not happen within two minutes.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_ip.h>

#include "netif.h"
#include "outbox.h"
#include "siphash.h"

#define IP4_IDS_DISTINCT (3 * 16384u) /* so many in a row are all different */
#define IP4_ID_LIFETIME_US (120ull * USEC_PER_SEC) /* the longest that a datagram lives [6864 3] */
#define IP4_SPLIT_MAX 64 /* fragments of a datagram */

struct ip4_ids {
	struct siphash_key key;
	uint32_t count;
};

uint16_t ip4_ids_next(struct ip4_ids *ids);

/* Can a datagram of this length be sent in IP4_SPLIT_MAX fragments? */
static inline bool
ip4_split_is_possible(const struct netif *netif, uint32_t total_len)
{
	uint32_t room = RTE_ALIGN_FLOOR(netif->mtu - sizeof(struct rte_ipv4_hdr), 8u);

	return total_len - sizeof(struct rte_ipv4_hdr) <= IP4_SPLIT_MAX * room;
}

/*
 * Puts the fragments of an IPv4 datagram with a 20-byte header, all of whose fields but checksum and
 * fragment_offset are as they shall be, into the outbox; each gets the l2_len bytes in front of it.
 * Takes the frame. Returns RILL_DROP_COUNT, or why nothing was sent, and the frame was dropped.
 */
enum rill_drop ip4_split_send(const struct netif *netif, struct rte_mbuf *frame, uint16_t l2_len,
	struct outbox *outbox);

#endif
