/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_GUARD_CHALLENGE_H
#define RILL_GUARD_CHALLENGE_H

/*
 * Budgets of challenge ACKs [5961 7].
 *
 * A connection has one of its own, so many in about a second, and no other: what others provoke,
 * nobody can tell from the challenges that his own connection gets (CVE-2016-5696).
 *
 * What has no connection (half-open, TIME-WAIT) shares a lane's. How many a second allows is drawn at
 * random for each second, so that an attacker who counts his own learns nothing of others'.
 */

#include <stdbool.h>
#include <stdint.h>

#include "rng.h"
#include "ustime.h"

#define CHALLENGE_PER_S_MIN 500u
#define CHALLENGE_PER_S_MAX 1500u

#define CHALLENGE_SLOT_SHIFT 20 /* a connection's budget is for 2^20 us */
#define CHALLENGE_COUNT_BITS 4
#define CHALLENGE_SPENT_BITS (CHALLENGE_COUNT_BITS + 2)
#define CHALLENGE_COUNT_MAX ((1u << CHALLENGE_COUNT_BITS) - 1)

struct challenge {
	ustime period_end;
	uint32_t left;
	struct rng rng;
};

void challenge_init(struct challenge *challenge, struct siphash_key key, ustime now);

/* May a challenge ACK be sent now? Takes it from the budget. */
bool challenge_allow(struct challenge *challenge, ustime now);

/*
 * The same of a connection's budget, limit <= CHALLENGE_COUNT_MAX. *spent holds its
 * CHALLENGE_SPENT_BITS, zero at first: how many were sent, and above them the slot's number modulo 4.
 * What was spent in the slot just four before this one may so count once more.
 */
static inline bool
challenge_allow_conn(uint8_t *spent, unsigned int limit, ustime now)
{
	uint8_t slot = (uint8_t)((now >> CHALLENGE_SLOT_SHIFT & 3) << CHALLENGE_COUNT_BITS);

	if ((*spent & ~CHALLENGE_COUNT_MAX) != slot)
		*spent = slot;
	if ((*spent & CHALLENGE_COUNT_MAX) >= limit)
		return false;
	(*spent)++;
	return true;
}

#endif
