/* SPDX-License-Identifier: BSD-3-Clause */
#include "ack.h"

#include "close.h"
#include "deliver.h"
#include "ecn.h"
#include "loss.h"
#include "pace.h"
#include "pathmtu.h"
#include "scoreboard.h"
#include "timers.h"
#include "txq.h"

/*
 * Does the ACK field say nothing new in a way that hints at loss? [5681 2] What answers a probe of
 * a closed window does not.
 */
static bool
is_duplicate(const struct rill_conn *conn, const struct segment *segment)
{
	return seq_eq(segment->ack, conn->snd_una) && conn_outstanding(conn) > 0 &&
	       conn->snd_wnd > 0 && !(conn->flags & CONN_PROBING) && segment->payload_len == 0 &&
	       !(segment->flags & (TCP_SYN | TCP_FIN)) &&
	       (uint32_t)segment->wnd << conn->snd_wscale == conn->snd_wnd;
}

void
ack_update_window(struct tcp *tcp, struct rill_conn *conn, const struct segment *segment)
{
	uint32_t wnd = (uint32_t)segment->wnd << conn->snd_wscale;

	/* An older segment counts if its ACK is newer: what was offered with an older ACK reaches
	 * less far. wl2 needs no look: SEG.ACK >= snd_una >= wl2. */
	if (!seq_leq(conn->snd_wl1, segment->seq) && seq_eq(segment->ack, conn->snd_una))
		return;
	conn->snd_wl1 = seq_max(conn->snd_wl1, segment->seq);
	if (wnd == conn->snd_wnd)
		return;
	if (conn->flags & CONN_PROBING) {
		/* The probe's octet was refused if it is still out: again, at once. */
		if (wnd > conn->snd_wnd && conn_outstanding(conn) > 0)
			conn->flags |= CONN_RETX_HEAD;
		conn->flags &= ~CONN_PROBING;
		conn->backoff = 0;
		if (conn_outstanding(conn) > 0)
			timers_restart_rto(tcp, conn);
		else
			timers_nothing_to_send(conn);
	}
	conn->snd_wnd = wnd;
	if (wnd > conn->snd_wnd_max)
		conn->snd_wnd_max = wnd;
	if (conn->txq_bytes > 0 || (conn->flags & CONN_RETX_HEAD))
		conn_mark_dirty(tcp, conn);
}

static void
count_acked(struct tcp *tcp, struct rill_conn *conn, uint32_t bytes)
{
	conn->bytes_out_low += bytes;
	if (conn->bytes_out_low < bytes)
		conn->bytes_out_high++;
	tcp->counters->bytes_out += bytes;
	if (unlikely(conn->key.family == AF_INET6) && conn->next_hop != SLAB_NONE)
		neighbor_confirm(neighbor_at(tcp->neighbors, conn->next_hop));
}

/* What congestion control is told of an ACK that delivers something. */
static void
tell_congestion_control(struct tcp *tcp, struct rill_conn *conn, const struct segment *segment,
	const struct ack_facts *facts, bool was_in_recovery)
{
	bool paces = conn_paces(conn);
	const struct cc_ack ack = {
		.now = tcp->now,
		.acked = facts->reorders ? ack_delivered(facts) : facts->bytes,
		.delivered = ack_delivered(facts),
		.lost = facts->lost,
		.flight = facts->flight,
		.mss = conn->mss,
		.rtt_us = facts->sack_rtt_us > 0 ? facts->sack_rtt_us : facts->rtt_us,
		.srtt_us = conn->rtt.srtt_us,
		.min_rtt_us = rtt_min(&conn->rtt),
		.snd_una = conn->snd_una,
		.snd_nxt = conn->snd_nxt,
		.rate = paces ? pace_sample(conn) : NULL,
		.in_recovery = (was_in_recovery && !facts->undone) ||
			       (conn->flags & CONN_RECOVERY) != 0 ||
			       ecn_holds_window(conn, segment),
		.cwnd_limited = (conn->flags & CONN_CWND_LIMITED) != 0,
		.ece = ecn_is_echo(conn, segment),
	};

	cc_ops(conn->cc.algorithm)->on_ack(&conn->cc, &ack);
	if (paces)
		pace_sampled(conn);
}

/* The urgent mark is behind once all before it is acknowledged. */
static void
forget_urgent(struct tcp *tcp, struct rill_conn *conn)
{
	struct sidecar *sidecar = conn_sidecar(tcp, conn);

	if (sidecar != NULL && (sidecar->flags & SIDECAR_URG_OUT) &&
		seq_geq(conn->snd_una, sidecar->snd_up))
		sidecar->flags &= (uint16_t)~SIDECAR_URG_OUT;
}

/* What is known before the queue is touched. */
static void
gather(const struct tcp *tcp, const struct rill_conn *conn, const struct segment *segment,
	struct ack_facts *facts)
{
	const struct scoreboard *score = score_of(tcp, conn);

	*facts = (struct ack_facts){
		.acked = segment->ack.n - conn->snd_una.n,
		.outstanding = conn_outstanding(conn),
		.tsecr_ms = segment->tsecr - conn->ts_offset,
		.has_tsecr = (conn->flags & CONN_TS) && segment->tsecr != 0,
		.reorders = (conn->modes & MODE_REORDERS) && (conn->flags & CONN_SACK),
	};
	facts->bytes = facts->acked;
	facts->flight = facts->outstanding;
	if (facts->acked == 0)
		facts->duplicate = is_duplicate(conn, segment);
	else if ((conn->flags & CONN_FIN_SENT) && seq_eq(segment->ack, conn->snd_nxt))
		facts->bytes--;
	if (score != NULL) {
		facts->flight = loss_flight(tcp, conn);
		facts->outstanding -= RTE_MIN(facts->outstanding, score->sacked_bytes);
	}
}

/* SEG.ACK > snd_una: off the queue it goes. */
static void
advance(struct tcp *tcp, struct rill_conn *conn, const struct segment *segment,
	struct ack_facts *facts)
{
	pathmtu_acked(tcp, conn, facts->bytes);
	txq_ack(tcp, conn, facts);
	conn->snd_una = segment->ack;
	if (facts->rtt_us > 0) {
		rtt_sample(&conn->rtt, facts->rtt_us);
		conn->backoff = 0; /* only a sample ends it [6298 5, Karn] */
		conn->modes &= (uint16_t)~MODE_TLP_SPENT;
	}
	conn->retries = 0;
	conn->flags &= ~(CONN_SOFT_TOLD | CONN_PROBING);
	forget_urgent(tcp, conn);
}

/* What new data acknowledged leads to, once recovery and congestion control know of it. */
static void
tell_application(struct tcp *tcp, struct rill_conn *conn, const struct ack_facts *facts)
{
	if (conn->txq_bytes > 0 || (conn->flags & CONN_FIN_QUEUED))
		conn_mark_dirty(tcp, conn);
	if (facts->bytes > 0) {
		count_acked(tcp, conn, facts->bytes);
		conn->flags &= ~CONN_WANTS_ROOM;
		deliver_sent(tcp, conn, facts->bytes);
	}
	if (facts->bytes < facts->acked && !(conn->flags & CONN_ENDED))
		close_fin_acked(tcp, conn);
}

bool
ack_fast(struct tcp *tcp, struct rill_conn *conn, const struct segment *segment)
{
	uint32_t acked = segment->ack.n - conn->snd_una.n, rtt_us;

	RILL_DCHECK(conn->sidecar == SLAB_NONE &&
		    !(conn->flags &
			    (CONN_FIN_SENT | CONN_PROBING | CONN_RECOVERY | CONN_RTO_RECOVERY)));
	if ((conn->flags & (CONN_PARKED | CONN_CWND_LIMITED | CONN_SOFT_TOLD)) ||
		(conn->modes & (MODE_ECN | MODE_PROBE_OUT)) || conn->cc.watches_unused ||
		conn_paces(conn) || conn->snd_wnd == 0)
		return false;

	/* From here on, only writes. */
	ack_update_window(tcp, conn, segment);
	if (acked == 0)
		return true;
	pathmtu_acked(tcp, conn, acked);
	rtt_us = txq_ack_plain(tcp, conn, acked);
	conn->snd_una = segment->ack;
	conn->retries = 0;
	if (likely(rtt_us > 0)) {
		rtt_sample(&conn->rtt, rtt_us);
		conn->backoff = 0;
		conn->modes &= (uint16_t)~MODE_TLP_SPENT;
	}
	timers_data_acked(tcp, conn);
	if (conn->txq_bytes > 0 || (conn->flags & CONN_FIN_QUEUED))
		conn_mark_dirty(tcp, conn);
	count_acked(tcp, conn, acked);
	conn->flags &= ~CONN_WANTS_ROOM;
	deliver_sent(tcp, conn, acked);
	return true;
}

void
ack_process(struct tcp *tcp, struct rill_conn *conn, const struct segment *segment)
{
	bool in_recovery = (conn->flags & CONN_RECOVERY) != 0;
	struct ack_facts facts;

	if (seq_lt(segment->ack, conn->snd_una))
		return; /* old: says nothing [9293 3.10.7.4] */
	gather(tcp, conn, segment, &facts);
	if (segment->sack_count > 0)
		loss_sack(tcp, conn, segment, &facts);
	if (facts.duplicate || (facts.sacked > 0 && facts.acked == 0))
		tcp->counters->dupacks_in++;
	if (conn->snd_wnd == 0 || (conn->flags & CONN_PROBING)) {
		/* The peer answers: a closed window is no reason to give up [MUST-37]. */
		conn->retries = 0;
		conn->stall_ms = ms32(tcp->now);
	}
	ack_update_window(tcp, conn, segment);
	if (facts.acked > 0)
		advance(tcp, conn, segment, &facts);
	if (conn->sidecar != SLAB_NONE || facts.duplicate ||
		(conn->flags & (CONN_RECOVERY | CONN_RTO_RECOVERY)))
		loss_after_ack(tcp, conn, segment, &facts);
	if ((facts.bytes > 0 || facts.sacked > 0) &&
		((conn->flags & CONN_CWND_LIMITED) || conn->cc.watches_unused))
		tell_congestion_control(tcp, conn, segment, &facts, in_recovery);
	if (facts.acked > 0) {
		timers_data_acked(tcp, conn);
		ecn_ack_arrived(tcp, conn, segment, facts.flight);
	}
	if (facts.reorder_us > 0 && conn_outstanding(conn) > 0)
		timers_reorder(tcp, conn, facts.reorder_us);
	if (facts.acked > 0) {
		tell_application(tcp, conn, &facts);
		if (conn->flags & (CONN_ENDED | CONN_FINISHED))
			return;
	}
	/* What waits for its next hop has a timer: it tries again, and is parked again. */
	if ((conn->flags & (CONN_PARKED | CONN_RTO_ARMED)) == CONN_PARKED)
		conn_wake(tcp, conn);
	if (conn->sidecar != SLAB_NONE)
		conn_drop_idle_sidecar(tcp, conn);
}
