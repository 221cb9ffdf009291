/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_LANE_MAIL_H
#define RILL_LANE_MAIL_H

/*
 * A lane's mailbox: functions that other threads ask it to run (posts, listener, address and route
 * changes). An rte_ring with many producers and one consumer; a full one refuses, nobody waits.
 */

#include <stdbool.h>
#include <stdint.h>

#define MAIL_SIZE 4096 /* messages, a power of two */
#define MAIL_PER_TURN 64

struct rill_lane;

struct mail_message {
	void (*fn)(struct rill_lane *lane, void *arg);
	void *arg;
};

struct mailbox; /* around an rte_ring of struct mail_message */

struct mailbox *mailbox_create(const char *name, int numa_node);
/* Messages that were not delivered are dropped. */
void mailbox_destroy(struct mailbox *mailbox);

/* From any thread. 0, or -EAGAIN when full. */
int mailbox_post(struct mailbox *mailbox, void (*fn)(struct rill_lane *, void *), void *arg);

/* Runs up to MAIL_PER_TURN messages; returns how many. On the lane's thread. */
unsigned int mailbox_run(struct mailbox *mailbox, struct rill_lane *lane);

bool mailbox_is_empty(const struct mailbox *mailbox);

#endif
