/* SPDX-License-Identifier: BSD-3-Clause */
#include "nic.h"

#include <string.h>

#include <rte_mbuf.h>

#include "frames.h"
#include "netif.h"
#include "offload.h"
#include "wire.h"

#define ETHER_LEN 14
#define SCATTER_UNIT 4 /* bytes: where a frame may be cut, as the bus of a NIC has it */

static uint32_t
ring_at(uint32_t head, uint32_t n)
{
	return (head + n) % NIC_DESC_MAX;
}

/* ---- what it holds must not change */

uint64_t
nic_sum(uint64_t sum, const uint8_t *bytes, uint32_t len)
{
	uint64_t word;

	for (; len >= sizeof(word); bytes += sizeof(word), len -= (uint32_t)sizeof(word)) {
		memcpy(&word, bytes, sizeof(word));
		sum = (sum ^ word) * 0x9fb21c651e98df25u;
		sum ^= sum >> 32;
	}
	for (; len > 0; bytes++, len--)
		sum = (sum ^ *bytes) * 0x9fb21c651e98df25u;
	return sum;
}

static uint64_t
frame_sum(const struct rte_mbuf *frame)
{
	uint64_t sum = frame->pkt_len;

	for (; frame != NULL; frame = frame->next)
		sum = nic_sum(sum ^ frame->data_len, rte_pktmbuf_mtod(frame, const uint8_t *),
			frame->data_len);
	return sum;
}

static void
check_unchanged(struct nic *nic, const struct nic_frame *held)
{
	if (rte_mbuf_refcnt_read(held->mbuf) == 0)
		nic->listener.complains(nic->listener.arg, "a frame that the NIC holds was freed");
	else if (frame_sum(held->mbuf) != held->sum)
		nic->listener.complains(
			nic->listener.arg, "a frame that the NIC holds was changed");
}

/* ---- transmission */

static void
send_one(struct nic *nic, const struct nic_frame *held)
{
	const char *complaint;

	check_unchanged(nic, held);
	complaint = offload_frame(held->mbuf, nic->listener.sends, nic->listener.arg);
	if (complaint != NULL)
		nic->listener.complains(nic->listener.arg, complaint);
}

/* May a frame have so many pieces? */
static uint16_t
chain_max(const struct nic *nic, const struct rte_mbuf *frame)
{
	if (!(frame->ol_flags & RTE_MBUF_F_TX_TCP_SEG))
		return nic->setup.tx_chain_max;
	return (nic->setup.caps & NETIF_TX_TSO) ? nic->setup.tso_chain_max : 0;
}

/* Sends and frees what is due, in order. */
static void
work(struct nic *nic)
{
	uint64_t now = *nic->now;

	while (nic->tx_sent < nic->tx_count) {
		const struct nic_frame *held = &nic->tx[ring_at(nic->tx_head, nic->tx_sent)];

		if (held->sends_at > now)
			break;
		nic->tx_sent++;
		send_one(nic, held);
	}
	while (nic->tx_sent > 0 && nic->tx[nic->tx_head].frees_at <= now) {
		check_unchanged(nic, &nic->tx[nic->tx_head]);
		rte_pktmbuf_free(nic->tx[nic->tx_head].mbuf);
		nic->tx_head = ring_at(nic->tx_head, 1);
		nic->tx_sent--;
		nic->tx_count--;
	}
}

static void
works(void *arg, uint64_t value)
{
	work(arg);
}

static bool
is_down(const struct nic *nic)
{
	uint64_t at = nic->setup.reset_at;

	return at != 0 && *nic->now >= at && *nic->now - at < nic->setup.reset_us;
}

static void
take_one(struct nic *nic, struct rte_mbuf *mbuf)
{
	struct nic_frame *held = &nic->tx[ring_at(nic->tx_head, nic->tx_count)];
	const struct nic_frame *before =
		&nic->tx[ring_at(nic->tx_head, nic->tx_count + NIC_DESC_MAX - 1)];
	uint64_t sends_at = *nic->now, frees_at;

	if (nic->setup.send_us != 0)
		sends_at += chance_below(nic->chance, nic->setup.send_us);
	if (nic->tx_count > 0 && before->sends_at > sends_at)
		sends_at = before->sends_at;
	frees_at = sends_at;
	if (nic->setup.hold_us != 0)
		frees_at += chance_below(nic->chance, nic->setup.hold_us);
	if (nic->tx_count > 0 && before->frees_at > frees_at)
		frees_at = before->frees_at;
	*held = (struct nic_frame){mbuf, frame_sum(mbuf), sends_at, frees_at};
	nic->tx_count++;
	if (sends_at > *nic->now)
		events_plan(nic->events, sends_at, works, nic, 0);
	if (frees_at > sends_at)
		events_plan(nic->events, frees_at, works, nic, 0);
}

static uint16_t
nic_tx(struct port *port, struct rte_mbuf **frames, uint16_t n)
{
	struct nic *nic = (struct nic *)port;
	uint32_t room;

	work(nic);
	if (is_down(nic))
		return 0;
	room = nic->setup.tx_desc - nic->tx_count;
	if (n > room)
		n = (uint16_t)room;
	if (n > 0 && chance_hit(nic->chance, nic->setup.picky))
		n = (uint16_t)chance_below(nic->chance, n);
	for (uint16_t i = 0; i < n; i++) {
		if (frames[i]->nb_segs > chain_max(nic, frames[i]))
			nic->listener.complains(
				nic->listener.arg, "a chain longer than the NIC takes");
		take_one(nic, frames[i]);
	}
	work(nic);
	return n;
}

/* ---- reception */

static void
post_buffers(struct nic *nic)
{
	uint32_t held = nic->posted_count + nic->full_buffers;

	for (; held < nic->setup.rx_desc; held++) {
		struct rte_mbuf *mbuf = rte_pktmbuf_alloc(nic->rx_pool);

		if (mbuf == NULL)
			return;
		nic->posted[nic->posted_count++] = mbuf;
	}
}

/* What a NIC that looks at checksums tells of a frame. */
static uint64_t
verdict(const struct nic *nic, const uint8_t *bytes, uint32_t len)
{
	uint32_t l2_len = nic->setup.ethernet ? ETHER_LEN : 0;
	struct wire wire;
	const char *complaint;

	if (!(nic->setup.caps & NETIF_RX_CKSUM) || chance_one_in(nic->chance, 8))
		return 0; /* unknown */
	complaint = len > l2_len ? wire_read(bytes + l2_len, len - l2_len, &wire) : "short";
	if (complaint == NULL)
		return RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	if (strcmp(complaint, "wrong IP checksum") == 0)
		return RTE_MBUF_F_RX_IP_CKSUM_BAD;
	if (strncmp(complaint, "wrong TCP checksum", 18) == 0)
		return RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_BAD;
	return 0;
}

static struct rte_mbuf *
fill_buffer(struct nic *nic, const uint8_t *bytes, uint32_t len)
{
	struct rte_mbuf *mbuf = nic->posted[--nic->posted_count];

	memcpy(rte_pktmbuf_append(mbuf, (uint16_t)len), bytes, len);
	return mbuf;
}

void
nic_receives(struct nic *nic, const uint8_t *bytes, uint32_t len)
{
	bool scatters = len > SCATTER_UNIT && chance_hit(nic->chance, nic->setup.scatter);
	uint32_t first = len;
	struct rte_mbuf *mbuf;

	if (scatters)
		first = SCATTER_UNIT * (1 + chance_below(nic->chance, (len - 1) / SCATTER_UNIT));
	if (is_down(nic))
		return;
	if (nic->posted_count < 1u + scatters) {
		nic->no_buffer++;
		return;
	}
	mbuf = fill_buffer(nic, bytes, first);
	if (scatters)
		rte_pktmbuf_chain(mbuf, fill_buffer(nic, bytes + first, len - first));
	mbuf->ol_flags |= verdict(nic, bytes, len);
	nic->full[ring_at(nic->full_head, nic->full_count++)] = mbuf;
	nic->full_buffers += mbuf->nb_segs;
}

static uint16_t
nic_rx(struct port *port, struct rte_mbuf **frames, uint16_t n)
{
	struct nic *nic = (struct nic *)port;
	uint16_t got = 0;

	while (got < n && nic->full_count > 0) {
		frames[got] = nic->full[nic->full_head];
		nic->full_head = ring_at(nic->full_head, 1);
		nic->full_count--;
		nic->full_buffers -= frames[got++]->nb_segs;
	}
	post_buffers(nic);
	return got;
}

/* ---- life */

static void
drop_everything(struct nic *nic)
{
	work(nic);
	for (uint32_t i = 0; i < nic->tx_count; i++) {
		check_unchanged(nic, &nic->tx[ring_at(nic->tx_head, i)]);
		rte_pktmbuf_free(nic->tx[ring_at(nic->tx_head, i)].mbuf);
	}
	nic->reset_frames += nic->tx_count - nic->tx_sent + nic->full_count;
	nic->tx_count = nic->tx_sent = 0;
	for (uint32_t i = 0; i < nic->full_count; i++)
		rte_pktmbuf_free(nic->full[ring_at(nic->full_head, i)]);
	nic->full_count = nic->full_buffers = 0;
	while (nic->posted_count > 0)
		rte_pktmbuf_free(nic->posted[--nic->posted_count]);
}

static void
resets(void *arg, uint64_t value)
{
	struct nic *nic = arg;

	drop_everything(nic);
	post_buffers(nic);
}

static void
nic_close(struct port *port)
{
	drop_everything((struct nic *)port);
}

void
nic_start(struct nic *nic, const struct nic_setup *setup, const struct nic_listener *listener,
	struct events *events, struct chance *chance, const uint64_t *now,
	struct rte_mempool *rx_pool)
{
	static const struct port_ops ops = {nic_rx, nic_tx, nic_close};

	memset(nic, 0, sizeof(*nic));
	nic->port.ops = &ops;
	nic->port.tx_desc = setup->tx_desc;
	nic->port.rx_desc = setup->rx_desc;
	nic->setup = *setup;
	nic->listener = *listener;
	nic->events = events;
	nic->chance = chance;
	nic->now = now;
	nic->rx_pool = rx_pool;
	post_buffers(nic);
	if (setup->reset_at != 0)
		events_plan(events, setup->reset_at, resets, nic, 0);
}

void
nic_stop(struct nic *nic)
{
	nic->port.ops->close(&nic->port);
}
