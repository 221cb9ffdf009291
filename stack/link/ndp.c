/* SPDX-License-Identifier: BSD-3-Clause */
#include "ndp.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include <netinet/in.h>

#include <rte_mbuf.h>

#include "checksum.h"
#include "ether.h"
#include "ip6.h"

enum {
	OPTION_SOURCE_MAC = 1,
	OPTION_TARGET_MAC = 2,
	OPTION_PREFIX = 3,
	OPTION_MTU = 5,
};

#define OPTION_UNIT 8u /* lengths are in these [4861 4.6] */
#define CHECKSUM_AT 2
#define ROUTER_SOLICIT_LEN 8 /* without options */

enum {
	FLAG_ROUTER = 0x80,
	FLAG_SOLICITED = 0x40,
	FLAG_OVERRIDE = 0x20,
};

/* Of a network. */
enum {
	FLAG_ON_LINK = 0x80,
	FLAG_AUTONOMOUS = 0x40,
};

/* A solicitation and an advertisement, without options. */
struct ndp_body {
	uint8_t type, code;
	uint8_t checksum[2];
	uint8_t flags, reserved[3];
	uint8_t target[IP6_ADDR_LEN];
};

struct ndp_mac_option {
	uint8_t type, units;
	uint8_t mac[RTE_ETHER_ADDR_LEN];
};

static struct rill_addr
addr6(const uint8_t *ip)
{
	struct rill_addr addr = {.family = AF_INET6};

	memcpy(addr.u.ip6, ip, sizeof(addr.u.ip6));
	return addr;
}

/* ---- reading */

/*
 * Goes through the options; the MAC of this type is noted. Returns false if one has no length or
 * goes beyond the end, or is a MAC that nobody can have. Other types are skipped [4861 4.6].
 */
static bool
parse_options(const uint8_t *options, uint32_t len, uint8_t type, struct ndp_message *message)
{
	while (len > 0) {
		const struct ndp_mac_option *option = (const struct ndp_mac_option *)options;
		uint32_t option_len;

		if (len < OPTION_UNIT || option->units == 0 || option->units * OPTION_UNIT > len)
			return false;
		option_len = option->units * OPTION_UNIT;
		if (option->type == type && option_len == sizeof(*option)) {
			memcpy(&message->mac, option->mac, sizeof(message->mac));
			message->has_mac = true;
			if (!rte_is_valid_assigned_ether_addr(&message->mac))
				return false;
		}
		options += option_len;
		len -= option_len;
	}
	return true;
}

/* A question whether somebody has an address yet: to its group, and nobody may be told anything. */
static bool
is_good_probe(const struct rte_ipv6_hdr *ip, const struct ndp_message *message)
{
	uint8_t group[IP6_ADDR_LEN];

	ip6_solicited_node(group, message->target.u.ip6);
	return ip6_is_same(ip->dst_addr, group) && !message->has_mac;
}

enum rill_drop
ndp_parse(const struct rte_ipv6_hdr *ip, const uint8_t *bytes, uint32_t len,
	struct ndp_message *message)
{
	const struct ndp_body *body = (const struct ndp_body *)bytes;
	bool is_advert, is_good;

	if (ip->hop_limits != NDP_HOP_LIMIT || len < sizeof(*body) || body->code != 0 ||
		!ip6_is_unicast(body->target))
		return RILL_DROP_nd_malformed;
	is_advert = body->type == NDP_ADVERT;
	*message = (struct ndp_message){
		.type = (enum ndp_type)body->type,
		.target = addr6(body->target),
		.router = body->flags & FLAG_ROUTER,
		.solicited = body->flags & FLAG_SOLICITED,
		.override = body->flags & FLAG_OVERRIDE,
	};
	if (!ip6_is_unspecified(ip->src_addr))
		message->source = addr6(ip->src_addr);
	is_good = parse_options((const uint8_t *)(body + 1), len - (uint32_t)sizeof(*body),
		is_advert ? OPTION_TARGET_MAC : OPTION_SOURCE_MAC, message);
	if (is_good && is_advert)
		is_good = message->source.family != 0 &&
			  !(message->solicited && ip6_is_multicast(ip->dst_addr));
	else if (is_good && message->source.family == 0)
		is_good = is_good_probe(ip, message);
	return is_good ? RILL_DROP_COUNT : RILL_DROP_nd_malformed;
}

/* The advertisement of a router, without options. */
struct router_body {
	uint8_t type, code, checksum[2], hop_limit, flags, lifetime_s[2], reachable_ms[4],
		retry_ms[4];
};

struct mtu_option {
	uint8_t type, units, reserved[2], mtu[4];
};

struct prefix_option {
	uint8_t type, units, len, flags, valid_s[4], preferred_s[4], reserved[4];
	uint8_t ip[IP6_ADDR_LEN];
};

static uint16_t
read16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static uint32_t
read32(const uint8_t *bytes)
{
	return (uint32_t)read16(bytes) << 16 | read16(bytes + 2);
}

static struct ndp_prefix
read_prefix(const struct prefix_option *option)
{
	struct ndp_prefix prefix = {
		.len = option->len,
		.on_link = option->flags & FLAG_ON_LINK,
		.autonomous = option->flags & FLAG_AUTONOMOUS,
		.valid_s = read32(option->valid_s),
		.preferred_s = read32(option->preferred_s),
	};

	memcpy(prefix.ip, option->ip, sizeof(prefix.ip));
	return prefix;
}

/* The MTU and the networks; that each option is whole has been seen. */
static void
read_router_options(const uint8_t *options, uint32_t len, struct ndp_router *router,
	struct ndp_prefix *prefixes, unsigned int *count)
{
	uint32_t option_len;

	for (; len > 0; options += option_len, len -= option_len) {
		option_len = options[1] * OPTION_UNIT;
		if (options[0] == OPTION_MTU && option_len == sizeof(struct mtu_option))
			router->mtu = read32(((const struct mtu_option *)options)->mtu);
		if (options[0] == OPTION_PREFIX && option_len == sizeof(struct prefix_option) &&
			*count < NDP_PREFIXES_MAX)
			prefixes[(*count)++] = read_prefix((const struct prefix_option *)options);
	}
}

enum rill_drop
ndp_parse_router(const struct rte_ipv6_hdr *ip, const uint8_t *bytes, uint32_t len,
	struct ndp_router *router, struct ndp_prefix *prefixes, unsigned int *count)
{
	const struct router_body *body = (const struct router_body *)bytes;
	const uint8_t *options = bytes + sizeof(*body);
	struct ndp_message message = {.has_mac = false};

	*count = 0;
	if (ip->hop_limits != NDP_HOP_LIMIT || len < sizeof(*body) || body->code != 0 ||
		!ip6_is_link_local(ip->src_addr) ||
		!parse_options(options, len - (uint32_t)sizeof(*body), OPTION_SOURCE_MAC, &message))
		return RILL_DROP_nd_malformed;
	*router = (struct ndp_router){
		.addr = addr6(ip->src_addr),
		.has_mac = message.has_mac,
		.mac = message.mac,
		.hop_limit = body->hop_limit,
		.lifetime_s = read16(body->lifetime_s),
		.reachable_ms = read32(body->reachable_ms),
		.retry_ms = read32(body->retry_ms),
	};
	read_router_options(options, len - (uint32_t)sizeof(*body), router, prefixes, count);
	return RILL_DROP_COUNT;
}

/* ---- building */

/* All that is sent: a message, and the option, which may be left out, behind it. */
struct ndp_frame {
	struct rte_ether_hdr ether;
	struct rte_ipv6_hdr ip;
	uint8_t icmp[sizeof(struct ndp_body) + sizeof(struct ndp_mac_option)];
};
static_assert(sizeof(struct ndp_frame) == 86, "as on the wire");

/*
 * Puts a message of so many bytes into the outbox, to where the frame's addresses say; option: the
 * type under which our MAC follows it, 0: it does not. Returns false if it could not.
 */
static bool
ndp_send(const struct netif *netif, struct ndp_frame *frame, uint32_t body_len, uint8_t option,
	struct outbox *outbox)
{
	struct ndp_mac_option mac_option = {.type = option, .units = 1};
	uint16_t icmp_len = (uint16_t)(body_len + (option != 0 ? sizeof(mac_option) : 0));
	uint16_t len = (uint16_t)(offsetof(struct ndp_frame, icmp) + icmp_len);
	struct rte_mbuf *mbuf;
	rte_be16_t sum;

	if (!outbox_has_control_room(outbox)) {
		count_drop(netif->counters, RILL_DROP_outbox_full);
		return false;
	}
	mbuf = rte_pktmbuf_alloc(netif->control_pool);
	if (mbuf == NULL) {
		count_drop(netif->counters, RILL_DROP_no_mbuf);
		return false;
	}
	frame->ether.src_addr = netif->mac;
	frame->ether.ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6);
	frame->ip.vtc_flow = rte_cpu_to_be_32(6u << 28);
	frame->ip.payload_len = rte_cpu_to_be_16(icmp_len);
	frame->ip.proto = IPPROTO_ICMPV6;
	frame->ip.hop_limits = NDP_HOP_LIMIT;
	memcpy(mac_option.mac, &netif->mac, sizeof(mac_option.mac));
	memcpy(frame->icmp + body_len, &mac_option, icmp_len - body_len);
	memcpy(rte_pktmbuf_append(mbuf, len), frame, len);
	sum = (rte_be16_t)~checksum_icmp6(
		mbuf, offsetof(struct ndp_frame, icmp), icmp_len, frame->ip.src_addr);
	memcpy(rte_pktmbuf_mtod(mbuf, struct ndp_frame *)->icmp + CHECKSUM_AT, &sum, sizeof(sum));
	ether_tag(netif, mbuf);
	outbox_put(outbox, mbuf);
	return true;
}

static void
to_group(struct ndp_frame *frame, const uint8_t *group)
{
	memcpy(frame->ip.dst_addr, group, IP6_ADDR_LEN);
	frame->ether.dst_addr = ip6_group_mac(group);
}

static void
to_host(struct ndp_frame *frame, const struct rill_addr *host, const struct rte_ether_addr *mac)
{
	memcpy(frame->ip.dst_addr, host->u.ip6, IP6_ADDR_LEN);
	frame->ether.dst_addr = *mac;
}

void
ndp_solicit(const struct netif *netif, const struct rill_addr *source,
	const struct rill_addr *target, const struct rte_ether_addr *mac, struct outbox *outbox)
{
	bool probe = source->family == 0;
	struct ndp_body body = {.type = NDP_SOLICIT};
	struct ndp_frame frame = {0};
	uint8_t group[IP6_ADDR_LEN];

	memcpy(body.target, target->u.ip6, IP6_ADDR_LEN);
	memcpy(frame.icmp, &body, sizeof(body));
	if (!probe)
		memcpy(frame.ip.src_addr, source->u.ip6, IP6_ADDR_LEN);
	ip6_solicited_node(group, target->u.ip6);
	if (mac != NULL)
		to_host(&frame, target, mac);
	else
		to_group(&frame, group);
	if (ndp_send(netif, &frame, sizeof(body), probe ? 0 : OPTION_SOURCE_MAC, outbox))
		netif->counters->nd_solicits_out++;
}

void
ndp_advertise(const struct netif *netif, const struct rill_addr *target,
	const struct rill_addr *dst, const struct rte_ether_addr *mac, struct outbox *outbox)
{
	struct ndp_body body = {.type = NDP_ADVERT, .flags = FLAG_OVERRIDE};
	struct ndp_frame frame = {0};

	if (dst != NULL)
		body.flags |= FLAG_SOLICITED;
	memcpy(body.target, target->u.ip6, IP6_ADDR_LEN);
	memcpy(frame.icmp, &body, sizeof(body));
	memcpy(frame.ip.src_addr, target->u.ip6, IP6_ADDR_LEN);
	if (dst != NULL)
		to_host(&frame, dst, mac);
	else
		to_group(&frame, ip6_all_nodes);
	if (ndp_send(netif, &frame, sizeof(body), OPTION_TARGET_MAC, outbox))
		netif->counters->nd_adverts_out++;
}

void
ndp_solicit_routers(
	const struct netif *netif, const struct rill_addr *source, struct outbox *outbox)
{
	struct ndp_frame frame = {.icmp = {NDP_ROUTER_SOLICIT}};
	bool known = source->family != 0;

	if (known)
		memcpy(frame.ip.src_addr, source->u.ip6, IP6_ADDR_LEN);
	to_group(&frame, ip6_all_routers);
	if (ndp_send(netif, &frame, ROUTER_SOLICIT_LEN, known ? OPTION_SOURCE_MAC : 0, outbox))
		netif->counters->router_solicits_out++;
}
