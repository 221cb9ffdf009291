/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What holds between turns: every connection has the deadlines that its state asks for, and no
 * other; and slabs, table, wheel and lists tell the same story. It walks everything: for tests.
 */
#include <rte_mbuf.h>

#include "ecn.h"
#include "tcp.h"
#include "timers.h"
#include "timewait.h"

#define DELAYED_ACK_MAX_US 500000u /* [9293 MUST-40] */
#define WHEEL_TICK_US (1u << WHEEL_TICK_SHIFT)
/* What a node may stand behind its deadline: the wheel's rounding, and that of deadlines in ms. */
#define NODE_LATE_US (WHEEL_TICK_US + USEC_PER_MSEC)

/* ---- deadlines of a connection */

/* Does the peer owe an ACK, or we data that only a timer can set going? */
static bool
needs_resend_timer(const struct rill_conn *conn)
{
	return conn_outstanding(conn) > 0 || conn->txq_unsent != SLAB_NONE ||
	       (conn->flags & (CONN_FIN_QUEUED | CONN_FIN_SENT)) == CONN_FIN_QUEUED ||
	       conn->state == RILL_SYN_SENT || conn->state == RILL_SYN_RECEIVED;
}

static bool
needs_ack_timer(const struct rill_conn *conn)
{
	return conn_is_synchronized(conn) && !seq_eq(conn->rcv_nxt, conn->rcv_acked);
}

/* What may have a deadline while nothing is in flight, waits to be sent or is owed. */
static bool
may_have_slow_timer(const struct rill_conn *conn, const struct rill_options *options)
{
	return (conn->flags & (CONN_LINGER | CONN_WANTS_ROOM)) || ecn_waits(conn) ||
	       (conn_is_synchronized(conn) && options->keepalive_idle_ms != 0) ||
	       (conn->state == RILL_FIN_WAIT_2 && (conn->flags & CONN_APP_CLOSED));
}

static void
check_node_covers(const struct tcp *tcp, const struct rill_conn *conn, ustime deadline)
{
	if (deadline == USTIME_NEVER)
		return;
	RILL_ASSERT(wheel_is_armed(&conn->timer));
	RILL_ASSERT(wheel_deadline(tcp->wheel, &conn->timer) <=
		    (deadline > tcp->now ? deadline : tcp->now) + NODE_LATE_US);
}

void
conn_check_deadlines(const struct tcp *tcp, const struct rill_conn *conn)
{
	const struct rill_options *options = conn_options(tcp, conn);
	ustime now = tcp->now, deadline = timers_deadline(tcp, conn);
	bool soon = (conn->flags & (CONN_DIRTY | CONN_PARKED)) != 0;

	check_node_covers(tcp, conn, deadline);
	if (conn->flags & CONN_DIRTY)
		return; /* it speaks in the next turn, which is due now */
	RILL_ASSERT(soon || !(conn->flags & CONN_ACK_NOW));
	if (needs_resend_timer(conn)) {
		/* What the pacer holds back has its deadline. */
		bool paced = (conn->modes & MODE_PACED) && conn_outstanding(conn) == 0;

		RILL_ASSERT((conn->flags & CONN_RTO_ARMED) || paced);
		RILL_ASSERT(deadline <= now + RTO_MAX_US);
	}
	if (needs_ack_timer(conn) && !soon) {
		RILL_ASSERT(conn->flags & CONN_ACK_DELAYED);
		RILL_ASSERT(us32_expand(conn->delack_at, now) <= now + DELAYED_ACK_MAX_US);
	}
	if (conn->state == RILL_FIN_WAIT_2 && (conn->flags & CONN_APP_CLOSED) &&
		options->fin_wait2_ms != 0)
		RILL_ASSERT(deadline <= now + ((ustime)options->fin_wait2_ms + 1) * USEC_PER_MSEC);
	if (!needs_resend_timer(conn) && !needs_ack_timer(conn) &&
		!may_have_slow_timer(conn, options))
		/* A look for room that is no longer waited for may still be due. */
		RILL_ASSERT(deadline == USTIME_NEVER || deadline <= now + TCP_ROOM_RETRY_US);
}

/* ---- the engine */

/* What the walk finds, to be compared with what the engine counts. */
struct census {
	uint32_t live, in_table, dirty, parked, ended, records, sidecars, armed;
	uint32_t half_opens, half_opens_armed;
};

static uint32_t
count_records(const struct tcp *tcp, const struct rill_conn *conn)
{
	uint32_t n = 0;

	for (uint32_t i = conn->txq_head; i != SLAB_NONE; i = tcp_record_at(tcp, i)->next)
		n++;
	return n;
}

static void
count_conns(struct tcp *tcp, struct census *census)
{
	for (uint32_t i = 0; i < tcp->conns.fresh; i++) {
		const struct rill_conn *conn = tcp_conn_at(tcp, i);

		if (!(conn->flags & CONN_LIVE))
			continue;
		conn_check(tcp, conn);
		census->live++;
		census->in_table += !(conn->flags & (CONN_ENDED | CONN_FINISHED));
		census->ended += (conn->flags & CONN_ENDED) != 0;
		census->dirty += (conn->flags & CONN_DIRTY) != 0;
		census->parked += (conn->flags & CONN_PARKED) != 0;
		census->armed += wheel_is_armed(&conn->timer);
		census->records += count_records(tcp, conn);
		census->sidecars += conn->sidecar != SLAB_NONE;
		RILL_ASSERT(tcp->handler_users[conn->handler] > 0);
		RILL_ASSERT(tcp->option_sets[conn->option_set].users > 0);
	}
}

static void
count_half_opens(const struct tcp *tcp, struct census *census)
{
	for (uint32_t i = 0; i < tcp->half_opens.fresh; i++) {
		const struct half_open *half = slab_at(&tcp->half_opens, i);

		if (half->key.family == 0) /* free */
			continue;
		census->half_opens++;
		census->half_opens_armed += wheel_is_armed(&half->timer);
		RILL_ASSERT(wheel_deadline(tcp->wheel, &half->timer) <=
			    tcp->now + RTO_MAX_US + WHEEL_TICK_US);
		RILL_ASSERT(tcp->listeners[half->listener].tcp == tcp);
		RILL_ASSERT(tcp->listeners[half->listener].half_open > 0);
	}
}

/* The ring's entries, those that hold a tuple, and the one timer of all. */
static void
check_timewaits(const struct tcp *tcp)
{
	uint32_t dead = 0;

	for (uint32_t n = 0; n < tcp->timewait_count; n++) {
		uint32_t at = (tcp->timewait_head + n) % tcp->timewaits.capacity;
		const struct timewait *entry = slab_at(&tcp->timewaits, tcp->timewait_ring[at]);

		dead += (entry->flags & TIMEWAIT_DEAD) != 0;
		RILL_ASSERT(entry->expires_ms - ms32(tcp->now) <= 2 * tcp->limits.msl_ms ||
			    time32_due(entry->expires_ms, ms32(tcp->now)));
	}
	RILL_ASSERT(tcp->timewait_count == tcp->timewaits.used && dead == tcp->timewaits_dead);
	RILL_ASSERT(wheel_is_armed(&tcp->timewait_timer) == (tcp->timewait_count > 0));
}

static void
check_list(const struct tcp *tcp, const struct conn_list *list, uint32_t flag, uint32_t counted)
{
	uint32_t n = 0, before = TCP_LIST_END;

	for (uint32_t i = list->head; i != TCP_LIST_END; i = tcp_conn_at(tcp, i)->link_next) {
		const struct rill_conn *conn = tcp_conn_at(tcp, i);

		RILL_ASSERT((conn->flags & flag) && conn->link_prev == before);
		before = i;
		RILL_ASSERT(++n <= list->count);
	}
	RILL_ASSERT(list->tail == before && n == list->count && n == counted);
}

void
tcp_check(struct tcp *tcp)
{
	struct census census = {0};

	count_conns(tcp, &census);
	count_half_opens(tcp, &census);
	check_timewaits(tcp);
	check_list(tcp, &tcp->dirty, CONN_DIRTY, census.dirty);
	check_list(tcp, &tcp->parked, CONN_PARKED, census.parked);
	check_list(tcp, &tcp->ended, CONN_ENDED, census.ended);
	RILL_ASSERT(census.live == tcp->conns.used);
	RILL_ASSERT(census.half_opens == tcp->half_opens.used);
	RILL_ASSERT(census.half_opens_armed == census.half_opens);
	RILL_ASSERT(census.records == tcp->records.used);
	RILL_ASSERT(census.sidecars == tcp->sidecars.used);
	RILL_ASSERT(table_check(tcp->table));
	RILL_ASSERT(table_count(tcp->table) ==
		    census.in_table + census.half_opens + timewait_live(tcp));
	RILL_ASSERT(wheel_check(tcp->wheel));
	RILL_ASSERT(wheel_count(tcp->wheel, tcp->conn_timer_kind) == census.armed);
	RILL_ASSERT(wheel_count(tcp->wheel, tcp->half_open_timer_kind) == census.half_opens_armed);
}
