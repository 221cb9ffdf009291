/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_LANE_PORT_STATE_H
#define RILL_LANE_PORT_STATE_H

/*
 * What a lane does when something becomes of its port. Each is called on the lane's thread, in its
 * turn or between two.
 */

#include "lane.h"

/* Is anybody still heard? Asks a neighbour that has answered before; false if none is known. */
bool lane_ask_neighbor(struct rill_lane *lane);

/* The link is up again, or those who know us know us by another MAC: tells where our addresses are. */
void lane_announce(struct rill_lane *lane);

/* The port has another MAC. What waits to be sent from the old one is dropped: no frame leaves from an
 * address that is not the port's. */
void lane_set_mac(struct rill_lane *lane, const struct rte_ether_addr *mac);

/* Another host, at mac, has an IPv4 address of ours, or wants it too. If it is given up, its connections
 * end, by RST [5227 2.4]. */
void lane_addr_claimed(
	struct rill_lane *lane, const struct rill_addr *addr, const struct rte_ether_addr *mac);

/* The port's device is gone. Connections hear ENETDOWN as a soft error, and end when their time is up. */
void lane_port_gone(struct rill_lane *lane);

#endif
