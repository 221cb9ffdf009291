/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_BASE_STEER_H
#define RILL_BASE_STEER_H

/*
 * Which of the lanes of a port a connection belongs to: the Toeplitz hash of its 4-tuple, as NICs
 * compute it of a frame on arrival, under a key that nobody outside knows; its low bits choose a
 * lane in an indirection table.
 *
 *     lane = reta[toeplitz(key, source address, destination address, source port, destination port)
 *                 mod the table's size]
 *
 * The hash is linear: it is the sum, bit by bit and without carry, of what each input byte
 * contributes by its place. So it is kept as a table per byte, whose first twelve IPv4 uses too, and
 * trying another source port costs two lookups.
 *
 * Written once, then read by all lanes of the port.
 */

#include <stdbool.h>
#include <stdint.h>

#include "siphash.h"
#include "tuple.h"

#define STEER_KEY_LEN 52 /* the longest that NICs take; IPv4 uses 16 bytes, IPv6 the first 40 */
#define STEER_TUPLE_LEN 36 /* of IPv6; IPv4's has 12 bytes */
#define STEER_PORTS4_AT 8 /* where the ports stand in it, the remote one first */
#define STEER_PORTS6_AT 32
#define STEER_RETA_BITS 7
#define STEER_RETA_SIZE (1u << STEER_RETA_BITS) /* entries: what most NICs have */

struct steer {
	uint32_t of_byte[STEER_TUPLE_LEN][256];
	uint8_t reta[STEER_RETA_SIZE];
	uint8_t key[STEER_KEY_LEN];
};

/*
 * The key comes from the secret; lanes (1 .. 255) take turns in the indirection table. For each family
 * one key in some hundreds is taken: whatever the addresses, each entry of the table has ports of ours,
 * so that no lane is without a port to connect from; and connections from neighbouring ports, as one
 * client opens them one after another, go to different lanes.
 */
void steer_init(struct steer *steer, const uint8_t secret[32], unsigned int lanes);

/* The same with a given key. */
void steer_init_key(struct steer *steer, const uint8_t key[STEER_KEY_LEN], unsigned int lanes);

/* Under this key, has each entry of the table ports of ours, in both families? */
bool steer_key_reaches_all(const uint8_t key[STEER_KEY_LEN]);

/* Makes the indirection table what one of so many entries (a power of two, at least lanes) is: a longer
 * one repeats ours. */
void steer_fit_reta(struct steer *steer, unsigned int size, unsigned int lanes);

/* What bytes add that stand at `at`. */
static inline uint32_t
steer_hash_bytes(const struct steer *steer, unsigned int at, const void *bytes, unsigned int len)
{
	const uint8_t *input = bytes;
	uint32_t hash = 0;

	for (unsigned int i = 0; i < len; i++)
		hash ^= steer->of_byte[at + i][input[i]];
	return hash;
}

static inline unsigned int
steer_ports_at(uint8_t family)
{
	return family == AF_INET ? STEER_PORTS4_AT : STEER_PORTS6_AT;
}

/* What all local ports have in common. */
static inline uint32_t
steer_hash_ends(const struct steer *steer, const struct tuple *tuple)
{
	const struct tuple_head *head = &tuple->head;
	uint32_t rport = steer_hash_bytes(steer, steer_ports_at(head->family), &head->rport, 2);

	if (head->family == AF_INET)
		return rport ^ steer_hash_bytes(steer, 0, &head->raddr4, 4) ^
		       steer_hash_bytes(steer, 4, &head->laddr4, 4);
	return rport ^ steer_hash_bytes(steer, 0, tuple->addrs6.raddr, 16) ^
	       steer_hash_bytes(steer, 16, tuple->addrs6.laddr, 16);
}

/* And what one of them (network order) adds. */
static inline uint32_t
steer_hash_port(const struct steer *steer, uint8_t family, rte_be16_t lport)
{
	return steer_hash_bytes(steer, steer_ports_at(family) + 2, &lport, 2);
}

/* Of a frame that arrives for this connection: its source is the tuple's remote end. */
static inline uint32_t
steer_hash(const struct steer *steer, const struct tuple *tuple)
{
	return steer_hash_ends(steer, tuple) ^
	       steer_hash_port(steer, tuple->head.family, tuple->head.lport);
}

static inline unsigned int
steer_lane_of_hash(const struct steer *steer, uint32_t hash)
{
	return steer->reta[hash & (STEER_RETA_SIZE - 1)];
}

static inline unsigned int
steer_lane(const struct steer *steer, const struct tuple *tuple)
{
	return steer_lane_of_hash(steer, steer_hash(steer, tuple));
}

#endif
