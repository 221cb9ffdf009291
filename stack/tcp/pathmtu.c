/* SPDX-License-Identifier: BSD-3-Clause */
#include "pathmtu.h"

#include <rte_ip.h>

#include "loss.h"
#include "open.h"
#include "txq.h"

/* IP and TCP header of a data segment, without SACK blocks. */
static uint32_t
headers_len(const struct rill_conn *conn)
{
	uint32_t ip = conn->key.family == AF_INET6 ? sizeof(struct rte_ipv6_hdr)
						   : sizeof(struct rte_ipv4_hdr);

	return ip + TCP_HEADER_LEN + ((conn->flags & CONN_TS) ? 12 : 0);
}

/* The largest packet that the connection sends. */
static uint16_t
path_mtu(const struct rill_conn *conn)
{
	return (uint16_t)RTE_MIN(conn->mss + headers_len(conn), (uint32_t)UINT16_MAX);
}

static uint16_t
least_mtu(const struct tcp *tcp, const struct rill_conn *conn)
{
	return (uint16_t)conn_options(tcp, conn)->pmtu_min;
}

static struct rill_addr
destination(const struct rill_conn *conn)
{
	struct rill_addr dst = {.family = conn->key.family};

	if (conn->key.family == AF_INET6)
		memcpy(dst.u.ip6, conn->addrs6.raddr, sizeof(dst.u.ip6));
	else
		memcpy(dst.u.ip4, &conn->key.raddr4, sizeof(dst.u.ip4));
	return dst;
}

/* The path carries packets of so many bytes: from now on segments are as long as that allows. */
static void
take_mtu(const struct tcp *tcp, struct rill_conn *conn, uint16_t mtu)
{
	uint32_t most = open_send_mss(
		tcp, conn_options(tcp, conn), conn->peer_mss, (conn->flags & CONN_TS) != 0);
	uint32_t mss = RTE_MAX(mtu, least_mtu(tcp, conn)) - headers_len(conn), before = conn->mss;

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
	conn->mss = open_send_mss(
		tcp, conn_options(tcp, conn), conn->peer_mss, (conn->flags & CONN_TS) != 0);
	pathmtu_follow(tcp, conn);
}

void
pathmtu_look(struct tcp *tcp, struct rill_conn *conn)
{
	struct rill_addr dst = destination(conn);
	const struct pmtu_path *path = pmtu_find(&tcp->pmtu, &dst, tcp->now);
	bool low = (conn->modes & MODE_PATH_LOW) != 0;

	if (path == NULL && low)
		pmtu_keep(&tcp->pmtu, &dst, path_mtu(conn), tcp->now);
	else if (path != NULL && pmtu_is_fresh(path, tcp->now))
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
	if ((mtu != 0 && mtu < PMTU_LEAST) || mtu > path)
		return RILL_DROP_icmp_mtu; /* never raised by what anybody says [1191 3] */
	first = find_segment(tcp, conn, seq, &len);
	if (first == NULL)
		return RILL_DROP_icmp_mtu;
	size = len + headers_len(conn);
	if (mtu == 0)
		mtu = pmtu_plateau_below((uint16_t)RTE_MIN(size, (uint32_t)UINT16_MAX));
	mtu = RTE_MAX(mtu, least_mtu(tcp, conn));
	if (mtu >= size || mtu > path)
		return RILL_DROP_icmp_mtu;
	if (first->flags & (RECORD_SACKED | RECORD_LOST)) /* it arrived; or is sent again anyway */
		return RILL_DROP_icmp_stale;
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

void
pathmtu_timed_out(struct tcp *tcp, struct rill_conn *conn)
{
	struct rill_addr dst = destination(conn);
	uint16_t path = path_mtu(conn);
	uint32_t after = (uint32_t)conn_options(tcp, conn)->black_hole_retries, len, size;
	uint16_t mtu;

	if ((conn->retries + 1u != after && conn->retries + 1u != 2 * after) ||
		conn->txq_head == SLAB_NONE)
		return;
	txq_segment(tcp, conn, conn->txq_head, &len);
	size = len + headers_len(conn);
	mtu = RTE_MAX(size > PMTU_BASE ? PMTU_BASE : 0, least_mtu(tcp, conn));
	/* Was it long, did the peer have room for it, and did it ever leave? */
	if (mtu >= path || size <= mtu || len > conn->snd_wnd || (conn->flags & CONN_PARKED))
		return;
	tcp->counters->pmtu_black_holes++;
	pmtu_lower(&tcp->pmtu, &dst, mtu, tcp->now);
	take_mtu(tcp, conn, mtu);
}
