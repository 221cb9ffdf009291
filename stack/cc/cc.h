/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_CC_CC_H
#define RILL_CC_CC_H

/*
 * Congestion control: how many bytes may be in flight.
 *
 * An algorithm is a const table of functions and a little state inside the connection. It is told
 * of an ACK once, after recovery has looked at it, with everything known about that ACK in one
 * struct; and of losses as events. It answers through cwnd and ssthresh, in bytes. It knows no
 * connection.
 *
 * A new algorithm is one file, one line in cc.c's list, and a test of its curve. none.c, which
 * never changes cwnd, is the template.
 */

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "ustime.h"

/* What is known of an ACK of new data. */
struct cc_ack {
	ustime now;
	uint32_t acked;    /* bytes newly acknowledged, cumulatively */
	uint32_t flight;   /* bytes in flight before this ACK */
	uint32_t mss;      /* bytes of a full segment */
	uint32_t rtt_us;   /* sample, 0: none */
	bool in_recovery;  /* in fast recovery before this ACK was processed; not after an RTO */
	bool cwnd_limited; /* the window was used up since the last ACK: growing it makes sense */
};

struct cc_newreno {
	uint32_t acked; /* bytes acknowledged in congestion avoidance since cwnd last grew */
};

struct cc {
	uint32_t cwnd;
	uint32_t ssthresh;
	uint8_t algorithm; /* index into cc.c's list */
	union {
		struct cc_newreno newreno;
		uint64_t reserve[3]; /* what an algorithm may use inline */
	} u;
};
static_assert(sizeof(struct cc) <= 40, "what the connection has room for");

#define CC_SSTHRESH_MAX UINT32_MAX /* arbitrarily high at first [5681 3.1] */
#define CC_CWND_MAX 0x7fffffffu    /* beyond any window, and two of them still fit 32 bits */

struct cc_ops {
	const char *name;
	/* Called once cwnd and ssthresh have their initial values. */
	void (*init)(struct cc *cc, uint32_t mss);
	void (*on_ack)(struct cc *cc, const struct cc_ack *ack);
	/* Fast recovery begins, flight bytes being out: sets ssthresh (and cwnd = ssthresh)
	 * [5681 3.2]. */
	void (*on_loss)(struct cc *cc, uint32_t flight, uint32_t mss);
	/* Fast recovery ended: everything up to recover was acknowledged. */
	void (*on_recovered)(struct cc *cc, uint32_t flight, uint32_t mss);
	/* A retransmission timeout; first: not yet for this loss event, so that ssthresh changes
	 * only once [5681 3.1]. */
	void (*on_rto)(struct cc *cc, uint32_t flight, uint32_t mss, bool first);
};

/* The algorithm of that number (0: the default, NewReno), or NULL. */
const struct cc_ops *cc_ops(unsigned int algorithm);

/* The initial window in bytes for segments of mss bytes and at most `segments` of them [6928 2]. */
uint32_t cc_initial_window(uint32_t mss, uint32_t segments);

/* cwnd = the initial window, ssthresh = as high as can be, then the algorithm's init. */
void cc_init(struct cc *cc, unsigned int algorithm, uint32_t mss, uint32_t initial_window);

/* Nothing was sent for one RTO: cwnd falls back to the restart window, min(IW, cwnd) [5681 4.1]. */
void cc_after_idle(struct cc *cc, uint32_t initial_window);

extern const struct cc_ops cc_newreno_ops; /* newreno.c */
extern const struct cc_ops cc_none_ops;    /* none.c */

#endif
