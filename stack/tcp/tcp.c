/* SPDX-License-Identifier: BSD-3-Clause */
/* The engine as a whole: its memory, option sets, and what concerns every connection. */
#include "tcp.h"

#include <errno.h>
#include <stdalign.h>

#include <rte_malloc.h>
#include <rte_mbuf.h>

#include "close.h"
#include "flow_label.h"
#include "loss.h"
#include "rcvwnd.h"
#include "timers.h"
#include "timewait.h"

struct tcp *tcp_engines[TCP_ENGINES_MAX];

static_assert(TCP_ENGINES_MAX == 1u << (8 + CONN_CHALLENGE_SHIFT), "the number has these bits");
static_assert(CONN_CHALLENGE_SHIFT + CHALLENGE_SPENT_BITS == 8, "and the challenges the others");

static int
engine_register(struct tcp *tcp)
{
	for (unsigned int i = 0; i < TCP_ENGINES_MAX; i++) {
		struct tcp *none = NULL;

		if (__atomic_compare_exchange_n(&tcp_engines[i], &none, tcp, false,
			    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
			tcp->number = (uint16_t)i;
			return 0;
		}
	}
	return -ENOSPC;
}

static bool
slab_make(struct slab *slab, uint32_t stride, uint32_t capacity, uint32_t link_off, bool lifo,
	int node)
{
	void *memory = NULL;

	if (capacity > 0) {
		/* Zeroed: a slot that was never used looks free. EAL's fresh memory is zero
		 * already. */
		memory = rte_zmalloc_socket(
			"rill", (size_t)stride * capacity, RTE_CACHE_LINE_SIZE, node);
		if (memory == NULL)
			return false;
	}
	slab_init(slab, memory, stride, capacity, link_off, lifo);
	return true;
}

static bool
slabs_make(struct tcp *tcp, const struct rill_limits *limits, int node)
{
	return slab_make(&tcp->conns, sizeof(struct rill_conn), limits->max_conns,
		       offsetof(struct rill_conn, link_next), false, node) &&
	       slab_make(&tcp->half_opens, sizeof(struct half_open), limits->syn_max,
		       offsetof(struct half_open, link), true, node) &&
	       slab_make(&tcp->timewaits, sizeof(struct timewait), limits->timewait_max,
		       offsetof(struct timewait, expires_ms), true, node) &&
	       slab_make(&tcp->records, sizeof(struct record), limits->records,
		       offsetof(struct record, next), true, node) &&
	       slab_make(&tcp->sidecars, sizeof(struct sidecar), limits->sidecars,
		       offsetof(struct sidecar, link), true, node);
}

static bool
table_make(struct tcp *tcp, const struct tcp_setup *setup)
{
	const struct slab *const slabs[TABLE_KINDS] = {
		[TABLE_CONN] = &tcp->conns,
		[TABLE_TIME_WAIT] = &tcp->timewaits,
		[TABLE_SYN_RECEIVED] = &tcp->half_opens,
	};
	const uint32_t addrs6_off[TABLE_KINDS] = {
		[TABLE_CONN] = offsetof(struct rill_conn, addrs6),
		[TABLE_TIME_WAIT] = offsetof(struct timewait, addrs6),
		[TABLE_SYN_RECEIVED] = offsetof(struct half_open, addrs6),
	};
	struct siphash_key key = siphash_derive(setup->secret, "table");

	tcp->table = table_create(
		tcp->conns.capacity + tcp->timewaits.capacity + tcp->half_opens.capacity, &key,
		slabs, addrs6_off, setup->numa_node);
	return tcp->table != NULL;
}

static bool
lists_make(struct tcp *tcp, const struct tcp_setup *setup)
{
	int node = setup->numa_node;

	tcp->option_sets = rte_zmalloc_socket("rill",
		sizeof(tcp->option_sets[0]) * RILL_OPTION_SETS_MAX, alignof(struct option_set), node);
	tcp->listeners = rte_zmalloc_socket(
		"rill", sizeof(tcp->listeners[0]) * TCP_LISTENERS_MAX, RTE_CACHE_LINE_SIZE, node);
	tcp->listener_by_port = rte_zmalloc_socket(
		"rill", sizeof(tcp->listener_by_port[0]) * 65536, RTE_CACHE_LINE_SIZE, node);
	tcp->timewait_ring = rte_zmalloc_socket("rill",
		sizeof(tcp->timewait_ring[0]) * (tcp->timewaits.capacity + 1u), RTE_CACHE_LINE_SIZE,
		node);
	return tcp->option_sets != NULL && tcp->listeners != NULL &&
	       tcp->listener_by_port != NULL && tcp->timewait_ring != NULL;
}

static void
guards_make(struct tcp *tcp, const struct tcp_setup *setup)
{
	struct siphash_key pmtu_key = siphash_derive(setup->secret, "pmtu");

	tcp->isn_key = siphash_derive(setup->secret, "isn");
	tcp->flow_key = flow_label_key(setup->secret);
	pmtu_init(&tcp->pmtu, &pmtu_key, setup->counters);
	ports_init(&tcp->ports, setup->secret);
	cookies_init(&tcp->cookies, siphash_derive(setup->secret, "cookie"));
	challenge_init(&tcp->challenge, siphash_derive(setup->secret, "challenge"), setup->now);
	token_init(&tcp->rst_tokens, TCP_RST_EVERY_US, TCP_RST_BURST, setup->now);
}

/* With its first user. */
static struct option_set
option_set_of(const struct tcp *tcp, const struct rill_options *options)
{
	return (struct option_set){
		.options = *options,
		.users = 1,
		.window_step = rcvwnd_step(tcp, options, AF_INET),
		.window_step6 = rcvwnd_step(tcp, options, AF_INET6),
	};
}

int
tcp_init(struct tcp *tcp, const struct tcp_setup *setup)
{
	memset(tcp, 0, sizeof(*tcp));
	tcp->wheel = setup->wheel;
	tcp->outbox = setup->outbox;
	tcp->netif = setup->netif;
	tcp->net = setup->net;
	tcp->neighbors = net_neighbors(setup->net);
	tcp->counters = setup->counters;
	tcp->rx_pool = setup->rx_pool;
	tcp->buf_pool = setup->buf_pool;
	tcp->control_pool = setup->control_pool;
	tcp->rx_reserve = setup->rx_reserve;
	tcp->buf_reserve = setup->buf_pool->size / 16;
	tcp->limits = setup->limits;
	tcp->lane = setup->lane;
	tcp_begin(tcp, setup->now);
	tcp->accepting = true;
	tcp->conn_timer_kind = setup->conn_timer_kind;
	tcp->half_open_timer_kind = setup->half_open_timer_kind;
	tcp->timewait_timer_kind = setup->timewait_timer_kind;
	tcp->timewait_timer.kind = setup->timewait_timer_kind;
	conn_list_init(&tcp->dirty);
	conn_list_init(&tcp->parked);
	conn_list_init(&tcp->ended);
	if (!slabs_make(tcp, &setup->limits, setup->numa_node) || !table_make(tcp, setup) ||
		!lists_make(tcp, setup)) {
		tcp_fini(tcp);
		return -ENOMEM;
	}
	guards_make(tcp, setup);
	tcp->option_sets[0] = option_set_of(tcp, setup->options);
	if (engine_register(tcp) != 0) {
		tcp_fini(tcp);
		return -ENOSPC;
	}
	return 0;
}

void
tcp_fini(struct tcp *tcp)
{
	if (tcp_engines[tcp->number] == tcp)
		__atomic_store_n(&tcp_engines[tcp->number], NULL, __ATOMIC_RELEASE);
	if (tcp->table != NULL)
		table_destroy(tcp->table);
	rte_free(tcp->option_sets);
	rte_free(tcp->listeners);
	rte_free(tcp->listener_by_port);
	rte_free(tcp->timewait_ring);
	rte_free(tcp->conns.base);
	rte_free(tcp->half_opens.base);
	rte_free(tcp->timewaits.base);
	rte_free(tcp->records.base);
	rte_free(tcp->sidecars.base);
	rte_free(tcp->bbrs.base);
	rte_free(tcp->stamps);
	memset(tcp, 0, sizeof(*tcp));
}

int
option_set_get(struct tcp *tcp, const struct rill_options *options)
{
	int vacant = -ENOBUFS;

	if (options == NULL) {
		tcp->option_sets[0].users++;
		return 0;
	}
	for (int i = 0; i < RILL_OPTION_SETS_MAX; i++) {
		struct option_set *set = &tcp->option_sets[i];

		if (set->users == 0) {
			if (vacant < 0)
				vacant = i;
		} else if (memcmp(&set->options, options, sizeof(*options)) == 0) {
			set->users++;
			return i;
		}
	}
	if (vacant >= 0)
		tcp->option_sets[vacant] = option_set_of(tcp, options);
	return vacant;
}

void
option_set_put(struct tcp *tcp, uint8_t index)
{
	RILL_DCHECK(tcp->option_sets[index].users > 0);
	tcp->option_sets[index].users--;
}

int
handler_get(struct tcp *tcp, const struct rill_handler *handler)
{
	int vacant = -ENOBUFS;

	for (int i = 0; i < TCP_HANDLERS_MAX; i++) {
		if (tcp->handler_users[i] > 0 && tcp->handlers[i] == handler) {
			tcp->handler_users[i]++;
			return i;
		}
		if (tcp->handler_users[i] == 0 && vacant < 0)
			vacant = i;
		if (i >= (int)tcp->handlers_count)
			break; /* none beyond was ever used */
	}
	if (vacant < 0)
		return vacant;
	tcp->handlers[vacant] = handler;
	tcp->handler_users[vacant] = 1;
	if (vacant >= (int)tcp->handlers_count)
		tcp->handlers_count = (unsigned int)vacant + 1;
	return vacant;
}

void
handler_put(struct tcp *tcp, uint8_t index)
{
	RILL_DCHECK(tcp->handler_users[index] > 0);
	tcp->handler_users[index]--;
}

/*
 * Free buffers of a pool as this lane can take them: what the ring holds and what its own cache
 * does. Two loads, where rte_mempool_avail_count looks at the caches of all cores.
 */
uint32_t
tcp_pool_free(struct rte_mempool *pool)
{
	const struct rte_mempool_cache *cache = rte_mempool_default_cache(pool, rte_lcore_id());

	return rte_mempool_get_ops(pool->ops_index)->get_count(pool) +
	       (cache != NULL ? cache->len : 0);
}

void
tcp_begin(struct tcp *tcp, ustime now)
{
	uint32_t buf_free = tcp_pool_free(tcp->buf_pool);
	uint32_t rx_free = tcp->rx_pool == NULL ? UINT32_MAX : tcp_pool_free(tcp->rx_pool);
	uint32_t rx_reserve = tcp->rx_reserve - RTE_MIN(tcp->rx_lent, tcp->rx_reserve);

	if (unlikely(tcp_windows_held(tcp))) /* until now */
		tcp->reopen_left = tcp->conns.fresh;
	tcp->now = now;
	tcp->now_ms = ms32(now);
	tcp->rx_low = rx_free < rx_reserve;
	tcp->rx_scarce = rx_free < rx_reserve / 2;
	tcp->buf_spare = buf_free > tcp->buf_reserve ? buf_free - tcp->buf_reserve : 0;
	tcp->buf_low = tcp->buf_spare == 0;
	if (unlikely(tcp->reopen_left > 0) && !tcp_windows_held(tcp))
		rcvwnd_reopen(tcp);
}

void
tcp_done_flush(struct tcp_done *done)
{
	if (done->count > 0)
		rte_mempool_put_bulk(done->pool, (void *const *)done->mbufs, done->count);
	done->count = 0;
}

bool
tcp_is_busy(const struct tcp *tcp)
{
	return tcp->dirty.count > 0 || tcp->ended.count > 0 ||
	       (tcp->reopen_left > 0 && !tcp_windows_held(tcp));
}

/* Connections that wait for this next hop go on, or hear that nobody is there. */
void
tcp_neighbor_event(struct tcp *tcp, uint32_t index, enum neighbor_event event)
{
	/* Once round the list: a callback may change it. */
	for (uint32_t n = tcp->parked.count; n > 0 && tcp->parked.head != TCP_LIST_END; n--) {
		struct rill_conn *conn = tcp_conn_at(tcp, tcp->parked.head);

		conn_list_remove(tcp, &tcp->parked, conn);
		if (conn->next_hop == index && event != NEIGHBOR_EVENT_FAILED) {
			conn->flags &= ~CONN_PARKED;
			conn_mark_dirty(tcp, conn);
			continue;
		}
		conn_list_append(tcp, &tcp->parked, conn);
		if (conn->next_hop != index)
			continue;
		if (!conn_is_synchronized(conn)) {
			conn_end(tcp, conn, RILL_CLOSE_UNREACHABLE); /* [RFC826-7] */
		} else {
			close_soft_error(tcp, conn, EHOSTUNREACH); /* [9293 MUST-20] */
			neighbor_suspect(
				tcp->neighbors, index, tcp->now, tcp->outbox); /* still wanted */
		}
	}
}
