/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_MAIL_H
#define SIM_MAIL_H

/*
 * Letters to lanes (rill_lane_post): from outside at seeded times, and from lane to lane, passed on
 * a few times. Each must be opened on the lane that it was sent to, in a turn, once, and in the
 * order in which that lane's letters were posted.
 */

#include "world.h"

/* Draws the letters of a world's seed. */
void mail_start(struct world *world);

/* Were all opened? */
bool mail_is_over(void);

#endif
