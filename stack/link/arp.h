/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_LINK_ARP_H
#define RILL_LINK_ARP_H

/* ARP for IPv4 over Ethernet [826], with the announcements of [5227 2.3]. */

#include <stdbool.h>
#include <stdint.h>

#include <rill/types.h>

#include "neighbor.h"

enum arp_whose {
	ARP_THEIRS,
	ARP_PROBED, /* to be ours, if nobody has it */
	ARP_OURS,
};

/* Where an ARP packet says that a host is, or that it has an address of ours: for other lanes too. */
struct arp_claim {
	struct rill_addr addr; /* family 0: it says nothing that may be believed */
	struct rte_ether_addr mac;
	bool asks_us;  /* it will be talked to: worth an entry */
	bool is_on_us; /* addr is ours or probed, and mac another's: a conflict [5227 2.1.1, 2.4] */
	bool shared;   /* set by whoever asks: other lanes of the port will hear of it */
};

/*
 * An ARP packet at l2_len. whose(arg, addr) says what an IPv4 address is to this interface. Requests
 * for ours are answered by unicast; the cache learns the sender if it asks for us, and is updated if
 * it knows the sender [826]. A probe (sender address 0) is answered and not learned [5227 2.1.1]. A
 * sender that calls itself by an address of ours is not learned. Frees the mbuf; *claim is what it said.
 */
void arp_input(struct neighbors *neighbors, const struct netif *netif, struct rte_mbuf *mbuf,
	uint16_t l2_len, enum arp_whose (*whose)(const void *arg, const struct rill_addr *addr),
	const void *arg, struct arp_claim *claim, ustime now, struct outbox *outbox);

/* A request for target, from source; broadcast if mac is NULL, else to that MAC. Counts. */
void arp_request(const struct netif *netif, const struct rill_addr *source,
	const struct rill_addr *target, const struct rte_ether_addr *mac, struct outbox *outbox);

/* An announcement of addr [5227 2.3]; the caller sends ARP_ANNOUNCE_NUM, ARP_ANNOUNCE_US apart. */
#define ARP_ANNOUNCE_NUM 2
#define ARP_ANNOUNCE_US (2 * USEC_PER_SEC)
void arp_announce(const struct netif *netif, const struct rill_addr *addr, struct outbox *outbox);

#endif
