/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_WIRE_SEGMENT_H
#define RILL_WIRE_SEGMENT_H

/*
 * A TCP segment as TCP sees it: parsed once, from validated bytes, into host order. Above this file
 * nobody knows an offset in a TCP header.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rill/stats.h>

#include "seq.h"
#include "tuple.h"

struct rte_mbuf;

/* Flag bits as on the wire [9293 3.1]. */
enum {
	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_PSH = 0x08,
	TCP_ACK = 0x10,
	TCP_URG = 0x20,
	TCP_ECE = 0x40,
	TCP_CWR = 0x80,
};

/* Options found in a segment. */
enum {
	SEG_HAS_MSS = 0x01,
	SEG_HAS_WSCALE = 0x02,
	SEG_HAS_SACK_OK = 0x04,
	SEG_HAS_TS = 0x08,
	SEG_HAS_UTO = 0x10,
	SEG_SLOW = 0x80, /* no option: the turn wants it to go the slow way */
};

#define SEG_SACK_MAX 4       /* blocks that fit into 40 bytes of options */
#define TCP_WSCALE_MAX 14    /* larger shifts are taken as 14 [7323 2.3] */
#define TCP_HEADER_LEN 20
#define TCP_OPTIONS_MAX 40

struct sack_block {
	seq_t left, right; /* [left, right) */
};

struct segment {
	struct tuple tuple;    /* from our side: laddr is the destination */
	struct rte_mbuf *mbuf; /* starts with the link header, ends where IP says */
	uint16_t l2_len, l3_len; /* bytes of link header, of IP header with its options */
	uint16_t header_len;   /* of TCP, with options: payload at l2_len + l3_len + header_len */
	uint16_t payload_len;
	seq_t seq;
	seq_t ack;             /* meaningful with TCP_ACK */
	uint16_t wnd;          /* as on the wire, not scaled */
	uint16_t urg;          /* urgent pointer as on the wire; meaningful with TCP_URG */
	uint8_t flags;
	uint8_t has;           /* SEG_HAS_... */
	uint8_t wscale;        /* at most TCP_WSCALE_MAX */
	uint8_t sack_count;    /* blocks, in the order of the wire, unchecked */
	uint16_t mss;
	uint8_t ecn;           /* the two bits of the IP header: 3 is CE [3168 5] */
	uint32_t tsval, tsecr;
	uint32_t uto_s;        /* user timeout, seconds, not 0 [5482 3.3] */
	struct sack_block sack[SEG_SACK_MAX];
};

/* Sequence numbers that the segment takes: payload, SYN and FIN [9293 3.4]. */
static inline uint32_t
segment_len(const struct segment *segment)
{
	return segment->payload_len + ((segment->flags & TCP_SYN) != 0) +
	       ((segment->flags & TCP_FIN) != 0);
}

/*
 * Parses the TCP header at l2_len + l3_len of segment->mbuf; mbuf, l2_len, l3_len, ecn, family and
 * addresses are filled in by the caller (ip4_take_plain, ip4_input), who also made sure that pkt_len ends where the
 * IP datagram does and that the headers are contiguous in the first mbuf segment.
 * checksum_known_good: the NIC vouches for the checksum; else it is computed here, over chains too.
 * Returns RILL_DROP_COUNT if the segment is valid, else the reason to drop it; frees nothing.
 * MSS, window scale and SACK-permitted are taken from SYN segments only [MUST-65, RFC7323-3].
 */
enum rill_drop segment_parse(struct segment *segment, bool checksum_known_good);

/*
 * Parses options of len bytes (0..40) into segment, whose flags are set. Returns false if a length
 * is illegal (0, 1, beyond the end, or wrong for a known kind: the whole segment is then to be
 * dropped [MUST-7]). Unknown kinds are skipped by their length [MUST-6], and so are SACK options
 * that do not hold whole blocks [RFC2018-10] and those of a SYN, and user timeout options of another
 * length than 4 or a value of 0 [RFC5482-7]; any alignment [MUST-64].
 */
bool segment_parse_options(struct segment *segment, const uint8_t *options, unsigned int len);

/* Options to write: what is set in has, and sack_count blocks, or as many as fit. */
struct segment_options {
	uint8_t has;
	uint8_t wscale;
	uint16_t mss;
	uint32_t tsval, tsecr;
	uint32_t uto_s; /* beyond 32767 s it is told in whole minutes, rounded up, 32767 at most */
	uint8_t sack_count;
	struct sack_block sack[SEG_SACK_MAX];
};

/*
 * Writes options in the order MSS, SACK-permitted, timestamps, window scale, user timeout, SACK
 * blocks, each
 * padded by NOPs in front so that its end is a multiple of 4: the layouts that other stacks parse
 * fastest. Returns the number of bytes, a multiple of 4, at most TCP_OPTIONS_MAX.
 */
unsigned int segment_write_options(uint8_t *out, const struct segment_options *options);

/* Bytes that segment_write_options would write. */
unsigned int segment_options_len(const struct segment_options *options);

#endif
