/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a connection says in its turn: retransmissions first, then new data, FIN, and an ACK if one
 * is still owed.
 */
#include <rte_mbuf.h>

#include "deliver.h"
#include "ecn.h"
#include "emit.h"
#include "loss.h"
#include "output.h"
#include "pace.h"
#include "pathmtu.h"
#include "rcvwnd.h"
#include "scoreboard.h"
#include "spurious.h"
#include "timers.h"
#include "tlp.h"
#include "tso.h"
#include "txq.h"

#define GATHER_MAX 64u /* records of one segment */

/* Payload bytes of a full segment now: SACK blocks take room from it. */
static uint32_t
segment_max(const struct tcp *tcp, const struct rill_conn *conn)
{
	uint32_t timestamps = (conn->flags & CONN_TS) ? 12 : 0;

	if (conn->sidecar == SLAB_NONE && !(conn->modes & MODE_UTO_DUE))
		return conn->mss;
	return conn->mss + timestamps - emit_options_len(tcp, conn);
}

/* Records that one frame may chain; 0: it is copied. */
static unsigned int
chain_max(const struct tcp *tcp)
{
	return (tcp->netif->caps & NETIF_TX_CHAINS) ? tcp->netif->tx_chain_max - 1u : 0u;
}

/* Payload bytes that a copied frame has room for. */
static uint32_t
copy_max(const struct tcp *tcp)
{
	return rte_pktmbuf_data_room_size(tcp->buf_pool) - RTE_PKTMBUF_HEADROOM;
}

/*
 * Whole records from index on, whose flags are `value` under `mask`, up to *len bytes: the last one
 * is split to fit. Returns how many, and the bytes in *len. 0: not even the first could be split.
 * More of them than the port can chain are copied into one buffer while there are enough: small
 * records would make small segments, and as many of them as bytes fit cwnd.
 */
static unsigned int
gather(struct tcp *tcp, struct rill_conn *conn, uint32_t index, uint8_t mask, uint8_t value,
	uint32_t *len)
{
	unsigned int count = 0, chained = chain_max(tcp);
	uint32_t left = *len, room;

	while (index != SLAB_NONE && left > 0 && count < GATHER_MAX) {
		struct record *record = tcp_record_at(tcp, index);

		if ((record->flags & mask) != value || (count == chained && count > 0 && tcp->buf_low))
			break;
		room = count == chained ? copy_max(tcp) : *len;
		if (*len - left >= room)
			break;
		if (*len > room) {
			left -= *len - room;
			*len = room;
		}
		if (record->len > left && !txq_split(tcp, conn, index, left))
			break;
		left -= record->len;
		index = record->next;
		count++;
	}
	*len -= left;
	return count;
}

static void
count_retransmit(struct tcp *tcp, struct rill_conn *conn)
{
	tcp->counters->retransmits++;
	if (conn->retransmits < UINT16_MAX)
		conn->retransmits++;
	spurious_sent_again(tcp, conn);
}

/* Sends records again that were sent before. Returns the bytes; 0: nothing could be sent. */
static uint32_t
retransmit(struct tcp *tcp, struct rill_conn *conn, uint32_t index, uint8_t mask, uint8_t value)
{
	uint32_t len = segment_max(tcp, conn), at = index;
	unsigned int count = gather(tcp, conn, index, mask, value, &len);
	uint8_t flags = TCP_ACK;

	if (count == 0)
		return 0;
	for (unsigned int i = 0; i < count; i++) {
		struct record *record = tcp_record_at(tcp, at);

		if (outbox_waiting(tcp->outbox, record->ticket))
			return 0; /* the NIC has not even taken the last transmission */
		at = record->next;
	}
	if (at == SLAB_NONE) {
		flags |= TCP_PSH;
		if (conn->flags & CONN_FIN_SENT)
			flags |= TCP_FIN;
	}
	if (!emit_segment(tcp, conn, flags, tcp_record_at(tcp, index)->seq, index, count))
		return 0;
	count_retransmit(tcp, conn);
	loss_sent(tcp, conn, len);
	if (index == conn->txq_head)
		timers_head_sent_again(tcp, conn);
	else
		timers_data_sent(tcp, conn, false);
	return len;
}

/* The FIN, when only that is outstanding. */
static uint32_t
retransmit_fin(struct tcp *tcp, struct rill_conn *conn)
{
	if (!(conn->flags & CONN_FIN_SENT) || !emit_segment(tcp, conn, TCP_FIN | TCP_ACK,
						      seq_sub(conn->snd_nxt, 1), SLAB_NONE, 0))
		return 0;
	count_retransmit(tcp, conn);
	return 1;
}

/* The head of the queue, whatever cwnd says. */
static void
retransmit_head(struct tcp *tcp, struct rill_conn *conn)
{
	conn->flags &= ~CONN_RETX_HEAD;
	if (conn_outstanding(conn) == 0)
		return;
	if (conn->txq_head != SLAB_NONE)
		retransmit(tcp, conn, conn->txq_head, RECORD_SENT | RECORD_SACKED, RECORD_SENT);
	else
		retransmit_fin(tcp, conn);
}

/* What recovery holds for lost, as far as cwnd allows and the window reaches. */
static void
retransmit_lost(struct tcp *tcp, struct rill_conn *conn)
{
	const struct scoreboard *score = score_of(tcp, conn);
	seq_t edge = seq_add(conn->snd_una, conn->snd_wnd);

	while (score != NULL && score->lost.head != SLAB_NONE && outbox_room(tcp->outbox) > 0) {
		uint32_t index = score->lost.head;
		const struct record *record = tcp_record_at(tcp, index);
		uint32_t len = RTE_MIN(record->len, segment_max(tcp, conn));
		uint32_t flight = loss_flight(tcp, conn);

		if (flight > 0 && flight + len > conn->cc.cwnd) {
			conn->flags |= CONN_CWND_LIMITED;
			return;
		}
		if (seq_geq(record->seq, edge) || !pace_allows(tcp, conn) ||
			retransmit(tcp, conn, index, RECORD_LOST | RECORD_SACKED, RECORD_LOST) == 0)
			return;
	}
	if (score != NULL && score->lost.head != SLAB_NONE)
		conn_mark_dirty(tcp, conn); /* it was room that ran out */
}

/* Bytes of new data that the peer's window takes; negative when it has shrunk [SHLD-15]. */
static int32_t
usable_window(const struct rill_conn *conn)
{
	return seq_diff(seq_add(conn->snd_una, conn->snd_wnd), conn->snd_nxt);
}

/*
 * May a segment of len bytes, less than a full one, leave now? Nagle [9293 3.7.4], cork, and the
 * sender's silly window avoidance [9293 3.8.6.2.1]. If it has to wait for a timer, arms it.
 */
static bool
small_segment_may_leave(struct tcp *tcp, struct rill_conn *conn, uint32_t len, uint32_t unsent)
{
	const struct rill_options *options = conn_options(tcp, conn);
	bool outstanding = conn_outstanding(conn) > 0;
	const struct sidecar *sidecar = conn_sidecar(tcp, conn);

	if (conn->flags & (CONN_PUSH_OUT | CONN_TLP))
		return true;
	if (len < unsent) { /* the window cuts it */
		if (len >= conn->snd_wnd_max / 2)
			return true;
		if (!outstanding)
			timers_window_blocked(tcp, conn);
		return false;
	}
	if (conn->flags & CONN_FIN_QUEUED)
		return true;
	if (sidecar != NULL && (sidecar->flags & SIDECAR_URG_OUT))
		return true;
	if (options->cork) {
		if (!outstanding)
			timers_corked(tcp, conn);
		return false;
	}
	return options->nodelay || !outstanding;
}

/* How many bytes of new data may go in the next segment, which is full with mss. 0: none. */
static uint32_t
new_data_len(struct tcp *tcp, struct rill_conn *conn, uint32_t mss)
{
	uint32_t unsent = txq_unsent_bytes(conn), len, flight;
	int32_t usable = usable_window(conn);

	if (unsent == 0 || ecn_waits(conn))
		return 0;
	if (usable <= 0) {
		if (loss_flight(tcp, conn) + mss <= conn->cc.cwnd)
			conn->flags &= ~CONN_CWND_LIMITED; /* the peer's window is what limits */
		if (conn_outstanding(conn) > 0)
			return 0; /* the retransmission timer runs and probes */
		if (conn->flags & CONN_PUSH_OUT) {
			tcp->counters->window_probes++;
			return 1;
		}
		timers_window_blocked(tcp, conn);
		return 0;
	}
	len = RTE_MIN(unsent, mss);
	len = RTE_MIN(len, (uint32_t)usable);
	flight = loss_flight(tcp, conn);
	if (flight > 0 && flight + len > conn->cc.cwnd && !(conn->flags & CONN_TLP)) {
		conn->flags |= CONN_CWND_LIMITED;
		return 0;
	}
	if (len < mss && !small_segment_may_leave(tcp, conn, len, unsent))
		return 0;
	conn->flags &= ~CONN_PROBING;
	return len;
}

void
output_restart_after_idle(struct tcp *tcp, struct rill_conn *conn)
{
	const struct rill_options *options = conn_options(tcp, conn);
	uint32_t idle_ms = ms32(tcp->now) - conn->stall_ms, restart = 0;

	if (idle_ms == 0)
		return;
	if (options->slow_start_after_idle && idle_ms > timers_rto_us(tcp, conn) / USEC_PER_MSEC)
		restart = cc_initial_window(conn->mss, (uint32_t)options->initial_window);
	cc_after_idle(&conn->cc, tcp->now, (ustime)idle_ms * USEC_PER_MSEC, restart);
	conn->stall_ms = ms32(tcp->now); /* told once, should sending fail now */
}

/* The segment of new data, full with mss, that leaves now. Its count is 0 if nothing can be sent. */
static struct train
next_segment(struct tcp *tcp, struct rill_conn *conn, uint32_t mss)
{
	struct train train = {.index = conn->txq_unsent, .segments = 1, .mss = UINT32_MAX};

	train.len = new_data_len(tcp, conn, mss);
	if (train.len == 0)
		return train;
	if (conn_outstanding(conn) == 0)
		output_restart_after_idle(tcp, conn);
	if (unlikely(train.len > conn->mss) && !pathmtu_probe_fits(tcp, conn, train.len))
		train.len = segment_max(tcp, conn); /* too little window is left for a probe */
	train.count = gather(tcp, conn, train.index, RECORD_SENT, 0, &train.len);
	return train;
}

/* Sends new data, a segment or a train. Returns the bytes; 0: there was no buffer. */
static uint32_t
send_train(struct tcp *tcp, struct rill_conn *conn, const struct train *train)
{
	uint32_t next = train->index;
	uint8_t flags = TCP_ACK;

	for (unsigned int i = 0; i < train->count; i++)
		next = tcp_record_at(tcp, next)->next;
	if (next == SLAB_NONE) {
		flags |= TCP_PSH; /* the last of what is queued [MUST-61] */
		if (conn->flags & CONN_FIN_QUEUED)
			flags |= TCP_FIN;
	}
	if (!emit_train(tcp, conn, flags, train))
		return 0;
	conn->txq_unsent = next;
	conn->snd_nxt = seq_add(conn->snd_nxt, train->len);
	if (flags & TCP_FIN) {
		conn->flags |= CONN_FIN_SENT;
		conn->snd_nxt = seq_add(conn->snd_nxt, 1);
	}
	loss_sent(tcp, conn, train->len);
	return train->len;
}

/* One segment of new data, full with mss. Returns the bytes; 0: nothing could be sent. The caller
 * sees to the timer, once for all that it sends. */
static uint32_t
send_new_segment(struct tcp *tcp, struct rill_conn *conn, uint32_t mss)
{
	struct train train = next_segment(tcp, conn, mss);

	if (train.count == 0 || send_train(tcp, conn, &train) == 0)
		return 0;
	if (unlikely(train.len > conn->mss))
		pathmtu_probe_sent(tcp, conn, train.index, train.count);
	return train.len;
}

/* The same with others behind it in the same frame, `most` bytes in all, where the port cuts frames. */
static uint32_t
send_new_segments(struct tcp *tcp, struct rill_conn *conn, uint32_t mss, uint32_t most)
{
	struct train first, train;

	if (likely(!tso_is_possible(tcp, conn, mss)))
		return send_new_segment(tcp, conn, mss);
	first = next_segment(tcp, conn, mss);
	if (first.count == 0)
		return 0;
	train = first;
	if (train.len == mss) {
		train.mss = mss;
		tso_grow(tcp, conn, &train, most);
	}
	if (train.segments > 1 && send_train(tcp, conn, &train) > 0)
		return train.len;
	return send_train(tcp, conn, &first); /* alone; or there were not so many buffers */
}

/*
 * A loss probe: one segment of new data, though it exceed cwnd; else the last one that was sent,
 * again [8985 7.3].
 */
static void
speak_probe(struct tcp *tcp, struct rill_conn *conn)
{
	const struct scoreboard *score;
	bool again = false;
	uint32_t sent = 0;

	if (tlp_is_possible(tcp, conn) && conn_outstanding(conn) > 0 &&
		(score = score_open(tcp, conn)) != NULL) {
		if (usable_window(conn) > 0)
			sent = send_new_segment(tcp, conn, segment_max(tcp, conn));
		again = sent == 0;
		if (again && score->flying.tail != SLAB_NONE)
			sent = retransmit(tcp, conn, score->flying.tail,
				RECORD_SENT | RECORD_SACKED, RECORD_SENT);
		else if (again && conn->txq_head == SLAB_NONE)
			sent = retransmit_fin(tcp, conn);
		if (sent > 0)
			tlp_sent(tcp, conn, again);
	}
	conn->flags &= ~CONN_TLP;
	if (conn_outstanding(conn) > 0)
		timers_restart_rto(tcp, conn);
}

static void
send_fin(struct tcp *tcp, struct rill_conn *conn)
{
	bool first = conn_outstanding(conn) == 0;

	if (!emit_segment(tcp, conn, TCP_FIN | TCP_ACK, conn->snd_nxt, SLAB_NONE, 0)) {
		timers_room_wanted(tcp, conn);
		return;
	}
	conn->flags |= CONN_FIN_SENT;
	conn->snd_nxt = seq_add(conn->snd_nxt, 1);
	timers_data_sent(tcp, conn, first);
}

/* New data up to the quantum. Returns whether the quantum is used up. */
static bool
send_quantum(struct tcp *tcp, struct rill_conn *conn)
{
	bool first = conn_outstanding(conn) == 0;
	uint32_t sent = 0, len, probe = 0;

	if (unlikely(conn->modes & MODE_PATH_LOW))
		probe = pathmtu_probe_len(tcp, conn);
	while (conn->txq_unsent != SLAB_NONE && sent < TCP_QUANTUM_BYTES &&
		outbox_room(tcp->outbox) > 0 && pace_allows(tcp, conn)) {
		len = unlikely(probe > 0)
			      ? send_new_segment(tcp, conn, probe)
			      : send_new_segments(tcp, conn, segment_max(tcp, conn),
					TCP_QUANTUM_BYTES - sent);
		if (len == 0)
			break;
		sent += len;
		probe = 0;
	}
	if (sent > 0)
		timers_data_sent(tcp, conn, first);
	return sent >= TCP_QUANTUM_BYTES && conn->txq_unsent != SLAB_NONE;
}

/* New data, and the FIN behind the last of it. */
static void
send_new(struct tcp *tcp, struct rill_conn *conn)
{
	if (send_quantum(tcp, conn)) {
		conn_mark_dirty(tcp, conn); /* the others first */
		return;
	}
	if (conn->txq_unsent == SLAB_NONE && conn_paces(conn))
		pace_drained(tcp, conn);
	conn->flags &= ~CONN_PUSH_OUT;
	if (conn->txq_unsent == SLAB_NONE && !(conn->flags & (CONN_RECOVERY | CONN_RTO_RECOVERY)))
		conn->flags &=
			~CONN_CWND_LIMITED; /* it was the data that ran out, not the window */
	/* ACKs or a timer serve what waits for them; the rest waits for room among the frames, or
	 * for a buffer or a record. */
	if (conn->txq_unsent != SLAB_NONE && outbox_room(tcp->outbox) == 0)
		conn_mark_dirty(tcp, conn);
	else if (conn->txq_unsent != SLAB_NONE && conn_outstanding(conn) == 0 &&
		 !(conn->modes & MODE_PACED))
		timers_room_wanted(tcp, conn);
	if (conn->txq_unsent == SLAB_NONE &&
		(conn->flags & (CONN_FIN_QUEUED | CONN_FIN_SENT)) == CONN_FIN_QUEUED)
		send_fin(tcp, conn);
}

/* An ACK of its own, if one is owed that nothing carried; a full buffer pool leaves it owed. */
static void
send_owed_ack(struct tcp *tcp, struct rill_conn *conn)
{
	uint32_t unacked = conn->rcv_nxt.n - conn->rcv_acked.n;

	/* At least every second full segment [SHLD-19]; nothing may wait where delay is off. */
	if (unacked >= 2u * conn->mss ||
		(unacked > 0 &&
			seq_eq(conn->rcv_nxt, conn->rcv_adv)) || /* the peer is blocked by us */
		(unacked > 0 && conn_options(tcp, conn)->delayed_ack_us == 0))
		conn->flags |= CONN_ACK_NOW;
	if (conn->flags & CONN_ACK_NOW) {
		if (!emit_ack(tcp, conn))
			timers_ack_held_up(tcp, conn);
	} else if (unacked > 0) {
		timers_ack_owed(tcp, conn);
	}
}

/* SYN, or SYN,ACK of a simultaneous open; again when the timer asks for it. */
static void
speak_opening(struct tcp *tcp, struct rill_conn *conn)
{
	bool first = conn_outstanding(conn) == 0;

	if (!first && !(conn->flags & (CONN_RETX_HEAD | CONN_ACK_NOW)))
		return;
	if (!emit_syn(tcp, conn)) {
		timers_room_wanted(tcp, conn);
		return;
	}
	conn->flags &= ~CONN_RETX_HEAD;
	if (first) {
		conn->snd_nxt = seq_add(conn->snd_una, 1);
		conn->stall_ms = ms32(tcp->now);
	} else {
		count_retransmit(tcp, conn);
	}
	timers_data_sent(tcp, conn, first);
}

static void
speak_keepalive(struct tcp *tcp, struct rill_conn *conn)
{
	conn->flags &= ~CONN_KEEPALIVE_PROBE;
	/* Something was heard or sent while it waited for the next hop or a buffer [MUST-26]. */
	if (conn_keep_probes(conn) == 0 || conn_outstanding(conn) > 0)
		return;
	/*
	 * One below snd_nxt, without data: the peer must answer [9293 3.8.4]. It lies outside the peer's
	 * window, who does not look at what it acknowledges: an ACK that is owed goes before it.
	 */
	if ((seq_eq(conn->rcv_nxt, conn->rcv_acked) || emit_ack(tcp, conn)) &&
		emit_segment(tcp, conn, TCP_ACK, seq_sub(conn->snd_nxt, 1), SLAB_NONE, 0)) {
		tcp->counters->keepalive_probes++;
		return;
	}
	/* It counts among those that were not answered: it leaves as soon as there is a buffer. */
	conn->flags |= CONN_KEEPALIVE_PROBE;
	timers_ack_held_up(tcp, conn);
}

void
output_conn(struct tcp *tcp, struct rill_conn *conn)
{
	bool judging;

	if (!emit_path_ready(tcp, conn))
		return;
	if (!conn_is_synchronized(conn)) {
		speak_opening(tcp, conn);
		return;
	}
	if (conn->txq_bytes > 0)
		pathmtu_follow(tcp, conn);
	conn->modes &= (uint16_t)~MODE_PACED;
	if (conn->flags & CONN_TLP)
		speak_probe(tcp, conn);
	if (conn->flags & CONN_RETX_HEAD)
		retransmit_head(tcp, conn);
	judging = spurious_wants_new_data(tcp, conn);
	if ((conn->flags & (CONN_RECOVERY | CONN_RTO_RECOVERY)) && !judging)
		retransmit_lost(tcp, conn);
	if (conn->txq_unsent != SLAB_NONE || (conn->flags & CONN_FIN_QUEUED))
		send_new(tcp, conn);
	if (judging && spurious_wants_new_data(tcp, conn)) { /* none could leave */
		spurious_give_up(tcp, conn);
		retransmit_lost(tcp, conn);
	}
	if (conn->flags & CONN_KEEPALIVE_PROBE)
		speak_keepalive(tcp, conn);
	send_owed_ack(tcp, conn);
	if (conn->sidecar != SLAB_NONE) /* a duplicate was all that it was for, say */
		conn_drop_idle_sidecar(tcp, conn);
}

/*
 * Calls that a connection is waiting for, which its own calls or the state of the pools made due.
 */
static void
speak_events(struct tcp *tcp, struct rill_conn *conn)
{
	if (conn->flags & CONN_DELIVER) {
		conn->flags &= ~CONN_DELIVER;
		deliver_kept(tcp, conn);
		if (conn->flags & CONN_ENDED)
			return;
	}
	if ((conn->flags & CONN_WANTS_ROOM) && conn->txq_bytes == 0 && conn_can_send(conn)) {
		if (tcp->buf_low || tcp->rx_low ||
			txq_records_free(tcp) <= txq_record_reserve(tcp)) {
			timers_room_wanted(tcp, conn); /* still none: look again a little later */
		} else {
			conn->flags &= ~CONN_WANTS_ROOM;
			deliver_sent(tcp, conn, 0);
		}
	}
	if (conn->flags & CONN_WINDOW_UPDATE) {
		conn->flags &= ~CONN_WINDOW_UPDATE;
		if (!(conn->flags & CONN_ENDED) && conn_can_receive(conn) &&
			rcvwnd_update_due(tcp, conn))
			conn->flags |= CONN_ACK_NOW;
	}
}

/* One round: everybody who is dirty now gets a turn of a quantum. */
static void
speak_round(struct tcp *tcp)
{
	for (uint32_t n = tcp->dirty.count; n > 0 && outbox_room(tcp->outbox) > 0; n--) {
		struct rill_conn *conn = tcp_conn_at(tcp, tcp->dirty.head);

		conn_list_remove(tcp, &tcp->dirty, conn);
		conn->flags &= ~CONN_DIRTY;
		if (!output_fast(tcp, conn)) {
			speak_events(tcp, conn);
			if (!(conn->flags & (CONN_ENDED | CONN_PARKED | CONN_FINISHED)))
				output_conn(tcp, conn);
		}
		if (tcp->dirty.head == TCP_LIST_END)
			return;
	}
}

void
tcp_speak(struct tcp *tcp)
{
	uint32_t put;

	/* More rounds while frames come out of them: who is dirty and silent waits for the next
	 * turn. */
	do {
		put = tcp->outbox->put;
		speak_round(tcp);
	} while (tcp->dirty.count > 0 && tcp->outbox->put != put && outbox_room(tcp->outbox) > 0);
}
