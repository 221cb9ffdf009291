/* SPDX-License-Identifier: BSD-3-Clause */
#include "cookies.h"

#include <rte_mbuf.h>

#include "half_open.h"
#include "isn.h"
#include "rcvwnd.h"

bool
cookies_answer(struct tcp *tcp, struct rill_listener *listener, struct segment *segment,
	const struct agreement *agreement)
{
	const struct rill_options *own = listener_options(tcp, listener);
	bool has_ts = agreement->has & SEG_HAS_TS;
	const struct cookie_syn syn = {
		.mss = RTE_MAX(agreement->peer_mss, (uint16_t)own->mss_floor),
		.has_ts = has_ts,
	};
	struct cookie_options options = {
		.has_wscale = agreement->has & SEG_HAS_WSCALE,
		.wscale = agreement->snd_wscale,
		.has_sack = agreement->has & SEG_HAS_SACK_OK,
		.ecn = agreement->modes & MODE_ECN,
	};
	struct half_open half;
	struct reply reply;

	if (!own->syn_cookies || syn.mss < COOKIE_MSS_LEAST)
		return false;
	listener->cookies_until = tcp->now + COOKIE_LIFE_US;
	half = half_open_of(tcp, listener, segment, agreement,
		ts_offset(&tcp->isn_key, &segment->tuple));
	half.irs = segment->seq;
	half.iss = cookie_make(&tcp->cookies, &segment->tuple, segment->seq, &syn, tcp->now);
	if (!has_ts) /* nowhere to keep the other options */
		half.has = half.modes = 0;
	half_open_syn_ack(tcp, &half, &reply);
	if (has_ts)
		reply.options.tsval = cookie_tsval(reply.options.tsval, &options);
	tcp->counters->syn_cookies_sent++;
	reply_send(tcp, segment, &reply);
	return true;
}

/* What the cookie and the ACK that brings it tell of the SYN, within what our options offered. */
static struct agreement
cookie_agreement(const struct rill_options *options, const struct segment *segment,
	const struct cookie_syn *syn)
{
	struct cookie_options kept = cookie_options_of(segment->tsecr);
	struct agreement agreement = {.peer_mss = syn->mss};

	if (!syn->has_ts)
		return agreement;
	agreement.has = SEG_HAS_TS;
	if (kept.has_sack && options->sack)
		agreement.has |= SEG_HAS_SACK_OK;
	if (kept.ecn && options->ecn)
		agreement.modes = MODE_ECN;
	if (kept.has_wscale && options->window_scale) {
		agreement.has |= SEG_HAS_WSCALE;
		agreement.snd_wscale = kept.wscale;
		agreement.rcv_wscale = (uint8_t)rcvwnd_scale_for((uint32_t)options->rcvbuf);
	}
	return agreement;
}

/*
 * An ACK that brings no good cookie. One with data may have overtaken the one that opens, or its
 * first data was lost: then the peer says it again, and RST would destroy a good connection.
 */
static bool
cookies_refuse(struct tcp *tcp, struct segment *segment)
{
	tcp->counters->syn_cookies_bad++;
	if (segment_len(segment) == 0)
		return false;
	drop_packet(tcp->counters, segment->mbuf, RILL_DROP_tcp_cookie_data);
	return true;
}

bool
cookies_recognise(struct tcp *tcp, const struct rill_listener *listener,
	const struct segment *segment, struct cookie_syn *syn)
{
	if (!cookies_are_out(tcp, listener))
		return false;
	syn->has_ts = (segment->has & SEG_HAS_TS) && listener_options(tcp, listener)->timestamps;
	return cookie_check(&tcp->cookies, &segment->tuple, seq_sub(segment->seq, 1),
		seq_sub(segment->ack, 1), syn, tcp->now);
}

void
cookies_open(struct tcp *tcp, const struct rill_listener *listener, struct segment *segment,
	const struct cookie_syn *syn)
{
	struct agreement agreement =
		cookie_agreement(listener_options(tcp, listener), segment, syn);
	struct half_open half = half_open_of(tcp, listener, segment, &agreement,
		ts_offset(&tcp->isn_key, &segment->tuple));
	struct rill_conn *conn;

	half.irs = seq_sub(segment->seq, 1);
	half.iss = seq_sub(segment->ack, 1);
	/* Without room nothing is said, and the peer tries again [RFC4987-9]. */
	conn = half_open_accept(tcp, &half, segment, TABLE_MISS);
	if (conn == NULL) {
		drop_packet(tcp->counters, segment->mbuf, RILL_DROP_tcp_conns_full);
		return;
	}
	conn->modes |= MODE_COOKIE;
	tcp->counters->syn_cookies_good++;
	half_open_deliver(tcp, conn, segment);
}

bool
cookies_take_ack(struct tcp *tcp, const struct rill_listener *listener, struct segment *segment)
{
	struct cookie_syn syn;

	if (!cookies_are_out(tcp, listener) || (segment->flags & TCP_SYN))
		return false;
	if (!cookies_recognise(tcp, listener, segment, &syn))
		return cookies_refuse(tcp, segment);
	cookies_open(tcp, listener, segment, &syn);
	return true;
}
