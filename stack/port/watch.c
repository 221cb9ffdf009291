/* SPDX-License-Identifier: BSD-3-Clause */
#include "watch.h"

#include <rte_common.h>

static void
begin_silence(struct watch *watch, uint64_t lost, ustime now)
{
	watch->silent_since = now;
	watch->lost = lost;
	watch->asked = watch->alone = false;
}

void
watch_begin(struct watch *watch, uint64_t heard, uint64_t lost, ustime now)
{
	*watch = (struct watch){
		.heard = heard, .lost_heard = lost, .patience_us = WATCH_SILENCE_US};
	begin_silence(watch, lost, now);
}

static void
hear(struct watch *watch, uint64_t heard, uint64_t lost)
{
	bool only_answers = watch->asked && heard - watch->heard <= WATCH_ANSWERS_MAX;

	watch->patience_us = only_answers ? RTE_MIN(2 * watch->patience_us, (ustime)WATCH_PATIENCE_MAX_US)
					  : WATCH_SILENCE_US;
	watch->heard = heard;
	watch->lost_heard = lost;
	watch->restarts = 0;
}

static bool
is_deaf(const struct watch *watch, uint64_t lost, ustime silence)
{
	return lost != watch->lost || watch->restarts > 0 ||
		(watch->alone && lost != watch->lost_heard && silence >= WATCH_ALONE_US);
}

/* Has the last restart been given the time that it may need? */
static bool
may_restart(const struct watch *watch, ustime now)
{
	ustime pause = WATCH_RESTART_US;

	for (unsigned int i = 1; i < watch->restarts && pause < WATCH_RESTART_MAX_US; i++)
		pause *= 2;
	return !watch->restarted || now - watch->restarted_at >= pause;
}

enum watch_verdict
watch_look(struct watch *watch, bool link_up, uint64_t heard, uint64_t lost, ustime now)
{
	if (heard != watch->heard || !link_up) {
		if (heard != watch->heard)
			hear(watch, heard, lost);
		begin_silence(watch, lost, now);
		return WATCH_FINE;
	}
	if (now - watch->silent_since < WATCH_SILENCE_US)
		return WATCH_FINE;
	if (is_deaf(watch, lost, now - watch->silent_since))
		return may_restart(watch, now) ? WATCH_RESTART : WATCH_FINE;
	if (now - watch->silent_since < watch->patience_us)
		return WATCH_FINE;
	return WATCH_ASK;
}

void
watch_asked(struct watch *watch, bool known)
{
	watch->asked |= known;
	watch->alone = !known;
}

void
watch_restarted(struct watch *watch, bool deaf, ustime now)
{
	watch->silent_since = now;
	watch->restarted = true;
	watch->restarted_at = now;
	watch->restarts += deaf;
}
