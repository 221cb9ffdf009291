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

const char *
rill_addr_format(const struct rill_addr *addr, char *buf)
{
	if (addr->family == AF_INET)
		return inet_ntop(AF_INET, addr->u.ip4, buf, RILL_ADDR_STRLEN);
	if (addr->family == AF_INET6)
		return inet_ntop(AF_INET6, addr->u.ip6, buf, RILL_ADDR_STRLEN);
	return strcpy(buf, "any");
}
