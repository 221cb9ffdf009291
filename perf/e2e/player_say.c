/* SPDX-License-Identifier: BSD-3-Clause */
/* What the player says, and when. */
#include <rte_common.h>
#include <rte_prefetch.h>

#include "player_inner.h"
#include "segment.h"

#define DELAYED_ACK_MS 40
#define BEGIN_MAX 32     /* messages begun in one round */
#define SINK_TRAIN 8     /* segments of one flow in a row */
#define SINK_SEGMENTS 32 /* of one flow that wait for their ACK: below 64 KiB */
#define TRIES 8          /* flows looked at for one that is idle */
#define UNACKED_SLACK                                                                              \
	(2 * PLAYER_INFLIGHT_MAX) /* what may come while the wire has no room for ACKs */
#define SEQ_GAP 100000            /* between incarnations of a flow */

void
player_queue(struct player *player, uint32_t number, enum say_kind kind)
{
	if (player->queue_put - player->queue_taken == PLAYER_QUEUE) {
		player_fail(player, number, "more answers wait than %u", PLAYER_QUEUE);
		return;
	}
	player->queue[player->queue_put++ & (PLAYER_QUEUE - 1)] = (struct say){
		.number = number, .ack = player->flows[number].rcv_nxt, .kind = (uint8_t)kind};
}

void
player_later_ack(struct player *player, uint32_t number, struct flow *flow)
{
	if (player->unacked_put - player->unacked_taken == player->setup.unacked) {
		player_fail(player, number, "more than %u responses wait for their ACK",
			player->setup.unacked);
		return;
	}
	flow->ack_due = true;
	player->unacked[player->unacked_put++ & (player->setup.unacked - 1)] =
		(struct unacked){.number = number, .rcv_nxt = flow->rcv_nxt, .at = player->now};
}

/* ---- frames */

/* Says one frame of a flow, with `payload` bytes. The wire has room: the caller has looked. */
static void
say(struct player *player, uint32_t number, uint8_t flags, uint16_t payload)
{
	struct flow *flow = &player->flows[number];
	const struct flow_frame frame = {
		.seq = flow->snd_nxt,
		.ack = (flags & TCP_ACK) ? flow->rcv_nxt : 0,
		.flags = flags,
		.tsval = player->now_ms,
		.tsecr = (flags & TCP_ACK) ? flow->tsval : 0,
		.payload_len = payload,
	};
	uint8_t *slot = far_slot(player->setup.wire);

	far_filled(player->setup.wire, flow_frame_write(&player->frames, slot, number, &frame));
	flow->snd_nxt += payload + ((flags & (TCP_SYN | TCP_FIN)) != 0);
	if (flags & TCP_ACK)
		flow->ack_due = false;
	player->counts.frames_out++;
}

/*
 * It says nothing of what came later, as a FIN, which has its own ACK; and nothing after the last
 * one: the server would reset what it does not know any more.
 */
static void
say_ack(struct player *player, uint32_t number, uint32_t ack)
{
	struct flow *flow = &player->flows[number];
	uint32_t rcv_nxt = flow->rcv_nxt;
	bool due = flow->ack_due;

	if (flow->state == FLOW_CLOSED)
		return;
	flow->rcv_nxt = ack;
	say(player, number, TCP_ACK, 0);
	flow->rcv_nxt = rcv_nxt;
	flow->ack_due = due;
}

void
player_say_request(struct player *player, uint32_t number)
{
	struct flow *flow = &player->flows[number];

	if (player->setup.work == PLAYER_SOURCE)
		flow->waiting++;
	else
		flow->waiting = (uint16_t)(flow->waiting + player->setup.payload);
	say(player, number, TCP_ACK | TCP_PSH, player->setup.payload);
}

static void
say_fin(struct player *player, uint32_t number)
{
	player->flows[number].state = FLOW_CLOSING;
	say(player, number, TCP_FIN | TCP_ACK, 0);
}

static void
say_last_ack(struct player *player, uint32_t number)
{
	say(player, number, TCP_ACK, 0);
	player->flows[number].state = FLOW_CLOSED;
	player->counts.closed++;
	player->inflight--;
	if (player->setup.work == PLAYER_RATE)
		player->counts.messages++;
}

static void
say_arp(struct player *player)
{
	uint8_t *slot = far_slot(player->setup.wire);

	far_filled(player->setup.wire, flow_arp_answer(&player->frames, slot, player->arp));
}

static void
say_queued(struct player *player, const struct say *what)
{
	switch ((enum say_kind)what->kind) {
	case SAY_ACK:
		say_ack(player, what->number, what->ack);
		return;
	case SAY_REQUEST:
		player_say_request(player, what->number);
		return;
	case SAY_FIN:
		say_fin(player, what->number);
		return;
	case SAY_LAST_ACK:
		say_last_ack(player, what->number);
		return;
	case SAY_ARP:
		say_arp(player);
		return;
	}
}

/* ---- ACKs that no request took along */

/* Responses whose flow has since spoken are passed over. */
static unsigned int
speak_late_acks(struct player *player)
{
	uint64_t delay = DELAYED_ACK_MS * player->tsc_per_ms;
	uint32_t most = player->setup.unacked - UNACKED_SLACK;
	unsigned int said = 0;

	while (player->unacked_taken != player->unacked_put) {
		uint32_t at = player->unacked_taken & (player->setup.unacked - 1);
		const struct unacked *oldest = &player->unacked[at];
		struct flow *flow = &player->flows[oldest->number];

		if (player->unacked_put - player->unacked_taken < most &&
			player->now - oldest->at < delay)
			break;
		rte_prefetch0(&player->flows[player->unacked[(at + PLAYER_AHEAD) &
							     (player->setup.unacked - 1)]
						     .number]);
		if (flow->ack_due && flow->rcv_nxt == oldest->rcv_nxt) {
			if (far_slot(player->setup.wire) != NULL) {
				say(player, oldest->number, TCP_ACK, 0);
				player->counts.pure_acks++;
				said++;
			} else if (player->lossy) {
				player->counts.lost_acks++;
			} else {
				break;
			}
		}
		player->unacked_taken++;
	}
	return said;
}

unsigned int
player_speak(struct player *player)
{
	unsigned int said = 0;

	while (player->queue_taken != player->queue_put) {
		const struct say *what = &player->queue[player->queue_taken & (PLAYER_QUEUE - 1)];

		if (far_slot(player->setup.wire) != NULL)
			say_queued(player, what);
		else if (player->lossy && what->kind == SAY_ACK)
			player->counts.lost_acks++;
		else
			break;
		player->queue_taken++;
		said++;
	}
	return said + speak_late_acks(player);
}

/* ---- what is begun */

uint32_t
player_draw(struct player *player)
{
	uint64_t x = player->random;

	x ^= x << 13; /* Marsaglia's xorshift */
	x ^= x >> 7;
	x ^= x << 17;
	player->random = x;
	return (uint32_t)((x >> 32) * player->setup.flows >> 32);
}

/* The flow to look at next: in order, or drawn, and then fetched ahead of its use. */
static uint32_t
next_flow(struct player *player)
{
	uint32_t flow, *ahead;

	if (player->setup.in_order || player->job != PLAYER_PLAY) {
		flow = player->cursor;
		player->cursor = flow + 1 == player->setup.flows ? 0 : flow + 1;
		return flow;
	}
	ahead = &player->ahead[player->ahead_at++ & (PLAYER_AHEAD - 1)];
	flow = *ahead;
	*ahead = player_draw(player);
	rte_prefetch0(&player->flows[*ahead]);
	return flow;
}

/* May the job begin something on this flow? */
static bool
is_fit(const struct player *player, const struct flow *flow)
{
	if (player->job == PLAYER_OPEN ||
		(player->job == PLAYER_PLAY && player->setup.work == PLAYER_RATE))
		return flow->state == FLOW_CLOSED;
	if (flow->state != FLOW_OPEN)
		return false;
	if (player->job == PLAYER_PLAY && player->setup.work == PLAYER_SINK)
		return flow->waiting <= (SINK_SEGMENTS - 1) * player->setup.payload;
	if (player->job == PLAYER_PLAY && player->setup.work == PLAYER_SOURCE)
		return flow->waiting < FETCHES_OF_FLOW;
	return flow->waiting == 0;
}

static void
begin_opening(struct player *player, uint32_t number)
{
	struct flow *flow = &player->flows[number];

	flow->snd_nxt += SEQ_GAP;
	flow->rcv_nxt = 0;
	flow->waiting = 0;
	flow->state = FLOW_OPENING;
	say(player, number, TCP_SYN, 0);
}

/* Segments of one flow, one after the other. Returns how many. */
static unsigned int
begin_train(struct player *player, uint32_t number)
{
	struct flow *flow = &player->flows[number];
	unsigned int n = 0;

	while (n < SINK_TRAIN && is_fit(player, flow) && player->begun + n < player->to_begin &&
		player->inflight + n < player->setup.inflight &&
		far_slot(player->setup.wire) != NULL) {
		player_say_request(player, number);
		n++;
	}
	return n;
}

static unsigned int
begin(struct player *player, uint32_t number)
{
	if (player->job == PLAYER_CLOSE) {
		say_fin(player, number);
		return 1;
	}
	if (player->job == PLAYER_OPEN || player->setup.work == PLAYER_RATE) {
		begin_opening(player, number);
		return 1;
	}
	if (player->setup.work == PLAYER_SINK)
		return begin_train(player, number);
	player_say_request(player, number);
	return 1;
}

/* The first flow finds the server without the gateway's address: the others wait for it. */
static uint32_t
inflight_max(const struct player *player)
{
	return player->counts.opened == 0 ? 1 : player->setup.inflight;
}

/* The next flow that is fit; PLAYER_NONE: too many in a row were not. */
static uint32_t
fit_flow(struct player *player)
{
	for (unsigned int tries = 0; tries < TRIES; tries++) {
		uint32_t number = next_flow(player);

		if (is_fit(player, &player->flows[number]))
			return number;
	}
	return PLAYER_NONE;
}

unsigned int
player_begin_some(struct player *player)
{
	unsigned int n = 0;

	while (n < BEGIN_MAX && player->begun < player->to_begin &&
		player->inflight < inflight_max(player) && far_slot(player->setup.wire) != NULL) {
		uint32_t number = fit_flow(player);
		unsigned int begun;

		if (number == PLAYER_NONE)
			break;
		begun = begin(player, number);
		player->inflight += begun;
		player->begun += begun;
		n += begun;
	}
	return n;
}
