/* SPDX-License-Identifier: BSD-3-Clause */
/* Bulk out: what the player hears of fetches. */
#include <stdlib.h>
#include <string.h>

#include "player_inner.h"

/* So many bytes came: which fetches have ended? */
static void
fetch_take(struct player *player, uint32_t number, struct flow *flow, uint32_t len)
{
	uint32_t *left = &player->left[number];

	while (len >= *left && flow->waiting > 0) {
		len -= *left;
		flow->waiting--;
		player->inflight--;
		*left = player->setup.fetch.bytes;
	}
	*left -= len;
}

/*
 * Every second segment is acknowledged [9293 3.8.6.3], and the last that was asked for. (One that a
 * server sends alone, in the middle of a fetch, is acknowledged when it is repeated.)
 */
static void
fetch_ack(struct player *player, uint32_t number, struct flow *flow)
{
	flow->ack_due = !flow->ack_due;
	if (!flow->ack_due || flow->waiting == 0)
		player_queue(player, number, SAY_ACK);
}

void
player_hear_fetch(struct player *player, uint32_t number, struct flow *flow,
	const struct flow_frame *frame, bool check)
{
	const struct fetch_shape *shape = &player->setup.fetch;
	uint32_t len = frame->payload_len, left = player->left[number];

	if (flow->waiting == 0 || len > left + (flow->waiting - 1) * shape->bytes) {
		player_fail(player, number, "%u bytes that nobody asked for", len);
		return;
	}
	if (check &&
		!fetch_matches(shape, player->pattern, shape->bytes - left, frame->payload, len))
		player_fail(player, number, "what was fetched is not what the server has");
	flow->rcv_nxt += len;
	fetch_take(player, number, flow, len);
	fetch_ack(player, number, flow);
	player->spare += len;
	while (player->spare >= shape->size) {
		player->spare -= shape->size;
		player->counts.messages++;
	}
}

bool
player_fetch_create(struct player *player)
{
	const struct player_setup *setup = &player->setup;

	if (setup->work != PLAYER_SOURCE)
		return true;
	player->left = calloc(setup->flows, sizeof(*player->left));
	if (player->left == NULL)
		return false;
	for (uint32_t i = 0; i < setup->flows; i++)
		player->left[i] = setup->fetch.bytes;
	fetch_fill(player->pattern, sizeof(player->pattern));
	return true;
}

void
player_fetch_destroy(struct player *player)
{
	free(player->left);
}
