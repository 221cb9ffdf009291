/* SPDX-License-Identifier: BSD-3-Clause */
#include "pace.h"

#include <rte_malloc.h>

#include "loss.h"
#include "timers.h"

/* Once per lane, so that lanes without BBR need not pay 20 bytes per record. */
static bool
make_room(struct tcp *tcp)
{
	void *states;

	if (tcp->stamps != NULL)
		return true;
	states = rte_zmalloc(
		"rill", (size_t)tcp->limits.bbrs * sizeof(struct bbr), RTE_CACHE_LINE_SIZE);
	tcp->stamps = rte_zmalloc(
		"rill", (size_t)tcp->limits.records * sizeof(*tcp->stamps), RTE_CACHE_LINE_SIZE);
	if (states == NULL || tcp->stamps == NULL) {
		rte_free(states);
		rte_free(tcp->stamps);
		tcp->stamps = NULL;
		return false;
	}
	slab_init(&tcp->bbrs, states, sizeof(struct bbr), tcp->limits.bbrs,
		offsetof(struct bbr, link), true);
	return true;
}

/* What is out already was never stamped. */
static void
stamp_outstanding(struct tcp *tcp, struct rill_conn *conn, struct bbr *bbr)
{
	uint32_t in_flight = 0;

	for (uint32_t index = conn->txq_head; index != conn->txq_unsent;
		index = tcp_record_at(tcp, index)->next) {
		const struct record *record = tcp_record_at(tcp, index);

		rate_was_sent(&bbr->rate, &tcp->stamps[index], in_flight, record->len,
			record->sent_us);
		if (!(record->flags & (RECORD_SACKED | RECORD_LOST)))
			in_flight += record->len;
	}
}

void
pace_choose(struct tcp *tcp, struct rill_conn *conn, unsigned int algorithm, uint32_t window)
{
	bool paces = cc_ops(algorithm)->paces;
	uint32_t index = SLAB_NONE;
	struct bbr *bbr;

	if (paces && conn_paces(conn) && window == 0)
		return;
	pace_release(tcp, conn);
	if (paces) {
		index = make_room(tcp) ? slab_alloc(&tcp->bbrs) : SLAB_NONE;
		if (index == SLAB_NONE) {
			tcp->counters->bbr_fallbacks++;
			algorithm = RILL_CC_CUBIC;
		}
	}
	if (window > 0)
		cc_init(&conn->cc, algorithm, conn->mss, window);
	else
		cc_change(&conn->cc, algorithm, conn->mss);
	if (index == SLAB_NONE)
		return;
	bbr = slab_at(&tcp->bbrs, index);
	bbr_start(&conn->cc, bbr, conn->mss, conn->rtt.srtt_us, conn->snd_nxt.n, tcp->now);
	stamp_outstanding(tcp, conn, bbr);
}

void
pace_release(struct tcp *tcp, struct rill_conn *conn)
{
	struct bbr *bbr;

	if (!conn_paces(conn))
		return;
	bbr = bbr_of(&conn->cc);
	slab_free(&tcp->bbrs, slab_index(&tcp->bbrs, bbr));
	conn->modes &= (uint16_t)~MODE_PACED;
	cc_change(&conn->cc, RILL_CC_CUBIC, conn->mss);
}

void
pace_sent(struct tcp *tcp, struct rill_conn *conn, uint32_t index, uint32_t in_flight)
{
	const struct record *record = tcp_record_at(tcp, index);
	struct bbr *bbr = bbr_of(&conn->cc);

	rate_sent(&bbr->rate, &tcp->stamps[index], in_flight, record->len, tcp->now);
	pacer_sent(&bbr->pacer, record->len, tcp->now);
}

void
pace_delivered(struct tcp *tcp, struct rill_conn *conn, uint32_t index, uint32_t len)
{
	struct bbr *bbr = bbr_of(&conn->cc);

	rate_delivered(&bbr->rate, &bbr->sample, &tcp->stamps[index],
		tcp_record_at(tcp, index)->sent_us, len, tcp->now);
}

void
pace_lost(struct tcp *tcp, struct rill_conn *conn, uint32_t index)
{
	struct bbr_loss loss = {.now = tcp->now, .begins = true};
	seq_t end = conn->snd_una;

	while (index != SLAB_NONE) {
		const struct record *record = tcp_record_at(tcp, index);

		loss.begins = loss.begins || !seq_eq(record->seq, end);
		loss.stamp = &tcp->stamps[index];
		loss.len = record->len;
		bbr_lost(&conn->cc, &loss);
		loss.begins = false;
		end = seq_add(record->seq, record->len);
		index = record->list_next;
	}
}

const struct rate_sample *
pace_sample(struct rill_conn *conn)
{
	struct bbr *bbr = bbr_of(&conn->cc);

	rate_finish(&bbr->rate, &bbr->sample, rtt_min(&conn->rtt));
	return &bbr->sample;
}

void
pace_sampled(struct rill_conn *conn)
{
	bbr_of(&conn->cc)->sample = (struct rate_sample){0};
}

bool
pace_allows(struct tcp *tcp, struct rill_conn *conn)
{
	if (!conn_paces(conn) || pacer_allows(&bbr_of(&conn->cc)->pacer, tcp->now))
		return true;
	conn->modes |= MODE_PACED;
	timers_paced(tcp, conn);
	return false;
}

void
pace_drained(struct tcp *tcp, struct rill_conn *conn)
{
	uint32_t flight = loss_flight(tcp, conn);

	if (flight + conn->mss <= conn->cc.cwnd)
		rate_limited(&bbr_of(&conn->cc)->rate, flight);
}

ustime
pace_wake(const struct rill_conn *conn)
{
	return pacer_wake(&bbr_of(&conn->cc)->pacer);
}
