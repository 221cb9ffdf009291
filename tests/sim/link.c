/* SPDX-License-Identifier: BSD-3-Clause */
#include "link.h"

#include <stdlib.h>
#include <string.h>

#include "wire.h"

#define NS_PER_US 1000u
#define NS_PER_S 1000000000u
#define ETHER_TYPE_OFF 12
#define ETHER_TYPE_ARP_LOW 6
#define ETHER_TYPE_IP6_HIGH 0x86
#define IP_PROTO_ICMP6 58
#define IP_TOS_OFF 1
#define IP_CHECKSUM_OFF 10
#define BURST_SILENCE_US 1000000u
#define ECN_MASK 3 /* [3168 5] */

const char *const link_fate_names[LINK_FATES] = {"", "LOST", "QUEUE FULL", "LINK DOWN", "TOO LONG"};

struct packet *
packet_new(const uint8_t *bytes, size_t len)
{
	struct packet *packet = malloc(sizeof(*packet) + len);

	if (packet == NULL)
		abort();
	packet->len = (uint32_t)len;
	memcpy(packet->bytes, bytes, len);
	return packet;
}

static bool
is_within(uint64_t now, uint64_t at, uint64_t lasts)
{
	return lasts != 0 && now >= at && now - at < lasts;
}

static bool
is_down(const struct link_setup *setup, uint64_t now)
{
	uint64_t every = setup->down_every_us, at = setup->down_at;

	if (every != 0 && now > at)
		at += (now - at) / every * every;
	return is_within(now, at, setup->down_us);
}

uint64_t
link_waiting(const struct link *link, uint64_t now_us)
{
	uint64_t now_ns = now_us * NS_PER_US;

	if (link->free_ns <= now_ns)
		return 0;
	return (link->free_ns - now_ns) * link->setup.rate / NS_PER_S;
}

/* A burst goes on from packet to packet, but does not outlive a silence. */
static bool
is_lost(struct link *link, struct chance *chance, uint64_t now_us)
{
	const struct link_setup *setup = &link->setup;

	if (now_us - link->packet_last > BURST_SILENCE_US)
		link->in_burst = false;
	link->packet_last = now_us;
	if (setup->burst_starts != 0)
		link->in_burst = link->in_burst ? !chance_hit(chance, setup->burst_ends)
						: chance_hit(chance, setup->burst_starts);
	if (link->in_burst && chance_hit(chance, setup->burst_loss))
		return true;
	return chance_hit(chance, setup->loss);
}

/* Only a whole header is marked: a damaged one must not become right again. */
static void
mark(struct link *link, struct packet *packet)
{
	uint8_t *ip = packet->bytes + link->l2_len;
	size_t header = (size_t)(ip[0] & 15) * 4;
	uint16_t sum;

	if (packet->len >= link->l2_len + WIRE_IP6_LEN && ip[0] >> 4 == 6) {
		if ((ip[1] >> 4 & ECN_MASK) == 0)
			return;
		ip[1] |= ECN_MASK << 4;
		link->marked++;
		return;
	}
	if (packet->len < link->l2_len + 20 || ip[0] >> 4 != 4 || header < 20 ||
		link->l2_len + header > packet->len || (ip[IP_TOS_OFF] & ECN_MASK) == 0 ||
		wire_fold(wire_sum(ip, header, 0)) != 0)
		return;
	ip[IP_TOS_OFF] |= ECN_MASK;
	memset(ip + IP_CHECKSUM_OFF, 0, 2);
	sum = wire_fold(wire_sum(ip, header, 0));
	ip[IP_CHECKSUM_OFF] = (uint8_t)(sum >> 8);
	ip[IP_CHECKSUM_OFF + 1] = (uint8_t)sum;
	link->marked++;
}

/* Does it resolve addresses? Few of these are sent again. */
static bool
resolves(const struct link *link, const struct packet *packet)
{
	const uint8_t *ip = packet->bytes + link->l2_len;

	if (link->l2_len == 0)
		return false;
	if (packet->bytes[ETHER_TYPE_OFF] == ETHER_TYPE_IP6_HIGH)
		return packet->len >= link->l2_len + WIRE_IP6_LEN && ip[6] == IP_PROTO_ICMP6;
	return packet->bytes[ETHER_TYPE_OFF + 1] == ETHER_TYPE_ARP_LOW;
}

/* One bit, behind the Ethernet header, whose checksum a NIC would check; ARP has no other. */
static void
corrupt(struct link *link, struct chance *chance, struct packet *packet)
{
	uint32_t bits = (uint32_t)(packet->len - link->l2_len) * 8, bit;

	if (resolves(link, packet))
		return;
	bit = chance_below(chance, bits);
	packet->bytes[link->l2_len + bit / 8] ^= (uint8_t)(1u << bit % 8);
	link->damaged++;
}

/* When the packet will have left, in ns; 0: the queue has no room for it. */
static uint64_t
leaves_at_ns(struct link *link, uint64_t now_us, struct packet *packet)
{
	const struct link_setup *setup = &link->setup;
	uint64_t now_ns = now_us * NS_PER_US, waiting = link_waiting(link, now_us);

	if (setup->rate == 0)
		return now_ns;
	if (waiting > 0 && waiting + packet->len > setup->queue_bytes)
		return 0;
	if (setup->mark_bytes != 0 && waiting > setup->mark_bytes)
		mark(link, packet);
	if (link->free_ns < now_ns)
		link->free_ns = now_ns;
	link->free_ns += packet->len * (uint64_t)NS_PER_S / setup->rate;
	return link->free_ns;
}

static uint64_t
arrives_at(struct link *link, struct chance *chance, uint64_t leaves_ns)
{
	const struct link_setup *setup = &link->setup;
	uint64_t at = (leaves_ns + NS_PER_US - 1) / NS_PER_US + setup->delay_us;

	if (setup->jitter_us != 0)
		at += chance_below(chance, setup->jitter_us);
	if (chance_hit(chance, setup->reorder)) {
		link->reordered++;
		return at + 1 + chance_below(chance, setup->reorder_us);
	}
	if (at < link->arrives_last)
		at = link->arrives_last;
	link->arrives_last = at;
	return at;
}

enum link_fate
link_send(struct link *link, struct events *events, struct chance *chance, uint64_t now_us,
	struct packet *packet)
{
	const struct link_setup *setup = &link->setup;
	enum link_fate fate = LINK_TAKEN;
	uint64_t leaves_ns, at;

	if (is_within(now_us, setup->mtu_at, setup->mtu_us) &&
		packet->len > link->l2_len + setup->mtu) {
		link->fates[LINK_TOO_LONG]++;
		return LINK_TOO_LONG;
	}
	leaves_ns = leaves_at_ns(link, now_us, packet);
	if (is_down(setup, now_us))
		fate = LINK_DOWN;
	else if (leaves_ns == 0)
		fate = LINK_QUEUE_FULL;
	else if (is_lost(link, chance, now_us))
		fate = LINK_LOST;
	link->fates[fate]++;
	if (fate != LINK_TAKEN) {
		free(packet);
		return fate;
	}
	at = arrives_at(link, chance, leaves_ns);
	if (chance_hit(chance, setup->duplicate)) {
		link->doubled++;
		events_plan(events, at + chance_below(chance, setup->reorder_us + 1), link->arrives,
			link->arg, (uintptr_t)packet_new(packet->bytes, packet->len));
	}
	if (chance_hit(chance, setup->corrupt))
		corrupt(link, chance, packet);
	events_plan(events, at, link->arrives, link->arg, (uintptr_t)packet);
	return LINK_TAKEN;
}
