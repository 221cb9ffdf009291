/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "peer_inner.h"

#define GATEWAY_ADDR 0xc00002feu /* 192.0.2.254 */
#define IP_LEN 20
#define ICMP_LEN 8
#define TRUNCATED_LEN 12
#define QUOTED_TOTAL_LEN 1500 /* what the quoted packet claims to be */

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
put_ip(uint8_t *p, uint8_t protocol, uint32_t saddr, uint32_t daddr, size_t total)
{
	p[0] = 0x45;
	put16(p + 2, (uint32_t)total);
	put16(p + 6, 0x4000);
	p[8] = 64;
	p[9] = protocol;
	put32(p + 12, saddr);
	put32(p + 16, daddr);
	put16(p + 10, wire_fold(wire_sum(p, IP_LEN, 0)));
}

/* The first bytes of the lane's segment; returns how many. */
static size_t
put_quote(uint8_t *p, const struct icmp_say *say)
{
	uint8_t tcp[IP_LEN] = {0};
	size_t quoted = say->quoted ? say->quoted : 8;

	check(quoted <= sizeof(tcp));
	put_ip(p, 6, LANE_ADDR, PEER_ADDR, QUOTED_TOTAL_LEN);
	if (say->truncated)
		return TRUNCATED_LEN;
	put16(tcp, peer.flow->lane_port);
	put16(tcp + 2, say->peer_port ? say->peer_port : peer.flow->peer_port);
	put32(tcp + 4, peer.flow->iss + say->seq);
	put32(tcp + 8, peer.flow->irs);
	tcp[12] = 0x50;
	tcp[13] = ACK;
	memcpy(p + IP_LEN, tcp, quoted);
	return IP_LEN + quoted;
}

void
peer_sends_icmp(const struct icmp_say *say)
{
	uint8_t packet[IP_LEN + ICMP_LEN + 2 * IP_LEN] = {0}, *icmp = packet + IP_LEN;
	size_t len = ICMP_LEN + put_quote(icmp + ICMP_LEN, say);

	icmp[0] = say->type;
	icmp[1] = say->code;
	put16(icmp + 6, say->mtu);
	put16(icmp + 2, wire_fold(wire_sum(icmp, len, 0)));
	if (say->bad_checksum)
		icmp[2] ^= 1;
	put_ip(packet, 1, say->from ? say->from : GATEWAY_ADDR, LANE_ADDR, IP_LEN + len);
	peer_note("peer  ICMP type %u code %u mtu %u about seq %d", say->type, say->code, say->mtu,
		(int)say->seq);
	peer_sends_raw(packet, IP_LEN + len);
}
