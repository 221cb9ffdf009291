/* SPDX-License-Identifier: BSD-3-Clause */
#include "owner.h"

#ifdef RILL_DEBUG

static _Thread_local struct owner *here; /* its address tells threads apart */

struct owner *
owner_here(void)
{
	return here;
}

struct owner *
owner_enter(struct owner *owner)
{
	struct owner *before = here;
	const void *other = NULL;

	if (!__atomic_compare_exchange_n(&owner->thread, &other, &here, false, __ATOMIC_ACQUIRE,
		    __ATOMIC_RELAXED))
		RILL_ASSERT(other == &here); /* another thread works for this lane */
	owner->depth++;
	here = owner;
	return before;
}

void
owner_leave(struct owner *owner, struct owner *before)
{
	RILL_ASSERT(here == owner && owner->depth > 0);
	here = before;
	if (--owner->depth == 0)
		__atomic_store_n(&owner->thread, NULL, __ATOMIC_RELEASE);
}

bool
owner_may_touch(const struct owner *owner)
{
	const void *thread;

	if (owner == NULL || here != NULL)
		return owner == NULL || here == owner;
	thread = __atomic_load_n(&owner->thread, __ATOMIC_ACQUIRE);
	return thread == NULL || thread == &here;
}

#endif
