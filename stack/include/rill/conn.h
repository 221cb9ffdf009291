/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_CONN_H
#define RILL_CONN_H

/**
 * @file
 * Connections: listen, connect, send, receive, close.
 */

#include <rill/options.h>
#include <rill/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** RFC 9293 section 3.3.2. */
enum rill_state {
	RILL_CLOSED,
	RILL_LISTEN,
	RILL_SYN_SENT,
	RILL_SYN_RECEIVED,
	RILL_ESTABLISHED,
	RILL_FIN_WAIT_1,
	RILL_FIN_WAIT_2,
	RILL_CLOSE_WAIT,
	RILL_CLOSING,
	RILL_LAST_ACK,
	RILL_TIME_WAIT,
	RILL_STATE_COUNT
};

/** The state's name as RFC 9293 spells it, such as "FIN-WAIT-1". NULL beyond RILL_STATE_COUNT. */
RILL_API const char *rill_state_name(enum rill_state state);

/** Why a connection ended. */
enum rill_close_reason {
	RILL_CLOSE_DONE,        /**< both sides finished, and everything sent was acknowledged */
	RILL_CLOSE_REFUSED,     /**< the peer answered our SYN with RST (ECONNREFUSED) */
	RILL_CLOSE_RESET,       /**< the peer sent RST (ECONNRESET) */
	RILL_CLOSE_TIMEOUT,     /**< retries, user timeout or keepalive ran out (ETIMEDOUT) */
	RILL_CLOSE_UNREACHABLE, /**< no route or no neighbour during open (EHOSTUNREACH) */
	RILL_CLOSE_ABORTED,     /**< this side aborted: rill_abort, or rill_close with unread data */
	RILL_CLOSE_STOPPED,     /**< the stack stopped */
	RILL_CLOSE_REASON_COUNT
};

/** The reason in words, such as "reset by peer". NULL beyond RILL_CLOSE_REASON_COUNT. */
RILL_API const char *rill_close_reason_name(enum rill_close_reason why);

/**
 * What the application is told. All run on the connection's lane, inside its turn, and never nest.
 * A NULL member means: not interested (data is then freed). The struct is kept by reference and must
 * live as long as a listener or connection that uses it.
 */
struct rill_handler {
	/** The handshake is done, in both roles. First call for a connection, but for a failed
	 *  rill_connect, which gets only on_close. */
	void (*on_open)(struct rill_conn *conn);

	/**
	 * Bytes in order; data may be a chain, and is the application's to free or to send. What it
	 * keeps is missing where the NIC receives: once only half of the lane's reserve is left, all
	 * that comes is copied into the lane's other buffers, and when these are used up as well,
	 * dropped, for all connections, until something is freed. ACKs still arrive.
	 */
	void (*on_data)(struct rill_conn *conn, struct rte_mbuf *data);

	/** The peer acknowledged bytes: there is room in the send queue again. */
	void (*on_sent)(struct rill_conn *conn, uint32_t bytes_acked);

	/** The peer finished sending, and all its data has been delivered: half-close. Sending goes
	 *  on until rill_shutdown or rill_close. */
	void (*on_eof)(struct rill_conn *conn);

	/** Urgent data is announced: bytes_left bytes up to the urgent mark have not been delivered.
	 *  Called again when the mark advances [9293 3.8.5]. */
	void (*on_urgent)(struct rill_conn *conn, uint32_t bytes_left);

	/** A soft error: err is an errno value (EHOSTUNREACH, ENETUNREACH, ETIMEDOUT after R1
	 *  retransmissions, ...). The connection lives on [9293 3.9.1.8]. */
	void (*on_error)(struct rill_conn *conn, int err);

	/** The last call for this handle, which is void once it returns. Runs on entering TIME-WAIT,
	 *  on CLOSED, or on loss of the connection, after the callback in progress has returned. */
	void (*on_close)(struct rill_conn *conn, enum rill_close_reason why);
};

/**
 * Listens on every lane of the stack: all or none. addr is one of
 *   NULL, family 0   any local address of both families
 *   0.0.0.0          any IPv4 address, and no IPv6 ones
 *   ::               any IPv6 address, and no IPv4 ones: as a socket with IPV6_V6ONLY
 *   an own address   that one
 * These may stand side by side on one port: a SYN goes to the listener that names most, from the last
 * row to the first. A child's IPv4 address is never written as an IPv6 one (::ffff:192.0.2.1).
 * options NULL means the stack's defaults. user is the first value of rill_conn_user of each child.
 * The call works before and while the stack runs; while it runs, from any thread but a lane's own.
 * Returns 0; -EADDRINUSE, -EADDRNOTAVAIL (addr is not of this stack), -EINVAL, -ENOBUFS.
 */
RILL_API int rill_listen(struct rill_stack *stack, const struct rill_addr *addr, uint16_t port,
	const struct rill_options *options, const struct rill_handler *handler, void *user,
	struct rill_listener **listener);

/** The same on one lane, on its thread: for embedders. */
RILL_API int rill_lane_listen(struct rill_lane *lane, const struct rill_addr *addr, uint16_t port,
	const struct rill_options *options, const struct rill_handler *handler, void *user,
	struct rill_listener **listener);

/**
 * Ends listening. Half-open connections are dropped; established children are kept. The handle is
 * void afterwards. A listener of rill_listen may be ended from any thread; from a lane's own, the other
 * lanes follow in one of their next turns. Returns 0; -EINVAL for a handle that is none, -EAGAIN when
 * another lane's mailbox is full: that lane goes on listening.
 */
RILL_API int rill_unlisten(struct rill_listener *listener);

/**
 * Opens a connection from this lane. local may be NULL, or leave address or port 0: then the address
 * comes from the route and the port is chosen at random [6056] such that replies reach this lane.
 * A link-local IPv6 address needs no scope: the lane's port is the interface that it is meant on.
 * on_open or on_close follows, never inside the call.
 * Returns 0; -EINVAL (no such kind of remote, or ends of different families), -ENETUNREACH (no
 * route), -EADDRNOTAVAIL (no free port, local is not ours, or replies to its port would come to another
 * lane of the NIC port), -EADDRINUSE (the 4-tuple is taken), -ENOBUFS (max_conns).
 */
RILL_API int rill_connect(struct rill_lane *lane, const struct rill_endpoint *local,
	const struct rill_endpoint *remote, const struct rill_options *options,
	const struct rill_handler *handler, void *user, struct rill_conn **conn);

/**
 * Queues a chain for sending, all or nothing, without copying. Returns
 *   0            the chain is Rill's; its bytes must not change until acknowledged
 *   -EAGAIN      the queue is full; the chain is still yours, and on_sent follows once a quarter of
 *                the queue is free
 *   -EPIPE       after rill_shutdown or rill_close
 *   -ENOTCONN    the connection has ended; or was not opened yet
 *   -EMSGSIZE    longer than sndbuf
 *   -ENOBUFS     the lane's buffers are at their reserve; try again on on_sent or later
 * An empty chain is taken and freed.
 */
RILL_API int rill_send(struct rill_conn *conn, struct rte_mbuf *data);

/**
 * Copies bytes into the send queue. Returns how many were taken (possibly fewer than len), or what
 * rill_send returns: -EAGAIN when not one was.
 */
RILL_API int rill_write(struct rill_conn *conn, const void *data, uint32_t len);

/** As rill_write, all or nothing, and the last byte is marked urgent [9293 3.8.5]. Returns 0. */
RILL_API int rill_send_urgent(struct rill_conn *conn, const void *data, uint32_t len);

/** Bytes up to the peer's urgent mark that were not delivered yet; 0: none [9293 3.8.5]. */
RILL_API uint32_t rill_urgent_left(const struct rill_conn *conn);

/** Bytes that rill_send would take now. */
RILL_API uint32_t rill_send_room(const struct rill_conn *conn);

/** Stops on_data and on_eof: what arrives is kept, and the offered window closes. */
RILL_API int rill_pause(struct rill_conn *conn);

/** Delivers what was kept, after the current callback, and goes on. */
RILL_API int rill_resume(struct rill_conn *conn);

/**
 * Under the option manual_consume: tells that bytes which on_data delivered have been used, so that
 * the window may open. Returns 0, or -EINVAL when more than was delivered.
 */
RILL_API int rill_consume(struct rill_conn *conn, uint32_t bytes);

/** FIN after the queued data; receiving goes on. Returns 0, -ENOTCONN, or -EPIPE the second time. */
RILL_API int rill_shutdown(struct rill_conn *conn);

/**
 * FIN after the queued data, and no more receiving: only on_sent and on_close follow. With unread
 * data (kept by rill_pause, or not consumed) RST is sent instead, and so it is to data that arrives
 * later [9293 3.6.1]. Returns 0, or -ENOTCONN the second time.
 */
RILL_API int rill_close(struct rill_conn *conn);

/** RST, and everything queued is dropped; only on_close follows. Returns 0, or -ENOTCONN. */
RILL_API int rill_abort(struct rill_conn *conn);

/**
 * Changes one option. Returns 0, -EINVAL (value out of bounds), -ENOTSUP, -ENOBUFS; -EBUSY: the
 * handshake fixes this option, and is under way.
 */
RILL_API int rill_set(struct rill_conn *conn, enum rill_option option, int32_t value);

/** What is known of a connection; a snapshot. */
struct rill_conn_info {
	struct rill_endpoint local, remote;
	enum rill_state state;
	uint32_t cwnd, ssthresh;    /**< bytes */
	uint32_t flight;            /**< bytes sent and neither acknowledged nor known to be lost */
	uint32_t srtt_us, rttvar_us, rto_us;
	uint32_t mss;               /**< payload bytes of a full segment */
	uint32_t snd_wnd, rcv_wnd;  /**< the peer's offer and ours, bytes */
	uint32_t snd_queued;        /**< bytes in the send queue, unacknowledged ones included */
	uint32_t snd_unsent;        /**< of those: not sent yet */
	uint32_t rcv_queued;        /**< bytes kept by rill_pause */
	uint32_t rcv_unread;        /**< bytes delivered and not consumed (manual_consume) */
	uint32_t out_of_order;      /**< bytes beyond a hole */
	uint32_t retransmits;       /**< segments sent again, ever */
	uint8_t retries;            /**< retransmissions in a row without progress */
	const char *congestion_control; /**< name of the algorithm at work */
	bool in_recovery;           /**< fast recovery or after an RTO */
	bool sack, timestamps, ecn; /**< negotiated */
	uint8_t snd_wscale, rcv_wscale;
	uint64_t bytes_in, bytes_out; /**< delivered; acknowledged by the peer */
	int error;                  /**< the last soft error as an errno value; reading clears it */
};

/** Fills info in. Returns 0. */
RILL_API int rill_conn_info(struct rill_conn *conn, struct rill_conn_info *info);

RILL_API void *rill_conn_user(const struct rill_conn *conn);
RILL_API void rill_conn_set_user(struct rill_conn *conn, void *user);
RILL_API struct rill_lane *rill_conn_lane(const struct rill_conn *conn);

#ifdef __cplusplus
}
#endif

#endif
