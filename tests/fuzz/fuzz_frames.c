/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames into a live set of connections. An input is a head that says which connections there are and
 * in which states, and steps of 16 bytes (say.h): a segment relative to a connection's windows, an ICMP
 * error, time, a call of the application's, a fault of the NIC. What is checked stands in world.h.
 */
#include <string.h>

#include "fuzz.h"
#include "hosts6.h"
#include "parts.h"
#include "say.h"
#include "setup.h"
#include "wire.h"

#define STEPS_MAX 96
#define DEADLINES_MAX 32 /* that one step lets pass */

struct head {
	uint8_t world;   /* WORLD_... */
	uint8_t end;     /* how it ends: bit 0 at once; the rest: which flows speak IPv6 */
	uint8_t options; /* of the lane */
	uint8_t isns;    /* of the peer, two bits for each of the first flows */
	uint8_t states[FLOWS / 2]; /* four bits for each flow */
	uint8_t shapes[FLOWS / 2]; /* of the SYNs, for pairs of flows */
	uint8_t reactions[FLOWS / 2];
};
_Static_assert(sizeof(struct head) == STEP_LEN, "a head is as long as a step");

enum step_kind {
	STEP_SEGMENT, /* 0 to 7 */
	STEP_AGREE = 8,
	STEP_TIME,
	STEP_CALL,
	STEP_ICMP,
	STEP_SYN,
	STEP_NOISE,
	STEP_NIC,
	STEP_REACTION,
	STEP_KINDS4,
	/* Only where there is IPv6: */
	STEP_DISCOVER = STEP_KINDS4,
	STEP_ROUTER,
	STEP_ICMP6,
	STEP_PIECE,
	STEP_FLOOD,
	STEP_CHANGE,
	STEP_KINDS = 32 /* what is left are segments */
};

static void
choose_options(uint8_t which, struct rill_options *options)
{
	rill_options_default(options);
	options->timestamps = !(which & 1);
	options->sack = !(which & 2);
	options->window_scale = !(which & 4);
	if (which & 8)
		options->rcvbuf = 4096;
	if (which & 16)
		options->sndbuf = 8192;
	options->manual_consume = which >> 5 & 1;
	options->nodelay = which >> 6 & 1;
	if (which & 128) {
		options->keepalive_idle_ms = 5000;
		options->keepalive_interval_ms = 1000;
		options->user_timeout_ms = 30000;
		options->linger_ms = 1000;
		options->delayed_ack_us = 0;
	}
}

/* Lets time pass: to a deadline, beside it, through many, or far. */
static void
step_time(const struct step *step)
{
	static const uint64_t units[8] = {1, 8, 1000, 10000, 100000, 1000000, 60000000, 3600000000};
	uint64_t next, until;

	if (step->flags & 0x80) { /* as a lane that has nothing else to do */
		until = world.now + (step->seq + 1u) * units[step->flags & 7];
		for (unsigned int i = 0; i < DEADLINES_MAX; i++) {
			next = rill_lane_deadline(world.lane);
			if (next > until)
				break;
			world_pass(next > world.now ? next - world.now : 1);
		}
		if (until > world.now)
			world_pass(until - world.now);
		return;
	}
	next = rill_lane_deadline(world.lane);
	if (step->flags & 0x40 && next != RILL_NEVER && next > world.now + (step->flags & 7u))
		world_pass(next - world.now - (step->flags & 7u));
	else
		world_pass(step->seq * units[step->flags & 7]);
}

static void
step_nic(const struct step *step)
{
	world.nic_full = step->flags & 1;
	world.nic_keeps = step->flags & 2;
	world.arp_silent = step->flags & 4;
}

static void
run_step(const struct step *step)
{
	struct flow *flow = &world.flows[step->flow % FLOWS];

	switch (step->what % (hosts6_are_there() ? STEP_KINDS : STEP_KINDS4)) {
	case STEP_AGREE:
		peer_plain(flow, step->flags & 1 ? FIN | ACK : ACK, 0, step->len * 16u);
		break;
	case STEP_TIME:
		step_time(step);
		return;
	case STEP_CALL:
		app_acts(flow, step->flags % ACT_COUNT, step->seq);
		break;
	case STEP_ICMP:
		peer_complains(flow, step);
		break;
	case STEP_SYN:
		peer_opens(flow, step->flags & 1 ? SYN | ACK : SYN,
			flow->rcv_nxt + (uint32_t)((int8_t)step->seq * (1 << (step->ack & 15))),
			step->extra);
		break;
	case STEP_NOISE:
		peer_mumbles(flow, step);
		break;
	case STEP_NIC:
		step_nic(step);
		break;
	case STEP_REACTION:
		flow->reaction = step->flags;
		break;
	case STEP_DISCOVER:
		hosts6_discover(flow, step);
		break;
	case STEP_ROUTER:
		hosts6_advertise_router(flow, step);
		break;
	case STEP_ICMP6:
		hosts6_complain(flow, step);
		break;
	case STEP_PIECE:
		put_piece(flow, step);
		break;
	case STEP_FLOOD:
		hosts6_flood(flow, step);
		break;
	case STEP_CHANGE:
		hosts6_change(step);
		break;
	default:
		peer_says(flow, step);
		break;
	}
	if (!(step->flow & STEP_SAME_BURST))
		world_turn();
}

static bool
wants_flows(const struct head *head)
{
	uint8_t any = 0;

	for (unsigned int i = 0; i < sizeof(head->states); i++)
		any |= head->states[i];
	return any != 0;
}

static void
begin(const struct head *head)
{
	struct rill_options options;

	choose_options(head->options, &options);
	world_up(head->world, &options, head->end >> 1);
	if (head->world & WORLD_IP6_ASKS && wants_flows(head))
		world_settle();
	for (unsigned int i = 0; i < FLOWS; i++) {
		const struct setup_flow wanted = {
			.state = head->states[i / 2] >> (i % 2 * 4) & 15,
			.shape = head->shapes[i / 2],
			.isn = head->isns >> (i % 4 * 2),
		};

		setup_flow(&world.flows[i], &wanted);
		world.flows[i].reaction = i % 2 ? 0 : head->reactions[i / 2];
	}
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	world_init();
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct head head;
	struct step step;

	if (size < sizeof(head))
		return 0;
	memcpy(&head, data, sizeof(head));
	begin(&head);
	for (size_t at = sizeof(head); at + STEP_LEN <= size && at <= STEPS_MAX * STEP_LEN; at += STEP_LEN) {
		memcpy(&step, data + at, STEP_LEN);
		run_step(&step);
	}
	world_turn();
	world_down(head.end & 1);
	return 0;
}
