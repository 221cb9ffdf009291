/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire.h"

#include <stdio.h>
#include <string.h>

static void
put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void
put32(uint8_t *p, uint32_t v)
{
	put16(p, (uint16_t)(v >> 16));
	put16(p + 2, (uint16_t)v);
}

static uint16_t
get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t
get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

uint32_t
wire_sum(const uint8_t *bytes, size_t len, uint32_t sum)
{
	for (size_t i = 0; i + 1 < len; i += 2) {
		sum += get16(bytes + i);
		sum = (sum & 0xffff) + (sum >> 16);
	}
	if (len & 1)
		sum += (uint32_t)bytes[len - 1] << 8;
	return sum;
}

uint16_t
wire_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static const uint8_t ip6_prefix[12] = {0x20, 0x01, 0x0d, 0xb8};

void
wire_put_ip6(uint8_t *out, uint32_t addr)
{
	memcpy(out, ip6_prefix, sizeof(ip6_prefix));
	put32(out + sizeof(ip6_prefix), addr);
}

uint32_t
wire_get_ip6(const uint8_t *bytes)
{
	return memcmp(bytes, ip6_prefix, sizeof(ip6_prefix)) == 0
		       ? get32(bytes + sizeof(ip6_prefix))
		       : 0;
}

static bool
is_ip6(const uint8_t *packet)
{
	return packet[0] >> 4 == 6;
}

size_t
wire_ip_len(const uint8_t *packet)
{
	return is_ip6(packet) ? WIRE_IP6_LEN : (size_t)(packet[0] & 15) * 4;
}

uint32_t
wire_pseudo_sum(const uint8_t *packet, uint8_t protocol, size_t len)
{
	uint32_t sum = protocol + (uint32_t)len;

	return is_ip6(packet) ? wire_sum(packet + 8, 32, sum) : wire_sum(packet + 12, 8, sum);
}

void
wire_fix_checksums(uint8_t *packet, size_t len)
{
	size_t ip_len = wire_ip_len(packet), tcp_len = len - ip_len;

	if (!is_ip6(packet)) {
		put16(packet + 10, 0);
		put16(packet + 10, wire_fold(wire_sum(packet, ip_len, 0)));
	}
	if (len < ip_len + 20)
		return;
	put16(packet + ip_len + 16, 0);
	put16(packet + ip_len + 16, wire_fold(wire_sum(packet + ip_len, tcp_len,
					    wire_pseudo_sum(packet, 6, tcp_len))));
}

/* The usual way: two NOPs before what would leave the field unaligned. */
static size_t
put_options(uint8_t *p, const struct wire *wire)
{
	uint8_t *start = p;

	if (wire->has & HAS_MSS) {
		*p++ = 2, *p++ = 4;
		put16(p, wire->mss);
		p += 2;
	}
	if (wire->has & HAS_SACK_OK)
		*p++ = 1, *p++ = 1, *p++ = 4, *p++ = 2;
	if (wire->has & HAS_TS) {
		*p++ = 1, *p++ = 1, *p++ = 8, *p++ = 10;
		put32(p, wire->tsval);
		put32(p + 4, wire->tsecr);
		p += 8;
	}
	if (wire->has & HAS_WSCALE)
		*p++ = 1, *p++ = 3, *p++ = 3, *p++ = wire->wscale;
	if (wire->has & HAS_UTO) {
		*p++ = 28, *p++ = 4;
		put16(p, wire->uto);
		p += 2;
	}
	if (wire->sack_count) {
		*p++ = 1, *p++ = 1, *p++ = 5, *p++ = (uint8_t)(2 + 8 * wire->sack_count);
		for (unsigned int i = 0; i < wire->sack_count; i++, p += 8) {
			put32(p, wire->sack[i].left);
			put32(p + 4, wire->sack[i].right);
		}
	}
	return (size_t)(p - start);
}

static void
put_ip4(uint8_t *out, const struct wire *wire, size_t total)
{
	out[0] = 0x45;
	out[1] = wire->tos;
	put16(out + 2, (uint16_t)total);
	put16(out + 6, 0x4000);
	out[8] = wire->ttl ? wire->ttl : 64;
	out[9] = 6;
	put32(out + 12, wire->saddr);
	put32(out + 16, wire->daddr);
}

static void
put_ip6(uint8_t *out, const struct wire *wire, size_t total)
{
	put32(out, 6u << 28 | (uint32_t)wire->tos << 20 | (wire->flow_label & 0xfffff));
	put16(out + 4, (uint16_t)(total - WIRE_IP6_LEN));
	out[6] = 6;
	out[7] = wire->ttl ? wire->ttl : 64;
	wire_put_ip6(out + 8, wire->saddr);
	wire_put_ip6(out + 24, wire->daddr);
}

size_t
wire_write(uint8_t *out, const struct wire *wire)
{
	size_t ip_len = wire->ip6 ? WIRE_IP6_LEN : WIRE_IP4_LEN, options = 0, total;
	uint8_t *tcp = out + ip_len;

	memset(out, 0, WIRE_HEADERS_MAX);
	if (wire->options != NULL) {
		memcpy(tcp + 20, wire->options, wire->options_len);
		options = (wire->options_len + 3u) & ~3u;
	} else {
		options = put_options(tcp + 20, wire);
	}
	total = ip_len + 20 + options + wire->len;
	if (wire->ip6)
		put_ip6(out, wire, total);
	else
		put_ip4(out, wire, total);
	put16(tcp, wire->sport);
	put16(tcp + 2, wire->dport);
	put32(tcp + 4, wire->seq);
	put32(tcp + 8, wire->ack);
	tcp[12] = (uint8_t)((20 + options) / 4 << 4 | (wire->reserved & 15));
	tcp[13] = wire->flags;
	put16(tcp + 14, wire->wnd);
	put16(tcp + 18, wire->urg);
	if (wire->len)
		memcpy(tcp + 20 + options, wire->data, wire->len);
	wire_fix_checksums(out, total);
	return total;
}

static const char *
read_sack(const uint8_t *p, unsigned int len, struct wire *wire)
{
	if (len < 10 || (len - 2) % 8 != 0 || (len - 2) / 8 > WIRE_SACK_MAX)
		return "SACK option of a wrong length";
	for (unsigned int at = 2; at < len; at += 8) {
		struct wire_sack *block = &wire->sack[wire->sack_count++];

		block->left = get32(p + at);
		block->right = get32(p + at + 4);
	}
	return NULL;
}

static const char *
read_option(const uint8_t *p, unsigned int len, struct wire *wire)
{
	static const uint8_t want[] = {[2] = 4, [3] = 3, [4] = 2, [8] = 10, [28] = 4};

	if (p[0] == 5)
		return read_sack(p, len, wire);
	if (p[0] >= sizeof(want) || want[p[0]] == 0)
		return "option that Rill should not send";
	if (len != want[p[0]])
		return "option of a wrong length";
	switch (p[0]) {
	case 2:
		wire->has |= HAS_MSS;
		wire->mss = get16(p + 2);
		break;
	case 3:
		wire->has |= HAS_WSCALE;
		wire->wscale = p[2];
		break;
	case 4:
		wire->has |= HAS_SACK_OK;
		break;
	case 28:
		wire->has |= HAS_UTO;
		wire->uto = get16(p + 2);
		break;
	default:
		wire->has |= HAS_TS;
		wire->tsval = get32(p + 2);
		wire->tsecr = get32(p + 6);
	}
	return NULL;
}

static const char *
read_options(const uint8_t *p, size_t len, struct wire *wire)
{
	for (size_t at = 0; at < len;) {
		const char *complaint;

		if (p[at] == 1) {
			at++;
			continue;
		}
		if (p[at] == 0) {
			while (at < len)
				if (p[at++] != 0)
					return "bytes behind the end of options are not zero [MUST-69]";
			return NULL;
		}
		if (at + 1 >= len || p[at + 1] < 2 || at + p[at + 1] > len)
			return "option crosses the end of the header";
		complaint = read_option(p + at, p[at + 1], wire);
		if (complaint != NULL)
			return complaint;
		at += p[at + 1];
	}
	return NULL;
}

static const char *
check_ip6(const uint8_t *packet, size_t len)
{
	if (len < WIRE_IP6_LEN + 20)
		return "packet shorter than its headers";
	if (get16(packet + 4) != len - WIRE_IP6_LEN)
		return "IPv6 payload length is not the packet's [RFC8200-1]";
	if (packet[6] != 6)
		return "not TCP right behind the IPv6 header";
	if (wire_get_ip6(packet + 8) == 0 || wire_get_ip6(packet + 24) == 0)
		return "an IPv6 address that nobody has";
	return NULL;
}

static const char *
check_ip4(const uint8_t *packet, size_t len)
{
	if (len < 40)
		return "packet shorter than its headers";
	if (packet[0] != 0x45)
		return "not IPv4 with a plain header";
	if (get16(packet + 2) != len)
		return "IP total length is not the packet's";
	if (packet[9] != 6)
		return "not TCP";
	if (get16(packet + 6) & 0x3fff)
		return "a fragment";
	if (!(get16(packet + 6) & 0x4000))
		return "may be fragmented [RFC1191-8, RFC791-21]";
	if (get16(packet + 4) != 0)
		return "an IP ID, though it is never fragmented [ATK-18]";
	if (wire_fold(wire_sum(packet, 20, 0)) != 0)
		return "wrong IP checksum";
	return NULL;
}

static void
read_ip(const uint8_t *packet, struct wire *wire)
{
	wire->ip6 = is_ip6(packet);
	if (wire->ip6) {
		wire->tos = (uint8_t)(get16(packet) >> 4);
		wire->flow_label = get32(packet) & 0xfffff;
		wire->ttl = packet[7];
		wire->saddr = wire_get_ip6(packet + 8);
		wire->daddr = wire_get_ip6(packet + 24);
	} else {
		wire->tos = packet[1];
		wire->ttl = packet[8];
		wire->saddr = get32(packet + 12);
		wire->daddr = get32(packet + 16);
	}
}

const char *
wire_read(const uint8_t *packet, size_t len, struct wire *wire)
{
	size_t ip_len = wire_ip_len(packet), tcp_len = len - ip_len, header;
	const uint8_t *tcp = packet + ip_len;
	const char *complaint = is_ip6(packet) ? check_ip6(packet, len) : check_ip4(packet, len);

	memset(wire, 0, sizeof(*wire));
	if (complaint != NULL)
		return complaint;
	header = (size_t)(tcp[12] >> 4) * 4;
	if (header < 20 || header > tcp_len)
		return "impossible data offset";
	if (wire_fold(wire_sum(tcp, tcp_len, wire_pseudo_sum(packet, 6, tcp_len))) != 0)
		return "wrong TCP checksum [MUST-2]";
	wire->reserved = tcp[12] & 15;
	if (wire->reserved)
		return "reserved bits are set [RFC9293-E41]";
	read_ip(packet, wire);
	wire->sport = get16(tcp);
	wire->dport = get16(tcp + 2);
	wire->seq = get32(tcp + 4);
	wire->ack = get32(tcp + 8);
	wire->flags = tcp[13];
	wire->wnd = get16(tcp + 14);
	wire->urg = get16(tcp + 18);
	wire->options = tcp + 20;
	wire->options_len = (uint8_t)(header - 20);
	wire->data = tcp + header;
	wire->len = (uint32_t)(tcp_len - header);
	return read_options(wire->options, wire->options_len, wire);
}

const char *
wire_text(char *text, size_t size, const struct wire *wire)
{
	static const char *const names[8] = {
		"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"};
	size_t at = 0;
	const char *comma = "";

#define add(...) \
	(at += (size_t)snprintf(at < size ? text + at : text, at < size ? size - at : 0, __VA_ARGS__))
	add("<");
	for (unsigned int i = 0; i < 8; i++)
		if (wire->flags & 1u << i) {
			add("%s%s", comma, names[i]);
			comma = ",";
		}
	add("> seq %d", (int)wire->seq);
	if (wire->flags & ACK)
		add(" ack %d", (int)wire->ack);
	add(" len %u wnd %u", wire->len, wire->wnd);
	if (wire->flags & URG)
		add(" urg %u", wire->urg);
	if (wire->has & HAS_MSS)
		add(" mss %u", wire->mss);
	if (wire->has & HAS_WSCALE)
		add(" wscale %u", wire->wscale);
	if (wire->has & HAS_SACK_OK)
		add(" sackOK");
	if (wire->has & HAS_UTO)
		add(" uto %u", wire->uto);
	if (wire->has & HAS_TS)
		add(" ts %u/%u", wire->tsval, wire->tsecr);
	for (unsigned int i = 0; i < wire->sack_count; i++)
		add(" sack %d:%d", (int)wire->sack[i].left, (int)wire->sack[i].right);
#undef add
	return text;
}
