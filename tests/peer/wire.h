/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TEST_WIRE_H
#define TEST_WIRE_H

/*
 * TCP over IP as bytes, for tests: written and read by code that shares nothing with the stack, so
 * that a mistake about the format shows up instead of cancelling out.
 *
 * In IPv6 the same hosts have the same numbers: 192.0.2.1 is 2001:db8::c000:201.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Flag bits; short, because every line of a dialogue has them. */
enum {
	FIN = 0x01,
	SYN = 0x02,
	RST = 0x04,
	PSH = 0x08,
	ACK = 0x10,
	URG = 0x20,
	ECE = 0x40,
	CWR = 0x80,
};

/* The ECN bits of the IP header; NOT_ECT is for expect(), which does not look at them if told 0. */
enum {
	ECT1 = 1,
	ECT0 = 2,
	CE = 3,
	NOT_ECT = 4,
};

/* Options that a segment has. */
enum {
	HAS_MSS = 0x01,
	HAS_WSCALE = 0x02,
	HAS_SACK_OK = 0x04,
	HAS_TS = 0x08,
	HAS_UTO = 0x10,
};

#define WIRE_SACK_MAX 4
#define WIRE_HEADERS_MAX 120 /* IP and TCP with all options */
#define WIRE_IP4_LEN 20
#define WIRE_IP6_LEN 40

struct wire_sack {
	uint32_t left, right;
};

struct wire {
	bool ip6;
	uint32_t flow_label;
	uint32_t saddr, daddr; /* host order, as everything here */
	uint16_t sport, dport;
	uint8_t flags;
	uint32_t seq, ack;
	uint16_t wnd, urg;
	uint8_t has; /* HAS_... */
	uint8_t wscale;
	uint16_t mss;
	uint32_t tsval, tsecr;
	uint16_t uto; /* user timeout as on the wire: 0x8000 means minutes [5482 3.3] */
	uint8_t sack_count;
	struct wire_sack sack[WIRE_SACK_MAX];
	const uint8_t *options; /* written in place of all of the above, padded with EOL */
	uint8_t options_len;    /* bytes of options; on reading, of the whole option field */
	const uint8_t *data;
	uint32_t len; /* payload bytes */
	uint8_t ttl, tos;
	uint8_t reserved; /* the four bits beside the data offset */
};

/* The internet checksum over bytes, on top of a sum of 16-bit words. */
uint32_t wire_sum(const uint8_t *bytes, size_t len, uint32_t sum);
uint16_t wire_fold(uint32_t sum);

/* The 16 bytes of a host's IPv6 address; and its number, or 0 if it is none of these hosts'. */
void wire_put_ip6(uint8_t *out, uint32_t addr);
uint32_t wire_get_ip6(const uint8_t *bytes);

/* Bytes of a packet's IP header, options included, but no extension headers. */
size_t wire_ip_len(const uint8_t *packet);

/* The sum of the pseudo-header for len bytes of this protocol behind the IP header. */
uint32_t wire_pseudo_sum(const uint8_t *packet, uint8_t protocol, size_t len);

/* Writes the packet into out, which has room for WIRE_HEADERS_MAX + len bytes; returns its length. */
size_t wire_write(uint8_t *out, const struct wire *wire);

/* Sets the right checksums, of IPv4 and TCP, of a packet whose bytes were changed. */
void wire_fix_checksums(uint8_t *packet, size_t len);

/*
 * Reads a packet; data and options point into it. Returns NULL, or a complaint: anything that a
 * well-formed segment of a careful stack would not have, wrong checksums included.
 */
const char *wire_read(const uint8_t *packet, size_t len, struct wire *wire);

/* "<SYN,ACK> seq 0 ack 1 wnd 65535 ..." into text; returns text. */
const char *wire_text(char *text, size_t size, const struct wire *wire);

#endif
