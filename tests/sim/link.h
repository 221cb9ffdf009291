/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_LINK_H
#define SIM_LINK_H

/*
 * A link in one direction: rate, delay, a queue that drops its tail or marks, and what else can
 * happen to packets on their way. It knows nothing of who is at its ends.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chance.h"
#include "events.h"

/* A packet under way. */
struct packet {
	uint32_t len;
	uint8_t bytes[];
};

/* A copy of the bytes; freed with free. Ends the program without memory. */
struct packet *packet_new(const uint8_t *bytes, size_t len);

/* What a link is like; 0 switches a thing off. Chances are parts of a million. */
struct link_setup {
	uint64_t rate;        /* bytes per second; 0: no limit, no queue */
	uint32_t queue_bytes; /* what waits at most: a packet that does not fit is dropped */
	uint32_t
		mark_bytes; /* a packet behind so many gets CE, if its sender speaks ECN [3168 5] */
	uint32_t delay_us;
	uint32_t jitter_us; /* more delay, at most; keeps the order */
	uint32_t loss;      /* of single packets */
	uint32_t burst_starts, burst_ends,
		burst_loss;           /* Gilbert: two states, and the loss in the bad one */
	uint32_t reorder, reorder_us; /* who is hit comes later, by so much at most */
	uint32_t duplicate;
	uint32_t corrupt;          /* one bit of the packet */
	uint64_t down_at, down_us; /* nothing passes in this time, */
	uint64_t down_every_us;    /* and again whenever so much has passed; 0: it is down once */
	uint16_t mtu;              /* longer packets do not fit in this time */
	uint64_t mtu_at, mtu_us;
	bool mtu_silent; /* a black hole: whose router does not say so */
};

enum link_fate {
	LINK_TAKEN,
	LINK_LOST,
	LINK_QUEUE_FULL,
	LINK_DOWN,
	LINK_TOO_LONG,
	LINK_FATES,
};

extern const char *const link_fate_names[LINK_FATES];

struct link {
	struct link_setup setup;
	/* Where packets come out: an event of (arg, packet), who owns the packet. */
	event_fn arrives;
	void *arg;
	size_t l2_len; /* bytes in front of the IP header */
	/* How it goes. */
	bool in_burst;
	uint64_t packet_last;  /* when the last packet came */
	uint64_t free_ns;      /* when what waits will have left */
	uint64_t arrives_last; /* latest arrival of those in order */
	uint64_t fates[LINK_FATES], marked, doubled, reordered, damaged;
};

/* Takes the packet, whatever its fate; unless it is LINK_TOO_LONG: the caller still owns it then.
 */
enum link_fate link_send(struct link *link, struct events *events, struct chance *chance,
	uint64_t now_us, struct packet *packet);

/* Bytes that wait now. */
uint64_t link_waiting(const struct link *link, uint64_t now_us);

#endif
