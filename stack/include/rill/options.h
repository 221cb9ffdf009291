/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_OPTIONS_H
#define RILL_OPTIONS_H

/**
 * @file
 * Options of connections.
 *
 * A stack has defaults (struct rill_config), a listener or a rill_connect call may bring its own
 * set, and rill_set changes one option of one connection. Connections with equal sets share them:
 * a lane keeps up to RILL_OPTION_SETS_MAX different sets.
 */

#include <rill/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Different option sets that one lane keeps; one more is refused with -ENOBUFS. */
#define RILL_OPTION_SETS_MAX 256

/**
 * Congestion control algorithms: values of the option congestion_control. A connection that changes
 * it goes on from the window that it has.
 */
enum rill_cc {
	RILL_CC_CUBIC,   /**< RFC 9438, with HyStart++ (9406): the default */
	RILL_CC_NEWRENO, /**< RFC 5681, 6582 */
	RILL_CC_NONE,    /**< the window never changes: for links that somebody else polices */
	RILL_CC_DCTCP,   /**< RFC 8257: for networks that mark early, all of whose hosts use it */
	RILL_CC_BBR,     /**< version 3, as drafted: paced at the bandwidth of the path */
	RILL_CC_COUNT
};

/** "cubic", "newreno" and so on; NULL where there is none of that number. */
RILL_API const char *rill_cc_name(enum rill_cc algorithm);

/** The algorithm of that name, or RILL_CC_COUNT. */
RILL_API enum rill_cc rill_cc_by_name(const char *name);

/**
 * All options: name, default, least, most, what it means.
 * Those that the three-way handshake fixes (mss, rcvbuf's scale, sack, timestamps, ecn, syn_retries,
 * rto_initial_us) have an effect only before it; rill_set refuses those of a SYN while it runs.
 */
#define RILL_OPTION_LIST(X)                                                                        \
	X(nodelay, 0, 0, 1, "send small segments at once: Nagle's algorithm off [9293 3.7.4]")     \
	X(cork, 0, 0, 1, "hold partial segments back until uncorked, 200 ms at most")              \
	X(mss, 0, 0, 65495, "largest segment to offer and to send, bytes; 0: from the MTU")        \
	X(mss_floor, 216, 48, 1220, "a peer that takes less in a segment is sent this much all the same, bytes") \
	X(rcvbuf, 262144, 2048, 1073725440, "receive buffer, bytes: bounds the offered window")    \
	X(sndbuf, 0, 0, 1073725440, "send queue, bytes, unacknowledged data included; 0: 256 KiB, growing to twice cwnd, 4 MiB at most") \
	X(window_scale, 1, 0, 1, "offer window scaling [7323 2]")                                  \
	X(sack, 1, 0, 1, "offer selective acknowledgment [2018]")                                  \
	X(dsack, 1, 0, 1, "report duplicates by SACK [2883]")                                      \
	X(timestamps, 1, 0, 1, "offer timestamps [7323 3]")                                        \
	X(ecn, 0, 0, 1, "ask for ECN when connecting, agree to it when listening [3168]")         \
	X(initial_window, 10, 1, 10, "initial congestion window, segments [6928]")                 \
	X(slow_start_after_idle, 1, 0, 1, "restart from the initial window after one idle RTO [5681 4.1]") \
	X(congestion_control, RILL_CC_CUBIC, 0, RILL_CC_COUNT - 1, "enum rill_cc: how much may be in flight") \
	X(delayed_ack_us, 40000, 0, 499999, "longest delay of an ACK, µs; 0: none [9293 3.8.6.3]") \
	X(rto_initial_us, 1000000, 1000, 60000000, "RTO before the first RTT sample, µs [6298 2.1]") \
	X(rto_min_us, 200000, 1000, 60000000, "least RTO, µs [6298 2.4]")                          \
	X(syn_retries, 7, 0, 15, "retransmissions of a SYN before the attempt fails [9293 3.8.3]") \
	X(synack_retries, 5, 0, 15, "retransmissions of a SYN-ACK to a half-open peer")            \
	X(retries, 15, 3, 255, "retransmissions of data (R2) before the connection ends [9293 3.8.3]") \
	X(user_timeout_ms, 0, 0, 2147483647, "data unacknowledged for longer ends the connection; 0: by retries [9293 3.9.1.5]") \
	X(user_timeout_option, 0, 0, 1, "tell the peer user_timeout_ms, and heed its own, which can only make ours longer, to an hour at most [5482]") \
	X(keepalive_idle_ms, 0, 0, 2147483647, "idle time before the first keepalive probe; 0: no probes [9293 3.8.4]") \
	X(keepalive_interval_ms, 75000, 1, 2147483647, "time between keepalive probes")            \
	X(keepalive_count, 9, 1, 255, "unanswered keepalive probes that end the connection")       \
	X(fin_wait2_ms, 60000, 0, 2147483647, "time in FIN-WAIT-2 after rill_close; 0: for ever")   \
	X(linger_ms, -1, -1, 2147483647, "rill_close: -1 delivers what is queued, 0 resets at once, else resets what is left after this time") \
	X(manual_consume, 0, 0, 1, "delivered bytes stay unread until rill_consume")               \
	X(pmtu_min, 552, 128, 65535, "least path MTU that routers and black holes can impose, bytes [1191 3]") \
	X(black_hole_retries, 3, 0, 127, "timeouts of a full segment after which segments shrink, and again after as many; 0: never [4821 7.7]") \
	X(pmtu_probing, 1, 0, 1, "where a path's MTU was lowered, try longer segments by and by; needs sack [4821 7]") \
	X(ttl, 64, 1, 255, "IPv4 time to live, IPv6 hop limit [9293 3.9.2, 8200 3]")               \
	X(dscp, 0, 0, 63, "differentiated services code point [9293 3.9.1.9]")                     \
	X(soft_errors, 1, 0, 1, "report soft errors through on_error [9293 3.9.1.8]")              \
	X(backlog, 1024, 1, 1048576, "half-open connections of a listener")                        \
	X(challenge_acks, 10, 1, 15, "challenge ACKs of a connection in a second at most [5961 7]") \
	X(syn_cookies, 1, 0, 1, "answer SYNs by cookies while the backlog is full, else drop them [4987 3.6]")

/** Names an option in rill_set: RILL_OPT_nodelay and so on. */
enum rill_option {
#define X(name, def, least, most, text) RILL_OPT_##name,
	RILL_OPTION_LIST(X)
#undef X
	RILL_OPT_COUNT
};

/** A whole set of options. Fill it with rill_options_default before changing some. */
struct rill_options {
#define X(name, def, least, most, text) int32_t name;
	RILL_OPTION_LIST(X)
#undef X
};

/** Writes the defaults of the list above. */
RILL_API void rill_options_default(struct rill_options *options);

/**
 * Checks every value against its bounds. Returns 0, or -EINVAL; then rill_error() names the first
 * option that is out of bounds.
 */
RILL_API int rill_options_check(const struct rill_options *options);

/** The option's name as in the list, or NULL where there is none of that number. */
RILL_API const char *rill_option_name(enum rill_option option);

/** The option of that name, or RILL_OPT_COUNT. */
RILL_API enum rill_option rill_option_by_name(const char *name);

#ifdef __cplusplus
}
#endif

#endif
