/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_BASE_WHEEL_H
#define RILL_BASE_WHEEL_H

/*
 * A hierarchical timer wheel: intrusive, O(1) to arm, move and cancel; empty slots are skipped by
 * bitmap, so that a jump of days costs a few steps.
 *
 * Ticks are 8 µs. A node fires in the first wheel_expire whose now is at or after its deadline,
 * never before it (the deadline is rounded up to a tick). Deadlines further away than WHEEL_SPAN_US
 * are kept at that distance: the node then fires early and its owner arms it again. Order among
 * nodes of one tick is unspecified but deterministic.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "owner.h"
#include "ustime.h"

#define WHEEL_TICK_SHIFT 3 /* 8 µs */
#define WHEEL_LEVELS 5
#define WHEEL_LEVEL_BITS 6 /* 64 slots: one 64-bit bitmap a level */
#define WHEEL_SLOTS (1u << WHEEL_LEVEL_BITS)
#define WHEEL_MOVES_MAX 1024 /* nodes that one wheel_expire moves to a lower level */
/* What the levels reach: 2^30 ticks of 8 µs, about 2.4 hours, less a slot of the top level. */
#define WHEEL_SPAN_US                                                                              \
	((ustime)((1ull << (WHEEL_LEVELS * WHEEL_LEVEL_BITS)) -                                    \
		  (1ull << ((WHEEL_LEVELS - 1) * WHEEL_LEVEL_BITS)))                               \
		<< WHEEL_TICK_SHIFT)

struct wheel_node {
	struct wheel_node *next;   /* in its slot */
	struct wheel_node **pprev; /* what points at it; NULL: not armed */
	uint32_t tick;             /* low 32 bits of the tick at which it fires */
	uint8_t kind;              /* the owner's: what the node is part of */
	uint8_t owner[3];          /* the owner's */
};

struct wheel {
	uint64_t now_tick; /* all ticks before this have been expired */
	uint64_t quiet_before; /* up to this tick no slot has its turn; at most that of the first */
	uint32_t armed;    /* nodes */
	uint32_t draining; /* the level whose slot at now_tick is half moved down; 0: none */
	uint64_t occupied[WHEEL_LEVELS];
	struct wheel_node *slots[WHEEL_LEVELS][WHEEL_SLOTS];
	OWNER_FIELD
};

void wheel_init(struct wheel *wheel, ustime now);

static inline bool
wheel_is_armed(const struct wheel_node *node)
{
	return node->pprev != NULL;
}

/* Arms, or moves an armed node. A deadline that has passed fires in the next wheel_expire. */
void wheel_arm(struct wheel *wheel, struct wheel_node *node, ustime deadline);

/* No-op on a node that is not armed. */
void wheel_cancel(struct wheel *wheel, struct wheel_node *node);

/* The time at which an armed node fires (a multiple of 8 µs). */
ustime wheel_deadline(const struct wheel *wheel, const struct wheel_node *node);

/*
 * Takes up to max nodes that are due at now off the wheel, into out[], earlier ticks first; returns
 * how many. What is left stays due, and wheel_next says so: call again (in the next turn, say). The
 * work is bounded: by max, and by WHEEL_MOVES_MAX nodes moved from level to level, so that a slot
 * of a hundred thousand far deadlines is spread over many calls. A call that met neither bound has
 * left nothing that is due, and the wheel stands at now.
 */
static inline unsigned int wheel_expire(
	struct wheel *wheel, ustime now, struct wheel_node *out[], unsigned int max);

/*
 * A lower bound of the earliest deadline, exact for nodes within the first level's reach;
 * USTIME_NEVER if nothing is armed. Costs a few instructions; who sleeps until then and expires
 * comes to the exact deadline in at most WHEEL_LEVELS steps. The exact earliest node can be had
 * with wheel_first.
 */
ustime wheel_next(const struct wheel *wheel);

/* The node with the earliest deadline, or NULL. Scans one slot's list. */
struct wheel_node *wheel_first(const struct wheel *wheel);

/* For tests: is every armed node linked, and in the slot of its tick? */
bool wheel_check(const struct wheel *wheel);

/* For tests: armed nodes of a kind. */
uint32_t wheel_count(const struct wheel *wheel, uint8_t kind);

/* wheel_expire, where something may be due. */
unsigned int wheel_expire_some(
	struct wheel *wheel, ustime now, struct wheel_node *out[], unsigned int max);

static inline unsigned int
wheel_expire(struct wheel *wheel, ustime now, struct wheel_node *out[], unsigned int max)
{
	uint64_t tick = now >> WHEEL_TICK_SHIFT;

	RILL_OWNED(wheel->owner);
	if (tick >= wheel->quiet_before)
		return wheel_expire_some(wheel, now, out, max);
	if (tick > wheel->now_tick)
		wheel->now_tick = tick;
	return 0;
}

#endif
