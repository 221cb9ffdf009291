/* SPDX-License-Identifier: BSD-3-Clause */
#include "half_open.h"

#include <rte_mbuf.h>

#include "cookies.h"
#include "deliver.h"
#include "ecn.h"
#include "input.h"
#include "open.h"
#include "rcvwnd.h"
#include "reply.h"
#include "timers.h"
#include "uto.h"

#define HALF_OPEN_RTO_MAX_US 16000000u /* back-off of SYN,ACKs ends here */
#define HALF_OPEN_RETRIES_PRESSED 1    /* SYN,ACKs sent again while half of the room is taken */

/* Frees a slot whose handle is not in the table any more. */
static void
half_open_release(struct tcp *tcp, uint32_t index)
{
	struct half_open *half = half_open_at(tcp, index);

	wheel_cancel(tcp->wheel, &half->timer);
	tcp->listeners[half->listener].half_open--;
	half->key.family = 0; /* tells a free slot */
	slab_free(&tcp->half_opens, index);
}

static void
half_open_free(struct tcp *tcp, uint32_t index)
{
	const struct half_open *half = half_open_at(tcp, index);
	struct tuple tuple = {.head = half->key, .addrs6 = half->addrs6};

	table_remove(tcp->table, &tuple, table_handle(TABLE_SYN_RECEIVED, index));
	half_open_release(tcp, index);
}

void
half_open_syn_ack(const struct tcp *tcp, const struct half_open *half, struct reply *reply)
{
	const struct rill_options *options = listener_options(tcp, &tcp->listeners[half->listener]);

	*reply = (struct reply){
		.flags = TCP_SYN | TCP_ACK | ecn_syn_ack_flags(half->modes),
		.ttl = (uint8_t)options->ttl,
		.dscp = (uint8_t)options->dscp,
		.wnd = (uint16_t)half->rcv_wnd, /* not scaled in a SYN [7323 2.2] */
		.seq = half->iss,
		.ack = seq_add(half->irs, 1),
		.options =
			{
				.has = SEG_HAS_MSS | half->has,
				.mss = rcvwnd_mss_to_offer(tcp, options, half->key.family),
				.wscale = half->rcv_wscale,
				.tsval = ms32(tcp->now) + half->ts_offset,
				.tsecr = half->ts_recent,
			},
	};
	uto_offer(options, &reply->options);
}

static uint32_t
half_open_rto_us(const struct tcp *tcp, const struct half_open *half)
{
	const struct rill_options *options = listener_options(tcp, &tcp->listeners[half->listener]);
	uint32_t initial_us = (uint32_t)options->rto_initial_us;
	uint64_t rto_us = (uint64_t)initial_us << half->retries;
	uint32_t most_us = RTE_MAX(HALF_OPEN_RTO_MAX_US, initial_us);

	return rto_us < most_us ? (uint32_t)rto_us : most_us;
}

bool
half_open_has_room(const struct tcp *tcp, const struct rill_listener *listener)
{
	return listener->half_open < (uint32_t)listener_options(tcp, listener)->backlog &&
	       tcp->half_opens.used < tcp->half_opens.capacity;
}

struct half_open
half_open_of(const struct tcp *tcp, const struct rill_listener *listener,
	const struct segment *segment, const struct agreement *agreement, uint32_t ts_offset)
{
	const struct rill_options *options = listener_options(tcp, listener);
	struct half_open half = {
		.addrs6 = segment->tuple.addrs6,
		.listener = (uint32_t)(listener - tcp->listeners),
		.ts_recent = segment->tsval,
		.ts_offset = ts_offset,
		.mss = agreement->peer_mss,
		.modes = agreement->modes,
		.uto_s = uto_of_syn(options, segment),
		.rcv_wnd = RTE_MIN((uint32_t)options->rcvbuf, 65535u),
		.sent_us = us32(tcp->now),
		.timer.kind = tcp->half_open_timer_kind,
	};

	half.key = segment->tuple.head;
	half.has = agreement->has;
	half.snd_wscale = agreement->snd_wscale & 15;
	half.rcv_wscale = agreement->rcv_wscale & 15;
	half.retries = 0;
	return half;
}

bool
half_open_begin(struct tcp *tcp, struct rill_listener *listener, struct segment *segment,
	const struct agreement *agreement, const struct isn *isn)
{
	struct half_open *half;
	struct reply reply;
	uint32_t index;

	if (!half_open_has_room(tcp, listener))
		return false;
	index = slab_alloc(&tcp->half_opens);
	half = half_open_at(tcp, index);
	*half = half_open_of(tcp, listener, segment, agreement, isn->ts_offset);
	half->iss = isn->iss;
	half->irs = segment->seq;
	if (table_insert(tcp->table, &segment->tuple, table_handle(TABLE_SYN_RECEIVED, index)) !=
		0) {
		half->key.family = 0;
		slab_free(&tcp->half_opens, index);
		return false;
	}
	listener->half_open++;
	wheel_arm(tcp->wheel, &half->timer, tcp->now + half_open_rto_us(tcp, half));
	half_open_syn_ack(tcp, half, &reply);
	reply_send(tcp, segment, &reply);
	return true;
}

/* RST to a peer that waits for us, as far as strangers get RSTs, and the slot is free. */
static void
half_open_abort(struct tcp *tcp, uint32_t index)
{
	const struct half_open *half = half_open_at(tcp, index);
	struct tuple tuple = {.head = half->key, .addrs6 = half->addrs6};
	struct reply reply;

	if (outbox_has_control_room(tcp->outbox) && token_take(&tcp->rst_tokens, tcp->now)) {
		half_open_syn_ack(tcp, half, &reply);
		reply.flags = TCP_RST | TCP_ACK;
		reply.seq = seq_add(half->iss, 1);
		reply.wnd = 0;
		reply.options.has = 0;
		tcp->counters->resets_sent++;
		reply_send_to(tcp, &tuple, &reply);
	}
	half_open_free(tcp, index);
}

void
half_open_abort_all(struct tcp *tcp, const struct rill_listener *listener)
{
	uint32_t left = listener != NULL ? listener->half_open : tcp->half_opens.used;

	for (uint32_t i = 0; i < tcp->half_opens.fresh && left > 0; i++) {
		const struct half_open *half = half_open_at(tcp, i);

		if (half->key.family == 0 ||
			(listener != NULL && &tcp->listeners[half->listener] != listener))
			continue;
		half_open_abort(tcp, i);
		left--;
	}
}

void
half_open_abort_addr(struct tcp *tcp, const struct rill_addr *addr)
{
	for (uint32_t i = 0; i < tcp->half_opens.fresh; i++)
		if (tuple_is_at(&half_open_at(tcp, i)->key, addr))
			half_open_abort(tcp, i);
}

/* How often the SYN,ACK is repeated: less while there is little room for others [RFC4987-6]. */
static int32_t
half_open_retries(const struct tcp *tcp, const struct rill_listener *listener)
{
	const struct rill_options *options = listener_options(tcp, listener);
	bool pressed = listener->half_open > (uint32_t)options->backlog / 2 ||
		       tcp->half_opens.used > tcp->half_opens.capacity / 2;

	return pressed ? RTE_MIN(options->synack_retries, HALF_OPEN_RETRIES_PRESSED)
		       : options->synack_retries;
}

void
tcp_half_open_timer(struct tcp *tcp, struct wheel_node *node)
{
	struct half_open *half = RTE_PTR_SUB(node, offsetof(struct half_open, timer));
	uint32_t index = slab_index(&tcp->half_opens, half);
	struct tuple tuple = {.head = half->key, .addrs6 = half->addrs6};
	struct reply reply;

	if (half->retries >= half_open_retries(tcp, &tcp->listeners[half->listener])) {
		tcp->counters->connects_failed++;
		half_open_free(tcp, index);
		return;
	}
	half->retries++;
	half->sent_us = us32(tcp->now);
	wheel_arm(tcp->wheel, &half->timer, tcp->now + half_open_rto_us(tcp, half));
	tcp->counters->retransmits++;
	half_open_syn_ack(tcp, half, &reply);
	reply_send_to(tcp, &tuple, &reply);
}

struct rill_conn *
half_open_accept(struct tcp *tcp, const struct half_open *half, const struct segment *segment,
	uint32_t holder)
{
	const struct rill_listener *listener = &tcp->listeners[half->listener];
	struct agreement agreement = {.peer_mss = half->mss,
		.has = half->has,
		.snd_wscale = half->snd_wscale,
		.rcv_wscale = half->rcv_wscale,
		.modes = half->modes};
	struct rill_conn *conn = conn_create(tcp, &segment->tuple, listener->option_set,
		listener->handler, listener->user, holder);

	if (conn == NULL)
		return NULL;
	conn_step(conn, FSM_ACCEPT);
	conn_step(conn, FSM_RCV_ACK_OF_SYN);
	conn->snd_una = conn->snd_nxt = seq_add(half->iss, 1);
	conn->rcv_nxt = conn->rcv_acked = seq_add(half->irs, 1);
	open_settle(tcp, conn, &agreement);
	conn->ts_recent = half->ts_recent;
	conn->ts_offset = half->ts_offset;
	conn->snd_wnd = conn->snd_wnd_max = (uint32_t)segment->wnd << conn->snd_wscale;
	conn->snd_wl1 = segment->seq;
	conn->stall_ms = ms32(tcp->now);
	tcp->counters->passive_opens++;
	if (half->uto_s != 0)
		uto_take(tcp, conn, half->uto_s);
	timers_review(tcp, conn); /* keepalive counts from now */
	return conn;
}

/* Does the segment that opened the connection say nothing else? */
static bool
is_bare_ack(const struct rill_conn *conn, const struct segment *segment)
{
	return segment->payload_len == 0 && (segment->flags & ~TCP_PSH) == TCP_ACK &&
	       segment->has == ((conn->flags & CONN_TS) ? SEG_HAS_TS : 0) &&
	       segment->sack_count == 0 && seq_eq(segment->seq, conn->rcv_nxt) &&
	       seq_eq(segment->ack, conn->snd_una) && segment->mbuf->nb_segs == 1;
}

static void
half_open_took_ack(struct tcp *tcp, struct rill_conn *conn, struct segment *segment)
{
	if (conn->flags & CONN_TS)
		conn->ts_recent = segment->tsval;
	tcp_give_back(tcp, segment->mbuf);
}

void
half_open_deliver(struct tcp *tcp, struct rill_conn *conn, struct segment *segment)
{
	deliver_open(tcp, conn);
	if (conn->flags & CONN_ENDED)
		rte_pktmbuf_free(segment->mbuf);
	else if (is_bare_ack(conn, segment))
		half_open_took_ack(tcp, conn, segment);
	else if (!input_fast(tcp, conn, segment))
		input_slow(tcp, conn, segment);
}

/* The handshake is complete: a connection takes the half-open one's place. */
static struct rill_conn *
half_open_promote(struct tcp *tcp, uint32_t index, const struct segment *segment)
{
	const struct half_open *half = half_open_at(tcp, index);
	struct rill_conn *conn =
		half_open_accept(tcp, half, segment, table_handle(TABLE_SYN_RECEIVED, index));

	if (conn == NULL)
		return NULL;
	if (half->retries == 0)
		rtt_sample(&conn->rtt, us32(tcp->now) - half->sent_us);
	else if (conn->rtt.initial_us < RTO_AFTER_SYN_LOSS_US)
		conn->rtt.initial_us = RTO_AFTER_SYN_LOSS_US; /* [6298 5.7] */
	if (half->retries > 1)
		conn->cc.cwnd = conn->mss; /* SYN,ACK lost more than once [6928 2] */
	half_open_release(tcp, index);
	return conn;
}

/* The ACK that a segment which fits no half-open connection gets, within the challenge budget. */
static void
half_open_challenge(struct tcp *tcp, const struct half_open *half, struct segment *segment,
	enum rill_drop reason)
{
	struct reply reply;

	if (!challenge_allow(&tcp->challenge, tcp->now)) {
		drop_packet(tcp->counters, segment->mbuf, RILL_DROP_tcp_challenge_rate);
		return;
	}
	count_drop(tcp->counters, reason);
	tcp->counters->challenge_acks++;
	half_open_syn_ack(tcp, half, &reply);
	reply.flags = TCP_ACK;
	reply.seq = seq_add(half->iss, 1);
	reply.wnd = (uint16_t)(half->rcv_wnd >> half->rcv_wscale);
	reply.options.has &= SEG_HAS_TS;
	reply_send(tcp, segment, &reply);
}

/* RST for a half-open connection: only the exact sequence number ends it [5961 3.2, RFC4987-8]. */
static void
half_open_rst(struct tcp *tcp, uint32_t index, struct segment *segment)
{
	const struct half_open *half = half_open_at(tcp, index);
	seq_t rcv_nxt = seq_add(half->irs, 1);

	if (seq_eq(segment->seq, rcv_nxt)) {
		tcp->counters->connects_failed++;
		half_open_free(tcp, index); /* the listener goes on [MUST-11] */
		rte_pktmbuf_free(segment->mbuf);
	} else if (seq_gt(segment->seq, rcv_nxt) &&
		   seq_lt(segment->seq, seq_add(rcv_nxt, half->rcv_wnd))) {
		half_open_challenge(tcp, half, segment, RILL_DROP_tcp_rst_challenged);
	} else {
		drop_packet(tcp->counters, segment->mbuf, RILL_DROP_tcp_rst_out_of_window);
	}
}

/* A SYN for a half-open connection: the same again is answered again, another is challenged. */
static void
half_open_syn(struct tcp *tcp, struct half_open *half, struct segment *segment)
{
	struct reply reply;

	if ((segment->flags & TCP_ACK) || !seq_eq(segment->seq, half->irs)) {
		half_open_challenge(tcp, half, segment, RILL_DROP_tcp_syn_challenged);
		return;
	}
	ecn_syn_again(half, segment);
	/* Which of the two will be answered cannot be told [6298 3]. */
	half->retries = RTE_MAX(half->retries, (uint8_t)1);
	half_open_syn_ack(tcp, half, &reply);
	reply_send(tcp, segment, &reply);
}

/*
 * The reason to drop a segment that has neither RST nor SYN, or RILL_DROP_COUNT if it is in order.
 */
static enum rill_drop
half_open_refusal(const struct half_open *half, const struct segment *segment)
{
	seq_t rcv_nxt = seq_add(half->irs, 1);

	if (half->has & SEG_HAS_TS) {
		if (!(segment->has & SEG_HAS_TS))
			return RILL_DROP_tcp_ts_missing;
		if ((int32_t)(segment->tsval - half->ts_recent) < 0)
			return RILL_DROP_tcp_paws;
	}
	if (seq_lt(segment->seq, rcv_nxt) || seq_geq(segment->seq, seq_add(rcv_nxt, half->rcv_wnd)))
		return RILL_DROP_tcp_out_of_window;
	return (segment->flags & TCP_ACK) ? RILL_DROP_COUNT : RILL_DROP_tcp_no_ack;
}

enum rill_drop
half_open_unreachable(struct tcp *tcp, uint32_t index, seq_t at, bool hard)
{
	if (!seq_eq(at, half_open_at(tcp, index)->iss))
		return RILL_DROP_icmp_stale;
	if (hard) { /* nobody else knows of it yet; a soft one the SYN,ACK's timer outlasts */
		tcp->counters->connects_failed++;
		half_open_free(tcp, index);
	}
	return RILL_DROP_COUNT;
}

/*
 * A segment that does not complete the handshake. While there was no room, this tuple may have been
 * sent a cookie; then its SYN came again, or a stranger's did, and got a slot and another ISS. The
 * client holds the cookie, and is ESTABLISHED: its ACK opens the connection as if the slot were not
 * there, and RST would end it. Nor may RST answer what it says beyond that ACK, if this and its
 * data were lost: data, or a challenge of our SYN,ACK.
 */
static void
half_open_misfit(struct tcp *tcp, uint32_t index, struct segment *segment, enum rill_drop refusal)
{
	struct half_open *half = half_open_at(tcp, index);
	const struct rill_listener *listener = &tcp->listeners[half->listener];
	struct cookie_syn syn;

	if (tcp->accepting && (segment->flags & TCP_ACK) &&
		cookies_recognise(tcp, listener, segment, &syn)) {
		half_open_free(tcp, index);
		cookies_open(tcp, listener, segment, &syn);
	} else if (refusal == RILL_DROP_tcp_out_of_window || refusal == RILL_DROP_tcp_paws) {
		half_open_challenge(tcp, half, segment, refusal);
	} else if (refusal != RILL_DROP_COUNT) {
		drop_packet(tcp->counters, segment->mbuf, refusal);
	} else if (cookies_are_out(tcp, listener) &&
		   (segment_len(segment) > 0 || !seq_eq(segment->seq, seq_add(half->irs, 1)))) {
		drop_packet(tcp->counters, segment->mbuf, RILL_DROP_tcp_cookie_data);
	} else {
		reply_rst(tcp, segment, RILL_DROP_tcp_syn_received_ack); /* [9293 E18] */
	}
}

void
input_half_open(struct tcp *tcp, uint32_t index, struct segment *segment)
{
	struct half_open *half = half_open_at(tcp, index);
	enum rill_drop refusal;
	struct rill_conn *conn;

	if (segment->flags & TCP_RST) {
		half_open_rst(tcp, index, segment);
		return;
	}
	if (segment->flags & TCP_SYN) {
		half_open_syn(tcp, half, segment);
		return;
	}
	refusal = half_open_refusal(half, segment);
	if (refusal != RILL_DROP_COUNT || !seq_eq(segment->ack, seq_add(half->iss, 1))) {
		half_open_misfit(tcp, index, segment, refusal);
		return;
	}
	if (!tcp->accepting) { /* the lane has begun to stop meanwhile */
		half_open_free(tcp, index);
		reply_rst(tcp, segment, RILL_DROP_tcp_no_listener);
		return;
	}
	/* Without room the half-open connection stays, and the peer tries again [RFC4987-9]. */
	if (tcp->conns.used == tcp->conns.capacity ||
		(conn = half_open_promote(tcp, index, segment)) == NULL) {
		drop_packet(tcp->counters, segment->mbuf, RILL_DROP_tcp_conns_full);
		return;
	}
	half_open_deliver(tcp, conn, segment);
}
