/* SPDX-License-Identifier: BSD-3-Clause */
#include "challenge.h"

static void
challenge_refill(struct challenge *challenge, ustime now)
{
	challenge->period_end = now + USEC_PER_SEC;
	challenge->left = CHALLENGE_PER_S_MIN +
		rng_below(&challenge->rng, CHALLENGE_PER_S_MAX - CHALLENGE_PER_S_MIN + 1);
}

void
challenge_init(struct challenge *challenge, struct siphash_key key, ustime now)
{
	rng_init(&challenge->rng, key);
	challenge_refill(challenge, now);
}

bool
challenge_allow(struct challenge *challenge, ustime now)
{
	if (now >= challenge->period_end)
		challenge_refill(challenge, now);
	if (challenge->left == 0)
		return false;
	challenge->left--;
	return true;
}
