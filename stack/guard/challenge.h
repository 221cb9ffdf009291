/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_GUARD_CHALLENGE_H
#define RILL_GUARD_CHALLENGE_H

/*
 * The budget of challenge ACKs of a lane [5961 7]. How many a second allows is drawn at random for
 * each second, so that an attacker who counts his own learns nothing of others' (CVE-2016-5696).
 */

#include <stdbool.h>
#include <stdint.h>

#include "rng.h"
#include "ustime.h"

#define CHALLENGE_PER_S_MIN 500u
#define CHALLENGE_PER_S_MAX 1500u

struct challenge {
	ustime period_end;
	uint32_t left;
	struct rng rng;
};

void challenge_init(struct challenge *challenge, struct siphash_key key, ustime now);

/* May a challenge ACK be sent now? Takes it from the budget. */
bool challenge_allow(struct challenge *challenge, ustime now);

#endif
