/* SPDX-License-Identifier: BSD-3-Clause */
#include "flow_frame.h"

#include <string.h>

#include <netinet/in.h>
#include <rte_arp.h>
#include <rte_ip.h>
#include <rte_tcp.h>

#include "checksum.h"
#include "rng.h"
#include "segment.h"

#define PORTS_BITS 15
#define PORT_FIRST 1024u
#define FLOW_ADDR 0x0a010001u
#define IP4_PLAIN 0x45 /* version 4, no options */
#define TTL 64
#define WINDOW 8192u /* unscaled */
#define WSCALE 7

static const uint8_t timestamps_word[4] = {1, 1, 8, 10};
static const uint8_t syn_options[8] = {2, 4, 0, 0, 1, 3, 3, WSCALE};
static const uint8_t sack_ok[4] = {1, 1, 4, 2};

static uint32_t
load32(const void *at)
{
	uint32_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

static void
store32(void *at, uint32_t word)
{
	memcpy(at, &word, sizeof(word));
}

void
flow_frames_init(struct flow_frames *frames, const struct rte_ether_addr *server_mac,
	bool timestamps, uint16_t payload)
{
	struct rte_ether_hdr *ether = (struct rte_ether_hdr *)frames->headers;
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(ether + 1);
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(ip + 1);
	struct rng rng;

	memset(frames, 0, sizeof(*frames));
	frames->server_mac = *server_mac;
	frames->gateway_mac = (struct rte_ether_addr){.addr_bytes = {2, 0, 0, 0, 0, 2}};
	frames->timestamps = timestamps;
	frames->payload = payload;
	frames->mss = FLOW_PAYLOAD_MAX;
	*ether = (struct rte_ether_hdr){.dst_addr = *server_mac,
		.src_addr = frames->gateway_mac,
		.ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4)};
	*ip = (struct rte_ipv4_hdr){.version_ihl = IP4_PLAIN,
		.fragment_offset = rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG),
		.time_to_live = TTL,
		.next_proto_id = IPPROTO_TCP,
		.dst_addr = rte_cpu_to_be_32(FLOW_SERVER_ADDR)};
	tcp->dst_port = rte_cpu_to_be_16(FLOW_SERVER_PORT);
	tcp->rx_win = rte_cpu_to_be_16(WINDOW);
	frames->ip_sum = rte_raw_cksum(ip, sizeof(*ip));
	frames->tcp_sum = (uint32_t)rte_raw_cksum(tcp, sizeof(*tcp)) +
			  rte_raw_cksum(&ip->dst_addr, 4) + rte_cpu_to_be_16(IPPROTO_TCP);
	rng_init(&rng, (struct siphash_key){payload, 0});
	for (unsigned int b = 0; b < FLOW_BLOCKS; b++) {
		for (unsigned int i = 0; i < FLOW_PAYLOAD_MAX; i += 4)
			store32(&frames->block[b][i], (uint32_t)rng_next(&rng));
		frames->block_sum[b] = rte_raw_cksum(frames->block[b], payload);
	}
}

/* Writes options; returns their length, and their sum in *sum. */
static unsigned int
write_options(const struct flow_frames *frames, uint8_t *at, const struct flow_frame *frame,
	uint64_t *sum)
{
	uint8_t *start = at;

	if (frame->flags & TCP_SYN) {
		memcpy(at, syn_options, sizeof(syn_options));
		at[2] = (uint8_t)(frames->mss >> 8);
		at[3] = (uint8_t)frames->mss;
		memcpy(at + sizeof(syn_options), sack_ok, sizeof(sack_ok));
		at += sizeof(syn_options) + sizeof(sack_ok);
		*sum += rte_raw_cksum(start, (size_t)(at - start));
	}
	if (frames->timestamps) {
		uint32_t tsval = rte_cpu_to_be_32(frame->tsval),
			 tsecr = rte_cpu_to_be_32(frame->tsecr);

		memcpy(at, timestamps_word, sizeof(timestamps_word));
		store32(at + 4, tsval);
		store32(at + 8, tsecr);
		*sum += (uint64_t)load32(timestamps_word) + tsval + tsecr;
		at += FLOW_TIMESTAMPS;
	}
	return (unsigned int)(at - start);
}

uint16_t
flow_frame_write(const struct flow_frames *frames, uint8_t *out, uint32_t number,
	const struct flow_frame *frame)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(out + RTE_ETHER_HDR_LEN);
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(ip + 1);
	uint32_t src = rte_cpu_to_be_32(FLOW_ADDR + (number >> PORTS_BITS));
	rte_be16_t port =
		rte_cpu_to_be_16((uint16_t)(PORT_FIRST + (number & ((1u << PORTS_BITS) - 1))));
	uint32_t seq = rte_cpu_to_be_32(frame->seq), ack = rte_cpu_to_be_32(frame->ack);
	uint64_t sum = 0;
	unsigned int options, tcp_len;
	rte_be16_t total;

	memcpy(out, frames->headers, FLOW_HEADERS);
	options = write_options(frames, (uint8_t *)(tcp + 1), frame, &sum);
	tcp_len = TCP_HEADER_LEN + options + frame->payload_len;
	total = rte_cpu_to_be_16((uint16_t)(sizeof(*ip) + tcp_len));
	ip->total_length = total;
	ip->src_addr = src;
	ip->hdr_checksum = (rte_be16_t)~checksum_fold((uint64_t)frames->ip_sum + total + src);
	tcp->src_port = port;
	tcp->sent_seq = seq;
	tcp->recv_ack = ack;
	tcp->data_off = (uint8_t)((TCP_HEADER_LEN + options) << 2);
	tcp->tcp_flags = frame->flags;
	if (frame->payload_len > 0) {
		unsigned int block = flow_block(frame->seq);

		memcpy((uint8_t *)(tcp + 1) + options, frames->block[block], frame->payload_len);
		sum += frames->block_sum[block];
	}
	sum += (uint64_t)frames->tcp_sum + src + port + seq + ack +
	       rte_cpu_to_be_16((uint16_t)(tcp->data_off << 8 | frame->flags)) +
	       rte_cpu_to_be_16((uint16_t)tcp_len);
	tcp->cksum = (rte_be16_t)~checksum_fold(sum);
	return (uint16_t)(FLOW_HEADERS + options + frame->payload_len);
}

/* Timestamps stand anywhere in the options of a SYN-ACK. */
static void
read_timestamps(struct flow_frame *frame, const uint8_t *options, unsigned int len)
{
	unsigned int at = 0;

	while (at + 10 <= len) {
		if (options[at] == 1) {
			at++;
			continue;
		}
		if (options[at] == 8) {
			frame->tsval = rte_be_to_cpu_32(load32(options + at + 2));
			frame->tsecr = rte_be_to_cpu_32(load32(options + at + 6));
			return;
		}
		if (options[at] == 0 || options[at + 1] < 2)
			return;
		at += options[at + 1];
	}
}

static enum flow_frame_kind
read_arp(const uint8_t *bytes, uint32_t len)
{
	const struct rte_arp_hdr *arp = (const struct rte_arp_hdr *)(bytes + RTE_ETHER_HDR_LEN);

	if (len < RTE_ETHER_HDR_LEN + sizeof(*arp) ||
		arp->arp_opcode != rte_cpu_to_be_16(RTE_ARP_OP_REQUEST) ||
		arp->arp_data.arp_tip != rte_cpu_to_be_32(FLOW_GATEWAY_ADDR))
		return FLOW_FRAME_FOREIGN;
	return FLOW_FRAME_ARP;
}

enum flow_frame_kind
flow_frame_read(const uint8_t *bytes, uint32_t len, uint32_t *number, struct flow_frame *frame)
{
	const struct rte_ether_hdr *ether = (const struct rte_ether_hdr *)bytes;
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(ether + 1);
	const struct rte_tcp_hdr *tcp = (const struct rte_tcp_hdr *)(ip + 1);
	uint32_t header, ip_len, addr, port;

	if (ether->ether_type == rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP))
		return read_arp(bytes, len);
	if (len < FLOW_HEADERS || ether->ether_type != rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4) ||
		ip->version_ihl != IP4_PLAIN || ip->next_proto_id != IPPROTO_TCP)
		return FLOW_FRAME_FOREIGN;
	ip_len = rte_be_to_cpu_16(ip->total_length);
	header = (uint32_t)(tcp->data_off >> 4) * 4;
	if (ip_len + RTE_ETHER_HDR_LEN != len || sizeof(*ip) + header > ip_len ||
		ip->src_addr != rte_cpu_to_be_32(FLOW_SERVER_ADDR) ||
		tcp->src_port != rte_cpu_to_be_16(FLOW_SERVER_PORT))
		return FLOW_FRAME_FOREIGN;
	addr = rte_be_to_cpu_32(ip->dst_addr) - FLOW_ADDR;
	port = rte_be_to_cpu_16(tcp->dst_port) - PORT_FIRST;
	*number = addr << PORTS_BITS | port;
	*frame = (struct flow_frame){.seq = rte_be_to_cpu_32(tcp->sent_seq),
		.ack = rte_be_to_cpu_32(tcp->recv_ack),
		.flags = tcp->tcp_flags,
		.payload_len = (uint16_t)(ip_len - sizeof(*ip) - header),
		.payload = (const uint8_t *)tcp + header};
	read_timestamps(frame, (const uint8_t *)(tcp + 1), header - TCP_HEADER_LEN);
	return FLOW_FRAME_TCP;
}

uint16_t
flow_arp_answer(const struct flow_frames *frames, uint8_t *out, const uint8_t *request)
{
	struct rte_ether_hdr *ether = (struct rte_ether_hdr *)out;
	struct rte_arp_hdr *arp = (struct rte_arp_hdr *)(ether + 1);

	memcpy(out, request, sizeof(*ether) + sizeof(*arp));
	ether->dst_addr = frames->server_mac;
	ether->src_addr = frames->gateway_mac;
	arp->arp_opcode = rte_cpu_to_be_16(RTE_ARP_OP_REPLY);
	arp->arp_data.arp_tha = arp->arp_data.arp_sha;
	arp->arp_data.arp_tip = arp->arp_data.arp_sip;
	arp->arp_data.arp_sha = frames->gateway_mac;
	arp->arp_data.arp_sip = rte_cpu_to_be_32(FLOW_GATEWAY_ADDR);
	return (uint16_t)(sizeof(*ether) + sizeof(*arp));
}
