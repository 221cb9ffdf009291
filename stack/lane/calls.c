/* SPDX-License-Identifier: BSD-3-Clause */
/* The public calls of a lane, each on its thread. */
#include <errno.h>

#include <rill/buf.h>
#include <rte_mbuf.h>

#include "lane.h"
#include "timewait.h"

uint64_t
rill_lane_now(const struct rill_lane *lane)
{
	return lane->now;
}

unsigned int
rill_lane_index(const struct rill_lane *lane)
{
	return lane->index;
}

void *
rill_lane_user(const struct rill_lane *lane)
{
	return lane->user;
}

void
rill_lane_set_user(struct rill_lane *lane, void *user)
{
	lane->user = user;
}

int
rill_lane_post(struct rill_lane *lane, void (*fn)(struct rill_lane *lane, void *arg), void *arg)
{
	if (__atomic_load_n(&lane->retired, __ATOMIC_ACQUIRE))
		return -EAGAIN;
	return mailbox_post(lane->mailbox, fn, arg);
}

int
rill_lane_addr_add(struct rill_lane *lane, const struct rill_prefix *addr)
{
	RILL_OWNED(&lane->owner);
	return net_addr_add(lane->net, addr, lane->now);
}

int
rill_lane_addr_del(struct rill_lane *lane, const struct rill_addr *addr)
{
	RILL_OWNED(&lane->owner);
	return net_addr_del(lane->net, addr);
}

int
rill_lane_route_add(struct rill_lane *lane, const struct rill_prefix *dst,
	const struct rill_addr *gateway, uint32_t metric)
{
	RILL_OWNED(&lane->owner);
	return net_route_add(lane->net, dst, gateway, metric);
}

int
rill_lane_route_del(
	struct rill_lane *lane, const struct rill_prefix *dst, const struct rill_addr *gateway)
{
	RILL_OWNED(&lane->owner);
	return net_route_del(lane->net, dst, gateway);
}

int
rill_connect(struct rill_lane *lane, const struct rill_endpoint *local,
	const struct rill_endpoint *remote, const struct rill_options *options,
	const struct rill_handler *handler, void *user, struct rill_conn **conn)
{
	RILL_OWNED(&lane->owner);
	return tcp_connect(&lane->tcp, local, remote, options, handler, user, conn);
}

int
rill_lane_listen(struct rill_lane *lane, const struct rill_addr *addr, uint16_t port,
	const struct rill_options *options, const struct rill_handler *handler, void *user,
	struct rill_listener **listener)
{
	RILL_OWNED(&lane->owner);
	return tcp_listen(&lane->tcp, addr, port, options, handler, user, listener);
}

int
lane_unlisten(struct rill_listener *listener)
{
	if (listener->tcp == NULL)
		return -EINVAL;
	RILL_OWNED(&listener->tcp->lane->owner);
	return tcp_unlisten(listener->tcp, listener);
}

int
rill_buf_alloc(struct rill_lane *lane, uint32_t len, struct rte_mbuf **mbuf)
{
	if (len > rill_buf_room(lane))
		return -EMSGSIZE;
	if (lane->tcp.buf_low)
		return -ENOBUFS;
	*mbuf = rte_pktmbuf_alloc(lane->tcp.buf_pool);
	if (*mbuf == NULL)
		return -ENOBUFS;
	tcp_buf_taken(&lane->tcp, 1);
	(*mbuf)->data_len = (uint16_t)len;
	(*mbuf)->pkt_len = len;
	return 0;
}

uint32_t
rill_buf_room(const struct rill_lane *lane)
{
	return rte_pktmbuf_data_room_size(lane->tcp.buf_pool) - RTE_PKTMBUF_HEADROOM;
}

enum rill_state
rill_lane_tuple_info(struct rill_lane *lane, const struct rill_endpoint *local,
	const struct rill_endpoint *remote)
{
	struct tuple tuple = {
		.head.lport = rte_cpu_to_be_16(local->port),
		.head.rport = rte_cpu_to_be_16(remote->port),
	};
	uint32_t handle;

	RILL_OWNED(&lane->owner);
	if (local->addr.family != remote->addr.family)
		return RILL_CLOSED;
	tuple_set_addrs(&tuple, &local->addr, &remote->addr);
	handle = table_lookup(lane->tcp.table, &tuple);
	if (handle == TABLE_MISS)
		return RILL_CLOSED;
	switch (table_kind(handle)) {
	case TABLE_TIME_WAIT:
		return RILL_TIME_WAIT;
	case TABLE_SYN_RECEIVED:
		return RILL_SYN_RECEIVED;
	default:
		return (enum rill_state)tcp_conn_at(&lane->tcp, table_index(handle))->state;
	}
}

unsigned int
rill_lane_each(struct rill_lane *lane, void (*fn)(struct rill_conn *conn, void *arg), void *arg)
{
	unsigned int n = 0;

	RILL_OWNED(&lane->owner);
	for (uint32_t i = 0; i < lane->tcp.conns.fresh; i++) {
		struct rill_conn *conn = tcp_conn_at(&lane->tcp, i);

		if ((conn->flags & (CONN_LIVE | CONN_ENDED)) != CONN_LIVE)
			continue;
		fn(conn, arg);
		n++;
	}
	return n;
}

/* ---- the application's timers: a wheel node inside struct rill_timer's opaque part */

static_assert(
	sizeof(struct wheel_node) <= sizeof(((struct rill_timer *)0)->opaque), "the node fits");
static_assert(RILL_TIMER_MAX_US < WHEEL_SPAN_US, "the wheel reaches as far");

int
rill_timer_start(struct rill_lane *lane, struct rill_timer *timer, uint64_t delay_us)
{
	struct wheel_node *node = (struct wheel_node *)timer->opaque;

	if (timer->fn == NULL)
		return -EINVAL;
	if (delay_us > RILL_TIMER_MAX_US)
		return -ERANGE;
	node->kind = TIMER_APP;
	wheel_arm(&lane->wheel, node, lane->now + delay_us);
	return 0;
}

int
rill_timer_stop(struct rill_lane *lane, struct rill_timer *timer)
{
	struct wheel_node *node = (struct wheel_node *)timer->opaque;

	if (!wheel_is_armed(node))
		return 0;
	wheel_cancel(&lane->wheel, node);
	return 1;
}

/* ---- statistics */

/* Buffers in use; of another thread's lane the count is of the moment, more or less. */
static uint32_t
pool_used(const struct rte_mempool *pool)
{
	return pool == NULL ? 0 : rte_mempool_in_use_count(pool);
}

int
rill_lane_stats_read(struct rill_lane *lane, struct rill_stats *stats)
{
	const struct tcp *tcp = &lane->tcp;
	uint32_t posted = lane->setup.rx_posted;

#define X(name, text) stats->name = __atomic_load_n(&lane->counters.name, __ATOMIC_RELAXED);
	RILL_COUNTER_LIST(X)
#undef X
	for (unsigned int i = 0; i < RILL_DROP_COUNT; i++)
		stats->drops[i] = __atomic_load_n(&lane->counters.drops[i], __ATOMIC_RELAXED);
	stats->conns = __atomic_load_n(&tcp->conns.used, __ATOMIC_RELAXED);
	stats->conns_limit = tcp->conns.capacity;
	stats->syn_received = __atomic_load_n(&tcp->half_opens.used, __ATOMIC_RELAXED);
	stats->time_wait = timewait_live(tcp);
	stats->sidecars = __atomic_load_n(&tcp->sidecars.used, __ATOMIC_RELAXED);
	stats->records = __atomic_load_n(&tcp->records.used, __ATOMIC_RELAXED);
	stats->mbufs = pool_used(lane->setup.rx_pool);
	stats->mbufs = stats->mbufs > posted ? stats->mbufs - posted : 0;
	stats->mbufs += pool_used(lane->setup.control_pool) + pool_used(lane->setup.buf_pool);
	stats->neighbors = neighbors_count(net_neighbors(lane->net));
	return 0;
}
