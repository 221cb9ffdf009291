/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The turn. It alone conducts: it hands each packet from link to net to tcp, and no layer calls the
 * one above.
 */
#include <errno.h>

#include <rte_mbuf.h>

#include "arp.h"
#include "ether.h"
#include "lane.h"
#include "port_state.h"

/* 32-bit deadlines are compared modulo 2^32: longer jumps of time are taken in steps. What the turn
 * before left over is less than 2^31 µs late when the first step fires it. */
#define STEP_MAX_US (1ull << 29)

#define FRAMES_AHEAD 4 /* of the one that is looked at, on their way into the cache */

/* The segments of a burst, and the frames they came in. */
struct burst {
	unsigned int n;
	uint32_t handles[RILL_BURST_MAX];
	struct segment segments[RILL_BURST_MAX];
};

static enum arp_whose
whose_addr(const void *net, const struct rill_addr *addr)
{
	return net_addr_whose(net, addr);
}

static void
receive_arp(struct rill_lane *lane, struct rte_mbuf *frame, uint16_t l2_len)
{
	struct arp_claim claim = {.shared = lane->siblings.count > 0};

	arp_input(net_neighbors(lane->net), &lane->netif, frame, l2_len, whose_addr, lane->net,
		&claim, lane->now, &lane->outbox);
	if (claim.is_on_us)
		lane_addr_claimed(lane, &claim.addr, &claim.mac);
	if (claim.shared)
		siblings_tell_claim(lane, &claim);
}

/* Tells tcp what became of next hops. */
static void
neighbor_events(struct rill_lane *lane)
{
	enum neighbor_event event;
	uint32_t index;

	while ((event = neighbors_next_event(net_neighbors(lane->net), &index)) !=
		NEIGHBOR_EVENT_NONE)
		if (event != NEIGHBOR_EVENT_FAILED || !net_neighbor_failed(lane->net, index, lane->now))
			tcp_neighbor_event(&lane->tcp, index, event);
}

/* A frame that is not plain, through link and net. Returns whether a segment came of it. */
static __rte_noinline bool
classify_any(struct rill_lane *lane, struct rte_mbuf *frame, struct segment *segment)
{
	struct icmp_error error;
	enum ip_verdict verdict;
	uint16_t l2_len;
	bool group;

	switch (ether_input(&lane->netif, frame, &l2_len, &group)) {
	case ETHER_ARP:
		receive_arp(lane, frame, l2_len);
		return false;
	case ETHER_IP4:
		verdict = ip4_input(lane->net, frame, l2_len, group, lane->now, &lane->outbox,
			segment, &error);
		break;
	case ETHER_IP6:
		verdict = ip6_input(lane->net, frame, l2_len, group, lane->now, &lane->outbox,
			segment, &error);
		if (lane->siblings.count > 0)
			siblings_tell_facts(lane);
		break;
	default:
		return false;
	}
	if (verdict == IP_ICMP_ERROR && !siblings_tell_error(lane, &error))
		tcp_icmp_error(&lane->tcp, &error);
	return verdict == IP_TCP ||
		(verdict == IP_TCP_JOINED && !siblings_keep_joined(lane, segment));
}

/* One frame through link, net and wire; a segment joins the burst. */
static inline void
classify(struct rill_lane *lane, struct rte_mbuf *frame, struct burst *burst)
{
	struct segment *segment = &burst->segments[burst->n];
	enum rill_drop reason;
	bool known_good;

	if (unlikely(!ip4_take_plain(lane->net, frame, segment)) &&
		!ip6_take_plain(lane->net, frame, segment) && !classify_any(lane, frame, segment))
		return;
	known_good = netif_rx_tcp_cksum(&lane->netif, segment->mbuf) == NETIF_CKSUM_GOOD;
	reason = segment_parse(segment, known_good);
	if (unlikely(reason != RILL_DROP_COUNT))
		drop_packet(&lane->counters, segment->mbuf, reason);
	else
		tcp_lookup_ahead(&lane->tcp, burst->segments, burst->n++, burst->handles);
}

/* The headers, and what follows them in the second line. */
static inline void
prefetch_frame(const struct rte_mbuf *frame)
{
	const char *start = rte_pktmbuf_mtod(frame, const char *);

	rte_prefetch0(start);
	rte_prefetch0(start + RTE_CACHE_LINE_SIZE);
}

static void
receive(struct rill_lane *lane, struct rte_mbuf *in[], unsigned int n)
{
	uint64_t bytes = 0;
	struct burst burst;

	burst.n = 0;
	for (unsigned int i = 0; i < n && i < FRAMES_AHEAD; i++)
		prefetch_frame(in[i]);
	for (unsigned int i = 0; i < n; i++) {
		if (i + FRAMES_AHEAD < n)
			prefetch_frame(in[i + FRAMES_AHEAD]);
		bytes += in[i]->pkt_len;
		classify(lane, in[i], &burst);
	}
	lane->counters.rx_bytes += bytes;
	lane->counters.rx_packets += n;
	neighbor_events(lane);
	STAGE_ENDS(lane, STAGE_CLASSIFY);
	if (burst.n == 0)
		return;
	tcp_lookup_burst(&lane->tcp, burst.segments, burst.n, burst.handles);
	STAGE_ENDS(lane, STAGE_LOOKUP);
	tcp_input_burst(&lane->tcp, burst.segments, burst.n, burst.handles);
	STAGE_ENDS(lane, STAGE_SEGMENTS);
}

static void
fire(struct rill_lane *lane, struct wheel_node *node)
{
	struct rill_timer *timer;

	switch ((enum timer_kind)node->kind) {
	case TIMER_CONN:
		tcp_conn_timer(&lane->tcp, node);
		return;
	case TIMER_SYN_RECEIVED:
		tcp_half_open_timer(&lane->tcp, node);
		return;
	case TIMER_TIME_WAIT:
		tcp_timewait_timer(&lane->tcp);
		return;
	case TIMER_NEIGHBOR:
		neighbor_timer(net_neighbors(lane->net), node, lane->now, &lane->outbox);
		return;
	case TIMER_ANNOUNCE:
		net_announce_timer(lane->net, node, lane->now, &lane->outbox);
		if (lane->siblings.count > 0)
			siblings_tell_facts(lane);
		return;
	case TIMER_FRAGMENTS:
		net_fragments_timer(lane->net, lane->now, &lane->outbox);
		return;
	case TIMER_APP:
		timer = RTE_PTR_SUB(node, offsetof(struct rill_timer, opaque));
		timer->fn(lane, timer);
		return;
	}
}

/*
 * Nodes that fire together are linked: when one does, the owner of the next but one comes on its way.
 * A connection's begins two lines before its node; of other owners it is the wrong memory, no harm.
 */
static inline void
prefetch_next(const struct wheel_node *node)
{
	const char *after;

	if (node->next == NULL || node->next->next == NULL)
		return;
	after = (const char *)node->next->next;
	rte_prefetch0(after);
	rte_prefetch0(after - RTE_CACHE_LINE_SIZE);
	rte_prefetch0(after - 2 * RTE_CACHE_LINE_SIZE);
}

/*
 * Fires what is due at lane->now, LANE_TIMERS_PER_TURN at most. Nodes are taken off the wheel a few
 * at a time; one that an earlier one of them cancelled is no longer marked as taken, and is passed
 * over.
 */
static unsigned int
fire_due(struct rill_lane *lane)
{
	unsigned int fired = 0;
	struct wheel_node *node;

	while (fired < LANE_TIMERS_PER_TURN &&
		wheel_expire(&lane->wheel, lane->now, &node, 1) == 1) {
		prefetch_next(node);
		fire(lane, node);
		fired++;
	}
	return fired;
}

/*
 * Fires all that is due at lane->now: what one more step left over would look as if it lay ahead.
 * Each node fires once and moves down the wheel's levels once, so that so many rounds are enough; a
 * timer of the application's that is always due gets no more. TIME-WAIT's node, which takes some of its
 * entries each time, may get fewer than it wants: these have deadlines in ms, and are due for longer.
 */
static unsigned int
fire_all_due(struct rill_lane *lane)
{
	uint32_t armed = lane->wheel.armed;
	uint32_t rounds =
		armed / LANE_TIMERS_PER_TURN + armed / (WHEEL_MOVES_MAX / WHEEL_LEVELS) + 2;
	unsigned int fired = 0;

	for (; rounds > 0 && wheel_next(&lane->wheel) <= lane->now; rounds--)
		fired += fire_due(lane);
	return fired;
}

/* Time goes on, in steps that 32-bit deadlines can bear. */
static unsigned int
advance(struct rill_lane *lane, ustime now)
{
	unsigned int fired = 0;

	while (now - lane->now > STEP_MAX_US) {
		lane->now += STEP_MAX_US;
		tcp_begin(&lane->tcp, lane->now);
		fired += fire_all_due(lane);
	}
	lane->now = now;
	tcp_begin(&lane->tcp, now);
	return fired;
}

int
rill_lane_turn(struct rill_lane *lane, uint64_t now_us, struct rte_mbuf *in[], unsigned int n)
{
	struct owner *before = owner_enter(&lane->owner);
	uint32_t put = lane->outbox.put;
	unsigned int work = n, mail;

	RILL_DCHECK(n <= RILL_BURST_MAX && !lane->in_turn);
	RILL_DCHECK(now_us >= lane->now);
	lane->in_turn = true;
	work += advance(lane, now_us > lane->now ? now_us : lane->now);
	STAGE_ENDS(lane, STAGE_TIMERS);
	if (n > 0)
		receive(lane, in, n);
	work += fire_due(lane);
	STAGE_ENDS(lane, STAGE_TIMERS);
	if (unlikely(lane->siblings.count > 0))
		work += siblings_hear(lane);
	neighbor_events(lane);
	mail = lane->tcp.starting ? 0 : mailbox_run(lane->mailbox, lane);
	lane->counters.mail_in += mail;
	work += mail;
	STAGE_ENDS(lane, STAGE_MAIL);
	tcp_speak(&lane->tcp);
	STAGE_ENDS(lane, STAGE_SPEAK);
	work += tcp_reap(&lane->tcp);
	STAGE_ENDS(lane, STAGE_REAP);
	work += lane->outbox.put != put;
	lane->counters.turns++;
	lane->counters.turns_busy += work > 0;
	lane->in_turn = false;
	owner_leave(&lane->owner, before);
	return (int)outbox_count(&lane->outbox);
}

uint64_t
rill_lane_deadline(struct rill_lane *lane)
{
	struct wheel_node *node;
	ustime at = 0;

	if (tcp_is_busy(&lane->tcp) || outbox_count(&lane->outbox) > 0 ||
		!mailbox_is_empty(lane->mailbox) || siblings_have_news(lane))
		return lane->now;
	/*
	 * A connection's node may stand before its deadline: it is put right before it is believed.
	 */
	while ((node = wheel_first(&lane->wheel)) != NULL) {
		at = wheel_deadline(&lane->wheel, node);
		if (node->kind != TIMER_CONN)
			break;
		tcp_settle_conn(&lane->tcp, node);
		if (wheel_is_armed(node) && wheel_deadline(&lane->wheel, node) <= at)
			break; /* it stood right; else it has moved: who is first now? */
	}
	if (node == NULL)
		at = RILL_NEVER;
	if (tcp_windows_held(&lane->tcp)) /* nobody tells when the pools have recovered */
		at = RTE_MIN(at, lane->now + TCP_ROOM_RETRY_US);
	return RTE_MAX(at, lane->now);
}
