/* SPDX-License-Identifier: BSD-3-Clause */
#include "emit.h"

#include <errno.h>

#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_tcp.h>

#include "checksum.h"
#include "close.h"
#include "ecn.h"
#include "headers.h"
#include "loss.h"
#include "pace.h"
#include "rcvwnd.h"
#include "reassembly.h"
#include "scoreboard.h"
#include "timers.h"
#include "txq.h"
#include "uto.h"

/* SACK blocks: the duplicate that is to be reported comes first [2883 4]. */
static unsigned int
emit_gather_sack(const struct sidecar *sidecar, struct sack_block *blocks, unsigned int max)
{
	unsigned int n = 0;

	if (sidecar->flags & SIDECAR_DSACK)
		blocks[n++] = sidecar->dsack;
	return n + reassembly_sack_blocks(sidecar, blocks + n, max - n);
}

/* The options of a segment that is no SYN. */
static void
emit_gather_options(
	const struct tcp *tcp, const struct rill_conn *conn, struct segment_options *options)
{
	options->has = 0;
	options->sack_count = 0;
	if (conn->flags & CONN_TS) {
		options->has |= SEG_HAS_TS;
		options->tsval = conn_tsval(conn, tcp->now);
		options->tsecr = conn->ts_recent;
	}
	if (unlikely(conn->modes & MODE_UTO_DUE))
		uto_offer(conn_options(tcp, conn), options);
	if (conn->sidecar != SLAB_NONE && (conn->flags & CONN_SACK))
		options->sack_count = (uint8_t)emit_gather_sack(
			conn_sidecar(tcp, conn), options->sack, (conn->flags & CONN_TS) ? 3 : 4);
}

unsigned int
emit_options_len(const struct tcp *tcp, const struct rill_conn *conn)
{
	struct segment_options options;

	if (conn->sidecar == SLAB_NONE && !(conn->modes & MODE_UTO_DUE))
		return (conn->flags & CONN_TS) ? 12 : 0;
	emit_gather_options(tcp, conn, &options);
	return segment_options_len(&options);
}

void
emit_checksum(const struct tcp *tcp, const struct tuple *tuple, struct rte_mbuf *frame,
	uint16_t l2_len, uint16_t l3_len, uint16_t tcp_len)
{
	struct rte_tcp_hdr *header =
		rte_pktmbuf_mtod_offset(frame, struct rte_tcp_hdr *, l2_len + l3_len);
	uint32_t pseudo = checksum_pseudo(tuple);
	uint16_t caps = tcp->netif->caps;

	headers_clear_offload(frame);
	if (caps & (NETIF_TX_IP4_CKSUM | NETIF_TX_TCP_CKSUM))
		headers_ask_offload(caps, frame, l2_len, l3_len, header->data_off);
	if (caps & NETIF_TX_TCP_CKSUM)
		header->cksum = checksum_tcp_offload(pseudo, tcp_len);
	else
		header->cksum = checksum_tcp(frame, (uint32_t)l2_len + l3_len, pseudo);
}

/*
 * A header mbuf followed by an indirect mbuf for each record's bytes: the payload stays untouched.
 */
static struct rte_mbuf *
frame_chained(struct tcp *tcp, uint32_t index, unsigned int count)
{
	struct rte_mbuf *frame = rte_pktmbuf_alloc(tcp->control_pool), *last = frame;

	if (frame == NULL)
		return NULL;
	for (unsigned int i = 0; i < count; i++) {
		const struct record *record = tcp_record_at(tcp, index);
		struct rte_mbuf *piece = rte_pktmbuf_alloc(tcp->control_pool);

		if (piece == NULL) {
			rte_pktmbuf_free(frame);
			return NULL;
		}
		rte_pktmbuf_attach(piece, record->mbuf);
		piece->data_off = (uint16_t)record->off;
		piece->data_len = (uint16_t)record->len;
		piece->pkt_len = record->len;
		piece->ol_flags &= RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL;
		last->next = piece;
		last = piece;
		frame->nb_segs++;
		frame->pkt_len += record->len;
		index = record->next;
	}
	return frame;
}

/* One buffer with the records' bytes copied: for ports that take no chains, or shorter ones. */
static struct rte_mbuf *
frame_copied(struct tcp *tcp, uint32_t index, unsigned int count)
{
	struct rte_mbuf *frame = rte_pktmbuf_alloc(tcp->buf_pool);

	if (frame == NULL)
		return NULL;
	tcp_buf_taken(tcp, 1);
	for (unsigned int i = 0; i < count; i++) {
		const struct record *record = tcp_record_at(tcp, index);
		char *room = rte_pktmbuf_append(frame, (uint16_t)record->len);

		if (room == NULL) {
			rte_pktmbuf_free(frame);
			return NULL;
		}
		memcpy(room, (const char *)record->mbuf->buf_addr + record->off, record->len);
		index = record->next;
	}
	tcp->counters->sndbuf_copies++;
	return frame;
}

static const struct train no_payload = {.index = SLAB_NONE, .segments = 1};

/* A frame with the payload in place and header_len bytes in front of it. NULL: no buffer. */
static struct rte_mbuf *
frame_make(struct tcp *tcp, const struct train *train, uint32_t header_len)
{
	uint32_t index = train->index;
	unsigned int count = train->count;
	struct rte_mbuf *frame;

	if (count == 1) {
		struct record *record = tcp_record_at(tcp, index);

		if (record_takes_headers(record, header_len)) {
			frame = record->mbuf;
			rte_mbuf_refcnt_update(frame, 1);
			rte_pktmbuf_prepend(frame, (uint16_t)header_len);
			return frame;
		}
	}
	if (count == 0)
		frame = rte_pktmbuf_alloc(tcp->control_pool);
	else if (train->segments > 1 || ((tcp->netif->caps & NETIF_TX_CHAINS) &&
						count < tcp->netif->tx_chain_max))
		frame = frame_chained(tcp, index, count);
	else
		frame = frame_copied(tcp, index, count);
	if (frame == NULL) {
		if (train->segments == 1) /* else they leave one by one */
			count_drop(tcp->counters, RILL_DROP_no_mbuf);
		return NULL;
	}
	RILL_ASSERT(rte_pktmbuf_prepend(frame, (uint16_t)header_len) != NULL);
	return frame;
}

/* As nearly all segments that are no SYN have them. */
static inline bool
are_timestamps_alone(const struct segment_options *options)
{
	return likely(options->has == SEG_HAS_TS && options->sack_count == 0);
}

/* Writes the three headers and puts the frame into the outbox, for the port to cut if segsz is not 0.
 * Returns its ticket. */
static uint32_t
frame_finish(struct tcp *tcp, struct rill_conn *conn, struct rte_mbuf *frame,
	const struct headers *fields, const struct segment_options *options, uint16_t segsz)
{
	struct neighbor *next_hop = neighbor_at(tcp->neighbors, conn->next_hop);
	uint16_t l2_len = next_hop->header_len, l3_len = headers_l3_len(conn);
	uint16_t tcp_len = (uint16_t)(frame->pkt_len - l2_len - l3_len), caps = tcp->netif->caps;
	uint32_t rest = (uint32_t)l2_len + l3_len + TCP_HEADER_LEN; /* is not summed yet */
	struct rte_tcp_hdr *header;
	struct header_sums sums = headers_write(tcp, conn, next_hop,
		rte_pktmbuf_mtod(frame, char *), l3_len, fields, tcp_len, &header);
	uint64_t rest_sum = 0;

	next_hop->used = true;
	if (are_timestamps_alone(options)) {
		rest_sum = headers_write_timestamps(header, options->tsval, options->tsecr);
		rest += HEADERS_TS_LEN;
	} else {
		segment_write_options((uint8_t *)(header + 1), options);
	}
	if (!(caps & NETIF_TX_TCP_CKSUM) && rest < frame->pkt_len)
		rest_sum += checksum_sum(frame, rest);
	headers_finish(caps, frame, l2_len, l3_len, header, &sums, rest_sum);
	if (unlikely(segsz > 0))
		headers_ask_tso(frame, header, &sums, tcp_len, segsz);
	tcp->counters->segs_out++;
	return outbox_put(tcp->outbox, frame);
}

/* The urgent pointer for a segment at seq, with TCP_URG set in *flags while the mark is ahead. */
static uint16_t
emit_urgent(const struct tcp *tcp, const struct rill_conn *conn, seq_t seq, uint8_t *flags)
{
	const struct sidecar *sidecar = conn_sidecar(tcp, conn);
	int32_t ahead;

	if (sidecar == NULL || !(sidecar->flags & SIDECAR_URG_OUT))
		return 0;
	ahead = seq_diff(sidecar->snd_up, seq);
	if (ahead <= 0)
		return 0;
	*flags |= TCP_URG;
	return (uint16_t)RTE_MIN(
		ahead, 65535); /* beyond: as far as the field reaches [9293 3.8.5] */
}

/* Time, ticket and flags of the records that a segment carried, or a train. */
static void
records_were_sent(
	struct tcp *tcp, struct rill_conn *conn, const struct train *train, uint32_t ticket)
{
	struct scoreboard *score = score_of(tcp, conn);
	uint32_t in_flight = conn_paces(conn) ? loss_flight(tcp, conn) : 0;
	uint32_t index = train->index, begun = 0; /* bytes of a segment that are among those before */

	for (unsigned int i = 0; i < train->count; i++) {
		struct record *record = tcp_record_at(tcp, index);

		if (conn_paces(conn)) {
			pace_sent(tcp, conn, index, in_flight);
			in_flight += record->len;
		}
		if (score != NULL)
			score_sent(tcp, score, index);
		if (record->flags & RECORD_SENT)
			record->flags |= RECORD_RETX;
		record->flags |= RECORD_SENT;
		record->flags &= (uint8_t)~(RECORD_CONTINUES | RECORD_CUT);
		if (begun > 0)
			record->flags |= RECORD_CONTINUES;
		else if (i > 0)
			record->flags |= RECORD_CUT;
		begun += record->len;
		if (begun >= train->mss)
			begun = 0;
		record->sent_us = us32(tcp->now);
		record->ticket = ticket;
		index = record->next;
	}
}

/* A duplicate is reported once [2883 4]. */
static void
duplicate_was_told(struct tcp *tcp, const struct rill_conn *conn)
{
	struct sidecar *sidecar = conn_sidecar(tcp, conn);

	if (!(sidecar->flags & SIDECAR_DSACK))
		return;
	sidecar->flags &= (uint16_t)~SIDECAR_DSACK;
	tcp->counters->dsacks_out++;
}

/* Made twice: who sends a segment alone does not ask what a train would need. */
static __rte_always_inline bool
emit(struct tcp *tcp, struct rill_conn *conn, uint8_t flags, seq_t seq, const struct train *train)
{
	bool new_data = train->count > 0 &&
		!(tcp_record_at(tcp, train->index)->flags & RECORD_SENT);
	struct headers fields = {.seq = seq, .flags = flags};
	struct segment_options options;
	unsigned int options_len;
	struct rte_mbuf *frame;
	uint32_t ticket;

	emit_gather_options(tcp, conn, &options);
	options_len = are_timestamps_alone(&options) ? HEADERS_TS_LEN
						     : segment_options_len(&options);
	frame = frame_make(tcp, train,
		headers_len(neighbor_at(tcp->neighbors, conn->next_hop), headers_l3_len(conn),
			options_len));
	if (frame == NULL)
		return false;
	if (conn->sidecar != SLAB_NONE && train->count > 0)
		fields.urg = emit_urgent(tcp, conn, seq, &fields.flags);
	fields.ecn = ecn_segment_leaves(conn, seq, new_data, &fields.flags);
	fields.wnd = rcvwnd_advertise(tcp, conn);
	fields.options_len = (uint8_t)options_len;
	ticket = frame_finish(tcp, conn, frame, &fields, &options,
		train->segments > 1 ? (uint16_t)train->mss : 0);
	records_were_sent(tcp, conn, train, ticket);
	if (unlikely(train->segments > 1)) {
		tcp->counters->segs_out += train->segments - 1;
		tso_sent(tcp, ticket);
	}
	if (conn->sidecar != SLAB_NONE)
		duplicate_was_told(tcp, conn);
	conn->modes &= (uint16_t)~MODE_UTO_DUE;
	conn->rcv_acked = conn->rcv_nxt;
	conn->flags &= ~(CONN_ACK_NOW | CONN_ACK_DELAYED);
	return true;
}

bool
emit_segment(struct tcp *tcp, struct rill_conn *conn, uint8_t flags, seq_t seq, uint32_t index,
	unsigned int count)
{
	const struct train alone = {
		.index = index, .count = count, .segments = 1, .mss = UINT32_MAX};

	return emit(tcp, conn, flags, seq, &alone);
}

bool
emit_train(struct tcp *tcp, struct rill_conn *conn, uint8_t flags, const struct train *train)
{
	return emit(tcp, conn, flags, conn->snd_nxt, train);
}

bool
emit_syn(struct tcp *tcp, struct rill_conn *conn)
{
	const struct rill_options *set = conn_options(tcp, conn);
	bool answer =
		conn->state == RILL_SYN_RECEIVED; /* to a simultaneous SYN: only what both want */
	struct headers fields = {
		.seq = conn->snd_una, .flags = answer ? TCP_SYN | TCP_ACK : TCP_SYN};
	struct segment_options options = {
		.has = SEG_HAS_MSS, .mss = rcvwnd_mss_to_offer(tcp, set, conn->key.family)};
	unsigned int options_len;
	struct rte_mbuf *frame;
	uint32_t wnd = RTE_MIN(conn->rcv_adv.n - conn->rcv_nxt.n, 65535u);

	if (!answer)
		wnd = RTE_MIN((uint32_t)set->rcvbuf, 65535u);
	if (answer ? (conn->flags & CONN_TS) != 0 : set->timestamps) {
		options.has |= SEG_HAS_TS;
		options.tsval = conn_tsval(conn, tcp->now);
		options.tsecr = answer ? conn->ts_recent : 0;
	}
	if (answer ? (conn->flags & CONN_SACK) != 0 : set->sack)
		options.has |= SEG_HAS_SACK_OK;
	if (answer ? conn->rcv_wscale != 0 || conn->snd_wscale != 0 : set->window_scale) {
		options.has |= SEG_HAS_WSCALE;
		options.wscale = (uint8_t)rcvwnd_scale_for((uint32_t)set->rcvbuf);
	}
	uto_offer(set, &options);
	options_len = segment_options_len(&options);
	frame = frame_make(tcp, &no_payload,
		headers_len(neighbor_at(tcp->neighbors, conn->next_hop), headers_l3_len(conn),
			options_len));
	if (frame == NULL)
		return false;
	fields.wnd = (uint16_t)wnd;
	fields.flags |= ecn_syn_flags(tcp, conn);
	fields.options_len = (uint8_t)options_len;
	frame_finish(tcp, conn, frame, &fields, &options, 0);
	conn->modes &= (uint16_t)~MODE_UTO_DUE;
	conn->rcv_acked = conn->rcv_nxt;
	conn->flags &= ~(CONN_ACK_NOW | CONN_ACK_DELAYED);
	return true;
}

/* Looks up where segments go; the source address stays what it is [MUST-45]. */
static bool
path_find(struct tcp *tcp, struct rill_conn *conn)
{
	struct rill_addr dst = tuple_remote(&conn->key, &conn->addrs6), via, source;

	if (net_route(tcp->net, &dst, &via, &source) != 0) {
		count_drop(tcp->counters, RILL_DROP_no_route);
		return false;
	}
	source = tuple_local(&conn->key, &conn->addrs6);
	conn->next_hop = neighbor_get(tcp->neighbors, &via, &source, true, tcp->now, tcp->outbox);
	return conn->next_hop != SLAB_NONE;
}

void
emit_rst(struct tcp *tcp, struct rill_conn *conn)
{
	const struct headers fields = {.seq = conn->snd_nxt, .flags = TCP_RST | TCP_ACK};
	const struct segment_options none = {0};
	struct neighbor *next_hop;
	struct rte_mbuf *frame;

	if (!outbox_has_control_room(tcp->outbox) ||
		(conn->next_hop == SLAB_NONE && !path_find(tcp, conn)))
		return;
	next_hop = neighbor_at(tcp->neighbors, conn->next_hop);
	if (!neighbor_is_ready(tcp->neighbors, next_hop, tcp->now))
		return;
	frame = frame_make(tcp, &no_payload, headers_len(next_hop, headers_l3_len(conn), 0));
	if (frame == NULL)
		return;
	frame_finish(tcp, conn, frame, &fields, &none, 0);
	tcp->counters->resets_sent++;
}

bool
emit_ack(struct tcp *tcp, struct rill_conn *conn)
{
	seq_t edge = seq_add(conn->snd_una, conn->snd_wnd);

	if (!outbox_has_control_room(tcp->outbox) ||
		(conn->next_hop == SLAB_NONE && !path_find(tcp, conn)) ||
		!neighbor_is_ready(tcp->neighbors, neighbor_at(tcp->neighbors, conn->next_hop),
			tcp->now))
		return false;
	return emit_segment(tcp, conn, TCP_ACK, seq_min(conn->snd_nxt, edge), SLAB_NONE, 0);
}

/* Waits for its next hop; what is to be sent counts as sent, so that its timers run. */
static void
park(struct tcp *tcp, struct rill_conn *conn)
{
	if (conn->flags & CONN_DIRTY)
		conn_list_remove(tcp, &tcp->dirty, conn);
	conn->flags = (conn->flags & ~CONN_DIRTY) | CONN_PARKED;
	conn_list_append(tcp, &tcp->parked, conn);
	if (conn->txq_bytes > 0 || conn_outstanding(conn) > 0 || !conn_is_synchronized(conn) ||
		(conn->flags & (CONN_FIN_QUEUED | CONN_FIN_SENT)) == CONN_FIN_QUEUED)
		timers_path_blocked(tcp, conn);
}

/* No route, or no room for one more next hop: the end of an attempt to open, else a soft error. */
static void
path_failed(struct tcp *tcp, struct rill_conn *conn)
{
	if (!conn_is_synchronized(conn)) {
		conn_end(tcp, conn, RILL_CLOSE_UNREACHABLE);
		return;
	}
	close_soft_error(tcp, conn, ENETUNREACH);
	if (!(conn->flags & CONN_ENDED))
		park(tcp, conn);
}

bool
emit_path_ready(struct tcp *tcp, struct rill_conn *conn)
{
	struct neighbor *next_hop;

	if (conn->next_hop == SLAB_NONE && !path_find(tcp, conn)) {
		path_failed(tcp, conn);
		return false;
	}
	next_hop = neighbor_at(tcp->neighbors, conn->next_hop);
	if (neighbor_is_ready(tcp->neighbors, next_hop, tcp->now))
		return true;
	if (next_hop->state == NEIGHBOR_ABANDONED) {
		neighbor_release(tcp->neighbors, conn->next_hop);
		conn->next_hop = SLAB_NONE;
		return emit_path_ready(tcp, conn);
	}
	if (next_hop->state ==
		NEIGHBOR_FAILED) /* it is wanted: asked for again when its time is up */
		neighbor_suspect(tcp->neighbors, conn->next_hop, tcp->now, tcp->outbox);
	park(tcp, conn);
	return false;
}
