/* SPDX-License-Identifier: BSD-3-Clause */
#include "tlp.h"

#include "ecn.h"
#include "loss.h"

#define TLP_WITHOUT_SRTT_US 1000000u /* [8985 7.2] */
#define TLP_ACK_DELAY_US 200000u     /* the longest delay of ACKs that is usual [8985 7.2] */
#define TLP_SLACK_US 2000u /* for who processes its bursts late: a probe is cheap, but not free */

bool
tlp_side_car_allows(const struct tcp *tcp, const struct rill_conn *conn)
{
	const struct sidecar *sidecar = conn_sidecar(tcp, conn);

	return !(sidecar->flags & SIDECAR_SCORE) ||
	       (sidecar->score.sacked_bytes == 0 && !(sidecar->flags & SIDECAR_TLP));
}

uint32_t
tlp_timeout_us(const struct tcp *tcp, const struct rill_conn *conn)
{
	uint32_t rto_min_us = (uint32_t)conn_options(tcp, conn)->rto_min_us;
	uint64_t timeout_us = 2ull * conn->rtt.srtt_us;

	if (conn->rtt.srtt_us == 0)
		return TLP_WITHOUT_SRTT_US;
	/* A lone segment's ACK may be delayed; where RTO may be short, ACKs are not. */
	if (conn_outstanding(conn) <= conn->mss)
		timeout_us += RTE_MIN(TLP_ACK_DELAY_US, rto_min_us);
	else
		timeout_us += RTE_MIN(TLP_SLACK_US, rto_min_us);
	return (uint32_t)RTE_MIN(timeout_us, (uint64_t)RTO_MAX_US);
}

void
tlp_sent(struct tcp *tcp, struct rill_conn *conn, bool again)
{
	struct sidecar *sidecar = conn_sidecar(tcp, conn);

	tcp->counters->loss_probes++;
	conn->modes |= MODE_TLP_SPENT;
	sidecar->flags |= SIDECAR_TLP;
	if (again)
		sidecar->flags |= SIDECAR_TLP_RETX;
	else
		sidecar->flags &= (uint16_t)~SIDECAR_TLP_RETX;
	sidecar->score.tlp_end = conn->snd_nxt;
	sidecar->score.tlp_ms = ms32(tcp->now);
}

/* One loss was repaired by the probe: it is answered as any loss [8985 7.4.2]. */
static void
repaired(struct tcp *tcp, struct rill_conn *conn, const struct ack_facts *facts)
{
	const struct cc_ops *ops = cc_ops(conn->cc.algorithm);
	struct cc_event event = loss_event(
		tcp, conn, RTE_MIN(conn_outstanding(conn) + facts->acked, conn->cc.cwnd));

	tcp->counters->loss_probes_good++;
	if (ecn_was_reduced(conn))
		return;
	conn->recover = conn->snd_nxt;
	ecn_window_reduced(conn);
	ops->on_loss(&conn->cc, &event);
	ops->on_recovered(&conn->cc, &event);
}

/*
 * The ACK reaches the end of what was out when the last segment was sent again. Did that repair
 * something? 1: yes, 0: no, -1: a later ACK will tell.
 */
static int
probe_verdict(const struct scoreboard *score, const struct segment *segment,
	const struct ack_facts *facts)
{
	/* The original arrived, and the probe besides [8985 7.4.2]. */
	if (facts->dsack ||
		(facts->acked == 0 && segment->payload_len == 0 && segment->sack_count == 0 &&
			seq_eq(segment->ack, score->tlp_end)))
		return 0;
	if (facts->has_tsecr && facts->acked > 0)
		return (int32_t)(facts->tsecr_ms - score->tlp_ms) >= 0;
	return seq_gt(segment->ack, score->tlp_end) ? 1 : -1;
}

void
tlp_after_ack(struct tcp *tcp, struct rill_conn *conn, struct sidecar *sidecar,
	const struct segment *segment, const struct ack_facts *facts)
{
	int verdict = 0;

	if (!(sidecar->flags & SIDECAR_TLP) || seq_lt(segment->ack, sidecar->score.tlp_end))
		return;
	if (sidecar->flags & SIDECAR_TLP_RETX)
		verdict = probe_verdict(&sidecar->score, segment, facts);
	if (verdict < 0)
		return;
	sidecar->flags &= (uint16_t)~SIDECAR_TLP;
	if (verdict > 0 && !(conn->flags & (CONN_RECOVERY | CONN_RTO_RECOVERY)))
		repaired(tcp, conn, facts);
}
