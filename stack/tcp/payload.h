/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TCP_PAYLOAD_H
#define RILL_TCP_PAYLOAD_H

/* Cutting chains of payload; pkt_len and nb_segs of the head are kept right. */

#include <stdint.h>

struct rte_mbuf;

/* Cuts n bytes off the front, freeing emptied segments; returns the new head, NULL if nothing is
 * left. */
struct rte_mbuf *payload_cut_front(struct rte_mbuf *head, uint32_t n);

/* Keeps the first len bytes (0 < len <= pkt_len), freeing segments behind them; returns the last
 * one. */
struct rte_mbuf *payload_keep_front(struct rte_mbuf *head, uint32_t len);

/* Sets pkt_len and nb_segs from the chain's segments. */
void payload_fix(struct rte_mbuf *head);

#define PAYLOAD_SMALL 256 /* what is shorter is rather copied than kept in a buffer of its own */

/*
 * Copies a small payload behind the last bytes of tail, if tail's buffer has room and nobody else
 * refers to it. Returns true and frees the payload if so; the caller corrects its head's pkt_len.
 */
int payload_copy_into(struct rte_mbuf *tail, struct rte_mbuf *payload);

#endif
