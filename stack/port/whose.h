/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_PORT_WHOSE_H
#define RILL_PORT_WHOSE_H

/*
 * What a frame that arrives says of the connection it belongs to, read before anything has checked
 * it: just enough to choose a lane, which then checks all of it.
 */

#include <stdbool.h>
#include <stdint.h>

#include "tuple.h"

struct rte_mbuf;

struct whose {
	struct tuple_head tuple;
	bool syn; /* it may begin a connection: SYN, or SYN,ACK */
};

/* Returns false if the frame is no TCP segment over IPv4, or only a part of one. */
bool whose_read(const struct rte_mbuf *frame, struct whose *whose);

#endif
