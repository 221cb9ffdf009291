/* SPDX-License-Identifier: BSD-3-Clause */
#include "player.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_cycles.h>
#include <rte_prefetch.h>

#include "player_inner.h"
#include "segment.h"
#include "wire.h"

static_assert(sizeof(struct flow) == 16, "a million flows are 16 MB");

void
player_fail(struct player *player, uint32_t number, const char *format, ...)
{
	va_list args;
	int used;

	if (player->problem[0] != 0)
		return;
	used = snprintf(player->problem, sizeof(player->problem), "flow %u: ", number);
	va_start(args, format);
	vsnprintf(player->problem + used, sizeof(player->problem) - (size_t)used, format, args);
	va_end(args);
}

/* ---- what is heard */

/* Byte for byte, and every header field. */
static void
check_in_full(struct player *player, uint32_t number, const struct flow *flow,
	const struct far_frame *bytes, const struct flow_frame *frame)
{
	const struct player_setup *setup = &player->setup;
	struct wire read;
	const char *complaint;

	player->counts.checked++;
	if (!setup->wire->vouches) {
		complaint = wire_read(
			bytes->data + RTE_ETHER_HDR_LEN, bytes->len - RTE_ETHER_HDR_LEN, &read);
		if (complaint != NULL)
			player_fail(player, number, "a bad frame: %s", complaint);
	}
	if (setup->work != PLAYER_SOURCE && frame->payload_len > 0 &&
		frame->payload_len <= flow->waiting) {
		const uint8_t *sent =
			player->frames.block[flow_block(flow->snd_nxt - setup->payload)];

		if (memcmp(frame->payload, sent + setup->payload - flow->waiting,
			    frame->payload_len) != 0)
			player_fail(player, number, "the echo is not what was sent");
	}
}

static void
message_ended(struct player *player)
{
	player->counts.messages++;
	player->inflight--;
}

/* Payload: the echo of a request, in one piece or several. */
static void
hear_payload(struct player *player, uint32_t number, struct flow *flow, uint16_t len)
{
	if (player->setup.work == PLAYER_SINK || len > flow->waiting) {
		player_fail(player, number, "%u bytes that nobody asked for", len);
		return;
	}
	flow->rcv_nxt += len;
	flow->waiting -= len;
	if (flow->waiting > 0) {
		player_later_ack(player, number, flow);
	} else if (player->setup.work == PLAYER_RATE) {
		player_queue(player, number, SAY_FIN);
	} else {
		message_ended(player);
		player_later_ack(player, number, flow);
		if (player->job == PLAYER_OFFER)
			player_offer_answered(player, number);
	}
}

/* Bulk: how many segments are acknowledged. */
static void
hear_ack(struct player *player, uint32_t number, struct flow *flow, uint32_t ack)
{
	uint32_t out = flow->snd_nxt - ack, acked = flow->waiting - out;

	if (out > flow->waiting)
		return; /* an older one */
	if (acked % player->setup.payload != 0) {
		player_fail(player, number, "an ACK within a segment");
		return;
	}
	flow->waiting = (uint16_t)out;
	for (; acked > 0; acked -= player->setup.payload)
		message_ended(player);
}

static void
hear_fin(struct player *player, uint32_t number, struct flow *flow)
{
	if (flow->state != FLOW_CLOSING) {
		player_fail(player, number, "the server closes first");
		return;
	}
	flow->rcv_nxt++;
	player_queue(player, number, SAY_LAST_ACK);
}

static void
hear_syn_ack(
	struct player *player, uint32_t number, struct flow *flow, const struct flow_frame *frame)
{
	if (!(frame->flags & TCP_SYN)) {
		player->counts.repeated++; /* of the flow's life before */
		return;
	}
	if (frame->flags != (TCP_SYN | TCP_ACK) || frame->ack != flow->snd_nxt) {
		player_fail(player, number, "no SYN-ACK: flags %x", frame->flags);
		return;
	}
	flow->rcv_nxt = frame->seq + 1;
	flow->tsval = frame->tsval;
	flow->state = FLOW_OPEN;
	player->counts.opened++;
	player_queue(player, number, SAY_ACK);
	if (player->setup.work == PLAYER_RATE)
		player_queue(player, number, SAY_REQUEST);
	else
		player->inflight--;
}

/* The server's clock may have run on while the player's thread did not: what it repeats is old. */
static void
hear_repeated(struct player *player, uint32_t number, const struct flow *flow,
	const struct flow_frame *frame)
{
	if ((int32_t)(frame->seq - flow->rcv_nxt) > 0) {
		player_fail(player, number, "sequence number %u, expected %u", frame->seq,
			flow->rcv_nxt);
		return;
	}
	player->counts.repeated++;
	player_queue(player, number, SAY_ACK);
}

static void
hear(struct player *player, uint32_t number, const struct far_frame *bytes,
	const struct flow_frame *frame)
{
	struct flow *flow = &player->flows[number];
	bool check;

	if (frame->flags & TCP_RST) {
		player_fail(player, number, "reset by the server");
		return;
	}
	if (flow->state == FLOW_OPENING) {
		hear_syn_ack(player, number, flow, frame);
		return;
	}
	if (flow->state == FLOW_CLOSED) {
		player->counts.repeated++; /* a FIN that crossed its ACK */
		return;
	}
	if ((int32_t)(flow->snd_nxt - frame->ack) < 0) {
		player_fail(player, number, "an ACK of %u, but only %u is sent", frame->ack,
			flow->snd_nxt);
		return;
	}
	if (unlikely(frame->seq != flow->rcv_nxt)) {
		hear_repeated(player, number, flow, frame);
		return;
	}
	check = (player->counts.frames_in & (player->setup.check_every - 1)) == 0;
	if (check)
		check_in_full(player, number, flow, bytes, frame);
	flow->tsval = frame->tsval;
	if (player->setup.work == PLAYER_SINK && flow->state == FLOW_OPEN)
		hear_ack(player, number, flow, frame->ack);
	if (frame->payload_len > 0 && player->setup.work == PLAYER_SOURCE)
		player_hear_fetch(player, number, flow, frame, check);
	else if (frame->payload_len > 0)
		hear_payload(player, number, flow, frame->payload_len);
	if (frame->flags & TCP_FIN)
		hear_fin(player, number, flow);
}

/* Headers first, so that the flows are on their way into the cache. Returns how many frames came.
 */
static unsigned int
listen_to_wire(struct player *player)
{
	struct far_frame heard[FAR_BURST];
	unsigned int n = far_take(player->setup.wire, heard), tcp = 0;
	struct flow_frame frames[FAR_BURST];
	const struct far_frame *from[FAR_BURST];
	uint32_t numbers[FAR_BURST];

	for (unsigned int i = 0; i < n; i++) {
		const struct far_frame *bytes = &heard[i];
		enum flow_frame_kind kind =
			flow_frame_read(bytes->data, bytes->len, &numbers[tcp], &frames[tcp]);

		if (kind == FLOW_FRAME_ARP) {
			memcpy(player->arp, bytes->data, sizeof(player->arp));
			player_queue(player, 0, SAY_ARP);
		} else if (kind == FLOW_FRAME_TCP && numbers[tcp] < player->setup.flows) {
			rte_prefetch0(&player->flows[numbers[tcp]]);
			from[tcp++] = bytes;
		} else if (kind == FLOW_FRAME_TCP) {
			player_fail(player, numbers[tcp], "there is none of that number");
		}
	}
	for (unsigned int i = 0; i < tcp; i++) {
		player->counts.frames_in++;
		hear(player, numbers[i], from[i], &frames[i]);
	}
	return n;
}

/* ---- a run */

/* Fetches are begun whole. */
static uint64_t
to_play(const struct player *player, const struct player_task *task)
{
	const struct fetch_shape *shape = &player->setup.fetch;
	uint64_t of_fetch;

	if (task->messages == 0 && task->cycles > 0)
		return UINT64_MAX;
	if (player->setup.work != PLAYER_SOURCE)
		return task->messages;
	of_fetch = shape->bytes / shape->size;
	return (task->messages + of_fetch - 1) / of_fetch;
}

static void
begin_run(struct player *player, const struct player_task *task)
{
	player->job = task->job;
	player->lossy = task->job == PLAYER_OFFER;
	player->cursor = 0;
	player->begun = 0;
	player->ends_at = task->cycles > 0 ? rte_rdtsc() + task->cycles : UINT64_MAX;
	switch (task->job) {
	case PLAYER_PLAY:
		player->to_begin = to_play(player, task);
		return;
	case PLAYER_OFFER:
		player->to_begin = UINT64_MAX;
		player_open_loop_begin(player, task);
		return;
	default:
		player->to_begin = player->setup.work == PLAYER_RATE ? 0 : player->setup.flows;
	}
}

static bool
run_is_over(const struct player *player, uint64_t now)
{
	return player->begun == player->to_begin || now >= player->ends_at;
}

static void
count_round(struct player *player, uint64_t cycles)
{
	if (cycles < player->round_max)
		player->counts.cycles += cycles;
}

static unsigned int
begin_what_is_due(struct player *player, uint64_t now, bool over)
{
	if (player->job == PLAYER_OFFER) {
		player_offer_look(player, now);
		return player_offer_some(player);
	}
	return over ? 0 : player_begin_some(player);
}

bool
player_run(struct player *player, const struct player_task *task)
{
	uint64_t stall = PLAYER_STALL_S * rte_get_tsc_hz(), moved_at = rte_rdtsc();
	unsigned int idle = 0;

	begin_run(player, task);
	while (player->problem[0] == 0) {
		uint64_t now = rte_rdtsc();
		bool over = run_is_over(player, now);
		unsigned int moved;

		player->now = now;
		player->now_ms = (uint32_t)(now / player->tsc_per_ms);
		moved = listen_to_wire(player);
		moved += player_speak(player);
		moved += begin_what_is_due(player, now, over);
		if (moved > 0) {
			idle = 0;
			moved_at = now;
			count_round(player, rte_rdtsc() - now);
			continue;
		}
		rte_pause();
		if (++idle == PLAYER_FLUSH_POLLS)
			far_flush(player->setup.wire);
		if (idle < PLAYER_IDLE_POLLS)
			continue;
		far_report(player->setup.wire);
		if (over && player->inflight == 0 && player_has_said_all(player))
			return true;
		if (now - moved_at > stall)
			player_fail(player, 0, "nothing moves, and %u messages are not answered",
				player->inflight);
	}
	return false;
}

/* ---- life */

struct player *
player_create(const struct player_setup *setup)
{
	struct player *player = calloc(1, sizeof(*player));
	size_t flows = RTE_ALIGN_CEIL(setup->flows * sizeof(struct flow), (size_t)PLAYER_HUGE_PAGE);

	if (player != NULL) {
		player->flows = aligned_alloc(PLAYER_HUGE_PAGE, flows);
		player->unacked = calloc(setup->unacked, sizeof(*player->unacked));
		player->setup = *setup;
		player->random = setup->seed;
		player->tsc_per_ms = rte_get_tsc_hz() / 1000;
	}
	if (player == NULL || player->flows == NULL || player->unacked == NULL ||
		!player_fetch_create(player) || !player_open_loop_create(player)) {
		fprintf(stderr, "no memory for %u flows\n", setup->flows);
		return NULL;
	}
	player_huge_pages(player->flows, flows);
	memset(player->flows, 0, flows);
	player->round_max = PLAYER_ROUND_MAX_US * (rte_get_tsc_hz() / 1000000);
	for (uint32_t i = 0; i < setup->flows; i++)
		player->flows[i].snd_nxt = i * 2654435761u; /* any will do */
	flow_frames_init(
		&player->frames, &setup->wire->server_mac, setup->timestamps, setup->payload);
	if (setup->work == PLAYER_SOURCE)
		player->frames.mss =
			(uint16_t)(setup->fetch.size + (setup->timestamps ? FLOW_TIMESTAMPS : 0));
	return player;
}

void
player_destroy(struct player *player)
{
	if (player == NULL)
		return;
	player_fetch_destroy(player);
	player_open_loop_destroy(player);
	free(player->flows);
	free(player->unacked);
	free(player);
}

const char *
player_problem(const struct player *player)
{
	return player->problem;
}

const struct player_offered *
player_offered(const struct player *player)
{
	return &player->open.offered;
}

uint64_t
player_bytes(const struct player_setup *setup)
{
	return sizeof(struct player) +
	       RTE_ALIGN_CEIL(setup->flows * sizeof(struct flow), (uint64_t)PLAYER_HUGE_PAGE) +
	       (uint64_t)setup->unacked * sizeof(struct unacked);
}

const struct player_counts *
player_counts(const struct player *player)
{
	return &player->counts;
}
