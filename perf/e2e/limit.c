/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The limit: what no TCP can do without, and nothing else. For each frame it verifies the
 * checksums, finds the connection by its 4-tuple, with Rill's own table and hash, checks and
 * updates two cache lines of it, turns the frame round in its own buffer, and computes the
 * checksums. It has no timers, no queues, no windows: whatever Rill takes above it is what TCP's
 * service costs.
 *
 * So much of TCP as the player insists on: SYN, data, FIN and their numbers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_malloc.h>

#include "checksum.h"
#include "limit_inner.h"
#include "netif.h"

/* A received frame: where its headers are, and what they say. */
struct arrival {
	struct rte_mbuf *mbuf;
	struct tuple tuple;
	uint32_t seq, ack;
	uint16_t header_len, payload_len;
	uint8_t flags;
};

#define FRAMES_AHEAD 4   /* of the one that is looked at, on their way into the cache, as Rill's */
#define TIMESTAMPS_OFF 4 /* in the options, where the player writes them */
#define SYN_PLAIN 32     /* the TCP header of its SYN, without timestamps */

static struct limit *
limit_of(struct server *server)
{
	return RTE_PTR_SUB(server, offsetof(struct limit, server));
}

static struct rte_ipv4_hdr *
ip_of(struct rte_mbuf *frame)
{
	return rte_pktmbuf_mtod_offset(frame, struct rte_ipv4_hdr *, L2_LEN);
}

static struct rte_tcp_hdr *
tcp_of(struct rte_mbuf *frame)
{
	return rte_pktmbuf_mtod_offset(frame, struct rte_tcp_hdr *, L2_LEN + L3_LEN);
}

/* ---- a frame in */

/* Only what the player sends: plain IPv4 and TCP. */
static bool
limit_parse(const struct limit *limit, struct rte_mbuf *frame, struct arrival *arrival)
{
	const struct rte_ether_hdr *ether = rte_pktmbuf_mtod(frame, const struct rte_ether_hdr *);
	const struct rte_ipv4_hdr *ip = ip_of(frame);
	const struct rte_tcp_hdr *tcp = tcp_of(frame);

	if (ether->ether_type != rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4) ||
		ip->version_ihl != RTE_IPV4_VHL_DEF || ip->next_proto_id != IPPROTO_TCP ||
		(uint32_t)rte_be_to_cpu_16(ip->total_length) + L2_LEN != frame->pkt_len)
		return false;
	if (limit->verifies && rte_raw_cksum(ip, L3_LEN) != 0xffff)
		return false;
	arrival->mbuf = frame;
	arrival->tuple.head = (struct tuple_head){.laddr4 = ip->dst_addr,
		.raddr4 = ip->src_addr,
		.lport = tcp->dst_port,
		.rport = tcp->src_port,
		.family = AF_INET};
	if (limit->verifies &&
		checksum_tcp(frame, L2_LEN + L3_LEN, checksum_pseudo(&arrival->tuple)) != 0)
		return false;
	arrival->seq = rte_be_to_cpu_32(tcp->sent_seq);
	arrival->ack = rte_be_to_cpu_32(tcp->recv_ack);
	arrival->flags = tcp->tcp_flags;
	arrival->header_len = (uint16_t)((tcp->data_off >> 4) * 4);
	arrival->payload_len = (uint16_t)(frame->pkt_len - L2_LEN - L3_LEN - arrival->header_len);
	return true;
}

static void
limit_drop(struct limit *limit, struct rte_mbuf *frame)
{
	limit->dropped++;
	rte_pktmbuf_free(frame);
}

/* A frame that nobody needs any more, which came in this turn: they are freed together. */
static void
limit_idle(struct limit *limit, struct rte_mbuf *frame)
{
	limit->idle[limit->idle_count++] = frame;
}

static void
limit_free_idle(struct limit *limit)
{
	if (limit->idle_count > 0)
		rte_pktmbuf_free_bulk(limit->idle, limit->idle_count);
	limit->idle_count = 0;
}

/* ---- a frame out: the one that came in, turned round */

/* TSval and TSecr change places, and ours is new. */
static void
turn_timestamps(const struct limit *limit, uint8_t *timestamps)
{
	uint32_t ours = rte_cpu_to_be_32(limit->turns);

	memcpy(timestamps + 4, timestamps, sizeof(ours));
	memcpy(timestamps, &ours, sizeof(ours));
}

static void
turn_round(struct limit *limit, const struct limit_conn *conn, struct rte_mbuf *frame, uint32_t seq,
	uint8_t flags)
{
	struct rte_ether_hdr *ether = rte_pktmbuf_mtod(frame, struct rte_ether_hdr *);
	struct rte_ipv4_hdr *ip = ip_of(frame);
	struct rte_tcp_hdr *tcp = tcp_of(frame);
	struct rte_ether_addr mac = ether->src_addr;
	struct tuple tuple;

	ether->src_addr = ether->dst_addr;
	ether->dst_addr = mac;
	ip->src_addr = conn->key.laddr4;
	ip->dst_addr = conn->key.raddr4;
	ip->total_length = rte_cpu_to_be_16((uint16_t)(frame->pkt_len - L2_LEN));
	ip->hdr_checksum = 0;
	if (limit->computes)
		ip->hdr_checksum = rte_ipv4_cksum(ip);
	tcp->src_port = conn->key.lport;
	tcp->dst_port = conn->key.rport;
	tcp->sent_seq = rte_cpu_to_be_32(seq);
	tcp->recv_ack = rte_cpu_to_be_32(conn->rcv_nxt);
	tcp->tcp_flags = flags;
	tcp->rx_win = rte_cpu_to_be_16(LIMIT_WINDOW);
	tcp->cksum = 0;
	if (!(flags & TCP_SYN) && (tcp->data_off >> 4) * 4 > TCP_HEADER_LEN)
		turn_timestamps(limit, (uint8_t *)(tcp + 1) + TIMESTAMPS_OFF);
	tuple.head = conn->key;
	frame->ol_flags = 0;
	if (limit->computes)
		tcp->cksum = checksum_tcp(frame, L2_LEN + L3_LEN, checksum_pseudo(&tuple));
	limit->out[limit->frames_out++] = frame;
}

/* ---- connections */

/* The SYN's own options do for the SYN-ACK: the player offered what it wants. */
static void
limit_open(struct limit *limit, const struct arrival *arrival)
{
	uint32_t index = slab_alloc(&limit->conns);
	struct limit_conn *conn;

	if (index == SLAB_NONE) {
		limit_drop(limit, arrival->mbuf);
		return;
	}
	conn = slab_at(&limit->conns, index);
	*conn = (struct limit_conn){.key = arrival->tuple.head,
		.rcv_nxt = arrival->seq + 1,
		.snd_nxt = arrival->seq, /* any number will do */
		.snd_una = arrival->seq};
	if (table_insert(limit->table, &arrival->tuple, table_handle(TABLE_CONN, index)) != 0) {
		slab_free(&limit->conns, index);
		limit_drop(limit, arrival->mbuf);
		return;
	}
	if (limit->work == PLAYER_SOURCE)
		limit_source_learn(limit, arrival->mbuf, arrival->header_len > SYN_PLAIN);
	turn_round(limit, conn, arrival->mbuf, conn->snd_nxt++, TCP_SYN | TCP_ACK);
}

static void
limit_end(struct limit *limit, struct limit_conn *conn, const struct arrival *arrival,
	uint32_t handle)
{
	table_remove(limit->table, &arrival->tuple, handle);
	slab_free(&limit->conns, slab_index(&limit->conns, conn));
	limit_idle(limit, arrival->mbuf);
}

/* Bulk: one ACK for each connection and turn, made of its last frame. */
static void
limit_ack_later(struct limit *limit, struct limit_conn *conn, struct rte_mbuf *frame)
{
	if (conn->ack == NULL)
		limit->acked[limit->acks++] = conn;
	else
		limit_idle(limit, conn->ack);
	conn->ack = frame;
}

static void
limit_send_acks(struct limit *limit)
{
	for (unsigned int i = 0; i < limit->acks; i++) {
		struct limit_conn *conn = limit->acked[i];
		struct rte_mbuf *frame = conn->ack;
		uint16_t header_len = (uint16_t)((tcp_of(frame)->data_off >> 4) * 4);

		frame->data_len = (uint16_t)(L2_LEN + L3_LEN + header_len);
		frame->pkt_len = frame->data_len;
		conn->ack = NULL;
		turn_round(limit, conn, frame, conn->snd_nxt, TCP_ACK);
	}
	limit->acks = 0;
}

/* As it stands in the frame; 0 without. */
static uint32_t
tsval_of(const struct arrival *arrival)
{
	uint32_t tsval = 0;

	if (arrival->header_len > TCP_HEADER_LEN)
		memcpy(&tsval, (uint8_t *)(tcp_of(arrival->mbuf) + 1) + TIMESTAMPS_OFF,
			sizeof(tsval));
	return tsval;
}

static void
limit_segment(struct limit *limit, struct limit_conn *conn, const struct arrival *arrival,
	uint32_t handle)
{
	uint16_t len = arrival->payload_len;

	if (arrival->seq != conn->rcv_nxt || (int32_t)(arrival->ack - conn->snd_nxt) > 0) {
		limit_drop(limit, arrival->mbuf);
		return;
	}
	conn->rcv_nxt += len;
	conn->snd_una = arrival->ack;
	conn->bytes_in += len;
	conn->frames++;
	conn->heard_at = limit->turns;
	if (arrival->flags & TCP_FIN) {
		conn->rcv_nxt++;
		conn->closing = true;
		turn_round(limit, conn, arrival->mbuf, conn->snd_nxt++, TCP_FIN | TCP_ACK);
	} else if (len == 0 && conn->closing && conn->snd_una == conn->snd_nxt) {
		limit_end(limit, conn, arrival, handle);
	} else if (limit->work == PLAYER_SOURCE) {
		conn->tsval = tsval_of(arrival);
		limit_source_heard(limit, conn, len);
		limit_idle(limit, arrival->mbuf);
	} else if (len == 0) {
		limit_idle(limit, arrival->mbuf);
	} else if (limit->work != PLAYER_SINK) {
		conn->bytes_out += len;
		turn_round(limit, conn, arrival->mbuf, conn->snd_nxt, TCP_ACK | TCP_PSH);
		conn->snd_nxt += len;
	} else {
		limit_ack_later(limit, conn, arrival->mbuf);
	}
}

/* ---- a turn */

/* The second line as well. */
static inline void
limit_guess(struct limit *limit, const struct arrival *arrivals, unsigned int i, uint32_t *handles)
{
	handles[i] = table_burst_guess(limit->table, &arrivals[i].tuple, i);
	if (handles[i] != TABLE_MISS)
		rte_prefetch0((char *)slab_at(&limit->conns, table_index(handles[i])) +
			      RTE_CACHE_LINE_SIZE);
}

/* A frame was read: its connection is on its way into the cache while others are, as Rill does it.
 */
static inline void
limit_ahead(struct limit *limit, const struct arrival *arrivals, unsigned int i, uint32_t *handles)
{
	table_burst_ask(limit->table, &arrivals[i].tuple, i > 0 ? &arrivals[i - 1].tuple : NULL, i);
	if (i == 0)
		limit->guessed = 0;
	if (i >= TABLE_BURST_BEHIND && limit->conns.used > TABLE_BURST_CROWD)
		limit_guess(limit, arrivals, limit->guessed++, handles);
}

static void
limit_input(struct limit *limit, const struct arrival *arrivals, unsigned int n, uint32_t *handles)
{
	const struct tuple *tuples[PORT_BURST];
	uint32_t changes = table_changes(limit->table);

	for (unsigned int i = limit->guessed; i < n; i++)
		limit_guess(limit, arrivals, i, handles);
	for (unsigned int i = 0; i < n; i++)
		tuples[i] = &arrivals[i].tuple;
	table_burst_settle(limit->table, tuples, n, handles);
	for (unsigned int i = 0; i < n; i++) {
		if (unlikely(table_changes(limit->table) != changes))
			handles[i] = table_lookup(limit->table, &arrivals[i].tuple);
		if (likely(handles[i] != TABLE_MISS))
			limit_segment(limit, slab_at(&limit->conns, table_index(handles[i])),
				&arrivals[i], handles[i]);
		else if (arrivals[i].flags == TCP_SYN)
			limit_open(limit, &arrivals[i]);
		else
			limit_drop(limit, arrivals[i].mbuf);
	}
}

unsigned int
limit_send(struct limit *limit)
{
	unsigned int waits = limit->frames_out - limit->frames_sent;
	uint16_t took =
		limit->port->ops->tx(limit->port, &limit->out[limit->frames_sent], (uint16_t)waits);

	limit->frames_sent += took;
	if (took == waits)
		limit->frames_out = limit->frames_sent = 0;
	return took;
}

/* As Rill does it. */
static void
prefetch_frame(const struct rte_mbuf *frame)
{
	const char *start = rte_pktmbuf_mtod(frame, const char *);

	rte_prefetch0(start);
	rte_prefetch0(start + RTE_CACHE_LINE_SIZE);
}

/* Takes a burst in and turns it round. */
static uint16_t
limit_receive(struct limit *limit)
{
	struct rte_mbuf *in[PORT_BURST];
	struct arrival arrivals[PORT_BURST];
	uint32_t handles[PORT_BURST];
	uint16_t received = limit->port->ops->rx(limit->port, in, PORT_BURST);
	unsigned int n = 0;

	limit->turns += received > 0;
	for (unsigned int i = 0; i < received && i < FRAMES_AHEAD; i++)
		prefetch_frame(in[i]);
	for (unsigned int i = 0; i < received; i++) {
		if (i + FRAMES_AHEAD < received)
			prefetch_frame(in[i + FRAMES_AHEAD]);
		if (limit_parse(limit, in[i], &arrivals[n]))
			limit_ahead(limit, arrivals, n++, handles);
		else
			limit_drop(limit, in[i]);
	}
	if (n > 0)
		limit_input(limit, arrivals, n, handles);
	return received;
}

/* What the wire did not take goes first: until then nothing is received, as there is no room for
 * it. */
static void
limit_turn(struct server *server, struct server_turn *turn)
{
	struct limit *limit = limit_of(server);

	turn->received = limit->frames_out == 0 ? limit_receive(limit) : 0;
	if (turn->received > 0) {
		limit_send_acks(limit);
		limit_free_idle(limit);
	}
	turn->sent = limit->frames_out > 0 ? limit_send(limit) : 0;
	if (limit->work == PLAYER_SOURCE && limit->frames_out == 0)
		turn->sent += limit_source_supply(limit);
	turn->worked = turn->received > 0 || turn->sent > 0;
}

static void
limit_paused(struct server *server, uint64_t cycles)
{
	(void)server; /* it has no clock */
	(void)cycles;
}

static uint32_t
limit_connections(const struct server *server)
{
	return limit_of((struct server *)(uintptr_t)server)->conns.used;
}

/* ---- life */

static void
limit_free(struct limit *limit)
{
	rte_mempool_free(limit->pool);
	rte_mempool_free(limit->supply);
	table_destroy(limit->table);
	rte_free(limit->memory);
	rte_free(limit);
}

static unsigned int
limit_destroy(struct server *server)
{
	struct limit *limit = limit_of(server);
	unsigned int missing = 0;

	for (unsigned int i = limit->frames_sent; i < limit->frames_out; i++)
		rte_pktmbuf_free(limit->out[i]);
	if (limit->dropped > 0)
		fprintf(stderr, "limit: dropped %lu frames\n", (unsigned long)limit->dropped);
	if (server->wire != NULL) {
		ring_wire_destroy(server->wire);
		missing = rte_mempool_in_use_count(limit->pool) + limit_source_missing(limit);
	}
	limit_free(limit);
	return missing;
}

static const struct server_ops limit_ops = {
	.name = "limit",
	.turn = limit_turn,
	.paused = limit_paused,
	.connections = limit_connections,
	.destroy = limit_destroy,
};

/* All but its port. */
static struct limit *
limit_make(const struct server_setup *setup)
{
	const struct siphash_key key = {0x6c696d6974, 1};
	const uint32_t conns = setup->flows + SERVER_SPARE;
	const uint32_t addrs6[TABLE_KINDS] = {0};
	struct limit *limit = rte_zmalloc("limit", sizeof(*limit), RTE_CACHE_LINE_SIZE);
	const struct slab *slabs[TABLE_KINDS] = {limit != NULL ? &limit->conns : NULL, NULL, NULL};

	if (limit == NULL)
		return NULL;
	limit->server.ops = &limit_ops;
	limit->work = setup->work;
	limit->verifies = limit->computes = !setup->checksums;
	limit->memory =
		rte_malloc("limit", (size_t)conns * sizeof(struct limit_conn), RTE_CACHE_LINE_SIZE);
	if (limit->memory != NULL) {
		slab_init(&limit->conns, limit->memory, sizeof(struct limit_conn), conns,
			sizeof(struct tuple_head), false);
		limit->table = table_create(conns, &key, slabs, addrs6, SOCKET_ID_ANY);
	}
	if (limit->table != NULL && limit_source_make(limit, setup))
		return limit;
	limit_free(limit);
	return NULL;
}

struct server *
limit_create_on(const struct server_setup *setup, struct port *port)
{
	struct limit *limit = limit_make(setup);

	if (limit == NULL) {
		fprintf(stderr, "limit: no memory for %u connections\n", setup->flows);
		return NULL;
	}
	limit->port = port;
	return &limit->server;
}

struct server *
limit_create(const struct server_setup *setup)
{
	struct limit *limit = limit_make(setup);
	struct ring_wire_setup wire = {
		.name = "limit", .burst = setup->burst, .checksums = setup->checksums};

	if (limit != NULL) {
		limit->pool = rte_pktmbuf_pool_create("limit_rx", setup->buffers, LIMIT_POOL_CACHE,
			0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
		wire.pool = limit->pool;
		if (limit->pool != NULL)
			limit->server.wire = ring_wire_create(&wire);
		if (limit->server.wire != NULL) {
			limit->port = &limit->server.wire->port;
			return &limit->server;
		}
		limit_free(limit);
	}
	fprintf(stderr, "limit: no memory for %u connections\n", setup->flows);
	return NULL;
}
