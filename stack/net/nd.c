/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A message is answered if it asks, and else taken apart into facts, which are acted on here, and by
 * every other lane of the port.
 */
#include "nd.h"

#include <rte_mbuf.h>

#include "acd.h"
#include "autoconf.h"
#include "mld.h"
#include "ndp.h"
#include "neighbor.h"

#define MESSAGE_MAX 2048 /* bytes that are looked at: no message of one frame is longer */

/* Returns false if it was of no use. */
static bool
act(struct net *net, const struct nd_fact *fact, ustime now, struct outbox *outbox)
{
	const struct neighbor_advert *advert = &fact->u.advert;
	const uint8_t *ip = advert->addr.u.ip6;

	switch (fact->kind) {
	case ND_FACT_HINT:
		return neighbor_hinted(net->neighbors, &advert->addr, &advert->mac, now, outbox);
	case ND_FACT_ADVERT:
		if (!advert->router)
			autoconf_router_gone(net, ip, now);
		return neighbor_advertised(net->neighbors, advert, now, outbox);
	case ND_FACT_CLAIM:
		net6_claimed(net, ip, now);
		return true;
	case ND_FACT_SETTLED:
		if (advert->addr.family == AF_INET)
			acd_settled(net, &advert->addr);
		else
			net6_settled(net, ip, now);
		return true;
	case ND_FACT_ROUTER:
		autoconf_router(net, &fact->u.router, now);
		return true;
	case ND_FACT_PREFIX:
		autoconf_prefix(net, &fact->u.prefix, now);
		return true;
	case ND_FACT_QUERY:
		mld_queried(net, &fact->u.query, now);
		return true;
	}
	return false;
}

void
net_hear_fact(struct net *net, const struct nd_fact *fact, ustime now, struct outbox *outbox)
{
	if (net->ip6.rib != NULL || fact->kind == ND_FACT_SETTLED)
		act(net, fact, now, outbox);
}

void
nd_note(struct net *net, const struct nd_fact *fact)
{
	if (net->ip6.facts_count < NET_FACTS_MAX)
		net->ip6.facts[net->ip6.facts_count++] = *fact;
}

/* Acts on it and notes it for others. */
static bool
learn(struct net *net, const struct nd_fact *fact, ustime now, struct outbox *outbox)
{
	nd_note(net, fact);
	return act(net, fact, now, outbox);
}

unsigned int
net_take_facts(struct net *net, const struct nd_fact **facts)
{
	unsigned int count = net->ip6.facts_count;

	*facts = net->ip6.facts;
	net->ip6.facts_count = 0;
	return count;
}

static void
claim(struct net *net, const struct rill_addr *addr, ustime now, struct outbox *outbox)
{
	learn(net, &(struct nd_fact){.kind = ND_FACT_CLAIM, .u.advert.addr = *addr}, now, outbox);
}

static void
hint(struct net *net, const struct rill_addr *addr, const struct rte_ether_addr *mac, ustime now,
	struct outbox *outbox)
{
	const struct nd_fact fact = {
		.kind = ND_FACT_HINT, .u.advert = {.addr = *addr, .has_mac = true, .mac = *mac}};

	learn(net, &fact, now, outbox);
}

/*
 * Somebody asks for target [4861 7.2.3]: who has an address of ours shall hear it, and where he is
 * himself is worth knowing, since he will be talked to. Whoever asks without having an address is about
 * to take this one.
 */
static enum rill_drop
solicited(struct net *net, const struct ndp_message *message, const struct rte_ether_addr *from,
	ustime now, struct outbox *outbox)
{
	const struct rte_ether_addr *mac = message->has_mac ? &message->mac : from;
	const struct net6_addr *ours = net6_find(&net->ip6, message->target.u.ip6);
	bool probe = message->source.family == 0;

	if (ours == NULL)
		return RILL_DROP_nd_not_ours;
	if (ours->state < NET6_ADDR_DEPRECATED) {
		if (probe && ours->state == NET6_ADDR_TENTATIVE)
			claim(net, &message->target, now, outbox);
		return RILL_DROP_COUNT;
	}
	if (probe) { /* [4861 7.2.4] */
		ndp_advertise(net->netif, &message->target, NULL, NULL, outbox);
		return RILL_DROP_COUNT;
	}
	if (message->has_mac)
		hint(net, &message->source, &message->mac, now, outbox);
	ndp_advertise(net->netif, &message->target, &message->source, mac, outbox);
	return RILL_DROP_COUNT;
}

static enum rill_drop
advertised(struct net *net, const struct ndp_message *message, const struct rte_ether_addr *from,
	ustime now, struct outbox *outbox)
{
	const struct nd_fact fact = {
		.kind = ND_FACT_ADVERT,
		.u.advert = {.addr = message->target,
			.has_mac = message->has_mac,
			.mac = message->mac,
			.router = message->router,
			.solicited = message->solicited,
			.override = message->override},
	};

	if (net6_find(&net->ip6, message->target.u.ip6) != NULL) {
		claim(net, &message->target, now, outbox);
		return RILL_DROP_COUNT;
	}
	return learn(net, &fact, now, outbox) ? RILL_DROP_COUNT : RILL_DROP_nd_not_ours;
}

static enum rill_drop
router_advertised(struct net *net, const struct rte_ipv6_hdr *ip, const uint8_t *bytes, uint32_t len,
	ustime now, struct outbox *outbox)
{
	struct nd_fact fact = {.kind = ND_FACT_ROUTER};
	struct ndp_prefix prefixes[NDP_PREFIXES_MAX];
	unsigned int count;
	enum rill_drop reason = ndp_parse_router(ip, bytes, len, &fact.u.router, prefixes, &count);

	if (reason != RILL_DROP_COUNT)
		return reason;
	net->netif->counters->ra_in++;
	if (!net->ip6.setup.autoconf || net6_ip_is_ours(&net->ip6, ip->src_addr))
		return RILL_DROP_nd_ignored;
	if (fact.u.router.has_mac)
		hint(net, &fact.u.router.addr, &fact.u.router.mac, now, outbox);
	learn(net, &fact, now, outbox);
	for (unsigned int i = 0; i < count; i++) {
		fact = (struct nd_fact){.kind = ND_FACT_PREFIX, .u.prefix = prefixes[i]};
		learn(net, &fact, now, outbox);
	}
	return RILL_DROP_COUNT;
}

/* Redirects are ignored: anybody on the link can send one, and routers that are needed say so. */
static enum rill_drop
handle(struct net *net, const struct ip6_packet *packet, ustime now, struct outbox *outbox)
{
	uint32_t off = (uint32_t)packet->l2_len + packet->l3_len, len = packet->mbuf->pkt_len - off;
	const struct rte_ipv6_hdr *ip = ip6_packet_header(packet);
	const struct rte_ether_addr *from =
		&rte_pktmbuf_mtod(packet->mbuf, const struct rte_ether_hdr *)->src_addr;
	uint8_t copy[MESSAGE_MAX];
	const uint8_t *bytes;
	struct ndp_message message;
	enum rill_drop reason;

	if (!net->netif->ethernet)
		return RILL_DROP_nd_ignored;
	if (packet->fragmented || len > sizeof(copy)) /* [6980 5] */
		return RILL_DROP_nd_malformed;
	bytes = rte_pktmbuf_read(packet->mbuf, off, len, copy);
	if (*bytes == NDP_ROUTER_ADVERT)
		return router_advertised(net, ip, bytes, len, now, outbox);
	if (*bytes != NDP_SOLICIT && *bytes != NDP_ADVERT)
		return RILL_DROP_nd_ignored;
	reason = ndp_parse(ip, bytes, len, &message);
	if (reason != RILL_DROP_COUNT)
		return reason;
	/* Ours, or of the kernel behind us, which asks for the same addresses and would believe that another
	 * host does. */
	if (rte_is_same_ether_addr(from, &net->netif->mac))
		return RILL_DROP_nd_echo;
	return message.type == NDP_SOLICIT ? solicited(net, &message, from, now, outbox)
					   : advertised(net, &message, from, now, outbox);
}

enum ip_verdict
nd_input(struct net *net, struct ip6_packet *packet, ustime now, struct outbox *outbox)
{
	enum rill_drop reason;

	net->ip6.facts_count = 0;
	reason = handle(net, packet, now, outbox);
	net->netif->counters->nd_in++;
	if (reason != RILL_DROP_COUNT)
		return ip6_packet_drop(net, packet, reason);
	netif_share(net->netif, packet->mbuf); /* the kernel has neighbours of its own to find */
	rte_pktmbuf_free(packet->mbuf);
	return IP_CONSUMED;
}
