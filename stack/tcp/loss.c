/* SPDX-License-Identifier: BSD-3-Clause */
#include "loss.h"

#include <errno.h>

#include "close.h"
#include "timers.h"
#include "txq.h"

#define DUP_THRESH 3 /* [5681 3.2, 6675 2] */

uint32_t
loss_flight(const struct tcp *tcp, const struct rill_conn *conn)
{
	const struct sidecar *sidecar = conn_sidecar(tcp, conn);
	uint32_t outstanding = conn_outstanding(conn), out;

	if (sidecar == NULL)
		return outstanding;
	out = sidecar->sacked_bytes + sidecar->lost_bytes;
	return out < outstanding ? outstanding - out : 0;
}

static void
record_mark_lost(struct sidecar *sidecar, struct record *record)
{
	if (record->flags & (RECORD_LOST | RECORD_SACKED))
		return;
	record->flags |= RECORD_LOST;
	sidecar->lost_bytes += record->len;
}

/* The first segment's worth of the queue is lost. */
static void
mark_head_lost(struct tcp *tcp, struct rill_conn *conn, struct sidecar *sidecar)
{
	uint32_t index = conn->txq_head, left = conn->mss;

	while (index != SLAB_NONE && index != conn->txq_unsent && left > 0) {
		struct record *record = tcp_record_at(tcp, index);

		if (record->len > left)
			txq_split(tcp, conn, index, left);
		record_mark_lost(sidecar, record);
		left = record->len < left ? left - record->len : 0;
		index = record->next;
	}
}

static struct cc_event
congestion(const struct tcp *tcp, const struct rill_conn *conn)
{
	return (struct cc_event){
		.now = tcp->now,
		.flight = loss_flight(tcp, conn),
		.mss = conn->mss,
		.snd_una = conn->snd_una,
		.snd_nxt = conn->snd_nxt,
		.first = conn->retries == 0,
	};
}

static void
enter_recovery(struct tcp *tcp, struct rill_conn *conn)
{
	const struct cc_ops *ops = cc_ops(conn->cc.algorithm);
	struct cc_event event = congestion(tcp, conn);

	tcp->counters->fast_recoveries++;
	/* What limited transmit sent beyond cwnd does not count [5681 3.2]. */
	event.flight = RTE_MIN(conn_outstanding(conn), conn->cc.cwnd);
	ops->on_loss(&conn->cc, &event);
	conn->recover = conn->snd_nxt; /* [6582 3.2] */
	conn->flags |= CONN_RECOVERY | CONN_RETX_HEAD;
	conn_mark_dirty(tcp, conn);
}

static bool
in_any_recovery(const struct rill_conn *conn)
{
	return conn->flags & (CONN_RECOVERY | CONN_RTO_RECOVERY);
}

void
loss_duplicate_ack(struct tcp *tcp, struct rill_conn *conn)
{
	struct sidecar *sidecar;

	tcp->counters->dupacks_in++;
	if (conn->dupacks < CONN_DUPACKS_MAX)
		conn->dupacks++;
	if (conn->flags & CONN_SACK) { /* SACK blocks tell more, where there is room to note them */
		if (conn->sidecar == SLAB_NONE && conn->dupacks == DUP_THRESH && !in_any_recovery(conn))
			enter_recovery(tcp, conn);
		return;
	}
	sidecar = conn_need_sidecar(tcp, conn);
	/* Each tells that a segment has left the network: inflation, bounded by what is out
	 * [5681 3.2]. */
	if (sidecar != NULL && loss_flight(tcp, conn) > conn->mss)
		sidecar->sacked_bytes += conn->mss;
	if (conn->dupacks == DUP_THRESH && !in_any_recovery(conn)) {
		enter_recovery(tcp, conn);
		if (sidecar != NULL)
			mark_head_lost(tcp, conn, sidecar);
	}
	conn_mark_dirty(tcp, conn);
}

/* Is the block inside what is outstanding? [RFC2018-10] */
static bool
block_is_sane(const struct rill_conn *conn, const struct sack_block *block)
{
	return seq_lt(block->left, block->right) && seq_gt(block->right, conn->snd_una) &&
	       seq_geq(block->left, conn->snd_una) && seq_leq(block->right, conn->snd_nxt);
}

/* Marks what the block covers of one record, splitting it at the block's edges. True if it was
 * news. */
static bool
record_sack(struct tcp *tcp, struct rill_conn *conn, struct sidecar *sidecar, uint32_t index,
	const struct sack_block *block)
{
	struct record *record = tcp_record_at(tcp, index);
	seq_t end = seq_add(record->seq, record->len);

	if ((record->flags & RECORD_SACKED) || seq_leq(end, block->left) ||
		seq_geq(record->seq, block->right))
		return false;
	/* Blocks with edges inside our segments are odd: they may not take the last records. */
	if ((seq_lt(record->seq, block->left) || seq_gt(end, block->right)) &&
		txq_records_free(tcp) <= txq_record_reserve(tcp))
		return false;
	if (seq_lt(record->seq, block->left)) {
		txq_split(tcp, conn, index, block->left.n - record->seq.n);
		return false; /* the walk comes to the second half next */
	}
	if (seq_gt(end, block->right))
		txq_split(tcp, conn, index, block->right.n - record->seq.n);
	if (record->flags & RECORD_LOST) {
		record->flags &= (uint8_t)~RECORD_LOST;
		sidecar->lost_bytes -= record->len;
	}
	record->flags |= RECORD_SACKED;
	sidecar->sacked_bytes += record->len;
	sidecar->sacked_high = seq_max(sidecar->sacked_high, seq_add(record->seq, record->len));
	return true;
}

bool
loss_sack_blocks(struct tcp *tcp, struct rill_conn *conn, const struct segment *segment)
{
	struct sidecar *sidecar;
	bool news = false;

	if (!(conn->flags & CONN_SACK) || segment->sack_count == 0)
		return false;
	sidecar = conn_need_sidecar(tcp, conn);
	if (sidecar == NULL)
		return false;
	if (sidecar->sacked_bytes == 0)
		sidecar->sacked_high = conn->snd_una;
	for (unsigned int i = 0; i < segment->sack_count; i++) {
		const struct sack_block *block = &segment->sack[i];

		tcp->counters->sack_blocks_in++;
		if (!block_is_sane(conn, block)) {
			tcp->counters->sack_bad_blocks++;
			continue;
		}
		for (uint32_t index = conn->txq_head;
			index != SLAB_NONE && index != conn->txq_unsent &&
			seq_lt(tcp_record_at(tcp, index)->seq, block->right);
			index = tcp_record_at(tcp, index)->next)
			news |= record_sack(tcp, conn, sidecar, index, block);
	}
	return news;
}

/*
 * Marks as lost what has enough SACKed above it: more than (DupThresh - 1) segments' bytes [6675
 * 4]. Returns true if the head is lost.
 */
static bool
mark_lost_by_sack(struct tcp *tcp, struct rill_conn *conn, struct sidecar *sidecar)
{
	uint32_t above = sidecar->sacked_bytes;
	uint32_t index = conn->txq_head;

	while (index != SLAB_NONE && index != conn->txq_unsent) {
		struct record *record = tcp_record_at(tcp, index);

		if (above <= (DUP_THRESH - 1) * (uint32_t)conn->mss)
			break;
		if (record->flags & RECORD_SACKED)
			above -= record->len;
		else if (!(record->flags & RECORD_RETX))
			record_mark_lost(sidecar, record);
		index = record->next;
	}
	index = conn->txq_head;
	return index != SLAB_NONE && (tcp_record_at(tcp, index)->flags & RECORD_LOST);
}

void
loss_sack_news(struct tcp *tcp, struct rill_conn *conn)
{
	struct sidecar *sidecar = conn_sidecar(tcp, conn);

	if (sidecar == NULL)
		return;
	if (in_any_recovery(conn)) {
		mark_lost_by_sack(tcp, conn, sidecar);
	} else if (conn->dupacks >= DUP_THRESH) {
		enter_recovery(tcp, conn);
		mark_lost_by_sack(tcp, conn, sidecar);
		mark_head_lost(tcp, conn, sidecar);
	} else if (mark_lost_by_sack(tcp, conn, sidecar)) {
		enter_recovery(tcp, conn);
	}
	conn_mark_dirty(tcp, conn);
}

/* Everything that was out when recovery began is acknowledged. */
static void
leave_recovery(struct tcp *tcp, struct rill_conn *conn, struct sidecar *sidecar)
{
	struct cc_event event = congestion(tcp, conn);

	if (conn->flags & CONN_RECOVERY)
		cc_ops(conn->cc.algorithm)->on_recovered(&conn->cc, &event);
	conn->flags &= ~(CONN_RECOVERY | CONN_RTO_RECOVERY | CONN_RETX_HEAD);
	if (sidecar != NULL && !(conn->flags & CONN_SACK))
		sidecar->sacked_bytes = 0;
}

void
loss_progress(
	struct tcp *tcp, struct rill_conn *conn, uint32_t acked, uint32_t sacked, uint32_t lost)
{
	struct sidecar *sidecar = conn_sidecar(tcp, conn);

	conn->dupacks = 0;
	if (sidecar != NULL) {
		sidecar->lost_bytes -= lost;
		if (conn->flags & CONN_SACK)
			sidecar->sacked_bytes -= sacked;
		else if (conn->flags &
			 CONN_RECOVERY) /* deflate by what was acked, less one mss [6582 3.2] */
			sidecar->sacked_bytes -= RTE_MIN(
				sidecar->sacked_bytes, acked > conn->mss ? acked - conn->mss : 0);
		else
			sidecar->sacked_bytes = 0;
	}
	if (!in_any_recovery(conn))
		return;
	if (seq_geq(conn->snd_una, conn->recover)) {
		leave_recovery(tcp, conn, sidecar);
		if (sidecar != NULL && (conn->flags & CONN_SACK) && conn->txq_head != SLAB_NONE &&
			(tcp_record_at(tcp, conn->txq_head)->flags & RECORD_LOST))
			enter_recovery(tcp, conn); /* lost after recover: the next event */
		return;
	}
	/* A partial ACK: the next hole begins at snd_una [6582 3.2]. */
	if (sidecar == NULL) {
		conn->flags |= CONN_RETX_HEAD;
	} else if ((conn->flags & CONN_RECOVERY) && !(conn->flags & CONN_SACK)) {
		struct record *head =
			conn->txq_head == SLAB_NONE ? NULL : tcp_record_at(tcp, conn->txq_head);

		if (head != NULL && !(head->flags & RECORD_RETX))
			mark_head_lost(tcp, conn, sidecar);
	}
	conn_mark_dirty(tcp, conn);
}

/* All that is outstanding counts as lost, whatever SACK said before [RFC2018-8]. */
static void
mark_all_lost(struct tcp *tcp, struct rill_conn *conn, struct sidecar *sidecar)
{
	sidecar->sacked_bytes = 0;
	sidecar->lost_bytes = 0;
	sidecar->sacked_high = conn->snd_una;
	for (uint32_t index = conn->txq_head; index != SLAB_NONE && index != conn->txq_unsent;
		index = tcp_record_at(tcp, index)->next) {
		struct record *record = tcp_record_at(tcp, index);

		record->flags &= (uint8_t) ~(RECORD_SACKED | RECORD_LOST);
		record_mark_lost(sidecar, record);
	}
}

/* A timeout in a synchronized state with the window open. */
static void
timeout_data(struct tcp *tcp, struct rill_conn *conn)
{
	struct sidecar *sidecar = conn_need_sidecar(tcp, conn);
	struct cc_event event = congestion(tcp, conn);

	cc_ops(conn->cc.algorithm)->on_rto(&conn->cc, &event);
	if (sidecar != NULL)
		mark_all_lost(tcp, conn, sidecar);
	conn->flags = (conn->flags & ~CONN_RECOVERY) | CONN_RTO_RECOVERY;
	conn->recover = conn->snd_nxt; /* [6582 4] */
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

void
loss_timer_expired(struct tcp *tcp, struct rill_conn *conn)
{
	bool outstanding = conn_outstanding(conn) > 0;

	/* What the NIC has not taken yet is not sent a second time. */
	if (outstanding && conn->txq_head != SLAB_NONE &&
		(tcp_record_at(tcp, conn->txq_head)->flags & RECORD_SENT) &&
		outbox_waiting(tcp->outbox, tcp_record_at(tcp, conn->txq_head)->ticket)) {
		timers_restart_rto(tcp, conn);
		return;
	}
	if (!outstanding && !(conn->flags & (CONN_PROBING | CONN_PARKED))) {
		conn->flags |= CONN_PUSH_OUT; /* cork's time is up */
		conn_mark_dirty(tcp, conn);
		return;
	}
	if (conn->retries >= retries_max(conn, conn_options(tcp, conn))) {
		conn_end(tcp, conn, RILL_CLOSE_TIMEOUT);
		return;
	}
	if (!conn_is_synchronized(conn))
		conn->flags |= CONN_SYN_LOST;
	else if (outstanding && conn->snd_wnd > 0 && !(conn->flags & CONN_PROBING))
		timeout_data(tcp, conn);
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
	conn->retries++;
	if (conn->backoff < CONN_BACKOFF_MAX)
		conn->backoff++;
	timers_restart_rto(tcp, conn);
	conn_wake(tcp, conn); /* if its next hop was not resolved: the way is tried once more */
	if (conn->retries == TCP_R1_RETRIES)
		negative_advice(tcp, conn);
}
