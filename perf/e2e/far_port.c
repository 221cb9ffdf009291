/* SPDX-License-Identifier: BSD-3-Clause */
#include "far_port.h"

#include <string.h>

#include <rte_common.h>
#include <rte_mbuf.h>

static struct far_port *
port_of(struct far_wire *far)
{
	return RTE_PTR_SUB(far, offsetof(struct far_port, far));
}

void
far_port_init(struct far_port *far_port, struct port *port, struct rte_mempool *pool,
	const struct rte_ether_addr *server_mac)
{
	memset(far_port, 0, sizeof(*far_port));
	far_port->far.server_mac = *server_mac;
	far_port->port = port;
	far_port->pool = pool;
}

void
far_port_fini(struct far_port *far_port)
{
	rte_pktmbuf_free_bulk(far_port->spare, far_port->spare_count);
	rte_pktmbuf_free_bulk(far_port->taken, far_port->taken_count);
	rte_pktmbuf_free_bulk(far_port->waiting, far_port->waiting_count);
	far_port->spare_count = far_port->taken_count = far_port->waiting_count = 0;
}

/* What the port does not take stays, in order. */
static void
send_waiting(struct far_port *far_port)
{
	unsigned int count = far_port->waiting_count;
	uint16_t took = far_port->port->ops->tx(far_port->port, far_port->waiting, (uint16_t)count);

	far_port->waiting_count = count - took;
	memmove(far_port->waiting, &far_port->waiting[took],
		far_port->waiting_count * sizeof(far_port->waiting[0]));
}

uint8_t *
far_slot(struct far_wire *far)
{
	struct far_port *far_port = port_of(far);

	if (far_port->waiting_count == FAR_PORT_WAITING) {
		send_waiting(far_port);
		if (far_port->waiting_count == FAR_PORT_WAITING)
			return NULL;
	}
	if (far_port->spare_count == 0) {
		if (rte_pktmbuf_alloc_bulk(far_port->pool, far_port->spare, FAR_BURST) != 0)
			return NULL;
		far_port->spare_count = FAR_BURST;
	}
	return rte_pktmbuf_mtod(far_port->spare[far_port->spare_count - 1], uint8_t *);
}

void
far_filled(struct far_wire *far, uint16_t len)
{
	struct far_port *far_port = port_of(far);
	struct rte_mbuf *frame = far_port->spare[--far_port->spare_count];

	frame->data_len = len;
	frame->pkt_len = len;
	far_port->waiting[far_port->waiting_count++] = frame;
	if (far_port->waiting_count % FAR_BURST == 0)
		send_waiting(far_port);
}

void
far_flush(struct far_wire *far)
{
	if (port_of(far)->waiting_count > 0)
		send_waiting(port_of(far));
}

unsigned int
far_take(struct far_wire *far, struct far_frame frames[FAR_BURST])
{
	struct far_port *far_port = port_of(far);
	unsigned int n;

	rte_pktmbuf_free_bulk(far_port->taken, far_port->taken_count);
	n = far_port->port->ops->rx(far_port->port, far_port->taken, FAR_BURST);
	far_port->taken_count = n;
	for (unsigned int i = 0; i < n; i++)
		frames[i] = (struct far_frame){
			.data = rte_pktmbuf_mtod(far_port->taken[i], const uint8_t *),
			.len = far_port->taken[i]->data_len};
	return n;
}

/* The port owes nothing; but what it had no room for may still wait here. */
void
far_report(struct far_wire *far)
{
	far_flush(far);
}
