/* SPDX-License-Identifier: BSD-3-Clause */
/* Prints the state machine as Graphviz draws it: every arrow is a row of stack/tcp/fsm.def. */
#include <stdio.h>

#include "fsm.h"

static void
print_states(void)
{
	for (int state = 0; state < RILL_STATE_COUNT; state++)
		if (state != RILL_LISTEN)
			printf("\t\"%s\"\n", rill_state_name((enum rill_state)state));
}

/* The end that any state may come to is drawn thin: what the RFC's figure shows stands out. */
static void
print_row(enum rill_state from, enum fsm_event event)
{
	printf("\t\"%s\" -> \"%s\" [label=\"%s\\n[%s]\"%s]\n", rill_state_name(from),
		rill_state_name(fsm_next(from, event)), fsm_event_name(event),
		fsm_clause(from, event),
		event == FSM_END ? ", style=dashed, color=gray60, fontcolor=gray40" : "");
}

int
main(void)
{
	puts("// Generated from stack/tcp/fsm.def: ninja fsm-picture writes it anew.");
	puts("digraph rill_tcp {");
	puts("\tgraph [labelloc=t, fontname=\"Helvetica\", label=\"A connection's states: "
	     "event and clause of RFC 9293\\nLISTEN is a listener; a passive connection is accepted "
	     "when its handshake is done\"]");
	puts("\tnode [shape=box, style=rounded, fontname=\"Helvetica\"]");
	puts("\tedge [fontname=\"Helvetica\", fontsize=10]");
	print_states();
	for (int from = 0; from < RILL_STATE_COUNT; from++)
		for (int event = 0; event < FSM_EVENT_COUNT; event++)
			if (fsm_allows((enum rill_state)from, (enum fsm_event)event))
				print_row((enum rill_state)from, (enum fsm_event)event);
	puts("}");
	return 0;
}
