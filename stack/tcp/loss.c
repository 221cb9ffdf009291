/* SPDX-License-Identifier: BSD-3-Clause */
#include "loss.h"

#include <errno.h>

#include "close.h"
#include "ecn.h"
#include "pace.h"
#include "pathmtu.h"
#include "spurious.h"
#include "timers.h"
#include "tlp.h"
#include "txq.h"
#include "uto.h"

#define DUP_THRESH 3 /* [5681 3.2] */

uint32_t
loss_flight(const struct tcp *tcp, const struct rill_conn *conn)
{
	const struct scoreboard *score = score_of(tcp, conn);
	uint32_t outstanding = conn_outstanding(conn), out;

	if (score == NULL)
		return outstanding;
	out = score->sacked_bytes + score->lost_bytes;
	return out < outstanding ? outstanding - out : 0;
}

struct cc_event
loss_event(const struct tcp *tcp, const struct rill_conn *conn, uint32_t flight)
{
	return (struct cc_event){
		.now = tcp->now,
		.flight = flight,
		.mss = conn->mss,
		.snd_una = conn->snd_una,
		.snd_nxt = conn->snd_nxt,
		.first = conn->retries == 0,
	};
}

/* Who paces hears of each segment that is lost, whatever found it. */
static void
tell_lost(struct tcp *tcp, struct rill_conn *conn, const struct ack_facts *facts)
{
	if (facts->lost > 0 && conn_paces(conn))
		pace_lost(tcp, conn, facts->first_lost);
}

static bool
in_any_recovery(const struct rill_conn *conn)
{
	return conn->flags & (CONN_RECOVERY | CONN_RTO_RECOVERY);
}

/* ---- fast recovery */

/* The answer to a loss: the window shrinks, and what is sent follows what is delivered. */
static void
reduce(struct tcp *tcp, struct rill_conn *conn, struct scoreboard *score,
	const struct ack_facts *facts)
{
	/* What limited transmit sent beyond cwnd does not count [5681 3.2]. */
	struct cc_event event = loss_event(
		tcp, conn, RTE_MIN(conn_outstanding(conn) + facts->acked, conn->cc.cwnd));

	/* ECE has said it before; but not within this recovery. */
	if ((conn->flags & CONN_RECOVERY) || !ecn_was_reduced(conn))
		cc_ops(conn->cc.algorithm)->on_loss(&conn->cc, &event);
	conn->recover = conn->snd_nxt; /* [6582 3.2] */
	ecn_window_reduced(conn);
	if (score == NULL)
		return;
	score->reduced_us = us32(tcp->now);
	prr_begin(&score->prr, facts->outstanding);
}

static void
enter_recovery(struct tcp *tcp, struct rill_conn *conn, const struct ack_facts *facts)
{
	struct sidecar *sidecar = conn_sidecar(tcp, conn);
	struct scoreboard *score = score_of(tcp, conn);

	tcp->counters->fast_recoveries++;
	if (score != NULL) {
		spurious_remember(tcp, conn, sidecar, false);
		sidecar->flags &= (uint16_t)~SIDECAR_TLP; /* what it would tell is known */
	}
	reduce(tcp, conn, score, facts);
	conn->flags |= CONN_RECOVERY;
	if (score == NULL)
		conn->flags |= CONN_RETX_HEAD;
	conn_mark_dirty(tcp, conn);
}

/* The quiet repair of a probe of the path's MTU is over: it was the only loss, or nobody knows. */
static void
quiet_end(struct tcp *tcp, struct rill_conn *conn, bool alone)
{
	struct sidecar *sidecar = conn_sidecar(tcp, conn);

	if (!(sidecar->flags & SIDECAR_QUIET))
		return;
	sidecar->flags &= (uint16_t)~SIDECAR_QUIET;
	if (!(conn->modes & MODE_PROBE_OUT))
		return; /* told already: it was only late, or timed out */
	if (alone)
		pathmtu_probe_failed(tcp, conn, sidecar->score.probe_len);
	else
		pathmtu_probe_unsure(tcp, conn);
}

/* Everything that was out when recovery began is acknowledged. */
static void
leave_recovery(struct tcp *tcp, struct rill_conn *conn, struct scoreboard *score)
{
	struct cc_event event = loss_event(tcp, conn, loss_flight(tcp, conn));

	if ((conn->flags & CONN_RECOVERY) && conn->cc.ssthresh != CC_SSTHRESH_MAX)
		cc_ops(conn->cc.algorithm)->on_recovered(&conn->cc, &event);
	conn->flags &= ~(CONN_RECOVERY | CONN_RTO_RECOVERY | CONN_RETX_HEAD);
	if (score == NULL)
		return;
	if (!(conn->flags & CONN_SACK))
		score->sacked_bytes = 0;
	quiet_end(tcp, conn, true);
	rack_recovered(&score->rack);
	score->until = conn->snd_nxt; /* a DSACK may still come */
}

/* Without SACK: may a duplicate ACK still count as a segment that has left the network? Not more of
 * them than were out, as anybody could send them [5681 3.2, 9937 6.2]. */
static bool
duplicate_counts(const struct rill_conn *conn, const struct scoreboard *score)
{
	uint32_t away = score->sacked_bytes + score->lost_bytes + conn->mss;

	if (away >= conn_outstanding(conn) || (conn->flags & CONN_RTO_RECOVERY))
		return false;
	return !(conn->flags & CONN_RECOVERY) || score->prr.delivered < score->prr.recover_fs;
}

/*
 * Without SACK: a duplicate ACK tells that some segment has left the network; what is acknowledged
 * at last takes back what they told, but for one mss [6582 3.2, 9937 6.2].
 */
static void
count_without_sack(struct rill_conn *conn, struct scoreboard *score, struct ack_facts *facts)
{
	uint32_t known = score->sacked_bytes;

	if (facts->duplicate && duplicate_counts(conn, score)) {
		score->sacked_bytes += conn->mss;
		facts->sacked = conn->mss;
	}
	if (facts->acked == 0)
		return;
	if (conn->flags & CONN_RECOVERY)
		known = RTE_MIN(known, facts->acked > conn->mss ? facts->acked - conn->mss : 0);
	score->sacked_bytes -= known;
	facts->known += RTE_MIN(known, facts->bytes);
}

/* With SACK: what was sent before something that arrived, and is late, is lost [8985 6.2]. */
static void
detect_by_time(
	struct tcp *tcp, struct rill_conn *conn, struct scoreboard *score, struct ack_facts *facts)
{
	bool urgent = in_any_recovery(conn) || score->sacked_segments >= RACK_DUP_THRESH;
	uint32_t window_us = rack_window_us(&score->rack, rtt_min(&conn->rtt), conn->rtt.srtt_us,
		conn->modes & MODE_REORDERS, urgent);
	uint32_t index, now_us = us32(tcp->now);

	while ((index = score->flying.head) != SLAB_NONE) {
		const struct record *record = tcp_record_at(tcp, index);
		uint32_t sent_us = record->sent_us;

		if (!rack_is_earlier(&score->rack, sent_us, seq_add(record->seq, record->len)))
			return;
		if (rack_remaining_us(&score->rack, sent_us, window_us, now_us) > 0) {
			/* By then all of them are late that were sent before it. */
			int32_t wait_us = rack_remaining_us(
				&score->rack, score->rack.sent_us, window_us, now_us);

			facts->reorder_us = (uint32_t)RTE_MAX(wait_us, 1);
			return;
		}
		score_lose(tcp, score, index, facts);
	}
}

/* Without SACK: the third duplicate ACK, and then each hole that an ACK stops at [6582 3.2]. */
static void
detect_by_duplicates(struct tcp *tcp, struct rill_conn *conn, struct scoreboard *score,
	const struct ack_facts *facts)
{
	const struct record *head;
	struct ack_facts found = {0};

	if (!in_any_recovery(conn)) {
		/* Duplicates that the last recovery left are no new loss [6582 3.2]. */
		if (conn->dupacks >= DUP_THRESH && !seq_eq(conn->snd_una, conn->recover))
			score_lose_head(tcp, conn, score, conn->mss, &found);
		tell_lost(tcp, conn, &found);
		return;
	}
	if (facts->acked == 0 || !(conn->flags & CONN_RECOVERY) || conn->txq_head == SLAB_NONE ||
		seq_geq(conn->snd_una, conn->recover))
		return;
	head = tcp_record_at(tcp, conn->txq_head);
	if ((head->flags & (RECORD_SENT | RECORD_RETX)) == RECORD_SENT)
		score_lose_head(tcp, conn, score, conn->mss, &found);
	tell_lost(tcp, conn, &found);
}

/* Sends what is lost again as after a timeout, but cwnd stays as it is: it was no congestion. */
static void
repair_quietly(struct tcp *tcp, struct rill_conn *conn)
{
	if (!in_any_recovery(conn)) {
		conn->flags |= CONN_RTO_RECOVERY;
		conn->recover = conn->snd_nxt;
	}
	conn_mark_dirty(tcp, conn);
}

/*
 * Is a probe of the path's MTU all that is lost? That is no congestion, as long as it stays alone
 * [4821 7.6.2].
 */
static bool
quiet_begins(
	struct tcp *tcp, struct rill_conn *conn, struct scoreboard *score, struct ack_facts *facts)
{
	struct sidecar *sidecar = conn_sidecar(tcp, conn);
	uint32_t len = in_any_recovery(conn) ? 0 : pathmtu_probe_is_lost(tcp, conn, score);

	if (len == 0)
		return false;
	facts->lost -= RTE_MIN(facts->lost, len); /* congestion control hears nothing of it */
	score->probe_len = len;
	/* What comes back of it says nothing of an earlier recovery. */
	sidecar->flags = (uint16_t)((sidecar->flags | SIDECAR_QUIET) &
				    ~(SIDECAR_UNDO | SIDECAR_FRTO | SIDECAR_TLP));
	conn->flags |= CONN_RTO_RECOVERY;
	if (!ecn_was_reduced(conn)) /* else the window that ECE has closed ends where it did */
		conn->recover = conn->snd_nxt;
	return true;
}

/* Does the repair of a probe go on? Other losses near it are congestion [4821 7.6.4]. */
static bool
quiet_goes_on(struct tcp *tcp, struct rill_conn *conn, const struct ack_facts *facts)
{
	if (!loss_is_quiet(tcp, conn))
		return false;
	if (facts->lost == 0)
		return true;
	quiet_end(tcp, conn, false);
	conn->flags &= ~CONN_RTO_RECOVERY;
	return false;
}

/* Enters or leaves recovery as the losses say. */
static void
change_recovery(
	struct tcp *tcp, struct rill_conn *conn, struct scoreboard *score, struct ack_facts *facts)
{
	if (in_any_recovery(conn) && seq_geq(conn->snd_una, conn->recover))
		leave_recovery(tcp, conn, score);
	if (score->lost.head == SLAB_NONE)
		return;
	conn_mark_dirty(tcp, conn);
	if (quiet_goes_on(tcp, conn, facts) || quiet_begins(tcp, conn, score, facts))
		return;
	tell_lost(tcp, conn, facts);
	if (!in_any_recovery(conn)) {
		enter_recovery(tcp, conn, facts);
	} else if ((conn->flags & CONN_RECOVERY) && facts->retx_lost) {
		tcp->counters->lost_retransmissions++;
		reduce(tcp, conn, score, facts);
	}
}

/* Does PRR lead cwnd to ssthresh? Not where a model says how much is in flight, nor where
 * congestion control has set no ssthresh. */
static bool
follows_prr(const struct rill_conn *conn)
{
	return !conn_paces(conn) && conn->cc.ssthresh != CC_SSTHRESH_MAX;
}

static void
set_cwnd_in_recovery(struct tcp *tcp, struct rill_conn *conn, struct scoreboard *score,
	const struct ack_facts *facts)
{
	struct prr_ack ack = {
		.delivered = ack_delivered(facts),
		.flight = loss_flight(tcp, conn),
		.ssthresh = conn->cc.ssthresh,
		.mss = conn->mss,
		.safe = facts->acked > 0 && facts->lost == 0,
	};

	if (!follows_prr(conn)) {
		conn_mark_dirty(tcp, conn);
		return;
	}
	if (score->prr.recover_fs == 0) /* the recovery began without a side-car */
		prr_begin(&score->prr, facts->outstanding);
	/* Duplicate ACKs may be forged: no more than what was out [9937 6.2]. */
	if (!(conn->flags & CONN_SACK))
		ack.delivered = RTE_MIN(
			ack.delivered, score->prr.recover_fs > score->prr.delivered
					       ? score->prr.recover_fs - score->prr.delivered
					       : 0);
	if (ack.delivered == 0) {
		if (score->prr.out == 0) /* the first segment goes out all the same */
			conn->cc.cwnd = ack.flight + conn->mss;
		return;
	}
	conn->cc.cwnd = prr_cwnd(&score->prr, &ack);
	conn_mark_dirty(tcp, conn);
}

/* Without a scoreboard: the head is what is known to be missing. */
static void
recover_blindly(struct tcp *tcp, struct rill_conn *conn, const struct ack_facts *facts)
{
	if (!in_any_recovery(conn)) {
		if (conn->dupacks == DUP_THRESH)
			enter_recovery(tcp, conn, facts);
	} else if (facts->acked > 0) {
		if (seq_geq(conn->snd_una, conn->recover))
			leave_recovery(tcp, conn, NULL);
		else
			conn->flags |= CONN_RETX_HEAD;
	}
	conn_mark_dirty(tcp, conn);
}

void
loss_sack(struct tcp *tcp, struct rill_conn *conn, const struct segment *segment,
	struct ack_facts *facts)
{
	struct scoreboard *score;

	if (!(conn->flags & CONN_SACK))
		return;
	score = score_open(tcp, conn);
	if (score != NULL)
		score_blocks(tcp, conn, score, segment, facts);
}

void
loss_after_ack(struct tcp *tcp, struct rill_conn *conn, const struct segment *segment,
	struct ack_facts *facts)
{
	struct scoreboard *score = score_of(tcp, conn);

	if (facts->duplicate && !(conn->flags & CONN_SACK))
		score = score_open(tcp, conn);
	else if (segment->sack_count == 0)
		facts->duplicate = false; /* with SACK, only its news counts [6675 2] */
	if (facts->acked > 0)
		conn->dupacks = 0;
	else if ((facts->duplicate || facts->sacked > 0) && conn->dupacks < CONN_DUPACKS_MAX)
		conn->dupacks++;
	if (score == NULL) {
		if (in_any_recovery(conn) || facts->duplicate)
			recover_blindly(tcp, conn, facts);
		return;
	}
	if (facts->acked > 0)
		score_advanced(score, conn->snd_una);
	/* A needless probe's duplicate, or the network's own, says nothing of reordering. */
	if (facts->dsack && conn->retransmits > 0 &&
		!(conn_sidecar(tcp, conn)->flags & SIDECAR_TLP))
		rack_dsack(&score->rack, conn->snd_una, conn->snd_nxt);
	if (!(conn->flags & CONN_SACK))
		count_without_sack(conn, score, facts);
	if (facts->sacked > 0)
		conn_mark_dirty(tcp, conn); /* there is room for more in flight [5681 3.2] */
	tlp_after_ack(tcp, conn, conn_sidecar(tcp, conn), segment, facts);
	facts->undone = spurious_check(tcp, conn, conn_sidecar(tcp, conn), segment, facts);
	if (conn->flags & CONN_SACK)
		detect_by_time(tcp, conn, score, facts);
	else
		detect_by_duplicates(tcp, conn, score, facts);
	change_recovery(tcp, conn, score, facts);
	if (conn->flags & CONN_RECOVERY)
		set_cwnd_in_recovery(tcp, conn, score, facts);
	rack_ack_done(&score->rack);
}

void
loss_reorder_timer_expired(struct tcp *tcp, struct rill_conn *conn)
{
	struct scoreboard *score = score_of(tcp, conn);
	struct ack_facts facts = {
		.flight = loss_flight(tcp, conn), .outstanding = conn_outstanding(conn)};

	if (score == NULL)
		return;
	facts.outstanding -= RTE_MIN(facts.outstanding, score->sacked_bytes);
	detect_by_time(tcp, conn, score, &facts);
	change_recovery(tcp, conn, score, &facts);
	if (conn->flags & CONN_RECOVERY)
		set_cwnd_in_recovery(tcp, conn, score, &facts);
	if (facts.reorder_us > 0)
		timers_reorder(tcp, conn, facts.reorder_us);
	conn_mark_dirty(tcp, conn);
}

void
loss_too_long(struct tcp *tcp, struct rill_conn *conn, uint32_t longest)
{
	struct scoreboard *score = score_open(tcp, conn);
	uint32_t index = conn->txq_head, len, next;
	struct ack_facts facts = {0};

	while (score != NULL && index != SLAB_NONE && index != conn->txq_unsent) {
		next = txq_segment(tcp, conn, index, &len);
		for (; index != next; index = tcp_record_at(tcp, index)->next)
			if (len > longest)
				score_lose(tcp, score, index, &facts);
	}
	if (score == NULL)
		conn->flags |= CONN_RETX_HEAD;
	else /* what arrives from now on says nothing of an earlier timeout */
		conn_sidecar(tcp, conn)->flags &= (uint16_t)~SIDECAR_FRTO;
	repair_quietly(tcp, conn);
}

/* ---- timeout */

/* What an RTO holds for lost: the head, and what has been out for longer than a round trip and the
 * reordering window [8985 6.3]; all, if the scoreboard is not to be trusted. */
static void
lose_after_timeout(struct tcp *tcp, struct rill_conn *conn, struct scoreboard *score)
{
	struct ack_facts facts = {0};
	uint32_t rtt_us = score->rack.delivered ? score->rack.rtt_us : conn->rtt.srtt_us;
	uint32_t window_us = rack_window_us(&score->rack, rtt_min(&conn->rtt), conn->rtt.srtt_us,
		conn->modes & MODE_REORDERS, true);
	uint32_t index;

	if (conn->retries > 0 || !(conn->flags & CONN_SACK)) {
		if (conn_paces(conn))
			pace_lost(tcp, conn, score->flying.head);
		score_distrust(tcp, conn, score); /* [2018 8] */
		return;
	}
	score_lose_head(tcp, conn, score, conn->mss, &facts);
	while ((index = score->flying.head) != SLAB_NONE) {
		uint32_t sent_us = txq_sent_us(tcp, tcp_record_at(tcp, index));

		if ((int32_t)(sent_us + rtt_us + window_us - us32(tcp->now)) > 0)
			break;
		score_lose(tcp, score, index, &facts);
	}
	tell_lost(tcp, conn, &facts);
}

/* The head cannot be SACKed and not acknowledged, unless the peer dropped it again [2018 8]. */
static void
notice_reneging(struct tcp *tcp, struct rill_conn *conn)
{
	struct scoreboard *score = score_of(tcp, conn);

	if (score == NULL || conn->txq_head == SLAB_NONE ||
		!(tcp_record_at(tcp, conn->txq_head)->flags & RECORD_SACKED))
		return;
	tcp->counters->sack_reneged++;
	score_distrust(tcp, conn, score);
}

/* A timeout in a synchronized state with the window open. */
static void
timeout_data(struct tcp *tcp, struct rill_conn *conn)
{
	struct scoreboard *score = score_open(tcp, conn);
	struct cc_event event =
		loss_event(tcp, conn, RTE_MIN(conn_outstanding(conn), conn->cc.cwnd));

	if (score != NULL && conn->retries == 0) /* F-RTO judges the first timeout, and none in a
						    recovery [5682 2.1] */
		spurious_remember(tcp, conn, conn_sidecar(tcp, conn), !in_any_recovery(conn));
	else if (score != NULL)
		conn_sidecar(tcp, conn)->flags &= (uint16_t)~SIDECAR_FRTO;
	if (score != NULL) {
		conn_sidecar(tcp, conn)->flags &= (uint16_t)~SIDECAR_TLP;
		quiet_end(tcp, conn, false);
		lose_after_timeout(tcp, conn, score);
	}
	cc_ops(conn->cc.algorithm)->on_rto(&conn->cc, &event);
	conn->flags = (conn->flags & ~CONN_RECOVERY) | CONN_RTO_RECOVERY;
	conn->recover = conn->snd_nxt; /* [6582 4] */
	ecn_window_reduced(conn);
	conn->dupacks = 0;
}

/* After R1: the next hop is asked whether it lives, and the application hears of it once [MUST-20,
 * SHLD-9]. */
static void
negative_advice(struct tcp *tcp, struct rill_conn *conn)
{
	if (conn->next_hop != SLAB_NONE)
		neighbor_suspect(tcp->neighbors, conn->next_hop, tcp->now, tcp->outbox);
	if (conn->flags & CONN_SOFT_TOLD)
		return;
	conn->flags |= CONN_SOFT_TOLD;
	close_soft_error(tcp, conn, ETIMEDOUT);
}

static unsigned int
retries_max(const struct rill_conn *conn, const struct rill_options *options)
{
	return (unsigned int)(conn_is_synchronized(conn) ? options->retries : options->syn_retries);
}

/* Does something wait to be sent until the next hop is resolved? */
static bool
waits_for_path(const struct rill_conn *conn)
{
	return (conn->flags & CONN_PARKED) &&
	       (conn->txq_bytes > 0 || !conn_is_synchronized(conn) ||
		       (conn->flags & (CONN_FIN_QUEUED | CONN_FIN_SENT)) == CONN_FIN_QUEUED);
}

void
loss_timer_expired(struct tcp *tcp, struct rill_conn *conn)
{
	bool outstanding = conn_outstanding(conn) > 0;

	conn->modes &= (uint16_t)~MODE_ECN_WAIT;
	/* What the NIC has not taken yet is not sent a second time. */
	if (outstanding && conn->txq_head != SLAB_NONE &&
		(tcp_record_at(tcp, conn->txq_head)->flags & RECORD_SENT) &&
		outbox_waiting(tcp->outbox, tcp_record_at(tcp, conn->txq_head)->ticket)) {
		timers_restart_rto(tcp, conn);
		return;
	}
	if (!outstanding && !(conn->flags & CONN_PROBING) && !waits_for_path(conn)) {
		if (conn->txq_bytes > 0)
			conn->flags |= CONN_PUSH_OUT; /* cork's time is up */
		conn_wake(tcp, conn);
		return;
	}
	if (conn->retries >= retries_max(conn, conn_options(tcp, conn)) &&
		!uto_outlasts_retries(tcp, conn)) {
		conn_end(tcp, conn, RILL_CLOSE_TIMEOUT);
		return;
	}
	notice_reneging(tcp, conn);
	if (!conn_is_synchronized(conn)) {
		conn->flags |= CONN_SYN_LOST;
	} else if (outstanding && conn->snd_wnd > 0 && !(conn->flags & CONN_PROBING)) {
		pathmtu_timed_out(tcp, conn);
		timeout_data(tcp, conn);
	}
	if (outstanding) {
		conn->flags |= CONN_RETX_HEAD;
		if (conn_is_synchronized(conn) && conn->snd_wnd == 0)
			conn->flags |= CONN_PROBING; /* the window shrank to nothing [MUST-35] */
		if (conn->flags & CONN_PROBING)
			tcp->counters->window_probes++;
		else
			tcp->counters->rtos++;
	} else {
		conn->flags |= CONN_PUSH_OUT;
	}
	if (conn->retries < UINT8_MAX)
		conn->retries++;
	if (conn->backoff < CONN_BACKOFF_MAX)
		conn->backoff++;
	timers_restart_rto(tcp, conn);
	conn_wake(tcp, conn); /* if its next hop was not resolved: the way is tried once more */
	if (conn->retries == TCP_R1_RETRIES)
		negative_advice(tcp, conn);
}
