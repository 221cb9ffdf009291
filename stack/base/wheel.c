/* SPDX-License-Identifier: BSD-3-Clause */
#include "wheel.h"

#include "check.h"

/*
 * Where a node stands: at the level of the highest 6-bit digit in which its tick differs from
 * now_tick, in the slot of its own digit there. So every slot ahead of now_tick at one level lies
 * before those of the levels above, and moving now_tick up to the next occupied slot changes the
 * place of no node but those in that slot, which then move down. The top level is circular: the
 * span keeps its distances below a full turn.
 *
 * A node at or before now_tick stands in level 0's slot of now_tick. All ticks of armed nodes lie
 * in [now_tick, now_tick + span], hence 32 bits of them are enough.
 */

#define SLOT_MASK (WHEEL_SLOTS - 1)
#define SPAN_TICKS (WHEEL_SPAN_US >> WHEEL_TICK_SHIFT)

_Static_assert(WHEEL_SLOTS == 64, "a level's bitmap is one word");
_Static_assert(SPAN_TICKS < 1u << 31, "ticks are compared modulo 2^32");

/* A slot, counted over all levels. */
static inline uint32_t
slot_of(uint64_t now_tick, uint64_t tick)
{
	uint64_t differs = (now_tick ^ tick) | 1;
	uint32_t level = (63 - (uint32_t)__builtin_clzll(differs)) / WHEEL_LEVEL_BITS;

	if (level >= WHEEL_LEVELS)
		level = WHEEL_LEVELS - 1;
	return level << WHEEL_LEVEL_BITS | (tick >> (level * WHEEL_LEVEL_BITS) & SLOT_MASK);
}

static inline uint64_t
node_tick(const struct wheel *wheel, const struct wheel_node *node)
{
	return wheel->now_tick + (uint32_t)(node->tick - (uint32_t)wheel->now_tick);
}

static inline uint64_t
deadline_tick(const struct wheel *wheel, ustime deadline)
{
	uint64_t up = deadline % (1u << WHEEL_TICK_SHIFT) != 0;
	uint64_t tick = (deadline >> WHEEL_TICK_SHIFT) + up;

	if (tick < wheel->now_tick)
		return wheel->now_tick;
	return tick - wheel->now_tick > SPAN_TICKS ? wheel->now_tick + SPAN_TICKS : tick;
}

static inline void
node_link(struct wheel *wheel, struct wheel_node *node, uint32_t slot)
{
	struct wheel_node **head = &wheel->slots[0][0] + slot;

	node->next = *head;
	node->pprev = head;
	if (*head != NULL)
		(*head)->pprev = &node->next;
	*head = node;
	wheel->occupied[slot >> WHEEL_LEVEL_BITS] |= 1ull << (slot & SLOT_MASK);
}

/* A slot has its turn with the first tick that it stands for. */
static inline void
slot_limits_quiet(struct wheel *wheel, uint32_t slot, uint64_t tick)
{
	uint32_t shift = (slot >> WHEEL_LEVEL_BITS) * WHEEL_LEVEL_BITS;
	uint64_t first = tick >> shift << shift;

	if (first < wheel->quiet_before)
		wheel->quiet_before = first;
}

static inline void
node_unlink(struct wheel *wheel, struct wheel_node *node)
{
	struct wheel_node **first = &wheel->slots[0][0];
	uintptr_t at = (uintptr_t)node->pprev - (uintptr_t)first;

	*node->pprev = node->next;
	if (node->next != NULL)
		node->next->pprev = node->pprev;
	else if (at < sizeof(wheel->slots)) { /* it was alone in its slot */
		uint32_t slot = (uint32_t)(at / sizeof(*first));

		wheel->occupied[slot >> WHEEL_LEVEL_BITS] &= ~(1ull << (slot & SLOT_MASK));
	}
	node->pprev = NULL;
}

void
wheel_init(struct wheel *wheel, ustime now)
{
	*wheel = (struct wheel){
		.now_tick = now >> WHEEL_TICK_SHIFT, .quiet_before = now >> WHEEL_TICK_SHIFT};
	OWNER_NOTE(wheel);
}

void
wheel_arm(struct wheel *wheel, struct wheel_node *node, ustime deadline)
{
	uint64_t tick = deadline_tick(wheel, deadline);
	uint32_t slot = slot_of(wheel->now_tick, tick);

	RILL_OWNED(wheel->owner);
	if (wheel_is_armed(node)) {
		/*
		 * A timer that is pushed back a little with every packet mostly stays in its slot:
		 * nothing but the node is touched then. In a slot that is half moved down the node
		 * may stand higher than slot_of says, but never higher than that slot reaches.
		 */
		bool stays = slot_of(wheel->now_tick, node_tick(wheel, node)) == slot;

		node->tick = (uint32_t)tick;
		if (stays)
			return;
		node_unlink(wheel, node);
	} else {
		node->tick = (uint32_t)tick;
		wheel->armed++;
	}
	node_link(wheel, node, slot);
	slot_limits_quiet(wheel, slot, tick);
}

void
wheel_cancel(struct wheel *wheel, struct wheel_node *node)
{
	RILL_OWNED(wheel->owner);
	if (!wheel_is_armed(node))
		return;
	RILL_DCHECK(wheel->armed > 0);
	node_unlink(wheel, node);
	wheel->armed--;
}

ustime
wheel_deadline(const struct wheel *wheel, const struct wheel_node *node)
{
	RILL_OWNED(wheel->owner);
	RILL_DCHECK(wheel_is_armed(node));
	return node_tick(wheel, node) << WHEEL_TICK_SHIFT;
}

/* The earliest occupied slot: its level, its slot there, and the first tick that it stands for. */
struct place {
	uint32_t level;
	uint32_t slot;
	uint64_t tick;
};

static inline struct place
place_at(const struct wheel *wheel, uint32_t level)
{
	uint32_t shift = level * WHEEL_LEVEL_BITS;
	uint64_t now_slot = wheel->now_tick >> shift;
	uint32_t turn = now_slot & SLOT_MASK;
	uint64_t ahead = wheel->occupied[level];
	uint32_t distance;

	ahead = ahead >> turn | ahead << (-turn & SLOT_MASK);
	distance = (uint32_t)__builtin_ctzll(ahead);
	return (struct place){
		.level = level,
		.slot = (turn + distance) & SLOT_MASK,
		.tick = distance == 0 ? wheel->now_tick : (now_slot + distance) << shift,
	};
}

/* False: nothing is armed. */
static inline bool
place_first(const struct wheel *wheel, struct place *place)
{
	uint32_t level = wheel->draining;
	uint64_t turn = wheel->now_tick >> (level * WHEEL_LEVEL_BITS) & SLOT_MASK;

	if (wheel->armed == 0)
		return false;
	if ((wheel->occupied[level] >> turn & 1) == 0) /* not draining, or the rest is cancelled */
		level = 0;
	while (wheel->occupied[level] == 0)
		level++;
	*place = place_at(wheel, level);
	return true;
}

/* Moves up to *moves nodes of a slot that now_tick has come to. False: some are left. */
static bool
wheel_drain(struct wheel *wheel, const struct place *place, uint32_t *moves)
{
	struct wheel_node **head = &wheel->slots[place->level][place->slot];

	while (*head != NULL) {
		struct wheel_node *node = *head;

		if (*moves == 0)
			return false;
		--*moves;
		if (node->next != NULL)
			__builtin_prefetch(node->next->next);
		node_unlink(wheel, node);
		node_link(wheel, node, slot_of(wheel->now_tick, node_tick(wheel, node)));
	}
	return true;
}

static unsigned int
wheel_take(struct wheel *wheel, uint32_t slot, struct wheel_node *out[], unsigned int max)
{
	struct wheel_node **head = &wheel->slots[0][slot], *node = *head;
	unsigned int n = 0;

	for (; n < max && node != NULL; node = node->next) {
		node->pprev = NULL;
		out[n++] = node;
	}
	*head = node;
	if (node != NULL)
		node->pprev = head;
	else
		wheel->occupied[0] &= ~(1ull << slot);
	wheel->armed -= n;
	return n;
}

unsigned int
wheel_expire_some(struct wheel *wheel, ustime now, struct wheel_node *out[], unsigned int max)
{
	uint64_t target = now >> WHEEL_TICK_SHIFT;
	uint32_t moves = WHEEL_MOVES_MAX;
	unsigned int n = 0;

	RILL_OWNED(wheel->owner);
	if (target < wheel->now_tick)
		target = wheel->now_tick;
	while (n < max) {
		struct place place = {.tick = UINT64_MAX};

		if (!place_first(wheel, &place) || place.tick > target) {
			wheel->now_tick = target;
			wheel->quiet_before = place.tick;
			wheel->draining = 0;
			break;
		}
		wheel->now_tick = place.tick;
		if (place.level == 0) {
			n += wheel_take(wheel, place.slot, out + n, max - n);
			continue;
		}
		wheel->draining = place.level;
		if (!wheel_drain(wheel, &place, &moves))
			break;
		wheel->draining = 0;
	}
	return n;
}

ustime
wheel_next(const struct wheel *wheel)
{
	struct place place;

	return place_first(wheel, &place) ? place.tick << WHEEL_TICK_SHIFT : USTIME_NEVER;
}

static struct wheel_node *
slot_first(const struct wheel *wheel, const struct place *place)
{
	struct wheel_node *first = wheel->slots[place->level][place->slot];

	for (struct wheel_node *node = first; node != NULL; node = node->next)
		if (node_tick(wheel, node) < node_tick(wheel, first))
			first = node;
	return first;
}

struct wheel_node *
wheel_first(const struct wheel *wheel)
{
	struct wheel_node *first = NULL;

	RILL_OWNED(wheel->owner);
	/* While a slot is half moved down, the earliest is there or below. */
	for (uint32_t level = 0; level < WHEEL_LEVELS; level++) {
		struct wheel_node *node;
		struct place place;

		if (wheel->occupied[level] == 0)
			continue;
		place = place_at(wheel, level);
		node = slot_first(wheel, &place);
		if (first == NULL || node_tick(wheel, node) < node_tick(wheel, first))
			first = node;
		if (level >= wheel->draining)
			break;
	}
	return first;
}

/* A node may stand higher than its tick says only in the slot that is half moved down. */
static bool
slot_check(const struct wheel *wheel, uint32_t slot, uint32_t *count)
{
	struct wheel_node *const *at = &wheel->slots[0][0] + slot;
	uint32_t level = slot >> WHEEL_LEVEL_BITS;
	uint64_t occupied = wheel->occupied[level] >> (slot & SLOT_MASK) & 1;

	if (occupied != (*at != NULL))
		return false;
	for (; *at != NULL; at = &(*at)->next, ++*count) {
		uint64_t tick = node_tick(wheel, *at);

		if ((*at)->pprev != at || tick - wheel->now_tick > SPAN_TICKS)
			return false;
		if (slot_of(wheel->now_tick, tick) != slot && level != wheel->draining)
			return false;
	}
	return true;
}

bool
wheel_check(const struct wheel *wheel)
{
	uint32_t count = 0;

	for (uint32_t slot = 0; slot < WHEEL_LEVELS * WHEEL_SLOTS; slot++)
		if (!slot_check(wheel, slot, &count))
			return false;
	return count == wheel->armed;
}

uint32_t
wheel_count(const struct wheel *wheel, uint8_t kind)
{
	uint32_t count = 0;

	for (uint32_t slot = 0; slot < WHEEL_LEVELS * WHEEL_SLOTS; slot++)
		for (const struct wheel_node *node = (&wheel->slots[0][0])[slot]; node != NULL;
			node = node->next)
			count += node->kind == kind;
	return count;
}
