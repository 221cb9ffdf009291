/* SPDX-License-Identifier: BSD-3-Clause */
#include "alive.h"

#include <string.h>

#include <rte_mbuf.h>

#include "hosts6.h"
#include "net_state.h"
#include "say.h"
#include "twist.h"
#include "wire.h"

#define TRIES 60
#define TRY_US 1000000 /* a neighbour that had failed is asked for again within these */
#define ECHO_LEN 100
#define REST_US 200000 /* what limits replies has recovered by then */
#define ON_DATA_ECHO (1 | ACT_ECHO << 3)

static void
ping4(void)
{
	uint8_t packet[] = {0x45, 0, 0, 28, 0, 0, 0, 0, 64, 1, 0, 0, 192, 0, 2, 2, 192, 0, 2, 1,
		8, 0, 0xf7, 0xfe, 0, 1, 0, 0};
	unsigned int before = world.pongs4;

	twist_fix_ip4(packet);
	put_frame(packet, sizeof(packet), 0x0800, sizeof(packet), 0);
	world_turn();
	if (world.pongs4 != before + 1)
		world_fail("the lane does not answer a ping any more");
}

/* Any address that is the lane's now. */
static void
ping6(void)
{
	const struct net6 *ip6 = &world.lane->net->ip6;
	unsigned int before = hosts6_pongs();

	for (unsigned int i = 0; i < ip6->slots; i++) {
		if (ip6->addrs[i].state < NET6_ADDR_DEPRECATED)
			continue;
		hosts6_ping(ip6->addrs[i].ip);
		world_turn();
		if (hosts6_pongs() != before + 1)
			world_fail("the lane does not answer a ping over IPv6 any more");
		return;
	}
}

static void
echo(struct flow *flow)
{
	flow->reaction = ON_DATA_ECHO;
	flow->echoes = true;
	flow->heard = 0;
	for (unsigned int i = 0; i < TRIES && flow->heard < ECHO_LEN; i++) {
		if (app_of_flow(flow) == NULL) {
			peer_opens(flow, SYN, 77, 7);
			world_turn();
			peer_plain(flow, ACK, 0, 0);
			world_turn();
		}
		peer_plain(flow, ACK | PSH, 0, ECHO_LEN);
		world_turn();
		if (flow->heard < ECHO_LEN)
			world_pass(TRY_US);
	}
	if (flow->heard < ECHO_LEN)
		world_fail("the lane does not serve IPv%u any more", flow->ip6 ? 6 : 4);
}

void
alive_check(void)
{
	const struct net6_addr *addr;
	uint8_t main_addr[16];

	world_pass(REST_US);
	app_acts(&world.flows[0], ACT_LISTEN, 0);
	ping4();
	echo(&world.flows[FLOWS]);
	ping6();
	hosts6_addr(main_addr, HOST6_LANE, 0);
	addr = net6_find(&world.lane->net->ip6, main_addr);
	if (addr != NULL && addr->state >= NET6_ADDR_DEPRECATED)
		echo(&world.flows[FLOWS + 1]);
}
