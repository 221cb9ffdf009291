/* SPDX-License-Identifier: BSD-3-Clause */
#include "invariants.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>

#include "lane.h"

#define CONNS_SEEN 256    /* slots of a lane's connections that the window is watched of */
#define NEIGHBORS_SEEN 64 /* slots of the cache where a few hosts' entries lie */
#define WINDOW_SLACK 3 /* segments beyond cwnd: limited transmit's two [5681 3.2], a loss probe */

static each_held_fn each_held;
static void *holders;

/* ---- buffers */

/* Each buffer has a mark of the last census that met it, so that it is counted once. */
static int mark_off = -1;
static uint32_t census_number;

struct census {
	struct world *world;
	const struct sim_lane *lane;
	uint32_t rx, buf, control; /* buffers met, by pool */
};

static void
marks_register(void)
{
	static const struct rte_mbuf_dynfield field = {
		.name = "sim_mark", .size = sizeof(uint32_t), .align = __alignof__(uint32_t)};

	if (mark_off < 0)
		mark_off = rte_mbuf_dynfield_register(&field);
	if (mark_off < 0) {
		fprintf(stderr, "no room in mbufs for a mark\n");
		exit(2);
	}
}

static void
meet_one(struct census *census, struct rte_mbuf *mbuf)
{
	uint32_t *mark = RTE_MBUF_DYNFIELD(mbuf, mark_off, uint32_t *);
	const struct pools *pools = census->lane->pools;

	if (rte_mbuf_refcnt_read(mbuf) == 0)
		world_fail(census->world, "host %u: a buffer of %s is in use and free",
			census->lane->host->number, mbuf->pool->name);
	if (*mark == census_number)
		return;
	*mark = census_number;
	if (mbuf->pool == pools->rx)
		census->rx++;
	else if (mbuf->pool == pools->buf)
		census->buf++;
	else if (mbuf->pool == pools->control)
		census->control++;
	else
		world_fail(census->world, "host %u holds a buffer of %s",
			census->lane->host->number, mbuf->pool->name);
}

/* A chain, and the buffers that its indirect mbufs refer to. */
static void
meet(void *arg, struct rte_mbuf *mbuf)
{
	for (; mbuf != NULL; mbuf = mbuf->next) {
		meet_one(arg, mbuf);
		if (RTE_MBUF_CLONED(mbuf))
			meet_one(arg, rte_mbuf_from_indirect(mbuf));
	}
}

static void
meet_record(struct census *census, const struct record *record)
{
	meet_one(census, record->mbuf);
	if (RTE_MBUF_CLONED(record->mbuf))
		meet_one(census, rte_mbuf_from_indirect(record->mbuf));
}

static void
meet_conns(struct census *census, struct tcp *tcp)
{
	for (uint32_t i = 0; i < tcp->conns.fresh; i++) {
		const struct rill_conn *conn = tcp_conn_at(tcp, i);
		const struct sidecar *sidecar;

		if (!(conn->flags & CONN_LIVE))
			continue;
		for (uint32_t at = conn->txq_head; at != SLAB_NONE;
			at = tcp_record_at(tcp, at)->next)
			meet_record(census, tcp_record_at(tcp, at));
		sidecar = conn_sidecar(tcp, conn);
		if (sidecar == NULL)
			continue;
		meet(census, sidecar->kept);
		for (uint32_t r = 0; r < sidecar->ranges_count; r++)
			meet(census, sidecar->ranges[r].head);
	}
}

static void
meet_neighbors(struct census *census, const struct neighbors *neighbors)
{
	for (uint32_t i = 0; i < NEIGHBORS_SEEN; i++) {
		const struct neighbor *neighbor = neighbor_at(neighbors, i);

		if (neighbor->state == NEIGHBOR_FREE)
			continue;
		for (unsigned int q = 0; q < neighbor->queue_len; q++)
			meet(census, neighbor->queue[q]);
	}
}

static void
meet_nic(struct census *census, const struct nic *nic)
{
	for (uint32_t i = 0; i < nic->posted_count; i++)
		meet(census, nic->posted[i]);
	for (uint32_t i = 0; i < nic->full_count; i++)
		meet(census, nic->full[(nic->full_head + i) % NIC_DESC_MAX]);
	for (uint32_t i = 0; i < nic->tx_count; i++)
		meet(census, nic->tx[(nic->tx_head + i) % NIC_DESC_MAX].mbuf);
}

static void
check_pool(const struct census *census, struct rte_mempool *pool, uint32_t met)
{
	uint32_t left = tcp_pool_free(pool);

	if (met + left != pool->size)
		world_fail(census->world, "%s: %u buffers are in use and %u free, of %u",
			pool->name, met, left, pool->size);
}

static void
check_buffers(struct world *world, struct sim_lane *lane)
{
	struct census census = {.world = world, .lane = lane};
	const struct outbox *outbox = &lane->lane->outbox;

	census_number++;
	meet_nic(&census, &lane->nic);
	meet_conns(&census, &lane->lane->tcp);
	if (world->ethernet)
		meet_neighbors(&census, net_neighbors(lane->lane->net));
	for (uint32_t at = outbox->taken; at != outbox->put; at++)
		meet(&census, outbox->ring[at & (OUTBOX_SIZE - 1)]);
	for (unsigned int i = 0; i < lane->hogs_count; i++)
		meet(&census, lane->hogs[i]);
	if (each_held != NULL)
		each_held(holders, lane, meet, &census);
	check_pool(&census, lane->pools->rx, census.rx);
	check_pool(&census, lane->pools->buf, census.buf);
	check_pool(&census, lane->pools->control, census.control);
}

/* ---- windows */

static struct {
	const void *user;
	uint32_t snd_nxt;
} seen[HOSTS_MAX][LANES_MAX][CONNS_SEEN];

/* Was the last that it sent a loss probe? That may exceed a window which has shrunk [8985 7.3]. */
static bool
has_probed(const struct tcp *tcp, const struct rill_conn *conn)
{
	const struct sidecar *sidecar = conn_sidecar(tcp, conn);

	return sidecar != NULL && (sidecar->flags & SIDECAR_TLP) &&
	       seq_eq(sidecar->score.tlp_end, conn->snd_nxt);
}

static void
check_cwnd(struct world *world, const struct sim_lane *lane, struct rill_conn *conn)
{
	struct rill_conn_info info;

	rill_conn_info(conn, &info);
	if (!info.in_recovery && !has_probed(&lane->lane->tcp, conn) &&
		info.flight > info.cwnd + WINDOW_SLACK * info.mss)
		world_fail(world, "host %u port %u: %u bytes in flight, cwnd %u",
			lane->host->number, info.local.port, info.flight, info.cwnd);
}

static void
check_windows(struct world *world, const struct sim_lane *lane)
{
	struct tcp *tcp = &lane->lane->tcp;

	for (uint32_t i = 0; i < tcp->conns.fresh && i < CONNS_SEEN; i++) {
		struct rill_conn *conn = tcp_conn_at(tcp, i);
		bool known = seen[lane->host->number][lane->index][i].user == conn->user;
		uint32_t before = seen[lane->host->number][lane->index][i].snd_nxt;

		if (!(conn->flags & CONN_LIVE) || (conn->flags & CONN_ENDED) ||
			!conn_is_synchronized(conn))
			continue;
		seen[lane->host->number][lane->index][i].user = conn->user;
		seen[lane->host->number][lane->index][i].snd_nxt = conn->snd_nxt.n;
		if (known && conn->snd_nxt.n != before)
			check_cwnd(world, lane, conn);
	}
}

void
invariants_reset(each_held_fn each, void *who)
{
	marks_register();
	each_held = each;
	holders = who;
	memset(seen, 0, sizeof(seen));
}

void
invariants_turned(struct world *world, struct sim_lane *lane)
{
	tcp_check(&lane->lane->tcp);
	check_buffers(world, lane);
	check_windows(world, lane);
}
