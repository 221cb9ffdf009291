/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TCP_REASSEMBLY_H
#define RILL_TCP_REASSEMBLY_H

/*
 * Data beyond a hole: a few islands (REASSEMBLY_RANGES) of contiguous payload, in sequence order,
 * so that the cost of a segment does not grow with what a stranger sends (SegmentSmack). Bytes that
 * came first win. Nothing here gives an island up before the connection ends; but the caller may have
 * to drop what he takes, where buffers are scarce, and then what SACK reported is no longer true
 * [2018 8].
 */

#include "conn.h"

/*
 * Adds payload [start, start + its length), which lies beyond rcv_nxt and inside the window.
 * true_max bounds what all islands may pin. Takes the mbuf if it returns true, even when nothing of
 * it is new
 * (*duplicate is set then); false: no room, the caller still owns it.
 */
bool reassembly_insert(struct sidecar *sidecar, struct rte_mbuf *payload, seq_t start,
	uint32_t true_max, bool *duplicate);

/*
 * What of [start, start + len) is held already: the first such piece [2883 4.2], whose island will
 * be reported first. False: nothing.
 */
bool reassembly_find_duplicate(
	struct sidecar *sidecar, seq_t start, uint32_t len, struct sack_block *duplicate);

/*
 * The data that continues at rcv_nxt, as one chain, or NULL; *end is where it ends. Data below
 * rcv_nxt is cut off and freed. The caller owns the chain.
 */
struct rte_mbuf *reassembly_take(struct sidecar *sidecar, seq_t rcv_nxt, seq_t *end);

/* The newest islands, newest first [2018 4]; returns how many of at most max. */
unsigned int reassembly_sack_blocks(
	const struct sidecar *sidecar, struct sack_block *blocks, unsigned int max);

/* Frees all islands. */
void reassembly_clear(struct sidecar *sidecar);

/* Asserts order, lengths and sums. */
void reassembly_check(const struct sidecar *sidecar, seq_t rcv_nxt);

#endif
