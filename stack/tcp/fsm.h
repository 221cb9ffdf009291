/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TCP_FSM_H
#define RILL_TCP_FSM_H

/* The state machine [9293 3.3.2, figure 5]: one table, fsm.def. */

#include <rill/conn.h>

enum fsm_event {
	FSM_OPEN,    /* active open: our SYN goes out */
	FSM_ACCEPT,  /* a half-open passive connection becomes one with a handle */
	FSM_RCV_SYN, /* SYN without ACK in SYN-SENT: simultaneous open */
	FSM_RCV_SYN_ACK,
	FSM_RCV_ACK_OF_SYN,
	FSM_RCV_FIN, /* the peer's FIN, all data before it received */
	FSM_RCV_ACK_OF_FIN,
	FSM_CLOSE, /* the application finished sending */
	FSM_END,   /* RST, abort, timeout, refusal */
	FSM_EVENT_COUNT
};

/* The next state, or RILL_STATE_COUNT where the table has no row. */
enum rill_state fsm_next(enum rill_state state, enum fsm_event event);

/* Does the table have a row? */
static inline bool
fsm_allows(enum rill_state state, enum fsm_event event)
{
	return fsm_next(state, event) != RILL_STATE_COUNT;
}

/* The RFC's clause for the row, or NULL. */
const char *fsm_clause(enum rill_state state, enum fsm_event event);

const char *fsm_event_name(enum fsm_event event);

#endif
