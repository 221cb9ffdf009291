/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_LANE_H
#define RILL_LANE_H

/**
 * @file
 * Lanes, and how to drive one yourself.
 *
 * rill_stack_run drives the lanes of a stack. An embedder (a simulator, a fuzzer, another event loop)
 * makes a lane without a port and owns packets and time:
 *
 *     rill_lane_create(&config, &lane);
 *     for (;;) {
 *             n = frames that arrived;
 *             rill_lane_turn(lane, now_us, in, n);
 *             while ((n = rill_lane_take(lane, out, 64)) > 0)
 *                     transmit(out, n);
 *             sleep until rill_lane_deadline(lane) or the next frame;
 *     }
 *
 * Nothing in a lane reads a clock: the same calls with the same packets, times and secrets give the
 * same bytes.
 */

#include <rill/conn.h>
#include <rill/options.h>
#include <rill/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Addresses that one lane's port may have: as the client of one server, ten million connections take
 *  155, of 64512 ports each. */
#define RILL_ADDRS_MAX 256

/** Of these, those that are ranges, of any length (rill_prefix.more). */
#define RILL_RANGES_MAX 8

/** Routes that its configuration may have; rill_lane_route_add adds more. */
#define RILL_ROUTES_MAX 32

/** No deadline: the lane has nothing to do until a packet arrives. */
#define RILL_NEVER UINT64_MAX

/** Bytes of the secrets from which sequence numbers, ports and hashes are derived. */
#define RILL_SECRET_LEN 32

/** Bounds; 0 takes the default. They are the same for every lane of a stack. */
struct rill_limits {
	uint32_t max_conns;    /**< connections with a handle; default 16384, at most 2^30 - 1 */
	uint32_t timewait_max; /**< TIME-WAIT entries, the oldest dropped beyond; default max_conns */
	uint32_t syn_max;      /**< half-open passive connections of all listeners; default 4096 */
	uint32_t sidecars;     /**< connections with holes, kept data or recovery; default max_conns/8 + 64 */
	uint32_t bbrs;         /**< connections with BBR, the others fall back to CUBIC; default max_conns/16 + 64 */
	uint32_t records;      /**< segment records (unacknowledged pieces); default 4 * max_conns + 4096 */
	uint32_t buffers;      /**< NIC buffers of the lane; default from the port's rings: 16384 */
	uint32_t msl_ms;       /**< maximum segment lifetime; default 30000 (RFC 9293 says 120000) */
};

struct rill_lane_config {
	bool ethernet;                   /**< frames are Ethernet; false: bare IP packets, no ARP */
	uint8_t mac[6];                  /**< ours, if ethernet; zero: a local one from the secret */
	uint16_t vlan;                   /**< frames bear the tag of this VLAN, 1 .. 4094 [802.1Q]; 0: none */
	uint8_t vlan_priority;           /**< in that tag, 0 .. 7 */
	uint16_t mtu;                    /**< largest IP packet; 0: 1500 */
	struct rill_prefix addrs[RILL_ADDRS_MAX];
	unsigned int addrs_count;
	struct rill_addr gateway;        /**< IPv4's default route; family 0: none */
	struct rill_addr gateway6;       /**< IPv6's: on the network of one of addrs, or link-local */
	struct rill_route routes[RILL_ROUTES_MAX]; /**< beside the two default routes, whose metric is 0 */
	unsigned int routes_count;
	bool ip6_autoconf;               /**< listen to IPv6 routers: default routes, networks, addresses
	                                      [4861 6.3, 4862 5.5] */
	bool ip6_unprobed;               /**< use IPv6 addresses at once, instead of asking for 1 s to 2 s
	                                      whether somebody else has them [4862 5.4] */
	bool ip4_probe;                  /**< ask for 4 s to 7 s whether somebody else has an IPv4 address,
	                                      before it is used [5227 2.1.1]; not for those of a range */
	bool ip4_yield;                  /**< give an IPv4 address up, and end its connections, when another
	                                      host claims it twice within 10 s; else, and in a range, it is
	                                      defended, once in 10 s, and kept [5227 2.4] */
	struct rill_limits limits;
	const struct rill_options *options; /**< defaults of connections; NULL: rill_options_default */
	const uint8_t *secret;           /**< RILL_SECRET_LEN bytes; NULL: from the system */
	const char *name;                /**< names its mempools; NULL: chosen */
	int numa_node;                   /**< where memory comes from; -1: any */
};

/** Writes the defaults. */
RILL_API void rill_lane_config_default(struct rill_lane_config *config);

/**
 * Makes a lane without a port. EAL must run or can be started: if it does not run yet, Rill starts it
 * without hugepages and devices. Returns 0; -EINVAL, -ENOMEM, with rill_error() saying which option.
 */
RILL_API int rill_lane_create(const struct rill_lane_config *config, struct rill_lane **lane);

/** Ends every connection with RILL_CLOSE_STOPPED, drops what it wanted to send, frees all. */
RILL_API void rill_lane_destroy(struct rill_lane *lane);

/** The most frames that one turn takes. */
#define RILL_BURST_MAX 64

/**
 * One turn: takes ownership of in[0 .. n), n <= RILL_BURST_MAX, fires what is due, runs callbacks.
 * now_us never goes back. Never sleeps, never reads a clock. Returns the number of frames that wait
 * to be taken.
 */
RILL_API int rill_lane_turn(
	struct rill_lane *lane, uint64_t now_us, struct rte_mbuf *in[], unsigned int n);

/**
 * Takes up to cap of the frames that the lane wants sent, in order; returns how many. A frame is
 * read-only (the connection may still refer to its bytes): whoever changes it, keeps it or hands it
 * to another stack copies it first. Free it on the lane's thread.
 */
RILL_API unsigned int rill_lane_take(struct rill_lane *lane, struct rte_mbuf *out[], unsigned int cap);

/**
 * When the lane wants its next turn, in µs of the clock of rill_lane_turn: exact to 1 ms or better,
 * "now" while anything waits to be said, RILL_NEVER when nothing will happen by itself.
 */
RILL_API uint64_t rill_lane_deadline(struct rill_lane *lane);

/** The time given to the turn in progress, or to the last one. */
RILL_API uint64_t rill_lane_now(const struct rill_lane *lane);

/** The lane's number in its stack, from 0; an embedder's lane is 0. */
RILL_API unsigned int rill_lane_index(const struct rill_lane *lane);

/** A pointer of the application's for each lane. */
RILL_API void *rill_lane_user(const struct rill_lane *lane);
RILL_API void rill_lane_set_user(struct rill_lane *lane, void *user);

/**
 * Runs fn(lane, arg) on the lane, in one of its next turns. From any thread.
 * Returns 0, or -EAGAIN when its mailbox is full or its stack has stopped running.
 */
RILL_API int rill_lane_post(
	struct rill_lane *lane, void (*fn)(struct rill_lane *lane, void *arg), void *arg);

/** Adds or removes an address, or a range by its first one, on the lane's thread. 0; -EEXIST, -ENOENT, -ENOBUFS, -EINVAL. */
RILL_API int rill_lane_addr_add(struct rill_lane *lane, const struct rill_prefix *addr);
RILL_API int rill_lane_addr_del(struct rill_lane *lane, const struct rill_addr *addr);

/**
 * Adds or removes a route by its prefix (length 0: the default route) and gateway, on the lane's
 * thread. The longest prefix is taken that a destination is in; of its gateways the one with the lowest
 * metric, or while nobody answers there, the next: until it answers again. To remove, gateway NULL
 * stands for all of the prefix. Returns 0; -EEXIST (also: one with that metric), -ENOENT, -ENOBUFS,
 * -EINVAL (gateway not on a connected network).
 */
RILL_API int rill_lane_route_add(struct rill_lane *lane, const struct rill_prefix *dst,
	const struct rill_addr *gateway, uint32_t metric);
RILL_API int rill_lane_route_del(
	struct rill_lane *lane, const struct rill_prefix *dst, const struct rill_addr *gateway);

/**
 * The state of a 4-tuple: also of those that have no handle, in SYN-RECEIVED and TIME-WAIT.
 * Returns an enum rill_state; RILL_CLOSED when there is none.
 */
RILL_API enum rill_state rill_lane_tuple_info(struct rill_lane *lane,
	const struct rill_endpoint *local, const struct rill_endpoint *remote);

/** Calls fn for every connection that has a handle; fn may abort or close it. Returns the count. */
RILL_API unsigned int rill_lane_each(struct rill_lane *lane,
	void (*fn)(struct rill_conn *conn, void *arg), void *arg);

/** A timer of the application's. Zero it before first use; it may be embedded anywhere. */
struct rill_timer {
	void *opaque[4];
	void (*fn)(struct rill_lane *lane, struct rill_timer *timer);
};

/** The longest delay of a timer: about 2.3 hours. */
#define RILL_TIMER_MAX_US 8300000000ull

/**
 * Runs timer->fn once, delay_us from now, in a turn (never early; late by at most the turn and 8 µs).
 * A running timer is set anew. Returns 0, -EINVAL without fn, -ERANGE beyond RILL_TIMER_MAX_US.
 */
RILL_API int rill_timer_start(struct rill_lane *lane, struct rill_timer *timer, uint64_t delay_us);

/** Stops it; returns 1 if it was running, else 0. */
RILL_API int rill_timer_stop(struct rill_lane *lane, struct rill_timer *timer);

#ifdef __cplusplus
}
#endif

#endif
