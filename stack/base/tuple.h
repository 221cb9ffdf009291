/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_BASE_TUPLE_H
#define RILL_BASE_TUPLE_H

/*
 * The key of a connection: family, addresses and ports as they stand on the wire, seen from our
 * side.
 *
 * The first 16 bytes (struct tuple_head) stand at offset 0 of every object that the table finds
 * (connection, TIME-WAIT entry, half-open entry), so that one comparison settles IPv4; IPv6
 * addresses follow elsewhere in the object. In the head of an IPv6 tuple both IPv4 fields are 0.
 */

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <rte_byteorder.h>

struct tuple_head {
	rte_be32_t laddr4;
	rte_be32_t raddr4;
	rte_be16_t lport;
	rte_be16_t rport;
	uint8_t family;   /* AF_INET or AF_INET6 */
	uint8_t owner[3]; /* of the object that the head stands in: not part of the key */
};

struct tuple_addrs6 {
	uint8_t laddr[16];
	uint8_t raddr[16];
};

struct tuple {
	struct tuple_head head;
	struct tuple_addrs6 addrs6; /* meaningful for AF_INET6 only */
};

/* Bytes of the head that are part of the key. */
#define TUPLE_HEAD_KEY_LEN 13
static_assert(
	offsetof(struct tuple_head, owner) == TUPLE_HEAD_KEY_LEN, "key precedes the owner's bytes");
static_assert(sizeof(struct tuple_head) == 16, "a quarter of a cache line");

static inline bool
tuple_head_eq(const struct tuple_head *a, const struct tuple_head *b)
{
	uint64_t a0, a1, b0, b1;

	memcpy(&a0, a, 8);
	memcpy(&b0, b, 8);
	memcpy(&a1, (const char *)a + 5, 8);
	memcpy(&b1, (const char *)b + 5, 8);
	return ((a0 ^ b0) | (a1 ^ b1)) == 0;
}

#endif
