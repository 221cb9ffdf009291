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
	struct tuple tuple;
	bool syn; /* it may begin a connection: SYN, or SYN,ACK */
};

/* IPv6 extension headers that are looked behind. */
#define WHOSE_EXTENSIONS_MAX 8

/* Returns false if the frame is no TCP segment over IP, or only a part of one. */
bool whose_read(const struct rte_mbuf *frame, struct whose *whose);

#endif
