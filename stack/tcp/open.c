/* SPDX-License-Identifier: BSD-3-Clause */
/* Active open, and SYN-SENT [9293 3.10.1, 3.10.7.3]. */
#include "open.h"

#include <errno.h>

#include <rte_mbuf.h>

#include "close.h"
#include "deliver.h"
#include "ecn.h"
#include "input.h"
#include "isn.h"
#include "pace.h"
#include "pathmtu.h"
#include "rcvwnd.h"
#include "reply.h"
#include "text.h"
#include "timers.h"
#include "uto.h"

/* Of a peer that has not said it yet [MUST-15]. */
static uint16_t
open_default_mss(uint8_t family)
{
	return family == AF_INET ? TCP_DEFAULT_MSS4 : TCP_DEFAULT_MSS6;
}

struct agreement
open_agree(const struct rill_options *options, const struct segment *syn)
{
	uint8_t family = syn->tuple.head.family;
	struct agreement agreement = {
		.peer_mss = (syn->has & SEG_HAS_MSS) ? syn->mss : open_default_mss(family),
		.modes = ecn_agree(options, syn),
	};

	if ((syn->has & SEG_HAS_WSCALE) && options->window_scale) {
		agreement.has |= SEG_HAS_WSCALE;
		agreement.snd_wscale = syn->wscale;
		agreement.rcv_wscale = (uint8_t)rcvwnd_scale_for((uint32_t)options->rcvbuf);
	}
	if ((syn->has & SEG_HAS_SACK_OK) && options->sack)
		agreement.has |= SEG_HAS_SACK_OK;
	if ((syn->has & SEG_HAS_TS) && options->timestamps)
		agreement.has |= SEG_HAS_TS;
	return agreement;
}

uint16_t
open_send_mss(const struct tcp *tcp, const struct rill_options *options, uint8_t family,
	uint16_t peer_mss, bool timestamps)
{
	uint32_t ours = rcvwnd_mss_to_offer(tcp, options, family);
	uint32_t peers = RTE_MAX((uint32_t)peer_mss, (uint32_t)options->mss_floor);
	uint32_t mss = RTE_MIN(ours, peers);

	if (timestamps)
		mss = mss > 12 ? mss - 12 : 0;
	return (uint16_t)RTE_MAX(mss, (uint32_t)TCP_MSS_LEAST);
}

void
open_settle(struct tcp *tcp, struct rill_conn *conn, const struct agreement *agreement)
{
	const struct rill_options *options = conn_options(tcp, conn);
	uint32_t window;

	if (agreement->has & SEG_HAS_TS)
		conn->flags |= CONN_TS;
	if (agreement->has & SEG_HAS_SACK_OK)
		conn->flags |= CONN_SACK;
	conn->snd_wscale = agreement->snd_wscale & 15;
	conn->rcv_wscale = agreement->rcv_wscale & 15;
	conn->peer_mss = agreement->peer_mss;
	ecn_settle(conn, agreement->modes);
	pathmtu_begin(tcp, conn);
	/* Our SYN offered at most what its unscaled field holds. */
	conn->rcv_adv = seq_add(conn->rcv_nxt, RTE_MIN((uint32_t)options->rcvbuf, 65535u));
	window = cc_initial_window(conn->mss, (uint32_t)options->initial_window);
	pace_choose(tcp, conn, (unsigned int)options->congestion_control, window);
}

/* The search for a source port. */
struct port_search {
	struct tcp *tcp;
	uint32_t ends; /* what all ports have in common of the hash that chooses a lane */
};

/* Is a tuple unused, and this lane's? The port chooser asks, for many ports where there are lanes. */
static bool
tuple_is_free(void *arg, const struct tuple *tuple)
{
	const struct port_search *search = arg;
	const struct tcp *tcp = search->tcp;
	const struct steer *steer = tcp->steer;
	uint16_t port = rte_be_to_cpu_16(tuple->head.lport);

	if (steer != NULL &&
		steer_lane_of_hash(steer, search->ends ^
				steer_hash_port(steer, tuple->head.family, tuple->head.lport)) !=
			tcp->steer_self)
		return false;
	return tcp->listener_by_port[port] == 0 &&
	       table_lookup(tcp->table, tuple) == TABLE_MISS;
}

static int
choose_port(struct tcp *tcp, struct tuple *tuple)
{
	struct port_search search = {.tcp = tcp};

	if (tcp->steer != NULL)
		search.ends = steer_hash_ends(tcp->steer, tuple);
	return ports_choose(&tcp->ports, tuple, tuple_is_free, &search);
}

/* Fills in the tuple: the source address by the route unless given, the port by choice unless
 * given. */
static int
connect_tuple(struct tcp *tcp, const struct rill_endpoint *local,
	const struct rill_endpoint *remote, struct tuple *tuple)
{
	struct rill_addr next_hop, source;
	int rc;

	*tuple = (struct tuple){0};
	if (remote->port == 0 || remote->addr.family == 0)
		return -EINVAL;
	rc = net_route(tcp->net, &remote->addr, &next_hop, &source);
	if (rc != 0)
		return rc;
	if (local != NULL && local->addr.family != 0) {
		if (local->addr.family != remote->addr.family)
			return -EINVAL;
		if (!net_addr_is_ours(tcp->net, &local->addr))
			return -EADDRNOTAVAIL;
		source = local->addr;
	}
	tuple_set_addrs(tuple, &source, &remote->addr);
	tuple->head.rport = rte_cpu_to_be_16(remote->port);
	if (local == NULL || local->port == 0)
		return choose_port(tcp, tuple);
	tuple->head.lport = rte_cpu_to_be_16(local->port);
	if (!tcp_is_here(tcp, tuple))
		return -EADDRNOTAVAIL;
	return table_lookup(tcp->table, tuple) == TABLE_MISS ? 0 : -EADDRINUSE;
}

int
tcp_connect(struct tcp *tcp, const struct rill_endpoint *local, const struct rill_endpoint *remote,
	const struct rill_options *options, const struct rill_handler *handler, void *user,
	struct rill_conn **out)
{
	struct rill_conn *conn;
	struct tuple tuple;
	struct isn isn;
	int rc, set, handler_index;

	if (options != NULL && rill_options_check(options) != 0)
		return -EINVAL;
	if (remote == NULL || handler == NULL || out == NULL)
		return -EINVAL;
	if (!tcp->accepting)
		return -ENOBUFS; /* the lane is stopping */
	rc = connect_tuple(tcp, local, remote, &tuple);
	if (rc != 0)
		return rc;
	handler_index = handler_get(tcp, handler);
	set = handler_index < 0 ? handler_index : option_set_get(tcp, options);
	if (set < 0) {
		if (handler_index >= 0)
			handler_put(tcp, (uint8_t)handler_index);
		return set;
	}
	conn = conn_create(tcp, &tuple, (uint8_t)set, (uint8_t)handler_index, user, TABLE_MISS);
	option_set_put(tcp, (uint8_t)set); /* the connection counts for itself */
	handler_put(tcp, (uint8_t)handler_index);
	if (conn == NULL) {
		count_drop(tcp->counters, RILL_DROP_tcp_conns_full);
		return -ENOBUFS;
	}
	conn_step(conn, FSM_OPEN);
	conn->flags |= CONN_ACTIVE;
	ecn_ask(conn, conn_options(tcp, conn));
	isn = isn_draw(&tcp->isn_key, &tuple, tcp->now);
	conn->snd_una = conn->snd_nxt = isn.iss;
	conn->ts_offset = isn.ts_offset;
	conn->mss = open_default_mss(tuple.head.family);
	conn->cc.cwnd = conn->mss;
	tcp->counters->active_opens++;
	conn_mark_dirty(tcp, conn);
	*out = conn;
	return 0;
}

/* The peer answers our SYN with its own: what the handshake says of it. */
static void
take_syn(struct tcp *tcp, struct rill_conn *conn, const struct segment *segment)
{
	struct agreement agreement = open_agree(conn_options(tcp, conn), segment);

	conn->rcv_nxt = seq_add(segment->seq, 1);
	conn->rcv_acked = conn->rcv_nxt;
	open_settle(tcp, conn, &agreement);
	if (conn->flags & CONN_TS)
		conn->ts_recent = segment->tsval;
	conn->snd_wnd = segment->wnd; /* a SYN's window is not scaled [7323 2.2] */
	conn->snd_wnd_max = conn->snd_wnd;
	conn->snd_wl1 = segment->seq;
	conn->heard_ms = ms32(tcp->now);
	uto_segment_arrived(tcp, conn, segment);
}

/* The round trip of the handshake, if the SYN went out once [6298 3]; else RFC 6298's rule 5.7. */
static void
sample_handshake(struct tcp *tcp, struct rill_conn *conn)
{
	if (conn->flags & CONN_SYN_LOST) {
		if (conn->rtt.initial_us < RTO_AFTER_SYN_LOSS_US)
			conn->rtt.initial_us = RTO_AFTER_SYN_LOSS_US;
		if (conn->retries > 1) /* lost more than once: start with one segment [6928 2] */
			conn->cc.cwnd = conn->mss;
	} else if (conn->flags & CONN_RTO_ARMED) {
		uint32_t sent_us = conn->rto_at - timers_rto_us(tcp, conn);

		rtt_sample(&conn->rtt, us32(tcp->now) - sent_us);
	}
	conn->backoff = 0;
	conn->retries = 0;
}

/* SYN,ACK of our SYN: ESTABLISHED. Data or FIN that it carries is processed right away. */
static void
established(struct tcp *tcp, struct rill_conn *conn, struct segment *segment)
{
	take_syn(tcp, conn, segment);
	sample_handshake(tcp, conn);
	conn->snd_una = segment->ack;
	conn->flags &= ~(CONN_RTO_ARMED | CONN_RETX_HEAD | CONN_SOFT_TOLD);
	conn->stall_ms = ms32(tcp->now);
	conn_step(conn, FSM_RCV_SYN_ACK);
	conn->flags |= CONN_ACK_NOW;
	conn_mark_dirty(tcp, conn);
	timers_review(tcp, conn); /* keepalive counts from now */
	deliver_open(tcp, conn);
	if (conn->flags & CONN_ENDED) {
		rte_pktmbuf_free(segment->mbuf);
		return;
	}
	segment->seq = seq_add(segment->seq, 1);
	segment->flags &= (uint8_t)~TCP_SYN;
	if (segment->payload_len > 0 || (segment->flags & TCP_FIN))
		text_process(tcp, conn, segment);
	else
		rte_pktmbuf_free(segment->mbuf);
}

/* SYN without ACK: simultaneous open. */
static void
simultaneous(struct tcp *tcp, struct rill_conn *conn, struct segment *segment)
{
	take_syn(tcp, conn, segment);
	conn_step(conn, FSM_RCV_SYN);
	conn->flags |= CONN_ACK_NOW; /* our SYN once more, with the ACK */
	conn_mark_dirty(tcp, conn);
	rte_pktmbuf_free(segment->mbuf);
}

void
input_syn_sent(struct tcp *tcp, struct rill_conn *conn, struct segment *segment)
{
	bool acks_syn = (segment->flags & TCP_ACK) && seq_gt(segment->ack, conn->snd_una) &&
			seq_leq(segment->ack, conn->snd_nxt);

	if ((segment->flags & TCP_ACK) && !acks_syn) {
		if (segment->flags & TCP_RST)
			drop_packet(tcp->counters, segment->mbuf, RILL_DROP_tcp_syn_sent_ack);
		else
			reply_rst(tcp, segment, RILL_DROP_tcp_syn_sent_ack);
		return;
	}
	if (segment->flags & TCP_RST) {
		if (!acks_syn) { /* anybody could have sent it [5961 3.2] */
			drop_packet(tcp->counters, segment->mbuf, RILL_DROP_tcp_syn_sent_other);
			return;
		}
		rte_pktmbuf_free(segment->mbuf);
		if (!ecn_plain_after_rst(tcp, conn))
			conn_end(tcp, conn, RILL_CLOSE_REFUSED);
		return;
	}
	if (!(segment->flags & TCP_SYN))
		drop_packet(tcp->counters, segment->mbuf, RILL_DROP_tcp_syn_sent_other);
	else if (acks_syn)
		established(tcp, conn, segment);
	else
		simultaneous(tcp, conn, segment);
}
