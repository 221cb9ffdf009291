/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TCP_TSO_H
#define RILL_TCP_TSO_H

/*
 * Segmentation offload: segments of new data that would leave one behind the other leave as one large
 * frame, a train, which the port cuts (NETIF_TX_TSO).
 *
 * Only the frame is shared. Each segment has records of its own, so that loss is found and repaired as
 * if it had left alone, and what is sent again always leaves alone; and a train takes no more segments
 * than would have left in the same turn, as windows, pacing, Nagle and the quantum have it. Except for
 * its sequence number and length, which the port counts on, all have the first one's headers; PSH and
 * FIN the port leaves to the last. What stands in one segment only goes in a segment alone, before the
 * trains: CWR [3168 6.1.2], a duplicate that is reported [2883 4], a user timeout; and urgent data,
 * whose pointer is relative [9293 3.8.5].
 */

#include "tcp.h"

/* A train, or a segment alone. */
struct train {
	uint32_t index;        /* its first record, */
	unsigned int count;    /* and how many they are */
	unsigned int segments;
	uint32_t len;          /* payload bytes, */
	uint32_t mss;          /* of each segment; of the last one, the rest */
};

/* May segments of so much payload leave in a train now? */
bool tso_is_possible(const struct tcp *tcp, const struct rill_conn *conn, uint32_t mss);

/*
 * Adds segments behind the first one, which is full, to a frame of at most so many bytes of payload.
 * Records are cut where segments end.
 */
void tso_grow(struct tcp *tcp, struct rill_conn *conn, struct train *train, uint32_t most);

/* A train has left, in the frame of this ticket. */
void tso_sent(struct tcp *tcp, uint32_t ticket);

#endif
