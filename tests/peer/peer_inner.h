/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TEST_PEER_INNER_H
#define TEST_PEER_INNER_H

/* What the files of the peer share; tests do not see it. */

#include "frames.h"
#include "peer.h"

/* hear.c */
void hear_reset(void);
void hear_frame(const uint8_t *packet, size_t len);
void dialogue_reset(void);

/* peer.c */
/* The one that a segment of the lane belongs to; NULL: none. */
struct flow *flow_find(const struct wire *wire);
/* The peer said this (absolute numbers): what it offered is remembered. */
void flow_note_said(struct flow *flow, const struct wire *wire);
/* Both flags on a SYN, ECE alone on a SYN,ACK [3168 6.1.1]. */
bool is_ecn_setup(const struct wire *syn);

/* app.c */
void app_reset(void);
bool app_used_urgent(void);

static inline int32_t
seq_minus(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

#endif
