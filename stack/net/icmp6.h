/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_NET_ICMP6_H
#define RILL_NET_ICMP6_H

/* ICMP for IPv6 [4443]; for ip6_input. The calls take ownership of the packet. */

#include "ip6_packet.h"

enum {
	ICMP6_UNREACHABLE = 1,
	ICMP6_TOO_BIG = 2,
	ICMP6_TIME_EXCEEDED = 3,
	ICMP6_PARAMETER_PROBLEM = 4,
	ICMP6_ECHO = 128, /* the first that is no error */
	ICMP6_ECHO_REPLY = 129,
};

#define ICMP6_UNREACHABLE_PORT 4
#define ICMP6_HEADER_LEN 8
#define ICMP6_CHECKSUM_GOOD 0xffff /* what a message sums to with its checksum in place */

/*
 * An ICMPv6 message to one of our addresses or groups. Answers echo, from the address that was
 * asked or, if that is a group, from one of ours; hands neighbour discovery on (nd.h). Returns
 * IP_ICMP_ERROR with error filled in if it quotes a TCP segment that claims to be ours; a "packet
 * too big" of less than 1280 bytes is none [8201 4].
 */
enum ip_verdict icmp6_input(struct net *net, struct ip6_packet *packet, ustime now,
	struct outbox *outbox, struct icmp_error *error);

/* What an error says of a packet. */
struct icmp6_complaint {
	uint8_t type, code;
	uint32_t word;  /* behind the checksum: the pointer of a "parameter problem" */
	bool to_groups; /* said even if the packet was sent to a group [4443 2.4 (e.3)] */
};

/*
 * Drops a packet under this reason and tells its sender, within the limit. Says nothing where
 * [4443 2.4 (e)] forbids it: about errors, redirects, groups, and senders that are not one host.
 */
void icmp6_complain(struct net *net, struct ip6_packet *packet,
	const struct icmp6_complaint *complaint, enum rill_drop reason, ustime now,
	struct outbox *outbox);

#endif
