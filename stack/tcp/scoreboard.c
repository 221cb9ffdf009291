/* SPDX-License-Identifier: BSD-3-Clause */
#include "scoreboard.h"

#include "bounds.h"
#include "pace.h"
#include "txq.h"

/* ---- lists of records */

static void
list_append(struct tcp *tcp, struct record_list *list, uint32_t index)
{
	struct record *record = tcp_record_at(tcp, index);

	record->list_next = SLAB_NONE;
	record->list_prev = list->tail;
	if (list->tail == SLAB_NONE)
		list->head = index;
	else
		tcp_record_at(tcp, list->tail)->list_next = index;
	list->tail = index;
}

static void
list_prepend(struct tcp *tcp, struct record_list *list, uint32_t index)
{
	struct record *record = tcp_record_at(tcp, index);

	record->list_prev = SLAB_NONE;
	record->list_next = list->head;
	if (list->head == SLAB_NONE)
		list->tail = index;
	else
		tcp_record_at(tcp, list->head)->list_prev = index;
	list->head = index;
}

static void
list_remove(struct tcp *tcp, struct record_list *list, uint32_t index)
{
	const struct record *record = tcp_record_at(tcp, index);

	if (record->list_prev == SLAB_NONE)
		list->head = record->list_next;
	else
		tcp_record_at(tcp, record->list_prev)->list_next = record->list_next;
	if (record->list_next == SLAB_NONE)
		list->tail = record->list_prev;
	else
		tcp_record_at(tcp, record->list_next)->list_prev = record->list_prev;
}

/* The list that a record is in, NULL for a SACKed one. */
static struct record_list *
list_of(struct scoreboard *score, const struct record *record)
{
	if (record->flags & RECORD_SACKED)
		return NULL;
	return (record->flags & RECORD_LOST) ? &score->lost : &score->flying;
}

/* ---- opening */

struct scoreboard *
score_open(struct tcp *tcp, struct rill_conn *conn)
{
	struct scoreboard *score = score_of(tcp, conn);
	struct sidecar *sidecar;

	if (score != NULL)
		return score;
	sidecar = conn_need_sidecar(tcp, conn);
	if (sidecar == NULL)
		return NULL;
	sidecar->flags |= SIDECAR_SCORE;
	score = &sidecar->score;
	memset(score, 0, offsetof(struct scoreboard, ranges));
	score->flying = score->lost = (struct record_list){SLAB_NONE, SLAB_NONE};
	score->cursor = SLAB_NONE;
	score->until = conn->snd_nxt; /* this walk is paid for by what it walks over */
	rack_init(&score->rack, conn->snd_una);
	for (uint32_t index = conn->txq_head; index != SLAB_NONE && index != conn->txq_unsent;
		index = tcp_record_at(tcp, index)->next)
		list_append(tcp, &score->flying, index);
	return score;
}

bool
score_is_idle(const struct rill_conn *conn, const struct sidecar *sidecar)
{
	const struct scoreboard *score = &sidecar->score;

	if (score->sacked_bytes > 0 || score->lost_bytes > 0 ||
		(conn->flags & (CONN_RECOVERY | CONN_RTO_RECOVERY)))
		return false;
	if (conn_outstanding(conn) == 0)
		return true;
	/* A window for reordering that DSACKs have widened is kept while the connection is busy. */
	return !(sidecar->flags & SIDECAR_TLP) &&
	       (seq_geq(conn->snd_una, score->until) && score->rack.wnd_persist == 0);
}

/* ---- what happens to a record */

void
score_sent(struct tcp *tcp, struct scoreboard *score, uint32_t index)
{
	struct record *record = tcp_record_at(tcp, index);

	if (record->flags & RECORD_SENT)
		list_remove(tcp, list_of(score, record), index);
	if (record->flags & RECORD_LOST) {
		record->flags &= (uint8_t)~RECORD_LOST;
		score->lost_bytes -= record->len;
	}
	list_append(tcp, &score->flying, index);
}

void
score_split(struct tcp *tcp, struct scoreboard *score, uint32_t index, uint32_t rest)
{
	struct record *record = tcp_record_at(tcp, index), *other = tcp_record_at(tcp, rest);
	struct record_list *list = list_of(score, record);

	if (list == NULL || !(record->flags & RECORD_SENT))
		return;
	other->list_prev = index;
	other->list_next = record->list_next;
	if (record->list_next == SLAB_NONE)
		list->tail = rest;
	else
		tcp_record_at(tcp, record->list_next)->list_prev = rest;
	record->list_next = rest;
}

/* An ACK is the first to tell of this record, if it was not told of before: what RACK and F-RTO
 * make of it. */
static void
record_delivered(struct tcp *tcp, struct rill_conn *conn, struct scoreboard *score,
	const struct record *record, bool ambiguous, struct ack_facts *facts)
{
	const struct rack_delivery delivery = {
		.sent_us = record->sent_us,
		.end = seq_add(record->seq, record->len),
		.retransmitted = (record->flags & RECORD_RETX) != 0,
		.ambiguous = ambiguous,
	};

	if (!delivery.retransmitted && (conn->flags & CONN_RTO_RECOVERY) &&
		seq_leq(delivery.end, conn->recover))
		facts->original = true;
	if ((conn->flags & CONN_SACK) &&
		rack_delivered(&score->rack, &delivery, rtt_min(&conn->rtt), us32(tcp->now)) &&
		!(conn->modes & MODE_REORDERS)) {
		conn->modes |= MODE_REORDERS;
		tcp->counters->reorderings++;
	}
}

void
score_acked(struct tcp *tcp, struct rill_conn *conn, struct scoreboard *score, uint32_t index,
	uint32_t taken, bool whole, struct ack_facts *facts)
{
	struct record *record = tcp_record_at(tcp, index);

	if (record->flags & RECORD_SACKED) {
		score->sacked_bytes -= taken;
		facts->known += taken;
		if (whole && !(record->flags & RECORD_CONTINUES) && score->sacked_segments > 0)
			score->sacked_segments--;
	} else if (record->flags & RECORD_LOST) {
		score->lost_bytes -= taken;
	}
	if (!whole)
		return;
	if (!(record->flags & RECORD_SACKED)) {
		/* The echoed time may show that an earlier transmission arrived [8985 6.2]. */
		bool ambiguous =
			(record->flags & RECORD_RETX) && facts->has_tsecr &&
			!time32_due(ms32(us32_expand(record->sent_us, tcp->now)), facts->tsecr_ms);

		record_delivered(tcp, conn, score, record, ambiguous, facts);
		list_remove(tcp, list_of(score, record), index);
	}
	if (score->cursor == index)
		score->cursor = SLAB_NONE;
}

void
score_lose(struct tcp *tcp, struct scoreboard *score, uint32_t index, struct ack_facts *facts)
{
	struct record *record = tcp_record_at(tcp, index);

	if (record->flags & (RECORD_LOST | RECORD_SACKED))
		return;
	list_remove(tcp, &score->flying, index);
	record->flags |= RECORD_LOST;
	list_append(tcp, &score->lost, index);
	score->lost_bytes += record->len;
	if (facts->lost == 0)
		facts->first_lost = index;
	facts->lost += record->len;
	/* Those of one round trip are one sign of congestion. */
	if ((record->flags & RECORD_RETX) && (int32_t)(record->sent_us - score->reduced_us) >= 0)
		facts->retx_lost = true;
}

void
score_lose_head(struct tcp *tcp, struct rill_conn *conn, struct scoreboard *score, uint32_t len,
	struct ack_facts *facts)
{
	uint32_t index = conn->txq_head, walked = 0;

	while (index != SLAB_NONE && index != conn->txq_unsent && walked < len) {
		const struct record *record = tcp_record_at(tcp, index);

		score_lose(tcp, score, index, facts);
		walked += record->len;
		index = record->next;
	}
}

void
score_none_lost(struct tcp *tcp, struct scoreboard *score)
{
	/* The last first, each before all that is in flight: they were sent earlier. */
	while (score->lost.tail != SLAB_NONE) {
		uint32_t index = score->lost.tail;

		list_remove(tcp, &score->lost, index);
		tcp_record_at(tcp, index)->flags &= (uint8_t)~RECORD_LOST;
		list_prepend(tcp, &score->flying, index);
	}
	score->lost_bytes = 0;
}

void
score_distrust(struct tcp *tcp, struct rill_conn *conn, struct scoreboard *score)
{
	score->flying = score->lost = (struct record_list){SLAB_NONE, SLAB_NONE};
	score->sacked_bytes = score->sacked_segments = score->lost_bytes = score->ranges_count = 0;
	score->cursor = SLAB_NONE;
	for (uint32_t index = conn->txq_head; index != SLAB_NONE && index != conn->txq_unsent;
		index = tcp_record_at(tcp, index)->next) {
		struct record *record = tcp_record_at(tcp, index);

		record->flags = (uint8_t)((record->flags & ~RECORD_SACKED) | RECORD_LOST);
		list_append(tcp, &score->lost, index);
		score->lost_bytes += record->len;
	}
}

/* ---- SACK blocks */

void
score_advanced(struct scoreboard *score, seq_t snd_una)
{
	uint32_t gone = 0;

	while (gone < score->ranges_count && seq_leq(score->ranges[gone].end, snd_una))
		gone++;
	if (gone == 0)
		return;
	score->ranges_count -= gone;
	memmove(score->ranges, score->ranges + gone,
		score->ranges_count * sizeof(score->ranges[0]));
}

/* The first island that ends behind seq at. */
static uint32_t
range_find(const struct scoreboard *score, seq_t at)
{
	uint32_t low = 0, high = score->ranges_count;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (seq_leq(score->ranges[middle].end, at))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Records [start, end) were SACKed, the last one being `last`: widens, joins or adds an island. */
static void
range_add(struct scoreboard *score, seq_t start, seq_t end, uint32_t last)
{
	uint32_t i = range_find(score, start);
	bool joins_left = i > 0 && seq_eq(score->ranges[i - 1].end, start);
	bool joins_right = i < score->ranges_count && seq_eq(score->ranges[i].start, end);

	if (joins_left && joins_right) {
		score->ranges[i - 1].end = score->ranges[i].end;
		score->ranges[i - 1].last = score->ranges[i].last;
		score->ranges_count--;
		memmove(&score->ranges[i], &score->ranges[i + 1],
			(score->ranges_count - i) * sizeof(score->ranges[0]));
	} else if (joins_left) {
		score->ranges[i - 1].end = end;
		score->ranges[i - 1].last = last;
	} else if (joins_right) {
		score->ranges[i].start = start;
	} else if (score->ranges_count < SCORE_RANGES) {
		memmove(&score->ranges[i + 1], &score->ranges[i],
			(score->ranges_count - i) * sizeof(score->ranges[0]));
		score->ranges[i] = (struct score_range){start, end, last};
		score->ranges_count++;
	} else if (i > 0) { /* the lowest is forgotten: receivers report the newest */
		memmove(&score->ranges[0], &score->ranges[1], (i - 1) * sizeof(score->ranges[0]));
		score->ranges[i - 1] = (struct score_range){start, end, last};
	}
}

/* Where to look for the record at `at`: behind the island before it, or where the last search got
 * to, or at the head of the queue. */
static uint32_t
search_start(const struct tcp *tcp, const struct rill_conn *conn, const struct scoreboard *score,
	seq_t at, uint32_t i)
{
	uint32_t start =
		i > 0 ? tcp_record_at(tcp, score->ranges[i - 1].last)->next : conn->txq_head;

	if (score->cursor != SLAB_NONE && start != SLAB_NONE) {
		seq_t cursor = tcp_record_at(tcp, score->cursor)->seq;

		if (seq_leq(cursor, at) && seq_gt(cursor, tcp_record_at(tcp, start)->seq))
			return score->cursor;
	}
	return start;
}

/* The round trip of what was sent last among the records that this ACK SACKs. */
static uint32_t
newest_rtt_us(const struct tcp *tcp, const struct record *record, const struct ack_facts *facts)
{
	uint32_t rtt_us = most(us32(tcp->now) - txq_sent_us(tcp, record), 1);

	return facts->sack_rtt_us > 0 ? least(rtt_us, facts->sack_rtt_us) : rtt_us;
}

static void
record_sack(struct tcp *tcp, struct rill_conn *conn, struct scoreboard *score, uint32_t index,
	struct ack_facts *facts)
{
	struct record *record = tcp_record_at(tcp, index);

	list_remove(tcp, list_of(score, record), index);
	if (record->flags & RECORD_LOST) {
		record->flags &= (uint8_t)~RECORD_LOST;
		score->lost_bytes -= record->len;
	}
	record_delivered(tcp, conn, score, record, false, facts);
	if (!(record->flags & RECORD_RETX))
		facts->sack_rtt_us = newest_rtt_us(tcp, record, facts);
	if (conn_paces(conn))
		pace_delivered(tcp, conn, index, record->len);
	record->flags |= RECORD_SACKED;
	score->sacked_bytes += record->len;
	if (!(record->flags & RECORD_CONTINUES))
		score->sacked_segments++;
	facts->sacked += record->len;
}

/*
 * Marks the records that lie in [left, right), which no known island touches; i: the island behind
 * it. Returns false when the steps are used up.
 */
static bool
mark_gap(struct tcp *tcp, struct rill_conn *conn, struct scoreboard *score, seq_t left, seq_t right,
	uint32_t i, unsigned int *steps, struct ack_facts *facts)
{
	uint32_t index = search_start(tcp, conn, score, left, i), last = SLAB_NONE;
	seq_t start = left, end = left;

	if (*steps == 0)
		return false;

	for (; index != SLAB_NONE && index != conn->txq_unsent;
		index = tcp_record_at(tcp, index)->next) {
		const struct record *record = tcp_record_at(tcp, index);
		seq_t record_end = seq_add(record->seq, record->len);

		if (seq_gt(record_end, right))
			break;
		if (*steps == 0) {
			score->cursor = index;
			break;
		}
		(*steps)--;
		if (seq_lt(record->seq, left))
			continue;
		if (!(record->flags & RECORD_SACKED))
			record_sack(tcp, conn, score, index, facts);
		if (last == SLAB_NONE)
			start = record->seq;
		end = record_end;
		last = index;
	}
	if (last != SLAB_NONE)
		range_add(score, start, end, last);
	return *steps > 0;
}

/* What of a block is news. */
static void
mark_block(struct tcp *tcp, struct rill_conn *conn, struct scoreboard *score,
	const struct sack_block *block, unsigned int *steps, struct ack_facts *facts)
{
	seq_t at = block->left;

	while (seq_lt(at, block->right)) {
		uint32_t i = range_find(score, at);
		seq_t stop = block->right, next;

		if (i < score->ranges_count && seq_leq(score->ranges[i].start, at)) {
			at = score->ranges[i].end; /* known */
			continue;
		}
		next = stop;
		if (i < score->ranges_count && seq_lt(score->ranges[i].start, stop)) {
			stop = score->ranges[i].start;
			next = score->ranges[i].end;
		}
		if (!mark_gap(tcp, conn, score, at, stop, i, steps, facts)) {
			tcp->counters->sack_work_capped++;
			return;
		}
		at = next;
	}
}

/* Is the block inside what is outstanding? [RFC2018-10] */
static bool
block_is_sane(const struct rill_conn *conn, const struct sack_block *block)
{
	return seq_lt(block->left, block->right) && seq_gt(block->right, conn->snd_una) &&
	       seq_geq(block->left, conn->snd_una) && seq_leq(block->right, conn->snd_nxt);
}

/* Is the first block a DSACK: below the ACK, or inside the second? [2883 5] */
static bool
is_dsack(const struct segment *segment)
{
	const struct sack_block *first = &segment->sack[0], *second = &segment->sack[1];

	if (seq_geq(first->left, first->right))
		return false;
	if (seq_lt(first->left, segment->ack))
		return seq_leq(first->right, segment->ack);
	return segment->sack_count > 1 && seq_geq(first->left, second->left) &&
	       seq_leq(first->right, second->right);
}

void
score_blocks(struct tcp *tcp, struct rill_conn *conn, struct scoreboard *score,
	const struct segment *segment, struct ack_facts *facts)
{
	unsigned int steps = SCORE_STEPS_MAX, i = 0;

	if (is_dsack(segment)) {
		facts->dsack = true;
		tcp->counters->dsacks_in++;
		i = 1;
	}
	for (; i < segment->sack_count && steps > 0; i++) {
		const struct sack_block *block = &segment->sack[i];

		tcp->counters->sack_blocks_in++;
		if (block_is_sane(conn, block))
			mark_block(tcp, conn, score, block, &steps, facts);
		else
			tcp->counters->sack_bad_blocks++;
	}
}

/* ---- for tests and debug builds */

static uint32_t
list_check(const struct tcp *tcp, const struct record_list *list, uint8_t flags)
{
	uint32_t count = 0, before = SLAB_NONE;

	for (uint32_t index = list->head; index != SLAB_NONE;
		index = tcp_record_at(tcp, index)->list_next) {
		const struct record *record = tcp_record_at(tcp, index);

		RILL_ASSERT(record->list_prev == before);
		RILL_ASSERT((record->flags & (RECORD_SACKED | RECORD_LOST | RECORD_SENT)) == flags);
		before = index;
		count++;
	}
	RILL_ASSERT(list->tail == before);
	return count;
}

void
score_check(const struct tcp *tcp, const struct rill_conn *conn, const struct scoreboard *score)
{
	uint32_t listed = list_check(tcp, &score->flying, RECORD_SENT) +
			  list_check(tcp, &score->lost, RECORD_SENT | RECORD_LOST);
	uint32_t sacked = 0, segments = 0, lost = 0;

	for (uint32_t index = conn->txq_head; index != SLAB_NONE && index != conn->txq_unsent;
		index = tcp_record_at(tcp, index)->next) {
		const struct record *record = tcp_record_at(tcp, index);

		if (record->flags & RECORD_SACKED) {
			sacked += record->len;
			segments += !(record->flags & RECORD_CONTINUES);
		} else {
			listed--;
		}
		if (record->flags & RECORD_LOST)
			lost += record->len;
	}
	RILL_ASSERT(listed == 0 && lost == score->lost_bytes);
	RILL_ASSERT(!(conn->flags & CONN_SACK) || sacked == score->sacked_bytes);
	RILL_ASSERT(!(conn->flags & CONN_SACK) || segments == score->sacked_segments);
	for (uint32_t i = 0; i < score->ranges_count; i++)
		RILL_ASSERT(seq_gt(score->ranges[i].end, score->ranges[i].start) &&
			    seq_gt(score->ranges[i].end, conn->snd_una) &&
			    (i == 0 || seq_gt(score->ranges[i].start, score->ranges[i - 1].end)));
}
