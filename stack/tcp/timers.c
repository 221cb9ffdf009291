/* SPDX-License-Identifier: BSD-3-Clause */
#include "timers.h"

#include <errno.h>

#include "close.h"
#include "emit.h"
#include "loss.h"
#include "pace.h"
#include "tlp.h"
#include "txq.h"
#include "uto.h"

static ustime
ms_expand(uint32_t deadline_ms, ustime now)
{
	int64_t ahead_ms = (int32_t)(deadline_ms - ms32(now));

	return ahead_ms <= 0 ? now : now + (ustime)ahead_ms * USEC_PER_MSEC;
}

static ustime
earlier(ustime a, ustime b)
{
	return a < b ? a : b;
}

/* Does the user timeout run? While something waits for the peer's ACK, its window, or the way to it;
 * not while we hold it back ourselves. */
static bool
has_user_timeout(const struct tcp *tcp, const struct rill_conn *conn)
{
	return uto_ms(tcp, conn) != 0 &&
	       (conn_outstanding(conn) > 0 ||
		       (conn->txq_bytes > 0 && (conn->flags & CONN_RTO_ARMED) &&
			       (conn->flags & (CONN_PROBING | CONN_PARKED))));
}

/* Keepalive probes are due only in silence, with nothing outstanding [MUST-26]. */
static bool
has_keepalive(const struct rill_conn *conn, const struct rill_options *options)
{
	return options->keepalive_idle_ms != 0 && conn_is_synchronized(conn) &&
	       conn_outstanding(conn) == 0;
}

static bool
has_fin_wait2(const struct rill_conn *conn, const struct rill_options *options)
{
	return options->fin_wait2_ms != 0 && conn->state == RILL_FIN_WAIT_2 &&
	       (conn->flags & CONN_APP_CLOSED);
}

static uint32_t
keepalive_at_ms(const struct tcp *tcp, const struct rill_conn *conn,
	const struct rill_options *options)
{
	uint32_t wait_ms = (uint32_t)options->keepalive_idle_ms +
			   conn_keep_probes(conn) * (uint32_t)options->keepalive_interval_ms;

	if (conn_keep_probes(conn) >= options->keepalive_count)
		wait_ms = RTE_MAX(wait_ms, uto_keepalive_ms(tcp, conn)); /* [5482 4.2] */
	return conn->heard_ms + wait_ms;
}

ustime
timers_deadline(const struct tcp *tcp, const struct rill_conn *conn)
{
	const struct rill_options *options = conn_options(tcp, conn);
	ustime now = tcp->now, at = USTIME_NEVER;

	if (conn->flags & CONN_RTO_ARMED)
		at = earlier(at, us32_expand(conn->rto_at, now));
	if (conn->flags & CONN_ACK_DELAYED)
		at = earlier(at, us32_expand(conn->delack_at, now));
	if (conn->modes & MODE_PACED)
		at = earlier(at, pace_wake(conn));
	if (has_user_timeout(tcp, conn))
		at = earlier(at, ms_expand(conn->stall_ms + uto_ms(tcp, conn), now));
	if (has_keepalive(conn, options))
		at = earlier(at, ms_expand(keepalive_at_ms(tcp, conn, options), now));
	if (has_fin_wait2(conn, options))
		at = earlier(at, ms_expand(conn->stall_ms + (uint32_t)options->fin_wait2_ms, now));
	if (conn->flags & CONN_LINGER)
		at = earlier(at, ms_expand(conn->linger_at_ms, now));
	return at;
}

/* The node stands at or before this deadline afterwards. */
static void
timers_cover(struct tcp *tcp, struct rill_conn *conn, ustime deadline)
{
	if (!wheel_is_armed(&conn->timer) || wheel_deadline(tcp->wheel, &conn->timer) > deadline)
		wheel_arm(tcp->wheel, &conn->timer, deadline);
}

void
timers_review(struct tcp *tcp, struct rill_conn *conn)
{
	ustime deadline = timers_deadline(tcp, conn);

	if (deadline != USTIME_NEVER)
		timers_cover(tcp, conn, deadline);
}

/* rto_at serves one timer at a time [8985 8]; mode says which: 0, MODE_PTO or MODE_REORDER_TIMER.
 */
static void
rto_slot_set(struct tcp *tcp, struct rill_conn *conn, uint32_t delay_us, uint16_t mode)
{
	conn->rto_at = us32(tcp->now) + delay_us;
	conn->flags |= CONN_RTO_ARMED;
	conn->modes = (uint16_t)((conn->modes & ~(MODE_PTO | MODE_REORDER_TIMER)) | mode);
	timers_cover(tcp, conn, tcp->now + delay_us);
}

uint32_t
timers_rto_us(const struct tcp *tcp, const struct rill_conn *conn)
{
	return rtt_rto(&conn->rtt, (uint32_t)conn_options(tcp, conn)->rto_min_us, conn->backoff);
}

void
timers_restart_rto(struct tcp *tcp, struct rill_conn *conn)
{
	rto_slot_set(tcp, conn, timers_rto_us(tcp, conn), 0);
}

void
timers_head_sent_again(struct tcp *tcp, struct rill_conn *conn)
{
	/* What others wait for comes first; what is left of the timeout is known then. */
	if (!(conn->flags & CONN_RTO_ARMED) || !(conn->modes & MODE_REORDER_TIMER))
		timers_restart_rto(tcp, conn);
}

/*
 * What is left of the retransmission timeout, at least 1 µs: it counts from the last progress, or
 * from when the head was sent last, if that was later.
 */
static uint32_t
rto_left_us(const struct tcp *tcp, const struct rill_conn *conn)
{
	uint64_t since_us = (uint64_t)(tcp->now_ms - conn->stall_ms) * USEC_PER_MSEC;
	uint32_t rto_us = timers_rto_us(tcp, conn);

	if (conn->txq_head != SLAB_NONE &&
		(tcp_record_at(tcp, conn->txq_head)->flags & RECORD_SENT)) {
		uint32_t sent_us = txq_sent_us(tcp, tcp_record_at(tcp, conn->txq_head));

		since_us = RTE_MIN(since_us, (uint64_t)(us32(tcp->now) - sent_us));
	}
	return since_us < rto_us ? (uint32_t)(rto_us - since_us) : 1;
}

/*
 * The timer of what is outstanding: the loss probe's where that may be, which never comes later
 * than the retransmission's, of which left_us are left [8985 7.2].
 */
static void
arm_for_outstanding(struct tcp *tcp, struct rill_conn *conn, uint32_t left_us)
{
	if (tlp_is_possible(tcp, conn))
		rto_slot_set(tcp, conn, RTE_MIN(tlp_timeout_us(tcp, conn), left_us), MODE_PTO);
	else
		rto_slot_set(tcp, conn, left_us, 0);
}

void
timers_data_sent(struct tcp *tcp, struct rill_conn *conn, bool first)
{
	if (first) {
		conn->stall_ms = tcp->now_ms;
		arm_for_outstanding(tcp, conn, timers_rto_us(tcp, conn));
		if (uto_ms(tcp, conn) != 0)
			timers_review(tcp, conn);
	} else if (!(conn->flags & CONN_RTO_ARMED)) {
		timers_restart_rto(tcp, conn);
	} else if (conn->modes & MODE_PTO) {
		arm_for_outstanding(tcp, conn, rto_left_us(tcp, conn));
	}
}

/*
 * Who waits no more leaves the node standing, to fire in vain, since mostly there is more to wait for
 * before. But where nodes are so many that those of a slot are out of the cache when its turn comes,
 * and again at each level, it is cheaper to take the node off: what stands beside it was armed at the
 * same time, and is acknowledged at about the same time too.
 */
static __rte_noinline void
timers_drop_idle(struct tcp *tcp, struct rill_conn *conn)
{
	if (wheel_is_armed(&conn->timer) && timers_deadline(tcp, conn) == USTIME_NEVER)
		wheel_cancel(tcp->wheel, &conn->timer);
}

void
timers_data_acked(struct tcp *tcp, struct rill_conn *conn)
{
	conn->stall_ms = tcp->now_ms;
	if (conn_outstanding(conn) > 0) {
		arm_for_outstanding(tcp, conn, timers_rto_us(tcp, conn));
	} else {
		conn->flags &= ~CONN_RTO_ARMED;
		if (unlikely(timers_are_crowded(tcp)))
			timers_drop_idle(tcp, conn);
	}
	if (conn_options(tcp, conn)->keepalive_idle_ms != 0)
		timers_review(tcp, conn);
}

void
timers_reorder(struct tcp *tcp, struct rill_conn *conn, uint32_t delay_us)
{
	uint32_t left_us = rto_left_us(tcp, conn);

	if (delay_us < left_us)
		rto_slot_set(tcp, conn, delay_us, MODE_REORDER_TIMER);
	else
		rto_slot_set(tcp, conn, left_us, 0);
}

/* The timers that share rto_at, one of which is due. */
static void
rto_slot_expired(struct tcp *tcp, struct rill_conn *conn)
{
	uint16_t mode = conn->modes & (MODE_PTO | MODE_REORDER_TIMER);

	conn->flags &= ~CONN_RTO_ARMED;
	conn->modes &= (uint16_t) ~(MODE_PTO | MODE_REORDER_TIMER);
	if (mode == 0) {
		loss_timer_expired(tcp, conn);
		return;
	}
	if (mode == MODE_PTO) {
		timers_restart_rto(tcp, conn); /* after a probe only this one [8985 7.3] */
		conn->flags |= CONN_TLP;
		conn_mark_dirty(tcp, conn);
		return;
	}
	rto_slot_set(tcp, conn, rto_left_us(tcp, conn), 0);
	loss_reorder_timer_expired(tcp, conn);
}

void
timers_window_blocked(struct tcp *tcp, struct rill_conn *conn)
{
	uint32_t delay_us = timers_rto_us(tcp, conn);

	if ((conn->flags & CONN_RTO_ARMED) && (conn->flags & CONN_PROBING))
		return;
	/* A window that is open but silly is overridden sooner [1122 4.2.3.4]. */
	if (conn->snd_wnd > 0 && delay_us > TCP_SWS_OVERRIDE_US)
		delay_us = TCP_SWS_OVERRIDE_US;
	if (!(conn->flags & CONN_PROBING))
		conn->stall_ms = tcp->now_ms;
	conn->flags |= CONN_PROBING;
	rto_slot_set(tcp, conn, delay_us, 0);
	if (uto_ms(tcp, conn) != 0)
		timers_review(tcp, conn);
}

void
timers_path_blocked(struct tcp *tcp, struct rill_conn *conn)
{
	bool first = conn_outstanding(conn) == 0;

	if (!(conn->flags & CONN_RTO_ARMED)) {
		timers_data_sent(tcp, conn, first);
		return;
	}
	/* Cork's time ran, or that of a look for room: the wait for the way begins here. */
	if (first && conn->retries == 0 && !(conn->flags & CONN_PROBING))
		conn->stall_ms = tcp->now_ms;
	if (uto_ms(tcp, conn) != 0) /* which did not run while it was not parked */
		timers_review(tcp, conn);
}

void
timers_room_wanted(struct tcp *tcp, struct rill_conn *conn)
{
	if (!(conn->flags & CONN_RTO_ARMED))
		rto_slot_set(tcp, conn, TCP_ROOM_RETRY_US, 0);
}

void
timers_paced(struct tcp *tcp, struct rill_conn *conn)
{
	timers_cover(tcp, conn, pace_wake(conn));
}

void
timers_corked(struct tcp *tcp, struct rill_conn *conn)
{
	if (!(conn->flags & CONN_RTO_ARMED))
		rto_slot_set(tcp, conn, TCP_CORK_US, 0);
}

void
timers_nothing_to_send(struct rill_conn *conn)
{
	conn->flags &= ~(CONN_RTO_ARMED | CONN_PROBING);
}

void
timers_ack_held_up(struct tcp *tcp, struct rill_conn *conn)
{
	conn->flags |= CONN_ACK_DELAYED;
	conn->delack_at = us32(tcp->now) + TCP_ROOM_RETRY_US;
	timers_cover(tcp, conn, tcp->now + TCP_ROOM_RETRY_US);
}

void
timers_ack_owed(struct tcp *tcp, struct rill_conn *conn)
{
	uint32_t delay_us = (uint32_t)conn_options(tcp, conn)->delayed_ack_us;

	if (conn->flags & CONN_ACK_DELAYED)
		return;
	conn->flags |= CONN_ACK_DELAYED;
	conn->delack_at = us32(tcp->now) + delay_us;
	timers_cover(tcp, conn, tcp->now + delay_us);
}

/* No answer within the last probe's time. */
static void
keepalive_due(struct tcp *tcp, struct rill_conn *conn, const struct rill_options *options)
{
	if (conn_keep_probes(conn) >= options->keepalive_count) {
		close_by_rst(tcp, conn, RILL_CLOSE_TIMEOUT);
		return;
	}
	conn_keep_probes(conn)++;
	conn->flags |= CONN_KEEPALIVE_PROBE;
	conn_mark_dirty(tcp, conn);
}

/* Timers that end the connection. Returns true if one did. */
static bool
fatal_timers(struct tcp *tcp, struct rill_conn *conn, const struct rill_options *options)
{
	uint32_t now_ms = tcp->now_ms;

	if (has_user_timeout(tcp, conn) &&
		time32_due(conn->stall_ms + uto_ms(tcp, conn), now_ms)) {
		close_by_rst(tcp, conn, RILL_CLOSE_TIMEOUT);
		return true;
	}
	if (has_fin_wait2(conn, options) &&
		time32_due(conn->stall_ms + (uint32_t)options->fin_wait2_ms, now_ms)) {
		close_by_rst(tcp, conn, RILL_CLOSE_TIMEOUT);
		return true;
	}
	if ((conn->flags & CONN_LINGER) && time32_due(conn->linger_at_ms, now_ms)) {
		close_by_rst(tcp, conn, RILL_CLOSE_ABORTED);
		return true;
	}
	return false;
}

void
tcp_conn_timer(struct tcp *tcp, struct wheel_node *node)
{
	struct rill_conn *conn = RTE_PTR_SUB(node, offsetof(struct rill_conn, timer));
	const struct rill_options *options = conn_options(tcp, conn);
	uint32_t now_us = us32(tcp->now);

	if (fatal_timers(tcp, conn, options))
		return;
	if ((conn->flags & CONN_ACK_DELAYED) && time32_due(conn->delack_at, now_us)) {
		conn->flags = (conn->flags & ~CONN_ACK_DELAYED) | CONN_ACK_NOW;
		tcp->counters->delayed_acks++;
		conn_mark_dirty(tcp, conn);
	}
	if ((conn->flags & CONN_RTO_ARMED) && time32_due(conn->rto_at, now_us)) {
		rto_slot_expired(tcp, conn);
		if (conn->flags & CONN_ENDED)
			return;
	}
	if ((conn->modes & MODE_PACED) && pace_wake(conn) <= tcp->now) {
		conn->modes &= (uint16_t)~MODE_PACED;
		conn_mark_dirty(tcp, conn);
	}
	if (has_keepalive(conn, options) &&
		time32_due(keepalive_at_ms(tcp, conn, options), tcp->now_ms)) {
		keepalive_due(tcp, conn, options);
		if (conn->flags & CONN_ENDED)
			return;
	}
	timers_review(tcp, conn);
}

ustime
tcp_settle_conn(struct tcp *tcp, struct wheel_node *node)
{
	struct rill_conn *conn = RTE_PTR_SUB(node, offsetof(struct rill_conn, timer));
	ustime deadline = timers_deadline(tcp, conn);

	if (deadline == USTIME_NEVER)
		wheel_cancel(tcp->wheel, node);
	else
		wheel_arm(tcp->wheel, node, deadline);
	return deadline;
}
