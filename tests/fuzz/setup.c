/* SPDX-License-Identifier: BSD-3-Clause */
/* Brings each flow into the state that the input's head asks for, by a plain dialogue. */
#include "setup.h"

#include "say.h"
#include "wire.h"

static const uint32_t peer_isns[4] = {10000, 0xffffff00u, 0x7fffff00u, 0xfffe0000u};

static void
says(struct flow *flow, uint8_t flags, uint32_t ahead, uint32_t len)
{
	peer_plain(flow, flags, ahead, len);
	world_turn();
}

static void
half_opens(struct flow *flow, const struct setup_flow *wanted)
{
	uint32_t isn = peer_isns[wanted->isn & 3];

	flow->rcv_nxt = isn;
	peer_opens(flow, SYN, isn, wanted->shape);
	world_turn();
}

static void
opens(struct flow *flow, const struct setup_flow *wanted)
{
	if (flow->lane_port == LANE_PORT) {
		half_opens(flow, wanted);
		says(flow, ACK, 0, 0);
		return;
	}
	app_acts(flow, ACT_CONNECT, 0);
	world_turn();
	peer_opens(flow, SYN | ACK, peer_isns[wanted->isn & 3], wanted->shape);
	world_turn();
}

static void
does(struct flow *flow, enum app_action action, uint8_t arg)
{
	app_acts(flow, action, arg);
	world_turn();
}

/* Data in flight, of which the first is said to be lost. */
static void
loses(struct flow *flow)
{
	does(flow, ACT_WRITE, 14);
	for (unsigned int i = 0; i < 4; i++) {
		struct step step = {.flags = ACK, .ack = 8, .options = 2, .sack_from = 1,
			.sack_shape = (uint8_t)(i << 2)};

		peer_says(flow, &step);
		world_turn();
	}
}

static void
closes(struct flow *flow, enum setup_state state)
{
	switch (state) {
	case IN_FIN_WAIT_1:
		does(flow, ACT_SHUTDOWN, 0);
		return;
	case IN_FIN_WAIT_2:
		does(flow, ACT_SHUTDOWN, 0);
		says(flow, ACK, 0, 0);
		return;
	case IN_CLOSE_WAIT:
		says(flow, FIN | ACK, 0, 0);
		return;
	case IN_CLOSING:
		peer_plain(flow, FIN | ACK, 0, 0); /* said before our FIN was heard */
		app_acts(flow, ACT_SHUTDOWN, 0);
		world_turn();
		return;
	case IN_LAST_ACK:
		says(flow, FIN | ACK, 0, 0);
		does(flow, ACT_SHUTDOWN, 0);
		return;
	case IN_TIME_WAIT:
		does(flow, ACT_SHUTDOWN, 0);
		says(flow, FIN | ACK, 0, 0);
		return;
	default:
		return;
	}
}

static void
works(struct flow *flow, enum setup_state state)
{
	switch (state) {
	case WITH_DATA:
		does(flow, ACT_WRITE, 14);
		return;
	case WITH_HOLES:
		says(flow, ACK, 1000, 500);
		says(flow, ACK, 3000, 500);
		says(flow, FIN | ACK, 5000, 500);
		return;
	case PAUSED:
		does(flow, ACT_PAUSE, 0);
		says(flow, ACK, 0, 1000);
		return;
	case IN_RECOVERY:
		loses(flow);
		return;
	default:
		closes(flow, state);
		return;
	}
}

void
setup_flow(struct flow *flow, const struct setup_flow *wanted)
{
	switch (wanted->state) {
	case NOTHING:
		return;
	case HALF_OPEN:
		half_opens(flow, wanted);
		return;
	case IN_SYN_SENT:
		does(flow, ACT_CONNECT, 0);
		return;
	case IN_SYN_RECEIVED:
		does(flow, ACT_CONNECT, 0);
		half_opens(flow, wanted);
		return;
	default:
		opens(flow, wanted);
		works(flow, wanted->state);
		return;
	}
}
