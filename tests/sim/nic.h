/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_NIC_H
#define SIM_NIC_H

/*
 * A simulated port behind the interface of stack/port: posted buffers and a ring of received frames
 * on one side; on the other a ring that takes part of a burst when it is full or in the mood, sends
 * what it took some time later and frees it later still. When it takes a frame it notes a checksum
 * of its bytes, and looks again when it sends and when it frees: what the NIC holds, nobody may
 * change. A reset loses everything inside.
 */

#include <stdbool.h>
#include <stdint.h>

#include "chance.h"
#include "events.h"
#include "link.h"
#include "port.h"

#define NIC_DESC_MAX 1024

struct rte_mbuf;
struct rte_mempool;

struct nic_setup {
	uint16_t rx_desc, tx_desc; /* <= NIC_DESC_MAX */
	uint16_t caps;             /* NETIF_... that it offers */
	uint16_t tx_chain_max, tso_chain_max;
	uint32_t send_us; /* a frame is read so much after it was taken, at most; 0: at once */
	uint32_t hold_us; /* and freed so much after that, at most */
	uint32_t picky;   /* parts of a million bursts of which it takes only some frames */
	uint32_t scatter; /* parts of a million received frames that fill two buffers */
	uint64_t reset_at, reset_us; /* a reset, and how long it then takes nothing; 0: never */
	bool ethernet;
};

struct nic_frame {
	struct rte_mbuf *mbuf;
	uint64_t sum;
	uint64_t sends_at, frees_at;
};

/* What the NIC tells: of each sent frame, its bytes; and of a broken rule. */
struct nic_listener {
	void (*sends)(void *arg, const uint8_t *bytes, uint32_t len);
	void (*complains)(void *arg, const char *what);
	void *arg;
};

struct nic {
	struct port port; /* first: ops get it */
	struct nic_setup setup;
	struct nic_listener listener;
	struct events *events;
	struct chance *chance;
	const uint64_t *now;
	struct rte_mempool *rx_pool;
	struct rte_mbuf *posted[NIC_DESC_MAX]; /* empty buffers */
	struct rte_mbuf *full[NIC_DESC_MAX];   /* received frames: a ring */
	uint32_t posted_count, full_head, full_count, full_buffers;
	struct nic_frame
		tx[NIC_DESC_MAX]; /* a ring: [tx_head, + tx_sent) were sent, then the others */
	uint32_t tx_head, tx_count, tx_sent;
	uint64_t no_buffer, ring_full, reset_frames;
};

/* now: the virtual clock. Posts its first buffers and plans its reset. */
void nic_start(struct nic *nic, const struct nic_setup *setup, const struct nic_listener *listener,
	struct events *events, struct chance *chance, const uint64_t *now,
	struct rte_mempool *rx_pool);

/* A frame from the wire; without a posted buffer it is lost. */
void nic_receives(struct nic *nic, const uint8_t *bytes, uint32_t len);

/* Gives back everything that it holds. */
void nic_stop(struct nic *nic);

/* A quick checksum of bytes, on top of another. */
uint64_t nic_sum(uint64_t sum, const uint8_t *bytes, uint32_t len);

/* Frames that wait to be taken by rx. */
static inline uint32_t
nic_waiting(const struct nic *nic)
{
	return nic->full_count;
}

#endif
