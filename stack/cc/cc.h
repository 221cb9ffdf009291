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

#include "hystart.h"
#include "rate.h"
#include "seq.h"
#include "ustime.h"

/* What is known of an ACK that acknowledges or SACKs something new. */
struct cc_ack {
	ustime now;
	uint32_t acked;     /* bytes newly acknowledged, cumulatively; 0: SACK news only. Where the
			     * path reorders, bytes delivered: an ACK that fills a hole acknowledges
			     * what arrived long before */
	uint32_t delivered; /* bytes that this ACK was the first to tell of, SACKed ones included */
	uint32_t lost;      /* bytes newly held for lost */
	uint32_t flight;    /* bytes in flight before this ACK */
	uint32_t mss;       /* bytes of a full segment */
	uint32_t rtt_us;    /* sample, 0: none */
	uint32_t srtt_us;   /* 0: none yet */
	uint32_t min_rtt_us;            /* least round trip known, 0: none yet */
	seq_t snd_una, snd_nxt;         /* after this ACK: rounds are told by sequence [9406 4.2] */
	const struct rate_sample *rate; /* NULL: nobody measures */
	bool in_recovery;  /* in fast recovery before this ACK was processed; not after an RTO */
	bool cwnd_limited; /* the window was used up since the last ACK: growing it makes sense */
	bool ece;          /* ECN is in use and the ACK carries ECE */
};

/* What is known when the network signals congestion. */
struct cc_event {
	ustime now;
	uint32_t flight; /* bytes in flight, without what limited transmit sent [5681 3.2] */
	uint32_t mss;
	seq_t snd_una, snd_nxt;
	bool first; /* of an RTO: not yet for this loss event: ssthresh changes only once
		       [5681 3.1] */
};

struct cc_newreno {
	uint32_t acked; /* bytes acknowledged in congestion avoidance since cwnd last grew */
};

struct cc_cubic {
	uint32_t w_max;    /* bytes: where the curve is flat; 0: where the epoch will begin */
	uint32_t k;        /* 2^-10 s: when the curve gets there */
	uint32_t since_us; /* us32: when the epoch began; while it stands still: its age */
	uint32_t w_est;    /* bytes: the window of Reno */
	uint32_t acked;    /* bytes acknowledged since w_est last grew */
};

#define DCTCP_ALPHA_ONE (1u << 20)

struct cc_dctcp {
	struct cc_newreno reno; /* the first member: NewReno's functions work on it */
	seq_t window_end;       /* alpha is looked at when more than this is acknowledged */
	uint32_t acked, marked; /* bytes since */
	uint32_t alpha : 24;    /* how much is marked, in 2^-20 */
	uint32_t watching : 1;  /* window_end is valid */
};

struct bbr;

struct cc_bbr {
	uint8_t state[sizeof(struct bbr *)]; /* a pointer, in a struct that is aligned to 4 bytes */
};

struct cc {
	uint32_t cwnd;
	uint32_t ssthresh;
	uint8_t algorithm; /* index into cc.c's list */
	uint8_t phase;     /* the algorithm's */
	uint8_t count;     /* the algorithm's */
	bool watches_unused; /* ACKs of a window that is not used up matter to the algorithm now */
	/* The rest only when the window changes: it may lie in another cache line. */
	union {
		struct cc_newreno newreno;
		struct cc_cubic cubic;
		struct hystart hystart; /* CUBIC's, in the first slow start */
		struct cc_dctcp dctcp;
		struct cc_bbr bbr;
		uint32_t reserve[6]; /* what an algorithm may use inline */
	} u;
};
static_assert(sizeof(struct cc) == 36, "what the connection has room for");

#define CC_SSTHRESH_MAX UINT32_MAX /* arbitrarily high at first [5681 3.1] */
#define CC_CWND_MAX 0x7fffffffu    /* beyond any window, and two of them still fit 32 bits */

struct cc_ops {
	const char *name;
	/* Wants rate samples, says when to send (bbr.h), and minds its own cwnd: neither
	 * proportional rate reduction nor idling changes it. */
	bool paces;
	/* Wants to know which bytes were marked: as receiver it echoes each change at once [8257 3.2]. */
	bool exact_ece;
	/* Called once cwnd and ssthresh have their initial values. */
	void (*init)(struct cc *cc, uint32_t mss);
	void (*on_ack)(struct cc *cc, const struct cc_ack *ack);
	/* Fast recovery begins: sets ssthresh, and cwnd = ssthresh [5681 3.2]; who sends then goes
	 * down to it by proportional rate reduction [9937]. */
	void (*on_loss)(struct cc *cc, const struct cc_event *event);
	/* ECE for the first time in a window: as on_loss, but nothing was lost [3168 6.1.2]. NULL:
	 * on_loss is called. */
	void (*on_ecn)(struct cc *cc, const struct cc_event *event);
	/* Fast recovery ended: everything up to recover was acknowledged. */
	void (*on_recovered)(struct cc *cc, const struct cc_event *event);
	void (*on_rto)(struct cc *cc, const struct cc_event *event);
	/* Sending begins again after idle_us without anything outstanding. NULL: nothing to do. */
	void (*on_idle)(struct cc *cc, ustime now, ustime idle_us);
};

/* The algorithm of that number (enum rill_cc), or NULL. */
const struct cc_ops *cc_ops(unsigned int algorithm);

/* The initial window in bytes for segments of mss bytes and at most `segments` of them [6928 2]. */
uint32_t cc_initial_window(uint32_t mss, uint32_t segments);

/* cwnd = the initial window, ssthresh = as high as can be, then the algorithm's init. */
void cc_init(struct cc *cc, unsigned int algorithm, uint32_t mss, uint32_t initial_window);

/* Another algorithm goes on from the same cwnd and ssthresh. The same one: nothing changes. */
void cc_change(struct cc *cc, unsigned int algorithm, uint32_t mss);

/*
 * Sending begins again after idle_us without anything outstanding. restart_window: if not 0, more
 * than one RTO has passed and cwnd falls back to min(restart_window, cwnd) [5681 4.1].
 */
void cc_after_idle(struct cc *cc, ustime now, ustime idle_us, uint32_t restart_window);

/*
 * The congestion that was answered since `before` was copied never happened: cwnd and ssthresh are
 * at least what they were then, and the algorithm's memory is what it was [4015].
 */
void cc_undo(struct cc *cc, const struct cc *before);

extern const struct cc_ops cc_newreno_ops; /* newreno.c */
extern const struct cc_ops cc_cubic_ops;   /* cubic.c */
extern const struct cc_ops cc_dctcp_ops;   /* dctcp.c */
extern const struct cc_ops cc_bbr_ops;     /* bbr.c */
extern const struct cc_ops cc_none_ops;    /* none.c */

#endif
