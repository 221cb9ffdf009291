/* SPDX-License-Identifier: BSD-3-Clause */
#include "fsm.h"

struct row {
	uint8_t used;
	uint8_t next;
	const char *clause;
};

static const struct row rows[RILL_STATE_COUNT][FSM_EVENT_COUNT] = {
#define FSM(state, event, next, clause) [RILL_##state][FSM_##event] = {1, RILL_##next, clause},
#include "fsm.def"
#undef FSM
};

enum rill_state
fsm_next(enum rill_state state, enum fsm_event event)
{
	const struct row *row = &rows[state][event];

	return row->used ? (enum rill_state)row->next : RILL_STATE_COUNT;
}

const char *
fsm_clause(enum rill_state state, enum fsm_event event)
{
	return rows[state][event].clause;
}

const char *
fsm_event_name(enum fsm_event event)
{
	static const char *const names[] = {"open", "accept", "SYN", "SYN,ACK", "ACK of SYN", "FIN",
		"ACK of FIN", "close", "end"};

	return event < FSM_EVENT_COUNT ? names[event] : NULL;
}
