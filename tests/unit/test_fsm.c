/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of transitions against RFC 9293, figure 5, in both directions: each arrow of the figure is a
 * row or is lived by another object, which is named; each row is an arrow of the figure or one of the
 * additions listed here with its reason. Nothing else happens.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fsm.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What the figure writes beside its arrows. */
enum happening {
	ACTIVE_OPEN,
	PASSIVE_OPEN,
	SEND,
	CLOSE,
	RCV_SYN,
	RCV_SYN_ACK,
	RCV_ACK_OF_SYN,
	RCV_FIN,
	RCV_ACK_OF_FIN,
	RCV_RST,
	TIMEOUT_2MSL,
};

#define NO_ROW FSM_EVENT_COUNT

/* The figure, arrow by arrow from its top, and where Rill has it: the event of the row, or who lives
 * the arrow instead of a connection with a handle. */
static const struct arrow {
	enum rill_state from;
	enum happening happening;
	enum rill_state to;
	enum fsm_event event;
	const char *otherwise;
} figure5[] = {
	{RILL_CLOSED, PASSIVE_OPEN, RILL_LISTEN, NO_ROW, "a listener is made"},
	{RILL_LISTEN, CLOSE, RILL_CLOSED, NO_ROW, "a listener ends"},
	{RILL_CLOSED, ACTIVE_OPEN, RILL_SYN_SENT, FSM_OPEN, NULL},
	{RILL_SYN_SENT, CLOSE, RILL_CLOSED, FSM_END, NULL},
	{RILL_LISTEN, RCV_SYN, RILL_SYN_RECEIVED, NO_ROW, "a half-open object is made"},
	{RILL_LISTEN, SEND, RILL_SYN_SENT, NO_ROW, "a listener cannot send: the API has no such call"},
	{RILL_SYN_RECEIVED, RCV_RST, RILL_LISTEN, NO_ROW, "a half-open object is dropped (note 1)"},
	{RILL_SYN_SENT, RCV_SYN, RILL_SYN_RECEIVED, FSM_RCV_SYN, NULL},
	{RILL_SYN_SENT, RCV_SYN_ACK, RILL_ESTABLISHED, FSM_RCV_SYN_ACK, NULL},
	{RILL_SYN_RECEIVED, RCV_ACK_OF_SYN, RILL_ESTABLISHED, FSM_RCV_ACK_OF_SYN, NULL},
	{RILL_SYN_RECEIVED, CLOSE, RILL_FIN_WAIT_1, FSM_CLOSE, NULL},
	{RILL_ESTABLISHED, CLOSE, RILL_FIN_WAIT_1, FSM_CLOSE, NULL},
	{RILL_ESTABLISHED, RCV_FIN, RILL_CLOSE_WAIT, FSM_RCV_FIN, NULL},
	{RILL_FIN_WAIT_1, RCV_FIN, RILL_CLOSING, FSM_RCV_FIN, NULL},
	{RILL_FIN_WAIT_1, RCV_ACK_OF_FIN, RILL_FIN_WAIT_2, FSM_RCV_ACK_OF_FIN, NULL},
	{RILL_CLOSE_WAIT, CLOSE, RILL_LAST_ACK, FSM_CLOSE, NULL},
	{RILL_FIN_WAIT_2, RCV_FIN, RILL_TIME_WAIT, FSM_RCV_FIN, NULL},
	{RILL_CLOSING, RCV_ACK_OF_FIN, RILL_TIME_WAIT, FSM_RCV_ACK_OF_FIN, NULL},
	{RILL_LAST_ACK, RCV_ACK_OF_FIN, RILL_CLOSED, FSM_RCV_ACK_OF_FIN, NULL},
	{RILL_TIME_WAIT, TIMEOUT_2MSL, RILL_CLOSED, FSM_END, NULL},
};

/* What the figure leaves out, and Rill has. Its note 2 needs no row: a FIN that also acknowledges ours
 * takes two rows, by way of FIN-WAIT-2 [9293 3.10.7.4]. */
static const struct addition {
	enum rill_state from;
	enum fsm_event event;
	enum rill_state to;
	const char *why;
} additions[] = {
	{RILL_CLOSED, FSM_ACCEPT, RILL_SYN_RECEIVED,
		"a half-open object becomes a connection, on its way to ESTABLISHED"},
	{RILL_SYN_RECEIVED, FSM_END, RILL_CLOSED, "RST after an active open, abort, timeout (note 3)"},
	{RILL_ESTABLISHED, FSM_END, RILL_CLOSED, "RST, abort, timeout (note 3)"},
	{RILL_FIN_WAIT_1, FSM_END, RILL_CLOSED, "RST, abort, timeout (note 3)"},
	{RILL_FIN_WAIT_2, FSM_END, RILL_CLOSED, "RST, abort, the silent peer's timeout (note 3)"},
	{RILL_CLOSE_WAIT, FSM_END, RILL_CLOSED, "RST, abort, timeout (note 3)"},
	{RILL_CLOSING, FSM_END, RILL_CLOSED, "RST, timeout (note 3)"},
	{RILL_LAST_ACK, FSM_END, RILL_CLOSED, "RST, timeout (note 3)"},
};

static enum rill_state
listed(enum rill_state from, enum fsm_event event)
{
	for (size_t i = 0; i < COUNT(figure5); i++)
		if (figure5[i].event != NO_ROW && figure5[i].from == from && figure5[i].event == event)
			return figure5[i].to;
	for (size_t i = 0; i < COUNT(additions); i++)
		if (additions[i].from == from && additions[i].event == event)
			return additions[i].to;
	return RILL_STATE_COUNT;
}

/* [9293 3.3.2, figure 5]: figure to table. */
static void
test_each_arrow_of_the_figure_is_a_row(void **state)
{
	for (size_t i = 0; i < COUNT(figure5); i++) {
		const struct arrow *arrow = &figure5[i];

		assert_true((arrow->event == NO_ROW) == (arrow->otherwise != NULL));
		if (arrow->event != NO_ROW)
			assert_int_equal(fsm_next(arrow->from, arrow->event), arrow->to);
		/* The others begin or end in LISTEN, a state that no connection has. */
		else
			assert_true(arrow->from == RILL_LISTEN || arrow->to == RILL_LISTEN);
	}
}

/* Table to figure, over every state and event; rows are counted where they stand. */
static void
test_each_row_is_an_arrow_or_an_addition(void **state)
{
	size_t rows = 0, in_figure = 0;

	for (int from = 0; from < RILL_STATE_COUNT; from++) {
		for (int event = 0; event < FSM_EVENT_COUNT; event++) {
			enum rill_state to = listed((enum rill_state)from, (enum fsm_event)event);

			assert_int_equal(fsm_next((enum rill_state)from, (enum fsm_event)event), to);
			assert_int_equal(fsm_allows((enum rill_state)from, (enum fsm_event)event),
				to != RILL_STATE_COUNT);
		}
	}
#define FSM(state, event, next, clause) rows++;
#include "fsm.def"
#undef FSM
	for (size_t i = 0; i < COUNT(figure5); i++)
		in_figure += figure5[i].event != NO_ROW;
	assert_int_equal(rows, in_figure + COUNT(additions));
}

/* No addition repeats the figure or has no reason; LISTEN is no state of a connection. */
static void
test_additions_are_none_of_the_figure(void **state)
{
	for (size_t a = 0; a < COUNT(additions); a++) {
		assert_true(strlen(additions[a].why) > 0);
		for (size_t i = 0; i < COUNT(figure5); i++)
			assert_false(figure5[i].from == additions[a].from &&
				     figure5[i].event == additions[a].event);
	}
	for (int event = 0; event < FSM_EVENT_COUNT; event++)
		assert_false(fsm_allows(RILL_LISTEN, (enum fsm_event)event));
}

static void
test_every_row_names_its_clause(void **state)
{
	for (int from = 0; from < RILL_STATE_COUNT; from++) {
		for (int event = 0; event < FSM_EVENT_COUNT; event++) {
			const char *clause = fsm_clause((enum rill_state)from, (enum fsm_event)event);

			if (fsm_allows((enum rill_state)from, (enum fsm_event)event))
				assert_int_equal(strncmp(clause, "3.10.", 5), 0);
			else
				assert_null(clause);
			assert_non_null(fsm_event_name((enum fsm_event)event));
		}
	}
	assert_null(fsm_event_name(FSM_EVENT_COUNT));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_arrow_of_the_figure_is_a_row),
		cmocka_unit_test(test_each_row_is_an_arrow_or_an_addition),
		cmocka_unit_test(test_additions_are_none_of_the_figure),
		cmocka_unit_test(test_every_row_names_its_clause),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
