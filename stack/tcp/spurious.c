/* SPDX-License-Identifier: BSD-3-Clause */
#include "spurious.h"

#include "txq.h"

void
spurious_remember(struct tcp *tcp, struct rill_conn *conn, struct sidecar *sidecar, bool timeout)
{
	struct scoreboard *score = &sidecar->score;

	/* A timeout in a recovery is a new matter; what was reduced before stays so. */
	score->cc_before = conn->cc;
	score->undo_from = conn->snd_una;
	/* A probe that is out may come back as a duplicate too. */
	score->undo_retx = (sidecar->flags & SIDECAR_TLP) && (sidecar->flags & SIDECAR_TLP_RETX);
	sidecar->flags = (uint16_t)((sidecar->flags | SIDECAR_UNDO) & ~SIDECAR_RESENT);
	if (timeout && (conn->flags & CONN_SACK))
		sidecar->flags |= SIDECAR_FRTO;
	else
		sidecar->flags &= (uint16_t)~SIDECAR_FRTO;
}

void
spurious_sent_again(struct tcp *tcp, struct rill_conn *conn)
{
	struct sidecar *sidecar = conn_sidecar(tcp, conn);
	struct scoreboard *score;

	if (sidecar == NULL || !(sidecar->flags & SIDECAR_UNDO))
		return;
	score = &sidecar->score;
	score->undo_retx++;
	if (!(sidecar->flags & SIDECAR_RESENT))
		score->undo_retx_ms = ms32(tcp->now);
	sidecar->flags |= SIDECAR_RESENT;
}

/* Does the ACK answer something sent before the first retransmission? [3522 3.2] */
static bool
echoes_original(const struct sidecar *sidecar, const struct ack_facts *facts)
{
	return facts->acked > 0 && facts->has_tsecr && (sidecar->flags & SIDECAR_RESENT) &&
	       (int32_t)(facts->tsecr_ms - sidecar->score.undo_retx_ms) < 0;
}

/* A DSACK for one of the retransmissions; true when it was the last. */
static bool
takes_last_duplicate(struct scoreboard *score, const struct segment *segment)
{
	if (seq_lt(segment->sack[0].left, score->undo_from) || score->undo_retx == 0)
		return false;
	return --score->undo_retx == 0;
}

static void
undo(struct tcp *tcp, struct rill_conn *conn, struct sidecar *sidecar)
{
	bool timeout = conn->flags & CONN_RTO_RECOVERY;

	cc_undo(&conn->cc, &sidecar->score.cc_before);
	score_none_lost(tcp, &sidecar->score);
	sidecar->flags &= (uint16_t) ~(SIDECAR_UNDO | SIDECAR_FRTO);
	conn->flags &= ~(CONN_RECOVERY | CONN_RTO_RECOVERY | CONN_RETX_HEAD);
	conn->dupacks = 0;
	conn->modes &= (uint16_t) ~(MODE_CWR | MODE_CWR_DUE); /* nothing was reduced */
	if (timeout) {
		tcp->counters->spurious_rtos++;
		conn->backoff = 0;
	} else {
		tcp->counters->spurious_recoveries++;
		conn->modes |= MODE_REORDERS; /* what looked lost was late */
	}
	conn_mark_dirty(tcp, conn);
}

bool
spurious_check(struct tcp *tcp, struct rill_conn *conn, struct sidecar *sidecar,
	const struct segment *segment, const struct ack_facts *facts)
{
	struct scoreboard *score = &sidecar->score;
	bool proved, advanced;

	if (!(sidecar->flags & SIDECAR_UNDO))
		return false;
	advanced = seq_gt(conn->snd_una, score->undo_from);
	proved = echoes_original(sidecar, facts) ||
		 ((sidecar->flags & SIDECAR_FRTO) && facts->original && advanced) ||
		 (facts->dsack && takes_last_duplicate(score, segment));
	if (proved) {
		undo(tcp, conn, sidecar);
		return true;
	}
	/* The retransmission is acknowledged, nothing else: one more ACK decides; one that
	 * acknowledges nothing has decided [5682 3]. */
	if (!advanced || facts->acked == 0)
		sidecar->flags &= (uint16_t)~SIDECAR_FRTO;
	return false;
}

void
spurious_give_up(struct tcp *tcp, struct rill_conn *conn)
{
	conn_sidecar(tcp, conn)->flags &= (uint16_t)~SIDECAR_FRTO;
}

bool
spurious_wants_new_data(const struct tcp *tcp, const struct rill_conn *conn)
{
	const struct sidecar *sidecar = conn_sidecar(tcp, conn);

	return (conn->flags & CONN_RTO_RECOVERY) && sidecar != NULL &&
	       (sidecar->flags & SIDECAR_FRTO) && seq_gt(conn->snd_una, sidecar->score.undo_from) &&
	       seq_eq(conn->snd_nxt, conn->recover) && conn->txq_unsent != SLAB_NONE &&
	       seq_gt(seq_add(conn->snd_una, conn->snd_wnd), conn->snd_nxt);
}
