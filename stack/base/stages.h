/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_BASE_STAGES_H
#define RILL_BASE_STAGES_H

/*
 * Where a turn's time goes, in a build with -Dprofile=true; in any other, nothing of this is compiled.
 *
 * A stage ends where the next begins. The clock is the caller's, who sets it, and makes all zero before
 * a turn (stages_begin): the layers that are measured read none by themselves. Without a clock nothing
 * is measured.
 */

#include <stdint.h>
#include <string.h>

enum stage {
	STAGE_RX,       /* the port's burst, by whoever drives the lane */
	STAGE_TIMERS,   /* what was due before the burst, and after it */
	STAGE_CLASSIFY, /* link, IP, the segment's header; and who it is for is asked */
	STAGE_LOOKUP,
	STAGE_SEGMENTS, /* input, callbacks included */
	STAGE_MAIL,
	STAGE_SPEAK,
	STAGE_REAP,
	STAGE_TX, /* the port's, by whoever drives the lane */
	STAGE_COUNT,
};

struct stages {
	uint64_t (*clock)(void);
	uint64_t at; /* when the last stage ended */
	uint64_t cycles[STAGE_COUNT];
};

#ifdef RILL_PROFILE

#define STAGES_MEASURED STAGE_COUNT
#define STAGES_ROOM STAGE_COUNT

static inline void
stages_begin(struct stages *stages)
{
	memset(stages->cycles, 0, sizeof(stages->cycles));
	stages->at = stages->clock();
}

static inline void
stage_ends_now(struct stages *stages, enum stage stage)
{
	uint64_t now;

	if (stages->clock == NULL)
		return;
	now = stages->clock();
	stages->cycles[stage] += now - stages->at;
	stages->at = now;
}

/* lane: what has a member `stages`, which only a build with profile has. */
#define STAGE_ENDS(lane, stage) stage_ends_now(&(lane)->stages, stage)

#else

#define STAGES_MEASURED 0
#define STAGES_ROOM 1 /* an array has one element at least */
#define STAGE_ENDS(lane, stage)                                                                    \
	do {                                                                                       \
	} while (0)

#endif

#endif
