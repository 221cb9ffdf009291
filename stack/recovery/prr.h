/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_RECOVERY_PRR_H
#define RILL_RECOVERY_PRR_H

/*
 * Proportional rate reduction [9937]: during a recovery, what is sent follows what is delivered, so
 * that at its end ssthresh bytes are in flight, without a pause and without a burst.
 *
 * The promise: in each recovery, bytes sent <= ceil(bytes delivered * ssthresh / recover_fs) while
 * more than ssthresh are in flight; below that, what is sent does not exceed what is delivered by
 * more than one segment an ACK, and never lifts the flight above ssthresh.
 */

#include <stdbool.h>
#include <stdint.h>

struct prr {
	uint32_t recover_fs; /* bytes in flight when the recovery began; constant in it */
	uint32_t delivered;  /* bytes delivered since then */
	uint32_t out;        /* bytes sent since then */
};

/* What an ACK tells. */
struct prr_ack {
	uint32_t delivered; /* bytes newly acknowledged or SACKed */
	uint32_t flight; /* bytes in flight after this ACK, what it showed to be lost not counted */
	uint32_t ssthresh;
	uint32_t mss;
	bool safe; /* snd_una advanced and nothing more was found lost [9937 6.2] */
};

/* A recovery begins; flight: snd_nxt - snd_una before the ACK that began it, less what was SACKed
 * before it [9937 6.1]. */
void prr_begin(struct prr *prr, uint32_t flight);

/* cwnd after an ACK that delivered something [9937 6.2]. */
uint32_t prr_cwnd(struct prr *prr, const struct prr_ack *ack);

/* Bytes were sent, new or again [9937 6.3]. */
static inline void
prr_sent(struct prr *prr, uint32_t bytes)
{
	prr->out += bytes;
}

#endif
