/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_BUF_H
#define RILL_BUF_H

/**
 * @file
 * Buffers: DPDK mbufs, everywhere.
 *
 * Received payload reaches on_data in the very mbuf that the NIC wrote; it is the application's from
 * then on, to free (rte_pktmbuf_free) or to send. A buffer given to rill_send is Rill's once the
 * call has returned 0, and its bytes must not change until the peer has acknowledged them: they are
 * sent from where they are. A buffer that is to go out on many connections is given to each as a
 * reference of its own (an indirect mbuf, rte_pktmbuf_attach, or rte_pktmbuf_clone).
 *
 * All of that happens on the lane's thread: a lane's pools are never shared with another core.
 */

#include <rill/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A buffer of the lane's own pool with data_len = pkt_len = len, room in front for all headers, and
 * the bytes not initialised. len is bounded by what one buffer holds (rill_buf_room).
 * Returns 0 with the caller owning *mbuf, -EMSGSIZE, or -ENOBUFS when the pool is at its reserve.
 */
RILL_API int rill_buf_alloc(struct rill_lane *lane, uint32_t len, struct rte_mbuf **mbuf);

/** Payload bytes that one buffer of the lane holds. */
RILL_API uint32_t rill_buf_room(const struct rill_lane *lane);

#ifdef __cplusplus
}
#endif

#endif
