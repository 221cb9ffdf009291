/* SPDX-License-Identifier: BSD-3-Clause */
#include "ecn.h"

#include "emit.h"
#include "loss.h"
#include "timers.h"

#define ECN_FLAGS (TCP_ECE | TCP_CWR)

/* ---- the handshake */

/* ECN-setup: both flags on a SYN, ECE alone on a SYN,ACK: one that reflects both was made by
 * somebody who does not know them [3168 6.1.1]. */
static bool
is_setup(const struct segment *syn)
{
	return (syn->flags & ECN_FLAGS) == ((syn->flags & TCP_ACK) ? TCP_ECE : ECN_FLAGS);
}

uint16_t
ecn_agree(const struct rill_options *options, const struct segment *syn)
{
	return options->ecn && is_setup(syn) ? MODE_ECN : 0;
}

void
ecn_ask(struct rill_conn *conn, const struct rill_options *options)
{
	if (options->ecn)
		conn->modes |= MODE_ECN;
}

void
ecn_settle(struct rill_conn *conn, uint16_t agreed)
{
	bool asked = !(conn->flags & CONN_ACTIVE) || (conn->modes & MODE_ECN);

	if (asked && (agreed & MODE_ECN))
		conn->modes |= agreed;
	else
		conn->modes &= (uint16_t) ~(MODE_ECN | MODE_NO_ECT);
}

uint8_t
ecn_syn_flags(struct tcp *tcp, struct rill_conn *conn)
{
	if (!(conn->modes & MODE_ECN))
		return 0;
	if (conn->state == RILL_SYN_RECEIVED)
		return ecn_syn_ack_flags(conn->modes);
	/* Some boxes drop a SYN that asks [3168 6.1.1.1]. */
	if (!(conn->modes & MODE_NO_ECT) && (conn->flags & CONN_SYN_LOST) &&
		conn_outstanding(conn) > 0) {
		conn->modes |= MODE_NO_ECT;
		tcp->counters->ecn_fallbacks++;
	}
	return (conn->modes & MODE_NO_ECT) ? 0 : ECN_FLAGS;
}

void
ecn_syn_again(struct half_open *half, const struct segment *syn)
{
	if ((half->modes & MODE_ECN) && !is_setup(syn))
		half->modes |= MODE_NO_ECT;
}

void
ecn_crossing_syn_ack(struct rill_conn *conn, struct segment *segment)
{
	if ((conn->modes & MODE_ECN) && !is_setup(segment))
		conn->modes |= MODE_NO_ECT;
	segment->flags &= (uint8_t)~ECN_FLAGS;
}

bool
ecn_plain_after_rst(struct tcp *tcp, struct rill_conn *conn)
{
	if ((conn->modes & (MODE_ECN | MODE_NO_ECT)) != MODE_ECN)
		return false;
	conn->modes &= (uint16_t)~MODE_ECN;
	tcp->counters->ecn_fallbacks++;
	/* As if nothing had been sent yet. */
	conn->snd_nxt = conn->snd_una;
	conn->flags &= ~(CONN_RTO_ARMED | CONN_RETX_HEAD);
	conn_mark_dirty(tcp, conn);
	return true;
}

/* ---- receiving data */

/* DCTCP's receiver [8257 3.2]: the sender counts bytes by the ECE of the ACKs that cover them. */
static void
echo_exactly(struct tcp *tcp, struct rill_conn *conn, bool marked)
{
	if (marked == ((conn->modes & MODE_ECE_DUE) != 0))
		return;
	if (!seq_eq(conn->rcv_nxt, conn->rcv_acked) && !(conn->flags & CONN_PARKED) &&
		outbox_room(tcp->outbox) > 0)
		emit_ack(tcp, conn); /* what came before, with the old state */
	conn->modes ^= MODE_ECE_DUE;
	conn->flags |= CONN_ACK_NOW;
	conn_mark_dirty(tcp, conn);
}

void
ecn_take_marks(struct tcp *tcp, struct rill_conn *conn, const struct segment *segment)
{
	bool marked = segment->ecn == ECN_CE;

	if (segment->payload_len == 0) /* nobody marks what is not ECT: not believed */
		return;
	if (marked)
		tcp->counters->ecn_marks_in++;
	if (cc_ops(conn->cc.algorithm)->exact_ece) {
		echo_exactly(tcp, conn, marked);
		return;
	}
	if (segment->flags & TCP_CWR)
		conn->modes &= (uint16_t)~MODE_ECE_DUE;
	if (marked) /* after CWR: of the new window [3168 6.1.3] */
		conn->modes |= MODE_ECE_DUE;
}

/* ---- being told to slow down */

static void
reduce(struct tcp *tcp, struct rill_conn *conn, uint32_t flight)
{
	const struct cc_ops *ops = cc_ops(conn->cc.algorithm);
	const struct cc_event event = {
		.now = tcp->now,
		.flight = RTE_MIN(flight, conn->cc.cwnd),
		.mss = conn->mss,
		.snd_una = conn->snd_una,
		.snd_nxt = conn->snd_nxt,
		.first = true,
	};
	uint32_t cwnd = conn->cc.cwnd;

	if (ops->on_ecn != NULL)
		ops->on_ecn(&conn->cc, &event);
	else
		ops->on_loss(&conn->cc, &event);
	/* An algorithm's least window may be more than what there was. */
	conn->cc.cwnd = RTE_MIN(conn->cc.cwnd, cwnd);
	conn->recover = conn->snd_nxt;
	ecn_window_reduced(conn);
	tcp->counters->ecn_reductions++;
}

void
ecn_take_echo(
	struct tcp *tcp, struct rill_conn *conn, const struct segment *segment, uint32_t flight)
{
	bool same_window = (conn->modes & MODE_CWR) && seq_leq(conn->snd_una, conn->recover);

	conn->modes &= (uint16_t)~MODE_ECN_WAIT;
	if (seq_geq(conn->snd_una, conn->recover))
		conn->modes &= (uint16_t)~MODE_CWR;
	if (!(segment->flags & TCP_ECE) || (conn->modes & MODE_NO_ECT) ||
		((conn->flags & (CONN_RECOVERY | CONN_RTO_RECOVERY)) && !loss_is_quiet(tcp, conn)))
		return;
	if (conn->cc.cwnd <= conn->mss) {
		/* Less than one segment per round trip: one per RTO [3168 6.1.2]. */
		conn->modes |= MODE_ECN_WAIT | MODE_CWR_DUE;
		timers_restart_rto(tcp, conn);
	} else if (!same_window) {
		reduce(tcp, conn, flight);
	}
}

/* ---- sending */

uint8_t
ecn_mark(struct rill_conn *conn, seq_t seq, bool new_data, uint8_t *flags)
{
	if (conn->modes & MODE_ECE_DUE)
		*flags |= TCP_ECE;
	/* What lies beyond the peer's window is a probe [3168 6.1.6]. */
	if (!new_data || (conn->modes & MODE_NO_ECT) ||
		seq_geq(seq, seq_add(conn->snd_una, conn->snd_wnd)))
		return ECN_NOT_ECT;
	if (conn->modes & MODE_CWR_DUE) {
		conn->modes &= (uint16_t)~MODE_CWR_DUE;
		*flags |= TCP_CWR;
	}
	return ECN_ECT0;
}
