/* SPDX-License-Identifier: BSD-3-Clause */
#include "ring_wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <rte_memcpy.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>

#include "netif.h"

#define INDEX(count) ((count) & (RING_WIRE_DESC - 1))
#define DESC_SIZE ((unsigned int)sizeof(struct ring_desc))
static_assert(sizeof(struct ring_desc) == 16, "as large as a descriptor of a NIC");

static struct ring_wire *
wire_of(struct port *port)
{
	return RTE_PTR_SUB(port, offsetof(struct ring_wire, port));
}

/* ---- lane: receive */

/* A batch of empty buffers for those that came back with frames. Returns false if there was none.
 */
static bool
post_batch(struct ring_wire *wire)
{
	struct rte_mbuf **mbufs = &wire->behind_rx[INDEX(wire->posted)];
	struct ring_desc desc[RING_WIRE_FREE_BATCH];

	if (rte_mempool_get_bulk(wire->pool, (void **)mbufs, RING_WIRE_FREE_BATCH) != 0) {
		wire->rx_no_buffer++;
		return false;
	}
	for (unsigned int i = 0; i < RING_WIRE_FREE_BATCH; i++)
		desc[i] = (struct ring_desc){
			.data = (uint8_t *)mbufs[i]->buf_addr + RTE_PKTMBUF_HEADROOM,
			.len = (uint16_t)(mbufs[i]->buf_len - RTE_PKTMBUF_HEADROOM)};
	rte_ring_sp_enqueue_bulk_elem(wire->empty, desc, DESC_SIZE, RING_WIRE_FREE_BATCH, NULL);
	wire->posted += RING_WIRE_FREE_BATCH;
	return true;
}
static_assert(RING_WIRE_DESC % RING_WIRE_FREE_BATCH == 0, "a batch lies side by side");

static void
post_missing(struct ring_wire *wire)
{
	while (wire->posted - wire->received <= RING_WIRE_DESC - RING_WIRE_FREE_BATCH)
		if (!post_batch(wire))
			return;
}

/* What a driver writes into the mbuf of a received frame. */
static void
fill_in(struct rte_mbuf *mbuf, const struct ring_desc *desc)
{
	mbuf->data_off = RTE_PKTMBUF_HEADROOM;
	rte_mbuf_refcnt_set(mbuf, 1);
	mbuf->nb_segs = 1;
	mbuf->port = 0;
	mbuf->ol_flags = (desc->flags & RING_DESC_CKSUM_GOOD)
				 ? RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD
				 : 0;
	mbuf->packet_type = 0;
	mbuf->pkt_len = desc->len;
	mbuf->data_len = desc->len;
}

static uint16_t
wire_rx(struct port *port, struct rte_mbuf **frames, uint16_t n)
{
	struct ring_wire *wire = wire_of(port);
	struct ring_desc desc[PORT_BURST];
	unsigned int got;

	n = RTE_MIN(n, wire->burst);
	got = rte_ring_sc_dequeue_burst_elem(wire->full, desc, DESC_SIZE, n, NULL);
	for (unsigned int i = 0; i < got; i++) {
		frames[i] = wire->behind_rx[INDEX(wire->received + i)];
		rte_prefetch0(frames[i]);
	}
	for (unsigned int i = 0; i < got; i++)
		fill_in(frames[i], &desc[i]);
	wire->received += got;
	post_missing(wire);
	return (uint16_t)got;
}

/* ---- lane: transmit */

/* Frees pieces [freed, freed + count): a reference of each, and in bulk those that nobody holds. */
static void
free_pieces(struct ring_wire *wire, uint32_t count)
{
	struct rte_mbuf *idle[PORT_BURST];
	unsigned int n = 0;

	for (uint32_t i = 0; i < count; i++) {
		struct rte_mbuf *mbuf =
			rte_pktmbuf_prefree_seg(wire->behind_tx[INDEX(wire->freed + i)]);

		if (mbuf == NULL)
			continue;
		if (n > 0 && (n == PORT_BURST || mbuf->pool != idle[0]->pool)) {
			rte_mempool_put_bulk(idle[0]->pool, (void **)idle, n);
			n = 0;
		}
		idle[n++] = mbuf;
	}
	if (n > 0)
		rte_mempool_put_bulk(idle[0]->pool, (void **)idle, n);
	wire->freed += count;
}

static void
free_reported(struct ring_wire *wire)
{
	struct ring_desc report[PORT_BURST];
	unsigned int n =
		rte_ring_sc_dequeue_burst_elem(wire->done, report, DESC_SIZE, PORT_BURST, NULL);

	for (unsigned int i = 0; i < n; i++)
		free_pieces(wire, report[i].count);
}

/* One frame's pieces, as descriptors. */
static void
describe(struct ring_wire *wire, struct rte_mbuf *frame, struct ring_desc *desc)
{
	for (struct rte_mbuf *piece = frame; piece != NULL; piece = piece->next) {
		*desc++ = (struct ring_desc){.data = rte_pktmbuf_mtod(piece, uint8_t *),
			.len = piece->data_len,
			.flags = piece->next == NULL ? RING_DESC_END : 0};
		wire->behind_tx[INDEX(wire->given++)] = piece;
	}
}

static uint16_t
wire_tx(struct port *port, struct rte_mbuf **frames, uint16_t n)
{
	struct ring_wire *wire = wire_of(port);
	struct ring_desc desc[PORT_BURST];
	unsigned int count = 0;
	uint16_t took = 0;

	free_reported(wire);
	for (; took < n; took++) {
		uint16_t pieces = frames[took]->nb_segs;

		if (wire->given - wire->freed + pieces > RING_WIRE_DESC)
			break;
		if (count + pieces > PORT_BURST) {
			rte_ring_sp_enqueue_bulk_elem(wire->out, desc, DESC_SIZE, count, NULL);
			count = 0;
		}
		describe(wire, frames[took], &desc[count]);
		count += pieces;
	}
	if (count > 0)
		rte_ring_sp_enqueue_bulk_elem(wire->out, desc, DESC_SIZE, count, NULL);
	return took;
}
static_assert(PORT_CHAIN_MAX <= PORT_BURST, "a frame's pieces find room");

static const struct port_ops wire_ops = {.rx = wire_rx, .tx = wire_tx};

/* ---- far side */

uint8_t *
ring_far_slot(struct ring_wire *wire)
{
	if (wire->slots_used == wire->slots) {
		wire->slots_used = 0;
		wire->slots = rte_ring_sc_dequeue_burst_elem(
			wire->empty, wire->slot, DESC_SIZE, RING_WIRE_FREE_BATCH, NULL);
		if (wire->slots == 0)
			return NULL;
		for (unsigned int i = 0; i < wire->slots; i++) {
			__builtin_prefetch(wire->slot[i].data, 1);
			__builtin_prefetch(wire->slot[i].data + RTE_CACHE_LINE_SIZE, 1);
		}
	}
	return wire->slot[wire->slots_used].data;
}

void
ring_far_filled(struct ring_wire *wire, uint16_t len)
{
	wire->slots_used++;
	wire->complete[wire->filled++] =
		(struct ring_desc){.len = len, .flags = wire->vouches ? RING_DESC_CKSUM_GOOD : 0};
	if (wire->filled >= wire->batch)
		ring_far_flush(wire);
}

void
ring_far_flush(struct ring_wire *wire)
{
	if (wire->filled > 0)
		rte_ring_sp_enqueue_bulk_elem(
			wire->full, wire->complete, DESC_SIZE, wire->filled, NULL);
	wire->filled = 0;
}

static void
report(struct ring_wire *wire, uint32_t count)
{
	struct ring_desc desc = {.count = count};

	if (count > 0)
		rte_ring_sp_enqueue_elem(wire->done, &desc, DESC_SIZE);
	wire->unreported -= count;
}

/* As a NIC writes back now and then how far it is. */
static void
report_late(struct ring_wire *wire)
{
	while (wire->unreported >= RING_WIRE_LATE + RING_WIRE_FREE_BATCH)
		report(wire, RING_WIRE_FREE_BATCH);
}

void
ring_far_report(struct ring_wire *wire)
{
	report(wire, wire->unreported);
}

/* One more piece of the frame at hand; true: it is complete. */
static bool
copy_piece(struct ring_frame *frame, const struct ring_desc *desc)
{
	if (frame->len + desc->len > RING_WIRE_FRAME_MAX) {
		fprintf(stderr, "ring wire: a frame of more than %d bytes\n", RING_WIRE_FRAME_MAX);
		abort();
	}
	rte_memcpy(frame->data + frame->len, desc->data, desc->len);
	frame->len += desc->len;
	return desc->flags & RING_DESC_END;
}

/* Frames are copied to their place at once; one whose end is still to come waits in partial. */
unsigned int
ring_far_take(struct ring_wire *wire, struct ring_frame *frames, unsigned int n)
{
	struct ring_desc desc[PORT_BURST];
	unsigned int got = rte_ring_sc_dequeue_burst_elem(wire->out, desc, DESC_SIZE, n, NULL);
	unsigned int count = 0;

	if (got == 0)
		return 0;
	for (unsigned int i = 0; i < got; i++) {
		rte_prefetch0(desc[i].data);
		rte_prefetch0(desc[i].data + RTE_CACHE_LINE_SIZE);
	}
	frames[0].len = wire->partial.len;
	rte_memcpy(frames[0].data, wire->partial.data, wire->partial.len);
	for (unsigned int i = 0; i < got; i++) {
		if (!copy_piece(&frames[count], &desc[i]))
			continue;
		count++;
		if (count < got)
			frames[count].len = 0;
	}
	wire->partial.len = 0;
	if (!(desc[got - 1].flags & RING_DESC_END)) {
		wire->partial.len = frames[count].len;
		rte_memcpy(wire->partial.data, frames[count].data, frames[count].len);
	}
	wire->unreported += got;
	report_late(wire);
	return count;
}

/* ---- life */

static struct rte_ring *
make_ring(const char *wire, const char *what)
{
	char name[RTE_RING_NAMESIZE];

	snprintf(name, sizeof(name), "%s_%s", wire, what);
	return rte_ring_create_elem(name, DESC_SIZE, RING_WIRE_DESC, SOCKET_ID_ANY,
		RING_F_SP_ENQ | RING_F_SC_DEQ | RING_F_EXACT_SZ);
}

struct ring_wire *
ring_wire_create(const struct ring_wire_setup *setup)
{
	struct ring_wire *wire = rte_zmalloc("ring_wire", sizeof(*wire), RTE_CACHE_LINE_SIZE);

	if (wire == NULL) {
		fprintf(stderr, "ring wire: no memory\n");
		return NULL;
	}
	wire->port = (struct port){.ops = &wire_ops,
		.mac = {.addr_bytes = {2, 0, 0, 0, 0, 1}},
		.mtu = RTE_ETHER_MTU,
		.netif_caps = NETIF_TX_CHAINS,
		.tx_chain_max = PORT_CHAIN_MAX,
		.rx_desc = RING_WIRE_DESC,
		.tx_desc = RING_WIRE_DESC,
		.numa_node = -1};
	if (setup->checksums)
		wire->port.netif_caps |= NETIF_TX_IP4_CKSUM | NETIF_TX_TCP_CKSUM | NETIF_RX_CKSUM;
	wire->pool = setup->pool;
	wire->burst = wire->batch = setup->burst;
	wire->vouches = setup->checksums;
	wire->empty = make_ring(setup->name, "empty");
	wire->full = make_ring(setup->name, "full");
	wire->out = make_ring(setup->name, "out");
	wire->done = make_ring(setup->name, "done");
	if (wire->empty == NULL || wire->full == NULL || wire->out == NULL || wire->done == NULL) {
		fprintf(stderr, "ring wire: no rings: %s\n", rte_strerror(rte_errno));
		ring_wire_destroy(wire);
		return NULL;
	}
	post_missing(wire);
	return wire;
}

void
ring_wire_destroy(struct ring_wire *wire)
{
	for (; wire->received != wire->posted; wire->received++)
		rte_mempool_put(wire->pool, wire->behind_rx[INDEX(wire->received)]);
	free_pieces(wire, wire->given - wire->freed);
	rte_ring_free(wire->empty);
	rte_ring_free(wire->full);
	rte_ring_free(wire->out);
	rte_ring_free(wire->done);
	rte_free(wire);
}
