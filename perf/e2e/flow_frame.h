/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_PERF_FLOW_FRAME_H
#define RILL_PERF_FLOW_FRAME_H

/*
 * The frames of the flow player: written in a few dozen cycles from what is known in advance, and
 * read as far as a player must. A flow's number is its address and port:
 *
 *   flow i    10.1.0.1 + i / 32768, port 1024 + i % 32768, behind the gateway 10.0.0.254
 *   server    10.0.0.1, port 7000
 *
 * Every payload is one of FLOW_BLOCKS blocks of random bytes, chosen by the sequence number at
 * which it begins; their checksums are known.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_ether.h>

#define FLOW_SERVER_PORT 7000
#define FLOW_SERVER_ADDR 0x0a000001u /* 10.0.0.1/24 */
#define FLOW_GATEWAY_ADDR 0x0a0000feu
#define FLOW_BLOCKS 16
#define FLOW_PAYLOAD_MAX 1460
#define FLOW_HEADERS 54    /* Ethernet, IPv4, TCP without options */
#define FLOW_TIMESTAMPS 12 /* more, with them */

struct flow_frames {
	struct rte_ether_addr server_mac, gateway_mac;
	bool timestamps;
	uint16_t payload; /* bytes of a message or of a segment of bulk */
	uint16_t mss;     /* that the SYN offers */
	uint8_t headers[FLOW_HEADERS];
	uint32_t ip_sum, tcp_sum; /* of what never changes, pseudo-header included */
	uint16_t block_sum[FLOW_BLOCKS];
	uint8_t block[FLOW_BLOCKS][FLOW_PAYLOAD_MAX];
};

/* A frame of a flow; flags as on the wire. */
struct flow_frame {
	uint32_t seq, ack;
	uint32_t tsval, tsecr;
	uint8_t flags;
	uint16_t payload_len;
	const uint8_t *payload; /* of a frame that was read */
};

void flow_frames_init(struct flow_frames *frames, const struct rte_ether_addr *server_mac,
	bool timestamps, uint16_t payload);

/* Which block a payload that begins at this sequence number is. */
static inline unsigned int
flow_block(uint32_t seq)
{
	return seq * 2654435761u >> 28;
}

/*
 * Writes a frame of flow `number` to out; returns its length. With payload_len it carries the block
 * of its sequence number.
 */
uint16_t flow_frame_write(const struct flow_frames *frames, uint8_t *out, uint32_t number,
	const struct flow_frame *frame);

/* What a frame from the server is. */
enum flow_frame_kind {
	FLOW_FRAME_TCP, /* of flow *number */
	FLOW_FRAME_ARP, /* asks for the gateway: answer with flow_arp_answer */
	FLOW_FRAME_FOREIGN,
};

enum flow_frame_kind flow_frame_read(
	const uint8_t *bytes, uint32_t len, uint32_t *number, struct flow_frame *frame);

/* Writes the answer to an ARP request; returns its length. */
uint16_t flow_arp_answer(const struct flow_frames *frames, uint8_t *out, const uint8_t *request);

#endif
