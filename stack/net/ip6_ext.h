/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_NET_IP6_EXT_H
#define RILL_NET_IP6_EXT_H

/*
 * The extension headers of an IPv6 packet [8200 4]: gone through in their order, within bounds, until
 * the header of what the packet carries, or until something speaks against it.
 *
 * Hop-by-Hop and Destination options   none is of use to a host that speaks TCP: each does what the
 *                                      two highest bits of its type demand
 * Routing                              passed over when no segment is left, else refused [5095]
 * Fragment                             passed over when it is all there is of the packet [6946]
 *
 * Whatever else is no extension header here, and ends the chain.
 */

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include <rill/stats.h>

/* No honest packet is near these [8504 5.3]. */
#define IP6_EXT_HEADERS_MAX 8
#define IP6_EXT_BYTES_MAX 256

/* Beside the drop reasons: a fragment, of which nothing is wrong yet. */
#define IP6_EXT_PIECE ((enum rill_drop)(RILL_DROP_COUNT + 1))

struct ip6_chain {
	uint8_t protocol;    /* what the packet carries */
	uint16_t len;        /* bytes of extension headers */
	uint16_t next_at;    /* where protocol stands, from the start of the IPv6 header */
	bool router_alert;   /* there is such an option, of any value */
	bool has_fragment;   /* there is a Fragment header, */
	uint16_t fragment_at; /* here, from the start of the IPv6 header */
	/* What the sender is to be told of: nothing, or a "parameter problem" with this code and pointer */
	bool tell;
	bool tell_groups; /* even if the packet was sent to a group */
	uint8_t code;
	uint16_t pointer;
};

/* Codes of "parameter problem" [4443 3.4]. */
enum {
	IP6_PROBLEM_FIELD = 0,
	IP6_PROBLEM_NEXT_HEADER = 1,
	IP6_PROBLEM_OPTION = 2,
	IP6_PROBLEM_FIRST_FRAGMENT = 3, /* [7112 5] */
};

/* Is this an extension header? */
static inline bool
ip6_ext_is(uint8_t next)
{
	return next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_FRAGMENT ||
	       next == IPPROTO_DSTOPTS;
}

/*
 * bytes: what follows the IPv6 header, as much as there is, up to IP6_EXT_BYTES_MAX; payload_len: how
 * much there is in all; next: the IPv6 header's next header. Returns RILL_DROP_COUNT if the chain is
 * sound; IP6_EXT_PIECE if the packet is one of several (has_fragment; the rest is for whoever puts them
 * together); ip6_extension, ip6_option or ip6_routing, with what is to be told; ip6_extensions_max.
 */
enum rill_drop ip6_ext_walk(
	const uint8_t *bytes, uint32_t payload_len, uint8_t next, struct ip6_chain *chain);

/*
 * The same chain, gone through without judging it, to see what it leads to: the protocol, and its
 * offset in bytes, of which there are len; -1 if that cannot be seen, or if it is not the first
 * fragment.
 */
int ip6_ext_skip(const uint8_t *bytes, uint32_t len, uint8_t next, uint32_t *at);

#endif
