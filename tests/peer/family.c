/* SPDX-License-Identifier: BSD-3-Clause */
#include "family.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire.h"

#define MTU_DEFAULT 1500
#define IP6_PREFIX_MORE 96 /* bits in front of a host's number */

bool
family_is_ip6(void)
{
	const char *family = getenv("RILL_TEST_FAMILY");

	return family != NULL && strcmp(family, "6") == 0;
}

struct rill_addr
family_addr_of(uint32_t host)
{
	struct rill_addr addr = {.family = AF_INET};
	uint32_t bytes = htonl(host);

	memcpy(addr.u.ip4, &bytes, sizeof(bytes));
	if (!family_is_ip6())
		return addr;
	addr.family = AF_INET6;
	wire_put_ip6(addr.u.ip6, host);
	return addr;
}

struct rill_addr
family_addr(const char *ip4)
{
	struct in_addr addr;

	if (inet_pton(AF_INET, ip4, &addr) != 1) {
		fprintf(stderr, "%s: is no IPv4 address\n", ip4);
		exit(2);
	}
	return family_addr_of(ntohl(addr.s_addr));
}

struct rill_prefix
family_prefix(const char *ip4_and_len)
{
	const char *slash = strchr(ip4_and_len, '/');
	char ip4[INET_ADDRSTRLEN];

	if (slash == NULL) {
		fprintf(stderr, "%s: is no prefix\n", ip4_and_len);
		exit(2);
	}
	snprintf(ip4, sizeof(ip4), "%.*s", (int)(slash - ip4_and_len), ip4_and_len);
	return (struct rill_prefix){.addr = family_addr(ip4),
		.len = (uint8_t)(atoi(slash + 1) + (family_is_ip6() ? IP6_PREFIX_MORE : 0))};
}

uint16_t
family_mtu(uint16_t ip4_mtu)
{
	uint16_t mtu = ip4_mtu != 0 ? ip4_mtu : MTU_DEFAULT;

	return family_is_ip6() ? (uint16_t)(mtu + WIRE_IP6_LEN - WIRE_IP4_LEN) : mtu;
}
