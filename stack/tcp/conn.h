/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TCP_CONN_H
#define RILL_TCP_CONN_H

/*
 * What a connection is made of: struct rill_conn itself, the records of its send queue, and the
 * side-car that it has only while something unusual goes on. Half-open passive connections and
 * TIME-WAIT have small objects of their own.
 */

#include <assert.h>

#include <rill/conn.h>
#include <rte_common.h>

#include "cc.h"
#include "fsm.h"
#include "prr.h"
#include "rack.h"
#include "rtt.h"
#include "segment.h"
#include "seq.h"
#include "slab.h"
#include "tuple.h"
#include "ustime.h"
#include "wheel.h"

struct tcp;

/* Bits of rill_conn.flags. */
enum {
	CONN_LIVE = 1u << 0,          /* the slot holds a connection */
	CONN_ENDED = 1u << 1,         /* over; waits for the reaper to tell the application */
	CONN_ACTIVE = 1u << 2,        /* opened by rill_connect [MUST-11] */
	CONN_OPENED = 1u << 3,        /* on_open was called */
	CONN_TS = 1u << 4,            /* timestamps negotiated */
	CONN_SACK = 1u << 5,          /* SACK negotiated */
	CONN_DIRTY = 1u << 6,         /* on the list of those that have something to say */
	CONN_PARKED = 1u << 7,        /* on the list of those whose next hop is not resolved */
	CONN_ACK_NOW = 1u << 8,       /* an ACK is owed in this turn */
	CONN_ACK_DELAYED = 1u << 9,   /* an ACK is owed at delack_at */
	CONN_RTO_ARMED = 1u << 10,    /* rto_at is a deadline */
	CONN_FIN_QUEUED = 1u << 11,   /* the application finished: FIN after the queue */
	CONN_FIN_SENT = 1u << 12,     /* FIN has its sequence number: snd_nxt - 1 */
	CONN_FIN_RECEIVED = 1u << 13, /* the peer's FIN is in order: rcv_nxt covers it */
	CONN_EOF_TOLD = 1u << 14,     /* on_eof was called */
	CONN_APP_CLOSED = 1u << 15,   /* rill_close: no more reading */
	CONN_PAUSED = 1u << 16,       /* rill_pause */
	CONN_DELIVER = 1u << 17,      /* rill_resume: deliver what was kept in this turn */
	CONN_WANTS_ROOM = 1u << 18,   /* rill_send said -EAGAIN: on_sent once a quarter is free */
	CONN_RECOVERY = 1u << 19,     /* fast recovery until recover is acknowledged */
	CONN_RTO_RECOVERY = 1u << 20, /* after a timeout, until recover is acknowledged */
	CONN_RETX_HEAD = 1u << 21,    /* send the head of the queue again, whatever cwnd says */
	CONN_PROBING = 1u << 22,      /* the window is closed (or silly) and the timer probes it */
	CONN_PUSH_OUT = 1u << 23, /* the timer says: send what is held back (cork, silly window) */
	CONN_CWND_LIMITED = 1u << 24,  /* cwnd held data back since the last ACK */
	CONN_SYN_LOST = 1u << 25,      /* the SYN was sent more than once [6298 5.7] */
	CONN_SOFT_TOLD = 1u << 26,     /* on_error was called after R1 */
	CONN_LINGER = 1u << 27,        /* linger_at_ms is a deadline */
	CONN_WINDOW_UPDATE = 1u << 28, /* the application read: look whether the window may open */
	CONN_KEEPALIVE_PROBE = 1u << 29, /* a keepalive probe is due in this turn */
	CONN_FINISHED = 1u << 30, /* both sides are done and the tuple is given up: what is kept is
				   * still to be delivered */
	CONN_TLP = 1u << 31,      /* a loss probe is due in this turn [8985 7.3] */
};

/* Bits of rill_conn.modes: how it sends. */
enum {
	MODE_ECN = 1 << 0,       /* negotiated [3168 6.1.1] */
	MODE_ECE_DUE = 1 << 1,   /* CE arrived: ECE in every ACK until the peer says CWR, or, for
			      * DCTCP, until what arrives is not marked [8257 3.2] */
	MODE_CWR_DUE = 1 << 2,   /* cwnd was reduced: CWR with the next new data */
	MODE_CWR = 1 << 3,       /* cwnd was reduced for ECE; not again before recover is acknowledged */
	MODE_NO_ECT = 1 << 4,    /* a plain SYN passed: our data is not ECT [3168 6.1.1] */
	MODE_PACED = 1 << 5,     /* data waits for the pacer's deadline */
	MODE_PATH_LOW = 1 << 6,  /* mss is less than the peer and our MTU allow: the path's doing */
	MODE_REORDERS = 1 << 7,  /* the path has been seen to reorder [8985 6.2] */
	MODE_PTO = 1 << 8,       /* rto_at is the probe timeout's [8985 7.2] */
	MODE_REORDER_TIMER = 1 << 9, /* rto_at is the reordering timer's [8985 6.2] */
	MODE_TLP_SPENT = 1 << 10, /* no RTT sample since the last loss probe [8985 7.3] */
	MODE_ECN_WAIT = 1 << 11, /* ECE at a cwnd of one segment: new data waits for the RTO */
	MODE_PATH_PROVEN = 1 << 12, /* a segment of mss bytes was acknowledged [5927 7.2] */
	MODE_UTO_DUE = 1 << 13, /* the next segment tells the peer our user timeout [5482 3.2] */
	MODE_COOKIE = 1 << 14, /* a cookie opened it: its tuple is held for 2 MSL (conn_leave_table) */
	MODE_PROBE_OUT = 1 << 15, /* what became of a probe of the path's MTU is not known yet:
				   * RECORD_PROBE [4821 7] */
};

/*
 * The connection: four cache lines, of which an ordinary segment of IPv4, in or out, touches three.
 *
 *   line  read by                              written by
 *   0     every segment in and out             every segment in and out
 *   1     every segment in and out             every segment in and out
 *   2     send, ACK, timers                    ACK, timers
 *   3     congestion control, statistics,      congestion control
 *         lookups of IPv6
 */
struct rill_conn {
	/* Line 0 */
	union {
		struct tuple_head key;
		struct {
			uint8_t key_bytes[TUPLE_HEAD_KEY_LEN];
			uint8_t state;      /* enum rill_state; written by conn_step only */
			uint8_t option_set; /* index into tcp->option_sets */
			uint8_t handler;    /* index into tcp->handlers */
		};
	};
	uint32_t flags; /* CONN_... */
	seq_t rcv_nxt;
	seq_t rcv_adv;   /* right edge of the window that we offered; never goes back [SHLD-14] */
	seq_t rcv_acked; /* rcv_nxt in the last ACK that we sent: Last.ACK.sent [7323 4.3] */
	seq_t snd_una;
	seq_t snd_nxt;    /* also the highest ever sent: retransmissions do not move it back */
	uint32_t snd_wnd; /* bytes, scaled */
	seq_t snd_wl1; /* SEQ of the last window update. snd_wl2 is not kept: an ACK below snd_una
			* never updates the window, and wl2 <= snd_una always [9293 3.10.7.4] */
	uint32_t ts_recent; /* TS.Recent [7323 4.3] */
	uint32_t ts_offset; /* TSval = lane's milliseconds + this */
	uint32_t next_hop;  /* neighbour's index; SLAB_NONE: not looked up */
	uint16_t mss;       /* payload bytes of a full segment, options already deducted */
	uint8_t snd_wscale : 4;
	uint8_t rcv_wscale : 4;
	uint8_t retries; /* expiries of the retransmission timer without progress */

	/* Line 1 */
	uint32_t txq_head; /* first record: the one at snd_una */
	uint32_t txq_tail;
	uint32_t txq_unsent; /* first record that was never sent */
	uint32_t txq_bytes;  /* in the queue, sent ones included; snd_una + txq_bytes is its end */
	uint32_t txq_true;   /* what the queue pins: whole buffers [bytes] */
	union {
		uint32_t unread;       /* delivered and not consumed (manual_consume) */
		uint32_t linger_at_ms; /* ms32, with CONN_LINGER: when the rest is reset */
	};
	uint16_t modes;                /* MODE_... */
	uint8_t error;                 /* last soft error as errno, 0: none */
	uint8_t backoff : 4;           /* doublings of the RTO since the last sample [6298 5.5] */
	uint8_t dupacks : 4;           /* in a row, saturates */
	uint32_t sidecar;              /* SLAB_NONE: none */
	uint32_t link_next, link_prev; /* in the dirty, parked or ended list */
	uint32_t rto_at;    /* us32: retransmission, loss probe, reordering, window probe, or cork */
	uint32_t delack_at; /* us32 */
	uint32_t heard_ms;  /* ms32: when the last valid segment came */
	uint32_t stall_ms;  /* ms32: since when the oldest unacknowledged data makes no progress; in
			       FIN-WAIT-2 since when */
	uint32_t bytes_in_low, bytes_out_low; /* of 48-bit counters */

	/* Line 2 */
	struct wheel_node timer; /* fires at or before the earliest of the deadlines above */
	void *user;
	struct rtt rtt;
	uint32_t snd_wnd_max; /* largest window ever offered by the peer */
	seq_t recover;        /* snd_nxt when recovery began [6582] */
	struct cc cc;         /* reaches into line 3 with what an algorithm keeps */

	/* Line 3, from cc.u on */
	struct tuple_addrs6 addrs6; /* meaningful for AF_INET6 only */
	uint16_t bytes_in_high, bytes_out_high;
	uint16_t peer_mss;    /* as its SYN said; what the path allows may be less [9293 3.7.1] */
	uint16_t retransmits; /* segments sent again, saturates */
};

#define CONN_BACKOFF_MAX 15
#define CONN_DUPACKS_MAX 15

/*
 * The timer node's bytes that belong to its owner: one that counts keepalive probes without an answer
 * and, once CONN_ENDED, says why (enum rill_close_reason); ten bits for the engine's number; and above
 * them the six of the budget of challenges.
 */
#define CONN_CHALLENGE_SHIFT 2 /* in owner[2] */
#define conn_keep_probes(conn) ((conn)->timer.owner[0])
#define conn_close_reason(conn) ((conn)->timer.owner[0])

static_assert(sizeof(struct rill_conn) <= 256, "an idle connection costs at most 256 bytes");
static_assert(offsetof(struct rill_conn, state) == TUPLE_HEAD_KEY_LEN, "the key comes first");
static_assert(offsetof(struct rill_conn, txq_head) == 64, "line 1");
static_assert(offsetof(struct rill_conn, timer) == 128, "line 2");
static_assert(offsetof(struct rill_conn, cc.u) == 192, "line 3");

/* ---- the send queue's records */

enum {
	RECORD_SENT = 1 << 0,
	RECORD_SACKED = 1 << 1,
	RECORD_LOST = 1 << 2, /* not in the pipe; to be sent again */
	RECORD_RETX = 1 << 3, /* sent more than once */
	RECORD_WRITTEN =
		1 << 4, /* the buffer is ours (rill_write): more bytes may be added while unsent */
	RECORD_CONTINUES = 1 << 5, /* was sent behind the record before it, in the same segment */
	RECORD_PROBE = 1 << 6,     /* was first sent in a probe of the path's MTU */
	RECORD_CUT = 1 << 7, /* begins a segment that the port was to cut off those before it (tso.h) */
};

/*
 * A piece of the send queue: bytes [off, off + len) behind buf_addr of one mbuf, to which the
 * record holds a reference. Bytes are never changed after they were sent.
 */
struct record {
	struct rte_mbuf *mbuf;
	uint32_t next; /* SLAB_NONE: the last */
	seq_t seq;
	uint32_t len;
	uint32_t off;
	uint32_t sent_us; /* us32 of the last transmission */
	uint32_t ticket;  /* of the frame that carried it last: is it still waiting for the NIC? */
	uint32_t true_size; /* charged to the connection for the buffer; 0 if another record carries
			       it */
	uint32_t list_next, list_prev; /* in the scoreboard's list of what is in flight, or lost */
	uint8_t flags;      /* RECORD_... */
};
static_assert(sizeof(struct record) <= 64, "one cache line");

/* ---- the side-car */

/* Islands of out-of-order data that one connection may have. */
#define REASSEMBLY_RANGES 32

struct range {
	seq_t start, end;             /* [start, end) */
	struct rte_mbuf *head, *tail; /* payload, linked through next: exactly these bytes */
	uint32_t stamp;               /* when it last grew: the newest is reported first [2018 4] */
};

/*
 * What became of everything that is outstanding. Each record that was sent is in one of three
 * places: in flight, lost and not sent again yet, or SACKed, which is in no list.
 */
struct record_list {
	uint32_t head, tail; /* SLAB_NONE: empty */
};

/* Islands of SACKed data that are known by their edges: what a SACK block repeats is skipped. */
#define SCORE_RANGES 64

struct score_range {
	seq_t start, end;
	uint32_t last; /* record that ends at end */
};

struct scoreboard {
	struct record_list flying; /* in the order of their last transmission */
	struct record_list lost;   /* in the order in which they were found lost */
	uint32_t sacked_bytes; /* SACKed, or, without SACK, one mss for each duplicate ACK */
	uint32_t sacked_segments;
	uint32_t lost_bytes;
	uint32_t cursor; /* record at which a search ran out of steps, SLAB_NONE: none did */
	uint32_t ranges_count;
	seq_t until; /* kept at least until this is acknowledged */
	uint32_t reduced_us; /* us32 of the last reduction of cwnd for loss */
	struct rack rack;
	struct prr prr;
	/* Is the loss that was answered a mistake? */
	struct cc cc_before;    /* congestion control before it was answered */
	seq_t undo_from;        /* snd_una then */
	uint32_t undo_retx;     /* segments sent again since, that no DSACK has shown to be needless */
	uint32_t undo_retx_ms;  /* ms32 of the first of them */
	seq_t tlp_end;          /* snd_nxt when the probe was sent, */
	uint32_t tlp_ms;        /* at this time: ms32 */
	uint32_t probe_len; /* payload of the lost probe of the path's MTU, with SIDECAR_QUIET */
	struct score_range ranges[SCORE_RANGES]; /* in sequence order */
};

enum {
	SIDECAR_URG_IN = 1 << 0,    /* rcv_up is ahead */
	SIDECAR_URG_OUT = 1 << 1,   /* snd_up is ahead */
	SIDECAR_DSACK = 1 << 2,     /* a duplicate is to be reported */
	SIDECAR_SCORE = 1 << 3,     /* score is in use */
	SIDECAR_TLP = 1 << 4,       /* a loss probe is out: tlp_end */
	SIDECAR_TLP_RETX = 1 << 5,  /* it was a retransmission */
	SIDECAR_UNDO = 1 << 6,      /* cc_before and undo_... mean something */
	SIDECAR_FRTO = 1 << 7,      /* after an RTO: is it spurious? [5682] */
	SIDECAR_UTO = 1 << 8,       /* remote_uto_ms means something */
	SIDECAR_RESENT = 1 << 9,    /* undo_retx_ms means something */
	SIDECAR_QUIET = 1 << 10,    /* until recover, only a probe of the path's MTU was lost */
	SIDECAR_HOLDS = SIDECAR_URG_IN | SIDECAR_URG_OUT | SIDECAR_DSACK |
			SIDECAR_UTO, /* kept while one is set */
};

struct sidecar {
	/* Received and not delivered. */
	struct rte_mbuf *kept, *kept_tail; /* in order, kept by rill_pause; linked through next */
	uint32_t kept_bytes, kept_true;
	uint32_t ranges_count; /* beyond a hole, in sequence order */
	uint32_t ranges_bytes, ranges_true;
	uint32_t stamp;
	seq_t fin_seq; /* of a FIN beyond a hole, with has_fin */
	bool has_fin;
	uint16_t flags; /* SIDECAR_... */
	struct sack_block dsack; /* the duplicate to report [2883] */
	/* Urgent marks: the sequence number behind the last urgent byte. */
	seq_t rcv_up, snd_up;
	uint32_t remote_uto_ms; /* the peer's user timeout [5482], with SIDECAR_UTO */
	uint32_t link; /* in the slab's free list */
	struct range ranges[REASSEMBLY_RANGES];
	struct scoreboard score; /* with SIDECAR_SCORE */
};

/* ---- half-open passive connections: SYN-RECEIVED without a handle */

struct half_open {
	union {
		struct tuple_head key;
		struct {
			uint8_t key_bytes[TUPLE_HEAD_KEY_LEN];
			uint8_t has; /* SEG_HAS_...: what both sides agreed on */
			uint8_t retries;
			uint8_t snd_wscale : 4;
			uint8_t rcv_wscale : 4;
		};
	};
	struct tuple_addrs6 addrs6;
	struct wheel_node timer;
	seq_t iss, irs;
	uint32_t ts_recent, ts_offset;
	uint32_t listener; /* index */
	uint32_t snd_wnd;
	uint32_t rcv_wnd; /* what our SYN-ACK offered, bytes */
	uint32_t sent_us; /* us32 of the last SYN-ACK */
	uint16_t mss;     /* the peer's */
	uint16_t modes;   /* MODE_ECN, MODE_NO_ECT */
	uint16_t uto_s;   /* the peer's user timeout [5482], at most an hour; 0: none */
	uint32_t link; /* in the slab's free list */
};
static_assert(sizeof(struct half_open) <= 128, "two cache lines");

/* ---- TIME-WAIT */

enum {
	TIMEWAIT_TS = 1 << 0,        /* the connection had timestamps */
	TIMEWAIT_DEAD = 1 << 1,      /* taken over by a new SYN; freed when its turn comes */
	TIMEWAIT_RESTARTED = 1 << 2, /* expires later than its place in the queue says */
	TIMEWAIT_CLOSED = 1 << 3,    /* not TIME-WAIT: a cookie's connection that ended otherwise */
};

struct timewait {
	union {
		struct tuple_head key;
		struct {
			uint8_t key_bytes[TUPLE_HEAD_KEY_LEN];
			uint8_t flags; /* TIMEWAIT_... */
			uint8_t reserved[2];
		};
	};
	struct tuple_addrs6 addrs6;
	seq_t snd_nxt, rcv_nxt;
	uint32_t ts_recent;
	uint32_t expires_ms; /* ms32 */
};
static_assert(sizeof(struct timewait) <= 64, "one cache line");

/* ---- life (conn.c) */

/*
 * A connection in CLOSED with the key in place and in the table. holder: the handle that stands there
 * for the tuple, whose place it takes; TABLE_MISS: none does. NULL: none left, or the table is full.
 */
struct rill_conn *conn_create(struct tcp *tcp, const struct tuple *tuple, uint8_t option_set,
	uint8_t handler, void *user, uint32_t holder);

/* The key with its IPv6 part. */
void conn_tuple(const struct rill_conn *conn, struct tuple *tuple);

/* The one place that writes conn->state. */
void conn_step(struct rill_conn *conn, enum fsm_event event);

/*
 * Gives up the place in the table, to a TIME-WAIT object if the tuple is to be held. One that a
 * cookie opened holds it however it ended: nothing else tells an old duplicate of the segment that
 * brought the cookie from the first, so it would open the connection again, and repeat its request.
 * Not while the lane stops, when it opens nothing, nor where TIME-WAIT has no room.
 */
void conn_leave_table(struct tcp *tcp, struct rill_conn *conn);

/*
 * The connection is over: leaves the table, frees its buffers, and waits for the reaper, who tells
 * the application why. Sends nothing. The state becomes CLOSED (or TIME-WAIT's object takes over
 * before).
 */
void conn_end(struct tcp *tcp, struct rill_conn *conn, enum rill_close_reason why);

/* States every invariant of a connection. For tests and debug builds: asserts. */
void conn_check(struct tcp *tcp, const struct rill_conn *conn);

/*
 * Its part about time (check.c), which holds between turns: what is in flight, waits for a window,
 * is owed, opens or closes has a deadline within its RFC's bound; what is idle has none.
 */
void conn_check_deadlines(const struct tcp *tcp, const struct rill_conn *conn);

/* The side-car, made if need be; NULL: none is left. */
struct sidecar *conn_need_sidecar(struct tcp *tcp, struct rill_conn *conn);

/* Gives the side-car back if nothing needs it any more. */
void conn_drop_idle_sidecar(struct tcp *tcp, struct rill_conn *conn);

static inline bool
conn_is_synchronized(const struct rill_conn *conn)
{
	return conn->state >= RILL_ESTABLISHED;
}

/* Can the application still queue data? */
static inline bool
conn_can_send(const struct rill_conn *conn)
{
	return conn->state == RILL_ESTABLISHED || conn->state == RILL_CLOSE_WAIT;
}

/* Does the peer still send data that we would take? */
static inline bool
conn_can_receive(const struct rill_conn *conn)
{
	return conn->state == RILL_ESTABLISHED || conn->state == RILL_FIN_WAIT_1 ||
	       conn->state == RILL_FIN_WAIT_2;
}

/* Sequence numbers sent and not acknowledged, FIN and SYN included. */
static inline uint32_t
conn_outstanding(const struct rill_conn *conn)
{
	return conn->snd_nxt.n - conn->snd_una.n;
}

/* TSval of this moment. */
static inline uint32_t
conn_tsval(const struct rill_conn *conn, ustime now)
{
	return ms32(now) + conn->ts_offset;
}

#endif
