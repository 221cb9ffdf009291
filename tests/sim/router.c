/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What stands between the hosts: with Ethernet a switch, else a router, which tells the sender of a
 * packet that is too long for the next link, or keeps silent about it.
 */
#include <stdlib.h>
#include <string.h>

#include "wire.h"
#include "world.h"

#define IP_LEN 20
#define ICMP_LEN 8
#define ICMP_UNREACHABLE 3
#define ICMP6 58
#define ICMP6_TOO_BIG 2
#define ICMP_FRAGMENTATION_NEEDED 4
#define QUOTE_LEN 28         /* IP header and 8 bytes [792] */
#define ROUTER_IP 0xc00002fe /* 192.0.2.254 */

static void
trace_packet(const struct world *world, const char *where, unsigned int host, const uint8_t *ip,
	size_t len, const char *fate)
{
	struct wire wire;
	char text[220];
	const char *complaint;

	if (!trace_is_on())
		return;
	complaint = len >= IP_LEN && (ip[0] >> 4 == 4 || ip[0] >> 4 == 6) ? wire_read(ip, len, &wire)
									  : "not IP";
	if (complaint != NULL)
		world_trace(world, "%s %u: %zu bytes, %s  %s", where, host, len, complaint, fate);
	else
		world_trace(world, "%s %u: %u:%u > %u:%u %s%s  %s", where, host, wire.saddr & 255,
			wire.sport, wire.daddr & 255, wire.dport,
			wire_text(text, sizeof(text), &wire), (wire.tos & 3) == 3 ? " CE" : "",
			fate);
}

/* One packet into one link; tells what became of it. Returns false if it was too long: it is still
 * ours. */
static bool
forward(struct host *host, struct link *link, struct packet *packet, const char *where)
{
	struct world *world = host->world;
	size_t l2_len = world_l2_len(world);
	uint8_t head[128];
	size_t len = packet->len - l2_len, kept = len < sizeof(head) ? len : sizeof(head);
	enum link_fate fate;

	memcpy(head, packet->bytes + l2_len, kept);
	if (trace_is_on() && len > kept) { /* the whole, as long as we have it */
		trace_packet(world, where, host->number, packet->bytes + l2_len, len, "");
		fate = link_send(link, &world->events, &world->net, world->now, packet);
		if (fate != LINK_TAKEN)
			world_trace(world, "%s %u: that one: %s", where, host->number,
				link_fate_names[fate]);
	} else {
		fate = link_send(link, &world->events, &world->net, world->now, packet);
		trace_packet(world, where, host->number, head, len, link_fate_names[fate]);
	}
	world->lost += fate != LINK_TAKEN;
	return fate != LINK_TOO_LONG;
}

void
host_sends(struct host *host, const uint8_t *bytes, uint32_t len)
{
	struct world *world = host->world;
	size_t l2_len = world_l2_len(world);
	struct packet *packet = packet_new(bytes, len);

	world->frames++;
	world->hash = nic_sum(world->hash ^ world->now ^ (uint64_t)host->number << 56, bytes, len);
	if (world->watch.sent != NULL)
		world->watch.sent(world, host, bytes + l2_len, (uint32_t)(len - l2_len));
	if (!forward(host, &host->up, packet, "from"))
		free(packet);
}

void
host_link_gives(void *arg, uint64_t value)
{
	struct host *host = arg;
	struct packet *packet = (struct packet *)(uintptr_t)value;

	host_gets(host, packet);
	free(packet);
}

/* "Fragmentation needed", from the router to the sender [1191 4]. */
static void
tell_too_long(struct world *world, struct host *source, const struct packet *packet, uint16_t mtu)
{
	uint8_t bytes[IP_LEN + ICMP_LEN + QUOTE_LEN] = {0x45, 0, 0, sizeof(bytes)};
	uint8_t *icmp = bytes + IP_LEN;
	uint16_t sum;

	bytes[8] = 64;
	bytes[9] = 1;
	for (unsigned int i = 0; i < 4; i++) {
		bytes[12 + i] = (uint8_t)(ROUTER_IP >> (24 - 8 * i));
		bytes[16 + i] = (uint8_t)(source->ip >> (24 - 8 * i));
	}
	icmp[0] = ICMP_UNREACHABLE;
	icmp[1] = ICMP_FRAGMENTATION_NEEDED;
	icmp[6] = (uint8_t)(mtu >> 8);
	icmp[7] = (uint8_t)mtu;
	memcpy(icmp + ICMP_LEN, packet->bytes, QUOTE_LEN);
	sum = wire_fold(wire_sum(icmp, ICMP_LEN + QUOTE_LEN, 0));
	icmp[2] = (uint8_t)(sum >> 8);
	icmp[3] = (uint8_t)sum;
	sum = wire_fold(wire_sum(bytes, IP_LEN, 0));
	bytes[10] = (uint8_t)(sum >> 8);
	bytes[11] = (uint8_t)sum;
	world_trace(world, "router: tells %u of an MTU of %u", source->number, mtu);
	forward(source, &source->down, packet_new(bytes, sizeof(bytes)), "to");
}

/* "Packet too big" [4443 3.2]: as much of the packet as every link carries. */
static void
tell_too_big(struct world *world, struct host *source, const struct packet *packet, uint16_t mtu)
{
	uint8_t bytes[PATH_MTU_LEAST6] = {0x60}, *icmp = bytes + WIRE_IP6_LEN;
	size_t room = sizeof(bytes) - WIRE_IP6_LEN - ICMP_LEN;
	size_t quoted = packet->len < room ? packet->len : room, len = ICMP_LEN + quoted;
	uint16_t sum;

	bytes[4] = (uint8_t)(len >> 8);
	bytes[5] = (uint8_t)len;
	bytes[6] = ICMP6;
	bytes[7] = 64;
	wire_put_ip6(bytes + 8, ROUTER_IP);
	wire_put_ip6(bytes + 24, source->ip);
	icmp[0] = ICMP6_TOO_BIG;
	icmp[6] = (uint8_t)(mtu >> 8);
	icmp[7] = (uint8_t)mtu;
	memcpy(icmp + ICMP_LEN, packet->bytes, quoted);
	sum = wire_fold(wire_sum(icmp, len, wire_pseudo_sum(bytes, ICMP6, len)));
	icmp[2] = (uint8_t)(sum >> 8);
	icmp[3] = (uint8_t)sum;
	world_trace(world, "router: tells %u of an MTU of %u", source->number, mtu);
	forward(source, &source->down, packet_new(bytes, WIRE_IP6_LEN + len), "to");
}

static struct host *
host_by_ip6(struct world *world, const struct packet *packet)
{
	uint32_t number = wire_get_ip6(packet->bytes + 24) - world->hosts[0].ip;

	return number < world->hosts_count ? &world->hosts[number] : NULL;
}

static struct host *
host_by_ip(struct world *world, const struct packet *packet)
{
	const uint8_t *ip = packet->bytes;
	size_t header = packet->len > 0 ? (size_t)(ip[0] & 15) * 4 : 0;
	uint32_t number;

	if (world->families != FAMILY_IP4 && packet->len >= WIRE_IP6_LEN && ip[0] >> 4 == 6)
		return host_by_ip6(world, packet);
	/* A router looks at the header before it believes it. */
	if (packet->len < IP_LEN || header < IP_LEN || header > packet->len ||
		wire_fold(wire_sum(ip, header, 0)) != 0)
		return NULL;
	number = ip[19] - 1u;
	return number < world->hosts_count ? &world->hosts[number] : NULL;
}

static void
route(struct world *world, struct host *from, struct packet *packet)
{
	struct host *to = host_by_ip(world, packet);

	if (to == NULL || to == from) {
		free(packet);
		return;
	}
	if (forward(to, &to->down, packet, "to"))
		return;
	if (!to->down.setup.mtu_silent && packet->bytes[0] >> 4 == 6)
		tell_too_big(world, from, packet, to->down.setup.mtu);
	else if (!to->down.setup.mtu_silent)
		tell_too_long(world, from, packet, to->down.setup.mtu);
	free(packet);
}

static void
switch_frame(struct world *world, struct host *from, struct packet *packet)
{
	bool group = packet->bytes[0] & 1;

	for (unsigned int i = 0; i < world->hosts_count; i++) {
		struct host *to = &world->hosts[i];
		struct packet *copy;

		if (to == from || (!group && memcmp(packet->bytes, to->mac, sizeof(to->mac)) != 0))
			continue;
		copy = packet_new(packet->bytes, packet->len);
		if (!forward(to, &to->down, copy, "to"))
			free(copy);
	}
	free(packet);
}

void
router_gets(void *arg, uint64_t value)
{
	struct host *from = arg;
	struct packet *packet = (struct packet *)(uintptr_t)value;

	if (from->world->ethernet)
		switch_frame(from->world, from, packet);
	else
		route(from->world, from, packet);
}
