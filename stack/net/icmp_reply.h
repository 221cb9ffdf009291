/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_NET_ICMP_REPLY_H
#define RILL_NET_ICMP_REPLY_H

/* A received packet that is to go back as its own answer; for ICMP of both families. */

#include <rte_mbuf.h>

#include "netif.h"

/*
 * Makes the packet one whose first `headers` bytes lie together and may be overwritten, and that the
 * port can send, unless it will be split; it may become a copy. Returns false, and the packet is as it was, for want of a buffer.
 */
bool icmp_make_reusable(const struct netif *netif, struct rte_mbuf **mbuf, uint32_t headers,
	bool split);

#endif
