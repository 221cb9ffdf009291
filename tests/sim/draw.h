/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_DRAW_H
#define SIM_DRAW_H

/*
 * What the world of a seed is like: how many hosts and lanes, their links and NICs, and which
 * faults. Each run switches about half of the kinds of faults off altogether: what always happens
 * hides what only happens without it.
 */

#include "world.h"

void draw_world(struct world *world, uint64_t seed);

#endif
