/* SPDX-License-Identifier: BSD-3-Clause */
/* Changes inputs of the frame path without tearing their steps apart: most of the time a whole step is
 * doubled, dropped, moved or put in, or one byte of one changes; libFuzzer's own changes do the rest. */
#include <string.h>

#include "fuzz.h"
#include "say.h"

static uint32_t
draw(uint32_t *state, uint32_t below)
{
	*state = *state * 1664525u + 1013904223u;
	return (uint32_t)((uint64_t)(*state >> 8) * below >> 24);
}

/* A step that does something sensible; ip6: its kind may be one of IPv6's. */
static void
fresh_step(uint8_t *at, bool ip6, uint32_t *state)
{
	static const uint8_t flags[8] = {0x10, 0x10, 0x10, 0x18, 0x11, 0x14, 0x04, 0x02};

	memset(at, 0, STEP_LEN);
	at[0] = (uint8_t)(ip6 && draw(state, 2) ? 16 + draw(state, 6) : draw(state, 16));
	at[1] = (uint8_t)(draw(state, FLOWS) | (draw(state, 4) == 0 ? STEP_SAME_BURST : 0));
	at[2] = at[0] < 8 ? flags[draw(state, 8)] : (uint8_t)draw(state, 256);
	for (unsigned int i = 3; i < STEP_LEN; i++)
		if (draw(state, 3) == 0)
			at[i] = draw(state, 2) ? (uint8_t)draw(state, 256) : (uint8_t)draw(state, 4);
}

static size_t
insert_step(uint8_t *data, size_t size, size_t size_max, size_t at, size_t from, uint32_t *state)
{
	bool ip6 = data[0] & (WORLD_IP6 | WORLD_IP6_ASKS);
	uint8_t step[STEP_LEN];

	if (size + STEP_LEN > size_max)
		return size;
	if (from < size)
		memcpy(step, data + from, STEP_LEN);
	else
		fresh_step(step, ip6, state);
	memmove(data + at + STEP_LEN, data + at, size - at);
	memcpy(data + at, step, STEP_LEN);
	return size + STEP_LEN;
}

size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned int seed)
{
	uint32_t state = seed;
	size_t steps, at, from;

	size -= size % STEP_LEN;
	if (size == 0) {
		if (size_max < STEP_LEN)
			return 0;
		memset(data, 0, STEP_LEN);
		size = STEP_LEN;
	}
	steps = size / STEP_LEN;
	at = draw(&state, (uint32_t)steps) * STEP_LEN;
	from = draw(&state, (uint32_t)steps) * STEP_LEN;
	switch (draw(&state, 8)) {
	case 0:
	case 1:
		return insert_step(data, size, size_max, at + STEP_LEN, SIZE_MAX, &state);
	case 2: /* not the head */
		return insert_step(data, size, size_max, at + STEP_LEN, from > 0 ? from : SIZE_MAX, &state);
	case 3:
		if (at == 0)
			break;
		memmove(data + at, data + at + STEP_LEN, size - at - STEP_LEN);
		return size - STEP_LEN;
	case 4:
		if (at == 0)
			break;
		fresh_step(data + at, data[0] & (WORLD_IP6 | WORLD_IP6_ASKS), &state);
		return size;
	case 5: /* within one step */
	case 6:
		LLVMFuzzerMutate(data + at, STEP_LEN, STEP_LEN);
		return size;
	default:
		break;
	}
	data[at + draw(&state, STEP_LEN)] ^= (uint8_t)(1u << draw(&state, 8));
	return size;
}

/* The beginning of one and the end of the other. */
size_t
LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out,
	size_t out_max, unsigned int seed)
{
	uint32_t state = seed;
	size_t head = draw(&state, (uint32_t)(a_size / STEP_LEN + 1)) * STEP_LEN;
	size_t from = draw(&state, (uint32_t)(b_size / STEP_LEN + 1)) * STEP_LEN, tail = b_size - from;

	head = head > out_max ? 0 : head;
	tail = tail > out_max - head ? out_max - head : tail;
	memcpy(out, a, head);
	memcpy(out + head, b + from, tail);
	return head + tail;
}
