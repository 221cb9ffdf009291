/* SPDX-License-Identifier: BSD-3-Clause */
#include "reassembly.h"

#include <rte_mbuf.h>

#include "check.h"
#include "payload.h"
#include "tcp.h"

static uint32_t
range_len(const struct range *range)
{
	return range->end.n - range->start.n;
}

/* Opens a slot at position i. */
static void
ranges_make_room(struct sidecar *sidecar, uint32_t i)
{
	memmove(&sidecar->ranges[i + 1], &sidecar->ranges[i],
		(sidecar->ranges_count - i) * sizeof(sidecar->ranges[0]));
	sidecar->ranges_count++;
}

static void
ranges_close_slot(struct sidecar *sidecar, uint32_t i)
{
	sidecar->ranges_count--;
	memmove(&sidecar->ranges[i], &sidecar->ranges[i + 1],
		(sidecar->ranges_count - i) * sizeof(sidecar->ranges[0]));
}

/* Island i + 1 begins where island i ends: makes them one. */
static void
ranges_join(struct sidecar *sidecar, uint32_t i)
{
	struct range *left = &sidecar->ranges[i], *right = left + 1;

	left->tail->next = right->head;
	left->tail = right->tail;
	left->end = right->end;
	left->stamp = RTE_MAX(left->stamp, right->stamp);
	ranges_close_slot(sidecar, i + 1);
}

/* The island that holds or ends at seq, or the one behind it: first i with end >= seq. */
static uint32_t
ranges_find(const struct sidecar *sidecar, seq_t at)
{
	uint32_t i = 0;

	while (i < sidecar->ranges_count && seq_lt(sidecar->ranges[i].end, at))
		i++;
	return i;
}

/*
 * Cuts from payload [start, start + len) what the islands hold already, as far as it can be done
 * without making two pieces: the front up to the island i's end, the back from the next island's
 * start. Returns false if nothing new is left (the payload is then freed).
 */
static bool
payload_trim(const struct sidecar *sidecar, uint32_t i, struct rte_mbuf **payload, seq_t *start,
	uint32_t *len)
{
	for (; i < sidecar->ranges_count; i++) {
		const struct range *range = &sidecar->ranges[i];
		seq_t end = seq_add(*start, *len);

		if (seq_leq(end, range->start))
			break;
		if (seq_geq(*start, range->start)) { /* begins inside: the front is known */
			uint32_t known = seq_lt(*start, range->end) ? range->end.n - start->n : 0;

			if (known >= *len) {
				rte_pktmbuf_free(*payload);
				return false;
			}
			*payload = payload_cut_front(*payload, known);
			*start = seq_add(*start, known);
			*len -= known;
			continue;
		}
		*len = range->start.n - start->n; /* reaches into the next: the back is cut */
		break;
	}
	return true;
}

/* What the buffers from head to tail pin; tail may lead on into an older island. */
static uint32_t
pieces_true_size(const struct rte_mbuf *head, const struct rte_mbuf *tail)
{
	uint32_t size = (uint32_t)sizeof(*head) + head->buf_len;

	while (head != tail) {
		head = head->next;
		size += (uint32_t)sizeof(*head) + head->buf_len;
	}
	return size;
}

/* Puts payload [start, start + len), which overlaps no island, into the one it touches or into a
 * new one: which. */
static uint32_t
ranges_place(struct sidecar *sidecar, struct rte_mbuf *payload, seq_t start, uint32_t len)
{
	uint32_t i = ranges_find(sidecar, start);
	struct range *range = &sidecar->ranges[i];
	struct rte_mbuf *tail = payload_keep_front(payload, len);

	sidecar->ranges_bytes += len;
	if (i < sidecar->ranges_count && seq_eq(range->end, start)) {
		range->end = seq_add(start, len);
		if (payload_copy_into(range->tail, payload))
			return i;
		range->tail->next = payload;
		range->tail = tail;
	} else if (i < sidecar->ranges_count && seq_eq(range->start, seq_add(start, len))) {
		tail->next = range->head;
		range->head = payload;
		range->start = start;
	} else {
		ranges_make_room(sidecar, i);
		*range = (struct range){start, seq_add(start, len), payload, tail, 0};
	}
	sidecar->ranges_true += pieces_true_size(payload, tail);
	return i;
}

bool
reassembly_insert(struct sidecar *sidecar, struct rte_mbuf *payload, seq_t start, uint32_t true_max,
	bool *duplicate)
{
	uint32_t i = ranges_find(sidecar, start), len = payload->pkt_len;

	*duplicate = false;
	/* Refusals first, before anything is cut: of too much, and of an island too many. */
	if (sidecar->ranges_true + mbuf_true_size(payload) > true_max)
		return false;
	if (sidecar->ranges_count == REASSEMBLY_RANGES &&
		!(i < REASSEMBLY_RANGES && seq_leq(sidecar->ranges[i].start, seq_add(start, len))))
		return false;
	if (!payload_trim(sidecar, i, &payload, &start, &len)) {
		*duplicate = true;
		return true;
	}
	i = ranges_place(sidecar, payload, start, len);
	sidecar->ranges[i].stamp = ++sidecar->stamp;
	if (i + 1 < sidecar->ranges_count &&
		seq_eq(sidecar->ranges[i].end, sidecar->ranges[i + 1].start))
		ranges_join(sidecar, i);
	return true;
}

bool
reassembly_find_duplicate(
	struct sidecar *sidecar, seq_t start, uint32_t len, struct sack_block *duplicate)
{
	uint32_t i = ranges_find(sidecar, seq_add(start, 1));
	seq_t end = seq_add(start, len);

	if (i == sidecar->ranges_count || seq_leq(end, sidecar->ranges[i].start))
		return false;
	duplicate->left = seq_max(start, sidecar->ranges[i].start);
	duplicate->right = seq_min(end, sidecar->ranges[i].end);
	sidecar->ranges[i].stamp = ++sidecar->stamp;
	return true;
}

struct rte_mbuf *
reassembly_take(struct sidecar *sidecar, seq_t rcv_nxt, seq_t *end)
{
	while (sidecar->ranges_count > 0 && seq_leq(sidecar->ranges[0].start, rcv_nxt)) {
		struct range range = sidecar->ranges[0];
		uint32_t known = rcv_nxt.n - range.start.n, len = range_len(&range);

		ranges_close_slot(sidecar, 0);
		sidecar->ranges_bytes -= len;
		sidecar->ranges_true -= mbuf_true_size(range.head);
		payload_fix(range.head);
		if (known > 0)
			range.head = payload_cut_front(range.head, RTE_MIN(known, len));
		if (range.head == NULL)
			continue;
		*end = range.end;
		return range.head;
	}
	return NULL;
}

unsigned int
reassembly_sack_blocks(const struct sidecar *sidecar, struct sack_block *blocks, unsigned int max)
{
	uint32_t below = UINT32_MAX;
	unsigned int n = 0;

	for (; n < max && n < sidecar->ranges_count; n++) {
		const struct range *newest = NULL;

		for (uint32_t i = 0; i < sidecar->ranges_count; i++) {
			const struct range *range = &sidecar->ranges[i];

			if (range->stamp < below &&
				(newest == NULL || range->stamp > newest->stamp))
				newest = range;
		}
		if (newest == NULL)
			break;
		blocks[n] = (struct sack_block){newest->start, newest->end};
		below = newest->stamp;
	}
	return n;
}

void
reassembly_clear(struct sidecar *sidecar)
{
	for (uint32_t i = 0; i < sidecar->ranges_count; i++) {
		payload_fix(sidecar->ranges[i].head);
		rte_pktmbuf_free(sidecar->ranges[i].head);
	}
	sidecar->ranges_count = 0;
	sidecar->ranges_bytes = sidecar->ranges_true = 0;
}

void
reassembly_check(const struct sidecar *sidecar, seq_t rcv_nxt)
{
	uint32_t bytes = 0;

	for (uint32_t i = 0; i < sidecar->ranges_count; i++) {
		const struct range *range = &sidecar->ranges[i];
		uint32_t len = 0;

		for (const struct rte_mbuf *m = range->head; m != NULL; m = m->next) {
			len += m->data_len;
			RILL_ASSERT(m->next != NULL || m == range->tail);
		}
		RILL_ASSERT(len == range_len(range) && len > 0);
		RILL_ASSERT(seq_gt(range->start, i == 0 ? rcv_nxt : sidecar->ranges[i - 1].end));
		bytes += len;
	}
	RILL_ASSERT(bytes == sidecar->ranges_bytes);
}
