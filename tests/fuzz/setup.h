/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FUZZ_SETUP_H
#define FUZZ_SETUP_H

/* The states in which an input may find a flow. */

#include "world.h"

enum setup_state {
	NOTHING, HALF_OPEN, ESTABLISHED, IN_SYN_SENT, IN_SYN_RECEIVED, WITH_DATA, WITH_HOLES, PAUSED,
	IN_RECOVERY, IN_FIN_WAIT_1, IN_FIN_WAIT_2, IN_CLOSE_WAIT, IN_CLOSING, IN_LAST_ACK, IN_TIME_WAIT,
	SETUP_STATES
};

struct setup_flow {
	enum setup_state state;
	uint8_t shape; /* of the peer's SYN: peer_opens */
	uint8_t isn;   /* which initial sequence number it has: some are near a wrap */
};

/* Flows with an odd number are opened by the lane, the others by the peer. */
void setup_flow(struct flow *flow, const struct setup_flow *wanted);

#endif
