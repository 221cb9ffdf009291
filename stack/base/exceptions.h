/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_BASE_EXCEPTIONS_H
#define RILL_BASE_EXCEPTIONS_H

/*
 * The near end of the exception path: frames that Rill has no use for and that the kernel may want.
 * The protocols put them here in a turn, whole, link header included; whoever drives the lane takes
 * them out after it (api/exception.h).
 *
 * Bound: EXCEPTIONS_MAX in one turn. A frame that arrives is refused once or shared once, so that a
 * burst finds room.
 */

#include <stdbool.h>

#include <rte_mbuf.h>

#define EXCEPTIONS_MAX 128

struct exceptions {
	unsigned int count;
	struct rte_mbuf *frames[EXCEPTIONS_MAX];
};

/* Takes a frame over. False: there is no room, it is still the caller's. */
static inline bool
exceptions_put(struct exceptions *exceptions, struct rte_mbuf *frame)
{
	if (exceptions->count == EXCEPTIONS_MAX)
		return false;
	exceptions->frames[exceptions->count++] = frame;
	return true;
}

#endif
