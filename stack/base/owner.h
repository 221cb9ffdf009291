/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_BASE_OWNER_H
#define RILL_BASE_OWNER_H

/*
 * Shared nothing, checked. Each lane is an owner. In debug builds its slabs, with all that lies in
 * them, its wheel and its mempools know whose they are, and assert whenever they are used that the
 * calling thread may:
 *
 * - a thread that works for a lane (that is in its turn, or runs its loop) may touch what is that
 *   lane's, and nothing of another one's, be it on the same thread;
 * - any other thread may touch a lane that no thread works for: to make it, to end it, or as an
 *   embedder between two turns.
 *
 * What was made outside all lanes is nobody's, and everybody's. In release builds all of this is
 * nothing.
 */

#include <stdbool.h>
#include <stddef.h>

#include "check.h"

struct owner {
	const void *thread; /* what works for it now; NULL: none does */
	unsigned int depth; /* turns, and loops around them */
};

#ifdef RILL_DEBUG

/*
 * The calling thread works for this owner, within or instead of whom it works for already, until
 * owner_leave. No other thread may work for it. Returns who was before, for owner_leave.
 */
struct owner *owner_enter(struct owner *owner);
void owner_leave(struct owner *owner, struct owner *before);

/* Whom the calling thread works for, to be noted in what it makes; NULL: nobody. */
struct owner *owner_here(void);

/* NULL is nobody's. */
bool owner_may_touch(const struct owner *owner);

#define OWNER_FIELD struct owner *owner;
#define OWNER_NOTE(object) ((object)->owner = owner_here())
#define RILL_OWNED(of) RILL_ASSERT(owner_may_touch(of))

#else

static inline struct owner *
owner_enter(struct owner *owner)
{
	return NULL;
}

static inline void
owner_leave(struct owner *owner, struct owner *before)
{
}

#define OWNER_FIELD
#define OWNER_NOTE(object) ((void)0)
#define RILL_OWNED(of) ((void)0)

#endif

#endif
