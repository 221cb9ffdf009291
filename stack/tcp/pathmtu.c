/* SPDX-License-Identifier: BSD-3-Clause */
#include "pathmtu.h"

#include "emit.h"
#include "headers.h"
#include "loss.h"
#include "open.h"
#include "scoreboard.h"
#include "txq.h"

/* Full segments that follow a probe, so that its loss is not found by a timeout [4821 7.4]. */
#define PROBE_FOLLOWERS 3

/* IP and TCP header of a data segment, without SACK blocks. */
static uint32_t
overhead(const struct rill_conn *conn)
{
	return (uint32_t)headers_l3_len(conn) + TCP_HEADER_LEN + ((conn->flags & CONN_TS) ? 12 : 0);
}

/* The largest packet that the connection sends. */
static uint16_t
path_mtu(const struct rill_conn *conn)
{
	return (uint16_t)RTE_MIN(conn->mss + overhead(conn), (uint32_t)UINT16_MAX);
}

static uint16_t
least_mtu(const struct tcp *tcp, const struct rill_conn *conn)
{
	uint16_t least = (uint16_t)conn_options(tcp, conn)->pmtu_min;

	return conn->key.family == AF_INET ? least : RTE_MAX(least, IP6_MTU_LEAST);
}

static struct rill_addr
destination(const struct rill_conn *conn)
{
	return tuple_remote(&conn->key, &conn->addrs6);
}

/* What a segment may carry if the path does not mind. */
static uint32_t
most_mss(const struct tcp *tcp, const struct rill_conn *conn)
{
	return open_send_mss(tcp, conn_options(tcp, conn), conn->key.family, conn->peer_mss,
		(conn->flags & CONN_TS) != 0);
}

/* The path carries packets of so many bytes: from now on segments are as long as that allows. */
static void
take_mtu(const struct tcp *tcp, struct rill_conn *conn, uint16_t mtu)
{
	uint32_t most = most_mss(tcp, conn);
	uint32_t mss = RTE_MAX(mtu, least_mtu(tcp, conn)) - overhead(conn), before = conn->mss;

	conn->modes |= MODE_PATH_LOW;
	if (mss >= most) {
		mss = most;
		conn->modes &= (uint16_t)~MODE_PATH_LOW;
	}
	if (mss == before)
		return;
	conn->mss = (uint16_t)mss;
	conn->modes &= (uint16_t)~MODE_PATH_PROVEN;
	/* The initial window is meant in segments; any later one in bytes [5681 3.1]. */
	if (mss < before && conn->bytes_out_low == 0 && conn->bytes_out_high == 0)
		conn->cc.cwnd = (uint32_t)((uint64_t)conn->cc.cwnd * mss / before);
}

void
pathmtu_begin(struct tcp *tcp, struct rill_conn *conn)
{
	conn->mss = (uint16_t)most_mss(tcp, conn);
	pathmtu_follow(tcp, conn);
}

static bool
may_probe(const struct tcp *tcp, const struct rill_conn *conn)
{
	return (conn->flags & CONN_SACK) && conn_options(tcp, conn)->pmtu_probing;
}

void
pathmtu_look(struct tcp *tcp, struct rill_conn *conn)
{
	struct rill_addr dst = destination(conn);
	const struct pmtu_path *path = pmtu_find(&tcp->pmtu, &dst, tcp->now);
	bool low = (conn->modes & MODE_PATH_LOW) != 0;

	if (path == NULL && low)
		pmtu_keep(&tcp->pmtu, &dst, path_mtu(conn), tcp->now);
	else if (path != NULL && (pmtu_is_fresh(path, tcp->now) || may_probe(tcp, conn)))
		take_mtu(tcp, conn, path->mtu);
	else if (low)
		take_mtu(tcp, conn, UINT16_MAX); /* the estimate is old: it shows again */
}

/*
 * The segment that carries seq, as it was last sent: its first record and, in *len, its payload
 * bytes. NULL: no data.
 */
static const struct record *
find_segment(const struct tcp *tcp, const struct rill_conn *conn, seq_t seq, uint32_t *len)
{
	uint32_t index = conn->txq_head;

	while (index != SLAB_NONE && index != conn->txq_unsent) {
		const struct record *first = tcp_record_at(tcp, index);

		index = txq_segment(tcp, conn, index, len);
		if (seq_lt(seq, seq_add(first->seq, *len)))
			return first;
	}
	return NULL;
}

enum rill_drop
pathmtu_too_big(struct tcp *tcp, struct rill_conn *conn, seq_t seq, uint16_t mtu)
{
	struct rill_addr dst = destination(conn);
	const struct record *first;
	uint32_t len, size;
	uint16_t path;

	pathmtu_follow(tcp, conn);
	path = path_mtu(conn);
	first = find_segment(tcp, conn, seq, &len);
	if (first == NULL || (mtu != 0 && mtu < PMTU_LEAST))
		return RILL_DROP_icmp_mtu;
	size = len + overhead(conn);
	if (mtu == 0)
		mtu = pmtu_plateau_below((uint16_t)RTE_MIN(size, (uint32_t)UINT16_MAX));
	mtu = RTE_MAX(mtu, least_mtu(tcp, conn));
	/* Never raised by what anybody says [1191 3]. */
	if (mtu >= size || (mtu > path && !(first->flags & RECORD_PROBE)))
		return RILL_DROP_icmp_mtu;
	if (first->flags & (RECORD_SACKED | RECORD_LOST)) /* it arrived; or is sent again anyway */
		return RILL_DROP_icmp_stale;
	if ((conn->modes & MODE_PROBE_OUT) && (first->flags & RECORD_PROBE) && mtu >= path)
		pathmtu_probe_failed(tcp, conn, mtu + 1u - overhead(conn));
	if (mtu < path) {
		if ((conn->modes & MODE_PATH_PROVEN) && !(first->flags & RECORD_RETX))
			return RILL_DROP_icmp_mtu_unproven;
		tcp->counters->pmtu_lowered++;
		pmtu_lower(&tcp->pmtu, &dst, mtu, tcp->now);
		take_mtu(tcp, conn, mtu);
	}
	loss_too_long(tcp, conn, conn->mss);
	return RILL_DROP_COUNT;
}

/* ---- the way up */

/*
 * May a probe of at least so much payload leave? Nothing is missing or waits to be reported, and
 * data and windows suffice for what follows it too [4821 7.4].
 */
bool
pathmtu_probe_fits(const struct tcp *tcp, const struct rill_conn *conn, uint32_t len)
{
	uint32_t needed = len + PROBE_FOLLOWERS * conn->mss;
	const struct scoreboard *score = score_of(tcp, conn);

	return txq_unsent_bytes(conn) >= needed && conn->cc.cwnd >= needed &&
	       conn->snd_wnd >= needed &&
	       seq_diff(seq_add(conn->snd_una, conn->snd_wnd), conn->snd_nxt) >= (int32_t)len &&
	       (score == NULL || (score->sacked_bytes == 0 && score->lost_bytes == 0)) &&
	       emit_options_len(tcp, conn) == ((conn->flags & CONN_TS) ? 12u : 0u);
}

uint32_t
pathmtu_probe_len(struct tcp *tcp, struct rill_conn *conn)
{
	struct rill_addr dst = destination(conn);
	uint32_t len;
	uint16_t size;

	if ((conn->modes & MODE_PROBE_OUT) || !may_probe(tcp, conn) ||
		(conn->flags & (CONN_RECOVERY | CONN_RTO_RECOVERY | CONN_PROBING)) ||
		!pathmtu_probe_fits(tcp, conn, conn->mss + 1u))
		return 0;
	size = pmtu_probe_due(
		&tcp->pmtu, &dst, (uint16_t)(most_mss(tcp, conn) + overhead(conn)), tcp->now);
	if (size <= path_mtu(conn))
		return 0;
	len = size - overhead(conn);
	return pathmtu_probe_fits(tcp, conn, len) ? len : 0;
}

void
pathmtu_probe_sent(struct tcp *tcp, struct rill_conn *conn, uint32_t index, unsigned int count)
{
	struct rill_addr dst = destination(conn);

	for (unsigned int i = 0; i < count; i++) {
		struct record *record = tcp_record_at(tcp, index);

		record->flags |= RECORD_PROBE;
		index = record->next;
	}
	conn->modes |= MODE_PROBE_OUT;
	tcp->counters->pmtu_probes++;
	pmtu_probe_sent(&tcp->pmtu, &dst, tcp->now);
}

uint32_t
pathmtu_probe_is_lost(
	const struct tcp *tcp, const struct rill_conn *conn, const struct scoreboard *score)
{
	uint32_t len = 0;

	if (!(conn->modes & MODE_PROBE_OUT))
		return 0;
	for (uint32_t index = score->lost.head; index != SLAB_NONE;) {
		const struct record *record = tcp_record_at(tcp, index);

		if ((record->flags & (RECORD_PROBE | RECORD_RETX)) != RECORD_PROBE)
			return 0;
		len += record->len;
		index = record->list_next;
	}
	return len;
}

void
pathmtu_probe_unsure(struct tcp *tcp, struct rill_conn *conn)
{
	struct rill_addr dst = destination(conn);

	conn->modes &= (uint16_t)~MODE_PROBE_OUT;
	pmtu_probe_unsure(&tcp->pmtu, &dst, tcp->now);
}

void
pathmtu_probe_failed(struct tcp *tcp, struct rill_conn *conn, uint32_t len)
{
	struct rill_addr dst = destination(conn);

	conn->modes &= (uint16_t)~MODE_PROBE_OUT;
	tcp->counters->pmtu_probes_lost++;
	pmtu_probe_failed(&tcp->pmtu, &dst, (uint16_t)(len + overhead(conn)), tcp->now);
}

static void
probe_passed(struct tcp *tcp, struct rill_conn *conn, uint32_t len)
{
	struct rill_addr dst = destination(conn);
	uint16_t size = (uint16_t)(len + overhead(conn));

	conn->modes &= (uint16_t)~MODE_PROBE_OUT;
	tcp->counters->pmtu_probes_passed++;
	pmtu_probe_passed(&tcp->pmtu, &dst, size, tcp->now);
	if (size > path_mtu(conn))
		take_mtu(tcp, conn, size);
}

void
pathmtu_probe_acked(struct tcp *tcp, struct rill_conn *conn, uint32_t bytes)
{
	uint32_t index = conn->txq_head, len;

	while (bytes > 0) {
		const struct record *record = tcp_record_at(tcp, index);

		if (record->flags & RECORD_PROBE) {
			txq_segment(tcp, conn, index, &len);
			if (len <= bytes && !(record->flags & RECORD_RETX))
				probe_passed(tcp, conn, len);
			else if (!loss_is_quiet(tcp, conn)) /* else the repair's end tells */
				pathmtu_probe_unsure(tcp, conn);
			return;
		}
		bytes -= RTE_MIN(bytes, record->len);
		index = record->next;
	}
}

/*
 * With a probe out: if it is what the peer waits for, it is lost; if not, nobody knows. Congestion
 * it is in any case, and no black hole, as what is sent again is shorter [4821 7.6.3].
 */
static void
probe_timed_out(struct tcp *tcp, struct rill_conn *conn)
{
	const struct record *head = tcp_record_at(tcp, conn->txq_head);
	uint32_t len;

	if ((head->flags & (RECORD_PROBE | RECORD_RETX)) == RECORD_PROBE) {
		txq_segment(tcp, conn, conn->txq_head, &len);
		pathmtu_probe_failed(tcp, conn, len);
	} else {
		pathmtu_probe_unsure(tcp, conn);
	}
}

/* ---- black holes */

void
pathmtu_prove(const struct tcp *tcp, struct rill_conn *conn)
{
	uint32_t len; /* of all records that it gathered */

	txq_segment(tcp, conn, conn->txq_head, &len);
	if (len >= conn->mss)
		conn->modes |= MODE_PATH_PROVEN;
}

void
pathmtu_timed_out(struct tcp *tcp, struct rill_conn *conn)
{
	struct rill_addr dst = destination(conn);
	uint16_t path = path_mtu(conn);
	uint32_t after = (uint32_t)conn_options(tcp, conn)->black_hole_retries, len, size;
	uint16_t mtu;

	if (conn->modes & MODE_PROBE_OUT) {
		probe_timed_out(tcp, conn);
		return;
	}
	/* The option may have been changed on the way to the second time: not only at once then. */
	if (after == 0 || (conn->retries + 1u != after && conn->retries + 1u < 2 * after) ||
		conn->txq_head == SLAB_NONE)
		return;
	txq_segment(tcp, conn, conn->txq_head, &len);
	size = len + overhead(conn);
	mtu = RTE_MAX(size > PMTU_BASE ? PMTU_BASE : 0, least_mtu(tcp, conn));
	/* Was it long, did the peer have room for it, and did it ever leave? */
	if (mtu >= path || size <= mtu || len > conn->snd_wnd || (conn->flags & CONN_PARKED))
		return;
	tcp->counters->pmtu_black_holes++;
	pmtu_black_hole(&tcp->pmtu, &dst, mtu, tcp->now);
	take_mtu(tcp, conn, mtu);
}
