/* SPDX-License-Identifier: BSD-3-Clause */
#include "timewait.h"

#include <rte_mbuf.h>

#include "input.h"
#include "isn.h"
#include "reply.h"

#define TIMEWAIT_PER_TIMER 1024 /* entries that one firing of the timer frees at most */

static struct timewait *
timewait_at(const struct tcp *tcp, uint32_t index)
{
	return slab_at(&tcp->timewaits, index);
}

static void
timewait_tuple(const struct timewait *entry, struct tuple *tuple)
{
	tuple->head = entry->key;
	tuple->addrs6 = entry->addrs6;
}

static void
ring_push(struct tcp *tcp, uint32_t index)
{
	uint32_t at = tcp->timewait_head + tcp->timewait_count++;

	if (at >= tcp->timewaits.capacity)
		at -= tcp->timewaits.capacity;
	tcp->timewait_ring[at] = index;
}

static uint32_t
ring_pop(struct tcp *tcp)
{
	uint32_t index = tcp->timewait_ring[tcp->timewait_head];

	if (++tcp->timewait_head == tcp->timewaits.capacity)
		tcp->timewait_head = 0;
	tcp->timewait_count--;
	return index;
}

/* The oldest entry goes. */
static void
ring_drop_oldest(struct tcp *tcp)
{
	uint32_t index = ring_pop(tcp);
	struct timewait *entry = timewait_at(tcp, index);
	struct tuple tuple;

	if (entry->flags & TIMEWAIT_DEAD) {
		tcp->timewaits_dead--;
	} else {
		timewait_tuple(entry, &tuple);
		table_remove(tcp->table, &tuple, table_handle(TABLE_TIME_WAIT, index));
	}
	slab_free(&tcp->timewaits, index);
}

static void
timer_cover_oldest(struct tcp *tcp)
{
	const struct timewait *oldest;
	int32_t ahead_ms;

	if (tcp->timewait_count == 0) {
		wheel_cancel(tcp->wheel, &tcp->timewait_timer);
		return;
	}
	oldest = timewait_at(tcp, tcp->timewait_ring[tcp->timewait_head]);
	ahead_ms = (int32_t)(oldest->expires_ms - ms32(tcp->now));
	wheel_arm(tcp->wheel, &tcp->timewait_timer,
		tcp->now + (ahead_ms > 0 ? (ustime)ahead_ms * USEC_PER_MSEC : 0));
}

bool
timewait_enter(struct tcp *tcp, const struct rill_conn *conn)
{
	bool closed = conn->state != RILL_TIME_WAIT;
	struct timewait *entry;
	struct tuple tuple;
	uint32_t index;

	if (tcp->timewaits.capacity == 0)
		return false;
	if (tcp->timewait_count == tcp->timewaits.capacity) {
		tcp->counters->timewait_dropped++;
		if (closed) /* a flood of SYNs must not end what the RFC wants */
			return false;
		ring_drop_oldest(tcp);
	}
	index = slab_alloc(&tcp->timewaits);
	RILL_ASSERT(index != SLAB_NONE);
	entry = timewait_at(tcp, index);
	conn_tuple(conn, &tuple);
	*entry = (struct timewait){
		.addrs6 = tuple.addrs6,
		.snd_nxt = conn->snd_nxt,
		.rcv_nxt = conn->rcv_nxt,
		.ts_recent = conn->ts_recent,
		.expires_ms = ms32(tcp->now) + 2 * tcp->limits.msl_ms,
	};
	entry->key = tuple.head;
	entry->flags = (uint8_t)((conn->flags & CONN_TS ? TIMEWAIT_TS : 0) |
				 (closed ? TIMEWAIT_CLOSED : 0));
	table_replace(tcp->table, &tuple, table_handle(TABLE_CONN, tcp_conn_index(tcp, conn)),
		table_handle(TABLE_TIME_WAIT, index));
	ring_push(tcp, index);
	if (!wheel_is_armed(&tcp->timewait_timer))
		timer_cover_oldest(tcp);
	return true;
}

uint32_t
timewait_live(const struct tcp *tcp)
{
	return tcp->timewaits.used - tcp->timewaits_dead;
}

void
tcp_timewait_timer(struct tcp *tcp)
{
	uint32_t now_ms = ms32(tcp->now);

	for (unsigned int n = 0; n < TIMEWAIT_PER_TIMER && tcp->timewait_count > 0; n++) {
		struct timewait *oldest = timewait_at(tcp, tcp->timewait_ring[tcp->timewait_head]);

		if ((oldest->flags & TIMEWAIT_DEAD) || time32_due(oldest->expires_ms, now_ms)) {
			ring_drop_oldest(tcp);
		} else if (oldest->flags & TIMEWAIT_RESTARTED) { /* a FIN came again [9293 E26] */
			oldest->flags &= (uint8_t)~TIMEWAIT_RESTARTED;
			ring_push(tcp, ring_pop(tcp));
		} else {
			break;
		}
	}
	timer_cover_oldest(tcp);
}

/* The ACK that TIME-WAIT answers with. */
static void
answer(struct tcp *tcp, const struct timewait *entry, struct segment *segment)
{
	struct reply reply = {
		.flags = TCP_ACK,
		.seq = entry->snd_nxt,
		.ack = entry->rcv_nxt,
		.wnd = 0xffff,
	};

	if (entry->flags & TIMEWAIT_TS) {
		reply.options.has = SEG_HAS_TS;
		reply.options.tsval = ms32(tcp->now) + ts_offset(&tcp->isn_key, &segment->tuple);
		reply.options.tsecr = entry->ts_recent;
	}
	reply_send(tcp, segment, &reply);
}

/*
 * Text or FIN: somebody waits for the ACK of it, so it is answered for certain. A SYN, or an ACK
 * out of place, is answered within the challenge budget: two ends in TIME-WAIT that lost step would
 * answer each other for ever [5961 7, 10].
 */
static bool
takes_text(const struct segment *segment)
{
	return segment_len(segment) > 0 && !(segment->flags & TCP_SYN);
}

static void
challenge(struct tcp *tcp, const struct timewait *entry, struct segment *segment)
{
	if (!challenge_allow(&tcp->challenge, tcp->now)) {
		drop_packet(tcp->counters, segment->mbuf, RILL_DROP_tcp_challenge_rate);
		return;
	}
	count_drop(tcp->counters, RILL_DROP_tcp_time_wait);
	tcp->counters->challenge_acks++;
	answer(tcp, entry, segment);
}

/*
 * May this SYN begin a new incarnation? By timestamps if both have them, else by sequence [6191 2].
 */
static bool
syn_is_newer(const struct tcp *tcp, const struct timewait *entry, const struct segment *segment)
{
	bool newer_seq = seq_gt(segment->seq, entry->rcv_nxt);
	bool had_ts = entry->flags & TIMEWAIT_TS, has_ts = listen_offers_ts(tcp, segment);

	if (!had_ts || !has_ts)
		return newer_seq || (!had_ts && has_ts);
	if (segment->tsval == entry->ts_recent)
		return newer_seq;
	return (int32_t)(segment->tsval - entry->ts_recent) > 0;
}

/*
 * A SYN: of a new incarnation, or an old duplicate. Timestamps prove that it is old: it is dropped
 * in silence [6191 2]. Where there are none it is challenged [9293 3.10.7.4, 5961 4.2].
 */
static void
take_syn(struct tcp *tcp, uint32_t index, struct segment *segment)
{
	struct timewait *entry = timewait_at(tcp, index);

	if (!syn_is_newer(tcp, entry, segment)) {
		if (entry->flags & TIMEWAIT_TS)
			drop_packet(tcp->counters, segment->mbuf, RILL_DROP_tcp_time_wait);
		else
			challenge(tcp, entry, segment);
		return;
	}
	if (!listen_reopens(tcp, segment, entry->flags & TIMEWAIT_TS)) {
		drop_packet(tcp->counters, segment->mbuf, RILL_DROP_tcp_backlog_full);
		return;
	}
	table_remove(tcp->table, &segment->tuple, table_handle(TABLE_TIME_WAIT, index));
	entry->flags |= TIMEWAIT_DEAD;
	tcp->timewaits_dead++;
	tcp->counters->timewait_reused++;
	input_listen(tcp, segment, entry->snd_nxt, true);
}

static void
timewait_restart(const struct tcp *tcp, struct timewait *entry)
{
	entry->expires_ms = ms32(tcp->now) + 2 * tcp->limits.msl_ms;
	entry->flags |= TIMEWAIT_RESTARTED;
}

void
input_time_wait(struct tcp *tcp, uint32_t index, struct segment *segment)
{
	struct timewait *entry = timewait_at(tcp, index);

	if ((segment->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN) {
		take_syn(tcp, index, segment);
		return;
	}
	if (segment->flags & TCP_RST) { /* does not end it [1337] */
		drop_packet(tcp->counters, segment->mbuf, RILL_DROP_tcp_time_wait);
		return;
	}
	if (entry->flags & TIMEWAIT_CLOSED) { /* [9293 3.10.7.1] */
		reply_rst(tcp, segment, RILL_DROP_tcp_time_wait);
		return;
	}
	/* A FIN that is repeated restarts the wait [9293 E26]. */
	if ((segment->flags & TCP_FIN) &&
		seq_eq(seq_add(segment->seq, segment_len(segment)), entry->rcv_nxt))
		timewait_restart(tcp, entry);
	if (takes_text(segment)) {
		count_drop(tcp->counters, RILL_DROP_tcp_time_wait);
		answer(tcp, entry, segment);
	} else if (segment_len(segment) == 0 && seq_eq(segment->seq, entry->rcv_nxt)) {
		/* a plain ACK: nothing to say */
		drop_packet(tcp->counters, segment->mbuf, RILL_DROP_tcp_time_wait);
	} else {
		challenge(tcp, entry, segment);
	}
}
