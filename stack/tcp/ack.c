/* SPDX-License-Identifier: BSD-3-Clause */
#include "ack.h"

#include "close.h"
#include "deliver.h"
#include "loss.h"
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

	/* wl2 needs no look: SEG.ACK >= snd_una >= wl2. */
	if (!seq_leq(conn->snd_wl1, segment->seq))
		return;
	conn->snd_wl1 = segment->seq;
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
}

/* What congestion control is told of an ACK of new data. */
static void
tell_congestion_control(struct tcp *tcp, struct rill_conn *conn, uint32_t bytes, uint32_t flight,
	uint32_t rtt_us, bool was_in_recovery)
{
	const struct cc_ack ack = {
		.now = tcp->now,
		.acked = bytes,
		.delivered = bytes,
		.flight = flight,
		.mss = conn->mss,
		.rtt_us = rtt_us,
		.srtt_us = conn->rtt.srtt_us,
		.snd_una = conn->snd_una,
		.snd_nxt = conn->snd_nxt,
		.in_recovery = was_in_recovery,
		.cwnd_limited = (conn->flags & CONN_CWND_LIMITED) != 0,
	};

	cc_ops(conn->cc.algorithm)->on_ack(&conn->cc, &ack);
}

/* The urgent mark is behind once all before it is acknowledged. */
static void
forget_urgent(struct tcp *tcp, struct rill_conn *conn)
{
	struct sidecar *sidecar = conn_sidecar(tcp, conn);

	if (sidecar != NULL && (sidecar->flags & SIDECAR_URG_OUT) &&
		seq_geq(conn->snd_una, sidecar->snd_up))
		sidecar->flags &= (uint8_t)~SIDECAR_URG_OUT;
}

/* SEG.ACK > snd_una. */
static void
ack_new(struct tcp *tcp, struct rill_conn *conn, const struct segment *segment)
{
	uint32_t flight = loss_flight(tcp, conn), acked = segment->ack.n - conn->snd_una.n;
	bool fin_acked = (conn->flags & CONN_FIN_SENT) && seq_eq(segment->ack, conn->snd_nxt);
	uint32_t bytes = acked - fin_acked;
	bool in_recovery = (conn->flags & CONN_RECOVERY) != 0;
	bool has_tsecr = (conn->flags & CONN_TS) && segment->tsecr != 0;
	struct txq_acked queue;

	txq_ack(tcp, conn, bytes, has_tsecr, segment->tsecr - conn->ts_offset, &queue);
	conn->snd_una = segment->ack;
	if (queue.rtt_us > 0) {
		rtt_sample(&conn->rtt, queue.rtt_us, (uint32_t)conn_options(tcp, conn)->rto_min_us);
		conn->backoff = 0; /* only a sample ends it [6298 5, Karn] */
	}
	conn->retries = 0;
	conn->flags &= ~(CONN_SOFT_TOLD | CONN_PROBING);
	loss_progress(tcp, conn, acked, queue.sacked, queue.lost);
	forget_urgent(tcp, conn);
	timers_data_acked(tcp, conn);
	if (bytes > 0) {
		count_acked(tcp, conn, bytes);
		tell_congestion_control(tcp, conn, bytes, flight, queue.rtt_us, in_recovery);
	}
	if (conn->txq_bytes > 0 || (conn->flags & CONN_FIN_QUEUED))
		conn_mark_dirty(tcp, conn);
	if (bytes > 0) {
		conn->flags &= ~CONN_WANTS_ROOM;
		deliver_sent(tcp, conn, bytes);
	}
	if (fin_acked && !(conn->flags & CONN_ENDED))
		close_fin_acked(tcp, conn);
}

void
ack_process(struct tcp *tcp, struct rill_conn *conn, const struct segment *segment)
{
	bool news;

	if (seq_lt(segment->ack, conn->snd_una))
		return; /* old: says nothing [9293 3.10.7.4] */
	news = segment->sack_count > 0 && loss_sack_blocks(tcp, conn, segment);
	if (is_duplicate(conn, segment) || (news && seq_eq(segment->ack, conn->snd_una)))
		loss_duplicate_ack(tcp, conn);
	if (conn->snd_wnd == 0 || (conn->flags & CONN_PROBING)) {
		/* The peer answers: a closed window is no reason to give up [MUST-37]. */
		conn->retries = 0;
		conn->stall_ms = ms32(tcp->now);
	}
	ack_update_window(tcp, conn, segment);
	if (seq_gt(segment->ack, conn->snd_una)) {
		ack_new(tcp, conn, segment);
		if (conn->flags & (CONN_ENDED | CONN_FINISHED))
			return;
	}
	if (news)
		loss_sack_news(tcp, conn);
	if (conn->sidecar != SLAB_NONE)
		conn_drop_idle_sidecar(tcp, conn);
}
