/* SPDX-License-Identifier: BSD-3-Clause */
/* Listeners, and the half-open connections of passive opens [9293 3.10.7.2, 3.10.7.4; 4987]. */
#include <errno.h>

#include <rte_mbuf.h>

#include "deliver.h"
#include "input.h"
#include "isn.h"
#include "open.h"
#include "rcvwnd.h"
#include "reply.h"
#include "timers.h"

#define HALF_OPEN_RTO_MAX_US 16000000u /* back-off of SYN,ACKs ends here */
#define ISS_STEP 65536u /* how far an ISS is put above a TIME-WAIT's last sequence number */

static struct half_open *
half_open_at(const struct tcp *tcp, uint32_t index)
{
	return slab_at(&tcp->half_opens, index);
}

static const struct rill_options *
listener_options(const struct tcp *tcp, const struct rill_listener *listener)
{
	return &tcp->option_sets[listener->option_set].options;
}

static bool
listener_has_addr(const struct rill_listener *listener, const struct tuple_head *key)
{
	return listener->addr.family == key->family &&
	       memcmp(listener->addr.u.ip4, &key->laddr4, sizeof(key->laddr4)) == 0;
}

/* The listener of a tuple's local end: one of this very address before one of any. */
static struct rill_listener *
listener_find(const struct tcp *tcp, const struct tuple *tuple)
{
	uint32_t at = tcp->listener_by_port[rte_be_to_cpu_16(tuple->head.lport)];
	struct rill_listener *any = NULL;

	while (at != 0) {
		struct rill_listener *listener = &tcp->listeners[at - 1];

		if (listener_has_addr(listener, &tuple->head))
			return listener;
		if (listener->addr.family == 0)
			any = listener;
		at = listener->next;
	}
	return any;
}

/* Refuses what cannot be listened on; 0 if it can. */
static int
listen_refusal(const struct tcp *tcp, const struct rill_addr *addr, uint16_t port)
{
	if (port == 0)
		return -EINVAL;
	if (addr->family != 0 && addr->family != AF_INET)
		return -EINVAL;
	if (addr->family != 0 && !net_addr_is_ours(tcp->net, addr))
		return -EADDRNOTAVAIL;
	for (uint32_t at = tcp->listener_by_port[port]; at != 0; at = tcp->listeners[at - 1].next)
		if (memcmp(&tcp->listeners[at - 1].addr, addr, sizeof(*addr)) == 0)
			return -EADDRINUSE; /* [MUST-41] */
	return 0;
}

int
tcp_listen(struct tcp *tcp, const struct rill_addr *addr, uint16_t port,
	const struct rill_options *options, const struct rill_handler *handler, void *user,
	struct rill_listener **out)
{
	struct rill_addr wanted = {0};
	struct rill_listener *listener;
	uint32_t i = 0;
	int rc, set, handler_index;

	if (handler == NULL || out == NULL || (options != NULL && rill_options_check(options) != 0))
		return -EINVAL;
	if (addr != NULL && addr->family != 0) {
		wanted.family = addr->family;
		memcpy(wanted.u.ip4, addr->u.ip4, sizeof(wanted.u.ip4));
	}
	rc = listen_refusal(tcp, &wanted, port);
	if (rc != 0)
		return rc;
	while (i < TCP_LISTENERS_MAX && tcp->listeners[i].tcp != NULL)
		i++;
	if (i == TCP_LISTENERS_MAX)
		return -ENOBUFS;
	handler_index = handler_get(tcp, handler);
	set = handler_index < 0 ? handler_index : option_set_get(tcp, options);
	if (set < 0) {
		if (handler_index >= 0)
			handler_put(tcp, (uint8_t)handler_index);
		return set;
	}
	listener = &tcp->listeners[i];
	*listener = (struct rill_listener){
		.tcp = tcp,
		.addr = wanted,
		.port = port,
		.option_set = (uint8_t)set,
		.handler = (uint8_t)handler_index,
		.user = user,
		.next = tcp->listener_by_port[port],
	};
	tcp->listener_by_port[port] = (uint16_t)(i + 1);
	*out = listener;
	return 0;
}

static void
half_open_free(struct tcp *tcp, uint32_t index, bool in_table)
{
	struct half_open *half = half_open_at(tcp, index);
	struct tuple tuple = {.head = half->key, .addrs6 = half->addrs6};

	if (in_table)
		table_remove(tcp->table, &tuple, table_handle(TABLE_SYN_RECEIVED, index));
	wheel_cancel(tcp->wheel, &half->timer);
	tcp->listeners[half->listener].half_open--;
	half->key.family = 0; /* tells a free slot */
	slab_free(&tcp->half_opens, index);
}

int
tcp_unlisten(struct tcp *tcp, struct rill_listener *listener)
{
	uint32_t number = (uint32_t)(listener - tcp->listeners) + 1;
	uint16_t *at = &tcp->listener_by_port[listener->port];

	if (listener->tcp != tcp)
		return -EINVAL;
	for (uint32_t i = 0; i < tcp->half_opens.fresh && listener->half_open > 0; i++) {
		const struct half_open *half = half_open_at(tcp, i);

		if (half->key.family != 0 && half->listener == number - 1)
			half_open_free(tcp, i, true);
	}
	if (*at == number) {
		*at = (uint16_t)listener->next;
	} else {
		struct rill_listener *before = &tcp->listeners[*at - 1];

		while (before->next != number)
			before = &tcp->listeners[before->next - 1];
		before->next = listener->next;
	}
	option_set_put(tcp, listener->option_set);
	handler_put(tcp, listener->handler);
	*listener = (struct rill_listener){0};
	return 0;
}

/* The SYN,ACK of a half-open connection. */
static void
syn_ack_make(const struct tcp *tcp, const struct half_open *half, struct reply *reply)
{
	const struct rill_options *options = listener_options(tcp, &tcp->listeners[half->listener]);

	*reply = (struct reply){
		.flags = TCP_SYN | TCP_ACK,
		.ttl = (uint8_t)options->ttl,
		.dscp = (uint8_t)options->dscp,
		.wnd = (uint16_t)half->rcv_wnd, /* not scaled in a SYN [7323 2.2] */
		.seq = half->iss,
		.ack = seq_add(half->irs, 1),
		.options =
			{
				.has = SEG_HAS_MSS | half->has,
				.mss = rcvwnd_mss_to_offer(tcp, options),
				.wscale = half->rcv_wscale,
				.tsval = ms32(tcp->now) + half->ts_offset,
				.tsecr = half->ts_recent,
			},
	};
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

void
tcp_half_open_timer(struct tcp *tcp, struct wheel_node *node)
{
	struct half_open *half = RTE_PTR_SUB(node, offsetof(struct half_open, timer));
	uint32_t index = slab_index(&tcp->half_opens, half);
	struct tuple tuple = {.head = half->key, .addrs6 = half->addrs6};
	struct reply reply;

	if (half->retries >=
		listener_options(tcp, &tcp->listeners[half->listener])->synack_retries) {
		tcp->counters->connects_failed++;
		half_open_free(tcp, index, true);
		return;
	}
	half->retries++;
	half->sent_us = us32(tcp->now);
	wheel_arm(tcp->wheel, &half->timer, tcp->now + half_open_rto_us(tcp, half));
	tcp->counters->retransmits++;
	syn_ack_make(tcp, half, &reply);
	reply_send_to(tcp, &tuple, &reply);
}

/* Above a TIME-WAIT's last sequence number, so that old segments cannot be mistaken for new [9293
 * MAY-2]. */
static seq_t
choose_iss(struct tcp *tcp, const struct tuple *tuple, seq_t above, bool has_above)
{
	seq_t iss = isn_choose(&tcp->isn_key, tuple, tcp->now);

	return has_above && seq_leq(iss, above) ? seq_add(above, ISS_STEP) : iss;
}

/* A SYN for a listener: a half-open connection, answered by SYN,ACK. */
static void
take_syn(struct tcp *tcp, struct rill_listener *listener, struct segment *segment, seq_t iss)
{
	const struct rill_options *options = listener_options(tcp, listener);
	struct agreement agreement = open_agree(options, segment);
	uint32_t index = SLAB_NONE;
	struct half_open *half;
	struct reply reply;

	if (listener->half_open < (uint32_t)options->backlog)
		index = slab_alloc(&tcp->half_opens);
	if (index == SLAB_NONE) {
		drop_packet(tcp->counters, segment->mbuf, RILL_DROP_tcp_backlog_full);
		return;
	}
	half = half_open_at(tcp, index);
	memset(half, 0, sizeof(*half));
	half->key = segment->tuple.head;
	half->addrs6 = segment->tuple.addrs6;
	half->has = agreement.has;
	half->snd_wscale = agreement.snd_wscale & 15;
	half->rcv_wscale = agreement.rcv_wscale & 15;
	half->retries = 0;
	if (table_insert(tcp->table, &segment->tuple, table_handle(TABLE_SYN_RECEIVED, index)) !=
		0) {
		half->key.family = 0;
		slab_free(&tcp->half_opens, index);
		drop_packet(tcp->counters, segment->mbuf, RILL_DROP_tcp_conns_full);
		return;
	}
	listener->half_open++;
	half->listener = (uint32_t)(listener - tcp->listeners);
	half->iss = iss;
	half->irs = segment->seq;
	half->ts_recent = segment->tsval;
	half->ts_offset = ts_offset(&tcp->ts_key, &segment->tuple);
	half->mss = agreement.peer_mss;
	half->rcv_wnd = RTE_MIN((uint32_t)options->rcvbuf, 65535u);
	half->sent_us = us32(tcp->now);
	half->timer.kind = tcp->half_open_timer_kind;
	wheel_arm(tcp->wheel, &half->timer, tcp->now + half_open_rto_us(tcp, half));
	syn_ack_make(tcp, half, &reply);
	reply_send(tcp, segment, &reply);
}

void
input_listen(struct tcp *tcp, struct segment *segment, seq_t iss_above, bool has_iss_above)
{
	struct rill_listener *listener = listener_find(tcp, &segment->tuple);

	if (listener == NULL || !tcp->accepting) {
		reply_rst(tcp, segment, RILL_DROP_tcp_no_listener);
		return;
	}
	/* RST first, then ACK, then SYN [9293 3.10.7.2]. */
	if (segment->flags & TCP_RST)
		drop_packet(tcp->counters, segment->mbuf, RILL_DROP_tcp_stray_rst);
	else if (segment->flags & TCP_ACK)
		reply_rst(tcp, segment, RILL_DROP_tcp_listen_ack);
	else if ((segment->flags & (TCP_SYN | TCP_FIN)) != TCP_SYN)
		drop_packet(tcp->counters, segment->mbuf, RILL_DROP_tcp_listen_flags);
	else
		take_syn(tcp, listener, segment,
			choose_iss(tcp, &segment->tuple, iss_above, has_iss_above));
}

/* The handshake is complete: a connection takes the half-open one's place. */
static struct rill_conn *
accept_conn(struct tcp *tcp, uint32_t index, const struct segment *segment)
{
	struct half_open half = *half_open_at(tcp, index);
	const struct rill_listener *listener = &tcp->listeners[half.listener];
	struct agreement agreement = {.peer_mss = half.mss,
		.has = half.has,
		.snd_wscale = half.snd_wscale,
		.rcv_wscale = half.rcv_wscale};
	struct rill_conn *conn;

	half_open_free(tcp, index, true);
	conn = conn_create(tcp, &segment->tuple, listener->option_set, listener->handler,
		listener->user, tcp->now);
	if (conn == NULL)
		return NULL;
	conn_step(conn, FSM_ACCEPT);
	conn_step(conn, FSM_RCV_ACK_OF_SYN);
	conn->snd_una = conn->snd_nxt = seq_add(half.iss, 1);
	conn->rcv_nxt = conn->rcv_acked = seq_add(half.irs, 1);
	open_settle(tcp, conn, &agreement);
	conn->ts_recent = half.ts_recent;
	conn->ts_offset = half.ts_offset;
	conn->snd_wnd = conn->snd_wnd_max = (uint32_t)segment->wnd << conn->snd_wscale;
	conn->snd_wl1 = segment->seq;
	conn->stall_ms = ms32(tcp->now);
	if (half.retries == 0)
		rtt_sample(&conn->rtt, us32(tcp->now) - half.sent_us);
	else if (conn->rtt.initial_us < RTO_AFTER_SYN_LOSS_US)
		conn->rtt.initial_us = RTO_AFTER_SYN_LOSS_US; /* [6298 5.7] */
	if (half.retries > 1)
		conn->cc.cwnd = conn->mss; /* SYN,ACK lost more than once [6928 2] */
	tcp->counters->passive_opens++;
	timers_review(tcp, conn); /* keepalive counts from now */
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
	syn_ack_make(tcp, half, &reply);
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
		half_open_free(tcp, index, true); /* the listener goes on [MUST-11] */
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
half_open_syn(struct tcp *tcp, const struct half_open *half, struct segment *segment)
{
	struct reply reply;

	if ((segment->flags & TCP_ACK) || !seq_eq(segment->seq, half->irs)) {
		half_open_challenge(tcp, half, segment, RILL_DROP_tcp_syn_challenged);
		return;
	}
	syn_ack_make(tcp, half, &reply);
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
	if (refusal == RILL_DROP_tcp_out_of_window || refusal == RILL_DROP_tcp_paws) {
		half_open_challenge(tcp, half, segment, refusal);
		return;
	}
	if (refusal != RILL_DROP_COUNT) {
		drop_packet(tcp->counters, segment->mbuf, refusal);
		return;
	}
	if (!seq_eq(segment->ack, seq_add(half->iss, 1))) {
		reply_rst(tcp, segment, RILL_DROP_tcp_syn_received_ack); /* [9293 E18] */
		return;
	}
	if (!tcp->accepting) { /* the lane has begun to stop meanwhile */
		half_open_free(tcp, index, true);
		reply_rst(tcp, segment, RILL_DROP_tcp_no_listener);
		return;
	}
	/* Without room the half-open connection stays, and the peer tries again [RFC4987-9]. */
	if (tcp->conns.used == tcp->conns.capacity ||
		(conn = accept_conn(tcp, index, segment)) == NULL) {
		drop_packet(tcp->counters, segment->mbuf, RILL_DROP_tcp_conns_full);
		return;
	}
	deliver_open(tcp, conn);
	if (conn->flags & CONN_ENDED)
		rte_pktmbuf_free(segment->mbuf);
	else if (!input_fast(tcp, conn, segment))
		input_slow(tcp, conn, segment);
}
