/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LOAD_LANE_H
#define LOAD_LANE_H

/*
 * What one lane does: opens its share of the connections, then, once it is told to begin, keeps its
 * share of the rates for a warm-up and a measured time, waits a little for late replies, and is
 * finished.
 *
 * A request that is due goes to the connection that has waited longest for one, if that has room for
 * it (--pipeline); where none has, the schedule falls behind, and catches up later: nothing that was
 * due is dropped, and each counts from when it was due. What has no reply at the end, or whose
 * connection fails, counts as if the reply had come at the end; and so do connections that do not
 * open.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rill/conn.h>
#include <rill/lane.h>
#include <rill/stats.h>

#include "histogram.h"
#include "payload.h"
#include "pool.h"
#include "schedule.h"
#include "settings.h"
#include "share.h"

struct session;

/* Name, sentence for the summary. All only grow. */
#define LOAD_COUNTER_LIST(X)                                                                       \
	X(requests, "requests sent")                                                               \
	X(replies, "replies received")                                                             \
	X(opened, "connections opened")                                                            \
	X(finished, "connections of mode connect that ended well")                                \
	X(failed, "connections that did not open")                                                 \
	X(lost, "connections that ended before their time")                                        \
	X(not_begun, "connections that could not be begun: no free port or no room")               \
	X(mismatches, "replies that were not the request's bytes (--verify)")                      \
	X(unexpected, "bytes that came without a request")

struct load_counters {
#define X(name, text) uint64_t name;
	LOAD_COUNTER_LIST(X)
#undef X
};

/* Written by its lane only, read by any thread. */
#define LOAD_COUNT_N(lane, name, n)                                                                \
	__atomic_store_n(&(lane)->count.name, (lane)->count.name + (n), __ATOMIC_RELAXED)
#define LOAD_COUNT(lane, name) LOAD_COUNT_N(lane, name, 1)

enum load_phase {
	PHASE_OPENING,  /* connections are opened */
	PHASE_RUNNING,  /* the load; measured from from_us to to_us */
	PHASE_WAITING,  /* nothing more gets due; what is late may be sent, and replies may come */
	PHASE_FINISHED,
};

/* How long late replies are waited for. */
#define LOAD_GRACE_US 1000000u
/* How soon what failed is tried again. */
#define LOAD_RETRY_US 10000u
/* Sessions that start within one turn, when all start at once. */
#define LOAD_STARTS_PER_TURN 1024u

struct load_lane {
	/* Read on every request. */
	const struct load_settings *settings;
	const struct payload *payload;
	struct rill_lane *rill;
	enum load_phase phase;           /* of others: read by atomic loads */
	uint64_t from_us, to_us;         /* what is due in [from, to) is measured */
	uint64_t next_us;                /* when the next request is due that can be sent */
	struct schedule requests, connects;
	struct session *ready, *ready_tail; /* held connections with room for a request */
	struct load_counters count;
	uint64_t under_way;              /* requests without their reply yet */

	struct load_share share;
	struct rill_options upload_options;
	uint32_t begun[LOAD_KINDS];      /* connections that there are, opening ones included */
	uint32_t open[LOAD_KINDS];       /* those that have opened; read by others */
	uint32_t opening;                /* held ones in their handshake */
	uint32_t next_pair;              /* of source and target, for the next connection */
	unsigned int port;               /* whose addresses it sends from */
	uint32_t targets;
	struct pool sessions;
	uint64_t closed[RILL_CLOSE_REASON_COUNT]; /* by reason, those that failed or were lost */
	uint64_t unanswered;             /* measured requests without a reply in the end */

	struct histogram reply_us;       /* due to reply */
	struct histogram connect_us;     /* mode connect: due to open */
	struct histogram late_us;        /* due to taken off the schedule: our own lateness, or --pipeline */
	struct rill_stats stats_from, stats_to;
	struct load_counters count_from, count_to;
	uint64_t counted_from_us, counted_to_us; /* when these were read: from_us and to_us, or a turn later */
	struct rill_timer due_timer, fill_timer, phase_timer;
};

/* The options of connections of a lane with so many uploads: these share half of its buffers, so that
 * requests find some too. For other connections: 0. */
void load_conn_options(const struct load_settings *settings, uint32_t uploads,
	struct rill_options *options);

/* Reserves memory for lane number `index` of `lanes`. Returns 0 or -ENOMEM. What it points to must
 * outlive it. */
int load_lane_init(struct load_lane *lane, const struct load_settings *settings,
	const struct payload *payload, unsigned int index, unsigned int lanes);
void load_lane_fini(struct load_lane *lane);

/* ---- on the lane's thread */

/* The lane runs: connections are opened from now on. */
void load_lane_start(struct load_lane *lane, struct rill_lane *rill);

/* The load begins; for rill_lane_post with a struct load_lane. */
void load_lane_begin(struct rill_lane *rill, void *lane);

/* The measured time ends now, if it has not ended; for rill_lane_post. */
void load_lane_end(struct rill_lane *rill, void *lane);

/* Sends what is due. Cheap when nothing is. */
void load_lane_pump(struct load_lane *lane);

/* ---- from any thread */

/* Held connections that there are to be, and those that are open. */
uint32_t load_lane_wanted(const struct load_lane *lane);
uint32_t load_lane_open(const struct load_lane *lane);
bool load_lane_is_finished(const struct load_lane *lane);

/* ---- for session.c */

/* Does what was due then belong to the measurement? */
static inline bool
load_lane_measures(const struct load_lane *lane, uint64_t due_us)
{
	return due_us >= lane->from_us && due_us < lane->to_us;
}

static inline uint64_t
load_lane_now(const struct load_lane *lane)
{
	return rill_lane_now(lane->rill);
}

/* The session may have room: then it gets a request at once (no rate), or waits in the queue. */
void load_lane_ready(struct load_lane *lane, struct session *session);

/* It leaves the queue, if it is there. */
void load_lane_unready(struct load_lane *lane, struct session *session);

/* A request whose reply will never come. */
void load_lane_give_up(struct load_lane *lane, uint64_t due_us);

/* A connection of mode connect that will never open, and so have no reply. */
void load_lane_give_up_open(struct load_lane *lane, uint64_t due_us);

/* A connection has opened; it has ended, and another may take its place. */
void load_lane_opened(struct load_lane *lane, enum load_kind kind);
void load_lane_ended(struct load_lane *lane, enum load_kind kind, bool was_open, bool well);

#endif
