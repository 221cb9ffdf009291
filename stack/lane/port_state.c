/* SPDX-License-Identifier: BSD-3-Clause */
#include "port_state.h"

#include <errno.h>

#include "close.h"

bool
lane_ask_neighbor(struct rill_lane *lane)
{
	RILL_OWNED(&lane->owner);
	return neighbors_ask_known(net_neighbors(lane->net), lane->now, &lane->outbox);
}

void
lane_announce(struct rill_lane *lane)
{
	RILL_OWNED(&lane->owner);
	net_announce_all(lane->net, lane->now);
}

static void
drop_waiting(struct rill_lane *lane)
{
	struct outbox *outbox = &lane->outbox;
	uint32_t n = outbox_count(outbox);

	for (uint32_t i = 0; i < n; i++)
		drop_packet(&lane->counters,
			outbox->ring[(outbox->taken + i) & (OUTBOX_SIZE - 1)],
			RILL_DROP_mac_changed);
	outbox_turn_over(outbox, us32(lane->now));
	outbox_took(outbox, n);
}

void
lane_set_mac(struct rill_lane *lane, const struct rte_ether_addr *mac)
{
	RILL_OWNED(&lane->owner);
	drop_waiting(lane);
	lane->netif.mac = *mac;
	neighbors_follow_mac(net_neighbors(lane->net));
	lane_announce(lane);
}

void
lane_addr_claimed(
	struct rill_lane *lane, const struct rill_addr *addr, const struct rte_ether_addr *mac)
{
	RILL_OWNED(&lane->owner);
	if (net_addr_claimed(lane->net, addr, mac, lane->now, &lane->outbox))
		tcp_addr_lost(&lane->tcp, addr);
}

static void
tell_gone(struct rill_conn *conn, void *lane)
{
	close_soft_error(&((struct rill_lane *)lane)->tcp, conn, ENETDOWN);
}

void
lane_port_gone(struct rill_lane *lane)
{
	rill_lane_each(lane, tell_gone, lane);
}
