/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of transitions is that of RFC 9293, figure 5, and nothing else happens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fsm.h"

/* Figure 5, edge by edge, as the figure names them; LISTEN's edges belong to half-open connections. */
static const struct {
	enum rill_state from;
	enum fsm_event event;
	enum rill_state to;
} figure5[] = {
	{RILL_CLOSED, FSM_OPEN, RILL_SYN_SENT},
	{RILL_SYN_SENT, FSM_RCV_SYN, RILL_SYN_RECEIVED},
	{RILL_SYN_SENT, FSM_RCV_SYN_ACK, RILL_ESTABLISHED},
	{RILL_SYN_RECEIVED, FSM_RCV_ACK_OF_SYN, RILL_ESTABLISHED},
	{RILL_SYN_RECEIVED, FSM_CLOSE, RILL_FIN_WAIT_1},
	{RILL_ESTABLISHED, FSM_CLOSE, RILL_FIN_WAIT_1},
	{RILL_ESTABLISHED, FSM_RCV_FIN, RILL_CLOSE_WAIT},
	{RILL_FIN_WAIT_1, FSM_RCV_ACK_OF_FIN, RILL_FIN_WAIT_2},
	{RILL_FIN_WAIT_1, FSM_RCV_FIN, RILL_CLOSING},
	{RILL_FIN_WAIT_2, FSM_RCV_FIN, RILL_TIME_WAIT},
	{RILL_CLOSING, FSM_RCV_ACK_OF_FIN, RILL_TIME_WAIT},
	{RILL_CLOSE_WAIT, FSM_CLOSE, RILL_LAST_ACK},
	{RILL_LAST_ACK, FSM_RCV_ACK_OF_FIN, RILL_CLOSED},
};

static enum rill_state
expected(enum rill_state from, enum fsm_event event)
{
	/* Not drawn there: a passive open gets its handle, and everything can end. */
	if (from == RILL_CLOSED && event == FSM_ACCEPT)
		return RILL_SYN_RECEIVED;
	if (event == FSM_END && from != RILL_CLOSED && from != RILL_LISTEN)
		return RILL_CLOSED;
	for (size_t i = 0; i < sizeof(figure5) / sizeof(figure5[0]); i++)
		if (figure5[i].from == from && figure5[i].event == event)
			return figure5[i].to;
	return RILL_STATE_COUNT;
}

static void
test_every_state_and_event(void **state)
{
	for (int from = 0; from < RILL_STATE_COUNT; from++) {
		for (int event = 0; event < FSM_EVENT_COUNT; event++) {
			enum rill_state to = expected((enum rill_state)from, (enum fsm_event)event);

			assert_int_equal(fsm_next((enum rill_state)from, (enum fsm_event)event), to);
			assert_int_equal(fsm_allows((enum rill_state)from, (enum fsm_event)event),
				to != RILL_STATE_COUNT);
		}
	}
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
		cmocka_unit_test(test_every_state_and_event),
		cmocka_unit_test(test_every_row_names_its_clause),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
