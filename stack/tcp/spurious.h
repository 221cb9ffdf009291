/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TCP_SPURIOUS_H
#define RILL_TCP_SPURIOUS_H

/*
 * Mistakes: nothing had been lost, and congestion control is given back what it had.
 *
 * Three proofs: the ACK that ends the wait echoes a time before the first retransmission (Eifel)
 * [3522, 4015]; every retransmission was reported as a duplicate (DSACK) [2883, 3708]; after a
 * timeout, something that was sent once only arrives before anything else is sent again (F-RTO)
 * [5682].
 */

#include "ack.h"
#include "scoreboard.h"

/* Before a loss is answered: remembers how things are. */
void spurious_remember(
	struct tcp *tcp, struct rill_conn *conn, struct sidecar *sidecar, bool timeout);

/* A segment was sent again. */
void spurious_sent_again(struct tcp *tcp, struct rill_conn *conn);

/* After an ACK: is one of the proofs there? Then the recovery ends as if it had never begun.
 * Returns true if so. */
bool spurious_check(struct tcp *tcp, struct rill_conn *conn, struct sidecar *sidecar,
	const struct segment *segment, const struct ack_facts *facts);

/*
 * F-RTO's second step: the first ACK after a timeout acknowledged the retransmission; new data is
 * sent before more is sent again, to see whether the rest was lost [5682 2.1]. Is this the moment?
 */
bool spurious_wants_new_data(const struct tcp *tcp, const struct rill_conn *conn);

/* There was such a moment, but no new data could leave: what is lost is sent again at once. */
void spurious_give_up(struct tcp *tcp, struct rill_conn *conn);

#endif
