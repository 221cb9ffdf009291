/* SPDX-License-Identifier: BSD-3-Clause */
#include "mail.h"

#include <errno.h>

#include <rte_memory.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>

/* rte_ring copies elements of 16 bytes whole. */
_Static_assert(sizeof(struct mail_message) == 16, "a message is two words");

struct mailbox *
mailbox_create(const char *name, int numa_node)
{
	/* The mailbox is its ring: whoever holds it sees no more than that. */
	return (struct mailbox *)rte_ring_create_elem(
		name, sizeof(struct mail_message), MAIL_SIZE, numa_node, RING_F_SC_DEQ);
}

void
mailbox_destroy(struct mailbox *mailbox)
{
	rte_ring_free((struct rte_ring *)mailbox);
}

int
mailbox_post(struct mailbox *mailbox, void (*fn)(struct rill_lane *, void *), void *arg)
{
	struct mail_message message = {.fn = fn, .arg = arg};
	int err = rte_ring_mp_enqueue_elem((struct rte_ring *)mailbox, &message, sizeof(message));

	return err == 0 ? 0 : -EAGAIN;
}

unsigned int
mailbox_run(struct mailbox *mailbox, struct rill_lane *lane)
{
	struct mail_message messages[MAIL_PER_TURN];
	unsigned int n;

	if (likely(mailbox_is_empty(mailbox)))
		return 0;
	n = rte_ring_sc_dequeue_burst_elem(
		(struct rte_ring *)mailbox, messages, sizeof(messages[0]), MAIL_PER_TURN, NULL);
	for (unsigned int i = 0; i < n; i++)
		messages[i].fn(lane, messages[i].arg);
	return n;
}

bool
mailbox_is_empty(const struct mailbox *mailbox)
{
	return rte_ring_empty((const struct rte_ring *)mailbox) != 0;
}
