/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_mbuf.h>

#include "conn.h"
#include "pace.h"
#include "pathmtu.h"
#include "reassembly.h"
#include "scoreboard.h"
#include "tcp.h"
#include "timers.h"
#include "timewait.h"
#include "txq.h"

void
conn_list_init(struct conn_list *list)
{
	*list = (struct conn_list){TCP_LIST_END, TCP_LIST_END, 0};
}

void
conn_list_append(struct tcp *tcp, struct conn_list *list, struct rill_conn *conn)
{
	uint32_t index = tcp_conn_index(tcp, conn);

	conn->link_next = TCP_LIST_END;
	conn->link_prev = list->tail;
	if (list->tail == TCP_LIST_END)
		list->head = index;
	else
		tcp_conn_at(tcp, list->tail)->link_next = index;
	list->tail = index;
	list->count++;
}

void
conn_list_remove(struct tcp *tcp, struct conn_list *list, struct rill_conn *conn)
{
	if (conn->link_prev == TCP_LIST_END)
		list->head = conn->link_next;
	else
		tcp_conn_at(tcp, conn->link_prev)->link_next = conn->link_next;
	if (conn->link_next == TCP_LIST_END)
		list->tail = conn->link_prev;
	else
		tcp_conn_at(tcp, conn->link_next)->link_prev = conn->link_prev;
	list->count--;
}

void
conn_wake(struct tcp *tcp, struct rill_conn *conn)
{
	if (conn->flags & CONN_PARKED) {
		conn_list_remove(tcp, &tcp->parked, conn);
		conn->flags &= ~CONN_PARKED;
	}
	conn_mark_dirty(tcp, conn);
}

static void
conn_unlist(struct tcp *tcp, struct rill_conn *conn)
{
	if (conn->flags & CONN_DIRTY)
		conn_list_remove(tcp, &tcp->dirty, conn);
	else if (conn->flags & CONN_PARKED)
		conn_list_remove(tcp, &tcp->parked, conn);
	conn->flags &= ~(CONN_DIRTY | CONN_PARKED);
}

void
conn_tuple(const struct rill_conn *conn, struct tuple *tuple)
{
	tuple->head = conn->key;
	tuple->addrs6 = conn->addrs6;
}

void
conn_step(struct rill_conn *conn, enum fsm_event event)
{
	enum rill_state next = fsm_next((enum rill_state)conn->state, event);

	RILL_ASSERT(next != RILL_STATE_COUNT);
	conn->state = (uint8_t)next;
}

struct rill_conn *
conn_create(struct tcp *tcp, const struct tuple *tuple, uint8_t option_set, uint8_t handler,
	void *user, uint32_t holder)
{
	uint32_t index = slab_alloc(&tcp->conns), handle = table_handle(TABLE_CONN, index);
	struct rill_conn *conn;

	if (index == SLAB_NONE)
		return NULL;
	conn = tcp_conn_at(tcp, index);
	memset(conn, 0, sizeof(*conn));
	conn->key = tuple->head;
	conn->addrs6 = tuple->addrs6;
	conn->state = RILL_CLOSED;
	if (holder != TABLE_MISS) {
		table_replace(tcp->table, tuple, holder, handle);
	} else if (table_insert(tcp->table, tuple, handle) != 0) {
		slab_free(&tcp->conns, index);
		return NULL;
	}
	conn->flags = CONN_LIVE;
	conn->option_set = option_set;
	tcp->option_sets[option_set].users++;
	conn->handler = handler;
	tcp->handler_users[handler]++;
	conn->user = user;
	conn->next_hop = SLAB_NONE;
	conn->txq_head = conn->txq_tail = conn->txq_unsent = SLAB_NONE;
	conn->sidecar = SLAB_NONE;
	conn->timer.kind = tcp->conn_timer_kind;
	conn->timer.owner[1] = (uint8_t)tcp->number;
	conn->timer.owner[2] = (uint8_t)(tcp->number >> 8);
	conn->heard_ms = tcp->now_ms;
	rtt_init(&conn->rtt, (uint32_t)tcp->option_sets[option_set].options.rto_initial_us);
	return conn;
}

struct sidecar *
conn_need_sidecar(struct tcp *tcp, struct rill_conn *conn)
{
	struct sidecar *sidecar = conn_sidecar(tcp, conn);

	if (sidecar != NULL)
		return sidecar;
	conn->sidecar = slab_alloc(&tcp->sidecars);
	if (conn->sidecar == SLAB_NONE) {
		tcp->counters->sidecar_misses++;
		return NULL;
	}
	sidecar = slab_at(&tcp->sidecars, conn->sidecar);
	memset(sidecar, 0, offsetof(struct sidecar, ranges));
	return sidecar;
}

void
conn_drop_idle_sidecar(struct tcp *tcp, struct rill_conn *conn)
{
	const struct sidecar *sidecar = conn_sidecar(tcp, conn);

	if (sidecar == NULL || sidecar->kept != NULL || sidecar->ranges_count > 0 ||
		sidecar->has_fin || (sidecar->flags & SIDECAR_HOLDS) ||
		((sidecar->flags & SIDECAR_SCORE) && !score_is_idle(conn, sidecar)))
		return;
	slab_free(&tcp->sidecars, conn->sidecar);
	conn->sidecar = SLAB_NONE;
}

static void
conn_free_sidecar(struct tcp *tcp, struct rill_conn *conn)
{
	struct sidecar *sidecar = conn_sidecar(tcp, conn);

	if (sidecar == NULL)
		return;
	reassembly_clear(sidecar);
	rte_pktmbuf_free(sidecar->kept);
	slab_free(&tcp->sidecars, conn->sidecar);
	conn->sidecar = SLAB_NONE;
}

void
conn_leave_table(struct tcp *tcp, struct rill_conn *conn)
{
	bool reopens = (conn->modes & MODE_COOKIE) && tcp->accepting;
	struct tuple tuple;

	if ((conn->state == RILL_TIME_WAIT || reopens) && timewait_enter(tcp, conn))
		return;
	conn_tuple(conn, &tuple);
	table_remove(tcp->table, &tuple, table_handle(TABLE_CONN, tcp_conn_index(tcp, conn)));
}

void
conn_end(struct tcp *tcp, struct rill_conn *conn, enum rill_close_reason why)
{
	RILL_DCHECK((conn->flags & (CONN_LIVE | CONN_ENDED)) == CONN_LIVE);
	conn_unlist(tcp, conn);
	wheel_cancel(tcp->wheel, &conn->timer);
	if (conn->modes & MODE_PROBE_OUT)
		pathmtu_probe_unsure(tcp, conn);
	txq_clear(tcp, conn);
	conn_free_sidecar(tcp, conn);
	pace_release(tcp, conn);
	if (!(conn->flags & CONN_FINISHED)) /* else the tuple was given up before */
		conn_leave_table(tcp, conn);
	if (fsm_allows((enum rill_state)conn->state, FSM_END))
		conn_step(conn, FSM_END);
	if (conn->next_hop != SLAB_NONE)
		neighbor_release(tcp->neighbors, conn->next_hop);
	conn->next_hop = SLAB_NONE;
	if (why == RILL_CLOSE_RESET || why == RILL_CLOSE_REFUSED)
		tcp->counters->conns_reset++;
	else if (why == RILL_CLOSE_TIMEOUT)
		tcp->counters->conns_timed_out++;
	if (!(conn->flags & CONN_OPENED))
		tcp->counters->connects_failed++;
	conn->flags = (conn->flags & (CONN_LIVE | CONN_ACTIVE | CONN_OPENED)) | CONN_ENDED;
	conn_close_reason(conn) = (uint8_t)why;
	conn_list_append(tcp, &tcp->ended, conn);
}

unsigned int
tcp_reap(struct tcp *tcp)
{
	unsigned int n = 0;

	for (; n < TCP_REAP_PER_TURN && tcp->ended.head != TCP_LIST_END; n++) {
		uint32_t index = tcp->ended.head;
		struct rill_conn *conn = tcp_conn_at(tcp, index);
		const struct rill_handler *handler = conn_handler(tcp, conn);

		conn_list_remove(tcp, &tcp->ended, conn);
		if (handler->on_close != NULL) {
			tcp->in_callback = conn;
			handler->on_close(conn, (enum rill_close_reason)conn_close_reason(conn));
			tcp->in_callback = NULL;
		}
		option_set_put(tcp, conn->option_set);
		handler_put(tcp, conn->handler);
		conn->flags = 0;
		slab_free(&tcp->conns, index);
	}
	if (tcp->ended.head != TCP_LIST_END)
		tcp->counters->callbacks_capped++;
	return n;
}

uint32_t
mbuf_true_size(const struct rte_mbuf *mbuf)
{
	uint32_t size = 0;

	for (; mbuf != NULL; mbuf = mbuf->next)
		size += buffer_true_size(mbuf);
	return size;
}

/* Is any of it in a buffer of the NIC's? A chain may have been joined from both pools. */
static bool
pins_rx_buffer(const struct tcp *tcp, const struct rte_mbuf *mbuf)
{
	for (; mbuf != NULL; mbuf = mbuf->next)
		if (mbuf->pool == tcp->rx_pool)
			return true;
	return false;
}

struct rte_mbuf *
tcp_keep_payload(struct tcp *tcp, struct rte_mbuf *mbuf)
{
	struct rte_mbuf *copy;

	if (!tcp->rx_low || !pins_rx_buffer(tcp, mbuf))
		return mbuf;
	if (tcp->buf_low)
		return NULL;
	copy = rte_pktmbuf_copy(mbuf, tcp->buf_pool, 0, UINT32_MAX);
	if (copy == NULL)
		return NULL;
	tcp_buf_taken(tcp, copy->nb_segs);
	rte_pktmbuf_free(mbuf);
	tcp->counters->paused_copies++;
	return copy;
}

/* Every record of the queue is where the connection's sequence numbers say it is. */
static void
conn_check_queue(struct tcp *tcp, const struct rill_conn *conn)
{
	uint32_t bytes = 0, index = conn->txq_head, last = SLAB_NONE;
	uint32_t syn = conn->state == RILL_SYN_SENT || conn->state == RILL_SYN_RECEIVED;
	seq_t at = seq_add(conn->snd_una, syn);
	bool unsent = false;

	while (index != SLAB_NONE) {
		const struct record *record = tcp_record_at(tcp, index);

		unsent |= index == conn->txq_unsent;
		RILL_ASSERT(seq_eq(record->seq, at) && record->len > 0);
		RILL_ASSERT(!(record->flags & RECORD_SENT) == unsent);
		RILL_ASSERT(rte_mbuf_refcnt_read(record->mbuf) > 0);
		at = seq_add(at, record->len);
		bytes += record->len;
		last = index;
		index = record->next;
	}
	RILL_ASSERT(bytes == conn->txq_bytes && last == conn->txq_tail);
	RILL_ASSERT(unsent || conn->txq_unsent == SLAB_NONE);
}

void
conn_check(struct tcp *tcp, const struct rill_conn *conn)
{
	struct tuple tuple;

	RILL_ASSERT(conn->flags & CONN_LIVE);
	if (conn->flags & (CONN_ENDED | CONN_FINISHED))
		return;
	conn_tuple(conn, &tuple);
	RILL_ASSERT(table_lookup(tcp->table, &tuple) ==
		    table_handle(TABLE_CONN, tcp_conn_index(tcp, conn)));
	conn_check_queue(tcp, conn);
	RILL_ASSERT(seq_leq(conn->snd_una, conn->snd_nxt));
	RILL_ASSERT(conn->state == RILL_SYN_SENT || seq_leq(conn->rcv_nxt, conn->rcv_adv) ||
		    (conn->flags & CONN_FIN_RECEIVED));
	RILL_ASSERT(conn->cc.cwnd > 0);
	conn_check_deadlines(tcp, conn);
	if (conn->sidecar != SLAB_NONE)
		reassembly_check(conn_sidecar(tcp, conn), conn->rcv_nxt);
	if (score_of(tcp, conn) != NULL)
		score_check(tcp, conn, score_of(tcp, conn));
}
