/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TEST_OFFLOAD_H
#define TEST_OFFLOAD_H

/*
 * What a NIC does to a frame before it is on the wire, as its mbuf asks for it: a large frame is cut into
 * segments, checksums are filled in. Nothing is repaired: as in hardware, TCP's checksum is added to what
 * stands in its field, so that a wrong pseudo-header makes a wrong checksum.
 */

#include <stdint.h>

struct rte_mbuf;

typedef void (*offload_fn)(void *arg, const uint8_t *bytes, uint32_t len);

/* Calls sends for each frame on the wire. Returns NULL, or a complaint about what the mbuf says. */
const char *offload_frame(const struct rte_mbuf *frame, offload_fn sends, void *arg);

#endif
