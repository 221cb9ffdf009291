/* SPDX-License-Identifier: BSD-3-Clause */
/* From the outbox to the port. */
#include <rte_common.h>
#include <rte_mbuf.h>

#include "counters.h"
#include "outbox.h"
#include "port.h"

/* The frames of the outbox's oldest burst that lie side by side in the ring. */
static uint16_t
flush_run_length(const struct outbox *outbox)
{
	uint32_t to_ring_end = OUTBOX_SIZE - (outbox->taken & (OUTBOX_SIZE - 1));
	uint32_t waiting = RTE_MIN(outbox_count(outbox), to_ring_end);

	return (uint16_t)RTE_MIN(waiting, (uint32_t)PORT_BURST);
}

uint32_t
port_flush(struct port *port, struct outbox *outbox, struct counters *counters, uint32_t now_us)
{
	uint32_t fresh = outbox->put - outbox->seen, sent = 0, left;

	outbox_turn_over(outbox, now_us);
	while (outbox_count(outbox) > 0) {
		struct rte_mbuf **frames = &outbox->ring[outbox->taken & (OUTBOX_SIZE - 1)];
		uint16_t n = flush_run_length(outbox), took;
		uint64_t bytes[PORT_BURST];

		/* Once the port has a frame, it may be gone. */
		for (uint16_t i = 0; i < n; i++)
			bytes[i] = frames[i]->pkt_len;
		took = port->ops->tx(port, frames, n);
		for (uint16_t i = 0; i < took; i++)
			counters->tx_bytes += bytes[i];
		outbox_took(outbox, took);
		sent += took;
		if (took < n)
			break;
	}
	counters->tx_packets += sent;
	left = outbox_count(outbox);
	counters->tx_backlogged += RTE_MIN(left, fresh);
	outbox_set_credit(outbox, port->tx_desc);
	return sent;
}
