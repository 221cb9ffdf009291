/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_NET_ICMP4_H
#define RILL_NET_ICMP4_H

/*
 * ICMP for IPv4 [792, 1122 3.2.2]; for ip4_input. Both calls take a packet with a checked IP
 * header, which is contiguous, that ends where the datagram does, and take ownership of it.
 */

#include "net.h"

enum {
	ICMP_UNREACHABLE_PROTOCOL = 2,
	ICMP_UNREACHABLE_PORT = 3,
};

/*
 * An ICMP message to one of our addresses. Answers echo; returns IP_ICMP_ERROR with error filled in
 * if it quotes a TCP segment that claims to be ours. Redirects and source quench are ignored
 * [6633].
 */
enum ip_verdict icmp4_input(struct net *net, struct rte_mbuf *mbuf, uint16_t l2_len,
	uint16_t l3_len, ustime now, struct outbox *outbox, struct icmp_error *error);

/* Drops a packet and tells its sender "unreachable" with this code, within the limit. */
void icmp4_unreachable(struct net *net, struct rte_mbuf *mbuf, uint16_t l2_len, uint8_t code,
	ustime now, struct outbox *outbox);

/*
 * Drops the first fragment of a datagram that did not become whole in time, and tells its sender,
 * within the limit [1122 3.3.2].
 */
void icmp4_reassembly_exceeded(struct net *net, struct rte_mbuf *first, uint16_t l2_len, ustime now,
	struct outbox *outbox);

#endif
