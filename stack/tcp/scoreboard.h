/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TCP_SCOREBOARD_H
#define RILL_TCP_SCOREBOARD_H

/*
 * The scoreboard [2018, 6675]: what became of everything that is outstanding.
 *
 * It is opened when something other than a plain ACK happens, from a queue in which all that was
 * sent is in flight. From then on each sent record is in the list of what is in flight, ordered by
 * its last transmission; or in the list of what is lost; or SACKed.
 *
 * Bounds: SACK blocks count for whole records only, so that no record is ever split for a stranger;
 * what a block repeats is skipped by the edges of known islands; and the search for what is new
 * takes at most SCORE_STEPS_MAX records an ACK and goes on where it stopped with the next one. No
 * other call walks more than it moves from list to list [RFC6675-11].
 */

#include "ack.h"
#include "tcp.h"

#define SCORE_STEPS_MAX 512 /* records that the SACK blocks of one ACK may visit */

/* The scoreboard, NULL if it is not open. */
static inline struct scoreboard *
score_of(const struct tcp *tcp, const struct rill_conn *conn)
{
	struct sidecar *sidecar = conn_sidecar(tcp, conn);

	return sidecar != NULL && (sidecar->flags & SIDECAR_SCORE) ? &sidecar->score : NULL;
}

/* The same; opens it if it is not. NULL: no side-car is left. */
struct scoreboard *score_open(struct tcp *tcp, struct rill_conn *conn);

/* May it be closed: is everything in flight, and nobody waits for more? */
bool score_is_idle(const struct rill_conn *conn, const struct sidecar *sidecar);

/* A record was sent, for the first time or again: it is the last in flight. */
void score_sent(struct tcp *tcp, struct scoreboard *score, uint32_t index);

/* A record in a list was split: the rest follows it there. */
void score_split(struct tcp *tcp, struct scoreboard *score, uint32_t index, uint32_t rest);

/*
 * `taken` bytes at the front of a record are acknowledged; all of it, if whole: then it leaves the
 * scoreboard. Adds to facts.
 */
void score_acked(struct tcp *tcp, struct rill_conn *conn, struct scoreboard *score, uint32_t index,
	uint32_t taken, bool whole, struct ack_facts *facts);

/* snd_una has moved: forgets the islands below it. */
void score_advanced(struct scoreboard *score, seq_t snd_una);

/* The SACK blocks of an ACK; a DSACK among them is told in facts only. Adds to facts. */
void score_blocks(struct tcp *tcp, struct rill_conn *conn, struct scoreboard *score,
	const struct segment *segment, struct ack_facts *facts);

/* A record in flight is lost. */
void score_lose(struct tcp *tcp, struct scoreboard *score, uint32_t index, struct ack_facts *facts);

/* The first len bytes of the queue are lost, whole records, as far as they were not before. */
void score_lose_head(struct tcp *tcp, struct rill_conn *conn, struct scoreboard *score,
	uint32_t len, struct ack_facts *facts);

/* Nothing is lost: what waited to be sent again is in flight after all. */
void score_none_lost(struct tcp *tcp, struct scoreboard *score);

/* The peer may have dropped what it SACKed: all of it is lost [RFC2018-8]. */
void score_distrust(struct tcp *tcp, struct rill_conn *conn, struct scoreboard *score);

/* Asserts that every record is where its flags say, and the sums. */
void score_check(
	const struct tcp *tcp, const struct rill_conn *conn, const struct scoreboard *score);

#endif
