/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TCP_TCP_H
#define RILL_TCP_TCP_H

/*
 * The TCP engine of a lane: everything that its connections share. The turn (lane/lane.c) conducts
 * it through the calls at the end of this file; nothing here reads a clock, draws from the system
 * or knows a port.
 */

#include <rill/lane.h>
#include <rill/options.h>
#include <rte_mbuf.h>

#include "challenge.h"
#include "check.h"
#include "conn.h"
#include "cookie.h"
#include "counters.h"
#include "net.h"
#include "netif.h"
#include "outbox.h"
#include "pmtu.h"
#include "ports.h"
#include "slab.h"
#include "steer.h"
#include "table.h"
#include "token.h"
#include "wheel.h"

#define TCP_ENGINES_MAX 1024 /* lanes of one process */
#define TCP_HANDLERS_MAX 255
#define TCP_LISTENERS_MAX 1024
#define TCP_QUANTUM_BYTES 65536u /* what one connection may send before the next one's turn */
#define TCP_REAP_PER_TURN 4096   /* on_close calls in one turn */
#define TCP_RST_EVERY_US 100     /* replies to strangers: RST and the like, 10,000 a second, */
#define TCP_RST_BURST 1000       /* so many at once */
#define TCP_TRUE_FACTOR 4        /* a queue may pin so many times its bytes in whole buffers */
#define TCP_SNDBUF_AUTO 262144u      /* option sndbuf left at 0 */
#define TCP_SNDBUF_AUTO_MAX 4194304u
#define TCP_CORK_US 200000       /* longest time that cork holds a partial segment back */
#define TCP_ROOM_RETRY_US 1000u      /* who waits for low pools looks again after this time */
#define TCP_REOPENS_PER_TURN 256 /* connections looked at once pools have recovered */
#define TCP_R1_RETRIES 3         /* R1: retransmissions before negative advice [9293 SHLD-10] */
#define TCP_PERSIST_MAX_US 60000000u
#define TCP_SWS_OVERRIDE_US 500000u  /* sender's silly window override [1122 4.2.3.4] */
#define TCP_PAWS_IDLE_MS 2073600000u /* ts_recent is void after 24 days [7323 5.5] */
#define TCP_DEFAULT_MSS4 536         /* without an MSS option [MUST-15] */
#define TCP_DEFAULT_MSS6 1220
#define TCP_MSS_LEAST 48 /* payload per segment, whatever MTU and options say */
#define TCP_LIST_END UINT32_MAX

/* What a listener's address names, the most last. */
enum listener_names {
	LISTENER_ANY,    /* any address of both families */
	LISTENER_FAMILY, /* any of one: "0.0.0.0", "::" */
	LISTENER_ADDR,   /* this one */
};

struct rill_listener {
	struct tcp *tcp; /* NULL: free */
	struct rill_addr addr;
	enum listener_names names;
	uint16_t port;
	uint8_t option_set, handler;
	void *user;
	uint32_t half_open;          /* now */
	ustime cookies_until;        /* cookies that it sent are good until then at most; 0: sent none */
	uint32_t next;               /* of the same port; TCP_LIST_END */
	struct rill_listener *group; /* the same on the next lane of the stack (api/) */
};

struct option_set {
	struct rill_options options;
	uint32_t users;
	uint32_t window_step, window_step6; /* rcvwnd_step() of each family */
} __rte_aligned(256); /* found by a shift: each segment asks for its connection's */

/* A doubly linked list of connections by index, through link_next and link_prev. */
struct conn_list {
	uint32_t head, tail;
	uint32_t count;
};

/* Buffers that are done with, all of one pool: they go back to it together. */
#define TCP_DONE_MAX 64

struct tcp_done {
	struct rte_mempool *pool;
	unsigned int count;
	struct rte_mbuf *mbufs[TCP_DONE_MAX];
};

#define TSO_WAITING_MAX 32 /* large frames that wait for the port (tso.h) */

struct tso {
	uint32_t tickets[TSO_WAITING_MAX]; /* of the last ones: a ring */
	uint32_t count;
};

struct tcp {
	/* Read all the time. */
	struct slab conns, half_opens, timewaits, records, sidecars;
	/* Made when the lane's first connection that paces opens. */
	struct slab bbrs;
	struct rate_stamp *stamps; /* one per record; NULL: not made yet */
	struct table *table;
	struct wheel *wheel;
	struct outbox *outbox;
	struct netif *netif;
	struct net *net;
	struct neighbors *neighbors;
	struct counters *counters;
	struct rte_mempool *rx_pool, *buf_pool, *control_pool;
	uint64_t flow_key; /* of flow labels */
	ustime now; /* of the turn */
	uint32_t now_ms; /* the same as ms32: divided once */
	bool rx_low, buf_low; /* pools at their reserve: nothing more is kept in their buffers */
	/* Free buffers are less than half of rx_pool's reserve: none leaves to the application. */
	bool rx_scarce;
	uint32_t buf_spare;   /* buffers of buf_pool above its reserve, that this turn may still take */
	bool starting; /* the application has not been told of the lane: nothing opens */
	bool accepting;
	/* So many connections may have windows to open again, from this index on, round and round. */
	uint32_t reopen_left, reopen_next;
	struct rill_conn *in_callback; /* whose callback runs now */
	unsigned int guessed; /* segments of the burst that is read, whose connections are guessed */
	struct tcp_done done[2];       /* of rx_pool, and of another; empty between bursts */

	struct conn_list dirty, parked, ended;
	struct option_set *option_sets; /* RILL_OPTION_SETS_MAX; 0: the defaults */
	const struct rill_handler *handlers[TCP_HANDLERS_MAX];
	uint32_t handler_users[TCP_HANDLERS_MAX]; /* connections and listeners */
	unsigned int handlers_count;              /* slots that were ever used */

	/* Opens. */
	struct rill_listener *listeners; /* TCP_LISTENERS_MAX */
	uint16_t *listener_by_port;      /* 65536: index + 1 of the first listener of a port */
	struct siphash_key isn_key; /* and of timestamp offsets */
	struct ports ports;
	struct cookies cookies;
	struct challenge challenge;
	struct token_bucket rst_tokens;
	struct pmtu pmtu; /* paths that carry less than our link */
	struct tso tso;

	/* TIME-WAIT: a ring of indices, the oldest first. */
	uint32_t *timewait_ring;
	uint32_t timewait_head, timewait_count;
	uint32_t timewaits_dead; /* of these, taken over by a new SYN */
	struct wheel_node timewait_timer;

	struct rill_limits limits;
	uint32_t rx_reserve, buf_reserve; /* buffers that stay free */
	uint32_t rx_lent; /* buffers of rx_pool in other lanes' hands, for which the reserve has room */
	uint8_t conn_timer_kind, half_open_timer_kind, timewait_timer_kind;
	struct rill_lane *lane; /* for rill_conn_lane; never looked into here */
	uint16_t number;        /* in tcp_engines */

	/* Which lane of the port a connection belongs to; NULL: there is one only. */
	const struct steer *steer;
	unsigned int steer_self;
};

/*
 * The engines of the process by number: a connection holds the number, since it has no room for a
 * pointer. Written when a lane is made or destroyed only.
 */
extern struct tcp *tcp_engines[TCP_ENGINES_MAX];

static inline struct tcp *
conn_tcp(const struct rill_conn *conn)
{
	struct tcp *tcp = tcp_engines[(conn->timer.owner[1] | conn->timer.owner[2] << 8) &
		(TCP_ENGINES_MAX - 1)];

	RILL_OWNED(tcp->conns.owner);
	return tcp;
}

struct tcp_setup {
	struct rill_lane *lane;
	struct rill_limits limits;
	const struct rill_options *options;
	const uint8_t *secret; /* RILL_SECRET_LEN */
	struct wheel *wheel;
	struct outbox *outbox;
	struct netif *netif;
	struct net *net;
	struct counters *counters;
	struct rte_mempool *rx_pool, *buf_pool, *control_pool;
	uint32_t rx_reserve;
	uint8_t conn_timer_kind, half_open_timer_kind, timewait_timer_kind;
	int numa_node;
	ustime now;
};

/* Returns 0 or a negative errno. */
int tcp_init(struct tcp *tcp, const struct tcp_setup *setup);

/* Frees all. Connections must have ended and been reaped. */
void tcp_fini(struct tcp *tcp);

/* ---- what the turn calls, in this order */

/* The turn begins: time and the state of the pools. */
void tcp_begin(struct tcp *tcp, ustime now);

/*
 * Finds the connections of a burst of 1 .. TABLE_BURST_MAX segments: ahead is told of each as soon as
 * it is read, in order, and asks for what is needed; the second call makes handles of it all. A handle
 * is a hint.
 */
void tcp_lookup_ahead(
	struct tcp *tcp, const struct segment segments[], unsigned int i, uint32_t handles[]);
void tcp_lookup_burst(
	struct tcp *tcp, const struct segment segments[], unsigned int n, uint32_t handles[]);

/* The same segments, valid and for us, in the order of their arrival: takes their mbufs. */
void tcp_input_burst(
	struct tcp *tcp, struct segment segments[], unsigned int n, const uint32_t handles[]);

/* An ICMP error about one of our segments (icmp.c). */
void tcp_icmp_error(struct tcp *tcp, const struct icmp_error *error);

/* A next hop was resolved, or does not answer. */
void tcp_neighbor_event(struct tcp *tcp, uint32_t index, enum neighbor_event event);

/* A node of one of this engine's kinds fired. */
void tcp_conn_timer(struct tcp *tcp, struct wheel_node *node);
void tcp_half_open_timer(struct tcp *tcp, struct wheel_node *node);
void tcp_timewait_timer(struct tcp *tcp);

/* Every connection that has something to say says it, round robin within the outbox's credit. */
void tcp_speak(struct tcp *tcp);

/* Tells the application which connections are over, and frees their slots. Returns how many. */
unsigned int tcp_reap(struct tcp *tcp);

/* As rill_connect, rill_lane_listen and rill_unlisten. */
int tcp_connect(struct tcp *tcp, const struct rill_endpoint *local,
	const struct rill_endpoint *remote, const struct rill_options *options,
	const struct rill_handler *handler, void *user, struct rill_conn **conn);
int tcp_listen(struct tcp *tcp, const struct rill_addr *addr, uint16_t port,
	const struct rill_options *options, const struct rill_handler *handler, void *user,
	struct rill_listener **listener);
int tcp_unlisten(struct tcp *tcp, struct rill_listener *listener);

/* Does a connection wait for its turn to speak or to be reaped? */
bool tcp_is_busy(const struct tcp *tcp);

/*
 * Re-arms a connection's node at its true deadline; used before a deadline is told to the outside.
 */
ustime tcp_settle_conn(struct tcp *tcp, struct wheel_node *node);

/*
 * Ends connections, with RST to their peers: all of them at once, or as many as the outbox has room
 * for RSTs, to be called again once it was emptied.
 */
void tcp_abort_all(struct tcp *tcp, enum rill_close_reason why, bool at_once);

/* This IPv4 address is no longer ours: ends whatever is bound to it, by RST. */
void tcp_addr_lost(struct tcp *tcp, const struct rill_addr *addr);

/*
 * States what holds between turns: conn_check of every connection, and that slabs, table, wheel and
 * lists tell the same story. Walks everything. For tests: asserts.
 */
void tcp_check(struct tcp *tcp);

/* ---- shared by the files of this folder */

/* Will replies to this connection arrive on this lane? */
static inline bool
tcp_is_here(const struct tcp *tcp, const struct tuple *tuple)
{
	return tcp->steer == NULL || steer_lane(tcp->steer, tuple) == tcp->steer_self;
}

static inline const struct rill_options *
conn_options(const struct tcp *tcp, const struct rill_conn *conn)
{
	return &tcp->option_sets[conn->option_set].options;
}

/* Bytes by which the window that we offer opens at least. */
static inline uint32_t
conn_window_step(const struct tcp *tcp, const struct rill_conn *conn)
{
	const struct option_set *set = &tcp->option_sets[conn->option_set];

	return likely(conn->key.family == AF_INET) ? set->window_step : set->window_step6;
}

static inline const struct rill_handler *
conn_handler(const struct tcp *tcp, const struct rill_conn *conn)
{
	return tcp->handlers[conn->handler];
}

static inline struct rill_conn *
tcp_conn_at(const struct tcp *tcp, uint32_t index)
{
	RILL_OWNED(tcp->conns.owner);
	return (struct rill_conn *)tcp->conns.base + index;
}

static inline uint32_t
tcp_conn_index(const struct tcp *tcp, const struct rill_conn *conn)
{
	return (uint32_t)(conn - (const struct rill_conn *)tcp->conns.base);
}

static inline struct record *
tcp_record_at(const struct tcp *tcp, uint32_t index)
{
	RILL_OWNED(tcp->records.owner);
	return (struct record *)tcp->records.base + index;
}

/* The side-car, or NULL. */
static inline struct sidecar *
conn_sidecar(const struct tcp *tcp, const struct rill_conn *conn)
{
	RILL_OWNED(tcp->sidecars.owner);
	return likely(conn->sidecar == SLAB_NONE)
		       ? NULL
		       : (struct sidecar *)tcp->sidecars.base + conn->sidecar;
}

/* Index of an equal option set, made if need be; users raised. Negative errno when full. */
int option_set_get(struct tcp *tcp, const struct rill_options *options);
void option_set_put(struct tcp *tcp, uint8_t index);

/* Index of the handler; users raised. Negative errno when full. */
int handler_get(struct tcp *tcp, const struct rill_handler *handler);
void handler_put(struct tcp *tcp, uint8_t index);

void conn_list_init(struct conn_list *list);
void conn_list_append(struct tcp *tcp, struct conn_list *list, struct rill_conn *conn);
void conn_list_remove(struct tcp *tcp, struct conn_list *list, struct rill_conn *conn);

/* The connection has something to say in this turn. */
static inline void
conn_mark_dirty(struct tcp *tcp, struct rill_conn *conn)
{
	if (conn->flags & (CONN_DIRTY | CONN_PARKED | CONN_ENDED))
		return;
	conn->flags |= CONN_DIRTY;
	conn_list_append(tcp, &tcp->dirty, conn);
}

/* The same, also if it waits for its next hop: there is something to do that needs none. */
void conn_wake(struct tcp *tcp, struct rill_conn *conn);

/* Free buffers of a pool, as this lane's thread can take them. */
uint32_t tcp_pool_free(struct rte_mempool *pool);

/* Buffers of buf_pool were taken for the application: what is left above the reserve shrinks. */
static inline void
tcp_buf_taken(struct tcp *tcp, uint32_t n)
{
	tcp->buf_spare -= RTE_MIN(n, tcp->buf_spare);
	tcp->buf_low = tcp->buf_spare == 0;
}

/* The buffers that are done with go back to their pool: at the end of a burst, at the latest. */
void tcp_done_flush(struct tcp_done *done);

/*
 * While a burst is taken in: a buffer of one segment, of the send queue or received, is done with. An
 * own one of which nobody else holds a reference waits for others of its pool. `next` is not looked
 * at: it is NULL where nb_segs is 1, and lies in another cache line.
 */
static inline void
tcp_give_back(struct tcp *tcp, struct rte_mbuf *mbuf)
{
	struct tcp_done *done = &tcp->done[mbuf->pool != tcp->rx_pool];

	if (unlikely(rte_mbuf_refcnt_read(mbuf) != 1 || !RTE_MBUF_DIRECT(mbuf))) {
		rte_pktmbuf_free_seg(mbuf);
		return;
	}
	RILL_DCHECK(mbuf->next == NULL && mbuf->nb_segs == 1);
	if (unlikely(mbuf->pool != done->pool || done->count == TCP_DONE_MAX)) {
		tcp_done_flush(done);
		done->pool = mbuf->pool;
	}
	done->mbufs[done->count++] = mbuf;
}

/* Are both pools so low that no window opens? */
static inline bool
tcp_windows_held(const struct tcp *tcp)
{
	return tcp->rx_low && tcp->buf_low;
}

/* What a buffer of one segment pins, in bytes. */
static inline uint32_t
buffer_true_size(const struct rte_mbuf *mbuf)
{
	return (uint32_t)sizeof(*mbuf) + mbuf->buf_len;
}

/* Whole buffers that a chain pins, in bytes. */
uint32_t mbuf_true_size(const struct rte_mbuf *mbuf);

/*
 * A payload that will be kept: the same mbuf, or a copy of it in buf_pool when it sits in NIC
 * buffers that are scarce. NULL if neither is possible: the caller still owns the mbuf.
 */
struct rte_mbuf *tcp_keep_payload(struct tcp *tcp, struct rte_mbuf *mbuf);

#endif
