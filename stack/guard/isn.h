/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_GUARD_ISN_H
#define RILL_GUARD_ISN_H

/* Initial sequence numbers and timestamp offsets that outsiders cannot guess [6528, 7323 7.1]. */

#include <stdint.h>

#include "seq.h"
#include "siphash.h"
#include "tuple.h"
#include "ustime.h"

/* M + F(tuple, secret): M ticks every 4 µs [6528 3]. */
seq_t isn_choose(const struct siphash_key *key, const struct tuple *tuple, ustime now);

/*
 * Added to the lane's milliseconds, gives TSval: the same for every incarnation of a tuple, so that
 * TSval never goes back from one to the next [6191 3].
 */
uint32_t ts_offset(const struct siphash_key *key, const struct tuple *tuple);

/* Both under one key, of one hash. */
struct isn {
	seq_t iss;
	uint32_t ts_offset;
};

struct isn isn_draw(const struct siphash_key *key, const struct tuple *tuple, ustime now);

#endif
