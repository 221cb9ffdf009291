/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The open loop. Request k is due k intervals after the beginning, and leaves then, on a flow that
 * waits for nothing, or as soon as there is one. The wire is a NIC's: a request that finds the
 * receive ring full is lost, and its flow sends it again after the RTO, for as long as it takes.
 */
#include <stdlib.h>

#include <rte_common.h>
#include <rte_cycles.h>
#include <rte_prefetch.h>

#include "player_inner.h"

#define OFFER_MAX 64 /* requests of one round */

/* All flows, in random order. */
static void
shuffle(struct player *player)
{
	uint32_t *idle = player->open.idle, flows = player->setup.flows;

	for (uint32_t i = 0; i < flows; i++)
		idle[i] = i;
	for (uint32_t i = 0; i < flows; i++) {
		uint32_t other = player_draw(player), number = idle[i];

		idle[i] = idle[other];
		idle[other] = number;
	}
	player->open.idle_put = flows;
}

bool
player_open_loop_create(struct player *player)
{
	struct open_loop *open = &player->open;
	uint32_t size = rte_align32pow2(player->setup.flows);

	if (player->setup.rto_ms == 0)
		return true;
	open->due = calloc(player->setup.flows, sizeof(*open->due));
	open->resend = calloc(size, sizeof(*open->resend));
	open->idle = calloc(size, sizeof(*open->idle));
	open->mask = size - 1;
	open->rto = player->setup.rto_ms * player->tsc_per_ms;
	if (open->due == NULL || open->resend == NULL || open->idle == NULL)
		return false;
	shuffle(player);
	return true;
}

void
player_open_loop_destroy(struct player *player)
{
	free(player->open.due);
	free(player->open.resend);
	free(player->open.idle);
}

void
player_open_loop_begin(struct player *player, const struct player_task *task)
{
	struct open_loop *open = &player->open;

	open->interval = (double)rte_get_tsc_hz() / task->per_second;
	open->begins_at = rte_rdtsc();
	open->over = false;
	open->answered_before = player->counts.messages;
	open->offered = (struct player_offered){.cycles = task->cycles};
}

static uint64_t
next_due(const struct player *player)
{
	return player->open.begins_at + (uint64_t)((double)player->begun * player->open.interval);
}

/* A flow whose request was lost, and is to be sent again now. */
static uint32_t
take_resend(struct player *player)
{
	struct open_loop *open = &player->open;
	const struct resend *oldest = &open->resend[open->resend_taken & open->mask];

	if (open->resend_taken == open->resend_put || oldest->at > player->now)
		return PLAYER_NONE;
	open->resend_taken++;
	return oldest->number;
}

/* A flow for the request that is due. */
static uint32_t
take_due(struct player *player)
{
	struct open_loop *open = &player->open;
	uint64_t due = next_due(player);
	uint32_t number, ahead;

	if (open->over || due > player->now || open->idle_taken == open->idle_put)
		return PLAYER_NONE;
	number = open->idle[open->idle_taken & open->mask];
	ahead = open->idle[(open->idle_taken + PLAYER_AHEAD) & open->mask];
	rte_prefetch0(&player->flows[ahead]);
	rte_prefetch0(&open->due[ahead]);
	open->idle_taken++;
	open->due[number] = due;
	player->begun++;
	player->inflight++;
	return number;
}

/* Each flow stands in the ring once at most. */
static void
lose(struct player *player, uint32_t number)
{
	struct open_loop *open = &player->open;

	player->flows[number].state = FLOW_LOST;
	open->resend[open->resend_put++ & open->mask] =
		(struct resend){.number = number, .at = player->now + open->rto};
	player->counts.lost++;
	open->offered.lost += !open->over;
}

unsigned int
player_offer_some(struct player *player)
{
	unsigned int n;

	for (n = 0; n < OFFER_MAX; n++) {
		uint32_t number = take_resend(player);

		if (number == PLAYER_NONE)
			number = take_due(player);
		if (number == PLAYER_NONE)
			break;
		player->open.offered.tried += !player->open.over;
		if (far_slot(player->setup.wire) == NULL) {
			lose(player, number);
			continue;
		}
		player->flows[number].state = FLOW_OPEN;
		player_say_request(player, number);
	}
	/* Who offers little does not wait until a batch is full. */
	far_flush(player->setup.wire);
	return n;
}

void
player_offer_answered(struct player *player, uint32_t number)
{
	struct open_loop *open = &player->open;

	histogram_add(&open->offered.latency, rte_rdtsc() - open->due[number]);
	open->idle[open->idle_put++ & open->mask] = number;
}

void
player_offer_look(struct player *player, uint64_t now)
{
	struct open_loop *open = &player->open;

	if (open->over || now < player->ends_at)
		return;
	open->over = true;
	open->offered.begun = player->begun;
	open->offered.answered = player->counts.messages - open->answered_before;
}
