/* SPDX-License-Identifier: BSD-3-Clause */
#include "siblings.h"

#include <errno.h>
#include <stdio.h>

#include <rte_mbuf.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>
#include <rte_tcp.h>

#include "lane.h"
#include "port_state.h"

enum news_kind {
	NEWS_CLAIM,
	NEWS_FACT,
	NEWS_ICMP_ERROR,
};

struct news {
	uint32_t kind; /* enum news_kind */
	union {
		struct arp_claim claim;
		struct nd_fact fact;
		struct icmp_error error;
	} u;
};

_Static_assert(sizeof(struct news) % 4 == 0, "as rte_ring wants its elements");

static int
join(struct rill_lane *const lanes[], unsigned int count, unsigned int self,
	const struct steer *steer)
{
	struct rill_lane *lane = lanes[self];
	const struct rill_lane_config *config = &lane->setup.config;
	char name[RTE_RING_NAMESIZE];

	snprintf(name, sizeof(name), "%s_news", config->name);
	lane->siblings.news = rte_ring_create_elem(name, sizeof(struct news), NEWS_SIZE,
		config->numa_node, RING_F_MP_RTS_ENQ | RING_F_SC_DEQ);
	if (lane->siblings.news == NULL)
		return -ENOMEM;
	lane->siblings.count = count;
	lane->siblings.self = self;
	lane->siblings.lanes = lanes;
	lane->siblings.steer = steer;
	lane->tcp.steer = steer;
	lane->tcp.steer_self = self;
	return 0;
}

int
siblings_join(struct rill_lane *const lanes[], unsigned int count, const struct steer *steer)
{
	int err = 0;

	for (unsigned int i = 0; err == 0 && i < count; i++)
		err = join(lanes, count, i, steer);
	return err;
}

void
siblings_leave(struct rill_lane *lane)
{
	rte_ring_free(lane->siblings.news);
	rte_pktmbuf_free_bulk(lane->siblings.joined.frames, lane->siblings.joined.count);
	lane->siblings = (struct siblings){.count = 0};
}

static void
tell(struct rill_lane *from, unsigned int to, struct news *news)
{
	struct rte_ring *ring = from->siblings.lanes[to]->siblings.news;

	if (rte_ring_enqueue_elem(ring, news, sizeof(*news)) != 0)
		count_drop(&from->counters, RILL_DROP_news_full);
}

static void
tell_all(struct rill_lane *lane, struct news *news)
{
	for (unsigned int i = 0; i < lane->siblings.count; i++)
		if (i != lane->siblings.self)
			tell(lane, i, news);
}

void
siblings_tell_claim(struct rill_lane *lane, const struct arp_claim *claim)
{
	struct news news = {.kind = NEWS_CLAIM, .u.claim = *claim};

	if (claim->addr.family != 0)
		tell_all(lane, &news);
}

void
siblings_tell_facts(struct rill_lane *lane)
{
	const struct nd_fact *facts;
	unsigned int count = net_take_facts(lane->net, &facts);

	for (unsigned int i = 0; i < count; i++) {
		struct news news = {.kind = NEWS_FACT, .u.fact = facts[i]};

		tell_all(lane, &news);
	}
}

bool
siblings_tell_error(struct rill_lane *lane, const struct icmp_error *error)
{
	struct news news = {.kind = NEWS_ICMP_ERROR, .u.error = *error};
	unsigned int to;

	if (lane->siblings.count == 0)
		return false;
	to = steer_lane(lane->siblings.steer, &error->tuple);
	if (to == lane->siblings.self)
		return false;
	tell(lane, to, &news);
	return true;
}

/* A segment too short for its ports is dropped wherever it is parsed. */
bool
siblings_keep_joined(struct rill_lane *lane, const struct segment *segment)
{
	struct joined *joined = &lane->siblings.joined;
	struct tuple tuple = segment->tuple;
	const struct rte_tcp_hdr *tcp = rte_pktmbuf_mtod_offset(
		segment->mbuf, const struct rte_tcp_hdr *, segment->l2_len + segment->l3_len);
	unsigned int to;

	if (lane->siblings.count == 0 ||
		segment->mbuf->data_len < segment->l2_len + segment->l3_len + sizeof(*tcp))
		return false;
	tuple.head.lport = tcp->dst_port;
	tuple.head.rport = tcp->src_port;
	to = steer_lane(lane->siblings.steer, &tuple);
	if (to == lane->siblings.self)
		return false;
	RILL_DCHECK(joined->count < RILL_BURST_MAX);
	joined->frames[joined->count] = segment->mbuf;
	joined->lanes[joined->count++] = (uint8_t)to;
	return true;
}

unsigned int
siblings_hear(struct rill_lane *lane)
{
	struct news news[NEWS_PER_TURN];
	unsigned int n = rte_ring_sc_dequeue_burst_elem(
		lane->siblings.news, news, sizeof(news[0]), NEWS_PER_TURN, NULL);

	for (unsigned int i = 0; i < n; i++) {
		const struct arp_claim *claim = &news[i].u.claim;

		if (news[i].kind == NEWS_FACT)
			net_hear_fact(lane->net, &news[i].u.fact, lane->now, &lane->outbox);
		else if (news[i].kind == NEWS_CLAIM && claim->is_on_us)
			lane_addr_claimed(lane, &claim->addr, &claim->mac);
		else if (news[i].kind == NEWS_CLAIM)
			neighbor_learn(net_neighbors(lane->net), &claim->addr, &claim->mac,
				claim->asks_us, lane->now, &lane->outbox);
		else
			tcp_icmp_error(&lane->tcp, &news[i].u.error);
	}
	lane->counters.news_in += n;
	return n;
}

bool
siblings_have_news(const struct rill_lane *lane)
{
	return lane->siblings.count > 0 && rte_ring_empty(lane->siblings.news) == 0;
}
