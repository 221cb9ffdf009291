/* SPDX-License-Identifier: BSD-3-Clause */
/* From the outbox to the port. */
#include <rte_common.h>
#include <rte_mbuf.h>

#include "counters.h"
#include "outbox.h"
#include "port.h"

/* Frames of the outbox's oldest burst that lie side by side in the ring, `most` of them. */
static uint16_t
flush_run_length(const struct outbox *outbox, uint32_t most)
{
	uint32_t to_ring_end = OUTBOX_SIZE - (outbox->taken & (OUTBOX_SIZE - 1));
	uint32_t waiting = RTE_MIN(outbox_count(outbox), to_ring_end);

	return (uint16_t)RTE_MIN(waiting, most);
}

bool
port_stall_over(struct port_stall *stall, bool moved, uint32_t now_us)
{
	if (!moved && !stall->stalled)
		stall->since_us = now_us;
	stall->stalled = !moved && (!stall->stalled || now_us - stall->since_us < PORT_STALL_US);
	return !moved && !stall->stalled;
}

/*
 * A port whose link is down may take nothing at all. What waits for it is then dropped as if the wire
 * had lost it, so that it pins no buffer, and that retransmissions are fresh when the link is back.
 */
static void
flush_stalled(struct port *port, struct outbox *outbox, struct counters *counters, bool moved,
	uint32_t now_us)
{
	uint32_t left = outbox_count(outbox);

	if (!port_stall_over(&port->stall, moved || left == 0, now_us))
		return;
	for (uint32_t i = 0; i < left; i++)
		drop_packet(counters, outbox->ring[(outbox->taken + i) & (OUTBOX_SIZE - 1)],
			RILL_DROP_tx_stalled);
	outbox_took(outbox, left);
}

uint32_t
port_flush(struct port *port, struct outbox *outbox, struct counters *counters, uint32_t now_us)
{
	uint32_t fresh = outbox->put - outbox->seen, sent = 0, left;
	uint32_t most = port->full ? PORT_PROBE : PORT_BURST;

	outbox_turn_over(outbox, now_us);
	while (outbox_count(outbox) > 0) {
		struct rte_mbuf **frames = &outbox->ring[outbox->taken & (OUTBOX_SIZE - 1)];
		uint16_t n = flush_run_length(outbox, most), took;
		uint64_t bytes[PORT_BURST];

		/* Once the port has a frame, it may be gone. */
		for (uint16_t i = 0; i < n; i++)
			bytes[i] = frames[i]->pkt_len;
		took = port->ops->tx(port, frames, n);
		for (uint16_t i = 0; i < took; i++)
			counters->tx_bytes += bytes[i];
		outbox_took(outbox, took);
		sent += took;
		port->full = took < n;
		if (port->full)
			break;
		most = PORT_BURST;
	}
	counters->tx_packets += sent;
	flush_stalled(port, outbox, counters, sent > 0, now_us);
	left = outbox_count(outbox);
	counters->tx_backlogged += RTE_MIN(left, fresh);
	outbox_set_credit(outbox, port->tx_desc);
	return sent;
}
