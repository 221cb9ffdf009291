/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The states and their timer, which every entry has one of:
 *
 *   INCOMPLETE, PROBE  the next request, or the end of asking
 *   REACHABLE          the confirmation is too old
 *   STALE              is it worth keeping?
 *   DELAY              nothing was seen to arrive
 *   FAILED             may be asked again; not armed once that time has come and nobody wanted it
 */
#include "neighbor_inner.h"

#include <stddef.h>
#include <string.h>

#include <rte_common.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>

#include "arp.h"
#include "check.h"
#include "ether.h"
#include "ndp.h"

static uint32_t
addr_len(const struct rill_addr *addr)
{
	return addr->family == AF_INET6 ? sizeof(addr->u.ip6) : sizeof(addr->u.ip4);
}

static bool
addr_is_same(const struct rill_addr *a, const struct rill_addr *b)
{
	return a->family == b->family && memcmp(&a->u, &b->u, addr_len(a)) == 0;
}

static uint32_t *
bucket_of(struct neighbors *neighbors, const struct rill_addr *addr)
{
	uint64_t hash = siphash(&neighbors->key, &addr->u, addr_len(addr));

	return &neighbors->buckets[hash & (NEIGHBOR_BUCKETS - 1)];
}

struct neighbor *
neighbor_at(const struct neighbors *neighbors, uint32_t index)
{
	RILL_DCHECK(index < NEIGHBORS_MAX);
	return (struct neighbor *)slab_at(&neighbors->slab, index);
}

static uint32_t
index_of(const struct neighbors *neighbors, const struct neighbor *neighbor)
{
	return (uint32_t)(neighbor - neighbors->entries);
}

struct neighbor *
neighbors_find(struct neighbors *neighbors, const struct rill_addr *addr)
{
	uint32_t index;

	if (neighbors->last != NULL && addr_is_same(&neighbors->last->addr, addr))
		return neighbors->last;
	index = *bucket_of(neighbors, addr);
	while (index != SLAB_NONE && !addr_is_same(&neighbors->entries[index].addr, addr))
		index = neighbors->entries[index].next;
	if (index == SLAB_NONE)
		return NULL;
	neighbors->last = &neighbors->entries[index];
	return neighbors->last;
}

static void
queue_drop(struct neighbors *neighbors, struct neighbor *neighbor, enum rill_drop reason)
{
	for (uint8_t i = 0; i < neighbor->queue_len; i++)
		drop_packet(neighbors->netif->counters, neighbor->queue[i], reason);
	neighbor->queue_len = 0;
}

static void
event_queue(struct neighbors *neighbors, struct neighbor *neighbor)
{
	if (neighbor->event_queued)
		return;
	neighbor->event_queued = true;
	TAILQ_INSERT_TAIL(&neighbors->events, neighbor, events);
}

/* It is not found any more. */
static void
unhash(struct neighbors *neighbors, struct neighbor *neighbor)
{
	uint32_t index = index_of(neighbors, neighbor);
	uint32_t *link = bucket_of(neighbors, &neighbor->addr);

	while (*link != index)
		link = &neighbors->entries[*link].next;
	*link = neighbor->next;
	if (neighbors->last == neighbor)
		neighbors->last = NULL;
}

static void
forget(struct neighbors *neighbors, struct neighbor *neighbor)
{
	uint32_t index = index_of(neighbors, neighbor);

	RILL_DCHECK(neighbor->users == 0 && neighbor->state != NEIGHBOR_FREE);
	if (neighbor->state != NEIGHBOR_ABANDONED)
		unhash(neighbors, neighbor);
	wheel_cancel(neighbors->wheel, &neighbor->timer);
	queue_drop(neighbors, neighbor, RILL_DROP_neighbor_queue);
	TAILQ_REMOVE(&neighbors->idle, neighbor, idle);
	if (neighbor->event_queued)
		TAILQ_REMOVE(&neighbors->events, neighbor, events);
	neighbor->state = NEIGHBOR_FREE;
	slab_free(&neighbors->slab, index);
}

struct neighbor *
neighbors_make(struct neighbors *neighbors, const struct rill_addr *addr)
{
	struct neighbor *neighbor;
	uint32_t *bucket = bucket_of(neighbors, addr);
	uint32_t index = slab_alloc(&neighbors->slab);

	if (index == SLAB_NONE && !TAILQ_EMPTY(&neighbors->idle)) {
		forget(neighbors, TAILQ_FIRST(&neighbors->idle));
		index = slab_alloc(&neighbors->slab);
	}
	if (index == SLAB_NONE)
		return NULL;
	neighbor = neighbor_at(neighbors, index);
	memset(neighbor, 0, sizeof(*neighbor));
	neighbor->addr = *addr;
	neighbor->mtu = neighbors->netif->mtu;
	neighbor->timer.kind = neighbors->timer_kind;
	neighbor->next = *bucket;
	*bucket = index;
	TAILQ_INSERT_TAIL(&neighbors->idle, neighbor, idle);
	return neighbor;
}

static bool
is_ip6(const struct neighbor *neighbor)
{
	return neighbor->addr.family == AF_INET6;
}

/* Asks everybody, or of an entry in doubt the MAC that it had. */
static void
ask(struct neighbors *neighbors, struct neighbor *neighbor, ustime now, struct outbox *outbox)
{
	const struct rte_ether_addr *mac = NULL;

	if (neighbor->state == NEIGHBOR_PROBE)
		mac = &((struct rte_ether_hdr *)neighbor->header)->dst_addr;
	neighbor->tries++;
	neighbor->ask_again_at =
		now + (is_ip6(neighbor) ? neighbors->retry6_us : NEIGHBOR_RETRY_US);
	wheel_arm(neighbors->wheel, &neighbor->timer, neighbor->ask_again_at);
	if (!is_ip6(neighbor))
		arp_request(neighbors->netif, &neighbor->source, &neighbor->addr, mac, outbox);
	else if (neighbor->source.family == AF_INET6) /* without one it would be a probe of DAD's */
		ndp_solicit(neighbors->netif, &neighbor->source, &neighbor->addr, mac, outbox);
}

static void
begin_asking(struct neighbors *neighbors, struct neighbor *neighbor, enum neighbor_state state,
	ustime now, struct outbox *outbox)
{
	neighbor->state = (uint8_t)state;
	neighbor->tries = 0;
	neighbor->used = neighbor->confirmed = false;
	ask(neighbors, neighbor, now, outbox);
}

static ustime
time_of(const struct neighbors *neighbors, const struct neighbor *neighbor)
{
	switch ((enum neighbor_state)neighbor->state) {
	case NEIGHBOR_STALE:
		return NEIGHBOR_STALE_US;
	case NEIGHBOR_DELAY:
		return NEIGHBOR_DELAY_US;
	default:
		return is_ip6(neighbor) ? neighbors->reachable6_us : NEIGHBOR_REACHABLE_US;
	}
}

void
neighbor_enter(struct neighbors *neighbors, struct neighbor *neighbor, enum neighbor_state state,
	ustime now)
{
	neighbor->state = (uint8_t)state;
	neighbor->tries = 0;
	neighbor->used = neighbor->confirmed = false;
	wheel_arm(neighbors->wheel, &neighbor->timer, now + time_of(neighbors, neighbor));
}

void
neighbor_use_stale(struct neighbors *neighbors, struct neighbor *neighbor, ustime now)
{
	neighbor_enter(neighbors, neighbor, NEIGHBOR_DELAY, now);
}

static void
fail(struct neighbors *neighbors, struct neighbor *neighbor, ustime now)
{
	neighbor->state = NEIGHBOR_FAILED;
	neighbor->used = false;
	queue_drop(neighbors, neighbor, RILL_DROP_neighbor_failed);
	event_queue(neighbors, neighbor);
	wheel_arm(neighbors->wheel, &neighbor->timer, now + NEIGHBOR_FAILED_US);
}

/* Somebody would like to send to a FAILED entry. */
static void
want(struct neighbors *neighbors, struct neighbor *neighbor, ustime now, struct outbox *outbox)
{
	neighbor->used = true;
	if (!wheel_is_armed(&neighbor->timer))
		begin_asking(neighbors, neighbor, NEIGHBOR_INCOMPLETE, now, outbox);
}

static void
send_now(struct neighbors *neighbors, struct neighbor *neighbor, struct rte_mbuf *packet,
	ustime now, struct outbox *outbox)
{
	char *header;

	if (!outbox_has_control_room(outbox)) {
		drop_packet(neighbors->netif->counters, packet, RILL_DROP_outbox_full);
		return;
	}
	header = rte_pktmbuf_prepend(packet, neighbor->header_len);
	if (header == NULL) {
		drop_packet(neighbors->netif->counters, packet, RILL_DROP_no_mbuf);
		return;
	}
	if (neighbor->state == NEIGHBOR_STALE)
		neighbor_use_stale(neighbors, neighbor, now);
	memcpy(header, neighbor->header, neighbor->header_len);
	packet->l2_len = neighbor->header_len;
	neighbor->used = true;
	outbox_put(outbox, packet);
}

void
neighbor_found(struct neighbors *neighbors, struct neighbor *neighbor,
	const struct rte_ether_addr *mac, enum neighbor_state state, ustime now,
	struct outbox *outbox)
{
	bool was_awaited =
		neighbor->state == NEIGHBOR_INCOMPLETE || neighbor->state == NEIGHBOR_FAILED;
	uint8_t waiting = neighbor->queue_len;

	neighbor->header_len = ether_write_header(neighbors->netif, mac,
		is_ip6(neighbor) ? RTE_ETHER_TYPE_IPV6 : RTE_ETHER_TYPE_IPV4, neighbor->header);
	neighbor_enter(neighbors, neighbor, state, now);
	neighbor->queue_len = 0;
	for (uint8_t i = 0; i < waiting; i++)
		send_now(neighbors, neighbor, neighbor->queue[i], now, outbox);
	if (was_awaited)
		event_queue(neighbors, neighbor);
}

void
neighbor_probe(
	struct neighbors *neighbors, struct neighbor *neighbor, ustime now, struct outbox *outbox)
{
	if (neighbor_is_usable(neighbor) && neighbor->state != NEIGHBOR_PROBE &&
		now >= neighbor->ask_again_at)
		begin_asking(neighbors, neighbor, NEIGHBOR_PROBE, now, outbox);
}

/* One entry for every address, for ever: there is nothing to resolve. */
static void
make_bare_ip_entry(struct neighbors *neighbors)
{
	struct neighbor *neighbor = neighbors_make(neighbors, &(struct rill_addr){.family = 0});

	RILL_ASSERT(neighbor == &neighbors->entries[0]);
	neighbor->state = NEIGHBOR_REACHABLE;
}

struct neighbors *
neighbors_create(const struct netif *netif, struct wheel *wheel, uint8_t timer_kind,
	const struct siphash_key *key, int numa_node)
{
	struct neighbors *neighbors = rte_zmalloc_socket(
		"rill_neighbors", sizeof(*neighbors), RTE_CACHE_LINE_SIZE, numa_node);

	if (neighbors == NULL)
		return NULL;
	neighbors->netif = netif;
	neighbors->wheel = wheel;
	neighbors->timer_kind = timer_kind;
	neighbors->key = *key;
	neighbors_set_times(neighbors, NEIGHBOR6_REACHABLE_US, NEIGHBOR_RETRY_US);
	slab_init(&neighbors->slab, neighbors->entries, sizeof(struct neighbor), NEIGHBORS_MAX,
		offsetof(struct neighbor, next), false);
	TAILQ_INIT(&neighbors->idle);
	TAILQ_INIT(&neighbors->events);
	for (uint32_t i = 0; i < NEIGHBOR_BUCKETS; i++)
		neighbors->buckets[i] = SLAB_NONE;
	if (!netif->ethernet)
		make_bare_ip_entry(neighbors);
	return neighbors;
}

void
neighbors_set_times(struct neighbors *neighbors, ustime reachable_us, ustime retry_us)
{
	neighbors->reachable6_us = reachable_us;
	neighbors->retry6_us = retry_us;
}

void
neighbors_destroy(struct neighbors *neighbors)
{
	if (neighbors == NULL)
		return;
	for (uint32_t i = 0; i < neighbors->slab.fresh; i++) {
		struct neighbor *neighbor = &neighbors->entries[i];

		if (neighbor->state == NEIGHBOR_FREE)
			continue;
		wheel_cancel(neighbors->wheel, &neighbor->timer);
		queue_drop(neighbors, neighbor, RILL_DROP_lane_stopping);
	}
	rte_free(neighbors);
}

uint32_t
neighbor_get(struct neighbors *neighbors, const struct rill_addr *addr,
	const struct rill_addr *source, bool hold, ustime now, struct outbox *outbox)
{
	bool ethernet = neighbors->netif->ethernet;
	struct neighbor *neighbor = ethernet ? neighbors_find(neighbors, addr) : &neighbors->entries[0];

	if (neighbor == NULL) {
		neighbor = neighbors_make(neighbors, addr);
		if (neighbor == NULL)
			return SLAB_NONE;
		neighbor->source = *source;
		begin_asking(neighbors, neighbor, NEIGHBOR_INCOMPLETE, now, outbox);
	}
	neighbor->source = *source;
	if (neighbor->state == NEIGHBOR_FAILED)
		want(neighbors, neighbor, now, outbox);
	if (neighbor->users == 0) {
		TAILQ_REMOVE(&neighbors->idle, neighbor, idle);
		if (!hold)
			TAILQ_INSERT_TAIL(&neighbors->idle, neighbor, idle);
	}
	neighbor->users += hold;
	return index_of(neighbors, neighbor);
}

void
neighbor_release(struct neighbors *neighbors, uint32_t index)
{
	struct neighbor *neighbor = neighbor_at(neighbors, index);

	RILL_ASSERT(neighbor->users > 0);
	if (--neighbor->users > 0)
		return;
	TAILQ_INSERT_TAIL(&neighbors->idle, neighbor, idle);
	if ((neighbor->state == NEIGHBOR_FAILED && !wheel_is_armed(&neighbor->timer)) ||
		neighbor->state == NEIGHBOR_ABANDONED)
		forget(neighbors, neighbor);
}

void
neighbors_abandon(struct neighbors *neighbors, const struct rill_addr *addr)
{
	struct neighbor *neighbor = neighbors_find(neighbors, addr);

	if (neighbor == NULL)
		return;
	if (neighbor->users == 0) {
		forget(neighbors, neighbor);
		return;
	}
	unhash(neighbors, neighbor);
	neighbor->state = NEIGHBOR_ABANDONED;
	wheel_cancel(neighbors->wheel, &neighbor->timer);
	queue_drop(neighbors, neighbor, RILL_DROP_neighbor_failed);
	event_queue(neighbors, neighbor);
}

enum neighbor_state
neighbors_state(struct neighbors *neighbors, const struct rill_addr *addr)
{
	const struct neighbor *neighbor = neighbors_find(neighbors, addr);

	return neighbor != NULL ? (enum neighbor_state)neighbor->state : NEIGHBOR_FREE;
}

static void
wait_in_queue(struct neighbors *neighbors, struct neighbor *neighbor, struct rte_mbuf *packet)
{
	if (neighbor->queue_len == NEIGHBOR_QUEUE) {
		drop_packet(
			neighbors->netif->counters, neighbor->queue[0], RILL_DROP_neighbor_queue);
		neighbor->queue_len--;
		memmove(neighbor->queue, neighbor->queue + 1,
			neighbor->queue_len * sizeof(neighbor->queue[0]));
	}
	neighbor->queue[neighbor->queue_len++] = packet;
	neighbor->used = true;
}

void
neighbor_output(struct neighbors *neighbors, uint32_t index, struct rte_mbuf *packet, ustime now,
	struct outbox *outbox)
{
	struct neighbor *neighbor = neighbor_at(neighbors, index);

	RILL_DCHECK(neighbor->state != NEIGHBOR_FREE);
	if (neighbor->state == NEIGHBOR_FAILED)
		want(neighbors, neighbor, now, outbox);
	if (neighbor_is_usable(neighbor))
		send_now(neighbors, neighbor, packet, now, outbox);
	else if (neighbor->state == NEIGHBOR_INCOMPLETE)
		wait_in_queue(neighbors, neighbor, packet);
	else
		drop_packet(neighbors->netif->counters, packet, RILL_DROP_neighbor_failed);
}

void
neighbor_suspect(struct neighbors *neighbors, uint32_t index, ustime now, struct outbox *outbox)
{
	struct neighbor *neighbor = neighbor_at(neighbors, index);

	if (!neighbors->netif->ethernet)
		return;
	if (neighbor->state == NEIGHBOR_FAILED)
		want(neighbors, neighbor, now, outbox);
	else
		neighbor_probe(neighbors, neighbor, now, outbox);
}

/* The last of NEIGHBOR_TRIES requests of this state had a second to be answered. */
static void
asked_in_vain(struct neighbors *neighbors, struct neighbor *neighbor, ustime now,
	struct outbox *outbox)
{
	neighbors->netif->counters->neighbors_lost += neighbor->state == NEIGHBOR_PROBE;
	if (neighbor->state == NEIGHBOR_INCOMPLETE)
		fail(neighbors, neighbor, now);
	else if (neighbor->users > 0 || neighbor->used)
		begin_asking(neighbors, neighbor, NEIGHBOR_INCOMPLETE, now, outbox);
	else
		forget(neighbors, neighbor);
}

/* The time of a state in which it could be used is over. */
static void
grown_old(struct neighbors *neighbors, struct neighbor *neighbor, ustime now, struct outbox *outbox)
{
	enum neighbor_state state = (enum neighbor_state)neighbor->state;

	if (neighbor->confirmed)
		neighbor_enter(neighbors, neighbor, NEIGHBOR_REACHABLE, now);
	else if (state == NEIGHBOR_DELAY || (neighbor->used && !is_ip6(neighbor)))
		begin_asking(neighbors, neighbor, NEIGHBOR_PROBE, now, outbox);
	else if (state == NEIGHBOR_REACHABLE && is_ip6(neighbor))
		neighbor_enter(neighbors, neighbor, NEIGHBOR_STALE, now);
	else if (neighbor->users > 0)
		neighbor_enter(neighbors, neighbor, state, now);
	else
		forget(neighbors, neighbor);
}

void
neighbor_timer(struct neighbors *neighbors, struct wheel_node *node, ustime now,
	struct outbox *outbox)
{
	struct neighbor *neighbor = container_of(node, struct neighbor, timer);

	/* Dealt with since it was taken off the wheel, by what fired before it in the same turn. */
	if (neighbor->state == NEIGHBOR_FREE || neighbor->state == NEIGHBOR_ABANDONED ||
		wheel_is_armed(node))
		return;
	switch ((enum neighbor_state)neighbor->state) {
	case NEIGHBOR_INCOMPLETE:
	case NEIGHBOR_PROBE:
		if (neighbor->confirmed)
			neighbor_enter(neighbors, neighbor, NEIGHBOR_REACHABLE, now);
		else if (neighbor->tries < NEIGHBOR_TRIES)
			ask(neighbors, neighbor, now, outbox);
		else
			asked_in_vain(neighbors, neighbor, now, outbox);
		return;
	case NEIGHBOR_REACHABLE:
	case NEIGHBOR_STALE:
	case NEIGHBOR_DELAY:
		grown_old(neighbors, neighbor, now, outbox);
		return;
	case NEIGHBOR_FAILED:
		if (neighbor->used)
			begin_asking(neighbors, neighbor, NEIGHBOR_INCOMPLETE, now, outbox);
		else if (neighbor->users == 0)
			forget(neighbors, neighbor);
		return;
	case NEIGHBOR_ABANDONED:
	case NEIGHBOR_FREE:
		return;
	}
}

enum neighbor_event
neighbors_next_event(struct neighbors *neighbors, uint32_t *index)
{
	struct neighbor *neighbor;

	while ((neighbor = TAILQ_FIRST(&neighbors->events)) != NULL) {
		TAILQ_REMOVE(&neighbors->events, neighbor, events);
		neighbor->event_queued = false;
		*index = index_of(neighbors, neighbor);
		if (neighbor_is_usable(neighbor))
			return NEIGHBOR_EVENT_RESOLVED;
		if (neighbor->state == NEIGHBOR_FAILED)
			return NEIGHBOR_EVENT_FAILED;
		if (neighbor->state == NEIGHBOR_ABANDONED)
			return NEIGHBOR_EVENT_ABANDONED;
	}
	return NEIGHBOR_EVENT_NONE;
}

static uint32_t
number_of(const struct rill_addr *addr)
{
	rte_be32_t ip;

	memcpy(&ip, addr->u.ip4, sizeof(ip));
	return rte_be_to_cpu_32(ip);
}

static bool
is_within(const struct rill_addr *addr, const struct rill_addr *first, uint32_t more)
{
	if (first->family != AF_INET)
		return addr_is_same(addr, first);
	return addr->family == AF_INET && number_of(addr) - number_of(first) <= more;
}

void
neighbors_forget_source(
	struct neighbors *neighbors, const struct rill_addr *addr, uint32_t more)
{
	for (uint32_t i = 0; i < neighbors->slab.fresh; i++) {
		struct neighbor *neighbor = &neighbors->entries[i];

		if (neighbor->state != NEIGHBOR_FREE && is_within(&neighbor->source, addr, more))
			memset(&neighbor->source, 0, sizeof(neighbor->source));
	}
}

uint32_t
neighbors_count(const struct neighbors *neighbors)
{
	return neighbors->slab.used;
}
