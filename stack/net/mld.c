/* SPDX-License-Identifier: BSD-3-Clause */
#include "mld.h"

#include <netinet/in.h>

#include "checksum.h"
#include "ether.h"
#include "nd.h"

#define QUERY1_LEN 24 /* exactly [3810 8.1] */
#define QUERY2_LEN 28 /* or more */
#define HOP_LIMIT 1
#define MANTISSA_BITS 12
#define CHECKSUM_AT 2

enum {
	RECORD_IS_EXCLUDE = 2, /* of no source: all are wanted */
	RECORD_TO_EXCLUDE = 4,
};

static const uint8_t all_listeners2[IP6_ADDR_LEN] = {0xff, 2, [15] = 0x16};

/* Hop-by-hop options: router alert for MLD [2711], and two bytes that say nothing. */
struct mld_frame {
	struct rte_ether_hdr ether;
	struct rte_ipv6_hdr ip;
	uint8_t hop_by_hop[8];
	uint8_t icmp[8]; /* and what follows */
};
static_assert(sizeof(struct mld_frame) == 70, "as on the wire");

struct mld_record {
	uint8_t type, aux_len;
	rte_be16_t sources;
	uint8_t group[IP6_ADDR_LEN];
};

/* ---- sending */

static struct rte_mbuf *
begin(const struct net *net, uint8_t type, struct outbox *outbox)
{
	static const uint8_t hop_by_hop[8] = {IPPROTO_ICMPV6, 0, 5, 2, 0, 0, 1, 0};
	struct rte_mbuf *mbuf;
	struct mld_frame *frame;

	if (!outbox_has_control_room(outbox)) {
		count_drop(net->netif->counters, RILL_DROP_outbox_full);
		return NULL;
	}
	mbuf = rte_pktmbuf_alloc(net->netif->control_pool);
	if (mbuf == NULL) {
		count_drop(net->netif->counters, RILL_DROP_no_mbuf);
		return NULL;
	}
	frame = (struct mld_frame *)rte_pktmbuf_append(mbuf, sizeof(*frame));
	memset(frame, 0, sizeof(*frame));
	memcpy(frame->hop_by_hop, hop_by_hop, sizeof(hop_by_hop));
	frame->icmp[0] = type;
	return mbuf;
}

/* From our link-local address, or from none while it is not ours yet [3590]. */
static void
put_source(const struct net6 *ip6, uint8_t *src)
{
	for (unsigned int slot = 0; slot < ip6->slots; slot++) {
		const struct net6_addr *addr = &ip6->addrs[slot];

		if (addr->state >= NET6_ADDR_DEPRECATED && ip6_is_link_local(addr->ip))
			memcpy(src, addr->ip, IP6_ADDR_LEN);
	}
}

static void
finish(const struct net *net, struct rte_mbuf *mbuf, const uint8_t *dst, struct outbox *outbox)
{
	struct mld_frame *frame = rte_pktmbuf_mtod(mbuf, struct mld_frame *);
	uint32_t off = offsetof(struct mld_frame, icmp), len = mbuf->pkt_len - off;
	rte_be16_t sum;

	frame->ether.src_addr = net->netif->mac;
	frame->ether.dst_addr = ip6_group_mac(dst);
	frame->ether.ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6);
	frame->ip.vtc_flow = rte_cpu_to_be_32(6u << 28);
	frame->ip.payload_len =
		rte_cpu_to_be_16((uint16_t)(len + sizeof(frame->hop_by_hop)));
	frame->ip.proto = IPPROTO_HOPOPTS;
	frame->ip.hop_limits = HOP_LIMIT;
	put_source(&net->ip6, frame->ip.src_addr);
	memcpy(frame->ip.dst_addr, dst, IP6_ADDR_LEN);
	sum = (rte_be16_t)~checksum_icmp6(mbuf, off, len, frame->ip.src_addr);
	memcpy(frame->icmp + CHECKSUM_AT, &sum, sizeof(sum));
	ether_tag(net->netif, mbuf);
	outbox_put(outbox, mbuf);
	net->netif->counters->mld_reports_out++;
}

/* The group in which the address of this slot is asked for; false if a slot before it has the same. */
static bool
group_of(const struct net6 *ip6, unsigned int slot, uint8_t *group)
{
	const uint8_t *ip = ip6->addrs[slot].ip;

	if (ip6->addrs[slot].state == NET6_ADDR_FREE)
		return false;
	for (unsigned int i = 0; i < slot; i++)
		if (ip6->addrs[i].state != NET6_ADDR_FREE &&
			memcmp(ip6->addrs[i].ip + 13, ip + 13, 3) == 0)
			return false;
	ip6_solicited_node(group, ip);
	return true;
}

static bool
has_room(const struct rte_mbuf *mbuf)
{
	return rte_pktmbuf_tailroom(mbuf) >= sizeof(struct mld_record) + NETIF_TAG_LEN &&
	       mbuf->pkt_len + sizeof(struct mld_record) <= IP6_MTU_LEAST;
}

static void
report2(struct net *net, uint8_t record_type, struct outbox *outbox)
{
	struct rte_mbuf *mbuf = NULL;

	for (unsigned int slot = 0; slot < net->ip6.slots; slot++) {
		struct mld_record record = {.type = record_type};

		if (!group_of(&net->ip6, slot, record.group))
			continue;
		if (mbuf != NULL && !has_room(mbuf)) {
			finish(net, mbuf, all_listeners2, outbox);
			mbuf = NULL;
		}
		if (mbuf == NULL)
			mbuf = begin(net, MLD_REPORT2, outbox);
		if (mbuf == NULL)
			return;
		memcpy(rte_pktmbuf_append(mbuf, sizeof(record)), &record, sizeof(record));
		rte_pktmbuf_mtod(mbuf, struct mld_frame *)->icmp[7]++; /* at most 60 */
	}
	if (mbuf != NULL)
		finish(net, mbuf, all_listeners2, outbox);
}

/* One message for each group, to the group itself [2710 3]. */
static void
report1(struct net *net, struct outbox *outbox)
{
	for (unsigned int slot = 0; slot < net->ip6.slots; slot++) {
		uint8_t group[IP6_ADDR_LEN];
		struct rte_mbuf *mbuf;

		if (!group_of(&net->ip6, slot, group))
			continue;
		mbuf = begin(net, MLD_REPORT1, outbox);
		if (mbuf == NULL)
			return;
		memcpy(rte_pktmbuf_append(mbuf, sizeof(group)), group, sizeof(group));
		finish(net, mbuf, group, outbox);
	}
}

/* ---- when */

static ustime
not_too_soon(const struct mld *mld, ustime at)
{
	return mld->said_at == 0 ? at : RTE_MAX(at, mld->said_at + MLD_AGAIN_US);
}

static bool
is_silent(const struct net *net)
{
	return !net->ip6.setup.mld || !net->netif->ethernet || net->netif->silent;
}

void
mld_changed(struct net *net, ustime at, ustime now)
{
	struct mld *mld = &net->ip6.mld;

	if (is_silent(net))
		return;
	at = not_too_soon(mld, at);
	mld->change_at = mld->changes_left == 0 ? at : RTE_MIN(at, mld->change_at);
	mld->changes_left = MLD_ROBUSTNESS;
	net6_rearm(net, now);
}

void
mld_queried(struct net *net, const struct mld_query *query, ustime now)
{
	struct mld *mld = &net->ip6.mld;
	ustime at = now;

	if (is_silent(net))
		return;
	if (query->version == 1)
		mld->v1_until = now + MLD_V1_PRESENT_US;
	if (query->delay_ms > 0)
		at += (ustime)rng_below(&net->ip6.rng, query->delay_ms) * USEC_PER_MSEC;
	at = not_too_soon(mld, at);
	mld->answer_at = mld->asked ? RTE_MIN(at, mld->answer_at) : at;
	mld->asked = true;
	net6_rearm(net, now);
}

void
mld_timer(struct net *net, ustime now, struct outbox *outbox)
{
	struct mld *mld = &net->ip6.mld;
	bool change = mld->changes_left > 0 && now >= mld->change_at;
	bool answer = mld->asked && now >= mld->answer_at;

	if (!change && !answer)
		return;
	if (change) {
		mld->changes_left--;
		mld->change_at = now + MLD_AGAIN_US + rng_below(&net->ip6.rng, MLD_UNSOLICITED_US);
	}
	mld->asked &= !answer;
	mld->said_at = now;
	if (now < mld->v1_until)
		report1(net, outbox);
	else
		report2(net, change ? RECORD_TO_EXCLUDE : RECORD_IS_EXCLUDE, outbox);
}

ustime
mld_deadline(const struct net6 *ip6)
{
	ustime at = ip6->mld.changes_left > 0 ? ip6->mld.change_at : USTIME_NEVER;

	return ip6->mld.asked ? RTE_MIN(at, ip6->mld.answer_at) : at;
}

/* ---- queries */

/* A number, or beyond 15 bits a mantissa and an exponent [3810 5.1.3]. */
static uint32_t
delay_of(uint16_t code)
{
	uint32_t mantissa = code & ((1u << MANTISSA_BITS) - 1);

	if (code < 0x8000)
		return code;
	return (mantissa | 1u << MANTISSA_BITS) << ((code >> MANTISSA_BITS & 7) + 3);
}

/* [3810 6.2, 8.1] */
static enum rill_drop
query_parse(const struct ip6_packet *packet, struct mld_query *query)
{
	const struct rte_ipv6_hdr *ip = ip6_packet_header(packet);
	uint32_t off = (uint32_t)packet->l2_len + packet->l3_len, len = packet->mbuf->pkt_len - off;
	uint8_t copy[QUERY1_LEN];
	const uint8_t *bytes = rte_pktmbuf_read(packet->mbuf, off, sizeof(copy), copy);
	uint16_t code;

	if (bytes == NULL || (len > QUERY1_LEN && len < QUERY2_LEN) || packet->fragmented ||
		ip->hop_limits != HOP_LIMIT || !packet->router_alert ||
		!ip6_is_link_local(ip->src_addr) ||
		(!ip6_is_unspecified(bytes + 8) && !ip6_is_multicast(bytes + 8)))
		return RILL_DROP_mld_malformed;
	code = (uint16_t)(bytes[4] << 8 | bytes[5]);
	query->version = len == QUERY1_LEN ? 1 : 2;
	query->delay_ms = query->version == 1 ? code : delay_of(code);
	return RILL_DROP_COUNT;
}

enum ip_verdict
mld_input(struct net *net, struct ip6_packet *packet, ustime now)
{
	struct nd_fact fact = {.kind = ND_FACT_QUERY};
	enum rill_drop reason = query_parse(packet, &fact.u.query);

	if (reason != RILL_DROP_COUNT)
		return ip6_packet_drop(net, packet, reason);
	net->netif->counters->mld_queries_in++;
	net->ip6.facts_count = 0;
	nd_note(net, &fact);
	mld_queried(net, &fact.u.query, now);
	netif_share(net->netif, packet->mbuf); /* the kernel has groups of its own */
	rte_pktmbuf_free(packet->mbuf);
	return IP_CONSUMED;
}
