/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random frames into a network interface, through a packet socket of the kernel's.
 *
 * usage: frame_storm IFACE DEST_MAC DEST_IP PORT SECONDS FRAMES_PER_S SEED [syn]
 *
 * With "syn" each is a right SYN to the port, from a forged source, with MSS and, in every other one,
 * timestamps, window scale and SACK. Without:
 * Lengths are 0 to 1600 bytes. A quarter of the frames is noise from the first byte; the others are
 * valid up to a layer that the seed chooses (Ethernet to us; IPv4 to us; TCP to the port, checksums
 * included) and noise from there on, so that every layer is reached. Prints how many were sent and
 * how many the kernel refused.
 */
#include "pattern.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FRAME_MAX 1600
#define BATCH 64

struct target {
	uint8_t mac[6];
	struct in_addr ip;
	uint16_t port;
};

static uint64_t
clock_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000u;
}

static uint32_t
sum_words(const void *data, size_t len, uint32_t sum)
{
	const uint8_t *p = data;

	for (; len > 1; len -= 2, p += 2)
		sum += (uint32_t)p[0] << 8 | p[1];
	return len > 0 ? sum + ((uint32_t)p[0] << 8) : sum;
}

static uint16_t
sum_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* An IPv4 header over `len` bytes, mostly valid; what follows is left as it is. */
static void
make_ip(struct pattern *p, uint8_t *at, uint16_t len, const struct target *to)
{
	struct iphdr ip = { .version = 4, .ihl = 5, .tot_len = htons(len), .ttl = 64,
		.daddr = to->ip.s_addr, .protocol = IPPROTO_TCP };

	if (pattern_next(p) % 4 == 0)
		ip.protocol = pattern_next(p) % 2 ? IPPROTO_ICMP : (uint8_t)pattern_next(p);
	/* A neighbour, a host beyond the network, or anything. */
	ip.saddr = pattern_next(p) % 2 ? (to->ip.s_addr & htonl(0xffffff00)) |
				htonl((uint32_t)pattern_next(p) & 0xff) :
					 (uint32_t)pattern_next(p);
	ip.check = sum_fold(sum_words(&ip, sizeof(ip), 0));
	if (pattern_next(p) % 16 == 0)
		ip.check ^= 1;
	memcpy(at, &ip, sizeof(ip));
}

/* A TCP header with a right checksum over random flags, numbers and options. */
static void
make_tcp(struct pattern *p, uint8_t *at, uint16_t len, const uint8_t *ip, const struct target *to)
{
	uint16_t port = htons(to->port), check = 0;
	uint32_t sum;

	if (pattern_next(p) % 8 != 0)
		memcpy(at + 2, &port, sizeof(port));
	at[12] = (uint8_t)(pattern_between(p, 4, 8) << 4);
	memcpy(at + 16, &check, sizeof(check));
	sum = sum_words(ip + 12, 8, IPPROTO_TCP + (uint32_t)len);
	check = sum_fold(sum_words(at, len, sum));
	memcpy(at + 16, &check, sizeof(check));
}

static void
put32(uint8_t *at, uint32_t value)
{
	value = htonl(value);
	memcpy(at, &value, sizeof(value));
}

/* A SYN from anywhere: addresses of 11.0.0.0/8, which is not here. */
static uint16_t
make_syn(struct pattern *p, uint8_t *frame, const struct target *to)
{
	static const uint8_t options[] = {2, 4, 5, 180, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7};
	uint16_t options_len = pattern_next(p) % 2 ? sizeof(options) : 4;
	uint16_t tcp_len = (uint16_t)(20 + options_len), len = (uint16_t)(34 + tcp_len), check;
	uint16_t type = htons(ETHERTYPE_IP), port = htons(to->port);
	struct iphdr ip = { .version = 4, .ihl = 5, .tot_len = htons((uint16_t)(len - 14)), .ttl = 64,
		.daddr = to->ip.s_addr, .protocol = IPPROTO_TCP };
	uint8_t *tcp = frame + 34;

	pattern_fill(p, frame, len); /* source MAC and port, sequence number */
	memcpy(frame, to->mac, 6);
	frame[6] = 2;
	memcpy(frame + 12, &type, 2);
	ip.saddr = htonl(0x0b000000u | ((uint32_t)pattern_next(p) & 0xffffff));
	ip.check = sum_fold(sum_words(&ip, sizeof(ip), 0));
	memcpy(frame + 14, &ip, sizeof(ip));
	tcp[0] |= 4;
	memcpy(tcp + 2, &port, sizeof(port));
	put32(tcp + 8, 0);
	tcp[12] = (uint8_t)(tcp_len / 4 << 4);
	tcp[13] = TH_SYN;
	put32(tcp + 16, 0);
	memcpy(tcp + 20, options, options_len);
	check = sum_fold(sum_words(tcp, tcp_len, sum_words(frame + 26, 8, IPPROTO_TCP + (uint32_t)tcp_len)));
	memcpy(tcp + 16, &check, sizeof(check));
	return len;
}

static uint16_t
make_frame(struct pattern *p, uint8_t *frame, const struct target *to)
{
	uint16_t len = (uint16_t)pattern_between(p, 0, FRAME_MAX);
	uint32_t depth = pattern_between(p, 0, 3);
	uint16_t type = htons(pattern_next(p) % 4 ? ETHERTYPE_IP : ETHERTYPE_ARP);

	pattern_fill(p, frame, len);
	if (depth >= 1 && len >= 14) {
		memcpy(frame, to->mac, 6);
		frame[6] &= 0xfe;
		memcpy(frame + 12, &type, 2);
	}
	if (depth >= 2 && len >= 34) {
		make_ip(p, frame + 14, (uint16_t)(len - 14), to);
		if (depth == 3 && len >= 54 && frame[23] == IPPROTO_TCP)
			make_tcp(p, frame + 34, (uint16_t)(len - 34), frame + 14, to);
	}
	return len;
}

static int
open_interface(const char *name)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET,
		.sll_ifindex = (int)if_nametoindex(name) };
	int fd = socket(AF_PACKET, SOCK_RAW, 0); /* protocol 0: receives nothing */

	if (fd < 0 || at.sll_ifindex == 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0) {
		perror(name);
		exit(1);
	}
	return fd;
}

static void
storm(int fd, const struct target *to, double seconds, double rate, uint64_t seed, bool syn)
{
	uint64_t start = clock_us(), now = start, sent = 0, refused = 0, due;
	static uint8_t frame[FRAME_MAX];
	struct pattern pattern;
	uint16_t len;

	pattern_seed(&pattern, seed, 0);
	while ((double)(now - start) < seconds * 1e6) {
		due = (uint64_t)((double)(now - start) / 1e6 * rate);
		due = due < sent + refused + BATCH ? due : sent + refused + BATCH;
		while (sent + refused < due) {
			len = syn ? make_syn(&pattern, frame, to) : make_frame(&pattern, frame, to);
			if (send(fd, frame, len, 0) == len)
				sent++;
			else
				refused++;
		}
		now = clock_us();
		if ((double)(sent + refused) >= (double)(now - start) / 1e6 * rate)
			usleep(100);
	}
	printf("{\"sent\": %llu, \"refused\": %llu}\n", (unsigned long long)sent,
		(unsigned long long)refused);
}

int
main(int argc, char **argv)
{
	struct target to;
	int fd;

	bool syn = argc == 9 && strcmp(argv[8], "syn") == 0;

	if ((argc != 8 && !syn) ||
		sscanf(argv[2], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &to.mac[0], &to.mac[1], &to.mac[2],
			&to.mac[3], &to.mac[4], &to.mac[5]) != 6 ||
		inet_pton(AF_INET, argv[3], &to.ip) != 1) {
		fprintf(stderr, "usage: frame_storm IFACE DEST_MAC DEST_IP PORT SECONDS FRAMES_PER_S "
				"SEED [syn]\n");
		return 2;
	}
	to.port = (uint16_t)atoi(argv[4]);
	fd = open_interface(argv[1]);
	storm(fd, &to, atof(argv[5]), atof(argv[6]), strtoull(argv[7], NULL, 10), syn);
	close(fd);
	return 0;
}
