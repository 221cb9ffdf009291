/* SPDX-License-Identifier: BSD-3-Clause */
#include "fragments.h"

#include <assert.h>
#include <string.h>
#include <sys/queue.h>

#include <rte_ip.h>
#include <rte_ip_frag.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>

#include "check.h"
#include "siphash.h"

#define BUCKETS FRAGMENTS_DATAGRAMS /* a power of two */
#define ECN_UNKNOWN 0x01 /* in a datagram's ecns: a fragment whose transport does not know ECN */
#define NEVER_LATE (UINT64_MAX / 2) /* rte_ip_frag has nothing that could become too old */

static_assert(FRAGMENTS_OF_DATAGRAM == RTE_LIBRTE_IP_FRAG_MAX_FRAG, "what rte_ip_frag can join");
static_assert((BUCKETS & (BUCKETS - 1)) == 0, "the hash is masked");

struct piece {
	struct rte_mbuf *mbuf;
	uint32_t from, to;
};

struct datagram {
	TAILQ_ENTRY(datagram) by_age;    /* of all, or of the free ones */
	TAILQ_ENTRY(datagram) by_source; /* of a bucket, the oldest first */
	struct fragment_key key;
	uint32_t bucket;
	ustime late_at;
	uint32_t total;   /* bytes of data; 0 until the last fragment has come */
	uint32_t got;     /* bytes */
	uint32_t buffers; /* that its pieces take */
	uint16_t l2_len;
	uint8_t count; /* of pieces */
	uint8_t ecns; /* a bit for each value that came */
	bool spoilt;
	struct piece pieces[FRAGMENTS_OF_DATAGRAM]; /* in their order */
};

TAILQ_HEAD(datagram_list, datagram);

struct fragments {
	struct rte_mempool *pool;
	struct wheel *wheel;
	struct counters *counters;
	struct siphash_key key;
	struct wheel_node timer; /* when the oldest is late */
	uint32_t used;           /* datagrams */
	uint32_t buffers, buffers_max;
	struct rte_ip_frag_tbl *joiner; /* holds nothing between two calls */
	struct rte_ip_frag_death_row death_row;
	struct datagram_list all, free;
	struct datagram_list buckets[BUCKETS]; /* by source address */
	struct datagram datagrams[FRAGMENTS_DATAGRAMS];
};

struct fragments *
fragments_create(struct rte_mempool *pool, struct wheel *wheel, uint8_t timer_kind,
	const struct siphash_key *key, struct counters *counters, int numa_node)
{
	struct fragments *fragments = rte_zmalloc_socket(
		"rill_fragments", sizeof(*fragments), RTE_CACHE_LINE_SIZE, numa_node);

	if (fragments == NULL)
		return NULL;
	fragments->pool = pool;
	fragments->wheel = wheel;
	fragments->timer.kind = timer_kind;
	fragments->key = *key;
	fragments->counters = counters;
	fragments->buffers_max = RTE_MIN(pool->size / FRAGMENTS_POOL_SHARE, (uint32_t)FRAGMENTS_BUFFERS);
	TAILQ_INIT(&fragments->all);
	TAILQ_INIT(&fragments->free);
	for (unsigned int i = 0; i < BUCKETS; i++)
		TAILQ_INIT(&fragments->buckets[i]);
	for (unsigned int i = 0; i < FRAGMENTS_DATAGRAMS; i++)
		TAILQ_INSERT_TAIL(&fragments->free, &fragments->datagrams[i], by_age);
	fragments->joiner = rte_ip_frag_table_create(1, 1, 1, NEVER_LATE, numa_node);
	if (fragments->joiner != NULL)
		return fragments;
	rte_free(fragments);
	return NULL;
}

/* ---- the datagrams */

/* Frees what has come of a datagram, and counts it. */
static void
pieces_drop(struct fragments *fragments, struct datagram *datagram, enum rill_drop reason)
{
	for (uint8_t i = 0; i < datagram->count; i++)
		drop_packet(fragments->counters, datagram->pieces[i].mbuf, reason);
	fragments->buffers -= datagram->buffers;
	datagram->buffers = 0;
	datagram->count = 0;
}

/* One without pieces. */
static void
datagram_forget(struct fragments *fragments, struct datagram *datagram)
{
	RILL_DCHECK(datagram->count == 0 && datagram->buffers == 0);
	TAILQ_REMOVE(&fragments->all, datagram, by_age);
	TAILQ_REMOVE(&fragments->buckets[datagram->bucket], datagram, by_source);
	TAILQ_INSERT_HEAD(&fragments->free, datagram, by_age);
	fragments->used--;
}

static void
datagram_evict(struct fragments *fragments, struct datagram *datagram)
{
	pieces_drop(fragments, datagram, RILL_DROP_ip_fragment_evicted);
	datagram_forget(fragments, datagram);
}

void
fragments_destroy(struct fragments *fragments)
{
	struct datagram *datagram;

	if (fragments == NULL)
		return;
	wheel_cancel(fragments->wheel, &fragments->timer);
	while ((datagram = TAILQ_FIRST(&fragments->all)) != NULL) {
		pieces_drop(fragments, datagram, RILL_DROP_lane_stopping);
		datagram_forget(fragments, datagram);
	}
	rte_ip_frag_table_destroy(fragments->joiner);
	rte_free(fragments);
}

static bool
addr_is_same(const struct rill_addr *a, const struct rill_addr *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static bool
key_is_same(const struct fragment_key *a, const struct fragment_key *b)
{
	return a->id == b->id && a->protocol == b->protocol && addr_is_same(&a->src, &b->src) &&
	       addr_is_same(&a->dst, &b->dst);
}

/* A new one, if need be in the place of the source's oldest (NULL: it may have one more) or of all. */
static struct datagram *
datagram_make(struct fragments *fragments, const struct fragment *fragment, uint32_t bucket,
	struct datagram *make_room, ustime now)
{
	struct datagram *datagram;

	if (make_room == NULL && TAILQ_EMPTY(&fragments->free))
		make_room = TAILQ_FIRST(&fragments->all);
	if (make_room != NULL)
		datagram_evict(fragments, make_room);
	datagram = TAILQ_FIRST(&fragments->free);
	TAILQ_REMOVE(&fragments->free, datagram, by_age);
	memset(datagram, 0, sizeof(*datagram));
	datagram->key = fragment->key;
	datagram->bucket = bucket;
	datagram->late_at = now + FRAGMENTS_TIMEOUT_US;
	if (!wheel_is_armed(&fragments->timer))
		wheel_arm(fragments->wheel, &fragments->timer, datagram->late_at);
	TAILQ_INSERT_TAIL(&fragments->all, datagram, by_age);
	TAILQ_INSERT_TAIL(&fragments->buckets[bucket], datagram, by_source);
	fragments->used++;
	return datagram;
}

/* The fragment's datagram, which is made if it is new. */
static struct datagram *
datagram_of(struct fragments *fragments, const struct fragment *fragment, ustime now)
{
	const struct rill_addr *src = &fragment->key.src;
	uint32_t bucket = (uint32_t)siphash(&fragments->key, src, sizeof(*src)) & (BUCKETS - 1);
	struct datagram *datagram, *oldest = NULL;
	unsigned int same_source = 0;

	TAILQ_FOREACH(datagram, &fragments->buckets[bucket], by_source)
	{
		if (!addr_is_same(&datagram->key.src, src))
			continue;
		if (key_is_same(&datagram->key, &fragment->key))
			return datagram;
		if (same_source++ == 0)
			oldest = datagram;
	}
	return datagram_make(fragments, fragment, bucket,
		same_source < FRAGMENTS_OF_SOURCE ? NULL : oldest, now);
}

/* ---- one fragment more */

/* The bound is one of IPv4's total length, and of IPv6's payload. */
static uint32_t
counted_header(const struct fragment_key *key, uint32_t l3_len)
{
	return key->src.family == AF_INET ? l3_len : 0;
}

/* Alone, is it one that may be? */
static enum rill_drop
check_alone(const struct fragment *fragment)
{
	uint32_t to = fragment->from + fragment->len;
	uint32_t header_to = fragment->from == 0 ? to : fragment->from;

	if (fragment->len == 0 || to + 
			counted_header(&fragment->key, fragment->l3_len) > FRAGMENTS_LEN_MAX ||
		(fragment->more && fragment->len % 8 != 0))
		return RILL_DROP_ip_fragment_malformed;
	return header_to < fragment->whole_header ? RILL_DROP_ip_fragment_tiny : RILL_DROP_COUNT;
}

/* Where among the pieces it belongs. */
static uint8_t
place_of(const struct datagram *datagram, uint32_t from)
{
	uint8_t at = 0;

	while (at < datagram->count && datagram->pieces[at].from < from)
		at++;
	return at;
}

/* At this place, does it go with what has come? */
static enum rill_drop
check_beside(const struct datagram *datagram, const struct fragment *fragment, uint8_t at)
{
	uint32_t to = fragment->from + fragment->len, last;
	const struct piece *next = &datagram->pieces[at];

	if (at < datagram->count && next->from == fragment->from && next->to == to &&
		(to == datagram->total) == !fragment->more)
		return RILL_DROP_ip_fragment_duplicate;
	if (at < datagram->count && next->from < to)
		return RILL_DROP_ip_fragment_overlap;
	if (at > 0 && datagram->pieces[at - 1].to > fragment->from)
		return RILL_DROP_ip_fragment_overlap;
	last = datagram->count > 0 ? datagram->pieces[datagram->count - 1].to : 0;
	if (datagram->total != 0 && (!fragment->more || to >= datagram->total))
		return RILL_DROP_ip_fragment_overlap; /* behind the end, or another end */
	if (!fragment->more && to < last)
		return RILL_DROP_ip_fragment_overlap;
	return datagram->count == FRAGMENTS_OF_DATAGRAM ? RILL_DROP_ip_fragment_many
							: RILL_DROP_COUNT;
}

/* Room for so many buffers more, at the cost of the oldest datagrams but this one. */
static bool
make_room(struct fragments *fragments, const struct datagram *datagram, uint32_t buffers)
{
	while (fragments->buffers + buffers > fragments->buffers_max) {
		struct datagram *oldest = TAILQ_FIRST(&fragments->all);

		if (oldest == datagram)
			oldest = TAILQ_NEXT(oldest, by_age);
		if (oldest == NULL)
			return false;
		datagram_evict(fragments, oldest);
	}
	return true;
}

/* Puts a copy of the fragment at its place; the fragment itself is freed. */
static enum rill_drop
piece_add(struct fragments *fragments, struct datagram *datagram, const struct fragment *fragment,
	uint8_t at)
{
	struct rte_mbuf *copy = rte_pktmbuf_copy(fragment->mbuf, fragments->pool, 0, UINT32_MAX);
	struct piece *piece = &datagram->pieces[at];

	if (copy == NULL || copy->data_len < fragment->l2_len + fragment->l3_len ||
		!make_room(fragments, datagram, copy->nb_segs)) {
		rte_pktmbuf_free(copy);
		return RILL_DROP_no_mbuf;
	}
	rte_pktmbuf_free(fragment->mbuf);
	copy->ol_flags = 0; /* what the NIC knew, it knew of the fragment */
	copy->l2_len = fragment->l2_len;
	copy->l3_len = fragment->l3_len;
	memmove(piece + 1, piece, (size_t)(datagram->count - at) * sizeof(*piece));
	*piece = (struct piece){copy, fragment->from, fragment->from + fragment->len};
	datagram->count++;
	datagram->buffers += copy->nb_segs;
	fragments->buffers += copy->nb_segs;
	datagram->got += fragment->len;
	datagram->ecns |= (uint8_t)(1u << fragment->ecn);
	if (!fragment->more)
		datagram->total = piece->to;
	if (fragment->from == 0)
		datagram->l2_len = fragment->l2_len;
	return RILL_DROP_COUNT;
}

/* ---- joining */

/* Gives the joiner one fragment; NULL until it has all. */
static struct rte_mbuf *
join_next(struct fragments *fragments, struct rte_mbuf *mbuf, uint8_t family)
{
	char *l3 = rte_pktmbuf_mtod_offset(mbuf, char *, mbuf->l2_len);

	if (family == AF_INET)
		return rte_ipv4_frag_reassemble_packet(fragments->joiner, &fragments->death_row,
			mbuf, 0, (struct rte_ipv4_hdr *)l3);
	return rte_ipv6_frag_reassemble_packet(fragments->joiner, &fragments->death_row, mbuf, 0,
		(struct rte_ipv6_hdr *)l3,
		(struct rte_ipv6_fragment_ext *)(l3 + sizeof(struct rte_ipv6_hdr)));
}

/* What the joiner leaves to do. */
static void
finish_header(struct rte_mbuf *whole, uint8_t family, bool marked)
{
	void *l3 = rte_pktmbuf_mtod_offset(whole, void *, whole->l2_len);
	struct rte_ipv6_hdr *ip6 = l3;
	struct rte_ipv4_hdr *ip4 = l3;

	if (family == AF_INET6) {
		whole->l3_len = sizeof(*ip6);
		ip6->vtc_flow |= rte_cpu_to_be_32(marked ? RTE_IPV6_HDR_ECN_CE : 0);
		return;
	}
	ip4->type_of_service |= marked ? RTE_IPV4_HDR_ECN_CE : 0;
	ip4->hdr_checksum = 0;
	ip4->hdr_checksum = rte_ipv4_cksum(ip4);
}

/* All pieces lie end to end, so that the joiner cannot refuse them. */
static struct rte_mbuf *
join(struct fragments *fragments, struct datagram *datagram)
{
	struct rte_mbuf *whole = NULL;

	for (uint8_t i = 0; i < datagram->count; i++)
		whole = join_next(
			fragments, datagram->pieces[i].mbuf, datagram->key.src.family);
	RILL_ASSERT(whole != NULL && fragments->death_row.cnt == 0);
	finish_header(whole, datagram->key.src.family, datagram->ecns >> RTE_IPV4_HDR_ECN_CE);
	fragments->buffers -= datagram->buffers;
	datagram->buffers = 0;
	datagram->count = 0;
	datagram_forget(fragments, datagram);
	fragments->counters->fragments_joined++;
	return whole;
}

/* All has come: is it a datagram? */
static enum rill_drop
check_whole(const struct datagram *datagram)
{
	uint32_t len = datagram->total + counted_header(&datagram->key, datagram->pieces[0].mbuf->l3_len);

	if (len > FRAGMENTS_LEN_MAX)
		return RILL_DROP_ip_fragment_malformed;
	return (datagram->ecns & ECN_UNKNOWN) && datagram->ecns != ECN_UNKNOWN
		       ? RILL_DROP_ip_fragment_ecn
		       : RILL_DROP_COUNT;
}

static void
spoil(struct fragments *fragments, struct datagram *datagram, enum rill_drop reason)
{
	pieces_drop(fragments, datagram, reason);
	datagram->spoilt = true;
}

enum rill_drop
fragments_take(struct fragments *fragments, const struct fragment *fragment, ustime now,
	struct rte_mbuf **whole)
{
	enum rill_drop reason = check_alone(fragment);
	struct datagram *datagram;
	uint8_t at;

	*whole = NULL;
	fragments->counters->fragments_in++;
	if (reason != RILL_DROP_COUNT)
		return reason;
	datagram = datagram_of(fragments, fragment, now);
	if (datagram->spoilt)
		return RILL_DROP_ip_fragment_overlap;
	at = place_of(datagram, fragment->from);
	reason = check_beside(datagram, fragment, at);
	if (reason == RILL_DROP_ip_fragment_duplicate)
		return reason;
	if (reason != RILL_DROP_COUNT) {
		spoil(fragments, datagram, reason);
		return reason;
	}
	reason = piece_add(fragments, datagram, fragment, at);
	if (reason != RILL_DROP_COUNT || datagram->got != datagram->total)
		return reason;
	reason = check_whole(datagram);
	if (reason == RILL_DROP_COUNT)
		*whole = join(fragments, datagram);
	else
		spoil(fragments, datagram, reason); /* this fragment included */
	return RILL_DROP_COUNT;
}

/* ---- what is late */

bool
fragments_expire(struct fragments *fragments, ustime now, struct fragments_late *late)
{
	struct datagram *datagram = TAILQ_FIRST(&fragments->all);

	if (datagram == NULL)
		return false;
	if (datagram->late_at > now) {
		wheel_arm(fragments->wheel, &fragments->timer, datagram->late_at);
		return false;
	}
	*late = (struct fragments_late){
		.l2_len = datagram->l2_len, .family = datagram->key.src.family};
	if (datagram->count > 0 && datagram->pieces[0].from == 0) {
		late->first = datagram->pieces[0].mbuf;
		fragments->buffers -= late->first->nb_segs;
		datagram->buffers -= late->first->nb_segs;
		memmove(datagram->pieces, datagram->pieces + 1,
			--datagram->count * sizeof(datagram->pieces[0]));
	}
	pieces_drop(fragments, datagram, RILL_DROP_ip_fragment_late);
	datagram_forget(fragments, datagram);
	return true;
}

uint32_t
fragments_datagrams(const struct fragments *fragments)
{
	return fragments->used;
}

uint32_t
fragments_buffers(const struct fragments *fragments)
{
	return fragments->buffers;
}
