/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TOOLS_IMPAIR_PATH_H
#define RILL_TOOLS_IMPAIR_PATH_H

/*
 * One direction of an impaired path: loss, then a link of a certain rate behind a drop-tail queue,
 * then a delay, in which some packets are overtaken.
 *
 *     leaves the link = max(arrived, link free) + length / rate
 *     delivered       = leaves the link + delay + (reordered ? extra : 0),   0 < extra <= reorder_ns
 *
 * What happens to a packet depends on the seed, on the path's number, on whether it carries TCP
 * payload, and on how many packets of its kind came before it; on nothing else. So the n-th data packet
 * meets the same fate under the same seed, whoever sent it, and however many ACKs went between.
 * Only the queue, which depends on time, is exempt. Frames that are not IPv4 TCP pass untouched if
 * they are ARP, and are discarded otherwise.
 *
 * An ECT packet that is chosen for it leaves with the congestion mark, CE [3168 5], and a right IP
 * checksum.
 *
 * Time is an argument, in ns; a path reads no clock.
 */

#include <stdbool.h>
#include <stdint.h>

#define PATH_FRAME_MAX 1522 /* Ethernet header, VLAN tag, 1500 bytes and a reserve */
#define PATH_SLOTS 16384    /* frames on the way; one more is counted as dropped by the queue */
#define PATH_LOST_MAX 64    /* numbers of lost data packets that are kept */

struct path_setup {
	uint64_t seed;
	uint32_t number;      /* distinguishes the two directions */
	double loss;          /* probabilities, 0 to 1 */
	double reorder;
	double mark;          /* of what is ECT: made CE */
	uint64_t reorder_ns;  /* most that a reordered packet is late */
	uint64_t delay_ns;
	uint64_t rate_bps;    /* bits per second; 0: no limit, and no queue */
	uint64_t queue_bytes; /* what may wait before the link */
};

struct path_frame {
	uint64_t due_ns;
	uint64_t order; /* of arrival, for equal due_ns */
	uint16_t len;
	uint8_t data[PATH_FRAME_MAX]; /* as it came, but for the mark */
};

struct path_counts {
	uint64_t data, bare; /* arrived: TCP segments with payload, and without */
	uint64_t arp, foreign, oversize;
	uint64_t lost_data, lost_bare, queue_dropped, reordered, marked;
	uint64_t forwarded, forwarded_bytes;
	uint64_t queue_most_bytes;
};

struct path {
	struct path_setup setup;
	struct path_counts counts;
	uint64_t link_free_ns;
	uint64_t order;
	uint32_t waiting, spare; /* frames in heap and in unused */
	struct path_frame **heap, **unused, *frames;
	uint64_t lost[PATH_LOST_MAX]; /* numbers, from 0, of the first lost data packets */
};

/* What a frame is. */
enum path_kind { PATH_DATA, PATH_BARE, PATH_ARP, PATH_FOREIGN };

/* Takes memory for PATH_SLOTS frames. Returns 0, or -1 when there is none. */
int path_init(struct path *p, const struct path_setup *setup);
void path_free(struct path *p);

enum path_kind path_classify(const uint8_t *frame, uint32_t len);

/* Fate of packet n (from 0) of a kind: lost; and by how much it is late, 0 if it is not reordered. */
bool path_loses(const struct path_setup *setup, enum path_kind kind, uint64_t n);
uint64_t path_extra_ns(const struct path_setup *setup, enum path_kind kind, uint64_t n);

/* Takes a copy of a frame that arrived now. Returns true if it will be delivered. */
bool path_enter(struct path *p, const uint8_t *frame, uint32_t len, uint64_t now_ns);

/* When the next frame is due; UINT64_MAX: none waits. */
uint64_t path_next_ns(const struct path *p);

/* The next frame, if it is due by now; else NULL. It is valid until the next call of path_enter. */
const struct path_frame *path_leave(struct path *p, uint64_t now_ns);

#endif
