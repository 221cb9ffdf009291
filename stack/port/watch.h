/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_PORT_WATCH_H
#define RILL_PORT_WATCH_H

/*
 * Is a port deaf? A virtual function whose physical one was taken down and up again keeps its link
 * "up" and hears nothing. It is deaf if
 *
 *     link up  and  no frame for WATCH_SILENCE_US  and  a neighbour that answered before has left three
 *     requests to its own MAC unanswered since
 *
 * or, where that neighbour was lost before the silence began, as while the link was down, and none is left
 * that could be asked, no frame for WATCH_ALONE_US, the time that three requests would take. It is then to
 * be restarted, at most once in WATCH_RESTART_US; as long as nothing is heard for all that, after twice as
 * long each time.
 *
 * A port that nobody sends to is silent too: after a silence of WATCH_SILENCE_US a neighbour is to be
 * asked. Where nothing but answers to that is heard, the next silence is borne twice as long, up to
 * WATCH_PATIENCE_MAX_US, so that an idle port asks seldom.
 */

#include <stdbool.h>
#include <stdint.h>

#include "ustime.h"

#define WATCH_SILENCE_US (1 * USEC_PER_SEC)
#define WATCH_ALONE_US (4 * USEC_PER_SEC)
#define WATCH_PATIENCE_MAX_US (8 * USEC_PER_SEC)
#define WATCH_ANSWERS_MAX 2 /* frames that may be but an answer to what was asked */
#define WATCH_RESTART_US (10 * USEC_PER_SEC)
#define WATCH_RESTART_MAX_US (160 * USEC_PER_SEC)

struct watch {
	uint64_t heard;         /* frames, when it was last looked at */
	uint64_t lost;          /* neighbours, when the silence began, */
	uint64_t lost_heard;    /* and when a frame was last heard */
	ustime silent_since;
	ustime patience_us;     /* the silence after which a neighbour is asked */
	bool asked;             /* one is being asked */
	bool alone;             /* there was none to be asked */
	unsigned int restarts;  /* since a frame was heard, for being deaf */
	bool restarted;         /* ever, */
	ustime restarted_at;    /* the last time at this */
};

enum watch_verdict {
	WATCH_FINE,
	WATCH_ASK,     /* a neighbour is to be asked; watch_asked is to follow */
	WATCH_RESTART, /* it is deaf; watch_restarted is to follow */
};

void watch_begin(struct watch *watch, uint64_t heard, uint64_t lost, ustime now);

/* heard: frames received so far; lost: neighbours that left three requests unanswered so far. To be
 * called several times a second. */
enum watch_verdict watch_look(
	struct watch *watch, bool link_up, uint64_t heard, uint64_t lost, ustime now);

/* Was there a neighbour that could be asked? */
void watch_asked(struct watch *watch, bool known);

/* The port has been restarted, for being deaf or for another reason. */
void watch_restarted(struct watch *watch, bool deaf, ustime now);

#endif
