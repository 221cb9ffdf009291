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

#include <rill/types.h>
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

static inline struct rill_addr
tuple_local(const struct tuple_head *head, const struct tuple_addrs6 *addrs6)
{
	struct rill_addr addr = {.family = head->family};

	if (head->family == AF_INET)
		memcpy(addr.u.ip4, &head->laddr4, sizeof(addr.u.ip4));
	else
		memcpy(addr.u.ip6, addrs6->laddr, sizeof(addr.u.ip6));
	return addr;
}

static inline struct rill_addr
tuple_remote(const struct tuple_head *head, const struct tuple_addrs6 *addrs6)
{
	struct rill_addr addr = {.family = head->family};

	if (head->family == AF_INET)
		memcpy(addr.u.ip4, &head->raddr4, sizeof(addr.u.ip4));
	else
		memcpy(addr.u.ip6, addrs6->raddr, sizeof(addr.u.ip6));
	return addr;
}

/* Is its local address this one, of IPv4? */
static inline bool
tuple_is_at(const struct tuple_head *head, const struct rill_addr *addr4)
{
	return head->family == AF_INET &&
	       memcmp(addr4->u.ip4, &head->laddr4, sizeof(head->laddr4)) == 0;
}

/* Puts addresses of one family into a tuple, whose ports are given elsewhere. */
static inline void
tuple_set_addrs(
	struct tuple *tuple, const struct rill_addr *local, const struct rill_addr *remote)
{
	tuple->head.family = local->family;
	if (local->family == AF_INET) {
		memcpy(&tuple->head.laddr4, local->u.ip4, sizeof(local->u.ip4));
		memcpy(&tuple->head.raddr4, remote->u.ip4, sizeof(remote->u.ip4));
	} else {
		tuple->head.laddr4 = tuple->head.raddr4 = 0;
		memcpy(tuple->addrs6.laddr, local->u.ip6, sizeof(local->u.ip6));
		memcpy(tuple->addrs6.raddr, remote->u.ip6, sizeof(remote->u.ip6));
	}
}

#endif
