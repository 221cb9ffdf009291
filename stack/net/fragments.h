/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_NET_FRAGMENTS_H
#define RILL_NET_FRAGMENTS_H

/*
 * Datagrams that arrive in fragments, of either family, put together again [791 3.2, 8200 4.5].
 *
 * DPDK's rte_ip_frag joins the fragments of a datagram that is complete: it chains their buffers and
 * writes the header of the whole. Given fragments one by one, as it is meant to be, it would keep the
 * datagrams too, but under no rule that a stranger could not turn against us: it finds a datagram by
 * a hash that everybody can compute; refuses new ones while it is full of old ones; knows neither
 * sources nor overlaps (a datagram that was given up begins anew with its next fragment); takes a
 * datagram of more than 65535 bytes; keeps the NIC's buffers; and tells nobody what became too old.
 * So all of that is done here, in a table of our own, before it gets the fragments, all at once:
 *
 * - A fragment without data, beyond 65535 bytes, or not the last and no multiple of 8 bytes long is
 *   refused; so is one that splits the transport header [1858 4, 3128 4, 7112 5].
 * - One that is exactly where another is, is taken for its duplicate and ignored. Any other overlap,
 *   a second end, or more than FRAGMENTS_OF_DATAGRAM spoil the datagram: what came of it is freed,
 *   and what still comes, too, until its time is over [5722 4].
 * - A datagram one of whose fragments met congestion has met it; one that knows ECN in some fragments
 *   and not in others is dropped [3168 5.3].
 * - A datagram has FRAGMENTS_TIMEOUT_US from its first fragment that came [1122 3.3.2, 8200 4.5].
 * - Fragments are copied out of the NIC's buffers when they come.
 *
 * Bounds: FRAGMENTS_DATAGRAMS at a time, FRAGMENTS_OF_SOURCE from each source address, and so many
 * buffers as the pool can spare, FRAGMENTS_BUFFERS at most. The oldest makes room: of the same source
 * where that has too many, else of all. So a flood holds no more than the bounds, and a datagram whose
 * fragments come close together is put together however long the flood lasts. A fragment costs a
 * hash and a walk over its source's datagrams, wherever it belongs.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rill/types.h>

#include "counters.h"
#include "wheel.h"

#define FRAGMENTS_OF_DATAGRAM 8 /* RTE_LIBRTE_IP_FRAG_MAX_FRAG: rte_ip_frag joins no more */
#define FRAGMENTS_DATAGRAMS 256
#define FRAGMENTS_OF_SOURCE 16
#define FRAGMENTS_BUFFERS 512
#define FRAGMENTS_POOL_SHARE 4 /* at most one in so many of the pool's buffers */
#define FRAGMENTS_TIMEOUT_US (60ull * USEC_PER_SEC)
#define FRAGMENTS_LEN_MAX 65535u /* of a datagram, header included */

struct rte_mempool;
struct siphash_key;
struct fragments; /* what one lane has of incomplete datagrams */

/* What makes fragments those of one datagram. Zero it before filling it in. */
struct fragment_key {
	struct rill_addr src, dst;
	uint32_t id;      /* as on the wire */
	uint8_t protocol; /* IPv4 only */
};

/* A fragment, whose headers are contiguous and checked, and whose mbuf ends where it does. */
struct fragment {
	struct rte_mbuf *mbuf;
	struct fragment_key key;
	uint16_t l2_len, l3_len; /* in front of its data; of IPv6 the fragment header is the last of it */
	uint32_t from, len;      /* where in the datagram its data lies, bytes */
	bool more;               /* it is not the last */
	uint8_t ecn;             /* the IP header's bits */
	uint16_t whole_header;   /* bytes of the transport header that must not be split */
};

/* The pool's buffers hold a frame. timer_kind is that of its node on the wheel. NULL without memory. */
struct fragments *fragments_create(struct rte_mempool *pool, struct wheel *wheel, uint8_t timer_kind,
	const struct siphash_key *key, struct counters *counters, int numa_node);
void fragments_destroy(struct fragments *fragments);

/*
 * Takes a fragment. Returns RILL_DROP_COUNT, and *whole is the datagram that it completed, or NULL
 * while some are missing: a chain, with l2_len bytes and the header (an IPv4 one, its checksum made
 * anew, or a fixed IPv6 one) as they came with its first fragment, and l2_len and l3_len set. Else a
 * drop reason, and the mbuf is still the caller's.
 */
enum rill_drop fragments_take(struct fragments *fragments, const struct fragment *fragment,
	ustime now, struct rte_mbuf **whole);

/*
 * A datagram whose time is over, the oldest first, and is forgotten: its first fragment, or NULL if
 * that has not come (the others have been dropped and counted). False, and the timer is set, when
 * there is no more. To be called until then whenever the node has fired.
 */
struct fragments_late {
	struct rte_mbuf *first; /* the caller's */
	uint16_t l2_len;
	uint8_t family;
};
bool fragments_expire(struct fragments *fragments, ustime now, struct fragments_late *late);

/* Incomplete datagrams, spoilt ones included; and buffers that they hold. */
uint32_t fragments_datagrams(const struct fragments *fragments);
uint32_t fragments_buffers(const struct fragments *fragments);

#endif
