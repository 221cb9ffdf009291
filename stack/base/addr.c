/* SPDX-License-Identifier: BSD-3-Clause */
#include <rill/types.h>

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#define IP4_BITS 32u
#define IP6_BITS 128u

int
rill_addr_parse(const char *text, struct rill_addr *addr)
{
	struct rill_addr parsed = {0};

	if (text == NULL)
		return -EINVAL;
	if (inet_pton(AF_INET, text, parsed.u.ip4) == 1)
		parsed.family = AF_INET;
	else if (inet_pton(AF_INET6, text, parsed.u.ip6) == 1)
		parsed.family = AF_INET6;
	else
		return -EINVAL;
	*addr = parsed;
	return 0;
}

/* Decimal without sign, space, leading zero or anything behind it; beyond most: -EINVAL. */
static int
prefix_len_parse(const char *text, unsigned int most)
{
	unsigned int len = 0;
	const char *at = text;

	while (*at >= '0' && *at <= '9' && len <= most)
		len = 10 * len + (unsigned int)(*at++ - '0');
	if (at == text || *at != '\0' || len > most || (*text == '0' && at > text + 1))
		return -EINVAL;
	return (int)len;
}

int
rill_prefix_parse(const char *text, struct rill_prefix *prefix)
{
	const char *slash = text != NULL ? strchr(text, '/') : NULL;
	struct rill_addr addr;
	char host[RILL_ADDR_STRLEN];
	unsigned int bits;
	size_t host_len;
	int len;

	if (text == NULL)
		return -EINVAL;
	host_len = slash != NULL ? (size_t)(slash - text) : strlen(text);
	if (host_len >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, host_len);
	host[host_len] = '\0';
	if (rill_addr_parse(host, &addr) != 0)
		return -EINVAL;
	bits = addr.family == AF_INET ? IP4_BITS : IP6_BITS;
	len = slash != NULL ? prefix_len_parse(slash + 1, bits) : (int)bits;
	if (len < 0)
		return len;
	*prefix = (struct rill_prefix){.addr = addr, .len = (uint8_t)len};
	return 0;
}

static uint32_t
number_of(const struct rill_addr *addr)
{
	const uint8_t *ip = addr->u.ip4;

	return (uint32_t)ip[0] << 24 | (uint32_t)ip[1] << 16 | (uint32_t)ip[2] << 8 | ip[3];
}

int
rill_range_parse(const char *text, struct rill_prefix *range)
{
	const char *dash = text != NULL ? strchr(text, '-') : NULL;
	struct rill_prefix last;
	struct rill_addr first;
	char host[RILL_ADDR_STRLEN];
	uint32_t more, mask;

	if (dash == NULL)
		return rill_prefix_parse(text, range);
	if ((size_t)(dash - text) >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, (size_t)(dash - text));
	host[dash - text] = '\0';
	if (rill_addr_parse(host, &first) != 0 || rill_prefix_parse(dash + 1, &last) != 0 ||
		first.family != AF_INET || last.addr.family != AF_INET)
		return -EINVAL;
	more = number_of(&last.addr) - number_of(&first);
	mask = last.len == 0 ? 0 : UINT32_MAX << (IP4_BITS - last.len);
	if (number_of(&last.addr) < number_of(&first) ||
		((number_of(&last.addr) ^ number_of(&first)) & mask) != 0)
		return -EINVAL;
	*range = (struct rill_prefix){.addr = first, .len = last.len, .more = more};
	return 0;
}

const char *
rill_addr_format(const struct rill_addr *addr, char *buf)
{
	if (addr->family == AF_INET)
		return inet_ntop(AF_INET, addr->u.ip4, buf, RILL_ADDR_STRLEN);
	if (addr->family == AF_INET6)
		return inet_ntop(AF_INET6, addr->u.ip6, buf, RILL_ADDR_STRLEN);
	return strcpy(buf, "any");
}
