/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "peer_inner.h"

#define GATEWAY_ADDR 0xc00002feu /* 192.0.2.254 */
#define TCP_LEN 20
#define ICMP_LEN 8
#define TRUNCATED_LEN 12
#define QUOTED_TOTAL_LEN 1500 /* what the quoted packet claims to be */
#define PROTOCOL_ICMP 1
#define PROTOCOL_ICMP6 58

static void
put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void
put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

static void
put_ip4(uint8_t *p, uint8_t protocol, uint32_t saddr, uint32_t daddr, size_t total)
{
	p[0] = 0x45;
	put16(p + 2, (uint32_t)total);
	put16(p + 6, 0x4000);
	p[8] = 64;
	p[9] = protocol;
	put32(p + 12, saddr);
	put32(p + 16, daddr);
	put16(p + 10, wire_fold(wire_sum(p, WIRE_IP4_LEN, 0)));
}

static void
put_ip6(uint8_t *p, uint8_t protocol, uint32_t saddr, uint32_t daddr, size_t total)
{
	p[0] = 0x60;
	put16(p + 4, (uint32_t)total - WIRE_IP6_LEN);
	p[6] = protocol;
	p[7] = 64;
	wire_put_ip6(p + 8, saddr);
	wire_put_ip6(p + 24, daddr);
}

/* Returns the header's length. */
static size_t
put_ip(uint8_t *p, uint8_t protocol, uint32_t saddr, uint32_t daddr, size_t total)
{
	if (peer.flow->ip6) {
		put_ip6(p, protocol, saddr, daddr, total);
		return WIRE_IP6_LEN;
	}
	put_ip4(p, protocol, saddr, daddr, total);
	return WIRE_IP4_LEN;
}

/* The first bytes of the lane's segment; returns how many. */
static size_t
put_quote(uint8_t *p, const struct icmp_say *say)
{
	uint8_t tcp[TCP_LEN] = {0};
	size_t quoted = say->quoted ? say->quoted : 8, ip_len;

	check(quoted <= sizeof(tcp));
	ip_len = put_ip(p, 6, LANE_ADDR, PEER_ADDR, QUOTED_TOTAL_LEN);
	if (say->truncated)
		return TRUNCATED_LEN;
	put16(tcp, peer.flow->lane_port);
	put16(tcp + 2, say->peer_port ? say->peer_port : peer.flow->peer_port);
	put32(tcp + 4, peer.flow->iss + say->seq);
	put32(tcp + 8, peer.flow->irs);
	tcp[12] = 0x50;
	tcp[13] = ACK;
	memcpy(p + ip_len, tcp, quoted);
	return ip_len + quoted;
}

/* What says the same in ICMPv6 [4443 3, 792]; what there is no more becomes an error of no known type. */
static void
translate(const struct icmp_say *say, uint8_t *icmp)
{
	static const uint8_t unreachable[][2] = {
		{1, 0}, {1, 3}, {4, 1}, {1, 4}, {2, 0}, {1, 3}, /* net, host, protocol, port, MTU, route */
	};

	switch (say->type) {
	case 3:
		icmp[0] = say->code < sizeof(unreachable) / 2 ? unreachable[say->code][0] : 1;
		icmp[1] = say->code < sizeof(unreachable) / 2 ? unreachable[say->code][1] : 0;
		break;
	case 11:
		icmp[0] = 3;
		icmp[1] = say->code;
		break;
	case 12:
		icmp[0] = 4;
		icmp[1] = 0;
		break;
	default:
		icmp[0] = 100;
		icmp[1] = say->code;
	}
	if (icmp[0] == 2)
		put32(icmp + 4, say->mtu == 0 ? 0 : family_mtu(say->mtu));
}

static void
put_icmp(uint8_t *icmp, const struct icmp_say *say)
{
	if (peer.flow->ip6 && !say->is_icmp6) {
		translate(say, icmp);
		return;
	}
	icmp[0] = say->type;
	icmp[1] = say->code;
	put16(icmp + 6, say->mtu);
}

void
peer_sends_icmp(const struct icmp_say *say)
{
	uint8_t packet[2 * WIRE_IP6_LEN + ICMP_LEN + TCP_LEN] = {0};
	uint8_t protocol = peer.flow->ip6 ? PROTOCOL_ICMP6 : PROTOCOL_ICMP;
	size_t ip_len = peer.flow->ip6 ? WIRE_IP6_LEN : WIRE_IP4_LEN, len;
	uint8_t *icmp = packet + ip_len;

	len = ICMP_LEN + put_quote(icmp + ICMP_LEN, say);
	put_ip(packet, protocol, say->from ? say->from : GATEWAY_ADDR, LANE_ADDR, ip_len + len);
	put_icmp(icmp, say);
	put16(icmp + 2, wire_fold(wire_sum(icmp, len,
				peer.flow->ip6 ? wire_pseudo_sum(packet, protocol, len) : 0)));
	if (say->bad_checksum)
		icmp[2] ^= 1;
	peer_note("peer  ICMP type %u code %u mtu %u about seq %d", say->type, say->code, say->mtu,
		(int)say->seq);
	peer_sends_raw(packet, ip_len + len);
}
