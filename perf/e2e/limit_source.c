/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The limit's bulk out: for each segment a buffer in which the bytes stand already, headers before
 * them, and checksums. A connection sends as much as the client's window has room for, in its turn
 * as much as Rill's may. Nothing is kept until it is acknowledged.
 */
#include <stdio.h>
#include <string.h>

#include <rte_mempool.h>

#include "checksum.h"
#include "limit_inner.h"

#define SUPPLY_SPARE 4096      /* buffers beside those of the requests, as Rill's application has */
#define SOURCE_WINDOW 0x100000 /* bytes: what the player offers */
#define SOURCE_QUANTUM 65536   /* bytes of a connection in a row, as Rill's */

/* ---- who has something to send */

static bool
has_room(const struct limit *limit, const struct limit_conn *conn)
{
	return conn->to_send > 0 &&
	       conn->snd_nxt - conn->snd_una + limit->fetch.size <= SOURCE_WINDOW;
}

static void
enqueue(struct limit *limit, struct limit_conn *conn)
{
	if (conn->queued || !has_room(limit, conn))
		return;
	conn->queued = true;
	conn->next = NULL;
	if (limit->queue_head == NULL)
		limit->queue_head = conn;
	else
		limit->queue_tail->next = conn;
	limit->queue_tail = conn;
}

static struct limit_conn *
dequeue(struct limit *limit)
{
	struct limit_conn *conn = limit->queue_head;

	limit->queue_head = conn->next;
	conn->queued = false;
	return conn;
}

void
limit_source_heard(struct limit *limit, struct limit_conn *conn, uint16_t len)
{
	conn->to_send += len / FETCH_REQUEST * (limit->fetch.bytes / limit->fetch.size);
	enqueue(limit, conn);
}

/* ---- segments */

void
limit_source_learn(struct limit *limit, const struct rte_mbuf *syn, bool timestamps)
{
	const struct rte_ether_hdr *from = rte_pktmbuf_mtod(syn, const struct rte_ether_hdr *);
	struct rte_ether_hdr *ether = (struct rte_ether_hdr *)limit->headers;
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(ether + 1);
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(ip + 1);
	static const uint8_t timestamps_word[4] = {1, 1, 8, 10};

	if (limit->headers_len > 0)
		return;
	limit->headers_len = (uint16_t)(LIMIT_HEADERS - (timestamps ? 0 : FLOW_TIMESTAMPS));
	*ether = (struct rte_ether_hdr){.dst_addr = from->src_addr,
		.src_addr = from->dst_addr,
		.ether_type = from->ether_type};
	*ip = (struct rte_ipv4_hdr){.version_ihl = RTE_IPV4_VHL_DEF,
		.total_length = rte_cpu_to_be_16(
			(uint16_t)(limit->headers_len - L2_LEN + limit->fetch.size)),
		.fragment_offset = rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG),
		.time_to_live = 64,
		.next_proto_id = IPPROTO_TCP,
		.src_addr = rte_cpu_to_be_32(FLOW_SERVER_ADDR)};
	limit->ip_sum = rte_raw_cksum(ip, sizeof(*ip));
	*tcp = (struct rte_tcp_hdr){.src_port = rte_cpu_to_be_16(FLOW_SERVER_PORT),
		.data_off = (uint8_t)((limit->headers_len - L2_LEN - L3_LEN) << 2),
		.tcp_flags = TCP_ACK,
		.rx_win = rte_cpu_to_be_16(LIMIT_WINDOW)};
	memcpy(tcp + 1, timestamps_word, sizeof(timestamps_word));
}

static void
write_segment(struct limit *limit, struct limit_conn *conn, struct rte_mbuf *frame)
{
	struct rte_ipv4_hdr *ip;
	struct rte_tcp_hdr *tcp;
	struct tuple tuple;
	uint32_t stamps[2] = {rte_cpu_to_be_32(limit->turns), conn->tsval};

	frame->data_off = (uint16_t)(RTE_PKTMBUF_HEADROOM - limit->headers_len);
	frame->data_len = (uint16_t)(limit->headers_len + limit->fetch.size);
	frame->pkt_len = frame->data_len;
	memcpy(rte_pktmbuf_mtod(frame, void *), limit->headers,
		sizeof(limit->headers) - FLOW_TIMESTAMPS);
	ip = rte_pktmbuf_mtod_offset(frame, struct rte_ipv4_hdr *, L2_LEN);
	tcp = (struct rte_tcp_hdr *)(ip + 1);
	if (limit->headers_len == LIMIT_HEADERS) {
		memcpy(tcp + 1, limit->headers + LIMIT_HEADERS - FLOW_TIMESTAMPS, 4);
		memcpy((uint8_t *)(tcp + 1) + 4, stamps, sizeof(stamps));
	}
	ip->dst_addr = conn->key.raddr4;
	tcp->dst_port = conn->key.rport;
	tcp->sent_seq = rte_cpu_to_be_32(conn->snd_nxt);
	tcp->recv_ack = rte_cpu_to_be_32(conn->rcv_nxt);
	tuple.head = conn->key;
	if (limit->computes) {
		ip->hdr_checksum =
			(rte_be16_t)~checksum_fold((uint64_t)limit->ip_sum + ip->dst_addr);
		tcp->cksum = checksum_tcp(frame, L2_LEN + L3_LEN, checksum_pseudo(&tuple));
	}
	conn->snd_nxt += limit->fetch.size;
	conn->bytes_out += limit->fetch.size;
}

/* n <= PORT_BURST. Returns how many the wire took: if not all, the rest waits in out. */
static unsigned int
send_segments(struct limit *limit, struct limit_conn *conn, unsigned int n)
{
	if (rte_pktmbuf_alloc_bulk(limit->supply, limit->out, n) != 0)
		return 0;
	for (unsigned int i = 0; i < n; i++)
		write_segment(limit, conn, limit->out[i]);
	conn->to_send -= n;
	limit->frames_out = n;
	return limit_send(limit);
}

/* What a connection may send in its turn. */
static unsigned int
send_quantum(struct limit *limit, struct limit_conn *conn, uint32_t credit)
{
	uint32_t quantum = SOURCE_QUANTUM / limit->fetch.size, sent = 0;

	while (quantum > 0 && credit > 0 && limit->frames_out == 0 && has_room(limit, conn)) {
		uint32_t window =
			(SOURCE_WINDOW - (conn->snd_nxt - conn->snd_una)) / limit->fetch.size;
		uint32_t n = RTE_MIN(quantum, credit);

		n = RTE_MIN(n, window);
		n = RTE_MIN(n, conn->to_send);
		n = send_segments(limit, conn, RTE_MIN(n, (uint32_t)PORT_BURST));
		if (n == 0)
			break;
		sent += n;
		quantum -= n;
		credit -= n;
	}
	return sent;
}

/* Frames that the wire has room for: never more than its descriptors, or a turn would have no end.
 */
static uint32_t
credit_of(const struct limit *limit)
{
	const struct ring_wire *wire = limit->server.wire;

	limit->port->ops->tx(limit->port, NULL, 0); /* takes back what was sent */
	return wire == NULL ? RING_WIRE_DESC : RING_WIRE_DESC - (wire->given - wire->freed);
}

unsigned int
limit_source_supply(struct limit *limit)
{
	unsigned int sent = 0, n = 1;

	for (uint32_t credit = credit_of(limit);
		limit->queue_head != NULL && credit > 0 && n > 0 && limit->frames_out == 0;
		credit -= n) {
		struct limit_conn *conn = dequeue(limit);

		n = send_quantum(limit, conn, credit);
		enqueue(limit, conn);
		sent += n;
	}
	return sent;
}

/* ---- life */

static void
fill_buffer(struct rte_mempool *pool, void *arg, void *object, unsigned int index)
{
	struct rte_mbuf *mbuf = object;

	(void)pool;
	(void)index;
	memcpy((uint8_t *)mbuf->buf_addr + RTE_PKTMBUF_HEADROOM, arg, FETCH_PIECE_MAX);
}

bool
limit_source_make(struct limit *limit, const struct server_setup *setup)
{
	uint8_t pattern[FETCH_PIECE_MAX];
	const struct fetch_shape *shape = &limit->fetch;

	limit->fetch = setup->fetch;
	if (setup->work != PLAYER_SOURCE)
		return true;
	limit->supply = rte_pktmbuf_pool_create("limit_app",
		setup->fetches * (shape->bytes / shape->size) + SUPPLY_SPARE, LIMIT_POOL_CACHE, 0,
		RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	if (limit->supply == NULL)
		return false;
	fetch_fill(pattern, sizeof(pattern));
	rte_mempool_obj_iter(limit->supply, fill_buffer, pattern);
	return true;
}

unsigned int
limit_source_missing(const struct limit *limit)
{
	return limit->supply == NULL ? 0 : rte_mempool_in_use_count(limit->supply);
}
